import { DAY_MS } from '../core/time.ts'

/** Days of the week, by {@link weekdayOf}. */
export const [SUNDAY, MONDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY] = [0, 1, 3, 4, 5, 6] as const

/** The day number (days since 1970-01-01) of a date; months and dates beyond their range lead into those beside. */
export const dayOf = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date) / DAY_MS

/** The year of a day number. */
export const yearOf = (day: number): number => new Date(day * DAY_MS).getUTCFullYear()

/** The weekday of a day number: 0 is Sunday. 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (day + 4) % 7

/** The day number of the nth of a weekday in a month, counted from the first; the last one for -1. */
export function nthOf(year: number, month: number, weekday: number, nth: number): number {
  if (nth === -1) {
    const last = dayOf(year, month + 1, 0)
    return last - ((weekdayOf(last) - weekday + 7) % 7)
  }
  const first = dayOf(year, month, 1)
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7
}
