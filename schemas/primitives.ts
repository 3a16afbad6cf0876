import { z } from 'zod'
import { isCanonicalDecimal, type Money, type Price, type Quantity } from '../lib/core/decimal.ts'
import { durationText, intervalProblem, parseDuration } from '../lib/core/interval.ts'
import { TIMEFRAMES } from '../lib/core/time.ts'

const canonicalText = (what: string) =>
  z.string().refine(isCanonicalDecimal, {
    error: `expected ${what} as a plain decimal string such as "0.5", without trailing zeros`,
  })

const isUnsigned = (text: string) => !text.startsWith('-')

/** Gives a validated text its unit; a type only, no work at run time. */
const branded = <T extends string>(schema: z.ZodString): z.ZodType<T, T> => schema as unknown as z.ZodType<T, T>

/** Quote currency per unit of base; positive. */
export const PriceText = branded<Price>(
  canonicalText('a price').refine((text) => isUnsigned(text) && text !== '0', { error: 'a price must be positive' }),
)
/** Unsigned number of contracts. */
export const QuantityText = branded<Quantity>(
  canonicalText('a quantity').refine(isUnsigned, { error: 'a quantity is unsigned; the side carries the direction' }),
)
/** A quantity above zero: sizes of contracts and lots. */
export const PositiveQuantityText = branded<Quantity>(
  canonicalText('a quantity').refine((text) => isUnsigned(text) && text !== '0', {
    error: 'this quantity must be above zero',
  }),
)
/** Signed quote-currency amount. */
export const MoneyText = branded<Money>(canonicalText('an amount of money'))
/** A non-negative fraction as an exact decimal string: rates of fee and margin. */
export const RateText = canonicalText('a rate').refine(isUnsigned, { error: 'a rate is not negative' })
/** A share of the notional set aside as margin: above zero, at most the whole. */
export const MarginRateText = canonicalText('a margin rate').refine(
  (text) => isUnsigned(text) && text !== '0' && Number(text) <= 1,
  { error: 'a margin rate is above 0 and at most 1' },
)
/** A fee as a fraction of notional, below a tenth: 5 bps is "0.0005". */
export const FeeRateText = canonicalText('a fee rate').refine((text) => isUnsigned(text) && Number(text) < 0.1, {
  error: 'a fee rate is a fraction, not negative and below 0.1',
})
/** A signed fraction as an exact decimal string: funding rates. */
export const SignedRateText = canonicalText('a rate')

/** An instant, ISO 8601 UTC, of the years 1970 to 9999: no other can be written and read again. */
export const IsoTime = z.iso
  .datetime({ error: 'expected an ISO 8601 UTC time such as 2026-11-02T09:30:00Z' })
  .refine((text) => text >= '1970', { error: 'expected a time of the years 1970 to 9999' })

/** Ratio in [0, 1]; never a percentage. */
export const Fraction = z.number().min(0).max(1)

export const StrategyId = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, {
  error: 'a strategy id is lower-case letters, digits and dashes, at most 40, beginning with a letter',
})

export const TimeframeName = z.enum(TIMEFRAMES)

/** Time between decisions, in its largest whole unit: `60m` is kept as `1h`. `intervalMsOf` gives milliseconds. */
export const IntervalText = z
  .string({ error: 'expected a duration from 10s to 1d, such as 15s, 30m, 1h or 1d' })
  .refine((text) => intervalProblem(text) === null, {
    error: ({ input }) => intervalProblem(String(input)) ?? '',
    abort: true,
  })
  .overwrite((text) => durationText(parseDuration(text) ?? 0))

export const PositionSide = z.enum(['long', 'short'])
export type PositionSide = z.infer<typeof PositionSide>

export const OrderSide = z.enum(['buy', 'sell'])
export type OrderSide = z.infer<typeof OrderSide>

export const Mode = z.enum(['paper', 'live'])
export type Mode = z.infer<typeof Mode>
