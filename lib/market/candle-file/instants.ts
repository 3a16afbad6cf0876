import { type EpochMs, LAST_INSTANT, MINUTE_MS, SECOND_MS, toIso } from '../../core/time.ts'
import type { LocalTimes } from '../../core/time-zone.ts'

/** Units of an epoch, told apart by magnitude: from 1973 to the year 5138 no two of them meet. */
export type EpochUnit = 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds'

/** Which of two numbers before the year is the day, where a date leaves it open. */
export type DateOrder = 'day-first' | 'month-first'

/** What a cell of a time column says: an instant, or the face of a clock whose zone the file does not name. */
export type Reading =
  | { readonly kind: 'instant'; readonly at: EpochMs; readonly how: EpochUnit | 'ISO' }
  | { readonly kind: 'local'; readonly at: number; readonly isSerial?: true }

const FIRST_SECONDS = 1e8
const FIRST_MS = 1e11
const FIRST_MICROS = 1e14
const FIRST_NANOS = 1e17
const LAST_NANOS = 1e20

/** An epoch of any unit as milliseconds, by its magnitude; null for a number that is none. */
export function epochOf(value: number): { at: EpochMs; how: EpochUnit } | null {
  if (!(value >= FIRST_SECONDS && value < LAST_NANOS)) return null
  if (value < FIRST_MS) return { at: Math.round(value * SECOND_MS), how: 'seconds' }
  if (value < FIRST_MICROS) return { at: Math.floor(value), how: 'milliseconds' }
  if (value < FIRST_NANOS) return { at: Math.floor(value / 1e3), how: 'microseconds' }
  return { at: Math.floor(value / 1e6), how: 'nanoseconds' }
}

/** What stands between a date and its time of day, and the time with its zone. */
const CLOCK = /^[T ,]*(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?(?:[ -]?([AaPp])\.?[Mm]\.?)?\s*(.*)$/
const ZONE = /^(?:(Z|UTC|GMT)?\s*(?:([+-])(\d{1,2})(?::?(\d{2}))?(?::?00)?)?)$/i
const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(.*)$/
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)(.*)$/
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,9}))?)?\s*(Z|UTC|GMT)?$/i
const DAY_NAMED = /^(?:[a-z]{3,9}\.?,? +)?(\d{1,2})[ -]([a-z]{3,9})\.?,?[ -](\d{4}|\d{2})(?!\d)(.*)$/i
const MONTH_NAMED = /^(?:[a-z]{3,9}\.?,? +)?([a-z]{3,9})\.? (\d{1,2}),? (\d{4})(.*)$/i
/** As JavaScript and C print it: Thu Dec 19 2024 09:00:00 GMT+0000 (...). */
const ZONE_NAME = /\([^()]*\)$/
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Numbers before a year of which neither is told to be the day: undecided until the file says. */
export const yearLastNumbers = (cell: string): { first: number; second: number; separator: string } | null => {
  const match = YEAR_LAST.exec(cell.trim())
  return match === null ? null : { first: Number(match[1]), second: Number(match[3]), separator: match[2] ?? '' }
}

/**
 * Reads one cell of a time column: an epoch of any unit, ISO 8601, the usual ways to write a date and a time, Excel's
 * serial days. `latest` decides between two readings of digits alone: 20240101170000 is a date, since as milliseconds
 * it lies in the year 2611. Null for what is no time.
 */
export function readInstant(cell: string, order: DateOrder, latest: EpochMs): Reading | null {
  const text = cell.trim()
  if (/^\d+$/.test(text)) return readDigits(text, latest)
  if (/^\d+\.\d*$/.test(text) || /^\d+(?:\.\d*)?[eE]\+?\d{1,2}$/.test(text)) return readFraction(text)
  if (text.length > 60) return null
  return (
    readParts(YEAR_FIRST.exec(text), ([, year, , month, day, rest]) => fieldsOf(year, month, day, rest)) ??
    readParts(YEAR_LAST.exec(text), ([, first, , second, year, rest]) =>
      order === 'day-first' ? fieldsOf(year, second, first, rest) : fieldsOf(year, first, second, rest),
    ) ??
    readCompact(text) ??
    readParts(DAY_NAMED.exec(text), ([, day, month, year, rest]) => fieldsOf(year, monthOf(month), day, rest)) ??
    readParts(MONTH_NAMED.exec(text), ([, month, day, year, rest]) => fieldsOf(year, monthOf(month), day, rest))
  )
}

function readDigits(text: string, latest: EpochMs): Reading | null {
  const value = Number(text)
  // Of nanoseconds the last digits are beyond a double; the milliseconds are cut off as text.
  const epoch =
    text.length >= 18 && text.length <= 20
      ? { at: Number(text.slice(0, -6)), how: 'nanoseconds' as const }
      : epochOf(value)
  const isDate = [8, 10, 12, 14].includes(text.length) && (epoch === null || epoch.at > latest || text.length === 12)
  const date = isDate ? readCompact(text) : null
  if (date !== null) return date
  return epoch === null ? null : { kind: 'instant', ...epoch }
}

/** Epochs with a fraction, as pandas writes them, and Excel's days since 1899. */
function readFraction(text: string): Reading | null {
  const value = Number(text)
  const mantissa = /^(\d+)(?:\.(\d*))?[eE]/.exec(text)
  // 1.73569E+12 is 1735690000000 rounded by a spreadsheet: its seconds are gone.
  if (mantissa !== null && (mantissa[1] ?? '').length + (mantissa[2] ?? '').length < Math.log10(value) - 4) return null
  const epoch = epochOf(value)
  if (epoch !== null) return { kind: 'instant', ...epoch }
  if (value < 25_569 || value > 80_000) return null
  return { kind: 'local', at: Math.round((value - 25_569) * 86_400) * SECOND_MS, isSerial: true }
}

type Fields = { date: number; rest: string }

function readParts(
  match: RegExpExecArray | null,
  toFields: (match: readonly string[]) => Fields | null,
): Reading | null {
  const fields = match === null ? null : toFields(match.map((part) => part ?? ''))
  return fields === null ? null : withClock(fields)
}

/** Midnight of a calendar day, or null where there is no such day. */
function fieldsOf(year = '', month = '', day = '', rest = ''): Fields | null {
  const whole = year.length === 2 ? Number(year) + (Number(year) < 70 ? 2000 : 1900) : Number(year)
  const date = Date.UTC(whole, Number(month) - 1, Number(day))
  const isDay =
    Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && new Date(date).getUTCDate() === Number(day)
  return isDay ? { date, rest } : null
}

function withClock({ date, rest }: Fields): Reading | null {
  const tail = rest.trimEnd().replace(ZONE_NAME, '').trimEnd()
  if (tail.trim() === '') return { kind: 'local', at: date }
  const zoneOnly = /^\s*(?:Z|UTC|GMT)$/i.test(tail)
  if (zoneOnly) return { kind: 'instant', at: date, how: 'ISO' }
  const match = CLOCK.exec(tail)
  if (match === null) return null
  const [, hours = '', minutes = '0', seconds = '0', fraction = '', half, zone = ''] = match
  const hour = half === undefined ? Number(hours) : (Number(hours) % 12) + (/p/i.test(half) ? 12 : 0)
  if (half !== undefined && (Number(hours) < 1 || Number(hours) > 12)) return null
  if (hour > 24 || Number(minutes) > 59 || Number(seconds) > 59) return null
  // 24:00 is the midnight that ends the day.
  if (hour === 24 && (Number(minutes) > 0 || Number(seconds) > 0)) return null
  const ofDay = hour * 3_600_000 + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS
  return withZone(date + ofDay + Number(fraction.padEnd(3, '0').slice(0, 3)), zone)
}

function withZone(local: number, zone: string): Reading | null {
  const text = zone.trim()
  if (text === '') return { kind: 'local', at: local }
  const match = ZONE.exec(text)
  if (match === null) return null
  const [, , sign, hours = '0', minutes = '0'] = match
  if (Number(hours) > 14 || Number(minutes) > 59) return null
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS * (sign === '-' ? -1 : 1)
  return { kind: 'instant', at: local - offset, how: 'ISO' }
}

function readCompact(text: string): Reading | null {
  const match = COMPACT.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  if (Number(year) < 1900 || Number(year) > 2200) return null
  const clock =
    hour === undefined
      ? ''
      : ` ${hour}:${minute ?? '00'}:${second ?? '00'}${fraction === undefined ? '' : `.${fraction}`}`
  return readParts([...match] as unknown as RegExpExecArray, () => fieldsOf(year, month, day, `${clock}${zone ?? ''}`))
}

const monthOf = (name = ''): string => String(MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1)

/**
 * A time of day alone, as a column of its own beside the date: 17:00, 17:00:00, 170000, 1700. Null for anything else.
 */
export function clockOf(cell: string): string | null {
  const text = cell.trim()
  if (/^\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$/.test(text))
    return text
  const digits = /^\d{1,6}$/.test(text)
    ? text.length <= 4
      ? `${text.padStart(4, '0')}00`
      : text.padStart(6, '0')
    : null
  if (digits === null) return null
  const [hour, minute, second] = [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6)]
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 ? `${hour}:${minute}:${second}` : null
}

/**
 * Faces of clocks as instants, one after the other: in the hour that autumn repeats, the one nearest to the row before
 * that is not the row before. Null in the hour that spring leaves out.
 */
export function createZoneReader(instantsAt: LocalTimes): (local: number) => EpochMs | null {
  let before: EpochMs | null = null
  return (local) => {
    const [at, other] = instantsAt(local).toSorted((a, b) => a - b)
    if (at === undefined) return null
    const past = before
    const isOther =
      other !== undefined &&
      past !== null &&
      other !== past &&
      (at === past || Math.abs(other - past) < Math.abs(at - past))
    before = isOther ? other : at
    return before
  }
}

/** An instant for a message, also one that no calendar would print. */
export const shownInstant = (at: EpochMs): string =>
  at >= 0 && at <= LAST_INSTANT ? toIso(Math.trunc(at)) : `${at} ms since 1970`
