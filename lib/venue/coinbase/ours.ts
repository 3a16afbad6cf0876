import type { z } from 'zod'
import { BrokerError } from '../broker.ts'
import { issuesOf } from './answer.ts'

/** Holds what was made of an answer to our own schema. Throws {@link BrokerError}. */
export function ours<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new BrokerError(`${what} cannot be understood: ${issuesOf(parsed.error)}`)
}
