import { z } from 'zod'
import { type EpochMs, toIso } from '../../../core/time.ts'
import { issuesOf } from '../answer.ts'
import { flag, text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'
import { WireOrder } from './order.ts'

/** What can be told of a row that cannot be read: its texts, empty where they are none. */
const RawOrder = z.looseObject({
  order_id: text.catch(''),
  client_order_id: text.catch(''),
  product_id: text.catch(''),
  status: text.catch(''),
})

/** A row that is no order as we know them; `issue` says why. */
export type UnreadableOrder = {
  isUnreadable: true
  order_id: string
  client_order_id: string
  product_id: string
  status: string
  issue: string
}

/** WireOrder is loose, but nothing of the venue's has this name. */
export const isUnreadable = (order: WireOrder | UnreadableOrder): order is UnreadableOrder =>
  order['isUnreadable'] === true

const row = z.unknown().transform((given): WireOrder | UnreadableOrder => {
  const parsed = WireOrder.safeParse(given)
  if (parsed.success) return parsed.data
  const raw = RawOrder.safeParse(given).data ?? { order_id: '', client_order_id: '', product_id: '', status: '' }
  const { order_id, client_order_id, product_id, status } = raw
  return { isUnreadable: true, order_id, client_order_id, product_id, status, issue: issuesOf(parsed.error) }
})

/** One page of `GET /orders/historical/batch`, newest first. A row that cannot be read does not hide the others. */
const OrdersPage = z.looseObject({ orders: z.array(row), has_next: flag, cursor: text })
export type OrdersPage = z.infer<typeof OrdersPage>

export type OrdersFilter = {
  symbol: string
  /** Exact statuses; OPEN must not be mixed with others. */
  statuses?: readonly string[]
  /** The venue shows RETAIL_ADVANCED alone when it is not told. */
  source: 'RETAIL_ADVANCED' | 'RETAIL_SIMPLE'
  /** Created at or after. */
  from?: EpochMs
  /** Created before. */
  until?: EpochMs
}

const PAGE_SIZE = '100'

export const askOrders = (
  { symbol, statuses, source, from, until }: OrdersFilter,
  cursor: string,
): Question<OrdersPage> => ({
  request: signedGet(
    'orders/historical/batch',
    {},
    {
      product_ids: [symbol],
      order_placement_source: source,
      ...(statuses === undefined ? {} : { order_status: statuses }),
      ...(from === undefined ? {} : { start_date: toIso(from) }),
      ...(until === undefined ? {} : { end_date: toIso(until) }),
      limit: PAGE_SIZE,
      ...(cursor === '' ? {} : { cursor }),
    },
  ),
  answer: OrdersPage,
})
