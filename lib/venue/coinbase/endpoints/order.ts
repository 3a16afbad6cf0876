import { z } from 'zod'
import { flag, maybeAmount, text, time, wireSide } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

const configuration = z
  .record(
    z.string(),
    z.looseObject({ base_size: maybeAmount, limit_price: maybeAmount, stop_trigger_price: maybeAmount }).nullish(),
  )
  .nullish()
  .transform((variants) => {
    const set = Object.entries(variants ?? {}).flatMap(([kind, values]) =>
      values === null || values === undefined ? [] : [{ kind, ...values }],
    )
    const [first] = set
    // Whichever of them tells the size.
    return first === undefined
      ? null
      : { ...first, base_size: set.map(({ base_size: size }) => size).find((size) => size !== null) ?? null }
  })

/** An order as `orders/historical` tells it. Sizes are contracts. */
export const WireOrder = z.looseObject({
  order_id: z.string().min(1),
  client_order_id: text,
  product_id: z.string(),
  side: wireSide,
  status: z.string(),
  order_configuration: configuration,
  attached_order_configuration: configuration,
  /** The order this one was attached to. */
  originating_order_id: text,
  /** The order attached to this one. */
  attached_order_id: text,
  filled_size: maybeAmount,
  average_filled_price: maybeAmount,
  workable_size: maybeAmount,
  created_time: time,
  /** Its end has been asked for. */
  pending_cancel: flag,
  trigger_status: text,
  order_type: text,
  is_liquidation: flag,
  reject_reason: text,
  reject_message: text,
  cancel_message: text,
})
export type WireOrder = z.infer<typeof WireOrder>

const OrderAnswer = z.looseObject({ order: WireOrder }).transform(({ order }) => order)

/** `GET /orders/historical/{order_id}`. */
export const askOrder = (orderId: string): Question<WireOrder> => ({
  request: signedGet('orders/historical/{order_id}', { order_id: orderId }),
  answer: OrderAnswer,
})
