import { z } from 'zod'
import type { Venue } from './venue.ts'

const Uuid = z.uuid()

/** For venues that keep our ids as they are: UUIDs of 36 characters, in lower case. */
export const uuidAsItIs: Venue['clientOrderId'] = {
  encode: (ours) => ours,
  decode: (theirs) => (Uuid.safeParse(theirs).success ? theirs.toLowerCase() : null),
}
