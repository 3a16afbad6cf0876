import { z } from 'zod'
import type { EpochMs } from '../../../core/time.ts'

/** Members that Coinbase's answers have in common, public ones and signed ones. Unset is `""`, null or absent. */

/** An instant, or null where unset. */
export const maybeTime = z
  .string()
  .nullish()
  .transform((text, context): EpochMs | null => {
    if (text === null || text === undefined || text === '') return null
    const instant = Date.parse(text)
    if (!Number.isNaN(instant)) return instant
    context.addIssue({ code: 'custom', message: `expected a time, got ${JSON.stringify(text)}` })
    return z.NEVER
  })

/** A text, empty where unset. */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

/** False where unset. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false)
