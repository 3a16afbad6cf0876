import { canonical, dec, type Decimal, type Price, price, ROUND_HALF_UP, toNumber } from '../core/decimal.ts'
import { type EpochMs, fromIso, MINUTE_MS, utcDay } from '../core/time.ts'
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
export function describeAccount(accounting: Accounting, position: Position | null, mark: Price, asOf: EpochMs): Snapshot['account'] {
  const equity = equityAt(accounting, position, mark)
  const isNewDay = utcDay(asOf) > accounting.day
  const dayStart = dec(isNewDay ? accounting.equity : accounting.dayStartEquity)
  const peak = dec(equity).gt(accounting.peakEquity) ? dec(equity) : dec(accounting.peakEquity)
  return {
    equity,
    cash: accounting.cash,
    dayReturn: dayStart.lte(0) ? -1 : fraction(dec(equity).minus(dayStart), dayStart),
    drawdown: peak.lte(0) ? 1 : fraction(peak.minus(equity), peak),
    entriesToday: isNewDay ? 0 : accounting.entriesToday,
    consecutiveLosses: accounting.consecutiveLosses,
  }
}

/** The open position as of an instant, marked at `mark`. */
export function describePosition(position: Position, mark: Price, asOf: EpochMs): NonNullable<Snapshot['position']> {
  const pnl = unrealisedPnl(position, mark)
  const base = dec(position.quantity).times(position.contractSize)
  const risk = position.riskAtEntry === null ? null : dec(position.riskAtEntry)
  return {
    side: position.side,
    quantity: position.quantity,
    entryPrice: price(dec(position.costBasis).div(base).prec(ENTRY_PRICE_DIGITS, ROUND_HALF_UP)),
    openedAt: position.openedAt,
    heldMinutes: Math.max(0, Math.floor((asOf - fromIso(position.openedAt)) / MINUTE_MS)),
    bracket: position.bracket,
    liquidationPrice: position.liquidationPrice,
    unrealisedPnl: pnl,
    unrealisedR: readingOf(risk === null || risk.lte(0) ? null : fraction(dec(pnl), risk)),
    thesis: position.thesis,
  }
}

const fraction = (part: Decimal, whole: Decimal): number => toSignificant(toNumber(canonical(part.div(whole))))
