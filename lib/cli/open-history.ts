import { UsageError } from '../core/invariant.ts'
import { decisionTimeframeOf } from '../core/interval.ts'
import { fromIso, timeframeMs, toIso } from '../core/time.ts'
import { hashCandles, hashFunding, hashNews } from '../evidence/describe-data.ts'
import { CATALOGUE } from '../instrument/catalogue.ts'
import { describeContract } from '../instrument/contract-facts.ts'
import { fitting, misfitsOf, typicalOf } from '../instrument/fit-to-prices.ts'
import { filesOf } from '../market/create-market.ts'
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

/**
 * History ready to be walked through: the settings fitted to it, the market, the headlines, and what all of it is by
 * content.
 */
export type OpenHistory = {
  config: StrategyConfig
  market: HistoryMarket
  news: NewsSource
  headlines: readonly DatedHeadline[]
  data: Omit<ReplayData, 'assumedFundingShare'>
  /** What was read and guessed of the files, a line a file. */
  notes: readonly string[]
  from: number
  to: number
}

/** Opens the files. Rejects with {@link UsageError} naming what is missing, malformed or outside the candles. */
export async function openHistory(configured: StrategyConfig, options: SpanOptions, io: Io): Promise<OpenHistory> {
  const { market: wanted } = configured
  const files = filesOf(wanted.source)
  const candles = files.join(' ')
  const market = await createFileMarket({ ...wanted, files, now: io.clock() })
  const config = fitInterval(configured, market, io)
  const { span: whole, parts } = market
  if (whole === null) throw new UsageError(`--candles ${candles} holds no bars`)
  requireFit(config, market, candles)
  const from = Math.max(whole.from, options.from === undefined ? whole.from : fromIso(options.from))
  const to = Math.min(whole.to, options.to === undefined ? whole.to : fromIso(options.to))
  if (from >= to)
    throw new UsageError(
      `--from ${options.from ?? toIso(whole.from)} --to ${options.to ?? toIso(whole.to)}: nothing lies between them in ${candles}, which covers ${toIso(whole.from)} to ${toIso(whole.to)}`,
    )
  const reference = wanted.referenceSymbol === null ? undefined : parts.histories.get(wanted.referenceSymbol)
  const { file } = config.news
  const headlines = file === null ? [] : await readHeadlines({ ...config.news, file, now: io.clock() })
  const span = { from, to }
  requireOverlap(`--funding ${wanted.fundingFile ?? ''}`, wanted.fundingFile === null ? null : parts.funding, span)
  requireOverlap(`--reference ${wanted.referenceFile ?? ''}`, reference?.bars ?? null, span)
  requireOverlap(
    `--news ${file ?? ''}`,
    file === null ? null : headlines.map(({ publishedAt }) => ({ time: publishedAt })),
    span,
  )
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
  return {
    config,
    market,
    news: newsOf(headlines, config.news),
    headlines,
    data,
    notes: [`${config.instrument.id}: ${describeContract(config.instrument)}`, ...market.notes],
    from,
    to,
  }
}

/**
 * Throws {@link UsageError} where the instrument cannot be traded at the prices of the file, and names those that can.
 */
function requireFit(config: StrategyConfig, market: HistoryMarket, candles: string): void {
  const { instrument, guard, paper } = config
  const barMs = timeframeMs(market.baseTimeframe)
  const prices = typicalOf(market.history.bars, barMs, timeframeMs(decisionTimeframeOf(config)))
  const means = {
    equity: paper.initialCash,
    maxLeverage: guard.maxLeverage,
    maxNotional: guard.maxNotional,
    maxRiskPerTrade: guard.maxRiskPerTrade,
    minStopRanges: guard.minStopAtr,
  }
  const misfits = misfitsOf(instrument, prices, means)
  if (misfits.length === 0) return
  const others = fitting(CATALOGUE, instrument, prices, means).map(({ id }) => `--instrument ${id}`)
  const remedy =
    others.length === 0
      ? 'none of the catalogue fits: give the facts of the right one with "instrument" in --config'
      : `it would fit with ${others.join(' or ')}`
  throw new UsageError(
    `--candles ${candles}: ${instrument.id} cannot be traded at these prices (about ${Number(prices.price.toPrecision(5))}): ${misfits.join('; ')}. ${capital(remedy)}`,
  )
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/**
 * A file beside the candles is given because it is meant to count: one that says nothing of the time replayed is of
 * another time, or its times are in another unit. Throws {@link UsageError} naming the file and both spans.
 */
function requireOverlap(
  what: string,
  rows: readonly { readonly time: number }[] | null,
  { from, to }: { from: number; to: number },
): void {
  if (rows === null || rows.some(({ time }) => time >= from && time <= to)) return
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { time } of rows) {
    if (time < first) first = time
    if (time > last) last = time
  }
  const covers = rows.length === 0 ? 'it has no rows' : `it covers ${toIso(first)} to ${toIso(last)}`
  throw new UsageError(
    `${what}: none of its rows lies between ${toIso(from)} and ${toIso(to)}, which is replayed; ${covers}. Give a file of that time, or leave the option out`,
  )
}
