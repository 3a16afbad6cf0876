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
  /** UTC days with at least one cycle that counts. */
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

/** What speaks for letting a strategy trade real money. Kept with the paper partition, read by both modes. */
export const LiveClearance = z.strictObject({
  ...StoredVersion.shape,
  strategyId: StrategyId,
  credentials: VerifiedCredentials.nullable(),
  paper: PaperRecord.nullable(),
  override: ClearanceOverride.nullable(),
})
export type LiveClearance = z.infer<typeof LiveClearance>
