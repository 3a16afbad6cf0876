import { dec } from '../core/decimal.ts'
import { clientOrderIdOf } from '../core/ids.ts'
import { fromIso, SECOND_MS, toIso } from '../core/time.ts'
import { closingSide } from '../ledger/position.ts'
import type { CloseOrder } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExitReason } from '../../schemas/trade.ts'
import { commit } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'
import { isExit } from './reconcile/check-exits.ts'

/** How long an order may be on its way before it counts as never sent. */
export const ORDER_LIFE_MS = 20 * SECOND_MS
/** Confirmation of a cancel is asked for this often, this far apart. */
const CANCEL_CHECKS = 12
const CANCEL_PAUSE_MS = 500

/**
 * Closes the open position at market: commit the close first (whoever commits it sends it; anybody else
 * meets a conflict and stands back), then cancel the resting exits and see them gone, then read the position
 * again, then close exactly what is there. Whatever cannot be done leads back to `open`, where the next
 * reconciliation protects the position again. The fills are picked up by that reconciliation too.
 */
export async function closePosition(ports: ExecutionPorts, state: StrategyState, reason: ExitReason): Promise<StrategyState> {
  const { phase } = state
  if (phase.kind !== 'open') return state
  const { broker, config, clock, telemetry } = ports
  const { position } = phase
  const { symbol } = config.market
  const { session } = await broker.product(symbol)
  if (!session.isOpen) {
    // Its exits would be cancelled for nothing.
    telemetry.log('warn', 'the venue is closed: the position cannot be closed now', { reason, session: session.reason })
    return state
  }
  const now = clock()
  if (position.protection.status === 'intended' && now <= fromIso(position.protection.deadline)) {
    // Sent a moment ago and not in the lists yet: it could fire beside the close and open the other side.
    telemetry.log('warn', 'a stop that has just been sent is not visible yet: the close waits for it', { reason })
    return state
  }
  const order: CloseOrder = {
    kind: 'close',
    clientOrderId: clientOrderIdOf(config.id, fromIso(position.openedAt), 'close', position.closeAttempts),
    symbol,
    side: closingSide(position.side),
    quantity: position.quantity,
  }
  const intent = { order, reason, attempt: position.closeAttempts, status: 'intended' as const, orderId: null, intendedAt: toIso(now), deadline: toIso(now + ORDER_LIFE_MS) }
  const intended = await commit(ports, state, [{ type: 'close_intended', at: toIso(now), intent }])
  const giveUp = (end: 'cancelled' | 'rejected', why: string) => commit(ports, intended, [{ type: 'close_ended', at: toIso(clock()), end, reason: why }])

  if (!(await cancelExits(ports))) return giveUp('cancelled', 'the resting exits could not be cancelled')
  const held = await broker.position(symbol)
  // More than ours may be there, by somebody's hand: only ours is closed.
  if (held === null || held.side !== position.side || dec(held.quantity).lt(position.quantity)) {
    return giveUp('cancelled', `the venue holds ${held === null ? 'nothing' : `a ${held.side} of ${held.quantity}`} now`)
  }
  if (clock() > fromIso(intent.deadline)) return giveUp('cancelled', 'its deadline passed before it could be sent')
  const placement = await broker.place(order, fromIso(intent.deadline))
  switch (placement.outcome) {
    case 'accepted':
      return commit(ports, intended, [{ type: 'close_acknowledged', at: toIso(clock()), status: 'accepted', orderId: placement.orderId }])
    case 'unknown':
      return commit(ports, intended, [{ type: 'close_acknowledged', at: toIso(clock()), status: 'unknown', orderId: null }])
    case 'rejected':
      return giveUp('rejected', placement.reason)
    default:
      return placement satisfies never
  }
}

/**
 * Cancels every resting exit, ours or made by hand (it blocks the close, and without a position it would open one), and waits until
 * the venue no longer lists one.
 */
async function cancelExits({ broker, config, sleep, telemetry }: ExecutionPorts): Promise<boolean> {
  const { symbol } = config.market
  for (let check = 0; check < CANCEL_CHECKS; check++) {
    const resting = (await broker.openOrders(symbol)).filter(isExit)
    if (resting.length === 0) return true
    for (const order of resting) {
      const answer = await broker.cancel(symbol, order.orderId)
      if (answer.outcome !== 'accepted') telemetry.log('warn', 'cancel not accepted', { orderId: order.orderId, ...answer })
    }
    if (check > 0) await sleep(CANCEL_PAUSE_MS)
  }
  return !(await broker.openOrders(symbol)).some(isExit)
}
