import { InvariantError } from './invariant.ts'

/** Milliseconds since the Unix epoch, UTC. */
export type EpochMs = number

/** Reads the present instant. Real in composition roots, simulated everywhere else; read once a run. */
export type Clock = () => EpochMs

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Bar lengths this system knows, finest first. */
export const TIMEFRAMES = ['1m', '5m', '15m', '30m', '1h', '4h', '1d'] as const
export type Timeframe = (typeof TIMEFRAMES)[number]

const TIMEFRAME_MS: Record<Timeframe, number> = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '4h': 4 * HOUR_MS,
  '1d': DAY_MS,
}

/** Length of a timeframe in milliseconds. All of them divide a UTC day, so bars align to the epoch. */
export const timeframeMs = (timeframe: Timeframe): number => TIMEFRAME_MS[timeframe]

/** The largest multiple of `stepMs` that is not after `instant`. */
export const floorTime = (instant: EpochMs, stepMs: number): EpochMs => Math.floor(instant / stepMs) * stepMs

/**
 * The last instant that can be written: beyond it a year has more than four digits, and what is stored is not read
 * again.
 */
export const LAST_INSTANT: EpochMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Throws {@link InvariantError} for what cannot be written and read again: years before 1970 and after 9999. */
function requireInstant(instant: EpochMs): void {
  if (!(instant >= 0 && instant <= LAST_INSTANT))
    throw new InvariantError(`not an instant of the years 1970 to 9999: ${instant} ms since 1970`)
}

/**
 * ISO 8601 UTC with milliseconds dropped when they are zero: `2026-11-02T09:30:00Z`. Throws {@link InvariantError} for
 * years before 1970 and after 9999.
 */
export function toIso(instant: EpochMs): string {
  requireInstant(instant)
  const day = Math.floor(instant / DAY_MS)
  const ofDay = instant - day * DAY_MS
  // What is finer than a millisecond the platform drops.
  if (!Number.isInteger(ofDay)) return toIso(Math.trunc(instant))
  const seconds = Math.floor(ofDay / SECOND_MS)
  const text = `${dayText(day)}T${pair(Math.floor(seconds / 3_600))}:${pair(Math.floor(seconds / 60) % 60)}:${pair(seconds % 60)}`
  const rest = ofDay - seconds * SECOND_MS
  return rest === 0 ? `${text}Z` : `${text}.${String(rest).padStart(3, '0')}Z`
}

/**
 * Epoch milliseconds of an ISO 8601 instant: a date alone (its midnight UTC), or date and time with `Z` or an offset.
 * Throws on anything that is not one, a time of nobody's zone and 30 February among it, and on years before 1970 and
 * after 9999.
 */
export function fromIso(text: string): EpochMs {
  const instant = readOurs(text) ?? readAny(text)
  if (!(instant >= 0 && instant <= LAST_INSTANT))
    throw new InvariantError(`not an ISO 8601 instant of the years 1970 to 9999: ${JSON.stringify(text)}`)
  return instant
}

const [T, COLON, DOT, DASH, Z, ZERO] = [84, 58, 46, 45, 90, 48]

/**
 * An instant in the form in which {@link toIso} writes it, by arithmetic alone: a walk through history reads millions.
 * Null for anything else.
 */
function readOurs(text: string): EpochMs | null {
  const isWhole = text.length === 20
  if (!isWhole && (text.length !== 24 || text.charCodeAt(19) !== DOT)) return null
  const isOurs =
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    text.charCodeAt(isWhole ? 19 : 23) === Z
  const year = digits(text, 0) * 100 + digits(text, 2)
  const month = digits(text, 5)
  const day = digits(text, 8)
  const hours = digits(text, 11)
  const minutes = digits(text, 14)
  const seconds = digits(text, 17)
  const millis = isWhole ? 0 : digits(text, 20) * 10 + (digits(text, 21) % 10)
  // A 29 February is left to the platform.
  if (
    !isOurs ||
    !(
      year >= 0 &&
      month >= 1 &&
      month <= 12 &&
      day >= 1 &&
      day <= lengthOf(month) &&
      hours < 24 &&
      minutes < 60 &&
      seconds < 60 &&
      millis < SECOND_MS
    )
  )
    return null
  // The year taken to begin in March, so that a leap day is its last.
  const marchYear = month > 2 ? year : year - 1
  const era = Math.floor(marchYear / 400)
  const ofEra = marchYear - era * 400
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const days = era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - DAYS_TO_EPOCH
  return days * DAY_MS + (hours * 3_600 + minutes * 60 + seconds) * SECOND_MS + millis
}

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const lengthOf = (month: number): number => MONTH_LENGTHS[month - 1] ?? 0

/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_TO_EPOCH = 719_468

const readAny = (text: string): EpochMs => (INSTANT.test(text) && hasItsDay(text) ? Date.parse(text) : Number.NaN)

/** What the platform reads besides depends on it, and on the zone of the machine. */
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** Whether the month has the day: the platform takes 30 February for one in March. */
function hasItsDay(text: string): boolean {
  const date = /^\d+-\d\d-(\d\d)/.exec(text)
  return date !== null && (Number(date[1]) <= 28 || new Date(Date.parse(date[0])).getUTCDate() === Number(date[1]))
}

/** Days spelled out lately, and the last of them. A matter of speed only: they hold what any other way would give. */
const dayTexts = new Map<number, string>()
const DAYS_KEPT = 512
let latest = { day: 0, text: '1970-01-01' }

function dayText(day: number): string {
  if (day === latest.day) return latest.text
  const before = dayTexts.get(day)
  const text = before ?? spellDay(day)
  latest = { day, text }
  return text
}

function spellDay(day: number): string {
  const text = new Date(day * DAY_MS).toISOString().slice(0, -14)
  if (dayTexts.size >= DAYS_KEPT) dayTexts.clear()
  dayTexts.set(day, text)
  return text
}

const PAIRS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))
const pair = (value: number): string => PAIRS[value] ?? ''

/** Two decimal digits as a number; NaN for anything else. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** UTC calendar day, `2026-11-02`: the day that daily limits count in. */
export const utcDay = (instant: EpochMs): string => {
  requireInstant(instant)
  return dayText(Math.floor(instant / DAY_MS))
}
