import { createPrng } from '../../lib/core/prng.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'

/**
 * One-minute bars of a random walk in cents, with calm and wild weeks: about 60 % volatility a year, the usual range
 * within a bar. The same for the same seed.
 */
export function randomWalkBars(from: number, count: number, { seed = 1, level = 2_000 } = {}): Candle[] {
  const { uniform, normal } = createPrng('random-walk', seed)
  const bars: Candle[] = []
  let close = level
  for (let minute = 0; minute < count; minute++) {
    const wildness = 1 + 0.6 * Math.sin(minute / 3_700) + 0.3 * Math.sin(minute / 211)
    const deviation = close * 0.00083 * wildness
    const open = close
    close = cents(open + normal() * deviation)
    const high = cents(Math.max(open, close) + uniform() * deviation * 0.6)
    const low = cents(Math.min(open, close) - uniform() * deviation * 0.6)
    bars.push({ time: from + minute * MINUTE_MS, open, high, low, close, volume: Math.round(uniform() * 1e5) / 100 })
  }
  return bars
}

const cents = (value: number): number => Math.max(0.01, Math.round(value * 100) / 100)
