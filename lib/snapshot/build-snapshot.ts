import { decisionTimeframeOf } from '../core/interval.ts'
import { rememberLast } from '../core/memo.ts'
import { type EpochMs, fromIso, SECOND_MS, toIso } from '../core/time.ts'
import type { ViewBuilder } from '../indicators/incremental-views.ts'
import { buildTimeframeView } from '../indicators/timeframe-view.ts'
import { positionOf } from '../ledger/accounting.ts'
import { readingOf } from '../indicators/significant.ts'
import { fundingIntervalOf, type Instrument } from '../../schemas/instrument.ts'
import type { NewsDigest, Snapshot } from '../../schemas/snapshot.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { describeAccount, describePosition } from './account.ts'
import { type BarWindow, windowOf } from './bar-window.ts'
import { describeFunding } from './funding.ts'
import { type MarketFacts, REFERENCE_TIMEFRAME } from './market-facts.ts'
import { summarisePerformance } from './performance.ts'
import { describeReference } from './reference-market.ts'

/**
 * Bars shown to the reader: half a day or a day of decisions, two days of 4 h, a week. More costs tokens and adds
 * little to the indicators.
 */
export const BARS_SHOWN = { primary: 24, fourHour: 12, daily: 7 } as const

export type SnapshotInputs = {
  readonly config: StrategyConfig
  readonly cycleId: string
  readonly slot: EpochMs
  readonly asOf: EpochMs
  readonly facts: MarketFacts
  readonly instrument: Instrument
  readonly state: StrategyState
  /** How long a late bar was waited for; 0 where none was. */
  readonly waitedMs?: number
  /** How views are computed; a walk through history passes `createIncrementalViews()`. The result is the same. */
  readonly buildView?: ViewBuilder
}

/**
 * The snapshot of one instant: a function of its arguments alone. Nothing that happened after `asOf`, and no
 * bar before the anchor of its window, has any part in it.
 */
export function buildSnapshot(inputs: SnapshotInputs): Snapshot {
  const { config, asOf, facts, state, instrument, waitedMs = 0, buildView = buildTimeframeView } = inputs
  const { symbol } = config.market
  const timeframe = decisionTimeframeOf(config)
  const primary = windowOf(facts.primary, timeframe, asOf)
  const fourHour = windowOf(facts.fourHour, '4h', asOf)
  const daily = windowOf(facts.daily, '1d', asOf)
  const reference = referenceOf(inputs, primary, buildView)
  const position = positionOf(state.phase)

  return {
    schemaVersion: 1,
    strategyId: config.id,
    cycleId: inputs.cycleId,
    slot: toIso(inputs.slot),
    asOf: toIso(asOf),
    symbol,
    quote: facts.quote,
    views: {
      primary: buildView(timeframe, primary.candles, BARS_SHOWN.primary, symbol),
      fourHour: buildView('4h', fourHour.candles, BARS_SHOWN.fourHour, symbol),
      daily: buildView('1d', daily.candles, BARS_SHOWN.daily, symbol),
    },
    funding: facts.funding === null ? null : describeFunding(facts.funding, fundingIntervalOf(instrument), asOf),
    openInterest: readingOf(facts.openInterest),
    reference: reference.snapshot,
    news: knownNews(facts.news, asOf),
    account: describeAccount(state.accounting, position, facts.quote.mark, asOf, state.instrument.calendar),
    position: position === null ? null : describePosition(position, facts.quote.mark, asOf),
    decisions: newest(state.memory.decisions, config.memory.decisions, ({ at }) => at),
    performance: performanceOf(state.memory.trades, config.memory.trades),
    issues: [primary, fourHour, daily].flatMap(({ issues, late }) => tellWait(issues, late, waitedMs)),
    contextIssues: [...facts.issues, ...reference.issues],
  }
}

/** The issues of a series; the one of a late bar says how long that was waited for. */
const tellWait = (issues: BarWindow['issues'], late: BarWindow['late'], waitedMs: number): BarWindow['issues'] =>
  waitedMs === 0 || late === null
    ? issues
    : issues.map((issue) =>
        issue === late ? { ...issue, detail: `${issue.detail}; waited ${waitedMs / SECOND_MS} s for it` } : issue,
      )

/**
 * The reference market, or null with an issue when its newest hour is not the one expected: an old comparison misleads.
 */
function referenceOf(
  { asOf, facts, config }: SnapshotInputs,
  traded: BarWindow,
  buildView: ViewBuilder,
): { snapshot: Snapshot['reference']; issues: Snapshot['contextIssues'] } {
  if (facts.reference === null) return { snapshot: null, issues: [] }
  const { symbol, series } = facts.reference
  const { candles, late } = windowOf(series, REFERENCE_TIMEFRAME, asOf)
  if (late !== null)
    return { snapshot: null, issues: [{ ...late, kind: 'missing', detail: `reference ${symbol}: ${late.detail}` }] }
  const view = buildView(REFERENCE_TIMEFRAME, candles, 0, `reference ${symbol}`)
  return {
    snapshot: describeReference(symbol, candles, view, {
      candles: traded.candles,
      timeframe: decisionTimeframeOf(config),
    }),
    issues: [],
  }
}

/** Headlines that had been published by the instant; those without a date were in the feed when it was read. */
function knownNews(news: NewsDigest, asOf: EpochMs): NewsDigest {
  const headlines = news.headlines.filter(({ publishedAt }) => publishedAt === null || fromIso(publishedAt) <= asOf)
  return {
    feeds: news.feeds,
    headlines: headlines.map((headline) => ({ ...headline, ageMinutes: readingOf(headline.ageMinutes) })),
  }
}

/** Trades close less often than snapshots are made; a memory that is the same object has the same summary. */
export const performanceOf = rememberLast(
  (trades: StrategyState['memory']['trades'], count: number): Snapshot['performance'] =>
    summarisePerformance(newest(trades, count, ({ exitTime }) => exitTime)),
)

/** The last `count` items by time, oldest first, in whatever order they are kept; items of one instant keep theirs. */
function newest<T>(items: readonly T[], count: number, timeOf: (item: T) => string): T[] {
  if (count === 0) return []
  const isOrdered = items.every(
    (item, index) => index === 0 || fromIso(timeOf(items[index - 1] ?? item)) <= fromIso(timeOf(item)),
  )
  return (isOrdered ? items : [...items].sort((a, b) => fromIso(timeOf(a)) - fromIso(timeOf(b)))).slice(-count)
}
