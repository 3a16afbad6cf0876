import { z } from 'zod'
import { text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/** `GET /key_permissions`: what the key may do, and the one portfolio it belongs to. */
const KeyPermissions = z.looseObject({
  can_view: z.boolean(),
  can_trade: z.boolean(),
  can_transfer: z.boolean(),
  portfolio_uuid: text,
  portfolio_type: text,
})
export type KeyPermissions = z.infer<typeof KeyPermissions>

export const askKeyPermissions = (): Question<KeyPermissions> => ({
  request: signedGet('key_permissions'),
  answer: KeyPermissions,
})
