import { z } from 'zod'
import { IsoTime, PriceText } from './primitives.ts'

/**
 * One bar. `time` is the bar's open in epoch milliseconds; prices are quote per base; volume is in base units.
 * Numbers, not exact decimals: bars feed indicators.
 */
export const Candle = z
  .strictObject({
    time: z.int().nonnegative(),
    open: z.number().positive(),
    high: z.number().positive(),
    low: z.number().positive(),
    close: z.number().positive(),
    /** Null where the source has none: 0 says that nothing was traded. */
    volume: z.number().nonnegative().nullable(),
  })
  .refine((bar) => bar.high >= Math.max(bar.open, bar.close) && bar.low <= Math.min(bar.open, bar.close), {
    error: 'high and low must enclose open and close',
  })
export type Candle = z.infer<typeof Candle>

/** What is wrong with a series of bars, named. */
export const DataIssue = z.strictObject({
  kind: z.enum([
    'gap',
    'duplicate',
    'disorder',
    'not_a_number',
    'inconsistent',
    'not_positive',
    'forming',
    'misaligned',
    'stale',
    'missing',
  ]),
  /** Open time of the bar concerned; for a gap, of the first bar missing. */
  at: IsoTime.nullable(),
  /** How many bars it concerns. */
  count: z.int().positive(),
  detail: z.string(),
})
export type DataIssue = z.infer<typeof DataIssue>

/** Tradable prices at an instant. `mark` is what margin and liquidation are reckoned on. */
export const Quote = z.strictObject({
  at: IsoTime,
  bid: PriceText,
  ask: PriceText,
  last: PriceText,
  mark: PriceText,
})
export type Quote = z.infer<typeof Quote>

/** A settled or current funding rate: a fraction of notional a long pays a short per interval. */
export const FundingRate = z.strictObject({
  time: z.int().nonnegative(),
  rate: z.number(),
})
export type FundingRate = z.infer<typeof FundingRate>
