import { OPENS_MS, sessionsBetween } from '../calendar/calendar.ts'
import { fromChicago } from '../calendar/chicago.ts'
import { dayOf, FRIDAY, nthOf, WEDNESDAY } from '../calendar/days.ts'
import { isBusinessDay } from '../calendar/holidays.ts'
import { DAY_MS, type EpochMs, fromIso, HOUR_MS, MINUTE_MS } from '../core/time.ts'
import type { Instrument } from '../../schemas/instrument.ts'
import type { EndRule, FutureProduct } from './futures.ts'

/** The instants at which a contract ends. */
export type ContractEnd = { lastTrade: EpochMs; firstNotice: EpochMs | null; lastEntry: EpochMs }

/**
 * When trading ends on the last trading day, after midnight in Chicago. For crude, gas and gold it is the time of the
 * settlement.
 */
const TIME_OF_END: Readonly<Record<EndRule, number>> = {
  'third-friday': 8 * HOUR_MS + 30 * MINUTE_MS,
  crude: 13 * HOUR_MS + 30 * MINUTE_MS,
  'natural-gas': 13 * HOUR_MS + 30 * MINUTE_MS,
  gold: 12 * HOUR_MS + 30 * MINUTE_MS,
  currency: 9 * HOUR_MS + 16 * MINUTE_MS,
}

/** The day so many business days before a day, which need not be one itself. */
function businessDaysBefore(day: number, count: number): number {
  let found = day
  for (let left = count; left > 0;) {
    found -= 1
    if (isBusinessDay(found)) left -= 1
  }
  return found
}

/** The day number of the last trading day by the exchange's rule for the contract of a year and month. */
function lastTradingDay(rule: EndRule, year: number, month: number): number {
  switch (rule) {
    case 'third-friday': {
      const friday = nthOf(year, month, FRIDAY, 3)
      return isBusinessDay(friday) ? friday : businessDaysBefore(friday, 1)
    }
    case 'crude': {
      const day = dayOf(year, month - 1, 25)
      return businessDaysBefore(day, isBusinessDay(day) ? 3 : 4)
    }
    case 'natural-gas':
      return businessDaysBefore(dayOf(year, month, 1), 3)
    case 'gold':
      return businessDaysBefore(dayOf(year, month + 1, 1), 3)
    case 'currency':
      return businessDaysBefore(nthOf(year, month, WEDNESDAY, 3), 2)
    default:
      return rule satisfies never
  }
}

/**
 * When the contract of a month ends: last trade and first notice by the exchange's rules, and the last entry so many
 * business days before the earlier of the two, at the beginning of that trading day. Of the products here gold alone
 * has a notice before the end of trading.
 */
export function contractEndOf(product: FutureProduct, year: number, month: number): ContractEnd {
  const { endRule, endsEarlier, lastEntryDays } = product
  const lastDay = businessDaysBefore(lastTradingDay(endRule, year, month), endsEarlier)
  const noticeDay = endRule === 'gold' ? businessDaysBefore(dayOf(year, month, 1), 1) : null
  const lastEntryDay = businessDaysBefore(Math.min(lastDay, noticeDay ?? lastDay), lastEntryDays)
  return {
    lastTrade: fromChicago(lastDay, TIME_OF_END[endRule]),
    firstNotice: noticeDay === null ? null : fromChicago(noticeDay - 1, OPENS_MS),
    lastEntry: fromChicago(lastEntryDay - 1, OPENS_MS),
  }
}

/** An open position is closed so long before the last session that ends ahead of notice and end of trading. */
const CLOSE_AHEAD_MS = 2 * HOUR_MS
const LOOK_BACK_MS = 12 * DAY_MS

const dues = new WeakMap<Instrument, EpochMs | null>()

/**
 * From when on an open position has to be closed, so that nothing is held into first notice or the last trading day:
 * two hours before the close of the last session that ends ahead of both. Null for a contract without an end.
 */
export function expiryExitDue(instrument: Instrument): EpochMs | null {
  if (instrument.kind === 'perp') return null
  const known = dues.get(instrument)
  if (known !== undefined) return known
  const { calendar, lastTrade, firstNotice } = instrument
  const end = Math.min(fromIso(lastTrade), firstNotice === null ? Number.POSITIVE_INFINITY : fromIso(firstNotice))
  const last = [...sessionsBetween(calendar, end - LOOK_BACK_MS, end)].findLast(({ closes }) => closes <= end)
  const due = (last?.closes ?? end) - CLOSE_AHEAD_MS
  dues.set(instrument, due)
  return due
}
