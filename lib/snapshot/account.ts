import { tradingDayOf } from '../calendar/calendar.ts'
import { dec, isAbove, minus, type Price, price, ratioOf, ROUND_HALF_UP, ZERO_MONEY } from '../core/decimal.ts'
import { type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import type { CalendarId } from '../../schemas/calendar.ts'
import { equityAt, unrealisedPnl } from '../ledger/accounting.ts'
import { readingOf, toSignificant } from '../indicators/significant.ts'
import type { Snapshot } from '../../schemas/snapshot.ts'
import type { Accounting, Position } from '../../schemas/state.ts'

/** Significant digits of an average entry price, which need not be a tick. */
const ENTRY_PRICE_DIGITS = 12

/**
 * The books marked at `mark` as of an instant. When the books are still of an earlier UTC day, its last equity
 * is the new day's start and no entry has been made today. A spent base counts as a total loss.
 */
export function describeAccount(
  accounting: Accounting,
  position: Position | null,
  mark: Price,
  asOf: EpochMs,
  calendar: CalendarId,
): Snapshot['account'] {
  const equity = equityAt(accounting, position, mark)
  const isNewDay = tradingDayOf(calendar, asOf) > accounting.day
  const dayStart = isNewDay ? accounting.equity : accounting.dayStartEquity
  const peak = isAbove(equity, accounting.peakEquity) ? equity : accounting.peakEquity
  return {
    equity,
    cash: accounting.cash,
    dayReturn: isAbove(dayStart, ZERO_MONEY) ? toSignificant(ratioOf(minus(equity, dayStart), dayStart)) : -1,
    drawdown: isAbove(peak, ZERO_MONEY) ? toSignificant(ratioOf(minus(peak, equity), peak)) : 1,
    entriesToday: isNewDay ? 0 : accounting.entriesToday,
    consecutiveLosses: accounting.consecutiveLosses,
  }
}

/** The open position as of an instant, marked at `mark`. */
export function describePosition(position: Position, mark: Price, asOf: EpochMs): NonNullable<Snapshot['position']> {
  const pnl = unrealisedPnl(position, mark)
  const base = dec(position.quantity).times(position.multiplier)
  const risk = position.riskAtEntry
  return {
    side: position.side,
    quantity: position.quantity,
    entryPrice: price(dec(position.costBasis).div(base).prec(ENTRY_PRICE_DIGITS, ROUND_HALF_UP)),
    openedAt: position.openedAt,
    heldMinutes: Math.max(0, Math.floor((asOf - fromIso(position.openedAt)) / MINUTE_MS)),
    bracket: position.bracket,
    liquidationPrice: position.liquidationPrice,
    unrealisedPnl: pnl,
    unrealisedR: readingOf(risk === null || !isAbove(risk, ZERO_MONEY) ? null : ratioOf(pnl, risk)),
    thesis: position.thesis,
  }
}
