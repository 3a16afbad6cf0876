import { z } from 'zod'
import { text } from '../fields.ts'
import { signedPost } from '../request.ts'
import type { WireRequest } from '../wire.ts'

/** Results in no stated order. Success: the request was taken, not that the order is dead. */
export const CancelResults = z.looseObject({
  results: z.array(z.looseObject({ success: z.boolean(), failure_reason: text, order_id: z.string() })),
})

/** `POST /orders/batch_cancel` of one order. */
export const cancelOrder = (orderId: string): WireRequest => signedPost('orders/batch_cancel', { order_ids: [orderId] })
