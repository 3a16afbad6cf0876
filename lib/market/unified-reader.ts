import type { Exchange } from 'ccxt'
import { z } from 'zod'
import { type EpochMs, TIMEFRAMES, timeframeMs } from '../core/time.ts'
import { callExchange, UnreadableAnswerError } from './exchange-call.ts'
import type { ExchangeReader } from './exchange-reader.ts'
import type { RawCandle } from './inspect-candles.ts'
import { MarketDataError } from './market-data.ts'
import { createTradingReader } from './unified-trading.ts'

const amount = z.number().nullish()
/** [time, open, high, low, close, volume] */
const Ohlcv = z.array(z.array(amount).min(6))
const Ticker = z.looseObject({ bid: amount, ask: amount, last: amount, markPrice: amount })
const Book = z.looseObject({ bids: z.array(z.array(amount)), asks: z.array(z.array(amount)) })
const FundingHistory = z.array(z.looseObject({ timestamp: z.number(), fundingRate: z.number() }))
const OpenInterest = z.looseObject({ openInterestAmount: amount })

/** Bars asked for at once: what nearly every exchange gives; one that gives fewer is asked again. */
const PAGE = 300
const FUNDING_PAGE = 100
const MAX_FUNDING_PAGES = 50

/**
 * Any other exchange through ccxt's unified methods, each only if the exchange has it. Symbols are ccxt's, such as
 * ETH/USDT:USDT.
 */
export function createUnifiedReader(exchange: Exchange, timeoutMs: number): ExchangeReader {
  const ask = <T>(method: string, symbol: string, schema: z.ZodType<T>, send: () => Promise<unknown>): Promise<T> =>
    callExchange(`${exchange.id} ${method} of ${symbol}`, timeoutMs, async () => {
      const answer = schema.safeParse(await send())
      if (!answer.success)
        throw new UnreadableAnswerError(
          `unreadable answer: ${answer.error.issues
            .slice(0, 3)
            .map((issue) => `${issue.path.join('.')} ${issue.message}`)
            .join('; ')}`,
        )
      return answer.data
    })
  const has = (method: string): boolean => exchange.has[method] === true || exchange.has[method] === 'emulated'
  const demand = (method: string): void => {
    if (!has(method))
      throw new MarketDataError(`${exchange.id} has no ${method} in ccxt; choose another market.exchange`)
  }
  const offered: Readonly<Record<string, unknown>> = exchange.timeframes ?? {}

  return {
    timeframes: TIMEFRAMES.filter((timeframe) => Object.hasOwn(offered, timeframe)),
    async candles(symbol, timeframe, from, until) {
      demand('fetchOHLCV')
      const stepMs = timeframeMs(timeframe)
      const rows: RawCandle[] = []
      let since = from
      // Each turn moves on by at least one bar, and by a page where the exchange answers in full.
      while (since < until) {
        const limit = Math.min(PAGE, (until - since) / stepMs)
        const start = since
        const page = (
          await ask('fetchOHLCV', symbol, Ohlcv, () => exchange.fetchOHLCV(symbol, timeframe, start, limit))
        ).map(candleOf)
        // Some exchanges answer with their newest bars whatever is asked; only what advances is taken.
        const fresh = page.filter((row) => !(row.time < start))
        rows.push(...fresh)
        const newest = latestOf(fresh)
        since = newest === undefined || fresh.length === 0 ? start + PAGE * stepMs : newest + stepMs
      }
      return rows
    },
    async prices(symbol) {
      demand('fetchTicker')
      const ticker = await ask('fetchTicker', symbol, Ticker, () => exchange.fetchTicker(symbol))
      const last = ticker.last ?? null
      const mark = ticker.markPrice ?? null
      if (typeof ticker.bid === 'number' && typeof ticker.ask === 'number')
        return { bid: ticker.bid, ask: ticker.ask, last, mark }
      demand('fetchOrderBook')
      const book = await ask('fetchOrderBook', symbol, Book, () => exchange.fetchOrderBook(symbol, 5))
      return { bid: book.bids[0]?.[0] ?? null, ask: book.asks[0]?.[0] ?? null, last, mark }
    },
    async fundingRates(symbol, from, to) {
      if (!has('fetchFundingRateHistory')) return []
      const rates = new Map<EpochMs, number>()
      let since = from + 1
      for (let page = 0; page < MAX_FUNDING_PAGES && since <= to; page += 1) {
        const start = since
        const answer = await ask('fetchFundingRateHistory', symbol, FundingHistory, () =>
          exchange.fetchFundingRateHistory(symbol, start, FUNDING_PAGE),
        )
        for (const { timestamp, fundingRate } of answer) rates.set(timestamp, fundingRate)
        const newest = latestOf(answer.map(({ timestamp }) => ({ time: timestamp })))
        if (newest === undefined || newest < start) break
        since = newest + 1
      }
      return [...rates].map(([time, rate]) => ({ time, rate }))
    },
    trading: createTradingReader(exchange, timeoutMs),
    async openInterest(symbol) {
      if (!has('fetchOpenInterest')) return null
      return (
        (await ask('fetchOpenInterest', symbol, OpenInterest, () => exchange.fetchOpenInterest(symbol)))
          .openInterestAmount ?? null
      )
    },
  }
}

function candleOf(row: readonly (number | null | undefined)[]): RawCandle {
  const [time, open, high, low, close, volume] = row.map((value) => value ?? Number.NaN)
  const none = Number.NaN
  return {
    time: time ?? none,
    open: open ?? none,
    high: high ?? none,
    low: low ?? none,
    close: close ?? none,
    volume: volume ?? none,
  }
}

function latestOf(rows: readonly { readonly time: EpochMs }[]): EpochMs | undefined {
  let latest: EpochMs | undefined
  for (const { time } of rows) if (Number.isFinite(time) && (latest === undefined || time > latest)) latest = time
  return latest
}
