import { z } from 'zod'
import { type EpochMs, toIso } from '../../../core/time.ts'
import { issuesOf } from '../answer.ts'
import { amount, amountOrZero, flag, maybeTime, text, time, wireSide } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

const WireFill = z.looseObject({
  /** Unique; `trade_id` is so only among fills proper. */
  entry_id: z.string().min(1),
  /** Asked for by its path, which takes these characters. */
  order_id: z.string().regex(/^\w[\w.-]*$/),
  product_id: z.string().min(1),
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

/** What can be told of any row, a fill or not, readable or not. */
const RawEntry = z.looseObject({
  entry_id: text.catch(''),
  order_id: text.catch(''),
  product_id: text.catch(''),
  trade_type: text.catch(''),
  trade_time: maybeTime.catch(null),
})
const NOTHING = { entry_id: '', order_id: '', product_id: '', trade_type: '', trade_time: null }

/** One row: what it says of itself, and the fill if it is one that can be read, or why it cannot. */
const row = z.unknown().transform((given) => {
  const raw = RawEntry.safeParse(given).data ?? NOTHING
  const parsed = WireFill.safeParse(given)
  return {
    key: raw.entry_id || JSON.stringify(given),
    raw,
    fill: parsed.data ?? null,
    issue: parsed.success ? null : issuesOf(parsed.error),
  }
})
export type FillRow = z.infer<typeof row>

/**
 * One page of `GET /orders/historical/fills`. There is no has_next: the last page has no cursor, or nothing new. A row
 * that cannot be read does not hide the others.
 */
const FillsPage = z.looseObject({ fills: z.array(row), cursor: text })
export type FillsPage = z.infer<typeof FillsPage>

const PAGE_SIZE = '100'

export const askFills = (symbol: string, since: EpochMs, cursor: string): Question<FillsPage> => ({
  request: signedGet(
    'orders/historical/fills',
    {},
    {
      product_ids: [symbol],
      start_sequence_timestamp: toIso(since),
      limit: PAGE_SIZE,
      ...(cursor === '' ? {} : { cursor }),
    },
  ),
  answer: FillsPage,
})
