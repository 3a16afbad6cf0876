import { UsageError } from '../../core/invariant.ts'
import { minus, sum, toNumber } from '../../core/decimal.ts'
import { type Clock, floorTime, fromIso, HOUR_MS, SECOND_MS, timeframeMs, toIso } from '../../core/time.ts'
import type { MarketData, Trading } from '../../market/market-data.ts'
import type { Store } from '../../store/store.ts'
import { fundingIntervalOf } from '../../../schemas/instrument.ts'
import { type FundingRate, type Quote } from '../../../schemas/market.ts'
import type {
  Fill,
  FundingPayment,
  OrderRequest,
  Placement,
  VenueAccount,
  VenueOrder,
  VenuePosition,
  Transfer,
} from '../../../schemas/order.ts'
import type { PaperBook, PaperOrder } from '../../../schemas/paper-book.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { type Broker, BrokerError } from '../broker.ts'
import { refused } from '../refusal.ts'
import {
  advanceBook,
  bookTransfer,
  type Arrival,
  averageEntryPrice,
  bookUnrealised,
  cancelOrder,
  levelsOf,
  marginUsed,
  openBook,
  type PaperVenue,
  type PlacementResult,
  placeOrder,
  playPrice,
  restingOrders,
  settleDue,
} from './book.ts'
import { paperCapabilities } from './capabilities.ts'
import { FUNDING_MEMORY_MS, settlementsBetween } from './funding.ts'

type Dependencies = {
  config: StrategyConfig
  market: MarketData
  store: Pick<Store, 'loadBook' | 'saveBook'>
  clock: Clock
}

/** Tries against another function that moves the same book at the same time. */
const MAX_TRIES = 6
/** A book with nothing new in it is saved this often, so that a pass never replays more bars than that. */
const SAVE_AT_LEAST_MS = HOUR_MS
/** One pass asks for the price once: several questions within a second get the same quote. */
const QUOTE_LIFE_MS = SECOND_MS

/** The paper venue trades the configured instrument, and is in session whenever its market says nothing else. */
export const paperVenueOf = ({ instrument, paper }: Pick<StrategyConfig, 'instrument' | 'paper'>): PaperVenue => ({
  instrument,
  session: { isOpen: true, nextClose: null, reason: 'the paper venue never closes' },
  paper,
})

/** The paper venue, with its book as of now for those who want to look into it. */
export type PaperBroker = Broker & { bookNow(): Promise<PaperBook> }

/**
 * A perps venue in a stored book of its own. Before every answer the book is advanced over the closed bars and
 * funding settlements since it was last saved; that is deterministic, so it does not matter which function does
 * it or how often, and a book in which nothing happened need not be saved.
 *
 * Exits are judged on whole bars that open at or after the entry (the rest of the bar in which an entry fills is not
 * seen) and on the price of the instant at which somebody asks: nobody finds an order resting that the price has
 * passed.
 *
 * The venue trades when its market does. While that says it is closed no order is taken and no bar is played: a stop
 * that such a bar reaches stays where it is, as a real one would, and fires when trading goes on. While it is quiet,
 * orders rest, and nothing goes at market.
 */
export function createPaperBroker({ config, market, store, clock }: Dependencies): PaperBroker {
  const venue = paperVenueOf(config)
  const { venueSymbol: symbol } = venue.instrument
  const barMs = timeframeMs(market.baseTimeframe)
  let cached: { until: number; quote: Promise<Quote> } | null = null

  let watched: { until: number; trading: Promise<Trading> } | null = null

  const tradingAt = (now: number): Promise<Trading> => {
    if (market.trading === undefined) return ALWAYS_OPEN
    if (watched === null || now >= watched.until)
      watched = { until: now + QUOTE_LIFE_MS, trading: market.trading(symbol, now) }
    return watched.trading
  }

  /** The venue with the session of now. */
  const venueAt = async (now: number): Promise<{ venue: PaperVenue; trading: Trading }> => {
    const trading = await tradingAt(now)
    const { kind, reason, nextClose } = trading
    if (kind === 'open' && nextClose === null) return { venue, trading }
    const session = { isOpen: kind === 'open', nextClose: nextClose === null ? null : toIso(nextClose), reason }
    return { venue: { ...venue, session }, trading }
  }

  const quoteAt = (now: number): Promise<Quote> => {
    if (cached === null || now >= cached.until) {
      const quote = market.quote(symbol, now)
      cached = { until: now + QUOTE_LIFE_MS, quote }
      // A failed answer is not kept.
      quote.catch(() => {
        cached = null
      })
    }
    return cached.quote
  }

  /** Settlements on the held position by now, of which those before the last bar played have been made. */
  const settlementsDue = async ({ position, advancedTo }: PaperBook, now: number): Promise<FundingRate[]> => {
    const intervalMs = fundingIntervalOf(venue.instrument)
    if (position === null || intervalMs === null) return []
    const from = fromIso(advancedTo)
    const since = Math.max(fromIso(position.openedAt), from - barMs)
    // Known rates settle at whole hours, assumed ones at the contract's interval: most instants have no boundary behind
    // them.
    if (Math.max(floorTime(now, HOUR_MS), floorTime(now, intervalMs)) <= since) return []
    const known = await market.fundingRates(symbol, since - FUNDING_MEMORY_MS, now)
    return settlementsBetween(since, now, intervalMs, known, toNumber(config.paper.assumedFundingRate))
  }

  /** The book last advanced, and the stored one it came from: several questions of one pass play the bars once. */
  let played: { stored: PaperBook; book: PaperBook; now: number } | null = null

  const playBars = async (stored: PaperBook, now: number): Promise<PaperBook> => {
    const isContinued = played !== null && played.stored === stored && played.now <= now
    const book = played !== null && isContinued ? played.book : stored
    const from = fromIso(book.advancedTo)
    if (book.position === null || now < from + barMs) return book
    const limit = Math.ceil((now - from) / barMs) + 1
    const [series, settlements, { kind }] = await Promise.all([
      market.candles({ symbol, timeframe: market.baseTimeframe, asOf: now, limit }),
      settlementsDue(book, now),
      tradingAt(now),
    ])
    const bars = series.candles.filter((bar) => bar.time >= from)
    const advanced = advanceBook(book, bars, barMs, settlements, venue, kind !== 'closed')
    played = { stored, book: advanced, now }
    return advanced
  }

  /**
   * The bars that have closed, then the price of now. Without a price nothing trades now; who needs one fails by
   * itself.
   */
  const advance = async (stored: PaperBook, now: number): Promise<PaperBook> => {
    if (stored.position === null) return stored
    const book = await playBars(stored, now)
    const quote = book.position === null ? null : await quoteAt(now).catch(() => null)
    const levels = levelsOf(book)
    if (quote === null || levels === null) return book
    const mark = Number(quote.mark)
    if (mark > levels.lower && mark < levels.upper) return book
    // A price at which nobody trades fires nothing.
    if ((await tradingAt(now)).kind !== 'open') return book
    return playPrice(book, quote.mark, now, await settlementsDue(book, now), venue)
  }

  /** Loads, advances, lets `change` act, saves; starts again when somebody else has saved in between. */
  const withBook = async <T>(
    change: (book: PaperBook, now: number) => Promise<{ book: PaperBook; answer: T }>,
  ): Promise<T> => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const now = clock()
      const stored = await store.loadBook(config.id)
      const start = onMarket(stored ?? openBook(symbol, config.paper.initialCash, toIso(now)))
      const { book, answer } = await change(await advance(start, now), now)
      if (stored !== null && !isWorthSaving(stored, book, await isPassingOver(book, now))) return answer
      const { outcome } = await store.saveBook(config.id, book, stored === null)
      if (outcome === 'saved') return answer
    }
    throw new BrokerError(`the paper book of ${config.id} kept moving; gave up after ${MAX_TRIES} tries`)
  }

  /** While the venue is closed bars are passed over, and must not be played when it is open again. */
  const isPassingOver = async ({ position }: PaperBook, now: number): Promise<boolean> =>
    position !== null && (await tradingAt(now)).kind === 'closed'

  /** A flat book may move to other prices; a position is worth something only on those it was opened at. */
  const onMarket = (book: PaperBook): PaperBook => {
    if (book.symbol === symbol && book.market === market.name) return book
    const isElsewhere = book.symbol !== symbol || book.market !== null
    if (!isElsewhere) return { ...book, market: market.name }
    if (book.position === null && restingOrders(book).length === 0) return { ...book, symbol, market: market.name }
    throw new UsageError(
      `the paper position of ${config.id} was opened in ${book.symbol} on ${book.market}, this run is about ${symbol} on ${market.name}: give the same --market (and --seed), or another --data-dir`,
    )
  }

  const read = <T>(view: (book: PaperBook, now: number) => Promise<T> | T): Promise<T> =>
    withBook(async (book, now) => ({ book, answer: await view(book, now) }))

  const write = async (
    change: (book: PaperBook, arrival: Arrival, at: string, venue: PaperVenue) => PlacementResult,
  ): Promise<Placement> => {
    try {
      return await withBook(async (book, now) => {
        const [quote, drift, { venue: present, trading }] = await Promise.all([
          quoteAt(now),
          market.driftAfter?.(symbol, now, config.paper.latencyMs) ?? 0,
          venueAt(now),
        ])
        const settled = settleDue(book, await settlementsDue(book, now), quote.mark, venue)
        const { book: changed, placement } = change(
          settled,
          { quote, drift, isQuiet: trading.kind === 'quiet' },
          toIso(now),
          present,
        )
        return { book: changed, answer: placement }
      })
    } catch (error) {
      return { outcome: 'unknown', reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
    }
  }

  const accountOf = async (book: PaperBook, now: number): Promise<VenueAccount> => {
    // Flat, no price is needed: a dead market then costs nothing.
    if (book.position === null)
      return { at: toIso(now), cash: book.cash, equity: book.cash, availableMargin: book.cash }
    const { mark } = await quoteAt(now)
    const equity = sum(book.cash, bookUnrealised(book, venue.instrument, mark))
    return { at: toIso(now), cash: book.cash, equity, availableMargin: minus(equity, marginUsed(book)) }
  }

  const positionOf = async (book: PaperBook, now: number): Promise<VenuePosition | null> => {
    if (book.position === null) return null
    const { side, quantity, liquidationPrice } = book.position
    const { mark } = await quoteAt(now)
    return {
      symbol,
      side,
      quantity,
      averageEntryPrice: averageEntryPrice(book.position, venue.instrument),
      markPrice: mark,
      unrealisedPnl: bookUnrealised(book, venue.instrument, mark),
      liquidationPrice,
    }
  }

  return {
    name: 'paper',
    capabilities: { ...paperCapabilities, attachedExits: config.paper.attachedBrackets },
    instrument: async () => {
      const { instrument, session } = (await venueAt(clock())).venue
      return { instrument, session }
    },
    account: () => read(accountOf),
    position: () => read(positionOf),
    openOrders: () => read((book) => restingOrders(book).map(toVenueOrder)),
    order: (_symbol, { clientOrderId }) =>
      read((book) => {
        const found = book.orders.find((order) => order.request.clientOrderId === clientOrderId)
        return found === undefined ? null : toVenueOrder(found)
      }),
    fills: (_symbol, since) => read((book) => fillsSince(book, since)),
    fundingPayments: (_symbol, since) => read((book) => fundingSince(book, since)),
    transfers: (since) => read((book) => transfersSince(book, since)),
    credit: (transfer) => withBook(async (book) => ({ book: bookTransfer(book, transfer), answer: undefined })),
    bookNow: () => read((book) => book),
    readAll: (_symbol, since) =>
      read(async (book, now) => ({
        account: await accountOf(book, now),
        position: await positionOf(book, now),
        openOrders: restingOrders(book).map(toVenueOrder),
        fills: fillsSince(book, since),
        funding: fundingSince(book, since),
        transfers: transfersSince(book, since),
      })),
    place: (order, deadline) =>
      write((book, arrival, at, now) =>
        fromIso(at) > deadline
          ? { book, placement: refused('deadline_passed') }
          : placeOrder(book, order as OrderRequest, arrival, at, now),
      ),
    cancel: (_symbol, orderId) => write((book) => cancelOrder(book, orderId)),
  }
}

const ALWAYS_OPEN: Promise<Trading> = Promise.resolve({ kind: 'open', reason: 'open', nextClose: null })

const fillsSince = ({ fills }: PaperBook, since: number): Fill[] => fills.filter((fill) => fromIso(fill.at) >= since)

const fundingSince = ({ funding }: PaperBook, since: number): FundingPayment[] =>
  funding.filter((payment) => fromIso(payment.at) >= since)

const transfersSince = ({ transfers }: PaperBook, since: number): Transfer[] =>
  transfers.filter((transfer) => fromIso(transfer.at) >= since)

function isWorthSaving(before: PaperBook, after: PaperBook, isPassingOver: boolean): boolean {
  if (isPassingOver && before.advancedTo !== after.advancedTo) return true
  if (
    before.sequence !== after.sequence ||
    before.funding.length !== after.funding.length ||
    before.cash !== after.cash
  )
    return true
  if (before.orders.some((order, index) => order.status !== after.orders[index]?.status)) return true
  return fromIso(after.advancedTo) - fromIso(before.advancedTo) >= SAVE_AT_LEAST_MS
}

function toVenueOrder(order: PaperOrder): VenueOrder {
  const { request } = order
  return {
    orderId: order.orderId,
    clientOrderId: request.clientOrderId,
    symbol: request.symbol,
    kind: request.kind,
    side: request.side,
    status: order.status,
    quantity: request.quantity,
    filledQuantity: order.filledQuantity,
    averagePrice: order.averagePrice,
    bracket: request.kind === 'close' ? null : request.bracket,
    isTriggered: false,
    createdAt: order.createdAt,
    reason: order.reason,
  }
}
