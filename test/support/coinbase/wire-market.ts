import { canonical, dec } from '../../../lib/core/decimal.ts'
import { type EpochMs, floorTime, fromIso, MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { BIP, FUNDING_INTERVAL_MS, nextDaily, type ProductFacts } from './options.ts'
import { barUntil, GRID_MS, joinBars, type PathBar, type PricePath } from './prices.ts'
import { answer, invalidArgument, manyOf, notFound, oneOf, type VenueAnswer, type VenueRequest } from './request.ts'
import { closureAt, touchOf, type VenueState } from './state.ts'
import { CONTRACT_EXPIRY } from './wire-account.ts'

/** What one product trades like: the traded one or the reference. */
type Listing = { facts: ProductFacts; path: PricePath; tick: number }

function listingOf(state: VenueState, productId: string): Listing | null {
  if (productId === state.facts.productId) return { facts: state.facts, path: state.path, tick: state.tickNumber }
  if (productId === BIP.productId && state.reference !== null)
    return { facts: BIP, path: state.reference, tick: Number(BIP.tick) }
  return null
}

const ticksAt = (state: VenueState, { path, tick }: Listing, instant: EpochMs): number => {
  const closure = closureAt(state, instant)
  return Math.max(1, Math.round(path.at(closure === null ? instant : closure.from - 1) / tick))
}

const priceText = ({ facts }: Listing, ticks: number): string => canonical(dec(facts.tick).times(ticks))

const UNKNOWN_PRODUCT = 'Product not found'

/** `GET products/{product_id}` and its public twin. */
export function getProduct(state: VenueState, productId: string): VenueAnswer {
  const listing = listingOf(state, productId)
  return listing === null ? notFound(UNKNOWN_PRODUCT) : answer(renderProduct(state, listing))
}

/** `GET products` and its public twin: without `product_type` only spot, and there is none here. */
export function listProducts(state: VenueState, query: VenueRequest['query']): VenueAnswer {
  const ids = manyOf(query, 'product_ids')
  const isWanted = oneOf(query, 'product_type') === 'FUTURE' && oneOf(query, 'contract_expiry_type') !== 'PERPETUAL'
  const products = [state.facts.productId, BIP.productId]
    .filter((id, index, all) => all.indexOf(id) === index && (ids.length === 0 ? isWanted : ids.includes(id)))
    .flatMap((id) => listingOf(state, id) ?? [])
    .map((listing) => renderProduct(state, listing))
  return answer({ products, num_products: products.length, pagination: null })
}

function renderProduct(state: VenueState, listing: Listing): Record<string, unknown> {
  const { facts } = listing
  const { now } = state
  const last = ticksAt(state, listing, now)
  const price = priceText(listing, last)
  const boundary = floorTime(now, FUNDING_INTERVAL_MS)
  const opened = nextDaily(now, state.dailySettlesAt)
  const closure = closureAt(state, now)
  const ahead = state.closures.find((one) => one.to > now)
  const fundingRate = state.fundingRate(boundary)
  return {
    product_id: facts.productId,
    price,
    price_percentage_change_24h: '0.1',
    volume_24h: '678476',
    volume_percentage_change_24h: '1.5',
    base_increment: String(facts.lot),
    quote_increment: '0.01',
    quote_min_size: '0',
    quote_max_size: '100000000',
    base_min_size: String(facts.minSize),
    base_max_size: String(facts.maxSize),
    base_name: '',
    quote_name: 'US Dollar',
    watched: false,
    is_disabled: false,
    new: false,
    status: '',
    cancel_only: false,
    limit_only: false,
    post_only: false,
    trading_disabled: false,
    auction_mode: false,
    product_type: 'FUTURE',
    quote_currency_id: 'USD',
    base_currency_id: '',
    fcm_trading_session_details: {
      is_session_open: closure === null,
      open_time: toIso(opened - 86_400_000),
      close_time: toIso(opened),
      session_state: closure === null ? 'FCM_TRADING_SESSION_STATE_OPEN' : 'FCM_TRADING_SESSION_STATE_CLOSE',
      after_hours_order_entry_disabled: false,
      // Set while open, too, as captured.
      closed_reason: 'FCM_TRADING_SESSION_CLOSED_REASON_EXCHANGE_MAINTENANCE',
      maintenance: ahead === undefined ? null : { start_time: toIso(ahead.from), end_time: toIso(ahead.to) },
    },
    mid_market_price: price,
    alias: '',
    alias_to: [],
    base_display_symbol: '',
    quote_display_symbol: 'USD',
    view_only: false,
    price_increment: facts.tick,
    display_name: facts.displayName,
    product_venue: 'FCM',
    approximate_quote_24h_volume: '467673506.8',
    new_at: null,
    best_bid_price: '',
    best_ask_price: '',
    future_product_details: {
      venue: 'cde',
      contract_code: facts.contractCode,
      contract_expiry: CONTRACT_EXPIRY,
      contract_size: facts.multiplier,
      contract_root_unit: facts.contractRoot,
      contract_expiry_timezone: 'Europe/London',
      risk_managed_by: 'MANAGED_BY_FCM',
      contract_expiry_type: 'EXPIRING',
      perpetual_details: {
        open_interest: '183283',
        funding_rate: '',
        funding_time: null,
        max_leverage: '',
        base_asset_uuid: '',
        underlying_type: '',
      },
      time_to_expiry_ms: String(fromIso(CONTRACT_EXPIRY) - now),
      non_crypto: false,
      contract_expiry_name: '2030-12',
      twenty_four_by_seven: true,
      funding_interval: facts.fundingInterval,
      open_interest: '183283',
      funding_rate: fundingRate,
      // The boundary just passed.
      funding_time: toIso(boundary),
      region_enabled: {},
      intraday_margin_rate: {
        long_margin_rate: facts.intradayMargin.long,
        short_margin_rate: facts.intradayMargin.short,
      },
      overnight_margin_rate: {
        long_margin_rate: facts.overnightMargin.long,
        short_margin_rate: facts.overnightMargin.short,
      },
      settlement_price: price,
      futures_asset_type: 'FUTURES_ASSET_TYPE_CRYPTO',
      index_price: price,
    },
  }
}

const GRANULARITY_MS: Readonly<Record<string, number>> = {
  ONE_MINUTE: MINUTE_MS,
  FIVE_MINUTE: 5 * MINUTE_MS,
  FIFTEEN_MINUTE: 15 * MINUTE_MS,
  THIRTY_MINUTE: 30 * MINUTE_MS,
  ONE_HOUR: 60 * MINUTE_MS,
  TWO_HOUR: 120 * MINUTE_MS,
  FOUR_HOUR: 240 * MINUTE_MS,
  SIX_HOUR: 360 * MINUTE_MS,
  ONE_DAY: 1_440 * MINUTE_MS,
}

/** Candles a call may span; one of this many steps is refused. */
const MAX_CANDLES = 350

/**
 * `GET products/{product_id}/candles` and its public twin: newest first, the open bar included, bars of closures
 * missing.
 */
export function listCandles(state: VenueState, productId: string, query: VenueRequest['query']): VenueAnswer {
  const listing = listingOf(state, productId)
  if (listing === null) return notFound(UNKNOWN_PRODUCT)
  const stepMs = GRANULARITY_MS[oneOf(query, 'granularity') ?? '']
  const start = Number(oneOf(query, 'start') ?? Number.NaN) * 1_000
  const end = Number(oneOf(query, 'end') ?? Number.NaN) * 1_000
  if (stepMs === undefined) return invalidArgument('granularity is invalid')
  if (Number.isNaN(start) || Number.isNaN(end)) return invalidArgument('start and end are required')
  if ((end - start) / stepMs >= MAX_CANDLES)
    return invalidArgument(`number of candles requested should be less than ${MAX_CANDLES}`)
  const limit = Math.min(Number(oneOf(query, 'limit') ?? MAX_CANDLES), MAX_CANDLES)
  const candles: Record<string, string>[] = []
  for (
    let time = floorTime(Math.min(end, state.now), stepMs);
    time >= start && candles.length < limit;
    time -= stepMs
  ) {
    const bar = tradedBar(state, listing, time, Math.min(time + stepMs, state.now + 1))
    if (bar === null) continue
    const text = (value: number): string => priceText(listing, Math.max(1, Math.round(value / listing.tick)))
    candles.push({
      start: String(time / 1_000),
      low: text(bar.low),
      high: text(bar.high),
      open: text(bar.open),
      close: text(bar.close),
      volume: canonical(dec(bar.volume.toFixed(4))),
    })
  }
  return answer({ candles })
}

/** What traded in `[from, to)` outside closures. */
function tradedBar(state: VenueState, listing: Listing, from: EpochMs, to: EpochMs): PathBar | null {
  let bar: PathBar | null = null
  let start = from
  const add = (until: EpochMs): void => {
    const part = until > start ? barUntil(listing.path, start, until) : null
    if (part !== null) bar = joinBars(bar, part)
  }
  for (const closure of state.closures) {
    if (closure.to <= start || closure.from >= to) continue
    add(closure.from)
    start = closure.to
  }
  add(to)
  return bar
}

/** Trades told by the ticker at most. */
const MAX_TRADES = 100

/** `GET products/{product_id}/ticker` and its public twin: the last trades, one a grid instant. */
export function getTicker(state: VenueState, productId: string, query: VenueRequest['query']): VenueAnswer {
  const listing = listingOf(state, productId)
  if (listing === null) return notFound(UNKNOWN_PRODUCT)
  const limit = Math.min(Number(oneOf(query, 'limit') ?? 1), MAX_TRADES)
  const trades: Record<string, string>[] = []
  let instant = closureAt(state, state.now)?.from ?? state.now
  for (; trades.length < limit; instant = floorTime(instant - 1, GRID_MS)) {
    trades.push({
      trade_id: String(instant),
      product_id: productId,
      price: priceText(listing, ticksAt(state, listing, instant)),
      size: '1',
      time: toIso(instant),
      side: (instant / GRID_MS) % 2 === 0 ? 'BUY' : 'SELL',
      exchange: '',
    })
  }
  const touch = touchOf(state, ticksAt(state, listing, state.now))
  return answer({ trades, best_bid: priceText(listing, touch.bid), best_ask: priceText(listing, touch.ask) })
}

/** Levels a side, and contracts at each where the book is bottomless. */
const BOOK_LEVELS = 5
const SHOWN_DEPTH = 100

function renderBook(
  state: VenueState,
  listing: Listing,
): { product_id: string; bids: unknown[]; asks: unknown[]; time: string } {
  const touch = touchOf(state, ticksAt(state, listing, state.now))
  const size = String(Math.min(state.depth, SHOWN_DEPTH))
  const levels = (best: number, step: 1 | -1): unknown[] =>
    Array.from({ length: BOOK_LEVELS }, (_, index) => best + step * index)
      .filter((ticks) => ticks > 0)
      .map((ticks) => ({ price: priceText(listing, ticks), size }))
  return {
    product_id: listing.facts.productId,
    bids: levels(touch.bid, -1),
    asks: levels(touch.ask, 1),
    time: toIso(state.now),
  }
}

/** `GET product_book` and its public twin. */
export function getBook(state: VenueState, query: VenueRequest['query']): VenueAnswer {
  const listing = listingOf(state, oneOf(query, 'product_id') ?? '')
  if (listing === null) return notFound(UNKNOWN_PRODUCT)
  const last = priceText(listing, ticksAt(state, listing, state.now))
  return answer({ pricebook: renderBook(state, listing), last, mid_market: last, spread_bps: '', spread_absolute: '' })
}

/** `GET best_bid_ask`. */
export function getBestBidAsk(state: VenueState, query: VenueRequest['query']): VenueAnswer {
  const ids = manyOf(query, 'product_ids')
  const listings = (ids.length === 0 ? [state.facts.productId] : ids).flatMap((id) => listingOf(state, id) ?? [])
  return answer({
    pricebooks: listings.map((listing) => {
      const book = renderBook(state, listing)
      return { ...book, bids: book.bids.slice(0, 1), asks: book.asks.slice(0, 1) }
    }),
  })
}

/** `GET time`. */
export function getTime(state: VenueState): VenueAnswer {
  const told = state.now + state.switches.clockSkewMs
  return answer({ iso: toIso(told), epochSeconds: String(Math.floor(told / 1_000)), epochMillis: String(told) })
}
