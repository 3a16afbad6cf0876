import { z } from 'zod'
import { DecisionOutcome } from './decision.ts'
import { Instrument, TradingSession } from './instrument.ts'
import { Quote } from './market.ts'
import { Fill, OrderRequest, Placement, VenueOrder } from './order.ts'
import { IsoTime, Mode, QuantityText, StrategyId } from './primitives.ts'
import { Snapshot } from './snapshot.ts'
import { Accounting, Halt, Phase, TradeSummary } from './state.ts'
import { StoredVersion } from './stored.ts'
import { StrategySettings } from './strategy-config.ts'
import { Verdict } from './verdict.ts'

export const CycleOutcome = z.enum(['entered', 'closed', 'held', 'refused', 'skipped', 'halted', 'failed', 'dry_run'])
export type CycleOutcome = z.infer<typeof CycleOutcome>

/**
 * `read`: the market, the news or the account could not be read. `decide`: the decider gave no decision. `act`: the
 * decision could not be carried out or recorded. After the first two nothing was meant, so the slot may be tried again.
 */
export const FailedIn = z.enum(['read', 'decide', 'act'])
export type FailedIn = z.infer<typeof FailedIn>

/** The question as it was asked. `hash` covers version, system and user text. */
export const Prompt = z.strictObject({ version: z.string(), system: z.string(), user: z.string(), hash: z.string() })
export type Prompt = z.infer<typeof Prompt>

/** What the guard was given, kept whole so that its verdict can be had again from the record. */
export const GuardFacts = z.strictObject({
  now: IsoTime,
  quote: Quote,
  /** The instrument as the venue described it then, and whether it traded. */
  instrument: Instrument,
  session: TradingSession,
  accounting: Accounting,
  phase: Phase,
  halt: Halt.nullable(),
  trades: z.array(TradeSummary),
  /** Why live trading is not earned; says nothing on paper. */
  liveBarriers: z.array(z.string()),
  /** The largest live entry in contracts; null on paper. */
  sizeCap: QuantityText.nullable(),
  /** Incidents that nobody has resolved. */
  openIncidents: z.int().nonnegative(),
})
export type GuardFacts = z.infer<typeof GuardFacts>

/** One decision cycle from claim to emit. Steps not reached are null; `progress` says how far it came. */
export const CycleRecord = z.strictObject({
  ...StoredVersion.shape,
  cycleId: z.string(),
  strategyId: StrategyId,
  slot: IsoTime,
  mode: Mode,
  progress: z.enum(['claimed', 'snapshot', 'decided', 'judged', 'intended', 'finished']),
  outcome: CycleOutcome.nullable(),
  /** One sentence: why this outcome. */
  reason: z.string().nullable(),
  /**
   * Where a cycle with outcome `failed` failed; null for the other outcomes and for records of releases before 2026-12.
   */
  failedIn: FailedIn.nullable().default(null),
  claimedAt: IsoTime,
  /** Until then another invocation leaves this cycle alone. */
  leaseUntil: IsoTime,
  attempt: z.int().positive(),
  finishedAt: IsoTime.nullable(),
  /** As it was; what holds between settings is asked of configurations, not of the past. */
  config: StrategySettings,
  codeVersion: z.string(),
  snapshot: Snapshot.nullable(),
  prompt: Prompt.nullable(),
  /** Estimated by bytes / 4 where no provider counted them. */
  promptTokens: z.int().nonnegative().nullable(),
  decision: DecisionOutcome.nullable(),
  guardFacts: GuardFacts.nullable(),
  verdicts: z.array(Verdict),
  order: OrderRequest.nullable(),
  placement: Placement.nullable(),
  venueOrders: z.array(VenueOrder),
  fills: z.array(Fill),
  phaseAfter: Phase.nullable(),
  /** What reconciliation changed or found, in words. */
  reconciliation: z.array(z.string()),
  /**
   * What of the data was dead, late or incomplete when the snapshot was made: market, reference market, funding, feeds.
   */
  dataProblems: z.array(z.string()).default([]),
  timingsMs: z.record(z.string(), z.number()),
})
export type CycleRecord = z.infer<typeof CycleRecord>
