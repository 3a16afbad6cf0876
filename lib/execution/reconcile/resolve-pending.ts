import { canonical, dec, type Quantity } from '../../core/decimal.ts'
import { fromIso } from '../../core/time.ts'
import type { OrderEnd } from '../../ledger/events.ts'
import { isTerminal, type OrderStatus } from '../../../schemas/order.ts'
import type { Phase } from '../../../schemas/state.ts'
import type { Draft } from './draft.ts'
import { standInFor } from './take-executions.ts'

const END_OF_STATUS: Partial<Record<OrderStatus, OrderEnd>> = {
  filled: 'done',
  cancelled: 'cancelled',
  expired: 'expired',
  rejected: 'rejected',
}

/**
 * Brings an entry or close of ours to its end. True while its fills are still missing: then nothing else is certain.
 */
export function resolvePending(draft: Draft): boolean {
  const { facts } = draft
  const { phase } = draft.state
  if (phase.kind !== 'opening' && phase.kind !== 'closing') return false
  const { intent } = phase
  const order = facts.pendingOrder
  const end = (how: OrderEnd, reason: string | null) => {
    // The venue has it: the next close must not be taken for it.
    if (phase.kind === 'closing' && intent.orderId === null && order !== null)
      draft.add({ type: 'close_acknowledged', at: facts.at, status: 'accepted', orderId: order.orderId })
    draft.add(
      { type: phase.kind === 'opening' ? 'entry_ended' : 'close_ended', at: facts.at, end: how, reason },
      `the ${intent.order.kind} order ended: ${how}${reason === null ? '' : ` (${reason})`}`,
    )
  }
  const isPast = fromIso(facts.at) > fromIso(intent.deadline)
  if (order === null) {
    // An entry that turns up late adds risk, so it is waited for; a close that does only takes it away (the next one
    // has
    // its id, so that the venue takes one of the two), and meanwhile the position may be without its exits.
    const isLost =
      fromIso(facts.at) > fromIso(intent.deadline) + (phase.kind === 'opening' ? facts.limits.lateArrivalMs : 0)
    if (isLost) end('abandoned', 'the venue does not know it and its deadline has passed')
    return !isLost
  }
  // A quantity of zero is one that the venue does not tell.
  if (order.side !== intent.order.side || (order.quantity !== '0' && !dec(order.quantity).eq(intent.order.quantity))) {
    draft.incident(
      'wrong_order',
      `under the id of our ${intent.order.side} of ${intent.order.quantity} the venue has a ${order.side} of ${order.quantity} (${order.orderId})`,
    )
    if (!isTerminal(order.status))
      draft.actions.push({ kind: 'cancel', orderId: order.orderId, why: 'it is not the order that was meant' })
    end('abandoned', 'the venue has another order under its id')
    return false
  }
  if (!isTerminal(order.status)) {
    // Market orders do not rest: one that does is taken back.
    if (isPast)
      draft.actions.push({
        kind: 'cancel',
        orderId: order.orderId,
        why: `${intent.order.kind} still ${order.status} after its deadline`,
      })
    if (fromIso(facts.at) <= fromIso(intent.deadline) + facts.limits.stuckMs) return true
    draft.incident(
      'stuck_order',
      `the ${intent.order.kind} order ${order.orderId} is still ${order.status}, long after its deadline`,
    )
    // A close that does not come must not keep the position without its exits; an entry that rests is still waited for.
    if (phase.kind === 'opening') return true
    end('abandoned', `still ${order.status} long after its deadline`)
    return false
  }
  const missing = dec(order.filledQuantity).minus(filledSoFar(phase))
  if (missing.gt(0)) {
    const text = `the ${intent.order.kind} order is ${order.status} with ${order.filledQuantity} filled`
    if (fromIso(facts.at) <= fromIso(intent.deadline) + facts.limits.stuckMs) {
      draft.notes.push(`${text}, its fills are still to come`)
      return true
    }
    // They should have come: the order's own word is taken for them, and a person has to look.
    draft.incident('fills_missing', `${text}, but its fills never came (${order.orderId})`)
    const averagePrice = order.averagePrice ?? facts.position?.averageEntryPrice ?? draft.state.accounting.markPrice
    if (averagePrice !== null)
      standInFor(draft, intent.order, order.orderId, canonical(missing) as Quantity, averagePrice)
  }
  // A close that filled whole has left its phase already.
  if (draft.state.phase.kind === phase.kind) end(END_OF_STATUS[order.status] ?? 'cancelled', order.reason)
  return false
}

/** How much of the pending order the ledger has seen filled. */
function filledSoFar(phase: Extract<Phase, { kind: 'opening' | 'closing' }>): Quantity {
  if (phase.kind === 'opening') return phase.filledQuantity
  // A close that has been filled whole leaves the closing phase; what is still held was not closed.
  return canonical(dec(phase.intent.order.quantity).minus(phase.position.quantity)) as Quantity
}
