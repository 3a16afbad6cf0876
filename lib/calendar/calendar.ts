import { DAY_MS, type EpochMs, HOUR_MS, utcDay } from '../core/time.ts'
import type { CalendarId } from '../../schemas/calendar.ts'
import { chicagoOffset, fromChicago } from './chicago.ts'
import { SATURDAY, SUNDAY, weekdayOf, yearOf } from './days.ts'
import { type Group, type SpecialDay, specialDaysOf } from './holidays.ts'

/**
 * Hours in which a market trades without a break: [opens, closes). `day` is the trading day they belong to,
 * `2026-03-10`.
 */
export type Session = { readonly day: string; readonly opens: EpochMs; readonly closes: EpochMs }

/** A trading day from the opening of its session to the opening of the next one, whatever lies between. */
export type TradingDay = { readonly day: string; readonly begins: EpochMs; readonly ends: EpochMs }

/** The session of a trading day opens at 17:00 of the day before and closes at 16:00, in Chicago. */
export const OPENS_MS = 17 * HOUR_MS
const CLOSES_MS = 16 * HOUR_MS

const specials = new Map<string, ReadonlyMap<number, SpecialDay>>()

function specialDay(group: Group, day: number): SpecialDay | undefined {
  const year = yearOf(day)
  const key = `${group} ${year}`
  let days = specials.get(key)
  if (days === undefined) {
    days = specialDaysOf(group, year)
    specials.set(key, days)
  }
  return days.get(day)
}

/** The session of a trading day by its day number; null on weekends and holidays. */
function sessionOf(calendar: CalendarId, day: number): Session | null {
  if (calendar === 'always-open') return { day: utcDay(day * DAY_MS), opens: day * DAY_MS, closes: (day + 1) * DAY_MS }
  const weekday = weekdayOf(day)
  if (weekday === SUNDAY || weekday === SATURDAY) return null
  const special = specialDay(calendar, day)
  if (special === 'closed') return null
  return {
    day: utcDay(day * DAY_MS),
    opens: fromChicago(day - 1, OPENS_MS),
    closes: fromChicago(day, special ?? CLOSES_MS),
  }
}

/** The day number at which to begin looking for the session of an instant. */
const dayNear = (calendar: CalendarId, instant: EpochMs): number =>
  calendar === 'always-open'
    ? Math.floor(instant / DAY_MS)
    : Math.floor((instant + chicagoOffset(instant) + DAY_MS - OPENS_MS) / DAY_MS)

/** The longest that no session opens: a holiday beside a weekend, and some. */
const LONGEST_PAUSE_DAYS = 10

/**
 * The last session that has begun at the instant, and the first that has not. Remembered for the calendar: neighbouring
 * instants share them.
 */
type Neighbours = { readonly last: Session; readonly next: Session }
const latest = new Map<CalendarId, Neighbours>()

function neighboursOf(calendar: CalendarId, instant: EpochMs): Neighbours {
  const known = latest.get(calendar)
  if (known !== undefined && instant >= known.last.opens && instant < known.next.opens) return known
  const near = dayNear(calendar, instant)
  let last: Session | null = null
  for (let day = near; last === null && day >= near - LONGEST_PAUSE_DAYS; day -= 1) {
    const session = sessionOf(calendar, day)
    if (session !== null && session.opens <= instant) last = session
  }
  let next: Session | null = null
  for (let day = near; next === null && day <= near + LONGEST_PAUSE_DAYS; day += 1) {
    const session = sessionOf(calendar, day)
    if (session !== null && session.opens > instant) next = session
  }
  if (last === null || next === null) throw new RangeError(`no session of ${calendar} around ${instant}`)
  const found = { last, next }
  latest.set(calendar, found)
  return found
}

/**
 * The trading day of an instant. It changes when a session opens: what lies after a close belongs to the day that
 * closed.
 */
export function tradingDayAt(calendar: CalendarId, instant: EpochMs): TradingDay {
  const { last, next } = neighboursOf(calendar, instant)
  return { day: last.day, begins: last.opens, ends: next.opens }
}

/** The name of the trading day of an instant, `2026-03-10`. */
export const tradingDayOf = (calendar: CalendarId, instant: EpochMs): string =>
  calendar === 'always-open' ? utcDay(instant) : tradingDayAt(calendar, instant).day

/** The session that is under way; null while the market is closed. */
export function sessionAt(calendar: CalendarId, instant: EpochMs): Session | null {
  const { last } = neighboursOf(calendar, instant)
  return instant < last.closes ? last : null
}

/** Whether the market trades at an instant. */
export const isOpenAt = (calendar: CalendarId, instant: EpochMs): boolean =>
  calendar === 'always-open' || sessionAt(calendar, instant) !== null

/**
 * When the market closes next: the end of the session under way, or of the next one. Null where trading never stops.
 */
export function nextCloseAfter(calendar: CalendarId, instant: EpochMs): EpochMs | null {
  if (calendar === 'always-open') return null
  const { last, next } = neighboursOf(calendar, instant)
  return instant < last.closes ? last.closes : next.closes
}

/** When the next session opens, after the one under way. */
export const nextOpenAfter = (calendar: CalendarId, instant: EpochMs): EpochMs =>
  neighboursOf(calendar, instant).next.opens

/** The sessions that overlap [from, to), in order. */
export function* sessionsBetween(calendar: CalendarId, from: EpochMs, to: EpochMs): Generator<Session> {
  for (let day = dayNear(calendar, from); ; day += 1) {
    const session = sessionOf(calendar, day)
    if (session !== null && session.opens >= to) return
    if (session !== null && session.closes > from) yield session
    if (day * DAY_MS > to + 2 * DAY_MS) return
  }
}

/** Milliseconds of [from, to) in which the market trades. */
export function openMsBetween(calendar: CalendarId, from: EpochMs, to: EpochMs): number {
  if (to <= from) return 0
  if (calendar === 'always-open') return to - from
  let open = 0
  for (const { opens, closes } of sessionsBetween(calendar, from, to))
    open += Math.min(closes, to) - Math.max(opens, from)
  return open
}
