import { z } from 'zod'
import { FillReason } from './order.ts'
import { IsoTime, MoneyText, PositionSide, PriceText, QuantityText } from './primitives.ts'

/** A round trip, derived from fills and funding payments. `pnl` = gross - fees + funding, exactly. */
export const Trade = z.strictObject({
  id: z.string(),
  strategyId: z.string(),
  side: PositionSide,
  /** Largest quantity held, in contracts. */
  quantity: QuantityText,
  entryTime: IsoTime,
  entryPrice: PriceText,
  exitTime: IsoTime,
  exitPrice: PriceText,
  exitReason: FillReason.exclude(['entry']).or(
    z.enum(['time_limit', 'expiry', 'liquidation_distance', 'decision', 'flatten', 'unprotected']),
  ),
  stopLossPrice: PriceText.nullable(),
  takeProfitPrice: PriceText.nullable(),
  /** Gain before fees and funding. */
  gross: MoneyText,
  fees: MoneyText,
  /** Received when positive. */
  funding: MoneyText,
  /** Already inside the prices; shown, not subtracted. */
  slippage: MoneyText,
  pnl: MoneyText,
  /** pnl over the money at risk at entry (entry to stop); null where no stop was known. */
  rMultiple: z.number().nullable(),
  regime: z.string().nullable(),
  fillIds: z.array(z.string()),
})
export type Trade = z.infer<typeof Trade>
export type ExitReason = Trade['exitReason']
