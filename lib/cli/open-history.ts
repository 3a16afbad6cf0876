import { UsageError } from '../core/invariant.ts'
import { fromIso, toIso } from '../core/time.ts'
import { hashCandles, hashFunding, hashNews } from '../evidence/describe-data.ts'
import { createFileMarket } from '../market/file-source.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { type DatedHeadline, newsOf, readHeadlines } from '../news/file-news-source.ts'
import type { NewsSource } from '../news/news-source.ts'
import type { ReplayData } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { fitInterval } from './fit-interval.ts'
import type { Io } from './io.ts'

/** Which part of history is meant. */
export type SpanOptions = { from?: string | undefined; to?: string | undefined }

/** History ready to be walked through: the settings fitted to it, the market, the headlines, and what all of it is by content. */
export type OpenHistory = {
  config: StrategyConfig
  market: HistoryMarket
  news: NewsSource
  headlines: readonly DatedHeadline[]
  data: Omit<ReplayData, 'assumedFundingShare'>
  from: number
  to: number
}

/** Opens the files. Rejects with {@link UsageError} naming what is missing, malformed or outside the candles. */
export async function openHistory(configured: StrategyConfig, options: SpanOptions, io: Io): Promise<OpenHistory> {
  const { market: wanted } = configured
  const market = await createFileMarket({
    file: wanted.source,
    symbol: wanted.symbol,
    referenceFile: wanted.referenceFile,
    referenceSymbol: wanted.referenceSymbol,
    fundingFile: wanted.fundingFile,
  })
  const config = fitInterval(configured, market, io)
  const { span, parts } = market
  if (span === null) throw new UsageError(`--candles ${wanted.source} holds no bars`)
  const from = Math.max(span.from, options.from === undefined ? span.from : fromIso(options.from))
  const to = Math.min(span.to, options.to === undefined ? span.to : fromIso(options.to))
  if (from >= to)
    throw new UsageError(
      `--from ${options.from ?? toIso(span.from)} --to ${options.to ?? toIso(span.to)}: nothing lies between them in ${wanted.source}, which covers ${toIso(span.from)} to ${toIso(span.to)}`,
    )
  const reference = wanted.referenceSymbol === null ? undefined : parts.histories.get(wanted.referenceSymbol)
  const { file } = config.news
  const headlines = file === null ? [] : await readHeadlines({ ...config.news, file })
  const data = {
    symbol: config.market.symbol,
    timeframe: market.baseTimeframe,
    from: toIso(from),
    to: toIso(to),
    candlesHash: hashCandles(market.history),
    fundingHash: hashFunding(parts.funding),
    referenceHash: reference === undefined ? null : hashCandles(reference),
    newsHash: hashNews(headlines),
  }
  return { config, market, news: newsOf(headlines, config.news), headlines, data, from, to }
}
