import { VERSION } from '../core/version.ts'
import { type EpochMs, fromIso, toIso } from '../core/time.ts'
import { instructionHashOf } from '../decision/prompt.ts'
import { positionOf } from '../ledger/accounting.ts'
import { reportPosition } from '../ledger/position.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { judgeGates } from '../report/gates.ts'
import type { Baseline, ReplayData, ReplayTrade, StoredReplay, Trial } from '../../schemas/replay.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import { attributeResult } from './attribute-result.ts'
import { computeBaselines } from './baselines.ts'
import { trialsAround } from './make-trial.ts'
import type { JobSummary, ReplayJob } from './replay-job.ts'
import { assumedFundingShare, baselineOf, countsOf, metricsOf, type RunOutcome } from './summarise-run.ts'

export type AssembleOptions = {
  config: StrategyConfig
  market: HistoryMarket
  decider: string
  model: string | null
  outcome: RunOutcome
  state: StrategyState | null
  data: Omit<ReplayData, 'assumedFundingShare'>
  notes: readonly string[]
  from: EpochMs
  to: EpochMs
  trialId: string
  /** The ledger, without this run or with it. */
  trials: readonly Trial[]
  seeds: number
  run: (jobs: readonly ReplayJob[]) => Promise<JobSummary[]>
}

/** Everything a replay has to say, as it is stored: equal runs against equal ledgers give equal bytes. */
export async function assembleReplay(options: AssembleOptions): Promise<StoredReplay> {
  const { config, market, outcome, state, data, from, to, trialId, trials, seeds, run } = options
  const around = trialsAround(
    trials,
    { trialId, instrument: config.instrument.id, from: data.from, to: data.to },
    metricsOf(outcome, { config, from, to, resamples: 0 }),
  )
  const metrics = metricsOf(outcome, { config, from, to, ...around })
  const baselines = await computeBaselines({
    config,
    market,
    lines: outcome.lines,
    totalReturn: metrics.totalReturn,
    from,
    to,
    seeds,
    run,
  })
  return {
    schemaVersion: 2,
    strategyId: config.id,
    mode: config.mode,
    decider: options.decider,
    model: options.model,
    promptHash: instructionHashOf(config.decider),
    codeVersion: VERSION,
    trialId,
    config,
    data: { ...data, assumedFundingShare: await assumedFundingShare(config, market, outcome.trades) },
    notes: [...options.notes],
    counts: countsOf(outcome, market, from, to),
    trades: outcome.trades.map(reportTrade),
    metrics,
    gates: judgeGates(metrics, baselines, config.gates),
    baselines,
    attribution: await attributeResult({ config, market, lines: outcome.lines, trades: outcome.trades, to }),
    cutoff: splitAtCutoff(config, outcome, from, to),
    end: { halt: state?.halt ?? null, openPosition: reportPosition(state === null ? null : positionOf(state.phase)) },
  }
}

const reportTrade = ({
  id,
  side,
  quantity,
  entryTime,
  entryPrice,
  exitTime,
  exitPrice,
  exitReason,
  stopLossPrice,
  takeProfitPrice,
  fees,
  funding,
  slippage,
  pnl,
  rMultiple,
}: Trade): ReplayTrade => ({
  id,
  side,
  quantity,
  entryTime,
  entryPrice,
  exitTime,
  exitPrice,
  exitReason,
  stopLossPrice,
  takeProfitPrice,
  fees,
  funding,
  slippage,
  pnl,
  rMultiple,
})

/** The run in two parts, by when the model stopped learning. Each part is measured from the equity it began with. */
function splitAtCutoff(
  config: StrategyConfig,
  { lines, trades }: RunOutcome,
  from: EpochMs,
  to: EpochMs,
): StoredReplay['cutoff'] {
  const cutoff = 'knowledgeCutoff' in config.decider ? config.decider.knowledgeCutoff : null
  if (cutoff === null) return null
  const at = fromIso(cutoff)
  const part = (begin: EpochMs, end: EpochMs): Baseline | null => {
    const inside = lines.filter(({ slot }) => fromIso(slot) >= begin && fromIso(slot) < end)
    const before = lines.findLast(({ slot }) => fromIso(slot) < begin)
    if (inside.length === 0) return null
    const start = before?.equity ?? config.paper.initialCash
    const metrics = metricsOf(
      { lines: inside, trades: trades.filter(({ exitTime }) => fromIso(exitTime) >= begin && fromIso(exitTime) < end) },
      { config: { ...config, paper: { ...config.paper, initialCash: start } }, from: begin, to: end, resamples: 0 },
    )
    return baselineOf(metrics)
  }
  return {
    at: toIso(at),
    before: at <= from ? null : part(from, Math.min(at, to)),
    after: at >= to ? null : part(Math.max(at, from), to),
  }
}
