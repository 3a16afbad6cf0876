import { z } from 'zod'
import { amount, amountOrZero, maybeAmount } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/** `GET /cfm/balance_summary`, US dollars. */
const BalanceSummary = z
  .looseObject({
    balance_summary: z.looseObject({
      /** Spot USD, futures USD and futures PnL, less what orders and positions hold. */
      available_margin: amount,
      total_open_orders_hold_amount: amountOrZero,
      unrealized_pnl: amountOrZero,
      futures_buying_power: maybeAmount,
      /** Available margin above the liquidation threshold: liquidates at zero. */
      liquidation_buffer_amount: maybeAmount,
    }),
  })
  .transform(({ balance_summary }) => balance_summary)
export type BalanceSummary = z.infer<typeof BalanceSummary>

export const askBalanceSummary = (): Question<BalanceSummary> => ({
  request: signedGet('cfm/balance_summary'),
  answer: BalanceSummary,
})
