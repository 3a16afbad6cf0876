import { z } from 'zod'
import { FileOptions, InstantOption } from '../options.ts'

/** A whole number on the command line. */
export const count = (least: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: `expected a whole number of at least ${least}` })
    .transform(Number)
    .refine((value) => value >= least, { error: `expected a whole number of at least ${least}` })

const dollars = z
  .string()
  .regex(/^\d+(\.\d+)?$/, { error: 'expected an amount in US dollars such as 2.50' })
  .transform(Number)

/** What every command that walks through history with a decider takes. */
export const WalkOptions = z.object({
  candles: z.array(z.string().min(1)).min(1),
  ...FileOptions.shape,
  funding: z.string().optional(),
  reference: z.string().optional(),
  news: z.string().optional(),
  from: InstantOption.optional(),
  to: InstantOption.optional(),
  dataDir: z.string().min(1).default('.hourhand'),
  record: z.boolean().default(false),
  recordings: z.string().min(1).optional(),
  budget: dollars.optional(),
  budgetTokens: count(0).optional(),
  budgetQuestions: count(0).optional(),
  workers: count(1).optional(),
})
export type WalkOptions = z.infer<typeof WalkOptions>
