import { describe, expect, it } from 'vitest'
import type { Broker } from '../../../lib/venue/broker.ts'
import { createCoinbaseBroker } from '../../../lib/venue/coinbase/coinbase-broker.ts'
import { inspectVenue } from '../../../lib/venue/coinbase/inspect.ts'
import { createCcxtTransport } from '../../../lib/venue/coinbase/transport.ts'
import type { Price, Quantity } from '../../../lib/core/decimal.ts'
import { MINUTE_MS } from '../../../lib/core/time.ts'
import { ORDER_REASONS, PREVIEW_REASONS, SHARED_REASONS } from '../../support/coinbase/failure-reasons.ts'
import type { FaultRule } from '../../support/coinbase/faults.ts'
import { createFakeVenue } from '../../support/coinbase/fake-venue.ts'
import { createInProcessTransport } from '../../support/coinbase/in-process-transport.ts'
import { makeVenueKey } from '../../support/coinbase/jwt.ts'
import { createManualClock } from '../../support/coinbase/manual-clock.ts'
import type { VenueOptions } from '../../support/coinbase/options.ts'
import { pathOfSteps } from '../../support/coinbase/prices.ts'
import { startVenueServer } from '../../support/coinbase/venue-server.ts'
import { close, configWith, entry, idOf, NOW, protect, SYMBOL } from './support.ts'

type Step = { afterMinutes: number; price: number }

/** The broker on the fake venue, both on one clock. The price is 3000 until `steps` say otherwise. */
function begin({
  steps = [],
  live = {},
  ...options
}: Partial<VenueOptions> & { steps?: Step[]; live?: Parameters<typeof configWith>[0] } = {}) {
  const clock = createManualClock(NOW)
  const price = pathOfSteps([
    { from: 0, price: 3_000 },
    ...steps.map((step) => ({ from: NOW + step.afterMinutes * MINUTE_MS, price: step.price })),
  ])
  const venue = createFakeVenue({
    clock: clock.now,
    price,
    initialCash: '10000',
    halfSpreadBps: 1,
    slippageTicks: 0,
    ...options,
  })
  const transport = createInProcessTransport(venue, { advance: clock.advance })
  const warnings: string[] = []
  const config = configWith(live)
  const broker = createCoinbaseBroker({
    transport,
    config,
    clock: clock.now,
    sleep: async (ms) => clock.advance(ms),
    telemetry: { log: (_level, message) => warnings.push(message) },
  })
  const place = (order: Parameters<Broker['place']>[0]) => broker.place(order, clock.now() + 20_000)
  /** Requests that one question costs. */
  const costOf = async (ask: () => Promise<unknown>): Promise<number> => {
    venue.forgetRequests()
    await ask()
    return venue.requests.length
  }
  return { clock, venue, broker, place, costOf, warnings, transport, config }
}

const fills = (broker: Broker) => broker.fills(SYMBOL, NOW - MINUTE_MS)
const accepted = { outcome: 'accepted', orderId: expect.any(String) }
const on = (path: string, fault: FaultRule['fault'], more: Partial<FaultRule> = {}): FaultRule => ({
  on: { path },
  fault,
  ...more,
})
const idOfPlaced = (placement: { outcome: string }): string =>
  'orderId' in placement && typeof placement.orderId === 'string' ? placement.orderId : ''

describe('the venue at rest', () => {
  it('has a product, an account, no position, no orders, no fills', async () => {
    const { broker } = begin()
    expect(await broker.instrument(SYMBOL)).toMatchObject({
      instrument: {
        venueSymbol: SYMBOL,
        multiplier: '0.1',
        tickSize: '0.5',
        margin: { perNotional: { initial: { long: '0.25', short: '0.31' } } },
      },
      session: { isOpen: true },
    })
    expect(await broker.account()).toMatchObject({ cash: '10000', equity: '10000', availableMargin: '10000' })
    expect(await broker.position(SYMBOL)).toBeNull()
    expect(await broker.openOrders(SYMBOL)).toEqual([])
    expect(await fills(broker)).toEqual([])
  })

  it('a venue at rest passes the inspection', async () => {
    const { transport, config, clock } = begin()
    const { checks, portfolioUuid } = await inspectVenue({ transport, symbol: SYMBOL, config, clock: clock.now })
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(portfolioUuid).not.toBeNull()
  })

  it('that is closed takes no entry', async () => {
    const { broker, venue, place } = begin({ closures: [{ from: NOW - MINUTE_MS, to: NOW + MINUTE_MS }] })
    expect((await broker.instrument(SYMBOL)).session.isOpen).toBe(false)
    expect(await place(entry())).toMatchObject({ outcome: 'rejected', reason: 'invalid_fcm_trading_session' })
    expect(venue.truth().orders).toEqual([])
  })
})

describe('an entry', () => {
  it("with its exits attached fills, and is protected by the venue's own child", async () => {
    const { broker, place, venue } = begin()
    const placement = await place(entry())
    expect(placement).toEqual(accepted)
    expect(await broker.position(SYMBOL)).toMatchObject({ side: 'long', quantity: '2' })
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: idOfPlaced(placement), since: NOW }),
    ).toMatchObject({ kind: 'entry', status: 'filled', filledQuantity: '2' })
    expect(await broker.openOrders(SYMBOL)).toMatchObject([
      {
        kind: 'protect',
        side: 'sell',
        status: 'open',
        quantity: '2',
        isTriggered: false,
        bracket: { stopLossPrice: '2850', takeProfitPrice: '3300' },
      },
    ])
    const [fill, ...more] = await fills(broker)
    expect(more).toEqual([])
    expect(fill).toMatchObject({
      reason: 'entry',
      side: 'buy',
      quantity: '2',
      clientOrderId: idOf('entry'),
      symbol: SYMBOL,
    })
    const { cash } = await broker.account()
    expect(cash).toBe(venue.truth().cash)
  })

  it('is found by its client id where its answer was lost', async () => {
    for (const fault of [
      { kind: 'drop', takesEffect: true },
      { kind: 'stall', takesEffect: true },
      { kind: 'status', status: 503, takesEffect: true },
      { kind: 'truncate', takesEffect: true },
      { kind: 'cut', takesEffect: true },
    ] as const) {
      const { broker, place, venue } = begin()
      venue.misbehave(on('orders', fault))
      expect(await place(entry())).toMatchObject({ outcome: 'unknown' })
      expect(venue.truth().orders.filter(({ clientOrderId }) => clientOrderId === idOf('entry'))).toHaveLength(1)
      expect(await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: null, since: NOW })).toMatchObject({
        kind: 'entry',
        status: 'filled',
      })
    }
  })

  it('of which nothing arrived is null, and unknown until asked', async () => {
    const { broker, place, venue } = begin()
    venue.misbehave(on('orders', { kind: 'drop', takesEffect: false }))
    expect(await place(entry())).toMatchObject({ outcome: 'unknown' })
    expect(await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: null, since: NOW })).toBeNull()
    venue.misbehave(on('orders', { kind: 'refuse_connection' }))
    expect(await place(entry())).toMatchObject({ outcome: 'rejected', reason: expect.stringContaining('not_sent') })
  })

  it('that turns up late is there under its id', async () => {
    const { broker, place, venue, clock } = begin()
    venue.misbehave(on('orders', { kind: 'arrive_late', ms: 15_000 }))
    expect(await place(entry())).toMatchObject({ outcome: 'unknown' })
    const ref = { clientOrderId: idOf('entry'), orderId: null, since: NOW }
    expect(await broker.order(SYMBOL, ref)).toBeNull()
    clock.advance(10_000)
    expect(await broker.order(SYMBOL, ref)).toMatchObject({ status: 'filled', filledQuantity: '2' })
  })

  it.each([
    { switches: { refusesAttachedBrackets: true }, shape: 'sor_limit_ioc' },
    { switches: { refusesSorIoc: true }, shape: 'market_market_ioc' },
    { switches: { refusesSorIoc: true, refusesAttachedBrackets: true }, shape: 'market_market_ioc' },
  ])('takes the shape the venue takes: $switches', async ({ switches, shape }) => {
    const { broker, place, venue } = begin({ switches })
    expect(await place(entry())).toEqual(accepted)
    expect(venue.requests.filter(({ path }) => path === 'orders')).toMatchObject([
      { body: { order_configuration: { [shape]: { base_size: '2' } } } },
    ])
    expect(await broker.openOrders(SYMBOL)).toHaveLength('refusesAttachedBrackets' in switches ? 0 : 1)
  })

  it('filled in part is protected for that part', async () => {
    const { broker, place, venue } = begin()
    venue.misbehave(on('orders', { kind: 'partial_fill', fraction: 0.5 }))
    const placement = await place(entry({ quantity: '4' as Quantity }))
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: idOfPlaced(placement), since: NOW }),
    ).toMatchObject({ status: 'cancelled', quantity: '4', filledQuantity: '2' })
    expect(await broker.position(SYMBOL)).toMatchObject({ quantity: '2' })
    expect(await broker.openOrders(SYMBOL)).toMatchObject([{ kind: 'protect', quantity: '2' }])
  })

  it('accepted and failed later says so', async () => {
    const { broker, place, venue, clock } = begin({ switches: { pendingMs: 1_000 } })
    venue.misbehave(on('orders', { kind: 'late_failure', afterMs: 500 }))
    const placement = await place(entry())
    const ref = { clientOrderId: idOf('entry'), orderId: idOfPlaced(placement), since: NOW }
    expect(await broker.order(SYMBOL, ref)).toMatchObject({ status: 'pending' })
    expect(await broker.openOrders(SYMBOL)).toMatchObject([{ kind: 'entry', status: 'pending' }])
    clock.advance(600)
    expect(await broker.order(SYMBOL, ref)).toMatchObject({
      status: 'rejected',
      reason: 'hold_failure',
      filledQuantity: '0',
    })
  })

  it('the account cannot carry is refused in preview, and nothing is sent', async () => {
    const { place, venue } = begin({ initialCash: '100' })
    expect(await place(entry())).toMatchObject({ outcome: 'rejected', reason: expect.stringMatching(/insufficient/) })
    expect(venue.truth().orders).toEqual([])
  })

  it('is refused by a venue whose clock is off', async () => {
    const { place, venue } = begin({ switches: { clockSkewMs: -6_000 } })
    expect(await place(entry())).toMatchObject({ outcome: 'rejected', reason: 'clock_skew' })
    expect(venue.truth().orders).toEqual([])
  })

  it('beyond its limit dies without a fill', async () => {
    const { broker, place } = begin()
    const placement = await place(entry({ priceLimit: '2999' as Price }))
    expect(placement).toEqual(accepted)
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: idOfPlaced(placement), since: NOW }),
    ).toMatchObject({ status: 'cancelled', filledQuantity: '0', averagePrice: null })
    expect(await broker.position(SYMBOL)).toBeNull()
  })
})

describe('the exits', () => {
  it('of their own are placed, and found by their id', async () => {
    const { broker, place } = begin({ live: { attachBracket: false } })
    await place(entry())
    expect(await broker.openOrders(SYMBOL)).toEqual([])
    const placement = await place(protect())
    expect(placement).toEqual(accepted)
    expect(await broker.openOrders(SYMBOL)).toMatchObject([
      {
        orderId: idOfPlaced(placement),
        clientOrderId: idOf('protect'),
        kind: 'protect',
        quantity: '2',
        bracket: { stopLossPrice: '2850', takeProfitPrice: '3300' },
      },
    ])
  })

  it.each([
    { what: 'the stop of its own', attachBracket: false, price: 2_849, reason: 'stop_loss' },
    { what: 'the stop attached', attachBracket: true, price: 2_849, reason: 'stop_loss' },
    { what: 'the target of its own', attachBracket: false, price: 3_301, reason: 'take_profit' },
    { what: 'the target attached', attachBracket: true, price: 3_301, reason: 'take_profit' },
  ])('close the position: $what', async ({ attachBracket, price, reason }) => {
    const { broker, place, clock, venue } = begin({ live: { attachBracket }, steps: [{ afterMinutes: 5, price }] })
    await place(entry())
    if (!attachBracket) await place(protect())
    clock.advance(6 * MINUTE_MS)
    expect(await broker.position(SYMBOL)).toBeNull()
    expect(await broker.openOrders(SYMBOL)).toEqual([])
    expect(
      (await fills(broker)).map((fill) => ({ reason: fill.reason, side: fill.side, quantity: fill.quantity })),
    ).toEqual([
      { reason: 'entry', side: 'buy', quantity: '2' },
      { reason, side: 'sell', quantity: '2' },
    ])
    expect((await broker.account()).cash).toBe(venue.truth().cash)
  })

  it('fired into a gap are told as triggered, not as an exit', async () => {
    const { broker, place, clock } = begin({ steps: [{ afterMinutes: 5, price: 2_500 }] })
    await place(entry())
    clock.advance(6 * MINUTE_MS)
    expect(await broker.position(SYMBOL)).toMatchObject({ quantity: '2' })
    expect(await broker.openOrders(SYMBOL)).toMatchObject([{ kind: 'protect', status: 'open', isTriggered: true }])
  })

  it('with the price beyond the stop are refused by name', async () => {
    const { place, clock } = begin({ live: { attachBracket: false }, steps: [{ afterMinutes: 5, price: 2_840 }] })
    await place(entry())
    clock.advance(6 * MINUTE_MS)
    expect(await place(protect())).toMatchObject({ outcome: 'rejected', reason: 'invalid_bracket_stop_trigger_price' })
  })
})

describe('every reason that the venue’s description names', () => {
  const listed = [...SHARED_REASONS, ...ORDER_REASONS, ...PREVIEW_REASONS.map((reason) => `PREVIEW_${reason}`)]

  it('refuses an exit in its own words, sent once; only an id that is taken leaves open what became of it', async () => {
    expect(new Set(listed).size).toBe(168)
    for (const [order, path] of [
      [protect(), 'orders'],
      [close(), 'orders/close_position'],
    ] as const) {
      for (const reason of listed) {
        const { place, venue } = begin()
        venue.misbehave(on(path, { kind: 'reject', reason }))
        const expected = reason === 'DUPLICATE_CLIENT_ORDER_ID' ? 'unknown' : 'rejected'
        expect(await place(order), reason).toMatchObject({
          outcome: expected,
          reason: reason.replace('PREVIEW_', '').toLowerCase(),
        })
        expect(
          venue.requests.filter(({ method }) => method === 'POST'),
          reason,
        ).toHaveLength(1)
      }
    }
  })

  it('refuses an entry, in the preview or at the order itself, where nothing is sent or nothing comes of it', async () => {
    for (const reason of listed) {
      const { place, venue } = begin()
      venue.misbehave(on('orders', { kind: 'reject', reason }))
      expect(await place(entry()), reason).toMatchObject({
        outcome: reason === 'DUPLICATE_CLIENT_ORDER_ID' ? 'unknown' : 'rejected',
      })
      expect(venue.truth().position.contracts, reason).toBe(0)
      venue.forgetRequests()
      venue.misbehave(on('orders/preview', { kind: 'reject', reason }, { times: 4 }))
      // A preview has no word, or another, for what only an order can be refused for.
      const word = ORDER_REASONS.includes(reason)
        ? expect.stringMatching(/^(unknown_preview_failure_reason|invalid_order_config)$/)
        : reason.replace('PREVIEW_', '').toLowerCase()
      expect(await place(entry()), reason).toMatchObject({ outcome: 'rejected', reason: word })
      expect(
        venue.requests.map(({ path }) => path),
        reason,
      ).not.toContain('orders')
    }
  })
})

describe('a close', () => {
  it('against resting exits is refused; cancelled and confirmed, it closes exactly', async () => {
    const { broker, place, clock } = begin({ switches: { cancelMs: 500 } })
    await place(entry())
    expect(await place(close())).toMatchObject({ outcome: 'rejected', reason: 'open_bracket_orders' })
    const [exit] = await broker.openOrders(SYMBOL)
    expect(await broker.cancel(SYMBOL, exit?.orderId ?? '')).toEqual({ outcome: 'accepted', orderId: exit?.orderId })
    // Asked, not ended.
    expect(await broker.openOrders(SYMBOL)).toMatchObject([{ kind: 'protect' }])
    clock.advance(600)
    expect(await broker.openOrders(SYMBOL)).toEqual([])
    const placement = await place(close({ clientOrderId: idOf('close', 1) }))
    expect(placement).toEqual(accepted)
    expect(await broker.position(SYMBOL)).toBeNull()
    expect((await fills(broker)).map(({ reason }) => reason)).toEqual(['entry', 'close'])
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('close', 1), orderId: idOfPlaced(placement), since: NOW }),
    ).toMatchObject({ kind: 'close', status: 'filled', quantity: '2' })
  })

  it('with nothing to close is refused', async () => {
    const { place } = begin()
    expect(await place(close())).toMatchObject({ outcome: 'rejected', reason: 'cannot_close_zero_position' })
  })

  it('of which the answer was lost is found, once', async () => {
    const { broker, place, venue } = begin({ live: { attachBracket: false } })
    await place(entry())
    venue.misbehave(on('orders/close_position', { kind: 'drop', takesEffect: true }))
    expect(await place(close())).toMatchObject({ outcome: 'unknown' })
    expect(await broker.order(SYMBOL, { clientOrderId: idOf('close'), orderId: null, since: NOW })).toMatchObject({
      kind: 'close',
      status: 'filled',
    })
    expect(await broker.position(SYMBOL)).toBeNull()
  })
})

describe('cancels', () => {
  it('of what is over or unknown are refused by name', async () => {
    const { broker, place } = begin()
    const placement = await place(entry())
    expect(await broker.cancel(SYMBOL, idOfPlaced(placement))).toMatchObject({
      outcome: 'rejected',
      reason: expect.stringMatching(/order_is_fully_filled|unknown_cancel_order/),
    })
    expect(await broker.cancel(SYMBOL, 'no-such-order')).toMatchObject({
      outcome: 'rejected',
      reason: 'unknown_cancel_order',
    })
  })
})

describe('other hands', () => {
  it('at the app are seen: orders, fills, positions', async () => {
    const { broker, venue } = begin()
    venue.hand.openPosition('SELL', 3)
    venue.hand.placeLimit({ side: 'BUY', contracts: 1, price: '2000' })
    expect(await broker.position(SYMBOL)).toMatchObject({ side: 'short', quantity: '3' })
    expect(await broker.openOrders(SYMBOL)).toMatchObject([
      { kind: 'foreign', side: 'buy', quantity: '1', bracket: null },
    ])
    expect(await fills(broker)).toMatchObject([{ reason: 'external', side: 'sell', quantity: '3' }])
  })

  it('of the venue are seen: a liquidation', async () => {
    const { broker, place, venue } = begin({ live: { attachBracket: false } })
    await place(entry())
    venue.hand.liquidate()
    expect(await broker.position(SYMBOL)).toBeNull()
    expect((await fills(broker)).map(({ reason }) => reason)).toEqual(['entry', 'liquidation'])
  })
})

describe('amounts', () => {
  it('agree with what is true, in either form', async () => {
    for (const amountsAsObjects of [false, true]) {
      const { broker, place, clock, venue } = begin({
        switches: { amountsAsObjects },
        steps: [{ afterMinutes: 5, price: 3_100 }],
      })
      await place(entry())
      clock.advance(6 * MINUTE_MS)
      const truth = venue.truth()
      const [position, account] = await Promise.all([broker.position(SYMBOL), broker.account()])
      expect(account).toMatchObject({ cash: truth.cash, equity: truth.equity })
      expect(position).toMatchObject({
        quantity: '2',
        averageEntryPrice: truth.position.averageEntryPrice,
        unrealisedPnl: truth.unrealisedPnl,
        markPrice: truth.lastPrice,
      })
    }
  })
})

describe('requests', () => {
  it('that a call costs', async () => {
    const { broker, place, costOf, clock } = begin()
    const later = () => clock.advance(3_000)
    const costs: Record<string, number> = {}
    const measure = async (name: string, ask: () => Promise<unknown>): Promise<void> => {
      later()
      costs[name] = await costOf(ask)
    }
    await measure('product, first', () => broker.instrument(SYMBOL))
    await measure('product', () => broker.instrument(SYMBOL))
    costs['product, again'] = await costOf(() => broker.instrument(SYMBOL))
    await measure('entry with product', () => place(entry()))
    await measure('account', () => broker.account())
    await measure('position', () => broker.position(SYMBOL))
    await broker.instrument(SYMBOL)
    costs['position and account, product known'] = await costOf(() =>
      Promise.all([broker.position(SYMBOL), broker.account()]),
    )
    await measure('open orders, first with a child', () => broker.openOrders(SYMBOL))
    await measure('open orders', () => broker.openOrders(SYMBOL))
    await measure('fills', () => fills(broker))
    await measure('order by id', async () =>
      broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: null, since: NOW }),
    )
    const [exit] = await broker.openOrders(SYMBOL)
    await measure('cancel', () => broker.cancel(SYMBOL, exit?.orderId ?? ''))
    await measure('close', () => place(close()))
    expect(costs).toEqual({
      'product, first': 2,
      product: 1,
      'product, again': 0,
      'entry with product': 4,
      account: 1,
      position: 3,
      'position and account, product known': 2,
      'open orders, first with a child': 5,
      'open orders': 4,
      fills: 1,
      'order by id': 1,
      cancel: 1,
      close: 1,
    })
  })
})

describe('over HTTP, through ccxt', () => {
  it('a position lives from entry to close', async () => {
    const key = makeVenueKey()
    const clock = createManualClock(NOW)
    const venue = createFakeVenue({
      clock: clock.now,
      price: pathOfSteps([{ from: 0, price: 3_000 }]),
      initialCash: '10000',
    })
    const server = await startVenueServer({ venue, clock, keys: [key], rateLimit: { signed: 30, public: 10 } })
    try {
      const transport = await createCcxtTransport({
        apiKey: key.name,
        privateKey: key.privateKeyPem,
        baseUrl: server.url,
        clock: clock.now,
      })
      const broker = createCoinbaseBroker({
        transport,
        config: configWith({ timeoutMs: 1_000 }),
        clock: clock.now,
        sleep: async () => undefined,
      })
      const deadline = NOW + 20_000
      expect(await broker.place(entry(), deadline)).toEqual(accepted)
      const [exit] = await broker.openOrders(SYMBOL)
      expect(exit).toMatchObject({ kind: 'protect', quantity: '2' })
      venue.misbehave(on('orders/close_position', { kind: 'stall', takesEffect: true }))
      expect(await broker.cancel(SYMBOL, exit?.orderId ?? '')).toMatchObject({ outcome: 'accepted' })
      expect(await broker.place(close(), deadline)).toMatchObject({
        outcome: 'unknown',
        reason: 'no_answer: no complete answer within 1000 ms',
      })
      expect(await broker.order(SYMBOL, { clientOrderId: idOf('close'), orderId: null, since: NOW })).toMatchObject({
        kind: 'close',
        status: 'filled',
      })
      expect(await broker.position(SYMBOL)).toBeNull()
      expect((await fills(broker)).map(({ reason }) => reason)).toEqual(['entry', 'close'])
      expect(server.requests.filter(({ path }) => path === 'orders/close_position')).toHaveLength(1)
      expect(server.requests.filter(({ refusal }) => refusal !== null)).toEqual([])
    } finally {
      await server.close()
    }
  })
})
