import type { EpochMs } from '../core/time.ts'
import { instantIn, readZone } from './time-zones.ts'

/** What a feed's date means; `doubt` says how it was read where it could mean something else. */
export type FeedDate = { at: EpochMs; doubt: string | null }

const MAX_LENGTH = 100
const EARLIEST = Date.UTC(1990, 0)
const LATEST = Date.UTC(2100, 0)

/**
 * Reads the dates that feeds have: RFC 822 and ISO 8601, and what programs write instead of them (asctime,
 * JavaScript's, Unix's, "November 2, 2026 3:12 pm EST", seconds or milliseconds since 1970). This machine's time zone
 * plays no part. Null for what cannot be read, and for instants outside 1990 to 2100.
 */
export function readFeedDate(raw: string): FeedDate | null {
  const text = raw.trim()
  if (text === '' || text.length > MAX_LENGTH) return null
  const fields = readEpoch(text) ?? readIso(text) ?? readWords(text)
  if (fields === null) return null
  const zone = fields.hasTime
    ? readZone(fields.zone)
    : { offset: 0, doubt: 'dates without a time of day are read as 00:00 UTC' }
  if (zone === null) return null
  const at = instantIn(zone, fields.local)
  return at >= EARLIEST && at < LATEST ? { at, doubt: zone.doubt } : null
}

/** A local time as if it were UTC, and the text of the zone it is in. */
type Fields = { local: EpochMs; zone: string; hasTime: boolean }

function readEpoch(text: string): Fields | null {
  if (!/^\d{10}(?:\d{3})?$/.test(text)) return null
  return { local: Number(text) * (text.length === 10 ? 1_000 : 1), zone: 'UTC', hasTime: true }
}

const ISO =
  /^(?<year>\d{4})[-/]?(?<month>\d{2})[-/]?(?<day>\d{2})(?:[Tt ] ?(?<hour>\d{2}):?(?<minute>\d{2})(?::?(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?)?(?<zone>.*)$/

function readIso(text: string): Fields | null {
  const { year, month, day, hour, minute, second, fraction, zone } = ISO.exec(text)?.groups ?? {}
  if (year === undefined) return null
  // With only a day, what follows it would be a zone without a time, or no date at all.
  if (hour === undefined && zone?.trim() !== '') return null
  const local = localTime(Number(year), Number(month), Number(day), [hour, minute, second, fraction])
  return local === null ? null : { local, zone: withoutComment(zone ?? ''), hasTime: hour !== undefined }
}

/** First letters of the months in English and in the languages of Europe that feeds are written in. */
const MONTHS = [
  'jan ene gen',
  'feb fev fév',
  'mar mär mrt',
  'apr abr avr',
  'may mai mag mei maj',
  'jun giu juin',
  'jul lug juil',
  'aug ago aoû aou',
  'sep set',
  'oct okt out ott',
  'nov',
  'dec dez dic déc',
].map((names) => names.split(' '))
/** Words that say nothing: "2 de novembro", "at 3 pm". */
const FILLER = /^(?:de|del|of|at|um|uhr|à|a las)$/i
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([ap]\.?m\.?)?$/i

/** Day, month by name, year and time in any order; all words after the time but the year are the zone. */
function readWords(text: string): Fields | null {
  const words = withoutComment(text)
    .split(/[\s,]+/)
    .flatMap((word) => (/^\d{1,2}-[a-z]{3,9}-\d{2,4}$/i.test(word) ? word.split('-') : [word]))
  let [day, month, year]: (number | undefined)[] = []
  let clock: readonly (string | undefined)[] | undefined
  let half: string | undefined
  const zone: string[] = []
  for (const [place, word] of words.entries()) {
    const time = CLOCK.exec(word)
    if (time !== null && clock === undefined) {
      clock = time.slice(1, 5)
      half = time[5]
    } else if (/^[ap]\.?m\.?$/i.test(word) && clock !== undefined && half === undefined) half = word
    else if (/^\d{4}$/.test(word) && year === undefined) year = Number(word)
    else if (/^\d{1,2}(?:st|nd|rd|th)?\.?$/i.test(word) && day === undefined) day = Number.parseInt(word, 10)
    else if (/^\d{2}$/.test(word) && year === undefined) year = Number(word) + (Number(word) < 50 ? 2_000 : 1_900)
    else if (month === undefined && monthOf(word) !== null) month = monthOf(word) ?? 0
    else if (!FILLER.test(word) && !isWeekday(word, place)) zone.push(word)
  }
  if (day === undefined || month === undefined || year === undefined) return null
  if (clock === undefined && zone.length > 0) return null
  const local = localTime(year, month, day, [hourOf(clock?.[0], half), ...(clock ?? []).slice(1)])
  return local === null ? null : { local, zone: zone.join(' '), hasTime: clock !== undefined }
}

function monthOf(word: string): number | null {
  if (!/^\p{L}{3,10}\.?$/u.test(word)) return null
  const text = word.toLowerCase()
  const index = MONTHS.findIndex((names) => names.some((name) => text.startsWith(name)))
  return index === -1 ? null : index + 1
}

/** A first word that is no month names the day of the week, in whatever language. */
const isWeekday = (word: string, place: number): boolean =>
  (place === 0 && /^\p{L}{2,12}\.?$/u.test(word)) || /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?$/i.test(word)

/** The hour of a clock with 24 hours; undefined where the text's hour is none of a clock with twelve. */
function hourOf(hour: string | undefined, half: string | undefined): string | undefined {
  if (hour === undefined || half === undefined) return hour
  const number = Number(hour)
  if (number < 1 || number > 12) return '99'
  return String((number % 12) + (/^p/i.test(half) ? 12 : 0))
}

/** Null for a day or a time that no calendar has. A leap second is the second before it. */
function localTime(
  year: number,
  month: number,
  day: number,
  [hour = '0', minute = '0', second = '0', fraction = '0']: readonly (string | undefined)[],
): EpochMs | null {
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Math.min(Number(second), 59)]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || year < 1_000) return null
  if (hours > 24 || minutes > 59 || Number(second) > 60 || (hours === 24 && minutes + seconds > 0)) return null
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + Math.floor(Number(`0.${fraction}`) * 1_000)
}

/** Drops "(India Standard Time)" after an offset, which says the same again; alone it is the zone. */
function withoutComment(text: string): string {
  const open = text.indexOf('(')
  if (open === -1) return text.trim()
  const before = text.slice(0, open).trim()
  const close = text.indexOf(')', open)
  const comment = text.slice(open + 1, close === -1 ? text.length : close)
  return /(?:[+-]\d{1,2}:?\d{0,2}|[A-Z]{2,5}|Z)$/.test(before) && !/[AP]\.?M\.?$/i.test(before)
    ? before
    : `${before} ${comment}`
}
