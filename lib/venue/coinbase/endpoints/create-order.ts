import { z } from 'zod'
import type { EntryOrder, ProtectOrder } from '../../../../schemas/order.ts'
import { text } from '../fields.ts'
import { signedPost } from '../request.ts'
import type { WireRequest } from '../wire.ts'

/** Why an order was refused. Any of the members may be missing or UNKNOWN. */
export const ErrorResponse = z.looseObject({
  new_order_failure_reason: text,
  preview_failure_reason: text,
  error: text,
})
export type ErrorResponse = z.infer<typeof ErrorResponse>

/** The answer to `POST /orders` and `POST /orders/close_position`; a refusal is HTTP 200 too. */
export const OrderCreated = z.looseObject({
  success: z.boolean(),
  success_response: z.looseObject({ order_id: text, client_order_id: text }).nullish(),
  error_response: ErrorResponse.nullish(),
})
export type OrderCreated = z.infer<typeof OrderCreated>

/** How an entry may be put: what varies between products is which of these the venue takes. */
export type EntryShape = { configuration: 'sor_limit_ioc' | 'market_market_ioc'; isBracketAttached: boolean }

/** What preview and creation of an entry have in common. An attached bracket has no size of its own. */
export function entryBody(
  { symbol, side, quantity, priceLimit, bracket }: EntryOrder,
  { configuration, isBracketAttached }: EntryShape,
): Record<string, unknown> {
  const size = { base_size: quantity }
  return {
    product_id: symbol,
    side: side.toUpperCase(),
    order_configuration:
      configuration === 'sor_limit_ioc'
        ? { sor_limit_ioc: { ...size, limit_price: priceLimit } }
        : { market_market_ioc: size },
    ...(isBracketAttached ? { attached_order_configuration: { trigger_bracket_gtc: bracketPrices(bracket) } } : {}),
  }
}

const bracketPrices = ({ stopLossPrice, takeProfitPrice }: ProtectOrder['bracket']) => ({
  limit_price: takeProfitPrice,
  stop_trigger_price: stopLossPrice,
})

/** `POST /orders` for an entry. */
export const createEntry = (order: EntryOrder, shape: EntryShape): WireRequest =>
  signedPost('orders', { client_order_id: order.clientOrderId, ...entryBody(order, shape) })

/** `POST /orders` for a stop and a target of their own. */
export const createBracket = ({ clientOrderId, symbol, side, quantity, bracket }: ProtectOrder): WireRequest =>
  signedPost('orders', {
    client_order_id: clientOrderId,
    product_id: symbol,
    side: side.toUpperCase(),
    order_configuration: { trigger_bracket_gtc: { base_size: quantity, ...bracketPrices(bracket) } },
  })
