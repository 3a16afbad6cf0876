import { UsageError } from '../core/invariant.ts'
import { fromIso, MINUTE_MS, toIso } from '../core/time.ts'
import type { LedgerEvent } from '../ledger/events.ts'
import { createState, type Emission, transitionAll } from '../ledger/transition.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExecutionPorts } from './ports.ts'

/** The state moved under us: another function has committed. Nothing of ours was written to it; read again. */
export class StateConflict extends Error {
  override readonly name = 'StateConflict'
}

/** The strategy's state, made from the venue's cash the first time it is asked for. */
export async function loadOrCreateState(ports: ExecutionPorts): Promise<StrategyState> {
  const { store, broker, config, clock } = ports
  const stored = await store.loadState(config.id)
  if (stored !== null) return stored
  const account = await broker.account()
  const first = createState(config.id, account.cash, toIso(clock()))
  const { outcome } = await store.saveState(first, true)
  if (outcome === 'saved') return first
  const winner = await store.loadState(config.id)
  if (winner === null) throw new StateConflict(`the state of ${config.id} appeared and vanished`)
  return winner
}

/** Clocks of two machines may differ by this much. */
export const CLOCK_TOLERANCE_MS = 2 * MINUTE_MS

/** How often an invocation looks again after the state has moved under it, and how much longer it waits each time. */
const MAX_CONFLICTS = 5
const CONFLICT_PAUSE_MS = 50

/** Does `work` again, from its beginning, when the state has moved under it; the last {@link StateConflict} is passed on. */
export async function retryOnConflict<T>({ sleep, telemetry }: Pick<ExecutionPorts, 'sleep' | 'telemetry'>, work: () => Promise<T>): Promise<T> {
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
export async function requireForwardClock({ store, config, clock }: Pick<ExecutionPorts, 'store' | 'config' | 'clock'>): Promise<void> {
  const [state, book] = await Promise.all([store.loadState(config.id), config.mode === 'paper' ? store.loadBook(config.id) : null])
  const now = clock()
  for (const known of [state?.updatedAt, book?.advancedTo]) {
    if (known === undefined || known === null || fromIso(known) <= now + CLOCK_TOLERANCE_MS) continue
    throw new UsageError(`it is ${toIso(now)} here, but ${config.id} has records of ${known}: correct the clock or --at, or use another --data-dir`)
  }
}

/**
 * Applies events and makes them durable: what happened first (fills, funding, trades; harmless to write twice), then the
 * state in one conditional write, then what was meant (orders: the state holds the intent itself, and one that lost
 * the race must leave no trace), then the domain events. No events, no write. Throws {@link StateConflict} when the state has
 * moved since it was read.
 */
export async function commit(ports: ExecutionPorts, state: StrategyState, events: readonly LedgerEvent[]): Promise<StrategyState> {
  if (events.length === 0) return state
  const { store, config } = ports
  const { state: next, history, emissions } = transitionAll(state, events)
  const version = state.version + 1
  const lost = await store.appendHistory(config.id, history.filter(({ kind }) => kind !== 'ORDER'), version)
  const saved = await store.saveState(next, false)
  if (saved.outcome === 'conflict') throw new StateConflict(`the state of ${config.id} is no longer version ${state.version}`)
  // Somebody who has lost the race had written first: what this state says is what happened.
  await store.overwriteHistory(config.id, lost, version)
  await store.appendHistory(config.id, history.filter(({ kind }) => kind === 'ORDER'), version)
  await publish(ports, emissions)
  return saved.state
}

/** Events that somebody should hear of. */
const ALARMING: ReadonlySet<Emission['type']> = new Set(['naked', 'unknown', 'halted', 'failed'])

/** Sends what happened to the log, to the metrics the alarms watch, and to the bus, in this order. */
export async function publish(ports: ExecutionPorts, emissions: readonly Emission[]): Promise<void> {
  if (emissions.length === 0) return
  const { config, clock, telemetry, events } = ports
  const at = toIso(clock())
  for (const { type, subject, detail } of emissions) {
    const isAlarming = ALARMING.has(type)
    telemetry.log(isAlarming ? 'warn' : 'info', type, { subject, ...detail })
    // A metric costs money each month it is written in; those that nobody is woken by are in the log.
    if (isAlarming) telemetry.metric(type, 1, 'Count')
  }
  await events.publish(emissions.map((emission) => ({ ...emission, strategyId: config.id, mode: config.mode, at })))
}
