import { canonical, type Decimal, dec } from '../../core/decimal.ts'
import { type EpochMs, SECOND_MS, toIso } from '../../core/time.ts'
import { Product } from '../../../schemas/market.ts'
import { BrokerError } from '../broker.ts'
import { type Listing, ProductAnswer } from './endpoints/product.ts'
import type { TransactionSummary } from './endpoints/transaction-summary.ts'
import { ours } from './ours.ts'

/** A product, and which of its facts are stand-ins: an exit needs none of these, an entry all. */
export type ProductFacts = { product: Product; assumed: readonly ('fees' | 'margin')[] }

type Sources = {
  listing: Listing
  /** Null where they cannot be read. */
  fees: TransactionSummary | null
  feePerContract: string
  now: EpochMs
}

/** Far above every tier: nothing passes on reward and risk by accident. */
const FEES_UNKNOWN: TransactionSummary = { fee_tier: { taker_fee_rate: '0.01', maker_fee_rate: '0.01' } }
/** No leverage at all. */
const MARGIN_RATE_UNKNOWN = '1'

/** Retail initial margin is 110 % of maintenance margin; the venue names only the former per product. Inferred. */
const INITIAL_OVER_MAINTENANCE = '1.1'
const RATE_PLACES = 8

/**
 * A US perp-style future: cleared by the FCM, with a funding interval. Its expiry type says EXPIRING, and its
 * perpetual_details are an empty shell that dated futures have too. Throws {@link BrokerError} for anything else.
 * Fees and margin rates that are not known are replaced by pessimistic ones, and named as assumed.
 */
export function toProduct({ listing, fees, feePerContract, now }: Sources): ProductFacts {
  const answer = ours(ProductAnswer, listing, listing.product_id)
  const { product_id: symbol, future_product_details: details } = answer
  if (answer.product_venue !== 'FCM' || details === null || details === undefined || details.funding_interval === '') {
    const found = `venue ${answer.product_venue || 'none'}${details?.funding_interval ? '' : ' and no funding interval'}`
    throw new BrokerError(
      `${symbol} is not a US perp-style future: it needs venue FCM and a funding interval, and has ${found}`,
    )
  }
  const [longRate, shortRate] = [strictestRate(answer, 'long'), strictestRate(answer, 'short')]
  const initialMarginRate = { long: longRate ?? dec(MARGIN_RATE_UNKNOWN), short: shortRate ?? dec(MARGIN_RATE_UNKNOWN) }
  const { taker_fee_rate: taker, maker_fee_rate: maker } = (fees ?? FEES_UNKNOWN).fee_tier
  const assumed: ProductFacts['assumed'] = [
    ...(fees === null ? (['fees'] as const) : []),
    ...(longRate === null || shortRate === null ? (['margin'] as const) : []),
  ]
  const product = ours(
    Product,
    {
      symbol,
      base: details.contract_root_unit,
      quote: answer.quote_currency_id,
      contractSize: details.contract_size,
      tickSize: answer.price_increment,
      lotSize: answer.base_increment,
      minQuantity: answer.base_min_size,
      maxQuantity: answer.base_max_size,
      initialMarginRate: { long: canonical(initialMarginRate.long), short: canonical(initialMarginRate.short) },
      maintenanceMarginRate: canonical(
        larger(initialMarginRate.long, initialMarginRate.short).div(INITIAL_OVER_MAINTENANCE).round(RATE_PLACES),
      ),
      // A rebate is not counted on.
      fees: { maker: canonical(larger(dec(maker), dec(0))), taker, perContract: feePerContract },
      fundingIntervalMs: intervalMs(details.funding_interval, symbol),
      session: sessionOf(answer, now),
    },
    symbol,
  )
  return { product, assumed }
}

const larger = (a: Decimal, b: Decimal): Decimal => (a.gt(b) ? a : b)

/** The higher of the two windows' rates: a position opened by day is still there at night. Null where that is no fraction of the whole. */
function strictestRate({ future_product_details: details }: ProductAnswer, side: 'long' | 'short'): Decimal | null {
  const key = `${side}_margin_rate` as const
  const overnight = details?.overnight_margin_rate?.[key] ?? null
  if (overnight === null) return null
  const rate = larger(dec(overnight), dec(details?.intraday_margin_rate?.[key] ?? '0'))
  return rate.gt(0) && rate.lte(1) ? rate : null
}

/** Milliseconds of a duration such as `3600s`. */
function intervalMs(duration: string, symbol: string): number {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(duration)?.[1]
  if (seconds === undefined) throw new BrokerError(`${symbol}: ${JSON.stringify(duration)} is not a funding interval`)
  return Math.round(Number(seconds) * SECOND_MS)
}

const BLOCKS = [
  'is_disabled',
  'trading_disabled',
  'cancel_only',
  'limit_only',
  'post_only',
  'auction_mode',
  'view_only',
] as const

/** Open only when everything says so. The reason for the last close stays set while open, and the status is always empty. */
function sessionOf(answer: ProductAnswer, now: EpochMs): Product['session'] {
  const { fcm_trading_session_details: session, future_product_details: details } = answer
  const { start_time: start = null, end_time: end = null } = session?.maintenance ?? {}
  const isInMaintenance = start !== null && start <= now && (end === null || now < end)
  const blocks: string[] = BLOCKS.filter((name) => answer[name])
  if (session === null || session === undefined) blocks.push('no session known')
  else {
    if (!session.is_session_open)
      blocks.push(
        `session closed${session.closed_reason === '' ? '' : `: ${lastWord(session.closed_reason, 'CLOSED_REASON_')}`}`,
      )
    if (session.session_state !== 'FCM_TRADING_SESSION_STATE_OPEN')
      blocks.push(`session state ${lastWord(session.session_state, 'STATE_') || 'unknown'}`)
  }
  if (isInMaintenance) blocks.push('maintenance')
  // A product that trades around the clock has a close time too: the daily boundary, which nothing stops at.
  const closes = [
    start,
    details?.contract_expiry ?? null,
    details?.twenty_four_by_seven === true ? null : (session?.close_time ?? null),
  ]
  const ahead = closes.filter((close) => close !== null).filter((close) => close > now)
  return {
    isOpen: blocks.length === 0,
    nextClose: ahead.length === 0 ? null : toIso(Math.min(...ahead)),
    reason: blocks.length === 0 ? 'open' : blocks.join(', '),
  }
}

const lastWord = (name: string, after: string): string =>
  name.slice(name.indexOf(after) + (name.includes(after) ? after.length : 1)).toLowerCase()
