import { toNumber } from '../core/decimal.ts'
import { type EpochMs, fromIso, MINUTE_MS } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Position } from '../../schemas/state.ts'
import type { ExitConfig } from '../../schemas/strategy-config.ts'
import type { ExitReason } from '../../schemas/trade.ts'

export type ExitQuestion = {
  position: Pick<Position, 'side' | 'bracket' | 'liquidationPrice' | 'openedAt'>
  /** Closed bars since the last pass, oldest first. */
  bars: readonly Candle[]
  mark: number
  now: EpochMs
  exits: ExitConfig
}

/**
 * Why an open position has to be closed now, or null. Liquidation distance first (the venue is about to act),
 * then stop, then target, then time. A stop counts as touched when any bar reached it, even if the price has
 * come back since: the venue should have closed and did not. Pure.
 */
export function findHardExit({ position, bars, mark, now, exits }: ExitQuestion): ExitReason | null {
  const isLong = position.side === 'long'
  const isBeyond = (price: number, level: number) => (isLong ? price <= level : price >= level)
  const isGained = (price: number, level: number) => (isLong ? price >= level : price <= level)
  if (position.liquidationPrice !== null) {
    const distance = Math.abs(mark - toNumber(position.liquidationPrice)) / mark
    if (isBeyond(mark, toNumber(position.liquidationPrice)) || distance < exits.liquidationDistance)
      return 'liquidation_distance'
  }
  if (position.bracket !== null) {
    const stop = toNumber(position.bracket.stopLossPrice)
    const target = toNumber(position.bracket.takeProfitPrice)
    if (isBeyond(mark, stop) || bars.some((bar) => isBeyond(isLong ? bar.low : bar.high, stop))) return 'stop_loss'
    if (isGained(mark, target) || bars.some((bar) => isGained(isLong ? bar.high : bar.low, target)))
      return 'take_profit'
  }
  const heldMinutes = (now - fromIso(position.openedAt)) / MINUTE_MS
  return exits.maxHoldingMinutes !== null && heldMinutes >= exits.maxHoldingMinutes ? 'time_limit' : null
}
