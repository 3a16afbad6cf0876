import { decisionTimeframeOf } from '../core/interval.ts'
import { DAY_MS, type EpochMs, type Timeframe, timeframeMs } from '../core/time.ts'
import { InvariantError, UsageError } from '../core/invariant.ts'
import { lookback } from '../indicators/lookback.ts'
import { type CandleSeries, type MarketData, MarketDataError } from '../market/market-data.ts'
import type { NewsSource } from '../news/news-source.ts'
import type { DataIssue } from '../../schemas/market.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { FUNDING_DAYS, type MarketFacts, REFERENCE_TIMEFRAME } from './market-facts.ts'

/**
 * Reads all that a snapshot needs, in parallel, as known at `asOf`. Without the traded market's bars or quote
 * there is no snapshot: rejects with {@link MarketDataError}. Reference, funding and open interest cost only
 * themselves and leave an issue. Rejects with {@link UsageError} when the source's bars are too coarse.
 */
export async function gatherMarketFacts(sources: {
  market: MarketData
  news: NewsSource
  config: StrategyConfig
  asOf: EpochMs
}): Promise<MarketFacts> {
  const { market, news, config, asOf } = sources
  const { symbol, referenceSymbol } = config.market
  const timeframe = decisionTimeframeOf(config)
  requireFineBars(market, config)

  const issues: DataIssue[] = []
  const optional = async <T>(what: string, read: Promise<T>): Promise<T | null> => {
    try {
      return await read
    } catch (cause) {
      if (cause instanceof InvariantError) throw cause
      issues.push({ kind: 'missing', at: null, count: 1, detail: `${what}: ${messageOf(cause)}` })
      return null
    }
  }
  const bars = (of: string, length: Timeframe): Promise<CandleSeries> =>
    market.candles({ symbol: of, timeframe: length, asOf, limit: lookback(length, asOf).limit })

  const [primary, fourHour, daily, quote, funding, openInterest, reference, digest] = await Promise.all([
    required(`${symbol} ${timeframe} bars`, bars(symbol, timeframe)),
    required(`${symbol} 4h bars`, bars(symbol, '4h')),
    required(`${symbol} 1d bars`, bars(symbol, '1d')),
    required(`${symbol} quote`, market.quote(symbol, asOf)),
    optional('funding', market.fundingRates(symbol, asOf - FUNDING_DAYS * DAY_MS, asOf)),
    optional('open interest', market.openInterest(symbol, asOf)),
    referenceSymbol === null
      ? null
      : optional(`reference ${referenceSymbol}`, bars(referenceSymbol, REFERENCE_TIMEFRAME)),
    news.headlines(asOf),
  ])
  return {
    asOf,
    primary,
    fourHour,
    daily,
    quote,
    funding,
    openInterest,
    reference: referenceSymbol === null || reference === null ? null : { symbol: referenceSymbol, series: reference },
    news: digest,
    // In one order whichever reading failed first.
    issues: issues.sort((a, b) => (a.detail < b.detail ? -1 : 1)),
  }
}

/** Throws {@link UsageError} when the source's finest bars are coarser than the decision timeframe. */
export function requireFineBars(
  market: MarketData,
  config: Pick<StrategyConfig, 'interval' | 'decisionTimeframe'>,
): void {
  const timeframe = decisionTimeframeOf(config)
  if (timeframeMs(market.baseTimeframe) <= timeframeMs(timeframe)) return
  const remedy =
    timeframeMs(market.baseTimeframe) <= timeframeMs('1h')
      ? 'set interval to "1h" or bring finer candles'
      : 'bring finer candles'
  throw new UsageError(
    `interval is ${config.interval} and decisions are made on ${timeframe} bars, but the finest bars of ${market.name} are ${market.baseTimeframe}: ${remedy}`,
  )
}

/**
 * A failure to read the traded market is a {@link MarketDataError} that names what was read, whatever the source threw.
 */
async function required<T>(what: string, read: Promise<T>): Promise<T> {
  try {
    return await read
  } catch (cause) {
    if (cause instanceof MarketDataError || cause instanceof InvariantError || cause instanceof UsageError) throw cause
    throw new MarketDataError(`${what}: ${messageOf(cause)}`, { cause })
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
