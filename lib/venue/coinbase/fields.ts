import { z } from 'zod'
import { canonical, type Decimal, dec } from '../../core/decimal.ts'
import type { EpochMs } from '../../core/time.ts'
import { flag, maybeTime, text } from './market/fields.ts'

export { flag, maybeTime, text }

/**
 * Members of Coinbase's answers. An amount is a decimal in a string, sometimes a number, sometimes
 * `{value, currency}`; it becomes a canonical decimal string. Unset is `""`, null or absent.
 */

/** An amount, or null where unset. Amounts with a currency are in US dollars or refused. */
export const maybeAmount = z
  .unknown()
  .optional()
  .transform((given, context): string | null => {
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    let value = given
    if (typeof given === 'object' && given !== null) {
      const { value: inner, currency } = given as { value?: unknown; currency?: unknown }
      if (!['USD', '', null, undefined].includes(currency as string))
        return refuse(`expected US dollars, got ${String(currency)}`)
      value = inner
    }
    if (value === null || value === undefined || value === '') return null
    if (typeof value !== 'string' && typeof value !== 'number')
      return refuse(`expected a decimal, got ${JSON.stringify(value)}`)
    const number = decimalOf(value)
    return number === null ? refuse(`expected a decimal, got ${JSON.stringify(value)}`) : canonical(number)
  })

function decimalOf(value: string | number): Decimal | null {
  try {
    return dec(value)
  } catch {
    return null
  }
}

/** An amount that has to be there. */
export const amount = maybeAmount.transform((value, context): string => {
  if (value !== null) return value
  context.addIssue({ code: 'custom', message: 'expected an amount, got none' })
  return z.NEVER
})

/** An amount that is zero where unset. */
export const amountOrZero = maybeAmount.transform((value) => value ?? '0')

/** Null for an amount that is unset, zero or negative. */
export const positive = (value: string | null): string | null => (value !== null && dec(value).gt(0) ? value : null)

/** An instant that has to be there. */
export const time = maybeTime.transform((instant, context): EpochMs => {
  if (instant !== null) return instant
  context.addIssue({ code: 'custom', message: 'expected a time, got none' })
  return z.NEVER
})

/** BUY or SELL. */
export const wireSide = z.enum(['BUY', 'SELL'])
