import { cycleIdOf } from '../core/ids.ts'
import { type EpochMs, fromIso, SECOND_MS, toIso } from '../core/time.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'
import type { CyclePorts } from './ports.ts'

/** A cycle left alone for this long is taken over: longer than a function may run. */
export const LEASE_MS = 240 * SECOND_MS

export type Claim =
  /** The slot is ours. `resumed` keeps what an earlier, crashed attempt had got done. */
  | { kind: 'claimed'; record: CycleRecord; resumed: boolean }
  /** Somebody else has done it or is doing it. */
  | { kind: 'taken'; record: CycleRecord; reason: string }

/**
 * Takes a slot. The first claim creates the cycle's record; a later one takes it over only if it is
 * unfinished and its lease has run out, with a higher attempt number, so that a holder that wakes up late can
 * no longer write.
 */
export async function claimSlot(ports: CyclePorts, slot: EpochMs, now: EpochMs): Promise<Claim> {
  const { store, config } = ports
  const fresh = newRecord(ports, slot, now)
  if ((await store.createCycle(fresh)) === 'saved') return { kind: 'claimed', record: fresh, resumed: false }
  const existing = await store.loadCycle(config.id, toIso(slot))
  if (existing === null)
    return { kind: 'taken', record: fresh, reason: 'the record of this slot appeared and vanished' }
  if (existing.progress === 'finished')
    return { kind: 'taken', record: existing, reason: `this slot is done already: ${existing.outcome}` }
  if (now < fromIso(existing.leaseUntil))
    return {
      kind: 'taken',
      record: existing,
      reason: `another invocation is at work on this slot until ${existing.leaseUntil}`,
    }
  // To go on with what another release has begun, all of it has to be understood.
  const begun = await store.loadCycle(config.id, toIso(slot), 'act')
  if (begun === null || begun.attempt !== existing.attempt)
    return taken(existing, 'another invocation has just taken this slot over')
  const takenOver: CycleRecord = {
    ...begun,
    attempt: begun.attempt + 1,
    claimedAt: toIso(now),
    leaseUntil: toIso(now + LEASE_MS),
  }
  const outcome = await store.saveCycle(takenOver, begun.attempt)
  return outcome === 'saved'
    ? { kind: 'claimed', record: takenOver, resumed: true }
    : taken(existing, 'another invocation has just taken this slot over')
}

const taken = (record: CycleRecord, reason: string): Claim => ({ kind: 'taken', record, reason })

/** The record of a cycle that has only begun. */
export function newRecord(
  { config, codeVersion }: Pick<CyclePorts, 'config' | 'codeVersion'>,
  slot: EpochMs,
  now: EpochMs,
): CycleRecord {
  return {
    ...CURRENT_VERSION,
    cycleId: cycleIdOf(config.id, slot),
    strategyId: config.id,
    slot: toIso(slot),
    mode: config.mode,
    progress: 'claimed',
    outcome: null,
    reason: null,
    claimedAt: toIso(now),
    leaseUntil: toIso(now + LEASE_MS),
    attempt: 1,
    finishedAt: null,
    config,
    codeVersion,
    snapshot: null,
    prompt: null,
    promptTokens: null,
    decision: null,
    guardFacts: null,
    verdicts: [],
    order: null,
    placement: null,
    venueOrders: [],
    fills: [],
    phaseAfter: null,
    reconciliation: [],
    timingsMs: {},
  }
}
