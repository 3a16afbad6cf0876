import { legOf } from '../../core/ids.ts'
import { MINUTE_MS } from '../../core/time.ts'
import { isTerminal, type VenueOrder } from '../../../schemas/order.ts'
import { BrokerError, type OrderRef } from '../broker.ts'
import { askOrder, type WireOrder } from './endpoints/order.ts'
import { askOrders, isUnreadable, type OrdersFilter, type UnreadableOrder } from './endpoints/orders.ts'
import type { Reader } from './read.ts'
import type { Warn } from './warn.ts'
import { statusOf, toVenueOrder } from './venue-order.ts'

export type Orders = {
  /** Every order of the product not yet terminal, whoever made it and wherever. */
  open(symbol: string): Promise<VenueOrder[]>
  find(symbol: string, ref: OrderRef): Promise<VenueOrder | null>
  /** An order and whose it is; null where the venue does not know it. */
  explain(orderId: string): Promise<{ order: WireOrder; kind: VenueOrder['kind'] } | null>
}

const SOURCES = ['RETAIL_ADVANCED', 'RETAIL_SIMPLE'] as const
const ON_THE_WAY = ['PENDING', 'QUEUED', 'CANCEL_QUEUED', 'EDIT_QUEUED']
/** Creation is timed by the venue's clock, and lists lag. */
const OVERLAP_MS = 5 * MINUTE_MS
/** An attached order is made at its parent's first fill, and the parent is immediate or cancelled. */
const PARENT_AGE_MS = 10 * MINUTE_MS
/** Pages of a list; more than ours could ever fill. */
const MAX_PAGES = 20
/** Orders that are over and will not change, remembered. */
const MAX_KEPT = 500
/** Parents above an order: the entry of its bracket, and one between for a stop that has fired. */
const MAX_GENERATIONS = 3

/** `warn` is told of finished orders that cannot be read. */
export function createOrders({ read, find }: Reader, strategyId: string, warn: Warn = () => {}): Orders {
  const over = new Map<string, WireOrder>()
  const parents = new Map<string, string | null>()

  const remember = (order: WireOrder): WireOrder => {
    if (isTerminal(statusOf(order))) keep(over, order.order_id, order)
    if (order.attached_order_id !== '') keep(parents, order.attached_order_id, order.order_id)
    return order
  }

  /** Leaves out an order that is over, and is not the one looked for; of any other, an exit might be hidden. */
  const leaveOut = (order: UnreadableOrder, clientOrderId: string | null): void => {
    const { order_id: orderId, client_order_id: theirs, status, issue } = order
    if (!isTerminal(statusOf(order)) || theirs === clientOrderId) {
      throw new BrokerError(
        `GET orders/historical/batch: order ${orderId || 'without an id'} with status ${status || 'none'} cannot be read: ${issue}`,
      )
    }
    warn('an order that is over cannot be read and was left out', { orderId, clientOrderId: theirs, status, issue })
  }

  const list = async (filter: OrdersFilter, clientOrderId: string | null = null): Promise<WireOrder[]> => {
    const found = new Map<string, WireOrder>()
    let cursor = ''
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = await read(askOrders(filter, cursor))
      // The venue may not have understood the filter.
      const rows = answer.orders.filter(
        (order) => order.product_id === filter.symbol || (isUnreadable(order) && order.product_id === ''),
      )
      for (const order of rows) {
        if (isUnreadable(order)) leaveOut(order, clientOrderId)
        else found.set(order.order_id, remember(order))
      }
      if (!answer.has_next) return [...found.values()]
      if (answer.cursor === '' || answer.cursor === cursor)
        throw new BrokerError('GET orders/historical/batch: more pages, but no way to them')
      cursor = answer.cursor
    }
    throw new BrokerError(`GET orders/historical/batch: more than ${MAX_PAGES} pages`)
  }

  const byId = async (orderId: string): Promise<WireOrder | null> => {
    const known = over.get(orderId)
    if (known !== undefined) return known
    const order = await find(askOrder(orderId))
    return order === null ? null : remember(order)
  }

  /** Links are followed both ways: a child names its parent, or the parent its child. */
  const parentOf = async (order: WireOrder): Promise<WireOrder | null> => {
    if (order.originating_order_id !== '') return byId(order.originating_order_id)
    if (order.order_configuration?.kind.startsWith('trigger_bracket') !== true) return null
    if (!parents.has(order.order_id)) {
      await list({
        symbol: order.product_id,
        source: 'RETAIL_ADVANCED',
        from: order.created_time - PARENT_AGE_MS,
        until: order.created_time + MINUTE_MS,
      })
      if (!parents.has(order.order_id)) keep(parents, order.order_id, null)
    }
    const parentId = parents.get(order.order_id) ?? null
    return parentId === null ? null : byId(parentId)
  }

  const kindOf = async (order: WireOrder, generation = 1): Promise<VenueOrder['kind']> => {
    const leg = legOf(strategyId, order.client_order_id)
    if (leg !== null) return leg
    if (generation > MAX_GENERATIONS) return 'foreign'
    const parent = await parentOf(order)
    return parent !== null && (await kindOf(parent, generation + 1)) !== 'foreign' ? 'protect' : 'foreign'
  }

  const describe = async (order: WireOrder): Promise<VenueOrder> => toVenueOrder(order, await kindOf(order))

  return {
    async open(symbol) {
      const live = new Map<string, WireOrder>()
      // In this order, an order that begins to work in between is in one of the lists at least.
      for (const statuses of [ON_THE_WAY, ['OPEN']]) {
        const lists = await Promise.all(SOURCES.map((source) => list({ symbol, statuses, source })))
        for (const order of lists.flat()) live.set(order.order_id, order)
      }
      // Lists lag, an order by its id does not: an exit attached to an entry of ours is there as soon as that one says
      // so.
      const attached = [...parents].filter(
        ([childId, parentId]) => parentId !== null && !live.has(childId) && !over.has(childId),
      )
      for (const child of await Promise.all(attached.map(([childId]) => byId(childId))))
        if (child !== null && child.product_id === symbol) live.set(child.order_id, child)
      return Promise.all([...live.values()].filter((order) => !isTerminal(statusOf(order))).map(describe))
    },

    async find(symbol, { clientOrderId, orderId, since }) {
      const known = orderId === null ? null : await byId(orderId)
      const order =
        known ??
        (await list({ symbol, source: 'RETAIL_ADVANCED', from: since - OVERLAP_MS }, clientOrderId)).find(
          (each) => each.client_order_id === clientOrderId,
        )
      return order === undefined ? null : describe(order)
    },

    async explain(orderId) {
      const order = await byId(orderId)
      return order === null ? null : { order, kind: await kindOf(order) }
    },
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > MAX_KEPT && oldest.done !== true) map.delete(oldest.value)
}
