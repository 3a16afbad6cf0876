import { type Clock, DAY_MS, type EpochMs, HOUR_MS } from '../../../lib/core/time.ts'
import type { Fault } from './faults.ts'
import type { PricePath } from './prices.ts'
import type { VenueRequest } from './request.ts'

/** What the venue says of its product; decimals as on the wire. Sizes are whole contracts. */
export type ProductFacts = {
  productId: string
  /** Base units a contract. */
  multiplier: string
  contractRoot: string
  contractCode: string
  displayName: string
  tick: string
  lot: number
  minSize: number
  maxSize: number
  /**
   * Initial margin as a fraction of notional. Only the overnight rates are enforced: the account is not opted into
   * intraday margin.
   */
  overnightMargin: { long: string; short: string }
  intradayMargin: { long: string; short: string }
  fundingInterval: string
}

/** A maintenance window: closed from `from`, open again at `to`. */
export type Closure = { from: EpochMs; to: EpochMs }

/** What the API leaves open, switchable at any time. The first named is the default. */
export type VenueSwitches = {
  /** false: realised PnL reaches the cash at the daily settlement; true: at once (and is still told as the day's). */
  settlesRealisedAtOnce: boolean
  /**
   * A repeated client id: the first order's id with the new request's side and product, or DUPLICATE_CLIENT_ORDER_ID.
   */
  duplicateIds: 'first' | 'refuse'
  /** BRACKET_ORDER_NOT_SUPPORTED for an order that carries one. */
  refusesAttachedBrackets: boolean
  /** BRACKET_ORDER_NOT_SUPPORTED for a bracket by itself. */
  refusesBrackets: boolean
  /** UNSUPPORTED_ORDER_CONFIGURATION. */
  refusesSorIoc: boolean
  /** FOK_DISABLED. */
  refusesFok: boolean
  /** A second bracket whose size and those of the resting ones exceed the position is refused. */
  refusesStackedBrackets: boolean
  /** 400 for OPEN among other order statuses. */
  refusesMixedStatus: boolean
  /** 400 for `order_ids` beside other filters of fills. */
  refusesMixedFillFilters: boolean
  /**
   * Which reason fields of a refusal are filled; `preview` leaves new_order_failure_reason UNKNOWN, `none` all of them.
   */
  failureReasons: 'full' | 'preview' | 'none'
  /** Numbers of positions and margin measures as `{value, currency}`. */
  amountsAsObjects: boolean
  /** Orders and fills appear in lists this late, and a list tells an order's state of then. */
  listLagMs: number
  /** How long an order stays PENDING before it works. */
  pendingMs: number
  /** From the cancel request (`pending_cancel`) to the cancel. */
  cancelMs: number
  /** Added to what `/time` tells. */
  clockSkewMs: number
  /** Cancels are refused while the session is closed. */
  refusesCancelsWhileClosed: boolean
  /** A liquidation cancels what rests; else orphans stay. */
  liquidationCancelsOrders: boolean
  /** At the daily settlement, futures cash above the initial margin goes to spot. */
  sweepsExcess: boolean
  permissions: { view: boolean; trade: boolean; transfer: boolean }
}

export const DEFAULT_SWITCHES: VenueSwitches = {
  settlesRealisedAtOnce: false,
  duplicateIds: 'first',
  refusesAttachedBrackets: false,
  refusesBrackets: false,
  refusesSorIoc: false,
  refusesFok: false,
  refusesStackedBrackets: false,
  refusesMixedStatus: true,
  refusesMixedFillFilters: true,
  failureReasons: 'full',
  amountsAsObjects: false,
  listLagMs: 0,
  pendingMs: 0,
  cancelMs: 0,
  clockSkewMs: 0,
  refusesCancelsWhileClosed: true,
  liquidationCancelsOrders: false,
  sweepsExcess: false,
  permissions: { view: true, trade: true, transfer: false },
}

export type VenueOptions = {
  clock: Clock
  /** Course of the traded product. */
  price: PricePath
  /**
   * Course of the reference market BIP-20DEC30-CDE: product, candles, ticker and book only. Without it, that product is
   * unknown.
   */
  reference?: PricePath
  product?: Partial<ProductFacts>
  /** US dollars in the futures account. */
  initialCash?: string
  /** US dollars in the spot account; they count as margin. */
  initialSpotCash?: string
  /** Fractions of notional, and dollars a contract on top. */
  fees?: { taker: string; maker: string; perContract: string }
  /** Rate a long pays a short at a boundary, a fraction of notional. */
  fundingRate?: (boundary: EpochMs) => string
  /** Offsets into the UTC day at which accrued funding settles into cash. The hours are our choice. */
  fundingSettlesAt?: readonly number[]
  /** Offset into the UTC day at which realised PnL settles. */
  dailySettlesAt?: number
  /** Liquidation threshold as a fraction of initial margin; our choice. */
  maintenanceFraction?: string
  /** Bid and ask lie this far from the last trade, at least a tick; 0 puts them on it. */
  halfSpreadBps?: number
  /** Ticks beyond the touch at which the first contract of a taking order fills. */
  slippageTicks?: number
  /** Contracts a price level holds; a taking order walks on by a tick a level. */
  depth?: number
  closures?: readonly Closure[]
  switches?: Partial<VenueSwitches>
  /** Asked for every request that no queued rule concerns; `ordinal` counts requests from 0. */
  faults?: (request: VenueRequest, ordinal: number) => Fault | null
}

/** Modelled on BIP's captured facts; ETP's own were not captured. */
export const ETP: ProductFacts = {
  productId: 'ETP-20DEC30-CDE',
  multiplier: '0.1',
  contractRoot: 'ETH',
  contractCode: 'ETP',
  displayName: 'ETH PERP',
  tick: '0.5',
  lot: 1,
  minSize: 1,
  maxSize: 5_000,
  overnightMargin: { long: '0.25', short: '0.31' },
  intradayMargin: { long: '0.1', short: '0.1' },
  fundingInterval: '3600s',
}

export const BIP: ProductFacts = {
  ...ETP,
  productId: 'BIP-20DEC30-CDE',
  multiplier: '0.01',
  contractRoot: 'BTC',
  contractCode: 'BIP',
  displayName: 'BTC PERP',
  tick: '5',
}

export const DEFAULT_FEES = { taker: '0.0003', maker: '0', perContract: '0.15' }
export const FUNDING_INTERVAL_MS = HOUR_MS
export const DAILY_SETTLEMENT = 21 * HOUR_MS
export const FUNDING_SETTLEMENTS: readonly number[] = [9 * HOUR_MS, 21 * HOUR_MS]

/** The first instant after `now` that lies `offsetMs` into a UTC day. */
export function nextDaily(now: EpochMs, offsetMs: number): EpochMs {
  const today = Math.floor(now / DAY_MS) * DAY_MS + offsetMs
  return today > now ? today : today + DAY_MS
}
