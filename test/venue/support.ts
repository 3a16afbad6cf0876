import { type Money, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { clientOrderIdOf } from '../../lib/core/ids.ts'
import { MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { openBook, type PaperVenue, type PlacementResult, placeOrder } from '../../lib/venue/paper/book.ts'
import type { Candle, Quote } from '../../schemas/market.ts'
import type { TradingSession } from '../../schemas/instrument.ts'
import { changed, ETH, type InstrumentChanges, OPEN_SESSION } from '../support/instruments.ts'
import type { CloseOrder, EntryOrder, OrderRequest, ProtectOrder } from '../../schemas/order.ts'
import { PaperBook } from '../../schemas/paper-book.ts'
import { PaperConfig } from '../../schemas/strategy-config.ts'

export const SYMBOL = 'ETP-20DEC30-CDE'
export const START = Date.parse('2026-03-10T12:00:00Z')
export const MINUTE = MINUTE_MS

type Costs = {
  spreadBps?: number
  slippageBps?: number
  liquidationFeeRate?: string
  attachedBrackets?: boolean
  instrument?: InstrumentChanges
  session?: TradingSession
}

/** The default contract, ETH in tenths at a tick of half a dollar, with what the test wants otherwise. */
export function venueWith({ instrument, session = OPEN_SESSION, ...paper }: Costs = {}): PaperVenue {
  return { paper: PaperConfig.parse(paper), instrument: changed(ETH, instrument), session }
}

const FREE_FEES = { maker: '0', taker: '0', perContract: '0' }
/** Nothing costs anything. */
export const freeVenue = (more: Costs = {}): PaperVenue =>
  venueWith({
    spreadBps: 0,
    slippageBps: 0,
    liquidationFeeRate: '0',
    ...more,
    instrument: { fees: FREE_FEES, ...more.instrument },
  })

export const quoteAt = (level: number | string, halfSpread = 0, time = START): Quote => ({
  at: toIso(time),
  bid: price(Number(level) - halfSpread),
  ask: price(Number(level) + halfSpread),
  last: price(level),
  mark: price(level),
})

let serial = 0
const nextId = (): string => clientOrderIdOf('test', START, 'entry', (serial += 1))

export const entry = (side: 'buy' | 'sell', more: Partial<Omit<EntryOrder, 'kind'>> = {}): EntryOrder => ({
  kind: 'entry',
  clientOrderId: nextId(),
  symbol: SYMBOL,
  side,
  quantity: '10' as Quantity,
  priceLimit: (side === 'buy' ? '99999' : '0.5') as Price,
  bracket: bracketOf(side === 'buy' ? 1900 : 2100, side === 'buy' ? 2200 : 1800),
  leverage: '3' as Quantity,
  ...more,
})

export const bracketOf = (stop: number | string, target: number | string) => ({
  stopLossPrice: `${stop}` as Price,
  takeProfitPrice: `${target}` as Price,
})

export const protect = (side: 'buy' | 'sell', more: Partial<Omit<ProtectOrder, 'kind'>> = {}): ProtectOrder => ({
  kind: 'protect',
  clientOrderId: nextId(),
  symbol: SYMBOL,
  side,
  quantity: '10' as Quantity,
  bracket: bracketOf(1900, 2200),
  ...more,
})

export const close = (
  side: 'buy' | 'sell',
  quantity = '10',
  more: Partial<Omit<CloseOrder, 'kind'>> = {},
): CloseOrder => ({
  kind: 'close',
  clientOrderId: nextId(),
  symbol: SYMBOL,
  side,
  quantity: quantity as Quantity,
  ...more,
})

export const emptyBook = (cash = '10000'): PaperBook => openBook(SYMBOL, cash as Money, toIso(START))

/** Places at an instant and insists on the book staying one the store can read. */
export function place(
  book: PaperBook,
  order: OrderRequest,
  venue: PaperVenue,
  { level = 2000, halfSpread = 0, time = START }: { level?: number; halfSpread?: number; time?: number } = {},
): PlacementResult {
  const result = placeOrder(book, order, { quote: quoteAt(level, halfSpread, time), drift: 0 }, toIso(time), venue)
  PaperBook.parse(result.book)
  return result
}

/** A one-minute bar that opens `minute` minutes after the start. */
export const bar = (minute: number, open: number, high: number, low: number, end = open): Candle => ({
  time: START + minute * MINUTE,
  open,
  high,
  low,
  close: end,
  volume: 1,
})
