import { price } from '../../lib/core/decimal.ts'
import { floorTime, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { type MarketData, MarketDataError } from '../../lib/market/market-data.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'

/** A market of one-minute bars given as they are, answering through the code that answers for files. */
export function createArrayMarket(symbol: string, bars: readonly Candle[], funding: readonly FundingRate[] = []): MarketData {
  const history = createCandleHistory(scanCandles([...bars], '1m', Number.POSITIVE_INFINITY), '1m')
  return {
    name: 'array',
    baseTimeframe: '1m',
    span: null,
    async candles(query) {
      if (query.symbol !== symbol) throw new MarketDataError(`no candles of ${query.symbol}`)
      return history.query(query.timeframe, query.asOf, query.limit)
    },
    async quote(_symbol, at) {
      const bar = history.barAt(floorTime(at, MINUTE_MS))
      if (bar === undefined) throw new MarketDataError(`no price at ${toIso(at)}`)
      const text = price(bar.open)
      return { at: toIso(at), bid: text, ask: text, last: text, mark: text }
    },
    async fundingRates(_symbol, from, to) {
      return funding.filter(({ time }) => time > from && time <= to)
    },
    openInterest: async () => null,
  }
}

/** Minutes around a level: a small saw-tooth, so that ranges and ATR are not zero. `shape` bends the level by minute index. */
export function minuteBars(from: number, count: number, level: number, shape: (minute: number) => number = () => 0): Candle[] {
  return Array.from({ length: count }, (_, minute) => {
    const open = level + shape(minute) + (minute % 2 === 0 ? 1 : -1)
    const close = level + shape(minute + 1) + (minute % 2 === 0 ? -1 : 1)
    return { time: from + minute * MINUTE_MS, open, high: Math.max(open, close) + 4, low: Math.min(open, close) - 4, close, volume: 10 }
  })
}
