import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeOrder, restingOrders } from '../../lib/venue/paper/book.ts'
import { settlementsBetween } from '../../lib/venue/paper/funding.ts'
import { withSpread } from '../../lib/venue/paper/spread.ts'
import { dec, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { childOrderIdOf } from '../../lib/core/ids.ts'
import { HOUR_MS, toIso } from '../../lib/core/time.ts'
import { Quote } from '../../schemas/market.ts'
import type { OrderRequest } from '../../schemas/order.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import { createArrayMarket } from '../support/array-market.ts'
import {
  bar,
  bracketOf,
  close,
  emptyBook,
  entry,
  freeVenue,
  place,
  protect,
  START,
  SYMBOL,
  venueWith,
} from './support.ts'

const venue = freeVenue({
  attachedBrackets: false,
  instrument: {
    lotSize: '2' as Quantity,
    minQuantity: '4' as Quantity,
    maxQuantity: '100' as Quantity,
    initialMarginRate: { long: '0.25', short: '0.5' },
  },
})
const flat = emptyBook('1000')
const long = place(flat, entry('buy'), venue).book
const short = place(flat, entry('sell', { leverage: '2' as Quantity }), venue).book
const guarded = place(long, protect('sell'), venue).book
const size = (text: string) => ({ quantity: text as Quantity })

describe('what the venue refuses, and changes nothing', () => {
  it.each<[string, PaperBook, OrderRequest]>([
    ['invalid_product_id', flat, entry('buy', { symbol: 'BIP-20DEC30-CDE' })],
    ['invalid_size_precision', flat, entry('buy', size('5'))],
    ['invalid_size_precision', flat, entry('buy', size('4.5'))],
    ['below_minimum_size', flat, entry('buy', size('2'))],
    ['below_minimum_size', flat, entry('buy', size('0'))],
    ['above_maximum_size', flat, entry('buy', size('102'))],
    ['invalid_price_precision', flat, entry('buy', { priceLimit: '2000.25' as Price })],
    ['invalid_price_precision', flat, entry('buy', { bracket: bracketOf('1900.1', 2200) })],
    ['invalid_price_precision', flat, entry('buy', { bracket: bracketOf(1900, '2200.1') })],
    ['invalid_price_precision', long, protect('sell', { bracket: bracketOf('1900.1', 2200) })],
    ['invalid_bracket_prices', flat, entry('buy', { bracket: bracketOf(2200, 1900) })],
    ['invalid_bracket_prices', flat, entry('sell', { bracket: bracketOf(1900, 2200), leverage: '2' as Quantity })],
    ['invalid_bracket_prices', flat, entry('buy', { bracket: bracketOf(2000, 2000) })],
    ['stop_already_triggered', flat, entry('buy', { bracket: bracketOf(2050, 2200) })],
    ['stop_already_triggered', flat, entry('sell', { bracket: bracketOf(1950, 1900), leverage: '2' as Quantity })],
    ['invalid_leverage', flat, entry('buy', { leverage: '4.01' as Quantity })],
    ['invalid_leverage', flat, entry('sell', { leverage: '2.01' as Quantity })],
    ['invalid_leverage', flat, entry('buy', { leverage: '0' as Quantity })],
    ['insufficient_margin', flat, entry('buy', size('16'))],
    ['position_exists', long, entry('buy')],
    ['position_exists', long, entry('sell', { leverage: '2' as Quantity })],
    ['cannot_close_zero_position', flat, close('sell')],
    ['invalid_side', long, close('buy')],
    ['invalid_side', short, close('sell')],
    ['order_size_exceeds_position', long, close('sell', '12')],
    ['no_position_to_protect', flat, protect('sell')],
    ['invalid_bracket_order_side', long, protect('buy')],
    ['invalid_bracket_order_side', short, protect('sell')],
    ['order_size_exceeds_bracketed_position', long, protect('sell', size('12'))],
    ['order_size_exceeds_bracketed_position', guarded, protect('sell', size('4'))],
    ['stop_already_triggered', long, protect('sell', { bracket: bracketOf(2000, 2200) })],
    ['stop_already_triggered', short, protect('buy', { bracket: bracketOf(2000, 1800) })],
    ['invalid_bracket_limit_price', long, protect('sell', { bracket: bracketOf(1900, 2000) })],
    ['invalid_bracket_limit_price', short, protect('buy', { bracket: bracketOf(2100, 2000) })],
  ])('%s: %#', (reason, book, order) => {
    const result = place(book, order, venue)
    expect(result.placement).toMatchObject({ outcome: 'rejected', reason })
    expect(result.book).toBe(book)
  })

  it('an entry at a closed venue is refused with the reason', () => {
    const closed = freeVenue({ session: { isOpen: false, nextClose: null, reason: 'maintenance' } })
    expect(place(flat, entry('buy'), closed).placement).toMatchObject({
      outcome: 'rejected',
      reason: 'session_closed: maintenance',
    })
  })

  it('just inside every bound is taken', () => {
    expect([long, short, guarded].every((book) => book.position?.quantity === '10')).toBe(true)
    expect(place(flat, entry('buy', { leverage: '4' as Quantity, ...size('4') }), venue).placement.outcome).toBe(
      'accepted',
    )
    // 2000 x 1.5 / 3 is the whole cash.
    expect(place(flat, entry('buy', size('14')), venue).placement.outcome).toBe('accepted')
    expect(place(emptyBook('1000'), entry('buy', { leverage: '2' as Quantity }), venue).placement.outcome).toBe(
      'accepted',
    )
    expect(place(emptyBook('999.99'), entry('buy', { leverage: '2' as Quantity }), venue).placement.outcome).toBe(
      'rejected',
    )
    expect(
      place(place(long, protect('sell', size('6')), venue).book, protect('sell', size('4')), venue).placement.outcome,
    ).toBe('accepted')
  })

  it('the fee counts in the margin', () => {
    const dear = venueWith({
      spreadBps: 0,
      slippageBps: 0,
      instrument: { fees: { maker: '0', taker: '0', perContract: '0.01' } },
    })
    const order = () => entry('buy', { leverage: '2' as Quantity })
    expect(place(emptyBook('1000.09'), order(), dear).placement.outcome).toBe('rejected')
    expect(place(emptyBook('1000.1'), order(), dear).placement.outcome).toBe('accepted')
  })
})

describe('the same client id again', () => {
  const order = entry('buy')
  const first = place(flat, order, venue)

  it('with the same body creates nothing and answers as at first, also in another order of members and after the position is gone', () => {
    const gone = place(first.book, close('sell'), venue).book
    for (const body of [order, Object.fromEntries(Object.entries(order).toReversed()) as typeof order]) {
      for (const book of [first.book, gone])
        expect(place(book, body, venue)).toEqual({ book, placement: first.placement })
    }
  })

  it('with another body is refused', () => {
    expect(place(first.book, { ...order, quantity: '12' as Quantity }, venue)).toEqual({
      book: first.book,
      placement: { outcome: 'rejected', reason: 'duplicate_client_order_id', refusal: 'duplicate_id' },
    })
  })
})

describe('an entry', () => {
  it('at a price beyond its limit is accepted and over without a fill, at the limit it fills', () => {
    for (const [side, limit, worse] of [
      ['buy', '2001', 2001.5],
      ['sell', '1999', 1998.5],
    ] as const) {
      const given = { priceLimit: limit as Price, leverage: '2' as Quantity }
      const rich = emptyBook('2000')
      const dead = place(rich, entry(side, given), venue, { level: worse })
      expect(dead.placement.outcome).toBe('accepted')
      expect(dead.book).toMatchObject({
        position: null,
        cash: '2000',
        fills: [],
        orders: [{ status: 'cancelled', filledQuantity: '0', averagePrice: null, reason: 'price_beyond_limit' }],
      })
      expect(place(rich, entry(side, given), venue, { level: Number(limit) }).book.position?.quantity).toBe('10')
    }
  })

  it('brings its exits where the venue attaches them, under an id that follows from its own', () => {
    const order = entry('buy')
    const { book } = place(flat, order, freeVenue())
    expect(restingOrders(book).map(({ request }) => request)).toEqual([
      {
        kind: 'protect',
        clientOrderId: childOrderIdOf(order.clientOrderId),
        symbol: SYMBOL,
        side: 'sell',
        quantity: '10',
        bracket: order.bracket,
      },
    ])
    expect(restingOrders(long)).toEqual([])
  })

  it('is never filled beyond its limit nor better than the touch; costs are against us, on the tick, fees rounded up', () => {
    const costs = fc.record({
      spreadBps: fc.integer({ min: 0, max: 50 }),
      slippageBps: fc.double({ min: 0, max: 50, noNaN: true }).map((bps) => Math.round(bps * 100) / 100),
    })
    const market = fc.record({
      cents: fc.integer({ min: 1_00, max: 9000_00 }),
      half: fc.integer({ min: 0, max: 300 }),
      tick: fc.constantFrom('0.01', '0.5', '0.05', '3', '0.0007'),
      away: fc.integer({ min: -20, max: 40 }),
    })
    fc.assert(
      fc.property(
        costs,
        market,
        fc.constantFrom('buy' as const, 'sell' as const),
        (paper, { cents, half, tick, away }, side) => {
          const bid = dec(cents).div(100)
          const ask = bid.plus(dec(half).div(100))
          const rules = venueWith({
            ...paper,
            instrument: {
              tickSize: tick as Price,
              maxQuantity: '1000000' as Quantity,
              fees: { maker: '0', taker: '0.00037', perContract: '0.001' },
            },
          })
          const direction = side === 'buy' ? 1 : -1
          const touch = side === 'buy' ? ask : bid
          const steps = touch
            .div(tick)
            .round(0, 1)
            .plus(away * direction)
          const limit = steps.lt(1) ? dec(tick) : steps.times(tick)
          const at = price(bid.plus(ask).div(2))
          const level = (count: number) => price(dec(tick).times(count))
          const order = entry(side, {
            priceLimit: price(limit),
            bracket:
              side === 'buy'
                ? { stopLossPrice: level(1), takeProfitPrice: level(2) }
                : { stopLossPrice: level(100_000_000), takeProfitPrice: level(1) },
          })
          const { book, placement } = placeAt(order, { bid: price(bid), ask: price(ask), mark: at, last: at }, rules)
          // One tick is the lowest stop there is; a cheaper market has passed it.
          if (side === 'buy' && dec(at).lte(tick)) {
            expect(placement).toMatchObject({ outcome: 'rejected', reason: 'stop_already_triggered' })
            return
          }
          expect(placement.outcome).toBe('accepted')
          const [fill] = book.fills
          const worst = touch.times(dec(paper.slippageBps).div(10_000).times(direction).plus(1))
          if (fill === undefined) {
            expect(book.cash).toBe('1000000')
            // Nearly a tick beyond what the slippage alone would make it.
            expect(worst.plus(dec(tick).times(direction)).minus(limit).times(direction).gt(0)).toBe(true)
            return
          }
          const paid = dec(fill.price)
          expect(paid.minus(limit).times(direction).lte(0)).toBe(true)
          expect(paid.eq(tick) || paid.minus(worst).times(direction).gte(0)).toBe(true)
          expect(paid.minus(worst).abs().lt(tick) || paid.eq(tick)).toBe(true)
          expect(paid.div(tick).round(6).mod(1).eq(0)).toBe(true)
          if (!paid.eq(tick)) expect(dec(fill.slippage ?? '-1').gte(0)).toBe(true)
          const exact = dec(fill.quantity)
            .times('0.1')
            .times(paid)
            .times('0.00037')
            .plus(dec('0.001').times(fill.quantity))
          expect(dec(fill.fee).gte(exact) && dec(fill.fee).minus(exact).lt('0.00000001')).toBe(true)
          expect(dec(book.cash).eq(dec('1000000').minus(fill.fee))).toBe(true)
        },
      ),
      { seed: 11, numRuns: 300 },
    )
  })
})

function placeAt(order: OrderRequest, prices: Omit<Quote, 'at'>, rules: ReturnType<typeof venueWith>) {
  return placeOrder(
    emptyBook('1000000'),
    order,
    { quote: Quote.parse({ at: toIso(START), ...prices }), drift: 0 },
    toIso(START),
    rules,
  )
}

describe('the spread around a price', () => {
  it.each([
    ['2000', 2, '1999.8', '2000.2'],
    ['0.00000123', 2, '0.000001229877', '0.000001230123'],
    ['2000', 0, '2000', '2000'],
  ])('of %s at %d basis points: %s to %s', async (level, bps, bid, ask) => {
    const market = withSpread(
      {
        ...createArrayMarket(SYMBOL, [bar(0, 1, 1, 1)]),
        quote: async () => ({
          at: toIso(START),
          bid: price(level),
          ask: price(level),
          last: price(level),
          mark: price(level),
        }),
      },
      bps,
    )
    expect(await market.quote(SYMBOL, START)).toMatchObject({ bid, ask, last: level, mark: level })
  })

  it('a market’s own spread is left as it is', async () => {
    const own = { at: toIso(START), bid: price('9'), ask: price('11'), last: price('10'), mark: price('10') }
    const market = withSpread({ ...createArrayMarket(SYMBOL, [bar(0, 1, 1, 1)]), quote: async () => own }, 2)
    expect(await market.quote(SYMBOL, START)).toEqual(own)
  })
})

describe('funding settlements', () => {
  const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z')
  const hour = (hours: number) => MIDNIGHT + hours * HOUR_MS
  const told = (from: number, to: number, known: { time: number; rate: number }[] = []) =>
    settlementsBetween(hour(from), hour(to), HOUR_MS, known, 0.5).map(({ time, rate }) => [
      (time - MIDNIGHT) / HOUR_MS,
      rate,
    ])
  const eightHourly = [-16, -8, 0, 8, 16].map((hours) => ({ time: hour(hours), rate: hours }))

  it.each<[string, [number, number][], [number, number][]]>([
    [
      'nothing known: the assumption, every interval',
      told(1, 4) as [number, number][],
      [
        [2, 0.5],
        [3, 0.5],
        [4, 0.5],
      ],
    ],
    ['after from, up to and including to', told(0.5, 1) as [number, number][], [[1, 0.5]]],
    ['the boundary at from is not due again', told(1, 1.99) as [number, number][], []],
    [
      'known every eight hours',
      told(-1, 17, eightHourly) as [number, number][],
      [
        [0, 0],
        [8, 8],
        [16, 16],
      ],
    ],
    [
      'jitter, seconds late or milliseconds early',
      told(
        -1,
        17,
        eightHourly.map(({ time, rate }, index) => ({ time: time + (index % 2 === 0 ? 45_000 : -7), rate })),
      ) as [number, number][],
      [
        [0, 0],
        [8, 8],
        [16, 16],
      ],
    ],
    [
      'a record minutes late, and a stray one: no more payments',
      told(-1, 17, [
        ...eightHourly.slice(0, 4),
        { time: hour(8) + 90_000, rate: 8.5 },
        { time: hour(16), rate: 16 },
      ]) as [number, number][],
      [
        [0, 0],
        [8, 8],
        [16, 16],
      ],
    ],
    [
      'the same one twice',
      told(-1, 9, [...eightHourly.slice(0, 4), { time: hour(8) + 3, rate: 8 }]) as [number, number][],
      [
        [0, 0],
        [8, 8],
      ],
    ],
    [
      'a missing one carries the last',
      told(
        -1,
        17,
        eightHourly.filter(({ time }) => time !== hour(8)),
      ) as [number, number][],
      [
        [0, 0],
        [8, 0],
        [16, 16],
      ],
    ],
    [
      'history that ended carries the last',
      told(15, 33, eightHourly) as [number, number][],
      [
        [16, 16],
        [24, 16],
        [32, 16],
      ],
    ],
    [
      'hourly',
      told(
        1,
        3,
        [0, 1, 2, 3].map((hours) => ({ time: hour(hours), rate: hours })),
      ) as [number, number][],
      [
        [2, 2],
        [3, 3],
      ],
    ],
  ])('%s', (_what, actual, expected) => expect(actual).toEqual(expected))
})
