import { fundingIntervalOf } from '../../schemas/instrument.ts'
import { floorTime, fromIso, HOUR_MS, type EpochMs, timeframeMs } from '../core/time.ts'
import { computeMetrics } from '../report/metrics/compute-metrics.ts'
import { FUNDING_MEMORY_MS, settlementsBetween } from '../venue/paper/funding.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { Metrics } from '../../schemas/metrics.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { Baseline, ReplayCounts, SlotLine } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import { measureQuality } from './data-quality.ts'
import { answersIn } from './answers.ts'

/** A finished run, as everything that judges it takes it. */
export type RunOutcome = { lines: readonly SlotLine[]; trades: readonly Trade[]; book: PaperBook | null }

export type MetricsOptions = {
  config: StrategyConfig
  from: EpochMs
  to: EpochMs
  trials?: number
  trialDeviation?: number | null
  resamples?: number
}

/** The curve of a run: a point a slot. */
export const curveOf = (lines: readonly SlotLine[]): EquityPoint[] =>
  lines.map(({ slot, equity, cash, markPrice, inPosition }) => ({
    at: slot,
    equity,
    cash,
    markPrice,
    phase: inPosition ? 'open' : 'flat',
  }))

/** What the model's answers took; the cost is null when one of them had no price. */
export function tokensOf(lines: readonly SlotLine[]): {
  tokens: { input: number; output: number }
  tokenCostUsd: number | null
} {
  let input = 0
  let output = 0
  let cost: number | null = 0
  for (const line of lines) {
    input += line.tokens[0]
    output += line.tokens[1]
    cost = cost === null || line.costUsd === null ? null : cost + line.costUsd
  }
  return { tokens: { input, output }, tokenCostUsd: cost }
}

export function metricsOf(
  { lines, trades }: Pick<RunOutcome, 'lines' | 'trades'>,
  { config, from, to, ...evidence }: MetricsOptions,
): Metrics {
  return computeMetrics({
    equity: curveOf(lines),
    startEquity: config.paper.initialCash,
    from,
    to,
    trades,
    multiplier: config.instrument.multiplier,
    ...tokensOf(lines),
    ...evidence,
  })
}

export const baselineOf = ({ totalReturn, sharpe, maxDrawdown, trades, fees, funding }: Metrics): Baseline => ({
  totalReturn,
  sharpe,
  maxDrawdown,
  trades,
  fees,
  funding,
})

export function countsOf({ lines, book }: RunOutcome, market: HistoryMarket, from: EpochMs, to: EpochMs): ReplayCounts {
  const outcomes: Record<string, number> = {}
  const refusalsByRule: Record<string, number> = {}
  const reasons: string[] = []
  for (const { outcome, refusedBy, failure } of lines) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    for (const rule of refusedBy) refusalsByRule[rule] = (refusalsByRule[rule] ?? 0) + 1
    if (outcome === 'failed' && failure !== null) reasons.push(failure)
  }
  const heldBars = book?.heldBars ?? 0
  const ambiguousBars = book?.ambiguousBars ?? 0
  return {
    bars: Math.round((to - from) / timeframeMs(market.baseTimeframe)),
    quality: measureQuality(market.history, from, to),
    slots: lines.length,
    entries: outcomes['entered'] ?? 0,
    refusals: outcomes['refused'] ?? 0,
    ambiguousBars,
    heldBars,
    ambiguousBarShare: heldBars === 0 ? null : ambiguousBars / heldBars,
    outcomes: sorted(outcomes),
    refusalsByRule: sorted(refusalsByRule),
    failures: sorted(foldFailures(reasons)),
    answers: answersIn(lines),
  }
}

const INSTANT = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z/g

/** Counts reasons. Those that differ only in the times they name are told once, in the words of the first. */
export function foldFailures(reasons: readonly string[]): Record<string, number> {
  const groups = new Map<string, { first: string; count: number; isAlike: boolean }>()
  for (const reason of reasons) {
    const key = reason.replace(INSTANT, 'TIME')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { first: reason, count: 1, isAlike: true })
    else {
      group.count += 1
      group.isAlike &&= reason === group.first
    }
  }
  return Object.fromEntries(
    [...groups.values()].map(({ first, count, isAlike }) => [
      isAlike ? first : `${first} (the first; the others name other times)`,
      count,
    ]),
  )
}

/** Most frequent first, so that the same run is told in the same order. */
const sorted = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))

/** Of the settlements that fell into a trade, the share whose rate no record gives; null without any. */
export async function assumedFundingShare(
  config: StrategyConfig,
  market: HistoryMarket,
  trades: readonly Trade[],
): Promise<number | null> {
  const intervalMs = fundingIntervalOf(config.instrument)
  if (intervalMs === null) return null
  let settled = 0
  let assumed = 0
  for (const { entryTime, exitTime } of trades) {
    const [entry, exit] = [fromIso(entryTime), fromIso(exitTime)]
    if (Math.max(floorTime(exit, HOUR_MS), floorTime(exit, intervalMs)) <= entry) continue
    const known = await market.fundingRates(config.market.symbol, entry - FUNDING_MEMORY_MS, exit)
    for (const { rate } of settlementsBetween(entry, exit, intervalMs, known, Number.NaN)) {
      settled += 1
      if (Number.isNaN(rate)) assumed += 1
    }
  }
  return settled === 0 ? null : assumed / settled
}
