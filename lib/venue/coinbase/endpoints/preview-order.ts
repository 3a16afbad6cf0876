import { z } from 'zod'
import type { EntryOrder } from '../../../../schemas/order.ts'
import { maybeAmount } from '../fields.ts'
import { type Question, signedPost } from '../request.ts'
import { type EntryShape, entryBody, ErrorResponse } from './create-order.ts'

/** `POST /orders/preview`: what would become of the order. Refused when `errs` is not empty. */
const Preview = z.looseObject({
  errs: z
    .array(z.string())
    .nullish()
    .transform((errors) => errors ?? []),
  /** In place of the rest, as creation answers. */
  error_response: ErrorResponse.nullish(),
  /** US dollars, of the entry alone. */
  commission_total: maybeAmount,
  best_bid: maybeAmount,
  best_ask: maybeAmount,
  est_average_filled_price: maybeAmount,
  predicted_liquidation_price: maybeAmount,
})
export type Preview = z.infer<typeof Preview>

export const askPreview = (order: EntryOrder, shape: EntryShape): Question<Preview> => ({
  request: signedPost('orders/preview', entryBody(order, shape)),
  answer: Preview,
})
