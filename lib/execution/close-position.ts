import { dec } from '../core/decimal.ts'
import { clientOrderIdOf } from '../core/ids.ts'
import { fromIso, toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import { closingSide } from '../ledger/position.ts'
import type { CloseOrder } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExitReason } from '../../schemas/trade.ts'
import { commit } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'
import { sendOrder } from './send-order.ts'
import { portsFor } from './held-instrument.ts'
import { isExit } from './reconcile/check-exits.ts'

const CANCEL_PAUSE_MS = 500

/**
 * Closes the open position at market: cancel the resting exits and see them gone, read the position again, commit the
 * close (whoever commits it sends it; anybody else meets a conflict and stands back), then close exactly what is
 * there. Until the commit the position is open, and whoever comes by protects it again; whatever cannot be done
 * leads back there. The fills are picked up by the next reconciliation.
 */
export async function closePosition(
  given: ExecutionPorts,
  state: StrategyState,
  reason: ExitReason,
): Promise<StrategyState> {
  const { phase } = state
  if (phase.kind !== 'open') return state
  const ports = portsFor(given, state)
  const { broker, config, clock, telemetry } = ports
  const { position } = phase
  const { symbol } = config.market
  const standBack = (why: string): StrategyState => {
    telemetry.log('warn', 'the position cannot be closed now', { reason, why })
    return state
  }
  const { session } = await broker.instrument(symbol)
  // Its exits would be cancelled for nothing.
  if (!session.isOpen) return standBack(`the venue is closed: ${session.reason}`)
  const { nextClose } = session
  const { exitLifeMs } = limitsOf(config)
  // Exits are cancelled and the position is read before a close is sent: begun this late it may find the venue closed.
  const closesSoon = nextClose !== null && fromIso(nextClose) - clock() < exitLifeMs
  // Cancelled now and refused then, it would leave the position bare until the venue opens again.
  if (closesSoon && (await broker.openOrders(symbol)).some(isExit))
    return standBack(`the venue closes at ${nextClose}, and an exit rests`)
  if (position.protection.status === 'intended' && clock() <= fromIso(position.protection.deadline)) {
    // Sent a moment ago and not in the lists yet, it could fire beside the close and open the other side.
    return standBack('a stop that has just been sent is not visible yet')
  }
  if (!(await cancelExits(ports))) return standBack('the resting exits could not be cancelled')
  const held = await broker.position(symbol)
  // More than ours may be there, by somebody's hand: only ours is closed.
  if (held === null || held.side !== position.side || dec(held.quantity).lt(position.quantity)) {
    return standBack(`the venue holds ${held === null ? 'nothing' : `a ${held.side} of ${held.quantity}`} now`)
  }
  const now = clock()
  const order: CloseOrder = {
    kind: 'close',
    clientOrderId: clientOrderIdOf(config.id, fromIso(position.openedAt), 'close', position.closeAttempts),
    symbol,
    side: closingSide(position.side),
    quantity: position.quantity,
  }
  const deadline = now + exitLifeMs
  const intent = {
    order,
    reason,
    attempt: position.closeAttempts,
    status: 'intended' as const,
    orderId: null,
    intendedAt: toIso(now),
    deadline: toIso(deadline),
  }
  const intended = await commit(ports, state, [{ type: 'close_intended', at: toIso(now), intent }])
  const placement = await sendOrder(ports, order, deadline)
  const at = toIso(clock())
  switch (placement.outcome) {
    case 'accepted':
      return commit(ports, intended, [
        { type: 'close_acknowledged', at, status: 'accepted', orderId: placement.orderId },
      ])
    case 'unknown': {
      // An earlier one under its id has arrived: what became of that is asked, and the next has another id.
      const isTaken = placement.refusal === 'duplicate_id'
      return commit(ports, intended, [
        { type: 'close_acknowledged', at, status: isTaken ? 'accepted' : 'unknown', orderId: null },
      ])
    }
    case 'rejected':
      return commit(ports, intended, [{ type: 'close_ended', at, end: 'rejected', reason: placement.reason }])
    default:
      return placement satisfies never
  }
}

/**
 * Cancels every resting exit, ours or made by hand (it blocks the close, and without a position it would open one), and
 * waits until the venue no longer lists one.
 */
async function cancelExits({ broker, config, clock, sleep, telemetry }: ExecutionPorts): Promise<boolean> {
  const { symbol } = config.market
  const until = clock() + limitsOf(config).cancelPatienceMs
  for (let isFirst = true; ; isFirst = false) {
    const resting = (await broker.openOrders(symbol)).filter(isExit)
    if (resting.length === 0) return true
    if (clock() > until) return false
    for (const order of resting) {
      const answer = await broker.cancel(symbol, order.orderId)
      if (answer.outcome !== 'accepted')
        telemetry.log('warn', 'cancel not accepted', { orderId: order.orderId, ...answer })
    }
    if (!isFirst) await sleep(CANCEL_PAUSE_MS)
  }
}
