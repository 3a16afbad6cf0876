import path from 'node:path'
import { z } from 'zod'
import { cycleIdIn } from '../core/ids.ts'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { readFileText } from '../files/read-file.ts'
import { type EpochMs, fromIso, SECOND_MS } from '../core/time.ts'
import { readBars, type ChartBars } from '../replay/chart-bars.ts'
import { readSlotLines, readStories, readTrades } from '../replay/journal.ts'
import { decidedOf } from '../replay/slot-line.ts'
import { storyOf, withPrompt } from '../replay/story.ts'
import { judgeGates } from '../report/gates.ts'
import { computeMetrics } from '../report/metrics/compute-metrics.ts'
import { instructionHashOf } from '../decision/prompt.ts'
import { positionOf } from '../ledger/accounting.ts'
import { reportPosition } from '../ledger/position.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import { type SlotLine, StoredFailedReplay, StoredReplay } from '../../schemas/replay.ts'
import type { ReportData } from '../../schemas/report.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import { curveOf } from './summarise-run.ts'

/** What a report is made of, and the rows of the tables beside it. */
export type ReportParts = { data: ReportData; trades: Trade[]; equity: EquityPoint[] }

/**
 * The stored result of `hourhand replay --out`; of one whose answers failed only that. Throws {@link UsageError} for a
 * directory that holds none.
 */
export function reportOfReplay(directory: string): ReportParts | StoredFailedReplay {
  const stored = readStored(directory)
  if ('problem' in stored) return stored
  const lines = readSlotLines(directory)
  const trades = readTrades(directory)
  const { config, counts, metrics, gates, baselines, attribution, cutoff, end, data } = stored
  return {
    trades,
    equity: curveOf(lines),
    data: {
      schemaVersion: 1,
      title: `${data.symbol}, ${data.from.slice(0, 10)} to ${data.to.slice(0, 10)}`,
      kind: 'replay',
      strategyId: stored.strategyId,
      mode: stored.mode,
      decider: stored.decider,
      model: stored.model,
      promptHash: stored.promptHash,
      codeVersion: stored.codeVersion,
      trialId: stored.trialId,
      config,
      data,
      counts,
      metrics,
      gates,
      baselines,
      attribution,
      cutoff,
      halt: end.halt,
      openPosition: end.openPosition,
      bars: readBars(directory),
      ...columnsOf(lines),
      trades: withCycles(trades),
      stories: readStories(directory).map(withPrompt),
    },
  }
}

export type StoredRecord = {
  config: StrategyConfig
  codeVersion: string
  from: EpochMs
  to: EpochMs
  state: StrategyState
  trades: Trade[]
  equity: EquityPoint[]
  cycles: CycleRecord[]
  bars: ChartBars
}

/** What a strategy has done on paper or live, from its database. There are no baselines: history is not at hand. */
export function reportOfRecord({
  config,
  codeVersion,
  from,
  to,
  state,
  trades,
  equity,
  cycles,
  bars,
}: StoredRecord): ReportParts {
  const usage = cycles.flatMap(({ decision }) => (decision === null ? [] : [decision.usage]))
  const tokenCostUsd = usage.reduce<number | null>(
    (total, { costUsd }) => (total === null || costUsd === null ? null : total + costUsd),
    0,
  )
  const metrics = computeMetrics({
    equity,
    startEquity: state.accounting.deposited,
    from,
    to,
    trades,
    multiplier: config.instrument.multiplier,
    tokens: {
      input: usage.reduce((total, { inputTokens }) => total + inputTokens, 0),
      output: usage.reduce((total, { outputTokens }) => total + outputTokens, 0),
    },
    tokenCostUsd,
  })
  const acted = new Set(['entered', 'closed', 'refused', 'halted', 'failed'])
  const lines = cycles.map(decidedOf)
  const model = cycles.findLast(({ decision }) => (decision?.model ?? null) !== null)?.decision?.model ?? null
  return {
    trades,
    equity,
    data: {
      schemaVersion: 1,
      title: `${config.market.symbol}, ${config.mode} record`,
      kind: 'record',
      strategyId: config.id,
      mode: config.mode,
      decider: config.decider.kind,
      model,
      promptHash: instructionHashOf(config.decider),
      codeVersion,
      trialId: null,
      config,
      data: null,
      counts: null,
      metrics,
      gates: judgeGates(metrics, { hold: null }, config.gates),
      baselines: null,
      attribution: null,
      cutoff: null,
      halt: state.halt,
      openPosition: reportPosition(positionOf(state.phase)),
      bars,
      decisions: decisionsOf(lines),
      equity: { time: equity.map(({ at }) => seconds(at)), value: equity.map((point) => Number(point.equity)) },
      trades: withCycles(trades),
      stories: cycles
        .filter(({ outcome }) => outcome !== null && acted.has(outcome))
        .map((record) => withPrompt(storyOf(record))),
    },
  }
}

/** The stored result of a replay. Throws {@link UsageError} for a directory that holds none. */
export function readStored(directory: string): StoredReplay | StoredFailedReplay {
  const file = path.join(directory, 'replay.json')
  const remedy = 'give the --out directory of a finished hourhand replay, or --database for the record of a strategy'
  const value = jsonOf(readFileText({ file, label: file, remedy })) ?? null
  const parsed = StoredReplay.safeParse(value)
  if (parsed.success) return parsed.data
  const failed = StoredFailedReplay.safeParse(value)
  if (failed.success) return failed.data
  throw new UsageError(
    `${file} is not the result of a replay by this version: ${z.prettifyError(parsed.error)}; run hourhand replay --out again`,
  )
}

const seconds = (iso: string): number => fromIso(iso) / SECOND_MS

const withCycles = (trades: readonly Trade[]): ReportData['trades'] =>
  trades.map((trade) => ({ ...trade, cycleId: cycleIdIn(trade.id) }))

type Decided = ReturnType<typeof decidedOf>

const decisionsOf = (lines: readonly Decided[]): ReportData['decisions'] => ({
  time: lines.map(({ slot }) => seconds(slot)),
  action: lines.map(({ action }) => action),
  outcome: lines.map(({ outcome }) => outcome),
  confidence: lines.map(({ confidence }) => confidence),
  refusedBy: lines.map(({ refusedBy }) => refusedBy.join(',')),
})

const columnsOf = (lines: readonly SlotLine[]): Pick<ReportData, 'decisions' | 'equity'> => ({
  decisions: decisionsOf(lines),
  equity: { time: lines.map(({ slot }) => seconds(slot)), value: lines.map(({ equity }) => Number(equity)) },
})
