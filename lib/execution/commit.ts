import { UsageError } from '../core/invariant.ts'
import { fromIso, toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import type { LedgerEvent } from '../ledger/events.ts'
import { createState, type Transition, transitionAll } from '../ledger/transition.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExecutionPorts } from './ports.ts'
import { announce } from './publish.ts'
import { readToAct } from './read-state.ts'

/** The state moved under us: another function has committed. Nothing of ours was written to it; read again. */
export class StateConflict extends Error {
  override readonly name = 'StateConflict'
}

/**
 * The strategy's state; null before its first cycle or pass. Throws `CannotEnforce` where this release cannot act on
 * it.
 */
export async function loadStoredState(ports: ExecutionPorts): Promise<StrategyState | null> {
  const stored = await readToAct(ports, (from) => from.loadState(ports.config.id))
  // Whoever holds a state has delivered what it has to tell: the invocation that wrote it may have died before it
  // could.
  if (stored !== null) await deliver(ports, stored)
  return stored
}

/**
 * The strategy's state, made from the venue's cash the first time it is asked for, and halted where a person halted the
 * deployment before it had one. Throws `CannotEnforce` where this release cannot act on what is stored.
 */
export const loadOrCreateState = async (ports: ExecutionPorts): Promise<StrategyState> =>
  obeyEarlyHalt(ports, (await loadStoredState(ports)) ?? (await createFirstState(ports)))

/**
 * A halt of a deployment without state lies in its deployment item. It is read after the state was written and until
 * the first slot is done: a halt at the same moment is then seen by one side or the other.
 */
async function obeyEarlyHalt(ports: ExecutionPorts, state: StrategyState): Promise<StrategyState> {
  if (state.lastSlot !== null || state.halt !== null) return state
  const deployment = await readToAct(ports, (from) => from.loadDeployment(ports.config.id))
  const halt = deployment?.item.halt ?? null
  return halt === null ? state : commit(ports, state, [{ type: 'halted', at: toIso(ports.clock()), halt }])
}

async function createFirstState(ports: ExecutionPorts): Promise<StrategyState> {
  const { store, broker, config, clock } = ports
  const account = await broker.account()
  const first = createState(config.id, config.instrument, account.cash, toIso(clock()))
  const { outcome } = await store.saveState(first, true)
  if (outcome === 'saved') return first
  const winner = await readToAct(ports, (from) => from.loadState(config.id))
  if (winner === null) throw new StateConflict(`the state of ${config.id} appeared and vanished`)
  return winner
}

/** How often an invocation looks again after the state has moved under it, and how much longer it waits each time. */
const MAX_CONFLICTS = 5
const CONFLICT_PAUSE_MS = 50

/**
 * Does `work` again, from its beginning, when the state has moved under it; the last {@link StateConflict} is passed
 * on.
 */
export async function retryOnConflict<T>(
  { sleep, telemetry }: Pick<ExecutionPorts, 'sleep' | 'telemetry'>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StateConflict) || attempt === MAX_CONFLICTS) throw error
      telemetry.log('info', 'the state moved under us; looking again', { attempt })
      await sleep(CONFLICT_PAUSE_MS * attempt)
    }
  }
}

/**
 * Refuses to act in the past: with a clock before what is already recorded, prices, fills and deadlines would be of
 * another day. Throws {@link UsageError}; nothing has been written.
 */
export async function requireForwardClock(ports: ExecutionPorts): Promise<void> {
  const { config, clock } = ports
  const [state, book] = await readToAct(ports, (from) =>
    Promise.all([from.loadState(config.id), config.mode === 'paper' ? from.loadBook(config.id) : null]),
  )
  const now = clock()
  for (const known of [state?.updatedAt, book?.advancedTo]) {
    if (known === undefined || known === null || fromIso(known) <= now + limitsOf(config).clockToleranceMs) continue
    throw new UsageError(
      `it is ${toIso(now)} here, but ${config.id} has records of ${known}: correct the clock or --at, or use another --data-dir`,
    )
  }
}

/**
 * Applies events and makes them durable in one conditional write of the state. What follows from it (lines of the
 * history, domain events) travels in it as its outbox, and is delivered at once, or by whoever finds it after a crash:
 * one that lost the race leaves no trace, one that won it leaves a complete one. No events, no write. Throws
 * {@link StateConflict} when the state has moved since it was read.
 */
export async function commit(
  ports: ExecutionPorts,
  state: StrategyState,
  events: readonly LedgerEvent[],
): Promise<StrategyState> {
  return events.length === 0 ? state : commitAfter(ports, state, transitionAll(state, events))
}

/** {@link commit} of events that have been applied to `state` already, with what they led to. */
export async function commitAfter(
  ports: ExecutionPorts,
  state: StrategyState,
  { state: next, history, emissions }: Transition,
): Promise<StrategyState> {
  const { store, config, clock } = ports
  const at = toIso(clock())
  const told = emissions.map((emission, index) => ({
    ...emission,
    id: `${config.id}-${config.mode}-${state.version + 1}-${index}`,
    strategyId: config.id,
    mode: config.mode,
    at,
  }))
  const outbox = history.length === 0 && told.length === 0 ? null : { at, history, events: told }
  const saved = await store.saveState({ ...next, outbox }, false)
  if (saved.outcome === 'conflict')
    throw new StateConflict(`the state of ${config.id} is no longer version ${state.version}`)
  await deliver(ports, saved.state)
  return saved.state
}

/** Writes and tells what the state's outbox holds; doing so twice is harmless: keys and ids are the same. */
async function deliver(ports: ExecutionPorts, { outbox, version }: StrategyState): Promise<void> {
  if (outbox === null) return
  await ports.store.appendHistory(ports.config.id, outbox.history, version)
  await announce(ports, outbox.events)
}

/**
 * Takes a delivered outbox out of the stored state, at the end of an invocation: `own` if one of its commits filled it;
 * somebody else's is left to them while they may still be at work. Losing a race here loses nothing.
 */
export async function settleOutbox(
  { store, clock, config }: ExecutionPorts,
  state: StrategyState,
  { own }: { own: boolean },
): Promise<StrategyState> {
  if (state.outbox === null || (!own && clock() - fromIso(state.outbox.at) < limitsOf(config).outboxLifeMs))
    return state
  const saved = await store.saveState({ ...state, outbox: null }, false)
  return saved.outcome === 'saved' ? saved.state : state
}
