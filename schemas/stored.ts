import { z } from 'zod'

/**
 * The version of stored items that this release writes, and reads without help. Version 1 is what the releases before
 * 2026-12 wrote; `lib/store/migrations.ts` brings older items forward.
 */
export const STORED_VERSION = 3

/** The least version that a release must read before it may act on what this release writes. */
export const MIN_READER = 3

const version = z.int().positive()

/** What every stored item bears: the version it was written in, and the least one that a reader needs to act on it. */
export const StoredVersion = z.object({ schemaVersion: version, minReader: version })
export type StoredVersion = z.infer<typeof StoredVersion>

/** The version fields of an item that is new. */
export const CURRENT_VERSION: StoredVersion = { schemaVersion: STORED_VERSION, minReader: MIN_READER }
