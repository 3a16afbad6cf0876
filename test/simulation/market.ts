import { ceilToStep, dec, floorToStep, price } from '../../lib/core/decimal.ts'
import { type EpochMs, floorTime, MINUTE_MS, type Timeframe, timeframeMs, toIso } from '../../lib/core/time.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { Candle } from '../../schemas/market.ts'

export const SYMBOL = 'ETP-20DEC30-CDE'
export const LEVEL = 2000

/** Bars of the past, quiet and complete, as many as are asked for: what matters here begins with the simulation. */
function quietBars(timeframe: Timeframe, asOf: EpochMs, limit: number): Candle[] {
  const step = timeframeMs(timeframe)
  const end = floorTime(asOf, step)
  return Array.from({ length: limit }, (_, index) => {
    const time = end - (limit - index) * step
    const up = (time / step) % 2 === 0 ? 5 : -5
    return { time, open: LEVEL - up, high: LEVEL + 10, low: LEVEL - 10, close: LEVEL + up, volume: 10 }
  })
}

const cache = new Map<string, Candle[]>()

/** A market whose one-minute bars and quotes are those of `minutes`, oldest first, and whose past is quiet. */
export function createSimMarket(minutes: readonly Candle[], priceAt: (instant: EpochMs) => number): MarketData {
  const first = minutes[0]?.time ?? 0
  return {
    name: 'simulated',
    baseTimeframe: '1m',
    span: null,
    async candles({ timeframe, asOf, limit }) {
      if (timeframe === '1m') {
        const end = Math.floor((asOf - first) / MINUTE_MS)
        return { candles: minutes.slice(Math.max(0, end - limit), Math.max(0, end)), issues: [] }
      }
      const key = `${timeframe} ${floorTime(asOf, timeframeMs(timeframe))} ${limit}`
      const known = cache.get(key) ?? quietBars(timeframe, asOf, limit)
      cache.set(key, known)
      return { candles: known, issues: [] }
    },
    async quote(_symbol, at) {
      const last = priceAt(at)
      const tick = dec('0.5')
      const text = price(floorToStep(dec(last), tick))
      return {
        at: toIso(at),
        bid: price(floorToStep(dec(last).minus('0.5'), tick)),
        ask: price(ceilToStep(dec(last).plus('0.5'), tick)),
        last: text,
        mark: text,
      }
    },
    fundingRates: async () => [],
    openInterest: async () => null,
  }
}
