import { z } from 'zod'
import { CycleOutcome } from './cycle-record.ts'
import { Decision, DecisionFailure } from './decision.ts'
import { Gate, Metrics } from './metrics.ts'
import { LiveClearance } from './live-clearance.ts'
import { OrderRequest, VenueAccount, VenueOrder, VenuePosition } from './order.ts'
import { MoneyText, IsoTime, Mode, QuantityText, StrategyId } from './primitives.ts'
import { Answers, PositionReport, Trial } from './replay.ts'
import { SizingEvidence } from './strategy-config.ts'
import { Accounting, DeciderStreak, Halt, Incident, IntentStatus } from './state.ts'
import { Trade } from './trade.ts'
import { GuardRuleName, Verdict } from './verdict.ts'

/** What a command acted on. `symbol` and `venue` are null where the configuration is not known. */
export const Target = z.strictObject({
  strategyId: StrategyId,
  mode: Mode,
  /** Where orders go: the exchange in live mode, else the paper venue on the prices of a market. */
  venue: z.string().nullable(),
  symbol: z.string().nullable(),
  table: z.string(),
  store: z.string(),
})
export type Target = z.infer<typeof Target>

/** What stands in the place of a document where a command that acts on several strategies failed for one. */
export const FailedTarget = z.strictObject({ target: Target, error: z.string() })

/** Where a cycle's full record lies; null for a dry run, which leaves none. */
export const RecordLocation = z
  .strictObject({ store: z.string(), table: z.string(), pk: z.string(), sk: z.string() })
  .nullable()
export type RecordLocation = z.infer<typeof RecordLocation>

/** `hourhand cycle --json` */
export const CycleReport = z.strictObject({
  cycleId: z.string(),
  slot: IsoTime,
  mode: Mode,
  decider: z.string(),
  outcome: CycleOutcome,
  reason: z.string(),
  /** null also where the decider failed; `failure` says with what. */
  decision: Decision.nullable(),
  failure: DecisionFailure.nullable(),
  verdicts: z.array(Verdict),
  order: OrderRequest.nullable(),
  position: PositionReport.nullable(),
  record: RecordLocation,
})
export type CycleReport = z.infer<typeof CycleReport>

/** `hourhand enforce --json` */
export const EnforcementReport = z.strictObject({
  target: Target,
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
export const Comparison = z.strictObject({
  what: z.string(),
  ledger: z.string(),
  venue: z.string(),
  agrees: z.boolean(),
})
export type Comparison = z.infer<typeof Comparison>

/** `hourhand status --json` */
export const StatusReport = z.strictObject({
  target: Target,
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  phase: z.string(),
  halt: Halt.nullable(),
  accounting: Accounting,
  position: PositionReport.nullable(),
  venue: z.strictObject({
    name: z.string(),
    account: VenueAccount,
    position: VenuePosition.nullable(),
    openOrders: z.array(VenueOrder),
  }),
  comparison: z.array(Comparison),
  /** The order under way, if any. */
  pending: z
    .strictObject({
      order: OrderRequest,
      status: IntentStatus,
      orderId: z.string().nullable(),
      intendedAt: IsoTime,
      deadline: IsoTime,
    })
    .nullable(),
  incidents: z.array(Incident),
  /** Differences seen lately and not believed yet. */
  suspicions: z.array(Incident),
  /** Slots in a row at which the decider failed; null while it decides. */
  deciderStreak: DeciderStreak.nullable(),
  /** Why live trading is not earned, and the largest entry it may make now, in contracts; null on paper. */
  live: z.strictObject({ barriers: z.array(z.string()), sizeCap: QuantityText }).nullable(),
  lastSlot: IsoTime.nullable(),
})
export type StatusReport = z.infer<typeof StatusReport>

/** `hourhand trades --json` */
export const TradesReport = z.strictObject({ target: Target, strategyId: StrategyId, trades: z.array(Trade) })

/** `hourhand reconcile --json` */
export const ReconcileReport = z.strictObject({
  target: Target,
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

/**
 * `hourhand halt|resume --json`; `flatten` is null unless it was asked for, and `held` says what is not closed. The
 * phase is `none` before there is a state.
 */
export const HaltReport = z.strictObject({
  target: Target,
  strategyId: StrategyId,
  halt: Halt.nullable(),
  phase: z.string(),
  flatten: z.strictObject({ isFlat: z.boolean(), held: z.array(z.string()), notes: z.array(z.string()) }).nullable(),
  /** The rule that wakes the decision cycle, and whether it was switched; null where none is known. */
  schedule: z.strictObject({ rule: z.string(), isSwitched: z.boolean() }).nullable(),
})
export type HaltReport = z.infer<typeof HaltReport>

/** `hourhand live --json` */
export const LiveReport = z.strictObject({
  target: Target,
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  isEarned: z.boolean(),
  gates: z.array(
    z.strictObject({ gate: z.string(), passed: z.boolean(), detail: z.string(), remedy: z.string().nullable() }),
  ),
  clearance: LiveClearance,
})
export type LiveReport = z.infer<typeof LiveReport>

/** `hourhand guard --explain --json` */
export const GuardReport = z.strictObject({
  strategyId: StrategyId,
  rules: z.array(
    z.strictObject({
      rule: GuardRuleName,
      limit: z.string(),
      purpose: z.string(),
      appliesTo: z.enum(['always', 'entry']),
      halts: z.boolean(),
      enforcedIn: z.string(),
    }),
  ),
})
export type GuardReport = z.infer<typeof GuardReport>

/** `hourhand guard --prove --json` */
export const GuardProof = z.strictObject({
  strategyId: StrategyId,
  /** Whether every rule refused its case, and both account limits halted. */
  isProven: z.boolean(),
  rules: z.array(
    z.strictObject({
      rule: GuardRuleName,
      case: z.string(),
      narrowed: z.string().nullable(),
      verdict: z.enum(['fires', 'silent', 'always']),
      reason: z.string(),
      halts: z.boolean(),
    }),
  ),
})
export type GuardProof = z.infer<typeof GuardProof>

/** `hourhand guard --if equity=8400 --json`: where an account of this equity would stand against the limits. */
export const GuardForecast = z.strictObject({
  strategyId: StrategyId,
  halts: z.boolean(),
  given: z.strictObject({ equity: MoneyText, peak: MoneyText, dayStart: MoneyText }),
  limits: z.array(
    z.strictObject({
      rule: GuardRuleName,
      actual: z.number(),
      limit: z.number(),
      isBreached: z.boolean(),
      reason: z.string(),
    }),
  ),
})
export type GuardForecast = z.infer<typeof GuardForecast>

/** `hourhand account moved AMOUNT --json` */
export const AccountMovedReport = z.strictObject({
  target: Target,
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  amount: MoneyText,
  outcome: z.enum(['booked', 'explained', 'expected', 'refused']),
  /** The venue's cash less the ledger's, before the transfer was booked. */
  difference: MoneyText,
  /** What of earlier differences is still without an explanation. */
  unexplained: MoneyText,
  /** Deposits less withdrawals so far. */
  transferred: MoneyText,
  equity: MoneyText,
  isHalted: z.boolean(),
})
export type AccountMovedReport = z.infer<typeof AccountMovedReport>

/** `hourhand doctor --json` */
export const DoctorReport = z.strictObject({
  target: Target,
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({ check: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string().nullable() }),
  ),
  /** What still keeps live entries out, whatever the checks say; null on paper. */
  liveBarriers: z.array(z.string()).nullable(),
})
export type DoctorReport = z.infer<typeof DoctorReport>

/** `hourhand trials --json` */
export const TrialsReport = z.strictObject({ trials: z.array(Trial) })

/** `hourhand evidence --json`: the part of a configuration that sizes by it. */
export const EvidenceReport = z.strictObject({ sizing: z.strictObject({ evidence: SizingEvidence }) })

/** One contestant of a comparison, or one guise of an audit. */
export const WalkSummary = z.strictObject({
  name: z.string(),
  decider: z.string(),
  model: z.string().nullable(),
  /** Which of repeated answers; null for a decider that always says the same. */
  sample: z.int().nullable(),
  totalReturn: z.number(),
  sharpe: z.number().nullable(),
  maxDrawdown: z.number(),
  trades: z.int(),
  winRate: z.number().nullable(),
  averageR: z.number().nullable(),
  fees: z.string(),
  funding: z.string(),
  refusals: z.int(),
  /** Slots at which the decider failed. */
  failures: z.int(),
  /** Its trial in the ledger. */
  trialId: z.string(),
  tokens: z.strictObject({ input: z.int(), output: z.int() }),
  tokenCostUsd: z.number().nullable(),
  haltedAt: IsoTime.nullable(),
})
export type WalkSummary = z.infer<typeof WalkSummary>

/** How far several walks through the same slots decided the same; see `lib/decision/agreement.ts`. */
export const AgreementSummary = z.strictObject({
  compared: z.int(),
  meanShare: z.number().nullable(),
  unanimousShare: z.number().nullable(),
  kappa: z.number().nullable(),
})
export type AgreementSummary = z.infer<typeof AgreementSummary>

/**
 * `hourhand compare --json` and `hourhand audit --json` where too many answers of a walk failed: nothing is compared.
 */
export const FailedWalks = z.strictObject({
  from: IsoTime,
  to: IsoTime,
  problem: z.string(),
  /** The walks that were made, the one that failed last. */
  walks: z.array(
    z.strictObject({
      name: z.string(),
      decider: z.string(),
      model: z.string().nullable(),
      sample: z.int().nullable(),
      answers: Answers,
    }),
  ),
})
export type FailedWalks = z.infer<typeof FailedWalks>

/** `hourhand compare --json` */
export const CompareReport = z.strictObject({
  from: IsoTime,
  to: IsoTime,
  /** What was read and guessed of the files, a line a file. */
  notes: z.array(z.string()).default([]),
  slots: z.int(),
  walks: z.array(WalkSummary),
  /** Between every two walks, by index: share of slots with the same action. */
  pairs: z.array(z.strictObject({ first: z.int(), second: z.int(), share: z.number().nullable() })),
  /** Over all walks. */
  agreement: AgreementSummary,
  /** Among the repeated samples of each contestant that was asked more than once. */
  samples: z.array(z.strictObject({ name: z.string(), agreement: AgreementSummary })),
})
export type CompareReport = z.infer<typeof CompareReport>

/** `hourhand audit --json` */
export const AuditReport = z.strictObject({
  from: IsoTime,
  to: IsoTime,
  notes: z.array(z.string()).default([]),
  slots: z.int(),
  cutoff: IsoTime.nullable(),
  /** The history as it was first, then its guises. */
  guises: z.array(
    WalkSummary.extend({
      /** Share of slots with the same action as without a guise, and of entries there that were made here too. */
      sameActions: z.number().nullable(),
      sameEntries: z.number().nullable(),
      kappa: z.number().nullable(),
      /** Results up to the model's knowledge cutoff and after it. */
      returnBefore: z.number().nullable(),
      returnAfter: z.number().nullable(),
    }),
  ),
})
export type AuditReport = z.infer<typeof AuditReport>

/** `hourhand sweep --json` */
export const SweepReport = z.strictObject({
  from: IsoTime,
  to: IsoTime,
  notes: z.array(z.string()).default([]),
  /** Settings varied, in the order of the grid. */
  varied: z.array(z.string()),
  runs: z.array(
    z.strictObject({
      trialId: z.string(),
      settings: z.record(z.string(), z.unknown()),
      totalReturn: z.number(),
      sharpe: z.number().nullable(),
      maxDrawdown: z.number(),
      trades: z.int(),
      fees: z.string(),
      haltedAt: IsoTime.nullable(),
    }),
  ),
  /** Probability that the best of them is more than luck, all trials on this market counted. */
  best: z
    .strictObject({ trialId: z.string(), sharpe: z.number(), trials: z.int(), deflatedSharpe: z.number().nullable() })
    .nullable(),
  elapsedMs: z.number(),
})
export type SweepReport = z.infer<typeof SweepReport>

/** `hourhand report --json` */
export const ReportWritten = z.strictObject({
  directory: z.string(),
  files: z.array(z.string()),
  /** Size of the page. */
  bytes: z.int().positive(),
  verdict: z.enum(['pass', 'fail', 'not_enough_evidence', 'not_judged']),
  sentence: z.string(),
  /** null where too many answers failed for there to be any. */
  metrics: Metrics.nullable(),
  gates: z.array(Gate),
})
