import { toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { closePosition } from './close-position.ts'
import { commitAfter, settleOutbox } from './commit.ts'
import type { ExecutionPorts, Sync } from './ports.ts'
import { publish } from './publish.ts'
import { protectPosition } from './protect-position.ts'
import { isExit } from './reconcile/check-exits.ts'
import { type Action, reconcile } from './reconcile/reconcile.ts'
import { portsFor } from './held-instrument.ts'
import { gatherVenueFacts } from './gather-venue-facts.ts'

/** Rounds of looking and acting in one pass; what is left then waits for the next tick. */
const MAX_ROUNDS = 6
/** Between looks for a close that the venue does not know. */
const WAIT_MS = 2_000
/** Between rounds while an order of ours is on its way. */
const PAUSE_MS = 250

/**
 * Reconciles until ledger and venue agree or nothing more can be done now: look, let the ledger learn, act, look
 * again. Both functions begin with it, and every order of ours is followed by it. With `act` false nothing is sent
 * and the notes say what would have been done.
 */
export async function syncWithVenue(
  given: ExecutionPorts,
  start: StrategyState,
  { act }: { act: boolean },
): Promise<Sync> {
  const ports = portsFor(given, start)
  let state = start
  const notes: string[] = []
  const told = new Set<string>()
  // Together longer than the deadline of a close is away.
  const maxWaits = Math.ceil(limitsOf(ports.config).exitLifeMs / WAIT_MS) + 1
  let waits = 0
  for (let round = 1; ; round++) {
    const facts = await gatherVenueFacts(ports, state)
    const wasHalted = state.halt !== null
    const { events, after, actions, notes: found } = reconcile(state, facts)
    if (events.length > 0) state = await commitAfter(ports, state, after)
    notes.push(...found)
    for (const note of found) ports.telemetry.log('info', 'reconciled', { note })
    if (!wasHalted && state.halt !== null) await ports.schedule.disable(state.halt.reason)
    const isWaiting = state.phase.kind === 'opening' || state.phase.kind === 'closing'
    // Its sender may be gone, its exits are: this pass waits for the deadline rather than leave the position bare to
    // the next.
    const isBare =
      act &&
      state.phase.kind === 'closing' &&
      facts.pendingOrder === null &&
      facts.position !== null &&
      !facts.openOrders.some(isExit)
    if (isBare && actions.length === 0 && waits < maxWaits) {
      await ports.sleep(WAIT_MS)
      waits += 1
      round -= 1
      continue
    }
    if (!act) return { state, facts, notes: [...notes, ...actions.map((action) => `would ${describeAction(action)}`)] }
    if (round === MAX_ROUNDS || (actions.length === 0 && !isWaiting))
      return { state: await settleOutbox(ports, state, { own: state.version !== start.version }), facts, notes }
    // What was asked for takes its moment; what is wanted now is asked for at once.
    if (round >= 2) await ports.sleep(PAUSE_MS)
    for (const action of actions) {
      const text = describeAction(action)
      notes.push(text)
      ports.telemetry.log('info', 'acting', { action: text })
      await tellNaked(ports, action, told)
      state = await perform(ports, state, action)
    }
  }
}

/** Tells the owner of an exit that is not the approved one, once a pass: lists may show it for a while yet. */
async function tellNaked(ports: ExecutionPorts, action: Action, told: Set<string>): Promise<void> {
  if (action.kind !== 'cancel' || action.naked === undefined || told.has(action.orderId)) return
  told.add(action.orderId)
  await publish(ports, `${action.orderId}-differs-${toIso(ports.clock())}`, {
    type: 'naked',
    subject: action.naked,
    detail: { reason: action.why },
  })
}

async function perform(ports: ExecutionPorts, state: StrategyState, action: Action): Promise<StrategyState> {
  switch (action.kind) {
    case 'cancel': {
      const answer = await ports.broker.cancel(ports.config.market.symbol, action.orderId)
      if (answer.outcome !== 'accepted')
        ports.telemetry.log('warn', 'cancel not accepted', { orderId: action.orderId, ...answer })
      return state
    }
    case 'protect':
      return protectPosition(ports, state)
    case 'flatten':
      return closePosition(ports, state, action.reason)
    default:
      return action satisfies never
  }
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case 'cancel':
      return `cancel order ${action.orderId}: ${action.why}`
    case 'protect':
      return 'place the missing stop and target'
    case 'flatten':
      return `close the position at market: ${action.reason}`
    default:
      return action satisfies never
  }
}
