import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec } from '../../lib/core/decimal.ts'
import { DAY_MS, fromIso, HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { createFakeVenue, type VenueTruth } from '../support/coinbase/fake-venue.ts'
import { createManualClock } from '../support/coinbase/manual-clock.ts'
import type { VenueOptions } from '../support/coinbase/options.ts'
import { pathOfMinutes, pathOfSteps } from '../support/coinbase/prices.ts'
import {
  attached,
  bracketOrder,
  createBench,
  iocOrder,
  limitOrder,
  marketOrder,
  minutes,
  PRODUCT,
  START,
} from './support.ts'

const INITIAL = '10000'
const FRICTION: Partial<VenueOptions> = {
  initialCash: INITIAL,
  fees: { taker: '0.0003', maker: '0.0001', perContract: '0.15' },
  halfSpreadBps: 1,
  slippageTicks: 1,
  depth: 7,
  fundingRate: (at) => (at % (2 * HOUR_MS) === 0 ? '0.0001' : '-0.00003'),
}

/** Equity from nothing but fills, fees, funding and deposits. */
function equityFromFlows({ fills, fundingAccruals, position, lastPrice, deposited }: VenueTruth): string {
  let equity = dec(INITIAL).plus(deposited)
  let contracts = 0
  for (const fill of fills) {
    const signed = fill.side === 'BUY' ? fill.contracts : -fill.contracts
    contracts += signed
    equity = equity.minus(dec(fill.price).times(signed).times('0.1')).minus(fill.commission)
  }
  expect(contracts).toBe(position.contracts)
  for (const { amount } of fundingAccruals) equity = equity.plus(amount)
  return equity.plus(dec(lastPrice).times(contracts).times('0.1')).toFixed()
}

type Step = {
  kind: 'market' | 'ioc' | 'limit' | 'bracket' | 'close' | 'hand' | 'orphan' | 'cancel' | 'deposit' | 'wait'
  isBuy: boolean
  size: number
  distance: number
  waitMs: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('market', 'ioc', 'limit', 'bracket', 'close', 'hand', 'orphan', 'cancel', 'deposit', 'wait'),
  isBuy: fc.boolean(),
  size: fc.integer({ min: 1, max: 30 }),
  distance: fc.integer({ min: 1, max: 60 }),
  waitMs: fc.integer({ min: 0, max: 40 * MINUTE_MS }),
})

/** Lives a life and returns its truth after each step. `every` plays the waits in small pieces. */
function live(bars: ReturnType<typeof pathOfMinutes>, steps: readonly Step[], everyMs: number | null): VenueTruth[] {
  const clock = createManualClock(START)
  const venue = createFakeVenue({
    clock: clock.now,
    price: bars,
    ...FRICTION,
    closures: [{ from: START + 2 * HOUR_MS, to: START + 2 * HOUR_MS + 20 * MINUTE_MS }],
  })
  return steps.map(({ kind, isBuy, size, distance, waitMs }, index) => {
    const side = isBuy ? 'BUY' : 'SELL'
    const last = Number(venue.truth().lastPrice)
    const away = (sign: 1 | -1): string => String(last + (isBuy ? -sign : sign) * distance)
    const send = (path: string, body: Record<string, unknown>): unknown =>
      venue.handle({
        method: 'POST',
        path,
        query: {},
        body: { ...body, client_order_id: `00000000-0000-8000-8000-${String(index).padStart(12, '0')}` },
      })
    if (kind === 'market') send('orders', marketOrder(side, size, attached(away(-1), away(1))))
    if (kind === 'ioc')
      send('orders', iocOrder(side, size, String(last + (isBuy ? 2 : -2)), attached(away(-1), away(1))))
    if (kind === 'limit') send('orders', limitOrder(side, size, away(1)))
    if (kind === 'bracket') send('orders', bracketOrder(side, size, away(1), away(-1)))
    if (kind === 'close') send('orders/close_position', { product_id: PRODUCT })
    if (kind === 'hand') venue.hand.openPosition(side, size)
    if (kind === 'orphan') venue.hand.placeBracket({ side, contracts: size, limitPrice: away(1), stopPrice: away(-1) })
    if (kind === 'cancel') venue.hand.cancelAll()
    if (kind === 'deposit') venue.hand.deposit(isBuy ? '12.34' : '-5')
    if (everyMs !== null) {
      for (let waited = everyMs; waited < waitMs; waited += everyMs) {
        clock.advance(everyMs)
        venue.play()
      }
      clock.advance(waitMs - Math.max(0, Math.ceil(waitMs / everyMs) - 1) * everyMs)
    } else clock.advance(waitMs)
    return venue.truth()
  })
}

describe('laws of a life', () => {
  const life = fc.tuple(minutes(240, START), fc.array(step, { minLength: 1, maxLength: 25 }))

  it('equity is deposits, fills, fees and funding, to the last digit', () => {
    let filled = 0
    fc.assert(
      fc.property(life, ([bars, steps]) => {
        for (const truth of live(pathOfMinutes(bars), steps, null)) {
          filled += truth.fills.length
          expect(dec(truth.equity).toFixed()).toBe(equityFromFlows(truth))
          expect(dec(truth.cash).plus(truth.unrealisedPnl).toFixed()).toBe(dec(truth.equity).toFixed())
        }
      }),
      { numRuns: 60 },
    )
    expect(filled).toBeGreaterThan(100)
  })

  it('an order fills what its fills say, never beyond its size, never after its end', () => {
    fc.assert(
      fc.property(life, ([bars, steps]) => {
        const ended = new Map<string, number>()
        for (const truth of live(pathOfMinutes(bars), steps, null)) {
          for (const order of truth.orders) {
            const own = truth.fills
              .filter((fill) => fill.orderId === order.orderId)
              .reduce((total, fill) => total + fill.contracts, 0)
            expect(order.filled).toBe(own)
            expect(order.filled).toBeLessThanOrEqual(order.size)
            if (order.status === 'FILLED') expect(order.filled).toBe(order.size)
            const before = ended.get(order.orderId)
            if (before !== undefined) expect(order.filled).toBe(before)
            if (!order.isLive) ended.set(order.orderId, order.filled)
          }
          expect(new Set(truth.orders.map(({ clientOrderId }) => clientOrderId)).size).toBe(truth.orders.length)
        }
      }),
      { numRuns: 40 },
    )
  })

  // Spans whose bar touches nothing are skipped: that must not be seen in what happens.
  it('is the same played in one piece or in many', () => {
    fc.assert(
      fc.property(life, fc.constantFrom(GRID_STEPS.grid, GRID_STEPS.minute), ([bars, steps], everyMs) => {
        const path = pathOfMinutes(bars)
        const aligned = steps.map((one) => ({ ...one, waitMs: Math.floor(one.waitMs / MINUTE_MS) * MINUTE_MS }))
        expect(live(path, aligned, everyMs).at(-1)).toEqual(live(path, aligned, null).at(-1))
      }),
      { numRuns: 40 },
    )
  })
})

const GRID_STEPS = { grid: 5_000, minute: MINUTE_MS }

describe('settlement', () => {
  const margin = (bench: ReturnType<typeof createBench>): Record<string, { value: string }> =>
    bench.get('cfm/balance_summary').body['balance_summary'] as Record<string, { value: string }>

  it.each([false, true])(
    'moves what is owed into cash and changes nothing else (settlesRealisedAtOnce %s)',
    (settlesRealisedAtOnce) => {
      const path = pathOfSteps([
        { from: 0, price: 3_000 },
        { from: START + MINUTE_MS, price: 3_100 },
      ])
      const bench = createBench({ price: path, fundingRate: () => '0.0001', switches: { settlesRealisedAtOnce } })
      bench.post('orders', marketOrder('BUY', 10))
      bench.clock.advance(2 * MINUTE_MS)
      bench.post('orders/close_position', { client_order_id: 'c', product_id: PRODUCT, size: '4' })
      const eve = fromIso('2026-11-02T20:59:59Z')
      bench.clock.set(eve)
      const before = margin(bench)
      // 4 contracts x 0.1 x 100; ten boundaries of 6 x 0.1 x 3100 x 0.0001 paid.
      expect(before['daily_realized_pnl']?.value).toBe('40.00')
      expect(before['funding_pnl']?.value).toBe('-1.86')
      expect(before['cfm_usd_balance']?.value).toBe(settlesRealisedAtOnce ? '10040.00' : '10000.00')
      expect(before['available_margin']?.value).toBe('10098.14')
      bench.clock.set(fromIso('2026-11-02T21:00:00Z'))
      const after = margin(bench)
      expect(after['daily_realized_pnl']?.value).toBe('0.00')
      expect(after['funding_pnl']?.value).toBe('0.00')
      // The boundary at 21:00 accrues, and settles at once.
      expect(after['cfm_usd_balance']?.value).toBe('10037.954')
      expect(after['available_margin']?.value).toBe('10097.954')
      expect(bench.venue.truth().position).toEqual({ contracts: 6, averageEntryPrice: '3000' })
    },
  )

  it('reaches an account that has gone flat long ago', () => {
    const bench = createBench({
      price: pathOfSteps([
        { from: 0, price: 3_000 },
        { from: START + MINUTE_MS, price: 3_100 },
      ]),
    })
    bench.post('orders', marketOrder('BUY', 10))
    bench.clock.advance(2 * MINUTE_MS)
    bench.venue.hand.close()
    bench.clock.advance(5 * DAY_MS)
    expect(margin(bench)['cfm_usd_balance']?.value).toBe('10100.00')
    expect(margin(bench)['daily_realized_pnl']?.value).toBe('0.00')
  })

  it('sweeps what futures margin does not need to spot, where told to', () => {
    const bench = createBench({ switches: { sweepsExcess: true } })
    bench.post('orders', marketOrder('BUY', 10))
    bench.clock.advance(DAY_MS)
    expect(margin(bench)['cfm_usd_balance']?.value).toBe('750.00')
    expect(margin(bench)['cbi_usd_balance']?.value).toBe('9250.00')
    expect(margin(bench)['available_margin']?.value).toBe('10000.00')
  })
})

describe('funding', () => {
  it.each([
    { side: 'BUY', rate: '0.0002', paid: '-0.6' },
    { side: 'SELL', rate: '0.0002', paid: '0.6' },
    { side: 'SELL', rate: '-0.0002', paid: '-0.6' },
  ] as const)(
    'a $side position at $rate moves $paid an hour, on what is held at the boundary',
    ({ side, rate, paid }) => {
      const { venue, clock, post } = createBench({ fundingRate: () => rate })
      clock.set(START + 59 * MINUTE_MS)
      post('orders', marketOrder(side, 10))
      clock.set(START + 61 * MINUTE_MS)
      venue.hand.close()
      clock.advance(5 * HOUR_MS)
      expect(venue.truth().fundingAccruals).toEqual([
        { at: START + HOUR_MS, rate, contracts: side === 'BUY' ? 10 : -10, mark: '3000', amount: paid },
      ])
    },
  )
})

describe('liquidation', () => {
  it('closes everything at the mark once the buffer is used up, and leaves what rests', () => {
    const { venue, clock, post } = createBench({
      initialCash: '1000',
      price: pathOfSteps([
        { from: 0, price: 3_000 },
        { from: START + 40_000, price: 2_500 },
        { from: START + 80_000, price: 2_455 },
      ]),
    })
    post('orders', marketOrder('BUY', 13))
    venue.hand.placeBracket({ side: 'SELL', contracts: 13, limitPrice: '4000', stopPrice: '1000' })
    // 1000 + 1.3 (P - 3000) <= 0.9 x 0.25 x 1.3 P  at  P = 2878.4.
    clock.advance(40_000)
    const { position, fills, orders } = venue.truth()
    expect(position.contracts).toBe(0)
    expect(fills.at(-1)).toMatchObject({ side: 'SELL', contracts: 13, price: '2500' })
    expect(orders.map(({ kind, isLive }) => `${kind} ${String(isLive)}`)).toEqual([
      'market false',
      'bracket true',
      'liquidation false',
    ])
  })

  it('happens at the price that a preview foretold, not a tick before', () => {
    for (const side of ['BUY', 'SELL'] as const) {
      const size = 20
      const first = createBench({ initialCash: '3000' })
      const { client_order_id: _, ...preview } = marketOrder(side, size)
      const foretold = Number(first.post('orders/preview', preview).body['predicted_liquidation_price'])
      const sign = side === 'BUY' ? 1 : -1
      const left = [2, -2].map((ticks) => {
        const bench = createBench({
          initialCash: '3000',
          price: pathOfSteps([
            { from: 0, price: 3_000 },
            { from: START + 5_000, price: foretold + sign * ticks * 0.5 },
          ]),
        })
        bench.post('orders', marketOrder(side, size))
        bench.clock.advance(MINUTE_MS)
        return Math.abs(bench.venue.truth().position.contracts)
      })
      expect(left).toEqual([size, 0])
    }
  })
})
