import { z } from 'zod'
import { IsoTime, MoneyText, PriceText } from './primitives.ts'

/** A point of the equity curve, one a slot. */
export const EquityPoint = z.strictObject({
  at: IsoTime,
  equity: MoneyText,
  cash: MoneyText,
  markPrice: PriceText.nullable(),
  /** Deposits less withdrawals so far; absent where there was none. */
  transferred: MoneyText.optional(),
  phase: z.enum(['flat', 'opening', 'open', 'closing']),
})
export type EquityPoint = z.infer<typeof EquityPoint>
