import { z } from 'zod'
import type { EpochMs } from '../../../core/time.ts'
import { maybeAmount, maybeTime } from '../fields.ts'
import { publicGet, type Question } from '../request.ts'

/** `GET /time`: the venue's clock, from the finest of the three forms that is there. */
const ServerTime = z
  .looseObject({ epochMillis: maybeAmount, epochSeconds: maybeAmount, iso: maybeTime })
  .transform(({ epochMillis, epochSeconds, iso }, context): EpochMs => {
    const instant =
      epochMillis !== null
        ? Number(epochMillis)
        : (iso ?? (epochSeconds !== null ? Number(epochSeconds) * 1_000 : null))
    if (instant !== null) return instant
    context.addIssue({ code: 'custom', message: 'expected a time' })
    return z.NEVER
  })

export const askServerTime = (): Question<EpochMs> => ({ request: publicGet('time'), answer: ServerTime })
