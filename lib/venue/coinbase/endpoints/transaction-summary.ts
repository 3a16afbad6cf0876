import { z } from 'zod'
import { amount } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/** `GET /transaction_summary`: the fee tier, as fractions of notional. */
const TransactionSummary = z.looseObject({
  fee_tier: z.looseObject({ taker_fee_rate: amount, maker_fee_rate: amount }),
})
export type TransactionSummary = z.infer<typeof TransactionSummary>

export const askFuturesFees = (): Question<TransactionSummary> => ({
  request: signedGet('transaction_summary', {}, { product_type: 'FUTURE', product_venue: 'FCM' }),
  answer: TransactionSummary,
})
