import { type EpochMs, HOUR_MS, MINUTE_MS } from '../../../lib/core/time.ts'
import type { Candle } from '../../../schemas/market.ts'
import { pathOfMinutes, type PathBar, type PricePath } from '../../support/coinbase/prices.ts'
import { Chance } from '../chance.ts'

const LEVEL = 3_000
const AMPLITUDE = 10
const PERIOD_MS = 2 * HOUR_MS

const quietAt = (instant: EpochMs): number => LEVEL + AMPLITUDE * Math.sin((2 * Math.PI * instant) / PERIOD_MS)

function quietBar(from: EpochMs, lengthMs: number): PathBar {
  const ends = [quietAt(from), quietAt(from + lengthMs - 1)]
  const [open = LEVEL, close = LEVEL] = ends
  const isWhole = lengthMs >= PERIOD_MS
  return {
    open,
    close,
    high: isWhole ? LEVEL + AMPLITUDE : Math.max(...ends) + 1,
    low: isWhole ? LEVEL - AMPLITUDE : Math.min(...ends) - 1,
    volume: lengthMs / MINUTE_MS,
  }
}

/**
 * A quiet past, as long as any indicator asks for, then `minutes` of a random walk from `start`, which is midnight: no
 * bar lies in both.
 */
export function restlessPath(seed: number, start: EpochMs, minutes: number): PricePath {
  const chance = new Chance('killed prices', seed)
  let last = quietAt(start)
  const bars: Candle[] = Array.from({ length: minutes }, (_, index) => {
    const open = last
    // Drawn back to the level: a walk of days stays where its stops and targets mean something.
    last = open * (1 + chance.normal() * 0.0012) + (LEVEL - open) * 0.002
    const reach = (): number => Math.abs(chance.normal()) * 0.6
    return {
      time: start + index * MINUTE_MS,
      open,
      close: last,
      high: Math.max(open, last) + reach(),
      low: Math.min(open, last) - reach(),
      volume: 10,
    }
  })
  const walk = pathOfMinutes(bars)
  return {
    at: (instant) => (instant < start ? quietAt(instant) : walk.at(instant)),
    bar: (from, lengthMs) => (from < start ? quietBar(from, lengthMs) : walk.bar(from, lengthMs)),
  }
}
