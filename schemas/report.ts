import { z } from 'zod'
import { Attribution, Baselines, ReplayCounts, ReplayData, Story } from './replay.ts'
import { Gate, Metrics } from './metrics.ts'
import { IsoTime, Mode } from './primitives.ts'
import { Halt } from './state.ts'
import { StrategyConfig } from './strategy-config.ts'
import { Trade } from './trade.ts'
import { PositionReport } from './replay.ts'

const numbers = z.array(z.number())
/** Epoch seconds, as the chart takes them. */
const seconds = z.array(z.int())

/** Everything the HTML report shows, and nothing it would have to fetch. Columns, not rows: a year is long. */
export const ReportData = z.strictObject({
  schemaVersion: z.literal(1),
  title: z.string(),
  /** A replay of history, or the stored record of a strategy that trades. */
  kind: z.enum(['replay', 'record']),
  strategyId: z.string(),
  mode: Mode,
  decider: z.string(),
  model: z.string().nullable(),
  promptHash: z.string(),
  codeVersion: z.string(),
  trialId: z.string().nullable(),
  config: StrategyConfig,
  data: ReplayData.nullable(),
  counts: ReplayCounts.nullable(),
  metrics: Metrics,
  gates: z.array(Gate),
  baselines: Baselines.nullable(),
  attribution: Attribution.nullable(),
  cutoff: z
    .strictObject({ at: IsoTime, before: Baselines.shape.flat.nullable(), after: Baselines.shape.flat.nullable() })
    .nullable(),
  halt: Halt.nullable(),
  openPosition: PositionReport.nullable(),
  bars: z.strictObject({
    timeframe: z.string(),
    time: seconds,
    open: numbers,
    high: numbers,
    low: numbers,
    close: numbers,
    volume: numbers,
  }),
  equity: z.strictObject({ time: seconds, value: numbers }),
  /** One a slot. `action` and `outcome` are words, `refusedBy` the rules that refused, comma-separated. */
  decisions: z.strictObject({
    time: seconds,
    action: z.array(z.string()),
    outcome: z.array(z.string()),
    confidence: z.array(z.number().nullable()),
    refusedBy: z.array(z.string()),
  }),
  /** With the cycle that decided each, whose story is told. */
  trades: z.array(Trade.extend({ cycleId: z.string() })),
  stories: z.array(Story),
})
export type ReportData = z.infer<typeof ReportData>
