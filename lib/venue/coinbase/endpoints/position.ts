import { z } from 'zod'
import { amountOrZero, maybeAmount, text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/**
 * `GET /cfm/positions/{product_id}`. A flat account may say so by null, by zero contracts or by NOT_FOUND; never by an
 * absent member.
 */
const PositionAnswer = z
  .looseObject({
    position: z
      .looseObject({
        product_id: z.string(),
        /** LONG, SHORT or UNKNOWN. */
        side: text,
        number_of_contracts: maybeAmount.refine((size) => size?.startsWith('-') !== true, {
          error: 'expected an unsigned number of contracts',
        }),
        current_price: maybeAmount,
        avg_entry_price: maybeAmount,
        unrealized_pnl: amountOrZero,
      })
      .nullable(),
  })
  .transform(({ position }) => position)
export type PositionAnswer = z.infer<typeof PositionAnswer>

export const askPosition = (symbol: string): Question<PositionAnswer> => ({
  request: signedGet('cfm/positions/{product_id}', { product_id: symbol }),
  answer: PositionAnswer,
})
