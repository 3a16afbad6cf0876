import {
  canonical,
  ceilToStep,
  cost,
  type Decimal,
  dec,
  floorToStep,
  type Money,
  minus,
  money,
  negate,
  type Price,
  price,
  type Quantity,
  sum,
  ZERO_QUANTITY,
} from '../../core/decimal.ts'
import { canonicalJson } from '../../core/canonical-json.ts'
import { childOrderIdOf } from '../../core/ids.ts'
import { directionOf, type PositionSide } from '../../core/margin.ts'
import { initialMarginRate, liquidationPriceOf } from '../../instrument/margin.ts'
import { atOnePrice, type ExitHit, type ExitLevel, firstExit } from '../../core/first-exit.ts'
import { rememberLast } from '../../core/memo.ts'
import { type EpochMs, fromIso, toIso } from '../../core/time.ts'
import type { Instrument, TradingSession } from '../../../schemas/instrument.ts'
import type { Candle, FundingRate, Quote } from '../../../schemas/market.ts'
import type {
  CloseOrder,
  EntryOrder,
  Fill,
  FillReason,
  OrderRequest,
  Placement,
  ProtectOrder,
  Transfer,
} from '../../../schemas/order.ts'
import type { PaperBook, PaperOrder } from '../../../schemas/paper-book.ts'
import { CURRENT_VERSION } from '../../../schemas/stored.ts'
import type { PaperConfig } from '../../../schemas/strategy-config.ts'
import { refused } from '../refusal.ts'
import { paperRefusalOf } from './vocabulary.ts'

/** The venue's rules and costs, apart from its memory. */
export type PaperVenue = { instrument: Instrument; session: TradingSession; paper: PaperConfig }

/** Newest entries kept in the book; the ledger's history keeps them all. */
const KEPT = 30

/** A book with cash and nothing else. */
export function openBook(symbol: string, cash: Money, at: string): PaperBook {
  return {
    ...CURRENT_VERSION,
    version: 0,
    symbol,
    market: null,
    cash,
    position: null,
    advancedTo: at,
    orders: [],
    fills: [],
    funding: [],
    transfers: [],
    sequence: 0,
    ambiguousBars: 0,
    heldBars: 0,
  }
}

/** Books a deposit or withdrawal. One that was booked before changes nothing. */
export function bookTransfer(book: PaperBook, transfer: Transfer): PaperBook {
  if (book.transfers.some(({ transferId }) => transferId === transfer.transferId)) return book
  return {
    ...book,
    cash: sum(book.cash, transfer.amount),
    transfers: [...book.transfers, transfer].slice(-KEPT),
    sequence: book.sequence + 1,
  }
}

type BookPosition = NonNullable<PaperBook['position']>

/** Unrealised PnL of the book at a mark price. */
export const bookUnrealised = ({ position }: PaperBook, { multiplier }: Instrument, mark: Price): Money =>
  position === null ? money(0) : worthAt(position, multiplier, mark)

function worthAt(position: BookPosition, multiplier: Quantity, mark: Price): Money {
  const value = dec(mark).times(position.quantity).times(multiplier)
  return money(value.minus(position.costBasis).times(directionOf(position.side)))
}

const marginOf = rememberLast(({ costBasis, leverage }: BookPosition, _none: null): Money =>
  money(dec(costBasis).div(leverage)),
)

/** Margin set aside for the position: entry notional over leverage. */
export const marginUsed = ({ position }: PaperBook): Money => (position === null ? money(0) : marginOf(position, null))

const averageOf = rememberLast(({ costBasis, quantity }: BookPosition, multiplier: Quantity): Price =>
  price(dec(costBasis).div(dec(quantity).times(multiplier)).round(8)),
)

/** Average of the entry prices of what is held. */
export const averageEntryPrice = (position: BookPosition, { multiplier }: Instrument): Price =>
  averageOf(position, multiplier)

/** Orders still resting, oldest first. */
export const restingOrders = (book: PaperBook): PaperOrder[] => book.orders.filter((order) => order.status === 'open')

/**
 * Plays closed bars and funding settlements over the book, in time order. On each bar, for the position held
 * when it opens:
 *
 * 1. settlements due by the bar's open, on its open as mark;
 * 2. what the bar opens at or beyond, at the open: liquidation, else the stop, else the target;
 * 3. liquidation or stop within the bar, whichever is nearer to the open, and then what is left of the position;
 * 4. the target.
 *
 * Which of them comes first, and at which price, is for {@link firstExit} to say. Liquidation and stop pay half the
 * spread and the slippage and round to the tick against us; the target rests as a limit order, fills at its price and
 * pays the maker's fee. What is met within a bar is dated to the bar's last millisecond: when it was is not known, and
 * only then is it known that it was. Bars that opened before `advancedTo` are not played again.
 *
 * With `isTrading` false the venue is closed: funding is settled, and the bars are passed over without an exit.
 */
export function advanceBook(
  book: PaperBook,
  bars: readonly Candle[],
  barMs: number,
  settlements: readonly FundingRate[],
  venue: PaperVenue,
  isTrading = true,
): PaperBook {
  let current = book
  let levels = isTrading ? levelsOf(current) : null
  // Bars in which nothing happened change two counters: these are brought up to date only when something does.
  let quietBars = 0
  let playedTo = fromIso(book.advancedTo)
  const catchUp = (): PaperBook => (quietBars === 0 ? current : { ...current, heldBars: current.heldBars + quietBars })
  let nextSettlement = 0
  const from = playedTo
  for (const bar of bars) {
    if (bar.time < from) continue
    for (
      let due = settlements[nextSettlement];
      due !== undefined && due.time <= bar.time;
      due = settlements[++nextSettlement]
    )
      current = settleFunding(current, due, bar.open, venue)
    if (levels !== null) {
      if (isTouched(levels, bar)) {
        current = playBar(catchUp(), bar, bar.time + barMs - 1, venue)
        quietBars = 0
        levels = levelsOf(current)
      } else quietBars += 1
    }
    playedTo = bar.time + barMs
  }
  return playedTo === from ? current : { ...catchUp(), advancedTo: toIso(playedTo) }
}

/** Prices at which something may happen to what is held: below the lower of these levels or above the higher. */
export type Levels = { lower: number; upper: number }

/** The outermost bounds within which a bar does nothing to the position; null while flat. */
export function levelsOf(book: PaperBook): Levels | null {
  const { position } = book
  if (position === null) return null
  const isLong = position.side === 'long'
  const liquidation = Number(position.liquidationPrice)
  let lower = isLong ? liquidation : Number.NEGATIVE_INFINITY
  let upper = isLong ? Number.POSITIVE_INFINITY : liquidation
  for (const { status, request } of book.orders) {
    if (status !== 'open' || request.kind !== 'protect') continue
    const stop = Number(request.bracket.stopLossPrice)
    const target = Number(request.bracket.takeProfitPrice)
    lower = Math.max(lower, isLong ? stop : target)
    upper = Math.min(upper, isLong ? target : stop)
  }
  return { lower, upper }
}

const isTouched = ({ lower, upper }: Levels, bar: Candle): boolean => bar.low <= lower || bar.high >= upper

/**
 * Settles what is due by now at `mark`: before the position changes between two bars, so that leaving it just after a
 * boundary does not escape the payment. A settlement already made is not made again.
 */
export function settleDue(
  book: PaperBook,
  settlements: readonly FundingRate[],
  mark: Price,
  venue: PaperVenue,
): PaperBook {
  return settlements.reduce((current, due) => settleFunding(current, due, mark, venue), book)
}

function settleFunding(
  book: PaperBook,
  { time, rate }: FundingRate,
  mark: number | Price,
  { instrument }: PaperVenue,
): PaperBook {
  const { position } = book
  // Charged on the position held at the boundary: one opened exactly then was not.
  if (position === null || fromIso(position.openedAt) >= time) return book
  const fundingId = `${book.symbol}-${toIso(time)}`
  if (book.funding.some((payment) => payment.fundingId === fundingId)) return book
  const notional = dec(mark).times(position.quantity).times(instrument.multiplier)
  const amount = money(notional.times(rate).times(-directionOf(position.side)))
  return {
    ...book,
    cash: sum(book.cash, amount),
    funding: [...book.funding, { fundingId, at: toIso(time), rate: canonical(dec(rate)), amount }].slice(-KEPT),
  }
}

/** What one bar does to a held position: exits fire one by one until nothing more is touched or nothing is held. */
function playBar(book: PaperBook, bar: Candle, lastInstant: EpochMs, venue: PaperVenue): PaperBook {
  let current: PaperBook = { ...book, heldBars: book.heldBars + 1 }
  for (let isFirst = true; current.position !== null; isFirst = false) {
    const next = fireExit(current, bar, lastInstant, isFirst, venue)
    if (next.sequence === current.sequence) return next
    current = next
  }
  return current
}

/**
 * What may end the position: liquidation, and stop and target of each order that has rested since the given instant.
 */
function levelsOfBook(book: PaperBook, restingSince: EpochMs): (ExitLevel & { order: PaperOrder | null })[] {
  const { position } = book
  if (position === null) return []
  return [
    { kind: 'liquidation', price: position.liquidationPrice, order: null },
    ...restingOrders(book).flatMap((order): (ExitLevel & { order: PaperOrder })[] =>
      order.request.kind !== 'protect' || fromIso(order.createdAt) > restingSince
        ? []
        : [
            { kind: 'stop_loss', price: order.request.bracket.stopLossPrice, order },
            {
              kind: 'take_profit',
              price: order.request.bracket.takeProfitPrice,
              isLate: order.isLate ?? false,
              order,
            },
          ],
    ),
  ]
}

/**
 * The first exit the bar touches, if any. An order placed within the bar has not seen its beginning: it is judged from
 * the next bar on.
 */
function fireExit(book: PaperBook, bar: Candle, lastInstant: EpochMs, isFirst: boolean, venue: PaperVenue): PaperBook {
  const { position } = book
  if (position === null) return book
  const levels = levelsOfBook(book, bar.time)
  const isTouched = (kind: ExitLevel['kind']): boolean =>
    firstExit(
      position.side,
      levels.filter((level) => level.kind === kind),
      bar,
    ) !== null
  const isAmbiguous = isFirst && isTouched('stop_loss') && isTouched('take_profit')
  const marked = isAmbiguous ? { ...book, ambiguousBars: book.ambiguousBars + 1 } : book
  const hit = firstExit(position.side, levels, bar)
  return hit === null ? marked : executeExit(marked, hit, hit.isAtOpen ? bar.time : lastInstant, venue)
}

/**
 * What the price of an instant does to what is held, after the funding due by then: all that it lies at or beyond fills
 * there and then. A bar that opens with this price does the same, but is known only once it has closed.
 */
export function playPrice(
  book: PaperBook,
  mark: Price,
  now: EpochMs,
  settlements: readonly FundingRate[],
  venue: PaperVenue,
): PaperBook {
  const span = atOnePrice(Number(mark))
  const next = (current: PaperBook) =>
    current.position === null ? null : firstExit(current.position.side, levelsOfBook(current, now), span)
  if (next(book) === null) return book
  let current = settleDue(book, settlements, mark, venue)
  for (let hit = next(current); hit !== null; hit = next(current)) current = executeExit(current, hit, now, venue)
  return current
}

function executeExit(
  book: PaperBook,
  { level, reference, liquidity }: ExitHit<ExitLevel & { order: PaperOrder | null }>,
  at: EpochMs,
  venue: PaperVenue,
): PaperBook {
  const { position } = book
  if (position === null) return book
  const { order } = level
  const side = position.side === 'long' ? 'sell' : 'buy'
  const held = dec(position.quantity)
  const wanted = order === null ? held : dec(order.request.quantity)
  const filled = wanted.lt(held) ? wanted : held
  return execute(
    book,
    {
      side,
      quantity: canonical(filled) as Quantity,
      fillPrice: liquidity === 'maker' ? level.price : slipped(dec(reference), side, venue),
      reference: dec(reference),
      isMaker: liquidity === 'maker',
      reason: level.kind,
      orderId: order?.orderId ?? `paper-liquidation-${book.sequence}`,
      clientOrderId: order?.request.clientOrderId ?? null,
      at: toIso(at),
    },
    venue,
  )
}

/** A price half a spread and the slippage against a taker, on the tick, never in the taker's favour. */
function slipped(reference: Decimal, side: 'buy' | 'sell', { instrument, paper }: PaperVenue): Price {
  return takerPrice(reference, side, paper.spreadBps / 2 + paper.slippageBps, instrument)
}

function takerPrice(reference: Decimal, side: 'buy' | 'sell', bps: number, instrument: Instrument): Price {
  const factor = dec(1).plus(
    dec(bps)
      .div(10_000)
      .times(side === 'buy' ? 1 : -1),
  )
  const tick = dec(instrument.tickSize)
  const worse = reference.times(factor)
  const onTick = side === 'buy' ? ceilToStep(worse, tick) : floorToStep(worse, tick)
  return price(onTick.gt(0) ? onTick : tick)
}

type Execution = {
  side: 'buy' | 'sell'
  quantity: Quantity
  fillPrice: Price
  /** Mid or trigger price the cost of slippage is reckoned from. */
  reference: Decimal
  isMaker: boolean
  reason: FillReason
  orderId: string
  clientOrderId: string | null
  at: string
}

/** Fees of a fill, rounded up. */
function feeOf(execution: Execution, notional: Decimal, { instrument, paper }: PaperVenue): Money {
  const rate = dec(execution.isMaker ? instrument.fees.maker : instrument.fees.taker).plus(
    execution.reason === 'liquidation' ? paper.liquidationFeeRate : '0',
  )
  return cost(notional.times(rate).plus(dec(instrument.fees.perContract).times(execution.quantity)))
}

/** A reducing fill: cash, position, the order's status, the fill itself; resting exits die with the position. */
function execute(book: PaperBook, execution: Execution, venue: PaperVenue): PaperBook {
  const { position } = book
  if (position === null) return book
  const base = dec(execution.quantity).times(venue.instrument.multiplier)
  const notional = base.times(execution.fillPrice)
  const fee = feeOf(execution, notional, venue)
  const isWhole = execution.quantity === position.quantity
  const released = isWhole
    ? position.costBasis
    : money(dec(position.costBasis).times(execution.quantity).div(position.quantity))
  const gross = money(dec(money(notional)).minus(released).times(directionOf(position.side)))
  const remaining = isWhole
    ? null
    : {
        ...position,
        quantity: canonical(dec(position.quantity).minus(execution.quantity)) as Quantity,
        costBasis: minus(position.costBasis, released),
      }
  const orders = book.orders.map((order): PaperOrder => {
    if (order.orderId === execution.orderId)
      return { ...order, status: 'filled', filledQuantity: execution.quantity, averagePrice: execution.fillPrice }
    return isWhole && order.status === 'open'
      ? { ...order, status: 'cancelled', reason: 'the position is closed' }
      : order
  })
  return {
    ...book,
    cash: sum(book.cash, gross, negate(fee)),
    position: remaining,
    orders,
    ...withFill(book, execution, base, fee),
  }
}

function withFill(
  book: PaperBook,
  execution: Execution,
  base: Decimal,
  fee: Money,
): Pick<PaperBook, 'fills' | 'sequence'> {
  const fill: Fill = {
    fillId: `paper-${book.symbol}-${book.sequence}`,
    orderId: execution.orderId,
    clientOrderId: execution.clientOrderId,
    symbol: book.symbol,
    side: execution.side,
    price: execution.fillPrice,
    quantity: execution.quantity,
    fee,
    slippage: money(
      dec(execution.fillPrice)
        .minus(execution.reference)
        .times(base)
        .times(execution.side === 'buy' ? 1 : -1),
    ),
    liquidity: execution.isMaker ? 'maker' : 'taker',
    reason: execution.reason,
    at: execution.at,
  }
  return { fills: [...book.fills, fill].slice(-KEPT), sequence: book.sequence + 1 }
}

/**
 * What an order meets: the quote as it was sent, and by which fraction the price has moved since, up or down (`drift`).
 */
export type Arrival = {
  quote: Quote
  drift: number
  /** The venue takes orders, but nobody trades: what goes at market would not fill. */
  isQuiet?: boolean
}

/**
 * The price a market order fills at: the touch, moved against it where the price has moved while it was on its way, and
 * the slippage.
 */
function marketPrice(side: 'buy' | 'sell', { quote, drift }: Arrival, { paper, instrument }: PaperVenue): Price {
  const touch = dec(side === 'buy' ? quote.ask : quote.bid)
  const isAdverse = side === 'buy' ? drift > 0 : drift < 0
  // To the billionth: what is left beyond is the noise of floating point.
  return takerPrice(isAdverse ? touch.times(dec(drift.toFixed(9)).plus(1)) : touch, side, paper.slippageBps, instrument)
}

export type PlacementResult = { book: PaperBook; placement: Placement }

/**
 * Takes an order as a venue would: judged by the contract's rules, filled at the quote (with slippage) or
 * refused with a reason. The same client id again creates nothing and answers with the first order; another
 * body under that id is refused.
 */
export function placeOrder(
  book: PaperBook,
  order: OrderRequest,
  arrival: Arrival,
  at: string,
  venue: PaperVenue,
): PlacementResult {
  const before = book.orders.find((known) => known.request.clientOrderId === order.clientOrderId)
  if (before !== undefined) {
    const isSame = canonicalJson(before.request) === canonicalJson(order)
    return {
      book,
      placement: isSame
        ? { outcome: 'accepted', orderId: before.orderId }
        : refused('duplicate_client_order_id', 'duplicate_id'),
    }
  }
  const problem = ruleBroken(order, venue.instrument) ?? sessionProblem(order, venue.session, arrival.isQuiet ?? false)
  if (problem !== null) return rejected(book, problem)
  switch (order.kind) {
    case 'entry':
      return placeEntry(book, order, arrival, at, venue)
    case 'protect':
      return placeProtection(book, order, arrival.quote, at)
    case 'close':
      return placeClose(book, order, arrival, at, venue)
    default:
      return order satisfies never
  }
}

/** The contract's size and price rules. */
function ruleBroken(order: OrderRequest, instrument: Instrument): string | null {
  const size = dec(order.quantity)
  if (order.symbol !== instrument.venueSymbol) return 'invalid_product_id'
  if (!floorToStep(size, dec(instrument.lotSize)).eq(size)) return 'invalid_size_precision'
  if (size.lt(instrument.minQuantity)) return 'below_minimum_size'
  if (size.gt(instrument.maxQuantity)) return 'above_maximum_size'
  const prices =
    order.kind === 'close'
      ? []
      : [
          order.bracket.stopLossPrice,
          order.bracket.takeProfitPrice,
          ...(order.kind === 'entry' ? [order.priceLimit] : []),
        ]
  const tick = dec(instrument.tickSize)
  if (prices.some((level) => !floorToStep(dec(level), tick).eq(level))) return 'invalid_price_precision'
  return null
}

/** Why the venue takes no such order now, with its own words. A stop and target may rest while merely nobody trades. */
function sessionProblem({ kind }: OrderRequest, session: TradingSession, isQuiet: boolean): string | null {
  if (session.isOpen) return null
  if (isQuiet) return kind === 'protect' ? null : `no_trades: ${session.reason}`
  return `session_closed: ${session.reason}`
}

const rejected = (book: PaperBook, reason: string): PlacementResult => ({
  book,
  placement: refused(reason, paperRefusalOf(reason)),
})

const midOf = (quote: Quote): Decimal => dec(quote.bid).plus(quote.ask).div(2)

const newOrder = (book: PaperBook, request: OrderRequest, at: string, end: Partial<PaperOrder>): PaperOrder => ({
  orderId: `paper-order-${book.symbol}-${book.sequence}`,
  request,
  status: 'open',
  filledQuantity: ZERO_QUANTITY,
  averagePrice: null,
  createdAt: at,
  reason: null,
  ...end,
})

/** An order that rests is kept however old it is: a forgotten stop would be no stop. */
function addOrder(book: PaperBook, order: PaperOrder): PaperBook {
  const orders = [...book.orders, order].filter(
    ({ status }, index, all) => status === 'open' || index >= all.length - KEPT,
  )
  return { ...book, orders, sequence: book.sequence + 1 }
}

function placeEntry(
  book: PaperBook,
  order: EntryOrder,
  arrival: Arrival,
  at: string,
  venue: PaperVenue,
): PlacementResult {
  const { instrument } = venue
  const { quote } = arrival
  const side: PositionSide = order.side === 'buy' ? 'long' : 'short'
  if (book.position !== null) return rejected(book, 'position_exists')
  const { stopLossPrice, takeProfitPrice } = order.bracket
  const isOrdered = side === 'long' ? dec(stopLossPrice).lt(takeProfitPrice) : dec(stopLossPrice).gt(takeProfitPrice)
  if (!isOrdered) return rejected(book, 'invalid_bracket_prices')
  // The attached stop watches the mark: one that the mark has passed already would close at once what it protects.
  if (side === 'long' ? dec(quote.mark).lte(stopLossPrice) : dec(quote.mark).gte(stopLossPrice))
    return rejected(book, 'stop_already_triggered')
  if (
    dec(order.leverage).lte(0) ||
    dec(order.leverage)
      .times(initialMarginRate(instrument, side, dec(quote.mark)))
      .gt(1)
  )
    return rejected(book, 'invalid_leverage')
  const fillPrice = marketPrice(order.side, arrival, venue)
  const isBeyond = order.side === 'buy' ? dec(fillPrice).gt(order.priceLimit) : dec(fillPrice).lt(order.priceLimit)
  if (isBeyond) {
    // Immediate or cancel: accepted, and over without a fill.
    const dead = newOrder(book, order, at, { status: 'cancelled', reason: 'price_beyond_limit' })
    return { book: addOrder(book, dead), placement: { outcome: 'accepted', orderId: dead.orderId } }
  }
  const base = dec(order.quantity).times(instrument.multiplier)
  const notional = money(base.times(fillPrice))
  const execution: Execution = {
    side: order.side,
    quantity: order.quantity,
    fillPrice,
    reference: midOf(quote),
    isMaker: false,
    reason: 'entry',
    orderId: `paper-order-${book.symbol}-${book.sequence}`,
    clientOrderId: order.clientOrderId,
    at,
  }
  const fee = feeOf(execution, dec(notional), venue)
  if (dec(notional).div(order.leverage).plus(fee).gt(book.cash)) return rejected(book, 'insufficient_margin')
  const filled = addOrder(
    book,
    newOrder(book, order, at, { status: 'filled', filledQuantity: order.quantity, averagePrice: fillPrice }),
  )
  const position = {
    side,
    quantity: order.quantity,
    costBasis: notional,
    leverage: order.leverage,
    liquidationPrice: liquidationLevel(side, fillPrice, order.leverage, instrument),
    openedAt: at,
  }
  const opened: PaperBook = {
    ...filled,
    cash: minus(book.cash, fee),
    position,
    advancedTo: at,
    ...withFill(filled, execution, base, fee),
  }
  if (!venue.paper.attachedBrackets)
    return { book: opened, placement: { outcome: 'accepted', orderId: execution.orderId } }
  const child: ProtectOrder = {
    kind: 'protect',
    clientOrderId: childOrderIdOf(order.clientOrderId),
    symbol: order.symbol,
    side: order.side === 'buy' ? 'sell' : 'buy',
    quantity: order.quantity,
    bracket: order.bracket,
  }
  const target: ExitLevel = { kind: 'take_profit', price: takeProfitPrice }
  const isLate = firstExit(side, [target], atOnePrice(Number(quote.mark))) !== null
  return {
    book: addOrder(opened, newOrder(opened, child, at, isLate ? { isLate } : {})),
    placement: { outcome: 'accepted', orderId: execution.orderId },
  }
}

/** Where the venue liquidates, on the tick, a little early rather than late. */
function liquidationLevel(side: PositionSide, entryPrice: Price, leverage: Quantity, instrument: Instrument): Price {
  const level = liquidationPriceOf(instrument, side, dec(entryPrice), dec(leverage)) ?? dec(entryPrice)
  const tick = dec(instrument.tickSize)
  const onTick = side === 'long' ? ceilToStep(level, tick) : floorToStep(level, tick)
  return price(onTick.gt(0) ? onTick : tick)
}

function placeProtection(book: PaperBook, order: ProtectOrder, quote: Quote, at: string): PlacementResult {
  const { position } = book
  if (position === null) return rejected(book, 'no_position_to_protect')
  if ((order.side === 'sell') !== (position.side === 'long')) return rejected(book, 'invalid_bracket_order_side')
  const resting = restingOrders(book).reduce((total, open) => total.plus(open.request.quantity), dec(0))
  if (resting.plus(order.quantity).gt(position.quantity)) return rejected(book, 'order_size_exceeds_bracketed_position')
  const isLong = position.side === 'long'
  const mark = dec(quote.mark)
  const { stopLossPrice, takeProfitPrice } = order.bracket
  if (isLong ? mark.lte(stopLossPrice) : mark.gte(stopLossPrice)) return rejected(book, 'stop_already_triggered')
  if (isLong ? mark.gte(takeProfitPrice) : mark.lte(takeProfitPrice))
    return rejected(book, 'invalid_bracket_limit_price')
  const live = newOrder(book, order, at, {})
  return { book: addOrder(book, live), placement: { outcome: 'accepted', orderId: live.orderId } }
}

function placeClose(
  book: PaperBook,
  order: CloseOrder,
  arrival: Arrival,
  at: string,
  venue: PaperVenue,
): PlacementResult {
  const { position } = book
  if (position === null) return rejected(book, 'cannot_close_zero_position')
  if ((order.side === 'sell') !== (position.side === 'long')) return rejected(book, 'invalid_side')
  if (dec(order.quantity).gt(position.quantity)) return rejected(book, 'order_size_exceeds_position')
  const fillPrice = marketPrice(order.side, arrival, venue)
  const done = newOrder(book, order, at, { status: 'open' })
  const placed = addOrder(book, done)
  const execution: Execution = {
    side: order.side,
    quantity: order.quantity,
    fillPrice,
    reference: midOf(arrival.quote),
    isMaker: false,
    reason: 'close',
    orderId: done.orderId,
    clientOrderId: order.clientOrderId,
    at,
  }
  return { book: execute(placed, execution, venue), placement: { outcome: 'accepted', orderId: done.orderId } }
}

/** Ends a resting order. */
export function cancelOrder(book: PaperBook, orderId: string): PlacementResult {
  const order = book.orders.find((known) => known.orderId === orderId)
  if (order === undefined) return rejected(book, 'unknown_cancel_order')
  if (order.status !== 'open') return rejected(book, `order_is_${order.status}`)
  const orders = book.orders.map((known): PaperOrder =>
    known === order ? { ...known, status: 'cancelled', reason: 'cancelled by us' } : known,
  )
  return { book: { ...book, orders }, placement: { outcome: 'accepted', orderId } }
}
