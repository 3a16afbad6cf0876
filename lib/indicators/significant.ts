/** Significant digits kept of a number in a snapshot: beyond any price's own, short of the noise of floating point. */
export const SIGNIFICANT_DIGITS = 10

/**
 * The one rounding of numbers that go into a snapshot: to {@link SIGNIFICANT_DIGITS} significant digits, half
 * away from zero. Idempotent, monotone, survives JSON (minus zero becomes zero). For finite
 * numbers up to 1e300 in size.
 */
export function toSignificant(value: number): number {
  // At most six whole digits and four decimals have none to lose: most prices. Only a matter of speed.
  if (Math.abs(value) < 1e6 && Math.round(value * 1e4) / 1e4 === value) return value + 0
  return Number(value.toPrecision(SIGNIFICANT_DIGITS))
}

/** {@link toSignificant} for a reading that may be absent. */
export const readingOf = (value: number | null): number | null => (value === null ? null : toSignificant(value))
