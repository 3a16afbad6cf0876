import { dec, price } from '../../core/decimal.ts'
import type { MarketData } from '../../market/market-data.ts'
import type { Quote } from '../../../schemas/market.ts'

/**
 * A market whose quotes have a spread. Candle sources know one price; the paper venue trades around it: bid and
 * ask lie half of `spreadBps` to either side. A quote that has a spread of its own is left as it is.
 * Exact: rounded to money's places, the spread of a cheap asset would vanish.
 */
export function withSpread(market: MarketData, spreadBps: number): MarketData {
  return { ...market, quote: async (symbol, at) => widen(await market.quote(symbol, at), spreadBps) }
}

function widen(quote: Quote, spreadBps: number): Quote {
  if (dec(quote.ask).gt(quote.bid)) return quote
  const half = dec(spreadBps).div(20_000)
  const mid = dec(quote.bid)
  return { ...quote, bid: price(mid.times(dec(1).minus(half))), ask: price(mid.times(half.plus(1))) }
}
