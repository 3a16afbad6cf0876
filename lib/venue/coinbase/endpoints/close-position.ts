import type { CloseOrder } from '../../../../schemas/order.ts'
import { signedPost } from '../request.ts'
import type { WireRequest } from '../wire.ts'

/** `POST /orders/close_position`: at market, the venue finds the side. Answers like `POST /orders`. */
export const closePosition = ({ clientOrderId, symbol, quantity }: CloseOrder): WireRequest =>
  signedPost('orders/close_position', { client_order_id: clientOrderId, product_id: symbol, size: quantity })
