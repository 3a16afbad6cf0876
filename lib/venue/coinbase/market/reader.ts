import type { Exchange } from 'ccxt'
import type { z } from 'zod'
import { type EpochMs, SECOND_MS, TIMEFRAMES, timeframeMs } from '../../../core/time.ts'
import { coinbaseTradingState } from './session.ts'
import {
  COINBASE_GRANULARITY,
  COINBASE_PAGE,
  CoinbaseBook,
  CoinbaseCandles,
  CoinbaseProduct,
  CoinbaseTicker,
} from './wire.ts'
import { callExchange, UnreadableAnswerError } from '../../../market/exchange-call.ts'
import type { ExchangeReader } from '../../../market/exchange-reader.ts'
import type { RawCandle } from '../../../market/inspect-candles.ts'
import { MarketDataError } from '../../../market/market-data.ts'

type PublicCall = (params: Readonly<Record<string, unknown>>) => Promise<unknown>
type Endpoint = keyof typeof ENDPOINTS

/** ccxt's implicit methods: it signs nothing here, throttles, sends and decodes; the reading is ours. */
const ENDPOINTS = {
  candles: 'v3PublicGetBrokerageMarketProductsProductIdCandles',
  ticker: 'v3PublicGetBrokerageMarketProductsProductIdTicker',
  book: 'v3PublicGetBrokerageMarketProductBook',
  product: 'v3PublicGetBrokerageMarketProductsProductId',
} as const

/** Answers kept: one instant's questions about two markets, with room. */
const ANSWERS_KEPT = 8

/** Coinbase Advanced Trade, `GET /api/v3/brokerage/market/...`. Symbols are product ids such as ETP-20DEC30-CDE. */
export function createCoinbaseReader(exchange: Exchange, timeoutMs: number): ExchangeReader {
  const methods = exchange as unknown as Readonly<Record<string, PublicCall>>
  const get = <T>(
    endpoint: Endpoint,
    schema: z.ZodType<T>,
    symbol: string,
    params: Readonly<Record<string, unknown>>,
  ): Promise<T> => {
    const what = `coinbase ${endpoint} of ${symbol}`
    return callExchange(what, timeoutMs, async () => {
      const call = methods[ENDPOINTS[endpoint]]
      if (call === undefined) throw new MarketDataError(`${what}: this ccxt has no ${ENDPOINTS[endpoint]}`)
      const answer = schema.safeParse(await call.call(exchange, params))
      if (!answer.success)
        throw new UnreadableAnswerError(
          `unreadable answer: ${answer.error.issues
            .slice(0, 3)
            .map((issue) => `${issue.path.join('.')} ${issue.message}`)
            .join('; ')}`,
        )
      return answer.data
    })
  }

  const productAsOf = keepAnswers((symbol) => get('product', CoinbaseProduct, symbol, { product_id: symbol }))
  const tickerAsOf = keepAnswers((symbol) => get('ticker', CoinbaseTicker, symbol, { product_id: symbol, limit: 1 }))

  return {
    timeframes: TIMEFRAMES.filter((timeframe) => COINBASE_GRANULARITY[timeframe] !== undefined),
    async candles(symbol, timeframe, from, until) {
      const stepMs = timeframeMs(timeframe)
      const pages: RawCandle[][] = []
      for (let end = until; end > from; end -= COINBASE_PAGE * stepMs) {
        const start = Math.max(from, end - COINBASE_PAGE * stepMs)
        const { candles } = await get('candles', CoinbaseCandles, symbol, {
          product_id: symbol,
          granularity: COINBASE_GRANULARITY[timeframe],
          start: start / SECOND_MS,
          // Both ends are inclusive: the last bar wanted opens one step before `end`.
          end: (end - stepMs) / SECOND_MS,
        })
        // What lies beyond a page belongs to its neighbour; beyond the newest, it is a forming bar to be named.
        pages.unshift(candles.filter((bar) => !(bar.time < start) && (end === until || bar.time < end)).toReversed())
      }
      return pages.flat()
    },
    async prices(symbol, at) {
      const ticker = await tickerAsOf(symbol, at)
      const last = ticker.trades?.[0]?.price ?? (await productAsOf(symbol, at)).price
      if (ticker.best_bid !== null && ticker.best_ask !== null)
        return { bid: ticker.best_bid, ask: ticker.best_ask, last, mark: null }
      const { pricebook } = await get('book', CoinbaseBook, symbol, { product_id: symbol, limit: 1 })
      return { bid: pricebook.bids[0]?.price ?? null, ask: pricebook.asks[0]?.price ?? null, last, mark: null }
    },
    async fundingRates(symbol, _from, to) {
      const details = (await productAsOf(symbol, to)).future_product_details
      if (details === null || details === undefined || details.funding_rate === null || details.funding_time === null)
        return []
      return [{ time: details.funding_time, rate: details.funding_rate }]
    },
    async trading(symbol, at) {
      const [product, ticker] = await Promise.all([productAsOf(symbol, at), tickerAsOf(symbol, at)])
      return { ...coinbaseTradingState(product, at), lastTradeAt: ticker.trades?.[0]?.time ?? null }
    },
    async openInterest(symbol, at) {
      return (await productAsOf(symbol, at)).future_product_details?.open_interest ?? null
    },
  }
}

/** One request for all that is asked about a product as of one instant. An answer that failed is not kept. */
function keepAnswers<T>(ask: (symbol: string) => Promise<T>): (symbol: string, at: EpochMs) => Promise<T> {
  const answers = new Map<string, Promise<T>>()
  return (symbol, at) => {
    const key = `${symbol} ${at}`
    const kept = answers.get(key)
    if (kept !== undefined) return kept
    const asked = ask(symbol)
    asked.catch(() => answers.delete(key))
    answers.set(key, asked)
    const oldest = answers.keys().next()
    if (answers.size > ANSWERS_KEPT && oldest.done !== true) answers.delete(oldest.value)
    return asked
  }
}
