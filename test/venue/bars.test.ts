import { describe, expect, it } from 'vitest'
import { advanceBook, cancelOrder, restingOrders } from '../../lib/venue/paper/book.ts'
import { dec, type Quantity } from '../../lib/core/decimal.ts'
import { HOUR_MS, toIso } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import {
  bar,
  bracketOf,
  close,
  emptyBook,
  entry,
  freeVenue,
  MINUTE,
  place,
  protect,
  START,
  SYMBOL,
  venueWith,
} from './support.ts'

const free = freeVenue()
/** Mirrors a bar written for a long about 2000, so that one table serves both sides. */
const mirror = ({ time, open, high, low, close: end, volume }: Candle): Candle => ({
  time,
  open: 4000 - open,
  high: 4000 - low,
  low: 4000 - high,
  close: 4000 - end,
  volume,
})

/**
 * A level that the bar had passed when it opened is met there and then; one met within it, for all we know, at its end.
 */
type When = 'open' | 'end'

const SIDES = [
  { side: 'long', enter: 'buy', of: (level: number) => level, seen: (candle: Candle) => candle },
  { side: 'short', enter: 'sell', of: (level: number) => 4000 - level, seen: mirror },
] as const

describe.each(SIDES)('one bar and a $side from 2000, stop 100 away, target 200 away', ({ side, enter, of, seen }) => {
  const bracket = bracketOf(of(1900), of(2200))
  const held = place(emptyBook(), entry(enter, { bracket }), free).book
  // The liquidation price for one side is not the mirror of the other's: the table sets its own.
  const withLiquidation = (level: number) =>
    held.position === null
      ? held
      : { ...held, position: { ...held.position, liquidationPrice: bracketOf(of(level), 1).stopLossPrice } }

  it.each<[string, Candle, number, [string, number, When] | null, number]>([
    ['nothing touched', bar(0, 2000, 2199.9, 1900.1), 1400, null, 0],
    ['stop touched to the tick', bar(0, 2000, 2010, 1900), 1400, ['stop_loss', 1900, 'end'], 0],
    ['stop passed', bar(0, 2000, 2010, 1850), 1400, ['stop_loss', 1900, 'end'], 0],
    ['gap through the stop: the open', bar(0, 1880, 1890, 1850), 1400, ['stop_loss', 1880, 'open'], 0],
    [
      'gap through the stop, recovered above it: still the open',
      bar(0, 1880, 2000, 1870),
      1400,
      ['stop_loss', 1880, 'open'],
      0,
    ],
    ['opens at the stop', bar(0, 1900, 1950, 1900), 1400, ['stop_loss', 1900, 'open'], 0],
    ['opens at the target', bar(0, 2200, 2250, 2150), 1400, ['take_profit', 2200, 'open'], 0],
    ['opens at the liquidation price', bar(0, 1400, 1410, 1390), 1400, ['liquidation', 1400, 'open'], 0],
    [
      'gap through the stop, the liquidation price touched later: the stop, at the open',
      bar(0, 1880, 1890, 1400),
      1400,
      ['stop_loss', 1880, 'open'],
      0,
    ],
    [
      'gap through the stop, the target touched later: the open, and counted',
      bar(0, 1880, 2200, 1870),
      1400,
      ['stop_loss', 1880, 'open'],
      1,
    ],
    [
      'gap over the target, the stop touched later: the target, at the open',
      bar(0, 2300, 2350, 1900),
      1400,
      ['take_profit', 2200, 'open'],
      1,
    ],
    ['target touched to the tick', bar(0, 2000, 2200, 1950), 1400, ['take_profit', 2200, 'end'], 0],
    ['gap over the target: the target, never better', bar(0, 2300, 2350, 2250), 1400, ['take_profit', 2200, 'open'], 0],
    ['both touched: the stop, and counted', bar(0, 2000, 2200, 1900), 1400, ['stop_loss', 1900, 'end'], 1],
    [
      'stop and a nearer liquidation price touched: liquidation first',
      bar(0, 2000, 2010, 1890),
      1950,
      ['liquidation', 1950, 'end'],
      0,
    ],
    [
      'stop and a liquidation price at the same level touched: liquidation',
      bar(0, 2000, 2010, 1890),
      1900,
      ['liquidation', 1900, 'end'],
      0,
    ],
    [
      'liquidation price far below the stop touched: the stop, which comes first',
      bar(0, 2000, 2010, 1400),
      1400,
      ['stop_loss', 1900, 'end'],
      0,
    ],
    ['gap through liquidation: the open', bar(0, 1300, 1310, 1250), 1400, ['liquidation', 1300, 'open'], 0],
    [
      'opens beyond stop and liquidation price: liquidation',
      bar(0, 1399, 1410, 1390),
      1400,
      ['liquidation', 1399, 'open'],
      0,
    ],
    [
      'liquidation, stop and target: the stop, and counted',
      bar(0, 2000, 2200, 1400),
      1400,
      ['stop_loss', 1900, 'end'],
      1,
    ],
  ])('%s', (_what, candle, liquidation, expected, ambiguous) => {
    const after = advanceBook(withLiquidation(liquidation), [seen(candle)], MINUTE, [], free)
    const fill = after.fills[1]
    expect(fill === undefined ? null : [fill.reason, fill.price]).toEqual(
      expected === null ? null : [expected[0], `${of(expected[1])}`],
    )
    expect([after.ambiguousBars, after.heldBars]).toEqual([ambiguous, 1])
    expect(after.advancedTo).toBe(toIso(candle.time + MINUTE))
    if (expected === null) return
    expect(after.position).toBeNull()
    expect(restingOrders(after)).toEqual([])
    expect(fill).toMatchObject({
      side: enter === 'buy' ? 'sell' : 'buy',
      quantity: '10',
      at: toIso(expected[2] === 'open' ? candle.time : candle.time + MINUTE - 1),
      liquidity: expected[0] === 'take_profit' ? 'maker' : 'taker',
    })
    expect(dec(after.cash).eq(10_000 + expected[1] - 2000)).toBe(true)
    const stop = after.orders.find(({ request }) => request.kind === 'protect')
    expect(stop?.status).toBe(expected[0] === 'liquidation' ? 'cancelled' : 'filled')
  })

  it('the bar before the entry and the rest of the bar it fell into are not played; the one that opens with it is', () => {
    const crash = (minute: number) => seen(bar(minute, 2000, 2010, 1850))
    const at = (time: number) => place(emptyBook(), entry(enter, { bracket }), free, { time }).book
    expect(advanceBook(at(START + MINUTE), [crash(0)], MINUTE, [], free).position).not.toBeNull()
    expect(advanceBook(at(START + MINUTE), [crash(1)], MINUTE, [], free).position).toBeNull()
    expect(advanceBook(at(START + 1), [crash(0)], MINUTE, [], free).position).not.toBeNull()
    expect(advanceBook(at(START + 1), [crash(0), crash(1)], MINUTE, [], free).fills[1]?.at).toBe(
      toIso(START + 2 * MINUTE - 1),
    )
  })

  it('costs are against us: stop and liquidation slip and pay taker fees, the target does neither', () => {
    const venue = venueWith({
      spreadBps: 2,
      slippageBps: 1,
      liquidationFeeRate: '0.005',
      instrument: { fees: { maker: '0.0001', taker: '0.0003', perContract: '0.15' } },
    })
    const position = place(emptyBook(), entry(enter, { bracket }), venue).book
    const against = (amount: number) => (side === 'long' ? -amount : amount)
    const play = (candle: Candle, book = position) => advanceBook(book, [seen(candle)], MINUTE, [], venue).fills[1]
    // Two basis points of 1900 (or 2100) are 0.38 (0.42), one tick of 0.5.
    const stopPrice = of(1900) + against(0.5)
    expect(play(bar(0, 2000, 2010, 1850))).toMatchObject({
      price: `${stopPrice}`,
      slippage: '0.5',
      fee: `${dec(stopPrice).times('0.0003').plus('1.5')}`,
      liquidity: 'taker',
    })
    expect(play(bar(0, 2000, 2200, 1950))).toMatchObject({
      price: `${of(2200)}`,
      slippage: '0',
      fee: `${dec(of(2200)).times('0.0001').plus('1.5')}`,
      liquidity: 'maker',
    })
    const near =
      position.position === null
        ? position
        : { ...position, position: { ...position.position, liquidationPrice: bracketOf(of(1950), 1).stopLossPrice } }
    const gone = of(1950) + against(0.5)
    expect(play(bar(0, 2000, 2010, 1940), near)).toMatchObject({
      reason: 'liquidation',
      price: `${gone}`,
      fee: `${dec(gone).times('0.0053').plus('1.5')}`,
      clientOrderId: null,
    })
  })

  it('two stops of half the size both fire in the bar that touches both; the deeper one waits if it is not touched', () => {
    const bare = freeVenue({ attachedBrackets: false })
    const exit = enter === 'buy' ? 'sell' : 'buy'
    const opened = place(emptyBook(), entry(enter, { bracket }), bare).book
    const half = (stop: number) => protect(exit, { quantity: '5' as Quantity, bracket: bracketOf(of(stop), of(2200)) })
    const two = place(place(opened, half(1900), bare).book, half(1890), bare).book
    expect(restingOrders(two)).toHaveLength(2)
    const deep = advanceBook(two, [seen(bar(0, 2000, 2010, 1850))], MINUTE, [], bare)
    expect(deep.fills.slice(1).map(({ price: paid, quantity }) => [paid, quantity])).toEqual([
      [`${of(1900)}`, '5'],
      [`${of(1890)}`, '5'],
    ])
    expect([deep.position, deep.heldBars, restingOrders(deep)]).toEqual([null, 1, []])
    const shallow = advanceBook(two, [seen(bar(0, 2000, 2010, 1895))], MINUTE, [], bare)
    expect(shallow.position?.quantity).toBe('5')
    expect(restingOrders(shallow)).toHaveLength(1)
    const both = advanceBook(two, [seen(bar(0, 2000, 2200, 1895))], MINUTE, [], bare)
    expect([both.fills.slice(1).map(({ reason }) => reason), both.ambiguousBars]).toEqual([
      ['stop_loss', 'take_profit'],
      1,
    ])
    const everything = advanceBook(two, [seen(bar(0, 2000, 2200, 1850))], MINUTE, [], bare)
    expect([everything.fills.slice(1).map(({ reason }) => reason), everything.ambiguousBars]).toEqual([
      ['stop_loss', 'stop_loss'],
      1,
    ])
  })

  it('after a part is closed the stop takes what is left, and never more', () => {
    const exit = enter === 'buy' ? 'sell' : 'buy'
    const less = place(held, close(exit, '4'), free).book
    const after = advanceBook(less, [seen(bar(0, 2000, 2010, 1850))], MINUTE, [], free)
    expect(after.fills.map(({ quantity }) => quantity)).toEqual(['10', '4', '6'])
    expect([after.position, after.cash]).toEqual([null, '9940'])
  })

  it('a cancelled stop no longer stands', () => {
    const orderId = restingOrders(held)[0]?.orderId ?? ''
    const { book, placement } = cancelOrder(held, orderId)
    expect(placement).toEqual({ outcome: 'accepted', orderId })
    expect(advanceBook(book, [seen(bar(0, 2000, 2300, 1850))], MINUTE, [], free).position).not.toBeNull()
    expect(cancelOrder(book, orderId).placement).toMatchObject({ outcome: 'rejected', reason: 'order_is_cancelled' })
    expect(cancelOrder(book, 'nobody').placement).toMatchObject({ outcome: 'rejected', reason: 'unknown_cancel_order' })
  })

  it('a resting stop outlives any number of later orders', () => {
    let book = place(emptyBook('1000000'), entry(enter, { quantity: '500' as Quantity, bracket }), free).book
    for (let count = 0; count < 150; count++)
      book = place(book, close(enter === 'buy' ? 'sell' : 'buy', '1'), free).book
    expect(restingOrders(book)).toHaveLength(1)
    expect(book.orders.length).toBeLessThanOrEqual(101)
    expect(advanceBook(book, [seen(bar(0, 2000, 2010, 1850))], MINUTE, [], free).fills.at(-1)?.quantity).toBe('350')
  })

  it('a liquidation price lies on the tick, early rather than late', () => {
    const level = Number(held.position?.liquidationPrice)
    const exact = side === 'long' ? (2000 * (1 - 1 / 3)) / 0.95 : (2000 * (1 + 1 / 3)) / 1.05
    expect(level % 0.5).toBe(0)
    expect(side === 'long' ? level - exact : exact - level).toBeGreaterThanOrEqual(0)
    expect(Math.abs(level - exact)).toBeLessThan(0.5)
  })
})

describe('funding at its boundary', () => {
  const NOON = START
  const quiet = (minute: number) => bar(minute, 2000, 2001, 1999)
  const due = (hours: number, rate = 0.0001) => ({ time: NOON + hours * HOUR_MS, rate })
  const openedAt = (time: number, enter: 'buy' | 'sell' = 'buy') =>
    place(emptyBook(), entry(enter), free, { time }).book

  it.each([
    ['long', 'buy', 0.0001, '-0.2'],
    ['long', 'buy', -0.0001, '0.2'],
    ['short', 'sell', 0.0001, '0.2'],
    ['short', 'sell', -0.0001, '-0.2'],
  ] as const)('a %s (%s) at a rate of %d is paid %s on 2000 of notional', (_side, enter, rate, amount) => {
    const book = advanceBook(openedAt(NOON - MINUTE, enter), [quiet(-1), quiet(0)], MINUTE, [due(0, rate)], free)
    expect(book.funding).toEqual([
      { fundingId: `${SYMBOL}-${toIso(NOON)}`, at: toIso(NOON), rate: `${dec(rate).toFixed()}`, amount },
    ])
    expect(dec(book.cash).minus(10_000).toFixed()).toBe(amount)
  })

  it.each([
    ['a millisecond before', -1, 1],
    ['exactly at', 0, 0],
    ['after', 1, 0],
  ])('opened %s the boundary: %#', (_when, offset, payments) => {
    const book = advanceBook(openedAt(NOON + offset), [quiet(0), quiet(1)], MINUTE, [due(0)], free)
    expect(book.funding).toHaveLength(payments)
  })

  it('settles on the open of the bar at the boundary, before that bar’s exits; never twice', () => {
    const crash = bar(0, 1950, 1960, 1800)
    const book = advanceBook(openedAt(NOON - MINUTE), [quiet(-1), crash], MINUTE, [due(0), due(0)], free)
    expect(book.funding.map(({ amount }) => amount)).toEqual(['-0.195'])
    expect(book.position).toBeNull()
    const again = advanceBook(openedAt(NOON - MINUTE), [quiet(-1), quiet(0)], MINUTE, [due(0)], free)
    expect(advanceBook(again, [quiet(1)], MINUTE, [due(0)], free).cash).toBe(again.cash)
  })

  it('a stop in the bar before the boundary escapes it', () => {
    const book = advanceBook(openedAt(NOON - MINUTE), [bar(-1, 2000, 2001, 1850), quiet(0)], MINUTE, [due(0)], free)
    expect([book.position, book.funding]).toEqual([null, []])
  })
})
