import type { Placement, Refusal } from '../../schemas/order.ts'

/** A venue's own words for refusals, by the venue-neutral one. */
export type Vocabulary = Readonly<Record<Exclude<Refusal, 'other'>, readonly string[]>>

/** Finds the venue-neutral word of a reason, which may go on after a colon: `permission_denied: HTTP 403`. */
export function readVocabulary(vocabulary: Vocabulary): (reason: string) => Refusal {
  const words = new Map(
    Object.entries(vocabulary).flatMap(([refusal, reasons]) =>
      reasons.map((reason) => [reason, refusal as Refusal] as const),
    ),
  )
  return (reason) => words.get(reason.split(':', 1)[0] ?? '') ?? 'other'
}

/** An order that was refused, or never sent: nothing can have come of it. */
export const refused = (reason: string, refusal: Refusal = 'other'): Placement => ({
  outcome: 'rejected',
  reason,
  refusal,
})
