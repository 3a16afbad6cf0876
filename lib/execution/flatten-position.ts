import { SECOND_MS } from '../core/time.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { closePosition } from './close-position.ts'
import { loadOrCreateState, requireForwardClock, retryOnConflict, settleOutbox } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'
import { isExit } from './reconcile/check-exits.ts'
import type { Sync } from './ports.ts'
import { syncWithVenue } from './sync-with-venue.ts'
import type { VenueFacts } from './venue-facts.ts'

/** `isFlat`: ledger and venue hold nothing, and no exit rests that could open something. */
export type Flattening = { state: StrategyState; facts: VenueFacts; notes: string[]; isFlat: boolean }

/** Longer than an order of ours may stay unresolved: its deadline, and 30 s of asking after it. */
const ATTEMPTS = 12
const PAUSE_MS = 5 * SECOND_MS
/** What the ledger does not hold is not ours to close: looking longer changes nothing. */
const ATTEMPTS_ON_FOREIGN = 3

/**
 * Closes whatever the strategy holds at market, and looks until ledger and venue both say flat or it is clear that they
 * will not: the venue is closed, or holds what the ledger knows nothing of. Rejects when venue or store cannot be
 * reached.
 */
export async function flattenPosition(ports: ExecutionPorts): Promise<Flattening> {
  await requireForwardClock(ports)
  const notes: string[] = []
  for (let attempt = 1; ; attempt++) {
    const { state, facts, notes: found } = await retryOnConflict(ports, () => closeOnce(ports))
    notes.push(...found)
    const isFlat = state.phase.kind === 'flat' && facts.position === null && !facts.openOrders.some(isExit)
    const isHopeless = !facts.session.isOpen || (state.phase.kind === 'flat' && attempt >= ATTEMPTS_ON_FOREIGN)
    if (isFlat || isHopeless || attempt === ATTEMPTS) {
      if (!isFlat && !facts.session.isOpen) notes.push(`the venue is closed: ${facts.session.reason}`)
      return { state: await settleOutbox(ports, state, { own: true }), facts, notes, isFlat }
    }
    await ports.sleep(PAUSE_MS)
  }
}

async function closeOnce(ports: ExecutionPorts): Promise<Sync> {
  const synced = await syncWithVenue(ports, await loadOrCreateState(ports), { act: true })
  if (synced.state.phase.kind !== 'open') return synced
  const after = await syncWithVenue(ports, await closePosition(ports, synced.state, 'flatten'), { act: true })
  return { ...after, notes: [...synced.notes, ...after.notes] }
}
