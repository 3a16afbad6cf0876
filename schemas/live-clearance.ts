import { z } from 'zod'
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

/** A person's word that fewer paper trades are enough. */
export const ClearanceOverride = z.strictObject({ at: IsoTime, by: z.string().min(1), reason: z.string().min(1) })
export type ClearanceOverride = z.infer<typeof ClearanceOverride>

/** The present way of counting a paper record. Releases before 2026-12 counted the first way: days on which the decider had failed and the slot was called a hold. */
export const PAPER_COUNTING = 2

/** What speaks for letting a strategy trade real money. Kept with the paper partition, read by both modes. */
export const LiveClearance = z.strictObject({
  ...StoredVersion.shape,
  strategyId: StrategyId,
  credentials: VerifiedCredentials.nullable(),
  paper: PaperRecord.nullable(),
  /** How `paper` was counted: of another way of counting nothing is kept. */
  paperCounting: z.int().positive().default(1),
  override: ClearanceOverride.nullable(),
})
export type LiveClearance = z.infer<typeof LiveClearance>
