import { cost, dec, isAbove, minus, type Money, money, type Price, ratioOf, sum, ZERO_MONEY } from '../core/decimal.ts'
import { directionOf } from '../core/margin.ts'
import { rememberLast } from '../core/memo.ts'
import { tradingDayOf } from '../calendar/calendar.ts'
import { fromIso } from '../core/time.ts'
import type { CalendarId } from '../../schemas/calendar.ts'
import type { Accounting, Phase, Position } from '../../schemas/state.ts'

/** Books of a strategy that starts with `deposited` at `at`, a trading day of `calendar`. */
export function openBooks(deposited: Money, at: string, calendar: CalendarId): Accounting {
  return {
    cash: deposited,
    deposited,
    gross: ZERO_MONEY,
    fees: ZERO_MONEY,
    funding: ZERO_MONEY,
    adjustments: ZERO_MONEY,
    transferred: ZERO_MONEY,
    unexplained: ZERO_MONEY,
    equity: deposited,
    markPrice: null,
    markedAt: null,
    peakEquity: deposited,
    day: tradingDayOf(calendar, fromIso(at)),
    dayStartEquity: deposited,
    dayOpenEquity: null,
    lifetimePeakEquity: null,
    entriesToday: 0,
    consecutiveLosses: 0,
    lastTradeClosedAt: null,
    lastTradeLost: false,
    tradesClosed: 0,
  }
}

/** The position a phase holds, if any. */
export const positionOf = (phase: Phase): Position | null => (phase.kind === 'flat' ? null : phase.position)

/** Gain of what is held if it were closed at `mark`, before fees: direction x (mark x base - cost basis). */
export const unrealisedPnl = (position: Position | null, mark: Price | null): Money =>
  position === null || mark === null ? ZERO_MONEY : valueAt(position, mark)

const valueAt = rememberLast((position: Position, mark: Price): Money => {
  const value = dec(mark).times(position.quantity).times(position.multiplier)
  return money(value.minus(position.costBasis).times(directionOf(position.side)))
})

/** Equity at a mark price: cash plus unrealised PnL. */
export const equityAt = (accounting: Accounting, position: Position | null, mark: Price | null): Money =>
  sum(accounting.cash, unrealisedPnl(position, mark))

/**
 * Starts a new trading day of the calendar when `at` lies in one: the last equity of the day before becomes day-start
 * equity (so a gap between the two counts against the new day) and the day's counters begin again. Where trading never
 * stops that is the UTC day; at CME it begins at 17:00 in Chicago.
 */
export function rollDay(accounting: Accounting, at: string, calendar: CalendarId): Accounting {
  const day = tradingDayOf(calendar, fromIso(at))
  if (day <= accounting.day) return accounting
  return { ...accounting, day, dayStartEquity: accounting.equity, dayOpenEquity: null, entriesToday: 0 }
}

/**
 * Money that came in from outside is no gain: day start and peak rise with it, so that a deposit neither hides a
 * loss nor makes room for another. Money that went missing counts as lost until a person says otherwise.
 */
export function raiseBases(accounting: Accounting, amount: Money): Accounting {
  if (!isAbove(amount, ZERO_MONEY)) return accounting
  return {
    ...accounting,
    dayStartEquity: sum(accounting.dayStartEquity, amount),
    peakEquity: sum(accounting.peakEquity, amount),
    dayOpenEquity: accounting.dayOpenEquity === null ? null : sum(accounting.dayOpenEquity, amount),
    lifetimePeakEquity: accounting.lifetimePeakEquity === null ? null : sum(accounting.lifetimePeakEquity, amount),
  }
}

/**
 * Day start and peak as a deposit or withdrawal leaves them: in the same proportion to equity as before it, so that it
 * is no part of the day's return and of the drawdown. Rounded up, never in favour of a loss. Without equity to compare
 * with, a deposit raises them by its amount.
 */
export function scaleBases(accounting: Accounting, amount: Money): Accounting {
  const { equity } = accounting
  const after = sum(equity, amount)
  if (!isAbove(equity, ZERO_MONEY) || !isAbove(after, ZERO_MONEY)) return raiseBases(accounting, amount)
  const scaled = (base: Money): Money => cost(dec(base).times(after).div(equity))
  const { dayOpenEquity, lifetimePeakEquity } = accounting
  return {
    ...accounting,
    dayStartEquity: scaled(accounting.dayStartEquity),
    peakEquity: scaled(accounting.peakEquity),
    dayOpenEquity: dayOpenEquity === null ? null : scaled(dayOpenEquity),
    lifetimePeakEquity: lifetimePeakEquity === null ? null : scaled(lifetimePeakEquity),
  }
}

/**
 * Books as a person's resume leaves them: the losses that halted the strategy are accepted, and day start and peak
 * begin again at today's equity. What they were is kept for the ceilings of live trading, which no resume begins anew.
 */
export function beginAnew(accounting: Accounting): Accounting {
  const { equity, peakEquity, dayStartEquity, dayOpenEquity, lifetimePeakEquity } = accounting
  const isHighest = lifetimePeakEquity === null || isAbove(peakEquity, lifetimePeakEquity)
  return {
    ...accounting,
    peakEquity: equity,
    dayStartEquity: equity,
    dayOpenEquity: dayOpenEquity ?? dayStartEquity,
    lifetimePeakEquity: isHighest ? peakEquity : lifetimePeakEquity,
  }
}

/** Books with equity and peak reckoned again at the last mark, or at `mark` if it is newer. */
export function revalue(accounting: Accounting, position: Position | null, mark: Price | null, at: string): Accounting {
  const isNewer = mark !== null && (accounting.markedAt === null || fromIso(at) >= fromIso(accounting.markedAt))
  const markPrice = isNewer ? mark : accounting.markPrice
  const equity = equityAt(accounting, position, markPrice)
  const peakEquity = isAbove(equity, accounting.peakEquity) ? equity : accounting.peakEquity
  return { ...accounting, markPrice, markedAt: isNewer ? at : accounting.markedAt, equity, peakEquity }
}

/** Loss since the day began as a fraction of day-start equity; negative when the day is up. */
export const dailyLoss = ({ dayStartEquity, equity }: Accounting): number =>
  shareOf(minus(dayStartEquity, equity), dayStartEquity)

/** Fall from peak equity as a fraction of it. */
export const drawdown = ({ peakEquity, equity }: Accounting): number => shareOf(minus(peakEquity, equity), peakEquity)

/** A base that is spent counts as a total loss: limits must fire, not divide by zero. */
const shareOf = (part: Money, base: Money): number => (isAbove(base, ZERO_MONEY) ? ratioOf(part, base) : 1)
