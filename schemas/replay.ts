import { z } from 'zod'
import { CycleOutcome, GuardFacts, Prompt } from './cycle-record.ts'
import { DecisionOutcome } from './decision.ts'
import { Fill, OrderRequest } from './order.ts'
import { Metrics, Gate } from './metrics.ts'
import { IntervalText, IsoTime, Mode, MoneyText, QuantityText, PositionSide, PriceText } from './primitives.ts'
import { Snapshot } from './snapshot.ts'
import { Bracket } from './order.ts'
import { PaperBook } from './paper-book.ts'
import { Halt, StrategyState } from './state.ts'
import { StrategyConfig } from './strategy-config.ts'
import { Trade } from './trade.ts'
import { Verdict } from './verdict.ts'

/** The open position as the command line tells it. */
export const PositionReport = z.strictObject({
  side: PositionSide,
  quantity: QuantityText,
  entryPrice: PriceText,
  openedAt: IsoTime,
  bracket: Bracket.nullable(),
  protection: z.enum(['none', 'intended', 'live']),
  liquidationPrice: PriceText.nullable(),
  tradeId: z.string(),
})
export type PositionReport = z.infer<typeof PositionReport>

/** A trade as replays report it. */
export const ReplayTrade = Trade.pick({
  id: true,
  side: true,
  quantity: true,
  entryTime: true,
  entryPrice: true,
  exitTime: true,
  exitPrice: true,
  exitReason: true,
  stopLossPrice: true,
  takeProfitPrice: true,
  fees: true,
  funding: true,
  slippage: true,
  pnl: true,
  rMultiple: true,
})
export type ReplayTrade = z.infer<typeof ReplayTrade>

/** What there was to go by, by content: two runs with the same hashes saw the same history. */
export const ReplayData = z.strictObject({
  symbol: z.string(),
  timeframe: z.string(),
  from: IsoTime,
  to: IsoTime,
  candlesHash: z.string(),
  fundingHash: z.string().nullable(),
  referenceHash: z.string().nullable(),
  newsHash: z.string().nullable(),
  /** Share of the funding settlements on a held position whose rate was assumed, not known; null without any. */
  assumedFundingShare: z.number().nullable(),
})
export type ReplayData = z.infer<typeof ReplayData>

/** Questions of a run and how many of them the decider failed at, by kind of failure, the most frequent first. */
export const Answers = z.strictObject({
  asked: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  byKind: z.record(z.string(), z.int()),
})
export type Answers = z.infer<typeof Answers>

/**
 * What the bars of a run are worth: real + carried + missing = expected. Carried are minutes without a trade, up to 15
 * in a row; what is longer is a gap, and its bars are missing.
 */
export const DataQuality = z.strictObject({
  expected: z.int().nonnegative(),
  real: z.int().nonnegative(),
  carried: z.int().nonnegative(),
  missing: z.int().nonnegative(),
  gaps: z.int().nonnegative(),
  longestGap: z.strictObject({ from: IsoTime, bars: z.int().positive() }).nullable(),
  /** Bars given more than once: alike, and with other values. */
  duplicates: z.int().nonnegative(),
  conflicts: z.int().nonnegative(),
})
export type DataQuality = z.infer<typeof DataQuality>

export const ReplayCounts = z.strictObject({
  bars: z.int(),
  /** Null in results that did not count it. */
  quality: DataQuality.nullable().default(null),
  slots: z.int(),
  entries: z.int(),
  refusals: z.int(),
  /** Bars in which stop and target were both touched, and all bars with a position. */
  ambiguousBars: z.int(),
  heldBars: z.int(),
  ambiguousBarShare: z.number().nullable(),
  outcomes: z.record(z.string(), z.int()),
  /** How often each guard rule refused an entry. */
  refusalsByRule: z.record(z.string(), z.int()),
  /** Reasons of cycles that failed, and how often each; those that differ only in the times they name are one. */
  failures: z.record(z.string(), z.int()),
  answers: Answers.default({ asked: 0, failed: 0, byKind: {} }),
})
export type ReplayCounts = z.infer<typeof ReplayCounts>

/** What a way of trading came to on the same slots. */
export const Baseline = z.strictObject({
  totalReturn: z.number(),
  sharpe: z.number().nullable(),
  maxDrawdown: z.number(),
  trades: z.int().nonnegative(),
  fees: MoneyText,
  funding: MoneyText,
})
export type Baseline = z.infer<typeof Baseline>

/** Random entries under the same guard and costs, as a distribution over seeds. */
export const RandomBaseline = z.strictObject({
  /** Seeds 1 to this. */
  seeds: z.int().nonnegative(),
  /** Chance of an entry at a flat slot: the strategy's own rate of asking. */
  entryRate: z.number(),
  totalReturns: z.array(z.number()),
  median: z.number().nullable(),
  p05: z.number().nullable(),
  p95: z.number().nullable(),
  medianSharpe: z.number().nullable(),
  medianTrades: z.number().nullable(),
  /** Share of the random runs that the strategy beat; ties count half. */
  percentile: z.number().nullable(),
})
export type RandomBaseline = z.infer<typeof RandomBaseline>

export const Baselines = z.strictObject({
  hold: Baseline.nullable(),
  flat: Baseline,
  rules: Baseline.nullable(),
  random: RandomBaseline.nullable(),
})
export type Baselines = z.infer<typeof Baselines>

/**
 * Where the result comes from, in money: decider + guard + exits + sizing = pnl, exactly up to rounding.
 * Each entry decision is played to its stop, target or time limit at equal risk, whether it was let through or not.
 */
export const Attribution = z.strictObject({
  /** Money at risk of an average trade: what one R is worth here. */
  riskUnit: MoneyText,
  /** Entry decisions played out, and average R of: all of them, those let through, those refused. */
  decisions: z.int().nonnegative(),
  approved: z.int().nonnegative(),
  refused: z.int().nonnegative(),
  averageR: z.number().nullable(),
  averageApprovedR: z.number().nullable(),
  averageRefusedR: z.number().nullable(),
  /** All entry decisions at equal risk. */
  decider: MoneyText,
  /** What refusing saved (positive) or cost. */
  guard: MoneyText,
  /** What closing before stop, target or time limit added. */
  exits: MoneyText,
  /** What not risking the same on each added. */
  sizing: MoneyText,
  pnl: MoneyText,
})
export type Attribution = z.infer<typeof Attribution>

/** What was made of one slot, in a line. */
export const SlotLine = z.strictObject({
  slot: IsoTime,
  outcome: CycleOutcome,
  action: z.string(),
  confidence: z.number().nullable(),
  /** What an entry asked for, whether it was let through or not; null for anything else. */
  ask: z.strictObject({ side: PositionSide, stopLossPrice: z.number(), takeProfitPrice: z.number() }).nullable(),
  /** Rules that refused. */
  refusedBy: z.array(z.string()),
  /** Why it failed, where it did. */
  failure: z.string().nullable(),
  /** The kind of the decider's failure; null where it decided or was not asked. */
  deciderFailure: z.string().nullable().default(null),
  equity: MoneyText,
  cash: MoneyText,
  markPrice: PriceText.nullable(),
  inPosition: z.boolean(),
  tokens: z.tuple([z.int(), z.int()]),
  costUsd: z.number().nullable(),
})
export type SlotLine = z.infer<typeof SlotLine>

/** Where a replay stands between two slots: with it, the rest is the same as if it had never stopped. */
export const ReplayCheckpoint = z.strictObject({
  nextSlot: IsoTime,
  state: StrategyState.nullable(),
  book: PaperBook.nullable(),
})
export type ReplayCheckpoint = z.infer<typeof ReplayCheckpoint>

/** A cycle's story: everything needed to see why, and to have its verdicts again. */
export const Story = z.strictObject({
  cycleId: z.string(),
  slot: IsoTime,
  outcome: CycleOutcome,
  reason: z.string().nullable(),
  snapshot: Snapshot.nullable(),
  prompt: Prompt.nullable(),
  decision: DecisionOutcome.nullable(),
  guardFacts: GuardFacts.nullable(),
  verdicts: z.array(Verdict),
  order: OrderRequest.nullable(),
  fills: z.array(Fill),
})
export type Story = z.infer<typeof Story>

/** `hourhand replay --json` */
export const ReplayReport = z.strictObject({
  schemaVersion: z.literal(2),
  strategyId: z.string(),
  mode: Mode,
  decider: z.string(),
  /** As the provider named it; null for rules. */
  model: z.string().nullable(),
  promptHash: z.string(),
  codeVersion: z.string(),
  /** Names this run's settings and data: equal ids, equal runs. */
  trialId: z.string(),
  config: StrategyConfig,
  data: ReplayData,
  /** What was read and guessed of the files, a line a file. */
  notes: z.array(z.string()).default([]),
  counts: ReplayCounts,
  trades: z.array(ReplayTrade),
  metrics: Metrics,
  gates: z.array(Gate),
  baselines: Baselines,
  attribution: Attribution.nullable(),
  /**
   * Results before and after the model's knowledge cutoff; null where none is stated or nothing lies on either side.
   */
  cutoff: z.strictObject({ at: IsoTime, before: Baseline.nullable(), after: Baseline.nullable() }).nullable(),
  /** How it stands at the end: halted before the history ended, a position still held. */
  end: z.strictObject({ halt: Halt.nullable(), openPosition: PositionReport.nullable() }),
  elapsedMs: z.number().nonnegative(),
})
export type ReplayReport = z.infer<typeof ReplayReport>

/** `replay.json` in a result directory: the report without what differs from run to run. */
export const StoredReplay = ReplayReport.omit({ elapsedMs: true })
export type StoredReplay = z.infer<typeof StoredReplay>

/** `hourhand replay --json` where too many answers failed: no figure that silence would have made. */
export const FailedReplay = ReplayReport.pick({
  schemaVersion: true,
  strategyId: true,
  mode: true,
  decider: true,
  model: true,
  promptHash: true,
  codeVersion: true,
  config: true,
  data: true,
  counts: true,
  elapsedMs: true,
}).extend({ problem: z.string(), metrics: z.null() })
export type FailedReplay = z.infer<typeof FailedReplay>

/** `replay.json` of such a run. */
export const StoredFailedReplay = FailedReplay.omit({ elapsedMs: true })
export type StoredFailedReplay = z.infer<typeof StoredFailedReplay>

/** One line of the trial ledger: what was tried on what, and what came of it. */
export const Trial = z.strictObject({
  schemaVersion: z.literal(1),
  trialId: z.string(),
  at: IsoTime,
  command: z.string(),
  strategyId: z.string(),
  symbol: z.string(),
  /** Id of what was traded: results of other instruments are never measured against it. */
  instrument: z.string(),
  decider: z.string(),
  model: z.string().nullable(),
  /** Hash of all settings that matter to the result. */
  configHash: z.string(),
  promptHash: z.string(),
  /** Hash of candles, funding, reference and news together. */
  dataHash: z.string(),
  from: IsoTime,
  to: IsoTime,
  interval: IntervalText,
  /** Settings that differ from the named strategy's, as path = value. */
  settings: z.array(z.string()),
  codeVersion: z.string(),
  totalReturn: z.number(),
  maxDrawdown: z.number(),
  trades: z.int(),
  /** Annualised, and per observation as deflation takes it. */
  sharpe: z.number().nullable(),
  sharpePerObservation: z.number().nullable(),
  observations: z.int(),
})
export type Trial = z.infer<typeof Trial>
