import { z } from 'zod'
import { maybeAmount, text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/** `GET /cfm/positions`: what is held in every futures product of the account. */
const Positions = z
  .looseObject({
    positions: z.array(z.looseObject({ product_id: z.string(), side: text, number_of_contracts: maybeAmount })),
  })
  .transform(({ positions }) => positions)
export type Positions = z.infer<typeof Positions>

export const askPositions = (): Question<Positions> => ({ request: signedGet('cfm/positions'), answer: Positions })
