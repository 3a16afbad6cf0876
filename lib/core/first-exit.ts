import type { Price } from './decimal.ts'
import type { PositionSide } from './margin.ts'

/** A price at which a position, or a part of it, ends. */
export type ExitLevel = {
  kind: 'liquidation' | 'stop_loss' | 'take_profit'
  price: Price
  /** Of a target: the price was beyond it already when its order was placed, so that it never rested. */
  isLate?: boolean
}

/** Prices of a stretch of time: its first, and its extremes. Those of an instant are all the same. */
export type PriceSpan = { open: number; high: number; low: number }

export const atOnePrice = (price: number): PriceSpan => ({ open: price, high: price, low: price })

/**
 * Which level is met, at which price before spread and slippage, and whether its order had rested (the maker's fee) or
 * takes.
 */
export type ExitHit<L extends ExitLevel> = {
  level: L
  reference: number | Price
  liquidity: 'maker' | 'taker'
  /** Met by the first price of the span; otherwise within it, nobody knows when. */
  isAtOpen: boolean
}

/**
 * The first level that a stretch of prices meets, or null. The paper venue, and with it every replay, and enforcement
 * decide by this function and nothing else:
 *
 * 1. What the first price lies at or beyond is met there and then: liquidation, else a stop, else a target.
 * 2. Within the stretch the losing side comes first, since the order of a low and a high is not known; of its levels the
 *    one nearest to the first price, because the price passes it on the way to the others; of two at one price the liquidation.
 * 3. Then the targets, the nearest first.
 *
 * Liquidation and stop take what the market gives: the level, or the first price where that lies beyond. A target that
 * rests fills at its own price, neither better nor worse, also where the first price lies beyond it. A target that
 * never rested takes the first price.
 */
export function firstExit<L extends ExitLevel>(
  side: PositionSide,
  levels: readonly L[],
  { open, high, low }: PriceSpan,
): ExitHit<L> | null {
  const direction = side === 'long' ? 1 : -1
  const [worst, best] = side === 'long' ? [low, high] : [high, low]
  const isMetBy = ({ kind, price }: L, reached: number): boolean =>
    (Number(price) - reached) * direction * (kind === 'take_profit' ? 1 : -1) <= 0
  const rankOf = ({ kind }: L): number => RANKS[kind]
  const atOpen = levels.filter((level) => isMetBy(level, open)).sort((a, b) => rankOf(a) - rankOf(b))[0]
  if (atOpen !== undefined) {
    const isMaker = atOpen.kind === 'take_profit' && atOpen.isLate !== true
    return {
      level: atOpen,
      reference: isMaker ? atOpen.price : open,
      liquidity: isMaker ? 'maker' : 'taker',
      isAtOpen: true,
    }
  }
  const distanceOf = ({ price }: L): number => Math.abs(Number(price) - open)
  const within = levels
    .filter((level) => isMetBy(level, level.kind === 'take_profit' ? best : worst))
    .sort(
      (a, b) =>
        Number(a.kind === 'take_profit') - Number(b.kind === 'take_profit') ||
        distanceOf(a) - distanceOf(b) ||
        rankOf(a) - rankOf(b),
    )[0]
  if (within === undefined) return null
  return {
    level: within,
    reference: within.price,
    liquidity: within.kind === 'take_profit' ? 'maker' : 'taker',
    isAtOpen: false,
  }
}

const RANKS: Readonly<Record<ExitLevel['kind'], number>> = { liquidation: 0, stop_loss: 1, take_profit: 2 }
