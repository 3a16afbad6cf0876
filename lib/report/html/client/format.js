/** A narrow space that does not break. */
const THIN = '\u202f'
/** What stands for a value that does not exist. */
export const NONE = '–'

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map()

/**
 * A number with thousands apart, between `least` and `most` decimals, a real minus, and a plus where asked.
 *
 * @param {number} value
 * @param {{ least?: number, most?: number, plus?: boolean }} [options]
 */
export function number(value, { least = 0, most = 2, plus = false } = {}) {
  const key = `${least} ${most}`
  const format =
    formats.get(key) ?? new Intl.NumberFormat('en-US', { minimumFractionDigits: least, maximumFractionDigits: most })
  formats.set(key, format)
  const text = format.format(Math.abs(value))
  if (/^[0.,]*$/.test(text)) return text
  return `${value < 0 ? '−' : plus ? '+' : ''}${text}`
}

/**
 * Money to the cent.
 *
 * @param {string | number} amount
 * @param {boolean} [plus]
 */
export const money = (amount, plus = false) => number(Number(amount), { least: 2, most: 2, plus })

/**
 * A price with the decimals it has.
 *
 * @param {string | number} level
 */
export const price = (level) => number(Number(level), { most: 8 })

/**
 * A fraction as a percentage.
 *
 * @param {number} fraction
 * @param {{ places?: number, plus?: boolean }} [options]
 */
export const percent = (fraction, { places = 2, plus = false } = {}) =>
  `${number(fraction * 100, { least: places, most: places, plus })}${THIN}%`

/**
 * A ratio without a unit.
 *
 * @param {number} value
 * @param {number} [places]
 */
export const ratio = (value, places = 2) => number(value, { least: places, most: places })

/**
 * A multiple of the money at risk.
 *
 * @param {number} value
 */
export const multiple = (value) => `${number(value, { least: 2, most: 2, plus: true })}${THIN}R`

/**
 * A reading with as many digits as are worth looking at: five significant, more only before the point.
 *
 * @param {number} value
 */
export function reading(value) {
  const size = Math.abs(value)
  const decimals = size === 0 ? 0 : Math.min(8, Math.max(0, 4 - Math.floor(Math.log10(size))))
  return number(value, { most: Math.min(decimals, size >= 100 ? 2 : decimals) })
}

/**
 * `2026-11-02 09:30`, with seconds only where there are any. Always UTC.
 *
 * @param {string | number} instant ISO 8601, or epoch seconds
 */
export function utc(instant) {
  const text = typeof instant === 'string' ? instant : new Date(instant * 1000).toISOString()
  const seconds = text.slice(17, 19)
  return `${text.slice(0, 10)} ${text.slice(11, 16)}${seconds === '00' || seconds === '' ? '' : `:${seconds}`}`
}

/**
 * `2026-11-02`
 *
 * @param {string | number} instant
 */
export const day = (instant) => utc(instant).slice(0, 10)

/**
 * `2 d 3 h`, `5 h 10 min`, `12 min`.
 *
 * @param {number} minutes
 */
export function duration(minutes) {
  const whole = Math.round(minutes)
  const [days, hours, rest] = [Math.floor(whole / 1440), Math.floor((whole % 1440) / 60), whole % 60]
  const parts =
    days > 0
      ? [`${number(days)} d`, hours > 0 ? `${hours} h` : '']
      : [hours > 0 ? `${hours} h` : '', rest > 0 || hours === 0 ? `${rest} min` : '']
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .replaceAll(' ', '\u00a0')
}

/**
 * `stop_loss` as `stop loss`.
 *
 * @param {string} word
 */
export const plain = (word) => word.replaceAll('_', ' ')

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} [nouns]
 */
export const counted = (count, noun, nouns = `${noun}s`) => `${number(count)} ${count === 1 ? noun : nouns}`
