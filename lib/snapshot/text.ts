/** `text` on one line, without control, format and marker characters, cut to `limit` characters with an ellipsis. */
export function plainLine(text: string, limit: number): string {
  const line = text
    // Folds full-width look-alikes of the markers into the markers themselves, which then go.
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .replace(/[<>|`]/g, '')
    .replace(/ {2,}/g, ' ')
    .trim()
  const letters = [...line]
  return letters.length <= limit
    ? line
    : `${letters
        .slice(0, limit - 1)
        .join('')
        .trimEnd()}…`
}

/** Plain decimal notation with at most `decimals` places, no trailing zeros. */
export function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals)
  const trimmed = text.includes('.') ? text.replace(/(?:\.|(?<![.0]))0+$/, '') : text
  return trimmed === '-0' ? '0' : trimmed
}

/** Decimals that show at least `digits` significant digits of a number of this size, never cutting whole ones. */
export function decimalsFor(size: number, digits: number): number {
  if (size === 0 || !Number.isFinite(size)) return 2
  return Math.min(20, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(size)))))
}

/** A fraction as a percentage: 0.0123 is `1.23%`; small ones keep three significant digits. */
export function percent(value: number): string {
  const points = value * 100
  return `${fixed(points, Math.abs(points) >= 0.1 || points === 0 ? 2 : decimalsFor(points, 3))}%`
}

/** With its sign, also when positive. */
export const signed = (text: string): string =>
  text.startsWith('-') || text === '0' || text === '0%' ? text : `+${text}`

/** A quantity in three significant digits: `950`, `12.3k`, `4.56M`. */
export function short(value: number): string {
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (Math.abs(value) >= size) return `${fixed(value / size, decimalsFor(value / size, 3))}${unit}`
  }
  return fixed(value, decimalsFor(value, 3))
}

/** Whole minutes as `45m`, `3h05m`, `2d04h`. */
export function duration(minutes: number): string {
  const whole = Math.floor(minutes)
  if (whole < 60) return `${whole}m`
  if (whole < 2_880) return `${Math.floor(whole / 60)}h${two(whole % 60)}m`
  return `${Math.floor(whole / 1_440)}d${two(Math.floor((whole % 1_440) / 60))}h`
}

const two = (value: number): string => String(value).padStart(2, '0')
