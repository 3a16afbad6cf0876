import { toNumber } from '../core/decimal.ts'
import { atOnePrice, firstExit } from '../core/first-exit.ts'
import { type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Bracket } from '../../schemas/order.ts'
import type { Position } from '../../schemas/state.ts'
import type { ExitConfig } from '../../schemas/strategy-config.ts'
import type { ExitReason } from '../../schemas/trade.ts'

export type ExitQuestion = {
  position: Pick<Position, 'side' | 'bracket' | 'liquidationPrice' | 'openedAt' | 'protection'>
  /** Closed bars since the last pass, oldest first. */
  bars: readonly Candle[]
  barMs: number
  mark: number
  now: EpochMs
  exits: ExitConfig
  /** From when on the position has to be closed because its contract ends; null for one without an end. */
  expiryDue: EpochMs | null
}

/**
 * A bar that has gone through a resting target has been closed for this long, and the venue tells of no fill: it did
 * not fill.
 */
const UNFILLED_MS = MINUTE_MS

/**
 * Why an open position has to be closed at market now, or null. Liquidation distance first (the venue is about to act),
 * then stop, then target, then the end of the contract, then time. A stop counts as touched when any bar reached it,
 * even if the price has come back since: the venue should have closed and did not. A target that rests at the venue is
 * the venue's to fill, at its limit: it is closed at market only while the price is beyond it, and only where it does
 * not rest or the market has gone through it without a fill. Which level a price meets is for {@link firstExit} to say.
 * Pure.
 */
export function findHardExit(question: ExitQuestion): ExitReason | null {
  const { position, bars, mark, now, exits } = question
  const { side, bracket, liquidationPrice, openedAt } = position
  const present = atOnePrice(mark)
  if (liquidationPrice !== null) {
    const distance = Math.abs(mark - toNumber(liquidationPrice)) / mark
    const isGone = firstExit(side, [{ kind: 'liquidation', price: liquidationPrice }], present) !== null
    if (isGone || distance < exits.liquidationDistance) return 'liquidation_distance'
  }
  if (bracket !== null) {
    const stop = [{ kind: 'stop_loss' as const, price: bracket.stopLossPrice }]
    if ([present, ...bars].some((span) => firstExit(side, stop, span) !== null)) return 'stop_loss'
    const target = [{ kind: 'take_profit' as const, price: bracket.takeProfitPrice }]
    if (firstExit(side, target, present) !== null && !isLeftToVenue(question, bracket)) return 'take_profit'
  }
  if (question.expiryDue !== null && now >= question.expiryDue) return 'expiry'
  const heldMinutes = (now - fromIso(openedAt)) / MINUTE_MS
  return exits.maxHoldingMinutes !== null && heldMinutes >= exits.maxHoldingMinutes ? 'time_limit' : null
}

/** Whether the target rests at the venue and nothing shows that the venue has failed to fill it. */
function isLeftToVenue(
  { position: { side, protection }, bars, barMs, now }: ExitQuestion,
  { takeProfitPrice }: Bracket,
): boolean {
  if (protection.status !== 'live' || protection.bracket.takeProfitPrice !== takeProfitPrice) return false
  const target = toNumber(takeProfitPrice)
  const restsSince = fromIso(protection.confirmedAt)
  const hasGoneThrough = bars.some(
    ({ time, high, low }) =>
      time >= restsSince && time + barMs + UNFILLED_MS <= now && (side === 'long' ? high > target : low < target),
  )
  return !hasGoneThrough
}
