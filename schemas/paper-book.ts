import { z } from 'zod'
import { EntryOrder, Fill, FundingPayment, OrderStatus, ProtectOrder, CloseOrder, Transfer } from './order.ts'
import { IsoTime, MoneyText, PositionSide, PriceText, QuantityText } from './primitives.ts'
import { StoredVersion } from './stored.ts'

/** An order at the paper venue, in the venue's own book. */
export const PaperOrder = z.strictObject({
  orderId: z.string(),
  request: z.discriminatedUnion('kind', [EntryOrder, ProtectOrder, CloseOrder]),
  status: OrderStatus,
  filledQuantity: QuantityText,
  averagePrice: PriceText.nullable(),
  createdAt: IsoTime,
  reason: z.string().nullable(),
  /** Of an exit: the price was beyond its target already when it was placed, so that the target never rests. */
  isLate: z.boolean().optional(),
})
export type PaperOrder = z.infer<typeof PaperOrder>

/** The paper venue's whole memory of one strategy: what the ledger reconciles with, as with a real venue. */
export const PaperBook = z.strictObject({
  ...StoredVersion.shape,
  version: z.int().nonnegative(),
  symbol: z.string(),
  /** The market whose prices it is played on; null before the first. */
  market: z.string().nullable(),
  cash: MoneyText,
  position: z
    .strictObject({
      side: PositionSide,
      quantity: QuantityText,
      /** Entry notional of what is held. */
      costBasis: MoneyText,
      leverage: QuantityText,
      liquidationPrice: PriceText,
      openedAt: IsoTime,
    })
    .nullable(),
  /** Bars and funding have been played up to here. */
  advancedTo: IsoTime,
  /** The newest orders, fills and funding payments; older ones are in the ledger's history. */
  orders: z.array(PaperOrder),
  fills: z.array(Fill),
  funding: z.array(FundingPayment),
  /** Deposits and withdrawals that were booked here. */
  transfers: z.array(Transfer).default([]),
  sequence: z.int().nonnegative(),
  /** Bars in which more than one exit was touched, and all bars played with a position. */
  ambiguousBars: z.int().nonnegative(),
  heldBars: z.int().nonnegative(),
})
export type PaperBook = z.infer<typeof PaperBook>
