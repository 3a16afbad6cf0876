import { dec, type Decimal, price } from '../../core/decimal.ts'
import type { MarketData } from '../../market/market-data.ts'
import type { Quote } from '../../../schemas/market.ts'

/**
 * A market whose quotes have a spread. Candle sources know one price; the paper venue trades around it: bid and
 * ask lie half of `spreadBps` to either side. A quote that has a spread of its own is left as it is.
 * Exact: rounded to money's places, the spread of a cheap asset would vanish.
 */
export function withSpread<T extends MarketData>(
  market: T,
  spreadBps: number,
): Omit<T, 'quote'> & Pick<MarketData, 'quote'> {
  const half = dec(spreadBps).div(20_000)
  const below = dec(1).minus(half)
  const above = half.plus(1)
  // A market that answers twice with one quote is answered for twice with one.
  let last: { quote: Quote; widened: Quote } | null = null
  return {
    ...market,
    async quote(symbol, at) {
      const quote = await market.quote(symbol, at)
      if (last?.quote !== quote) last = { quote, widened: widen(quote, below, above) }
      return last.widened
    },
  }
}

function widen(quote: Quote, below: Decimal, above: Decimal): Quote {
  if (dec(quote.ask).gt(quote.bid)) return quote
  const mid = dec(quote.bid)
  return { ...quote, bid: price(mid.times(below)), ask: price(mid.times(above)) }
}
