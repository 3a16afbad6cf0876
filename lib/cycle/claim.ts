import { intervalMsOf } from '../core/interval.ts'
import { cycleIdOf } from '../core/ids.ts'
import { type EpochMs, fromIso, toIso } from '../core/time.ts'
import { UnreadableItem } from '../store/unreadable-item.ts'
import { limitsOf } from '../core/time-limits.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'
import type { CyclePorts } from './cycle-ports.ts'

export type Claim =
  /** The slot is ours. `resumed` keeps what an earlier, crashed attempt had got done. */
  | { kind: 'claimed'; record: CycleRecord; resumed: boolean }
  /** Somebody else has done it or is doing it. */
  | { kind: 'taken'; record: CycleRecord; reason: string }
  /** An earlier slot's invocation is still at work: this slot is skipped, and `record` says so. */
  | { kind: 'overrun'; record: CycleRecord; reason: string }

/**
 * Takes a slot. The first claim creates the cycle's record; a later one takes it over, with a higher attempt number, so
 * that a holder that wakes up late can no longer write: if it is unfinished and its lease has run out, or if it failed
 * before anything was decided and the slot's time is not over.
 */
export async function claimSlot(ports: CyclePorts, slot: EpochMs, now: EpochMs): Promise<Claim> {
  const { store, config } = ports
  const fresh = newRecord(ports, slot, now)
  const busy = await findHeldBefore(ports, slot, now)
  if (busy !== null) return skipAsOverrun(ports, fresh, busy, now)
  if ((await store.createCycle(fresh)) === 'saved') return { kind: 'claimed', record: fresh, resumed: false }
  const existing = await store.loadCycle(config.id, toIso(slot))
  if (existing === null)
    return { kind: 'taken', record: fresh, reason: 'the record of this slot appeared and vanished' }
  const isDone = existing.progress === 'finished' && !mayTryAgain(existing, slot, now)
  if (isDone) return { kind: 'taken', record: existing, reason: `this slot is done already: ${existing.outcome}` }
  if (existing.progress !== 'finished' && now < fromIso(existing.leaseUntil))
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
    ...(mayTryAgain(begun, slot, now) ? { ...begun, ...fresh, reconciliation: triedBefore(begun) } : begun),
    attempt: begun.attempt + 1,
    claimedAt: toIso(now),
    leaseUntil: toIso(now + limitsOf(config).leaseMs),
  }
  const outcome = await store.saveCycle(takenOver, begun.attempt)
  return outcome === 'saved'
    ? { kind: 'claimed', record: takenOver, resumed: true }
    : taken(existing, 'another invocation has just taken this slot over')
}

/** The cycle of an earlier slot whose lease is still held, the newest first; null where there is none. */
async function findHeldBefore({ store, config }: CyclePorts, slot: EpochMs, now: EpochMs): Promise<CycleRecord | null> {
  const intervalMs = intervalMsOf(config)
  const count = Math.ceil(limitsOf(config).leaseMs / intervalMs)
  const earlier = await Promise.all(
    Array.from({ length: count }, (_, index) => slot - (index + 1) * intervalMs)
      .filter((before) => before >= 0)
      .map((before) => store.loadCycle(config.id, toIso(before)).catch(unlessUnreadable)),
  )
  return (
    earlier.find((record) => record !== null && record.progress !== 'finished' && now < fromIso(record.leaseUntil)) ??
    null
  )
}

/** A record that cannot be read says nothing of a lease; taking its own slot over would say so. */
function unlessUnreadable(error: unknown): null {
  if (error instanceof UnreadableItem) return null
  throw error
}

/** Writes the record of a slot that is skipped because the cycle of an earlier one is still running. */
async function skipAsOverrun(
  { store }: CyclePorts,
  fresh: CycleRecord,
  { cycleId, leaseUntil }: CycleRecord,
  now: EpochMs,
): Promise<Claim> {
  const reason = `overrun: the cycle ${cycleId} is still at work, or its lease runs until ${leaseUntil}; nothing was decided for this slot`
  const record: CycleRecord = {
    ...fresh,
    progress: 'finished',
    outcome: 'skipped',
    reason,
    leaseUntil: toIso(now),
    finishedAt: toIso(now),
  }
  const saved = await store.createCycle(record)
  return saved === 'saved' ? { kind: 'overrun', record, reason } : taken(fresh, 'another invocation has this slot')
}

/**
 * Whether a slot may be gone through from its beginning again: it failed before anything was decided, so no order was
 * meant, and its time is not over.
 */
function mayTryAgain({ progress, failedIn, decision, config }: CycleRecord, slot: EpochMs, now: EpochMs): boolean {
  if (now >= slot + intervalMsOf(config)) return false
  return progress === 'finished' ? failedIn === 'read' || failedIn === 'decide' : (decision?.failure ?? null) !== null
}

/** What the record keeps of the attempt that failed. */
function triedBefore({ reconciliation, attempt, reason, decision }: CycleRecord): string[] {
  const failure = decision?.failure ?? null
  const why = reason ?? (failure === null ? 'unknown' : `${failure.kind}: ${failure.message}`)
  return [...reconciliation, `attempt ${attempt} failed: ${why}`]
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
    failedIn: null,
    claimedAt: toIso(now),
    leaseUntil: toIso(now + limitsOf(config).leaseMs),
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
    dataProblems: [],
    timingsMs: {},
  }
}
