const [ZERO, NINE, DOT, MINUS, SPACE] = [48, 57, 46, 45, 32]
const POWERS = Array.from({ length: 16 }, (_, power) => 10 ** power)

/**
 * A plain decimal in a stretch of text, as the platform would read it: with at most 15 digits the quotient of two exact
 * doubles is rounded once, and therefore correctly. NaN for every other form.
 */
export function plainNumber(text: string, start: number, end: number): number {
  let at = start
  while (at < end && text.charCodeAt(at) === SPACE) at += 1
  const isNegative = text.charCodeAt(at) === MINUS
  if (isNegative) at += 1
  const first = at
  let mantissa = 0
  let places = -1
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + code - ZERO
      if (places >= 0) places += 1
    } else if (code === DOT && places < 0 && at > first) places = 0
    else return Number.NaN
  }
  const digits = at - first - (places >= 0 ? 1 : 0)
  if (digits === 0) return Number.NaN
  if (digits > 15) return digits === 16 && places < 0 && mantissa <= Number.MAX_SAFE_INTEGER ? mantissa : Number.NaN
  const value = places > 0 ? mantissa / (POWERS[places] ?? 1) : mantissa
  return isNegative ? -value : value
}

/** How numbers are written in a file: which sign separates the decimals, where that can be told. */
export type NumberStyle = 'point' | 'comma'

const GROUPED_POINT = /^[-+]?\d{1,3}(?:,\d{3})+\.\d+$/
const GROUPED_COMMA = /^[-+]?\d{1,3}(?:\.\d{3})+,\d+$/
const MANY_COMMAS = /^[-+]?\d{1,3}(?:,\d{3}){2,}$/
const MANY_POINTS = /^[-+]?\d{1,3}(?:\.\d{3}){2,}$/
const ONE_COMMA = /^[-+]?\d+,\d+$/
const EITHER = /^[-+]?[1-9]\d{0,2},\d{3}$/

/**
 * The style that these cells are written in, `ambiguous` where 1,234 may be one or a thousand; `point` without
 * evidence.
 */
export function styleOf(cells: readonly string[]): NumberStyle | 'ambiguous' {
  let isAmbiguous = false
  for (const cell of cells) {
    const text = bare(cell)
    if (GROUPED_POINT.test(text) || MANY_COMMAS.test(text)) return 'point'
    if (GROUPED_COMMA.test(text) || MANY_POINTS.test(text)) return 'comma'
    if (!ONE_COMMA.test(text)) continue
    if (!EITHER.test(text)) return 'comma'
    isAmbiguous = true
  }
  return isAmbiguous ? 'ambiguous' : 'point'
}

/** Without currency, blanks and apostrophes, which group thousands in Switzerland and in code. */
const bare = (cell: string): string => cell.replaceAll(/[\s'’_$€£¥\u00a0\u202f]/g, '')

const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, b: 1e9, t: 1e12 }

/** A number as people and sites write it; NaN for what is none. */
export function writtenNumber(cell: string, style: NumberStyle): number {
  const text = bare(cell)
  if (text === '') return Number.NaN
  const plain = style === 'comma' ? text.replaceAll('.', '').replace(',', '.') : text.replaceAll(',', '')
  const factor = SUFFIXES[plain.at(-1)?.toLowerCase() ?? '']
  const digits = factor === undefined ? plain : plain.slice(0, -1)
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?$/i.test(digits) ? Number(digits) * (factor ?? 1) : Number.NaN
}

/** What programs write where they have no number. */
export const isBlank = (cell: string): boolean =>
  /^(?:nan|null|none|n\/?a|-+|[-+]?inf(?:inity)?|#n\/a|\.)?$/i.test(cell)
