import { z } from 'zod'
import { type EpochMs, toIso } from '../../../core/time.ts'
import { amount, amountOrZero, flag, text, time, wireSide } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

const WireFill = z.looseObject({
  /** Unique; `trade_id` is so only among fills proper. */
  entry_id: z.string().min(1),
  order_id: z.string().min(1),
  product_id: z.string(),
  side: wireSide,
  /** FILL, REVERSAL, CORRECTION or SYNTHETIC; of the latter three the sign is unstated. */
  trade_type: text,
  /** Per unit of the base. */
  price: amount,
  /** Contracts, unless `size_in_quote`. */
  size: amount,
  commission: amountOrZero,
  size_in_quote: flag,
  trade_time: time,
  liquidity_indicator: text,
})
export type WireFill = z.infer<typeof WireFill>

/** One page of `GET /orders/historical/fills`. There is no has_next: the last page has no cursor, or nothing new. */
const FillsPage = z.looseObject({ fills: z.array(WireFill), cursor: text })
export type FillsPage = z.infer<typeof FillsPage>

const PAGE_SIZE = '100'

export const askFills = (symbol: string, since: EpochMs, cursor: string): Question<FillsPage> => ({
  request: signedGet('orders/historical/fills', {}, { product_ids: [symbol], start_sequence_timestamp: toIso(since), limit: PAGE_SIZE, ...(cursor === '' ? {} : { cursor }) }),
  answer: FillsPage,
})
