import { z } from 'zod'
import type { Timeframe } from '../../../core/time.ts'
import { maybeTime } from './fields.ts'
import { coinbaseContractFields, coinbaseTradingFields } from './session.ts'

/**
 * What Coinbase Advanced Trade answers on its public market endpoints, as far as it is read here. Loose: unknown
 * members are theirs to add. Amounts are decimals in strings, sometimes numbers; unset ones are `""` or null.
 */

const decimal = z.union([z.string(), z.number()]).transform(Number).pipe(z.number())
/** An amount that may be unset. */
const maybeDecimal = z
  .union([z.string(), z.number(), z.null()])
  .optional()
  .transform((value) => (value === '' || value === null || value === undefined ? null : Number(value)))
  .pipe(z.number().nullable())

/** Newest first; `start` is the bar's open in Unix seconds. */
export const CoinbaseCandles = z.looseObject({
  candles: z.array(
    z
      .looseObject({
        start: decimal,
        low: z.unknown(),
        high: z.unknown(),
        open: z.unknown(),
        close: z.unknown(),
        volume: z.unknown(),
      })
      .transform((bar) => ({
        time: bar.start * 1_000,
        open: amountOf(bar.open),
        high: amountOf(bar.high),
        low: amountOf(bar.low),
        close: amountOf(bar.close),
        volume: amountOf(bar.volume),
      })),
  ),
})

/** A bar's value for `inspectCandles` to judge: NaN where there is none. */
const amountOf = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN

export const CoinbaseTicker = z.looseObject({
  trades: z.array(z.looseObject({ price: decimal, time: maybeTime })).nullish(),
  best_bid: maybeDecimal,
  best_ask: maybeDecimal,
})

const level = z.looseObject({ price: decimal })
/** Best prices first on both sides. */
export const CoinbaseBook = z.looseObject({ pricebook: z.looseObject({ bids: z.array(level), asks: z.array(level) }) })

export const CoinbaseProduct = z.looseObject({
  product_id: z.string(),
  price: maybeDecimal,
  ...coinbaseTradingFields,
  future_product_details: z
    .looseObject({
      ...coinbaseContractFields,
      funding_rate: maybeDecimal,
      /** The boundary last passed, whatever clients call it. */
      funding_time: maybeTime,
      /** In contracts. */
      open_interest: maybeDecimal,
    })
    .nullish(),
})
export type CoinbaseProduct = z.infer<typeof CoinbaseProduct>

/** No 4-hour bars: ccxt does not know them, and hours make them exactly. */
export const COINBASE_GRANULARITY: Partial<Record<Timeframe, string>> = {
  '1m': 'ONE_MINUTE',
  '5m': 'FIVE_MINUTE',
  '15m': 'FIFTEEN_MINUTE',
  '30m': 'THIRTY_MINUTE',
  '1h': 'ONE_HOUR',
  '1d': 'ONE_DAY',
}

/** Bars a call: 350 are allowed now, 300 were before; one less leaves no doubt about the ends. */
export const COINBASE_PAGE = 299
