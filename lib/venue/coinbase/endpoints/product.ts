import { z } from 'zod'
import { coinbaseContractFields, coinbaseTradingFields } from '../market/session.ts'
import { amount, maybeAmount, text } from '../fields.ts'
import { type Question, signedGet } from '../request.ts'

/** Rates that cannot be read are unset: only an entry needs them. */
const marginRates = z
  .looseObject({ long_margin_rate: maybeAmount.catch(null), short_margin_rate: maybeAmount.catch(null) })
  .nullish()
  .catch(null)

/** The least a position needs; all else is kept as it came, for {@link ProductAnswer}. */
const Listing = z.looseObject({
  product_id: z.string(),
  price: maybeAmount.catch(null),
  future_product_details: z.looseObject({ contract_size: maybeAmount }).nullish(),
})
export type Listing = z.infer<typeof Listing>

/** `GET /products/{product_id}`. Sizes are contracts. */
export const ProductAnswer = z.looseObject({
  product_id: z.string(),
  price: maybeAmount,
  /** The tick. `quote_increment` says 0.01 and is not it. */
  price_increment: amount,
  base_increment: amount,
  base_min_size: amount,
  base_max_size: amount,
  quote_currency_id: text,
  ...coinbaseTradingFields,
  future_product_details: z
    .looseObject({
      contract_root_unit: text,
      /** Base units per contract. */
      contract_size: maybeAmount,
      ...coinbaseContractFields,
      /** A duration such as `3600s`; null on dated futures. */
      funding_interval: text,
      intraday_margin_rate: marginRates,
      overnight_margin_rate: marginRates,
    })
    .nullish(),
})
export type ProductAnswer = z.infer<typeof ProductAnswer>

export const askProduct = (symbol: string): Question<Listing> => ({
  request: signedGet('products/{product_id}', { product_id: symbol }),
  answer: Listing,
})
