import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Broker, OrderRef, PlaceableOrder } from '../../lib/venue/broker.ts'
import { BrokerError } from '../../lib/venue/broker.ts'
import { bookUnrealised } from '../../lib/venue/paper/book.ts'
import { createPaperBroker, paperVenueOf } from '../../lib/venue/paper/paper-broker.ts'
import { withSpread } from '../../lib/venue/paper/spread.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { dec, type Price, type Quantity, sum } from '../../lib/core/decimal.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { HOUR_MS, toIso } from '../../lib/core/time.ts'
import { equityAt, positionOf } from '../../lib/ledger/accounting.ts'
import type { LedgerEvent } from '../../lib/ledger/events.ts'
import { createState, transitionAll } from '../../lib/ledger/transition.ts'
import { type MarketData, MarketDataError } from '../../lib/market/market-data.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import type { Fill, FundingPayment, OrderRequest } from '../../schemas/order.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import { createArrayMarket } from '../support/array-market.ts'
import { bar, bracketOf, close, entry, MINUTE, protect, START, SYMBOL } from './support.ts'

const FROM = START - 10 * MINUTE
const refOf = (clientOrderId: string): OrderRef => ({ clientOrderId, orderId: null, since: 0 })
const level = (minutes: number, of: (minute: number) => number = () => 2000): Candle[] =>
  Array.from({ length: minutes }, (_, minute) =>
    bar(minute - 10, of(minute - 10), of(minute - 10) + 2, of(minute - 10) - 2),
  )

type Options = {
  bars?: Candle[]
  funding?: FundingRate[]
  overrides?: Record<string, unknown>
  instrument?: Record<string, unknown>
  items?: ItemStore
  wrap?: (market: MarketData) => MarketData
}

/** Two processes at one venue: two brokers, one database, one clock. */
function createVenue({
  bars = level(600),
  funding = [],
  overrides = {},
  instrument = {},
  items = createMemoryItems(),
  wrap = (market) => market,
}: Options = {}) {
  const config = loadConfig({ overrides: { paper: { spreadBps: 2, ...overrides }, instrument } })
  const time = { now: START }
  const writes = { count: 0 }
  const counted: ItemStore = {
    ...items,
    put: async (item, condition) => {
      const outcome = await items.put(item, condition)
      if (outcome === 'ok') writes.count += 1
      return outcome
    },
  }
  const market = wrap(withSpread(createArrayMarket(SYMBOL, bars, funding), config.paper.spreadBps))
  const open = (writer: string): Broker =>
    createPaperBroker({ config, market, store: createStore(counted, writer), clock: () => time.now })
  const book = async (): Promise<PaperBook> => {
    const found = await createStore(items, 'reader').loadBook(config.id)
    if (found === null) throw new Error('no book')
    return found
  }
  return { config, market, time, writes, items, book, one: open('one'), two: open('two'), fresh: open }
}

const order = (request: OrderRequest): [PlaceableOrder, number] => [request as PlaceableOrder, Number.POSITIVE_INFINITY]
const HOURLY = 0.0001
const hourly = Array.from({ length: 12 }, (_, hour) => ({ time: START - HOUR_MS + hour * HOUR_MS, rate: HOURLY }))

describe('the ledger folded over what the broker tells', () => {
  const actions = fc.array(
    fc.record({
      minutes: fc.integer({ min: 0, max: 25 }),
      second: fc.constantFrom(0, 0, 7, 59),
      kind: fc.constantFrom('entry', 'entry', 'entry', 'close', 'part', 'protect', 'cancel', 'look', 'look'),
      side: fc.constantFrom('buy' as const, 'sell' as const),
      quantity: fc.integer({ min: 1, max: 60 }),
      stop: fc.integer({ min: 10, max: 90 }),
      target: fc.integer({ min: 10, max: 160 }),
      isSecond: fc.boolean(),
    }),
    { minLength: 15, maxLength: 35 },
  )
  const shapes = fc.array(fc.integer({ min: -14, max: 14 }), { minLength: 600, maxLength: 600 })

  it('is the broker’s cash, position and equity after every step, and an independent count of fills and payments agrees', async () => {
    const seen: Record<string, number> = {}
    await fc.assert(
      fc.asyncProperty(actions, shapes, fc.boolean(), async (steps, moves, attachedBrackets) => {
        let price = 2000
        const bars = moves.map((move, minute) => {
          const from = price
          price = Math.max(1500, Math.min(2600, price + move))
          return bar(minute - 10, from, Math.max(from, price) + 3, Math.min(from, price) - 3, price)
        })
        const { one, two, time, config, book, market } = createVenue({
          bars,
          funding: hourly,
          overrides: { attachedBrackets },
        })
        const { instrument } = config
        let state = createState(config.id, config.instrument, config.paper.initialCash, toIso(START))
        const fills: Fill[] = []
        const payments: FundingPayment[] = []
        for (const step of steps) {
          time.now = Math.floor(time.now / MINUTE) * MINUTE + step.minutes * MINUTE + step.second * 1000
          if (time.now > START + 560 * MINUTE) break
          const broker = step.isSecond ? two : one
          const held = await broker.position(SYMBOL)
          const intended = entry(step.side, {
            quantity: `${step.quantity}` as Quantity,
            bracket:
              step.side === 'buy'
                ? bracketOf(openAt(bars, time.now) - step.stop, openAt(bars, time.now) + step.target)
                : bracketOf(openAt(bars, time.now) + step.stop, openAt(bars, time.now) - step.target),
            leverage: '3' as Quantity,
          })
          const exit = held?.side === 'short' ? 'buy' : 'sell'
          if (step.kind === 'entry') await broker.place(...order(intended))
          if (step.kind === 'close' && held !== null) await broker.place(...order(close(exit, held.quantity)))
          if (step.kind === 'part' && held !== null)
            await broker.place(...order(close(exit, `${Math.max(1, Math.floor(Number(held.quantity) / 3))}`)))
          if (step.kind === 'protect' && held !== null)
            await broker.place(...order(protect(exit, { quantity: held.quantity, bracket: intended.bracket })))
          if (step.kind === 'cancel')
            for (const resting of await broker.openOrders(SYMBOL)) await broker.cancel(SYMBOL, resting.orderId)

          const newFills = (await one.fills(SYMBOL, 0)).filter(
            ({ fillId }) => !fills.some((known) => known.fillId === fillId),
          )
          const newPayments = (await two.fundingPayments(SYMBOL, 0)).filter(
            ({ fundingId }) => !payments.some((known) => known.fundingId === fundingId),
          )
          fills.push(...newFills)
          payments.push(...newPayments)
          const happened: { at: string; order: number; event: LedgerEvent; fill: Fill | null }[] = [
            ...newPayments.map((payment) => ({
              at: payment.at,
              order: 0,
              event: { type: 'funding_settled' as const, at: payment.at, payment },
              fill: null,
            })),
            ...newFills.map((fill) => ({
              at: fill.at,
              order: 1,
              event: {
                type: 'filled' as const,
                at: fill.at,
                fill,
                multiplier: instrument.multiplier,
                liquidationPrice: null,
                isOrphan: false,
              },
              fill,
            })),
          ]
          for (const { at, event, fill } of happened.toSorted(
            (a, b) => Date.parse(a.at) - Date.parse(b.at) || a.order - b.order,
          )) {
            const isEntry = fill?.reason === 'entry'
            const intent = {
              cycleId: 'c',
              order: intended,
              status: 'intended' as const,
              orderId: null,
              intendedAt: at,
              deadline: at,
              thesis: { cycleId: 'c', confidence: 1, rationale: '', invalidation: '', regime: null },
            }
            const before: LedgerEvent[] = isEntry ? [{ type: 'entry_intended', at, intent }] : []
            const after: LedgerEvent[] = isEntry ? [{ type: 'entry_ended', at, end: 'done', reason: null }] : []
            state = transitionAll(state, [...before, event, ...after]).state
            if (fill !== null) seen[fill.reason] = (seen[fill.reason] ?? 0) + 1
          }

          const now = await book()
          const position = positionOf(state.phase)
          const account = await two.account()
          expect(state.accounting.cash).toBe(account.cash)
          expect(position === null ? null : [position.side, position.quantity, position.costBasis]).toEqual(
            now.position === null ? null : [now.position.side, now.position.quantity, now.position.costBasis],
          )
          const { mark } = await market.quote(SYMBOL, time.now)
          expect(equityAt(state.accounting, position, mark)).toBe(account.equity)
          expect(account.equity).toBe(sum(account.cash, bookUnrealised(now, instrument, mark)))

          // Counted again from nothing: cash is what was put in, plus what was sold, less what was bought, costs and
          // payments.
          let expected = dec(config.paper.initialCash)
          let quantity = dec(0)
          for (const fill of fills) {
            const sign = fill.side === 'sell' ? 1 : -1
            expected = expected
              .plus(dec(fill.price).times(fill.quantity).times(instrument.multiplier).times(sign))
              .minus(fill.fee)
            quantity = quantity.minus(dec(fill.quantity).times(sign))
          }
          for (const { amount } of payments) expected = expected.plus(amount)
          const basis =
            now.position === null ? dec(0) : dec(now.position.costBasis).times(now.position.side === 'long' ? 1 : -1)
          expect(dec(account.cash).minus(basis).toFixed()).toBe(expected.toFixed())
          expect(quantity.abs().toFixed()).toBe(now.position?.quantity ?? '0')
          // Every boundary passed with something held was paid for, once, on what was held.
          expect(payments.filter(({ amount }) => amount !== '0').map(({ at, amount }) => [at, amount])).toEqual(
            fundingOwed(fills, bars, await settledTo(now, time.now)),
          )
          if (now.position === null) expect(await one.openOrders(SYMBOL)).toEqual([])
        }
        seen['payments'] = (seen['payments'] ?? 0) + payments.length
      }),
      { seed: 20261102, numRuns: 25 },
    )
    for (const what of ['entry', 'close', 'stop_loss', 'take_profit', 'payments'])
      expect(seen[what] ?? 0, what).toBeGreaterThan(5)
  })

  const openAt = (bars: readonly Candle[], now: number): number =>
    Math.round(bars.find(({ time }) => time === Math.floor(now / MINUTE) * MINUTE)?.open ?? 2000)
  /** How far boundaries are certain to be settled: to the open of the last closed bar while held; all while flat. */
  const settledTo = async (book: PaperBook, now: number): Promise<number> =>
    book.position === null
      ? now
      : Math.max(Math.floor(now / MINUTE) * MINUTE - MINUTE, ...book.funding.map(({ at }) => Date.parse(at)))

  function fundingOwed(fills: readonly Fill[], bars: readonly Candle[], until: number): [string, string][] {
    const owed: [string, string][] = []
    for (let boundary = Math.ceil(FROM / HOUR_MS) * HOUR_MS; boundary <= until; boundary += HOUR_MS) {
      let held = dec(0)
      for (const fill of fills)
        if (Date.parse(fill.at) < boundary) held = held.plus(dec(fill.quantity).times(fill.side === 'buy' ? 1 : -1))
      const mark = bars.find(({ time }) => time === boundary)?.open
      if (held.eq(0) || mark === undefined) continue
      owed.push([toIso(boundary), held.times('0.1').times(mark).times(HOURLY).times(-1).round(8, 1).toFixed()])
    }
    return owed
  }
})

describe('funding cannot be escaped', () => {
  it.each([
    ['at the boundary', 0],
    ['five seconds after it', 5_000],
    ['after the next bar', 61_000],
  ])('by closing %s', async (_when, later) => {
    const { one, two, time, book } = createVenue({ funding: hourly })
    time.now = START + 30 * MINUTE
    await one.place(...order(entry('buy')))
    time.now = START + HOUR_MS + later
    await two.place(...order(close('sell')))
    time.now += 5 * MINUTE
    expect((await one.fundingPayments(SYMBOL, 0)).map(({ at, amount }) => [at, amount])).toEqual([
      [toIso(START + HOUR_MS), '-0.2'],
    ])
    expect((await book()).position).toBeNull()
  })

  it('nor does one opened at the boundary pay', async () => {
    const { one, time } = createVenue({ funding: hourly })
    time.now = START + HOUR_MS
    await one.place(...order(entry('buy')))
    time.now += 30 * MINUTE
    expect(await one.fundingPayments(SYMBOL, 0)).toEqual([])
  })

  it('without known rates the assumed one is paid every interval; without an interval none is', async () => {
    const { one, time } = createVenue({ overrides: { assumedFundingRate: '0.0002' } })
    await one.place(...order(entry('sell')))
    time.now = START + 3 * HOUR_MS + MINUTE
    expect((await one.fundingPayments(SYMBOL, 0)).map(({ at, amount }) => [at, amount])).toEqual(
      [1, 2, 3].map((hours) => [toIso(START + hours * HOUR_MS), '0.4']),
    )
    const dated = createVenue({
      instrument: { fundingIntervalMs: null },
    })
    await dated.one.place(...order(entry('sell')))
    dated.time.now = START + 3 * HOUR_MS + MINUTE
    expect(await dated.one.fundingPayments(SYMBOL, 0)).toEqual([])
  })
})

describe('two processes on one book', () => {
  it('the same order at once is one fill; two entries at once are one position', async () => {
    const { one, two, book } = createVenue()
    const same = order(entry('buy'))
    const answers = await Promise.all([one.place(...same), two.place(...same), two.place(...same)])
    expect(answers[0]?.outcome).toBe('accepted')
    expect(answers).toEqual([answers[0], answers[0], answers[0]])
    expect((await book()).fills).toHaveLength(1)
    const closed = await Promise.all([one.place(...order(close('sell'))), two.place(...order(close('sell')))])
    expect(closed.map(({ outcome }) => outcome).toSorted()).toEqual(['accepted', 'rejected'])
    const entries = await Promise.all([one.place(...order(entry('buy'))), two.place(...order(entry('sell')))])
    expect(entries.map(({ outcome }) => outcome).toSorted()).toEqual(['accepted', 'rejected'])
    expect((await book()).fills).toHaveLength(3)
  })

  it('both find the same stop hit, it fills once', async () => {
    const { one, two, time, book } = createVenue({
      bars: level(600, (minute) => (minute >= 20 && minute < 22 ? 1890 : 2000)),
    })
    await one.place(...order(entry('buy')))
    time.now = START + 30 * MINUTE
    const [a, b] = await Promise.all([one.fills(SYMBOL, 0), two.fills(SYMBOL, 0)])
    expect(a).toEqual(b)
    expect(a.map(({ reason, at }) => [reason, at])).toEqual([
      ['entry', toIso(START)],
      ['stop_loss', toIso(START + 20 * MINUTE)],
    ])
    expect((await book()).fills).toHaveLength(2)
    expect(await one.position(SYMBOL)).toBeNull()
    expect(await two.fills(SYMBOL, START + 20 * MINUTE)).toHaveLength(1)
    expect(await two.fills(SYMBOL, START + 20 * MINUTE + 1)).toEqual([])
  })

  it('a book that keeps moving: place does not know, reads reject', async () => {
    const items = createMemoryItems()
    const calm = createVenue({ items })
    await calm.one.account()
    const stuck = createVenue({ items: { ...items, put: async () => 'conflict' } })
    expect(await stuck.one.place(...order(entry('buy')))).toEqual({
      outcome: 'unknown',
      reason: expect.stringContaining('kept moving') as string,
    })
    await calm.one.place(...order(entry('buy')))
    stuck.time.now = START + 2 * HOUR_MS
    await expect(stuck.one.account()).rejects.toThrow(BrokerError)
  })

  it('what one does the other sees, also where no money moved: a stop placed, a stop cancelled, an entry that died at its limit', async () => {
    const { one, two } = createVenue({
      overrides: { attachedBrackets: false },
      instrument: { fees: { maker: '0', taker: '0', perContract: '0' } },
    })
    const dead = entry('buy', { priceLimit: '1999' as Price })
    expect((await one.place(...order(dead))).outcome).toBe('accepted')
    expect(await two.order(SYMBOL, refOf(dead.clientOrderId))).toMatchObject({
      status: 'cancelled',
      reason: 'price_beyond_limit',
      filledQuantity: '0',
    })
    await one.place(...order(entry('buy')))
    expect((await two.position(SYMBOL))?.quantity).toBe('10')
    await one.place(...order(protect('sell')))
    const [stop] = await two.openOrders(SYMBOL)
    expect(stop).toMatchObject({ kind: 'protect', status: 'open', quantity: '10' })
    expect(await one.cancel(SYMBOL, stop?.orderId ?? '')).toEqual({ outcome: 'accepted', orderId: stop?.orderId })
    expect(await two.openOrders(SYMBOL)).toEqual([])
    expect((await two.cancel(SYMBOL, stop?.orderId ?? '')).outcome).toBe('rejected')
  })

  it('looking writes nothing: not while flat, not while held within the hour; then once', async () => {
    const { one, two, time, writes } = createVenue({ overrides: { assumedFundingRate: '0' } })
    await one.account()
    expect(writes.count).toBe(1)
    const look = async (broker: Broker) => [
      await broker.account(),
      await broker.position(SYMBOL),
      await broker.openOrders(SYMBOL),
      await broker.fills(SYMBOL, 0),
      await broker.fundingPayments(SYMBOL, 0),
    ]
    time.now += 3 * HOUR_MS
    await look(two)
    expect(writes.count).toBe(1)
    await one.place(...order(entry('buy')))
    expect(writes.count).toBe(2)
    time.now += 59 * MINUTE
    await look(one)
    expect(writes.count).toBe(2)
    time.now += MINUTE
    await look(one)
    await look(two)
    expect(writes.count).toBe(3)
  })
})

describe('when things fail', () => {
  const failing =
    (what: 'quote' | 'candles' | 'fundingRates', isDown: { now: boolean }) =>
    (market: MarketData): MarketData => ({
      ...market,
      [what]: async (...given: never[]) => {
        if (isDown.now) throw new MarketDataError(`${what} is down`)
        return (market[what] as (...inner: never[]) => unknown)(...given)
      },
    })

  it.each(['quote', 'candles', 'fundingRates'] as const)(
    '%s: place and cancel do not know, what needs the price rejects, nothing is written, and it recovers at once',
    async (what) => {
      const isDown = { now: false }
      const { one, fresh, time, book } = createVenue({ wrap: failing(what, isDown) })
      expect((await one.place(...order(entry('buy')))).outcome).toBe('accepted')
      // A settlement lies in between: without its rate the cash is not known.
      time.now += 70 * MINUTE
      isDown.now = true
      const before = await book()
      const broker = fresh('after')
      expect(await broker.place(...order(close('sell')))).toEqual({
        outcome: 'unknown',
        reason: `MarketDataError: ${what} is down`,
      })
      expect((await broker.cancel(SYMBOL, 'x')).outcome).toBe('unknown')
      await expect(broker.position(SYMBOL)).rejects.toThrow(`${what} is down`)
      await expect(broker.account()).rejects.toThrow(`${what} is down`)
      expect(await book()).toEqual(before)
      isDown.now = false
      expect((await broker.place(...order(close('sell')))).outcome).toBe('accepted')
    },
  )

  it('flat, a dead market costs nothing', async () => {
    const { one } = createVenue({ wrap: failing('quote', { now: true }) })
    expect(await one.account()).toMatchObject({ cash: '10000', equity: '10000', availableMargin: '10000' })
    expect(await one.position(SYMBOL)).toBeNull()
  })

  it('a database that cannot be reached: place does not know, reads reject', async () => {
    const { one } = createVenue({
      items: { ...createMemoryItems(), get: async () => Promise.reject(new Error('no database')) },
    })
    expect(await one.place(...order(entry('buy')))).toEqual({ outcome: 'unknown', reason: 'Error: no database' })
    await expect(one.fills(SYMBOL, 0)).rejects.toThrow('no database')
  })

  it('a position in another product or on another market is refused; a flat book moves over with its cash', async () => {
    const items = createMemoryItems()
    const venue = createVenue({ items })
    await venue.one.place(...order(entry('buy')))
    const config = loadConfig({ overrides: { market: { symbol: 'BIP-20DEC30-CDE' }, instrument: { tickSize: '0.5' } } })
    const other = createPaperBroker({
      config,
      market: createArrayMarket('BIP-20DEC30-CDE', level(60)),
      store: createStore(items, 'other'),
      clock: () => START,
    })
    await expect(other.account()).rejects.toThrow(UsageError)
    expect((await other.place(...order(entry('buy', { symbol: 'BIP-20DEC30-CDE' })))).outcome).toBe('unknown')
    const elsewhere = createPaperBroker({
      config: venue.config,
      market: { ...venue.market, name: 'sim seed 8' },
      store: createStore(items, 'elsewhere'),
      clock: () => START,
    })
    await expect(elsewhere.position(SYMBOL)).rejects.toThrow(UsageError)
    await venue.one.place(...order(close('sell')))
    const { cash } = await venue.one.account()
    expect((await elsewhere.place(...order(entry('buy')))).outcome).toBe('accepted')
    await elsewhere.place(...order(close('sell')))
    expect(dec((await other.account()).cash).lt(cash)).toBe(true)
    expect((await other.place(...order(entry('buy', { symbol: 'BIP-20DEC30-CDE' })))).outcome).toBe('accepted')
    await expect(venue.one.account()).rejects.toThrow(UsageError)
  })
})

describe('what it answers', () => {
  it('account, position and orders, to the cent', async () => {
    const { one, two, time, config } = createVenue({
      bars: level(600, (minute) => (minute < 1 ? 2000 : 2010)),
      overrides: { slippageBps: 0 },
    })
    const request = entry('buy', { leverage: '2' as Quantity })
    const placement = await one.place(...order(request))
    time.now = START + MINUTE
    // The ask of 2000.2 goes up to 2000.5; the fee is 3 basis points of 2000.5 and 0.15 for each of ten.
    expect(await two.position(SYMBOL)).toEqual({
      symbol: SYMBOL,
      side: 'long',
      quantity: '10',
      averageEntryPrice: '2000.5',
      markPrice: '2010',
      unrealisedPnl: '9.5',
      liquidationPrice: '1053',
    })
    expect(await two.account()).toEqual({
      at: toIso(time.now),
      cash: '9997.89985',
      equity: '10007.39985',
      availableMargin: '9007.14985',
    })
    expect(await two.order(SYMBOL, refOf(request.clientOrderId))).toEqual({
      orderId: placement.outcome === 'accepted' ? placement.orderId : '',
      clientOrderId: request.clientOrderId,
      symbol: SYMBOL,
      kind: 'entry',
      side: 'buy',
      status: 'filled',
      quantity: '10',
      filledQuantity: '10',
      averagePrice: '2000.5',
      bracket: request.bracket,
      isTriggered: false,
      createdAt: toIso(START),
      reason: null,
    })
    expect(await two.order(SYMBOL, refOf(close('sell').clientOrderId))).toBeNull()
    expect(await two.openOrders(SYMBOL)).toMatchObject([
      { kind: 'protect', side: 'sell', status: 'open', quantity: '10', bracket: request.bracket },
    ])
    const { instrument, session } = paperVenueOf(config)
    expect(await two.instrument(SYMBOL)).toEqual({ instrument, session })
    expect((await one.fills(SYMBOL, 0))[0]).toMatchObject({ slippage: '0.5', fee: '2.10015', price: '2000.5' })
  })
})
