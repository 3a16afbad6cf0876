/** Spread below this share of the largest value is rounding, not spread. */
const ROUNDING = 1e-12

/** `a / b`; null where that is no number: nothing to divide by, or out of range. */
export function divide(a: number, b: number): number | null {
  const quotient = a / b
  return Number.isFinite(quotient) ? quotient : null
}

/** Arithmetic mean; null of nothing. */
export const mean = (values: ArrayLike<number>): number | null =>
  values.length === 0 ? null : sumOf(packed(values)) / values.length

/** Sample standard deviation, √(Σ(x - x̄)² / (n - 1)); null of fewer than two, 0 where all are equal up to rounding. */
export function deviation(values: ArrayLike<number>): number | null {
  if (values.length < 2) return null
  const second = secondMoment(packed(values))
  return Math.sqrt((second * values.length) / (values.length - 1))
}

/**
 * Skewness m₃ / m₂^1.5 of the central moments of all values, which is what the standard error of a Sharpe ratio asks
 * for; null of fewer than three values or without spread.
 */
export const skewness = (values: ArrayLike<number>): number | null =>
  values.length < 3 ? null : standardMoment(packed(values), 3)

/** Kurtosis m₄ / m₂², 3 for a normal distribution; null of fewer than four values or without spread. */
export const kurtosis = (values: ArrayLike<number>): number | null =>
  values.length < 4 ? null : standardMoment(packed(values), 4)

/** One representation for all loops below: a bootstrap runs through them by the million. */
const packed = (values: ArrayLike<number>): Float64Array =>
  values instanceof Float64Array ? values : new Float64Array(values)

function sumOf(values: Float64Array): number {
  let total = 0
  for (let index = 0; index < values.length; index += 1) total += values[index] ?? 0
  return total
}

/** Mean square of the distances from the mean; 0 where that is no more than rounding. */
function secondMoment(values: Float64Array): number {
  const middle = sumOf(values) / values.length
  let [total, largest] = [0, 0]
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0
    const away = value - middle
    total += away * away
    largest = Math.max(largest, Math.abs(value))
  }
  const moment = total / values.length
  return Math.sqrt(moment) > ROUNDING * largest ? moment : 0
}

/** Mean of a power of the distances from the mean, in standard deviations; null without spread. */
function standardMoment(values: Float64Array, power: 3 | 4): number | null {
  const second = secondMoment(values)
  const middle = sumOf(values) / values.length
  let total = 0
  for (let index = 0; index < values.length; index += 1) total += ((values[index] ?? 0) - middle) ** power
  return second === 0 ? null : divide(total / values.length, second ** (power / 2))
}
