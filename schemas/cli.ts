import { z } from 'zod'
import { CycleOutcome } from './cycle-record.ts'
import { Decision } from './decision.ts'
import { LiveClearance } from './live-clearance.ts'
import { OrderRequest, VenueAccount, VenueOrder, VenuePosition } from './order.ts'
import { Bracket } from './order.ts'
import { IsoTime, Mode, MoneyText, PositionSide, PriceText, QuantityText, StrategyId } from './primitives.ts'
import { Accounting, Halt, Incident, IntentStatus } from './state.ts'
import { StrategyConfig } from './strategy-config.ts'
import { Trade } from './trade.ts'
import { GuardRuleName, Verdict } from './verdict.ts'

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

/** Where a cycle's full record lies; null for a dry run, which leaves none. */
export const RecordLocation = z.strictObject({ store: z.string(), table: z.string(), pk: z.string(), sk: z.string() }).nullable()
export type RecordLocation = z.infer<typeof RecordLocation>

/** `hourhand cycle --json` */
export const CycleReport = z.strictObject({
  cycleId: z.string(),
  slot: IsoTime,
  mode: Mode,
  decider: z.string(),
  outcome: CycleOutcome,
  reason: z.string(),
  decision: Decision.nullable(),
  verdicts: z.array(Verdict),
  order: OrderRequest.nullable(),
  position: PositionReport.nullable(),
  record: RecordLocation,
})
export type CycleReport = z.infer<typeof CycleReport>

/** `hourhand enforce --json` */
export const EnforcementReport = z.strictObject({
  strategyId: StrategyId,
  at: IsoTime,
  mode: Mode,
  outcome: z.enum(['idle', 'watched', 'closed', 'unclosed']),
  phase: z.string(),
  exit: z.string().nullable(),
  barsSeen: z.int().nonnegative(),
  notes: z.array(z.string()),
  position: PositionReport.nullable(),
})
export type EnforcementReport = z.infer<typeof EnforcementReport>

/** One line of ledger beside venue. */
export const Comparison = z.strictObject({ what: z.string(), ledger: z.string(), venue: z.string(), agrees: z.boolean() })
export type Comparison = z.infer<typeof Comparison>

/** `hourhand status --json` */
export const StatusReport = z.strictObject({
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  phase: z.string(),
  halt: Halt.nullable(),
  accounting: Accounting,
  position: PositionReport.nullable(),
  venue: z.strictObject({ name: z.string(), account: VenueAccount, position: VenuePosition.nullable(), openOrders: z.array(VenueOrder) }),
  comparison: z.array(Comparison),
  /** The order under way, if any. */
  pending: z.strictObject({ order: OrderRequest, status: IntentStatus, orderId: z.string().nullable(), intendedAt: IsoTime, deadline: IsoTime }).nullable(),
  incidents: z.array(Incident),
  /** Differences seen lately and not believed yet. */
  suspicions: z.array(Incident),
  /** Why live trading is not earned, and the largest entry it may make now, in contracts; null on paper. */
  live: z.strictObject({ barriers: z.array(z.string()), sizeCap: QuantityText }).nullable(),
  lastSlot: IsoTime.nullable(),
})
export type StatusReport = z.infer<typeof StatusReport>

/** `hourhand trades --json` */
export const TradesReport = z.strictObject({ strategyId: StrategyId, trades: z.array(Trade) })

/** `hourhand reconcile --json` */
export const ReconcileReport = z.strictObject({
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  phase: z.string(),
  halt: Halt.nullable(),
  position: PositionReport.nullable(),
  /** What was taken in and done, or, in a dry run, would be. */
  notes: z.array(z.string()),
  differencesBefore: z.array(Comparison),
  differencesAfter: z.array(Comparison),
  incidents: z.array(Incident),
  suspicions: z.array(Incident),
})
export type ReconcileReport = z.infer<typeof ReconcileReport>

/** `hourhand halt|resume --json`; `flatten` is null unless it was asked for, and `held` says what is not closed. */
export const HaltReport = z.strictObject({
  strategyId: StrategyId,
  halt: Halt.nullable(),
  phase: z.string(),
  flatten: z.strictObject({ isFlat: z.boolean(), held: z.array(z.string()), notes: z.array(z.string()) }).nullable(),
})

/** `hourhand live --json` */
export const LiveReport = z.strictObject({
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  isEarned: z.boolean(),
  gates: z.array(z.strictObject({ gate: z.string(), passed: z.boolean(), detail: z.string(), remedy: z.string().nullable() })),
  clearance: LiveClearance,
})
export type LiveReport = z.infer<typeof LiveReport>

/** `hourhand guard --explain --json` */
export const GuardReport = z.strictObject({
  strategyId: StrategyId,
  rules: z.array(z.strictObject({ rule: GuardRuleName, limit: z.string(), purpose: z.string(), appliesTo: z.enum(['always', 'entry']), halts: z.boolean(), enforcedIn: z.string() })),
})
export type GuardReport = z.infer<typeof GuardReport>

/** `hourhand doctor --json` */
export const DoctorReport = z.strictObject({
  ok: z.boolean(),
  checks: z.array(z.strictObject({ check: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string().nullable() })),
  /** What still keeps live entries out, whatever the checks say; null on paper. */
  liveBarriers: z.array(z.string()).nullable(),
})
export type DoctorReport = z.infer<typeof DoctorReport>

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

/** `hourhand replay --json` */
export const ReplayReport = z.strictObject({
  config: StrategyConfig,
  counts: z.strictObject({ bars: z.int(), slots: z.int(), entries: z.int(), refusals: z.int(), ambiguousBars: z.int() }),
  trades: z.array(ReplayTrade),
  metrics: z.strictObject({
    startEquity: MoneyText,
    endEquity: MoneyText,
    totalReturn: z.number(),
    maxDrawdown: z.number(),
    trades: z.int(),
    winRate: z.number().nullable(),
    averageR: z.number().nullable(),
    fees: MoneyText,
    funding: MoneyText,
    slippage: MoneyText,
    /** How often each guard rule refused an entry. */
    refusalsByRule: z.record(z.string(), z.int()),
    outcomes: z.record(z.string(), z.int()),
    /** Reasons of cycles that failed, and how often each. */
    failures: z.record(z.string(), z.int()),
    /** Set when trading ended before the history did. */
    halt: Halt.nullable(),
    /** Held at the end; not among the trades, but in the end equity. */
    openPosition: PositionReport.nullable(),
    /** Bars in which stop and target were both touched, over all bars with a position. */
    ambiguousBarShare: z.number().nullable(),
  }),
  gates: z.array(z.strictObject({ gate: z.string(), result: z.enum(['pass', 'fail', 'not_enough_evidence']), limit: z.number(), actual: z.number().nullable() })),
  baselines: z.record(z.string(), z.strictObject({ totalReturn: z.number() })),
  elapsedMs: z.number(),
})
export type ReplayReport = z.infer<typeof ReplayReport>
