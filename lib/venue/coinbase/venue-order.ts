import { toIso } from '../../core/time.ts'
import { type Bracket, isTerminal, type OrderStatus, VenueOrder } from '../../../schemas/order.ts'
import type { WireOrder } from './endpoints/order.ts'
import { positive } from './fields.ts'
import { ours } from './ours.ts'

/** An order on its way to a change still works as it is; one on its way to its end is not to be relied upon. */
const STATUS: Readonly<Record<string, OrderStatus>> = {
  PENDING: 'pending',
  QUEUED: 'pending',
  OPEN: 'open',
  CANCEL_QUEUED: 'pending',
  EDIT_QUEUED: 'open',
  FILLED: 'filled',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
  FAILED: 'rejected',
}

export const statusOf = ({ status }: { status: string }): OrderStatus => STATUS[status] ?? 'unknown'

/** The same, but an open order whose cancel has been asked for is no more than pending: it covers nothing for long. */
const workingStatusOf = (order: WireOrder): OrderStatus =>
  order.pending_cancel && order.status === 'OPEN' ? 'pending' : statusOf(order)

/** Whether the stop of a bracket has fired, filled or not. */
export const hasFired = ({ trigger_status: status }: WireOrder): boolean => status === 'STOP_TRIGGERED'

/** What an order itself says; `kind` is what is known of whose it is. */
export function toVenueOrder(order: WireOrder, kind: VenueOrder['kind']): VenueOrder {
  const status = workingStatusOf(order)
  return ours(
    VenueOrder,
    {
      orderId: order.order_id,
      clientOrderId: order.client_order_id === '' ? null : order.client_order_id,
      symbol: order.product_id,
      kind,
      side: order.side === 'BUY' ? 'buy' : 'sell',
      status,
      quantity: sizeOf(order),
      filledQuantity: order.filled_size ?? '0',
      averagePrice: positive(order.average_filled_price),
      bracket: bracketOf(order),
      isTriggered: hasFired(order) && !isTerminal(status),
      createdAt: toIso(order.created_time),
      reason: reasonOf(order),
    },
    `order ${order.order_id}`,
  )
}

/**
 * An attached order covers what its parent has filled so far, whatever size it was meant for. Zero where nothing tells
 * the size, as an order that closes a position need not: what has filled so far is the size of a filled order only.
 */
function sizeOf(order: WireOrder): string {
  const {
    order_configuration: configuration,
    originating_order_id: parentId,
    workable_size: workable,
    filled_size: filled,
  } = order
  const told =
    (parentId === '' ? null : positive(workable)) ?? positive(configuration?.base_size ?? null) ?? positive(workable)
  return told ?? (statusOf(order) === 'filled' ? filled : null) ?? '0'
}

/** Stop and target of a bracket, or of the bracket attached to an entry. */
export function bracketOf({
  order_configuration: own,
  attached_order_configuration: attached,
}: WireOrder): Bracket | null {
  const { limit_price: target = null, stop_trigger_price: stop = null } =
    [own, attached].find((each) => each?.kind.startsWith('trigger_bracket')) ?? {}
  const [takeProfitPrice, stopLossPrice] = [positive(target), positive(stop)]
  return takeProfitPrice === null || stopLossPrice === null
    ? null
    : ours(VenueOrder.shape.bracket, { stopLossPrice, takeProfitPrice }, 'a bracket')
}

function reasonOf({
  reject_reason: code,
  reject_message: rejection,
  cancel_message: cancellation,
}: WireOrder): string | null {
  const named = code === 'REJECT_REASON_UNSPECIFIED' ? '' : code.replace(/^REJECT_REASON_/, '').toLowerCase()
  return [named, rejection, cancellation].find((text) => text !== '') ?? null
}
