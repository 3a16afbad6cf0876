import { breachOf } from '../guard/limits.ts'
import { beginAnew, rollDay } from '../ledger/accounting.ts'
import { toIso } from '../core/time.ts'
import { StoreError } from '../store/item-store.ts'
import type { Halt, StrategyState } from '../../schemas/state.ts'
import { commit, loadStoredState, retryOnConflict, settleOutbox } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'

/** Neither a state nor a deployment item is there to keep a halt. */
export class NothingToHalt extends Error {
  override readonly name = 'NothingToHalt'
}

/** How often a deployment item is read again after somebody else has written it. */
const MAX_ATTEMPTS = 5

/**
 * Halts a strategy for good, over whatever state it meets; null before it has a state: the halt then lies in its
 * deployment item, and its first state takes it over. Nothing is made. Throws {@link NothingToHalt}.
 */
export async function haltStrategy(ports: ExecutionPorts, halt: Halt): Promise<StrategyState | null> {
  const state = await haltState(ports, halt)
  if (state !== null) return state
  await changeEarlyHalt(ports, halt)
  // A function may have made the first state at this moment, before it could read the halt: see loadOrCreateState.
  return haltState(ports, halt)
}

async function haltState(ports: ExecutionPorts, halt: Halt): Promise<StrategyState | null> {
  const state = await retryOnConflict(ports, async () => {
    const stored = await loadStoredState(ports)
    return stored === null ? null : commit(ports, stored, [{ type: 'halted', at: halt.at, halt }])
  })
  return state === null ? null : settleOutbox(ports, state, { own: true })
}

/**
 * What a resume found and left behind; both are null before the strategy has a state. `refusal`: why it was not
 * resumed, null where it was; then nothing has changed.
 */
export type Resumption = {
  before: StrategyState | null
  after: StrategyState | null
  earlyHalt: Halt | null
  refusal: string | null
}

/**
 * Lifts a halt and settles incidents, in the deployment item first: whoever dies in between leaves it halted. A live
 * strategy that has reached a ceiling which no resume begins anew is left halted: the next pass would halt it again.
 */
export async function resumeStrategy(ports: ExecutionPorts): Promise<Resumption> {
  const { store, config, clock } = ports
  const stored = await loadStoredState(ports)
  const refusal = stored === null ? null : ceilingReached(stored, ports)
  if (refusal !== null) return { before: stored, after: stored, earlyHalt: null, refusal }
  const earlyHalt = (await store.loadDeployment(config.id))?.item.halt ?? null
  if (earlyHalt !== null) await changeEarlyHalt(ports, null)
  const { before, after } = await retryOnConflict(ports, async () => {
    const found = await loadStoredState(ports)
    const isStopped = found !== null && (found.halt !== null || found.incidents.length > 0)
    return {
      before: found,
      after: isStopped ? await commit(ports, found, [{ type: 'resumed', at: toIso(clock()) }]) : found,
    }
  })
  return { before, after: after === null ? null : await settleOutbox(ports, after, { own: true }), earlyHalt, refusal }
}

/** The ceiling of live trading that the books would still have reached after a resume, in words; null for none. */
function ceilingReached({ accounting, instrument }: StrategyState, { config, clock }: ExecutionPorts): string | null {
  const breach = breachOf(beginAnew(rollDay(accounting, toIso(clock()), instrument.calendar)), config)
  return breach === null ? null : breach.reason
}

/** Writes the halt that a deployment without state keeps; null lifts it. */
async function changeEarlyHalt({ store, config }: ExecutionPorts, halt: Halt | null): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await store.loadDeployment(config.id)
    if (stored === null)
      throw new NothingToHalt(
        `${config.mode} ${config.id} has neither a state nor a deployment item, and nothing can keep a halt: ` +
          `switch off what runs it, for a deployment with: aws events disable-rule --name hourhand-${config.id}-cycle`,
      )
    // The first halt stands, as it does in a state.
    if (halt !== null && stored.item.halt !== null) return
    if ((await store.saveDeployment({ ...stored.item, halt }, stored.version)) === 'saved') return
  }
  throw new StoreError(`the deployment item of ${config.id} is being written by others: try again`)
}
