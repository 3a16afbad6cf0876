import { z } from 'zod'
import { IsoTime, MoneyText, OrderSide, PositionSide, PriceText, QuantityText } from './primitives.ts'

/** A stop and a target, one cancelling the other. */
export const Bracket = z.strictObject({ stopLossPrice: PriceText, takeProfitPrice: PriceText })
export type Bracket = z.infer<typeof Bracket>

const common = {
  clientOrderId: z.uuid(),
  symbol: z.string(),
  side: OrderSide,
  quantity: QuantityText,
}

/** Opens a position at market, no worse than `priceLimit`, with its exits attached where the venue takes them. */
export const EntryOrder = z.strictObject({
  kind: z.literal('entry'),
  ...common,
  /** Worst acceptable fill price; the venue must not fill beyond it. */
  priceLimit: PriceText,
  bracket: Bracket,
  /** Entry notional over margin set aside, as an exact decimal. */
  leverage: QuantityText,
})
export type EntryOrder = z.infer<typeof EntryOrder>

/** Stop and target resting at the venue; only ever reduces. */
export const ProtectOrder = z.strictObject({ kind: z.literal('protect'), ...common, bracket: Bracket })
export type ProtectOrder = z.infer<typeof ProtectOrder>

/** Reduces the position at market by exactly `quantity`; never reverses it. */
export const CloseOrder = z.strictObject({ kind: z.literal('close'), ...common })
export type CloseOrder = z.infer<typeof CloseOrder>

export const OrderRequest = z.discriminatedUnion('kind', [EntryOrder, ProtectOrder, CloseOrder])
export type OrderRequest = z.infer<typeof OrderRequest>

/** An order of ours in the history: what was meant, and how it ended so far. */
export const OrderRecord = z.strictObject({
  order: OrderRequest,
  status: z.enum(['intended', 'accepted', 'unknown', 'live', 'done', 'rejected', 'cancelled', 'expired', 'abandoned']),
  reason: z.string().nullable(),
  intendedAt: IsoTime,
  updatedAt: IsoTime,
})
export type OrderRecord = z.infer<typeof OrderRecord>

/** What a venue says of an order. `pending` is accepted but not yet working. */
export const OrderStatus = z.enum(['pending', 'open', 'filled', 'cancelled', 'expired', 'rejected', 'unknown'])
export type OrderStatus = z.infer<typeof OrderStatus>

export const isTerminal = (status: OrderStatus): boolean =>
  status === 'filled' || status === 'cancelled' || status === 'expired' || status === 'rejected'

/** An order as the venue reports it. */
export const VenueOrder = z.strictObject({
  orderId: z.string(),
  clientOrderId: z.string().nullable(),
  symbol: z.string(),
  kind: z.enum(['entry', 'protect', 'close', 'foreign']),
  side: OrderSide,
  status: OrderStatus,
  /** Zero where the venue does not tell it, as for an order that closes a position. */
  quantity: QuantityText,
  filledQuantity: QuantityText,
  averagePrice: PriceText.nullable(),
  /** Set on a protecting order. */
  bracket: Bracket.nullable(),
  /** A stop that has fired but is not filled. */
  isTriggered: z.boolean(),
  createdAt: IsoTime,
  reason: z.string().nullable(),
})
export type VenueOrder = z.infer<typeof VenueOrder>

/**
 * Why an order was refused, in words that no venue owns: what code may go by. The venue's own words stand beside it.
 */
export const Refusal = z.enum([
  /** The price is at or beyond the stop already: it would fire at once. */
  'stop_beyond_price',
  /** An exit of the whole position rests already. */
  'exit_exists',
  /** Another order was placed under this client id. */
  'duplicate_id',
  'venue_closed',
  'no_margin',
  'unknown_instrument',
  'rate_limited',
  'price_out_of_bounds',
  'size_out_of_bounds',
  'credentials_rejected',
  'other',
])
export type Refusal = z.infer<typeof Refusal>

/**
 * Answer to placing an order. Timeout, 5xx, broken body, crash: `unknown`, resolved by asking, never by sending again.
 */
export const Placement = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('accepted'), orderId: z.string() }),
  z.strictObject({
    outcome: z.literal('rejected'),
    /** The venue's own words, or those of the broker that did not send it. */
    reason: z.string(),
    refusal: Refusal.default('other'),
  }),
  z.strictObject({
    outcome: z.literal('unknown'),
    reason: z.string(),
    /** Set where the venue says that an order of this client id exists: what became of that one has to be asked. */
    refusal: z.literal('duplicate_id').optional(),
  }),
])
export type Placement = z.infer<typeof Placement>

/** Why a fill happened. */
export const FillReason = z.enum(['entry', 'stop_loss', 'take_profit', 'liquidation', 'close', 'external'])
export type FillReason = z.infer<typeof FillReason>

/** One execution, as the venue reports it; the only thing positions and trades are made of. */
export const Fill = z.strictObject({
  fillId: z.string(),
  orderId: z.string(),
  clientOrderId: z.string().nullable(),
  symbol: z.string(),
  side: OrderSide,
  price: PriceText,
  quantity: QuantityText,
  /** Paid by us when positive. */
  fee: MoneyText,
  /**
   * Cost against the mid price at the time: spread and slippage together, positive is against us; null where unknown.
   */
  slippage: MoneyText.nullable(),
  liquidity: z.enum(['maker', 'taker', 'unknown']),
  reason: FillReason,
  at: IsoTime,
})
export type Fill = z.infer<typeof Fill>

/** Money that was paid into the account or taken out of it. It is neither profit nor loss. */
export const Transfer = z.strictObject({
  transferId: z.string().min(1),
  at: IsoTime,
  /** Quote currency; positive for a deposit, negative for a withdrawal. */
  amount: MoneyText,
  /** Who said so: the venue's own list, or a person with `hourhand account moved`. */
  source: z.enum(['venue', 'operator']),
  note: z.string().max(400).nullable(),
})
export type Transfer = z.infer<typeof Transfer>

/** A funding settlement on a held position. */
export const FundingPayment = z.strictObject({
  fundingId: z.string(),
  at: IsoTime,
  rate: z.string(),
  /** Received by us when positive, paid when negative. */
  amount: MoneyText,
})
export type FundingPayment = z.infer<typeof FundingPayment>

/** Cash and margin at the venue. `cash` excludes unrealised PnL. */
export const VenueAccount = z.strictObject({
  at: IsoTime,
  cash: MoneyText,
  equity: MoneyText,
  availableMargin: MoneyText,
})
export type VenueAccount = z.infer<typeof VenueAccount>

/** A position as the venue reports it. */
export const VenuePosition = z.strictObject({
  symbol: z.string(),
  side: PositionSide,
  quantity: QuantityText,
  averageEntryPrice: PriceText,
  markPrice: PriceText,
  unrealisedPnl: MoneyText,
  liquidationPrice: PriceText.nullable(),
})
export type VenuePosition = z.infer<typeof VenuePosition>
