import { ZERO_MONEY } from '../core/decimal.ts'
import { type EpochMs, fromIso } from '../core/time.ts'
import { quantile } from '../report/metrics/bootstrap.ts'
import { computeMetrics } from '../report/metrics/compute-metrics.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import type { Baseline, Baselines, RandomBaseline, SlotLine } from '../../schemas/replay.ts'
import { DeciderConfig, type StrategyConfig } from '../../schemas/strategy-config.ts'
import { holdThrough } from './hold-baseline.ts'
import type { JobSummary, ReplayJob } from './replay-job.ts'
import { baselineOf } from './summarise-run.ts'

export type BaselineOptions = {
  config: StrategyConfig
  market: HistoryMarket
  /** The run to compare with. */
  lines: readonly SlotLine[]
  totalReturn: number
  from: EpochMs
  to: EpochMs
  /** Random runs, seeds 1 to this. */
  seeds: number
  /** Replays jobs, in any number of threads. */
  run: (jobs: readonly ReplayJob[]) => Promise<JobSummary[]>
}

/**
 * What other ways of trading would have come to on the same slots with the same costs: nothing, holding, the rules
 * decider, and entries at random as often as the run asked for them. All but holding pass the same guard.
 */
export async function computeBaselines({
  config,
  market,
  lines,
  totalReturn,
  from,
  to,
  seeds,
  run,
}: BaselineOptions): Promise<Baselines> {
  const isRules = config.decider.kind === 'rules'
  const rules: ReplayJob[] = isRules
    ? []
    : [
        {
          config: {
            ...config,
            decider: DeciderConfig.parse({ kind: 'rules' }),
            sizing: { ...config.sizing, evidence: null },
          },
          random: null,
          from,
          to,
        },
      ]
  const entryRate = entryRateOf(lines)
  const random = Array.from({ length: entryRate === 0 ? 0 : seeds }, (_, index): ReplayJob => ({
    config,
    random: { seed: index + 1, entryRate },
    from,
    to,
  }))
  const [hold, summaries] = await Promise.all([
    holdBaseline(config, market, lines, from, to),
    run([...rules, ...random]),
  ])
  const thrown = summaries.slice(rules.length)
  const [ruled] = isRules ? [] : summaries
  return {
    hold,
    flat: { totalReturn: 0, sharpe: null, maxDrawdown: 0, trades: 0, fees: ZERO_MONEY, funding: ZERO_MONEY },
    rules: ruled === undefined ? null : baselineOf(ruled.metrics),
    random: thrown.length === 0 ? null : describeRandom(thrown, entryRate, totalReturn),
  }
}

/** Of the slots without a position, the share that asked for an entry. */
export function entryRateOf(lines: readonly SlotLine[]): number {
  const flat = lines.filter(
    ({ inPosition, outcome }, index) =>
      outcome === 'entered' || (!inPosition && (lines[index - 1]?.inPosition ?? false) === false),
  )
  return flat.length === 0 ? 0 : flat.filter(({ ask }) => ask !== null).length / flat.length
}

const quantileOf = (values: readonly number[], share: number): number | null =>
  values.length === 0
    ? null
    : quantile(
        values.toSorted((a, b) => a - b),
        share,
      )

function describeRandom(runs: readonly JobSummary[], entryRate: number, totalReturn: number): RandomBaseline {
  const totalReturns = runs.map(({ metrics }) => metrics.totalReturn)
  const sharpes = runs.flatMap(({ metrics: { sharpe } }) => (sharpe === null ? [] : [sharpe]))
  const below = totalReturns.filter((value) => value < totalReturn).length
  const level = totalReturns.filter((value) => value === totalReturn).length
  return {
    seeds: runs.length,
    entryRate,
    totalReturns,
    median: quantileOf(totalReturns, 0.5),
    p05: quantileOf(totalReturns, 0.05),
    p95: quantileOf(totalReturns, 0.95),
    medianSharpe: quantileOf(sharpes, 0.5),
    medianTrades: quantileOf(
      runs.map(({ metrics }) => metrics.trades),
      0.5,
    ),
    percentile: (below + level / 2) / runs.length,
  }
}

async function holdBaseline(
  config: StrategyConfig,
  market: HistoryMarket,
  lines: readonly SlotLine[],
  from: EpochMs,
  to: EpochMs,
): Promise<Baseline | null> {
  const held = await holdThrough(
    config,
    market,
    lines.map(({ slot }) => fromIso(slot)),
    to,
  )
  if (held === null) return null
  const metrics = computeMetrics({
    equity: held.equity,
    startEquity: config.paper.initialCash,
    from,
    to,
    trades: [],
    multiplier: config.instrument.multiplier,
    tokens: { input: 0, output: 0 },
    tokenCostUsd: 0,
    resamples: 0,
  })
  return { ...baselineOf(metrics), trades: 1, fees: held.fees, funding: held.funding }
}
