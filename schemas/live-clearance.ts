import { z } from 'zod'
import { Gate } from './metrics.ts'
import { IsoTime, StrategyId } from './primitives.ts'
import { StoredVersion } from './stored.ts'

/** What a key was found to be, when every check of the venue passed. */
export const VerifiedCredentials = z.strictObject({
  verifiedAt: IsoTime,
  /** First 16 hexadecimal digits of the SHA-256 of the key's name. */
  keyFingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  portfolioUuid: z.string().min(1),
  symbol: z.string().min(1),
})
export type VerifiedCredentials = z.infer<typeof VerifiedCredentials>

/** What a strategy did on paper, on live prices, with the settings it has now. */
export const PaperRecord = z.strictObject({
  evaluatedAt: IsoTime,
  /** First and last slot that count; null when none does. */
  firstSlot: IsoTime.nullable(),
  lastSlot: IsoTime.nullable(),
  /** UTC days with at least one cycle that counts, and with more of them than of slots that failed. */
  days: z.int().nonnegative(),
  cycles: z.int().nonnegative(),
  /** Closed trades that such cycles opened. */
  trades: z.int().nonnegative(),
  unresolvedIncidents: z.int().nonnegative(),
  /** Hash of the settings that make the strategy what it is; see `strategyHashOf`. */
  configHash: z.string(),
})
export type PaperRecord = z.infer<typeof PaperRecord>

/** Gates that a person may waive, each by its name; credentials, days and incidents are not among them. */
export const WAIVABLE_GATES = ['paper_trades', 'record_sharpe', 'record_drawdown', 'record_trades'] as const
export const WaivableGate = z.enum(WAIVABLE_GATES)
export type WaivableGate = z.infer<typeof WaivableGate>

/** A person's word that one gate need not be reached. */
export const ClearanceWaiver = z.strictObject({
  gate: WaivableGate,
  at: IsoTime,
  by: z.string().min(1),
  reason: z.string().min(1),
})
export type ClearanceWaiver = z.infer<typeof ClearanceWaiver>

/**
 * What a record of the same settings came to, judged when it was looked at: the paper record's own figures, or those of
 * a replay of days that the model cannot have read of.
 */
export const RecordFigures = z.strictObject({
  source: z.enum(['paper', 'replay']),
  /** The directory of the replay; of the paper record its first and last slot. */
  name: z.string(),
  evaluatedAt: IsoTime,
  configHash: z.string(),
  /** Sharpe ratio, drawdown and number of trades, each with the limit that it was judged by. */
  gates: z.array(Gate),
})
export type RecordFigures = z.infer<typeof RecordFigures>

/**
 * The present way of counting a paper record. Releases before 2026-12 counted the first way: days on which the decider
 * had failed and the slot was called a hold.
 */
export const PAPER_COUNTING = 2

/** What speaks for letting a strategy trade real money. Kept with the paper partition, read by both modes. */
export const LiveClearance = z.strictObject({
  ...StoredVersion.shape,
  strategyId: StrategyId,
  credentials: VerifiedCredentials.nullable(),
  paper: PaperRecord.nullable(),
  /** How `paper` was counted: of another way of counting nothing is kept. */
  paperCounting: z.int().positive().default(1),
  /** At most one of each source. */
  figures: z.array(RecordFigures),
  waivers: z.array(ClearanceWaiver),
})
export type LiveClearance = z.infer<typeof LiveClearance>
