import { z } from 'zod'
import { type EpochMs, toIso } from '../../../core/time.ts'
import { flag, text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'
import { WireOrder } from './order.ts'

/** One page of `GET /orders/historical/batch`, newest first. */
const OrdersPage = z.looseObject({ orders: z.array(WireOrder), has_next: flag, cursor: text })
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

export const askOrders = ({ symbol, statuses, source, from, until }: OrdersFilter, cursor: string): Question<OrdersPage> => ({
  request: signedGet('orders/historical/batch', {}, {
    product_ids: [symbol],
    order_placement_source: source,
    ...(statuses === undefined ? {} : { order_status: statuses }),
    ...(from === undefined ? {} : { start_date: toIso(from) }),
    ...(until === undefined ? {} : { end_date: toIso(until) }),
    limit: PAGE_SIZE,
    ...(cursor === '' ? {} : { cursor }),
  }),
  answer: OrdersPage,
})
