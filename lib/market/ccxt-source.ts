import type { Exchange } from 'ccxt'
import { price } from '../core/decimal.ts'
import { type Clock, type EpochMs, floorTime, SECOND_MS, TIMEFRAMES, timeframeMs, toIso } from '../core/time.ts'
import type { Quote } from '../../schemas/market.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'
import { aggregateCandles, coarsestDivisor } from './aggregate.ts'
import { tameTransport } from './exchange-call.ts'
import type { ExchangeReader, OpenVenueReader, Prices } from './exchange-reader.ts'
import { inspectCandles, requireFresh } from './inspect-candles.ts'
import { loadExchange } from './load-exchange.ts'
import { type MarketData, MarketDataError } from './market-data.ts'
import { createUnifiedReader } from './unified-reader.ts'
import { watchTrading } from './watch-trading.ts'

/**
 * How far behind the clock an instant may lie and still be answered with present prices: the longest a cycle can
 * run. Further back, today's price would be knowledge from the future.
 */
const PRESENT_MS = 15 * 60_000

/**
 * A bar that is not there so long after it closed will not come: nobody traded in it. Exchanges publish within seconds.
 */
const PUBLISHED_WITHIN_MS = 15 * SECOND_MS

/**
 * A live market through public endpoints; no key is needed. `openVenueReader` knows how some venues are read by their
 * own wire format; any other exchange is read through ccxt's unified methods. Bars can be had as of any instant; prices
 * and open interest only as of now (within {@link PRESENT_MS}): asked for an earlier instant, `quote` rejects and
 * `openInterest` is null.
 *
 * `mark` is the venue's own where it publishes one, else the middle of bid and ask. Rejects with a UsageError for an
 * exchange that ccxt does not have; its methods reject with {@link MarketDataError}.
 */
export async function createCcxtMarket({
  config,
  clock,
  openVenueReader,
}: {
  config: MarketConfig
  clock: Clock
  openVenueReader: OpenVenueReader
}): Promise<MarketData> {
  const reader = await (openVenueReader(config) ?? openUnified(config))
  const baseTimeframe = TIMEFRAMES.find((timeframe) => reader.timeframes.includes(timeframe))
  if (baseTimeframe === undefined)
    throw new MarketDataError(`${config.exchange}: none of its bar lengths is one of ${TIMEFRAMES.join(', ')}`)
  const trading = watchTrading(reader, config.exchange)
  const isPresent = (at: EpochMs): boolean => at >= clock() - PRESENT_MS

  return {
    name: config.exchange,
    baseTimeframe,
    span: null,
    async candles({ symbol, timeframe, asOf, limit }) {
      const source = coarsestDivisor(timeframe, reader.timeframes)
      if (source === undefined)
        throw new MarketDataError(
          `${config.exchange} has no bars that ${timeframe} could be made of; it has ${reader.timeframes.join(', ')}`,
        )
      const stepMs = timeframeMs(timeframe)
      const until = floorTime(asOf, stepMs)
      const from = Math.max(0, until - limit * stepMs)
      const rows = await reader.candles(symbol, source, from, until)
      const wanted = rows.filter((row) => !(row.time < from))
      const { candles: base, issues } = requireFresh(
        inspectCandles(wanted, source, asOf),
        source,
        source === timeframe ? asOf : until,
        clock() >= until + PUBLISHED_WITHIN_MS,
      )
      const closed = aggregateCandles(base, source, timeframe, asOf)
      return { candles: closed.slice(-limit), issues }
    },
    async quote(symbol, at) {
      if (!isPresent(at))
        throw new MarketDataError(
          `${config.exchange}: a live exchange has no price as of ${toIso(at)}, only of now; replay a candle file instead`,
        )
      const prices = await reader.prices(symbol, at)
      if (isTwoSided(prices)) return quoteOf(config.exchange, symbol, at, prices)
      // A closed market has no bids and offers; the last price still says what a position is worth.
      const { last } = prices
      const isClosed = positive(last) !== null && (await trading(symbol, at)).kind === 'closed'
      return quoteOf(config.exchange, symbol, at, isClosed ? { ...prices, bid: last, ask: last } : prices)
    },
    trading,
    async fundingRates(symbol, from, to) {
      const rates = await reader.fundingRates(symbol, from, to)
      return rates.filter(({ time }) => time > from && time <= to).sort((a, b) => a.time - b.time)
    },
    async openInterest(symbol, at) {
      return isPresent(at) ? reader.openInterest(symbol, at) : null
    },
  }
}

async function openUnified({ exchange: id, timeoutMs, baseUrl }: MarketConfig): Promise<ExchangeReader> {
  const ExchangeClass = await loadExchange(id)
  const exchange: Exchange = new ExchangeClass({ timeout: timeoutMs, enableRateLimit: true })
  tameTransport(exchange, baseUrl)
  return createUnifiedReader(exchange, timeoutMs)
}

function quoteOf(exchange: string, symbol: string, at: EpochMs, { bid, ask, last, mark }: Prices): Quote {
  if (bid === null || ask === null || !isTwoSided({ bid, ask })) {
    throw new MarketDataError(
      `${exchange}: no two-sided price of ${symbol}: bid ${String(bid)}, ask ${String(ask)}; the market may be closed`,
    )
  }
  // Bid and ask come from decimals of few digits; eight places keep the half tick and drop floating dust.
  const middle = Number(((bid + ask) / 2).toFixed(8))
  return {
    at: toIso(at),
    bid: price(bid),
    ask: price(ask),
    last: price(positive(last) ?? middle),
    mark: price(positive(mark) ?? middle),
  }
}

const isTwoSided = ({ bid, ask }: Pick<Prices, 'bid' | 'ask'>): boolean =>
  bid !== null && ask !== null && bid > 0 && ask >= bid

const positive = (value: number | null): number | null => (value !== null && value > 0 ? value : null)
