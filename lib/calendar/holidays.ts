import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/time.ts'
import type { CalendarId } from '../../schemas/calendar.ts'
import { dayOf, FRIDAY, MONDAY, nthOf, SATURDAY, SUNDAY, THURSDAY, weekdayOf, yearOf } from './days.ts'

/** The product groups of CME Group, which keep one week and different holidays. */
export type Group = Exclude<CalendarId, 'always-open'>

/** How a day differs from others: no session, or an end earlier than 16:00 (milliseconds after midnight in Chicago). */
export type SpecialDay = 'closed' | number

const at = (hours: number, minutes = 0): number => hours * HOUR_MS + minutes * MINUTE_MS

/** A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after. */
function observed(day: number): number {
  const weekday = weekdayOf(day)
  return weekday === SATURDAY ? day - 1 : weekday === SUNDAY ? day + 1 : day
}

/** Easter Sunday of the Gregorian calendar (anonymous algorithm, Nature 1876). */
function easterOf(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const e = b % 4
  const g = Math.floor((8 * b + 13) / 25)
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30
  const i = Math.floor(c / 4)
  const l = (32 + 2 * e + 2 * i - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const month = Math.floor((h + l - 7 * m + 114) / 31)
  return dayOf(year, month, ((h + l - 7 * m + 114) % 31) + 1)
}

const goodFridayOf = (year: number): number => easterOf(year) - 2

/** Days on which the United States rest and futures trade for some hours. */
function halfHolidays(year: number): number[] {
  return [
    nthOf(year, 1, MONDAY, 3),
    nthOf(year, 2, MONDAY, 3),
    nthOf(year, 5, MONDAY, -1),
    ...(year >= 2022 ? [observed(dayOf(year, 6, 19))] : []),
    observed(dayOf(year, 7, 4)),
    nthOf(year, 9, MONDAY, 1),
    nthOf(year, 11, THURSDAY, 4),
  ]
}

/**
 * Days on which nothing trades. A New Year's Day on a Saturday is not kept on the Friday: that is the last day of the
 * year's books.
 */
function fullHolidays(year: number): number[] {
  const newYear = dayOf(year, 1, 1)
  return [observed(dayOf(year, 12, 25)), ...(weekdayOf(newYear) === SATURDAY ? [] : [observed(newYear)])]
}

/** When a group's session ends on such a day; null where it does not end early. */
function halfHolidayEnd(group: Group, year: number, day: number): SpecialDay | null {
  const isFriday = weekdayOf(day) === FRIDAY
  // One of two published calendars says noon, the other 13:30, and bars of crude were seen until 13:30: the earlier end
  // counts.
  const isLaborDay = day === nthOf(year, 9, MONDAY, 1)
  switch (group) {
    case 'cme-equity':
      return at(12)
    case 'cme-energy':
      return year < 2022 || isFriday || isLaborDay ? at(12) : at(13, 30)
    case 'cme-metals':
      // Two published calendars disagree before 2024, one has no session: the earlier end counts.
      return year < 2024 ? 'closed' : isFriday || isLaborDay ? at(12) : at(13, 30)
    case 'cme-fx':
      return year < 2022 || isFriday ? at(12) : null
    default:
      return group satisfies never
  }
}

/** The days before Christmas and after Thanksgiving. */
const EVE_END: Readonly<Record<Group, number>> = {
  'cme-equity': at(12, 15),
  'cme-energy': at(12, 45),
  'cme-metals': at(12, 45),
  'cme-fx': at(12, 15),
}

/** Days of mourning on which the stock market was closed. */
const MOURNING = [dayOf(2018, 12, 5), dayOf(2025, 1, 9)]

/**
 * Every day of a year on which a group of CME Group has no session or a shorter one, by day number. By rule, from 2010
 * on; where published calendars disagree the earlier end counts, where bars were seen they do. What no rule foresees,
 * such as the halt of 2025-11-28, is not in it.
 */
export function specialDaysOf(group: Group, year: number): ReadonlyMap<number, SpecialDay> {
  const days = new Map<number, SpecialDay>()
  for (const day of halfHolidays(year)) {
    const end = halfHolidayEnd(group, year, day)
    if (end !== null) days.set(day, end)
  }
  days.set(nthOf(year, 11, THURSDAY, 4) + 1, EVE_END[group])
  const eve = dayOf(year, 12, 24)
  if (weekdayOf(eve) >= MONDAY && weekdayOf(eve) < FRIDAY) days.set(eve, EVE_END[group])
  for (const day of fullHolidays(year)) days.set(day, 'closed')
  days.set(goodFridayOf(year), goodFridayEnd(group, goodFridayOf(year)))
  if (group === 'cme-equity') {
    const july3 = dayOf(year, 7, 3)
    if (weekdayOf(july3) >= MONDAY && weekdayOf(july3) < FRIDAY) days.set(july3, at(12, 15))
    for (const day of MOURNING) if (yearOf(day) === year) days.set(day, at(8, 30))
  }
  return days
}

/** Where the jobs report falls on it, the first Friday of a month, equities and currencies trade through the report. */
function goodFridayEnd(group: Group, day: number): SpecialDay {
  const hasReport = new Date(day * DAY_MS).getUTCDate() <= 7
  if (!hasReport) return 'closed'
  return group === 'cme-equity' ? at(8, 15) : group === 'cme-fx' ? at(10, 15) : 'closed'
}

/** Days on which the exchange settles nothing, by day number: those by which the end of a contract is counted. */
const restDaysOf = (year: number): ReadonlySet<number> =>
  new Set([...halfHolidays(year), ...fullHolidays(year), goodFridayOf(year)])

const restDays = new Map<number, ReadonlySet<number>>()

/**
 * Whether a day (day number) is a business day of the exchange: no weekend and no holiday, be it one with some hours of
 * trading.
 */
export function isBusinessDay(day: number): boolean {
  const weekday = weekdayOf(day)
  if (weekday === SUNDAY || weekday === SATURDAY) return false
  const year = yearOf(day)
  let days = restDays.get(year)
  if (days === undefined) {
    days = restDaysOf(year)
    restDays.set(year, days)
  }
  return !days.has(day)
}
