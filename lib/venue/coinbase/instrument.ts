import { canonical, type Decimal, dec } from '../../core/decimal.ts'
import { type EpochMs, SECOND_MS, toIso } from '../../core/time.ts'
import { coinbaseTradingState } from './market/session.ts'
import { Instrument, type TradingSession } from '../../../schemas/instrument.ts'
import { BrokerError, type InstrumentReading } from '../broker.ts'
import { type Listing, ProductAnswer } from './endpoints/product.ts'
import type { TransactionSummary } from './endpoints/transaction-summary.ts'
import { ours } from './ours.ts'

/**
 * An instrument as the venue describes it, and which of its facts are stand-ins: an exit needs none of these, an entry
 * all.
 */
export type InstrumentFacts = InstrumentReading & { assumed: readonly ('fees' | 'margin')[] }

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
export function toInstrument({ listing, fees, feePerContract, now }: Sources): InstrumentFacts {
  const answer = ours(ProductAnswer, listing, listing.product_id)
  const { product_id: symbol, future_product_details: details } = answer
  if (answer.product_venue !== 'FCM' || details === null || details === undefined || details.funding_interval === '') {
    const found = `venue ${answer.product_venue || 'none'}${details?.funding_interval ? '' : ' and no funding interval'}`
    throw new BrokerError(
      `${symbol} is not a US perp-style future: it needs venue FCM and a funding interval, and has ${found}`,
    )
  }
  const [longRate, shortRate] = [strictestRate(answer, 'long'), strictestRate(answer, 'short')]
  const initialRate = { long: longRate ?? dec(MARGIN_RATE_UNKNOWN), short: shortRate ?? dec(MARGIN_RATE_UNKNOWN) }
  const { taker_fee_rate: taker, maker_fee_rate: maker } = (fees ?? FEES_UNKNOWN).fee_tier
  const assumed: InstrumentFacts['assumed'] = [
    ...(fees === null ? (['fees'] as const) : []),
    ...(longRate === null || shortRate === null ? (['margin'] as const) : []),
  ]
  const instrument = ours(
    Instrument,
    {
      kind: 'perp',
      id: `coinbase:${symbol}`,
      venue: 'coinbase',
      venueSymbol: symbol,
      underlying: details.contract_root_unit,
      unit: details.contract_root_unit,
      quoteCurrency: answer.quote_currency_id,
      multiplier: details.contract_size,
      tickSize: answer.price_increment,
      lotSize: answer.base_increment,
      minQuantity: answer.base_min_size,
      maxQuantity: answer.base_max_size,
      margin: {
        perNotional: {
          initial: { long: canonical(initialRate.long), short: canonical(initialRate.short) },
          maintenance: canonical(
            larger(initialRate.long, initialRate.short).div(INITIAL_OVER_MAINTENANCE).round(RATE_PLACES),
          ),
        },
      },
      // A rebate is not counted on.
      fees: { maker: canonical(larger(dec(maker), dec(0))), taker, perContract: feePerContract },
      calendar: 'always-open',
      fundingIntervalMs: intervalMs(details.funding_interval, symbol),
    },
    symbol,
  )
  return { instrument, session: sessionOf(answer, now), assumed }
}

const larger = (a: Decimal, b: Decimal): Decimal => (a.gt(b) ? a : b)

/**
 * The higher of the two windows' rates: a position opened by day is still there at night. Null where that is no
 * fraction of the whole.
 */
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

function sessionOf(answer: ProductAnswer, now: EpochMs): TradingSession {
  const { blocks, nextClose } = coinbaseTradingState(answer, now)
  return {
    isOpen: blocks.length === 0,
    nextClose: nextClose === null ? null : toIso(nextClose),
    reason: blocks.length === 0 ? 'open' : blocks.join(', '),
  }
}
