import type { EpochMs } from '../core/time.ts'
import type { NewsDigest } from '../../schemas/snapshot.ts'

/** Headlines known at an instant. Never rejects: a feed that fails is reported in the digest. */
export type NewsSource = { headlines(asOf: EpochMs): Promise<NewsDigest> }

/** Knows of nothing. */
export const noNews: NewsSource = { headlines: async () => ({ headlines: [], feeds: [] }) }
