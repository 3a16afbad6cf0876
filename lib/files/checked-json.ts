import type { z } from 'zod'
import { InvariantError } from '../core/invariant.ts'

/**
 * The JSON text of a value that its own reader takes. Throws {@link InvariantError} for any other, before it can be
 * written where it would keep all the rest from being read. `what` names it.
 */
export function checkedJson<T>(schema: z.ZodType<T>, value: T, what: string, indent?: number): string {
  const parsed = schema.safeParse(value)
  // The value as it was given: parsing puts members into the schema's order.
  if (parsed.success) return JSON.stringify(value, null, indent)
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new InvariantError(`${what} is not written, for it could not be read again: ${problems.slice(0, 3).join('; ')}`)
}
