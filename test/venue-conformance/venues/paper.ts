import type { Money, Price, Quantity } from '../../../lib/core/decimal.ts'
import { price } from '../../../lib/core/decimal.ts'
import { floorTime, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../../../lib/core/time.ts'
import type { MarketData, Trading } from '../../../lib/market/market-data.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { createStore, type Store } from '../../../lib/store/store.ts'
import { paperCapabilities } from '../../../lib/venue/paper/capabilities.ts'
import { createPaperBroker } from '../../../lib/venue/paper/paper-broker.ts'
import { withSpread } from '../../../lib/venue/paper/spread.ts'
import { createManualClock } from '../../support/coinbase/manual-clock.ts'
import { pathOfSteps } from '../../support/coinbase/prices.ts'
import { configOf } from '../../support/instruments.ts'
import type { Acts, Harness, HarnessFactory } from '../harness.ts'
import { close, entry, idOf, protect, START, STRATEGY, SYMBOL } from '../orders.ts'

const config = configOf({ id: STRATEGY, mode: 'paper', market: { source: 'live', symbol: SYMBOL } })
const HOURLY_RATE = 0.0001

/** The paper venue over a market of steps, with a store whose writes can fail. */
async function open(): Promise<Harness> {
  const clock = createManualClock(START)
  const steps = [{ from: 0, price: 3_000 }]
  const path = pathOfSteps(steps)
  let trading: Trading = { kind: 'open', reason: 'open', nextClose: START + 2 * HOUR_MS }
  let isPriceless = false
  let broken: 'before' | 'after' | null = null
  const market: MarketData = withSpread(
    {
      name: 'conformance',
      baseTimeframe: '1m',
      span: null,
      candles: async ({ asOf, limit }) => ({
        issues: [],
        candles: Array.from({ length: limit }, (_, index) => {
          const time = floorTime(asOf, MINUTE_MS) - (limit - index) * MINUTE_MS
          return { time, ...(path.bar(time, MINUTE_MS) ?? { open: 0, high: 0, low: 0, close: 0, volume: 0 }) }
        }),
      }),
      quote: async (_symbol, at) => {
        if (isPriceless) throw new Error('the market has no price')
        const level = price(path.at(at))
        return { at: toIso(at), bid: level, ask: level, last: level, mark: level }
      },
      trading: async () => trading,
      fundingRates: async (_symbol, from, to) => {
        const first = floorTime(from, HOUR_MS) + HOUR_MS
        const hours = Math.max(0, Math.floor((to - first) / HOUR_MS) + 1)
        return Array.from({ length: hours }, (_, hour) => ({ time: first + hour * HOUR_MS, rate: HOURLY_RATE }))
      },
      openInterest: async () => null,
    },
    config.paper.spreadBps,
  )
  const stored = createStore(createMemoryItems(), 'conformance')
  const store: Pick<Store, 'loadBook' | 'saveBook'> = {
    loadBook: stored.loadBook,
    async saveBook(...book) {
      const when = broken
      broken = null
      if (when === 'before') throw new Error('the database is gone')
      const saved = await stored.saveBook(...book)
      if (when === 'after') throw new Error('the answer of the database is lost')
      return saved
    },
  }
  const broker = createPaperBroker({ config, market, store, clock: clock.now })
  const place: Harness['place'] = (order) => broker.place(order, clock.now() + 20 * SECOND_MS)
  const act: Partial<Acts> = {
    async price(level) {
      steps.push({ from: clock.now() + SECOND_MS, price: level })
      clock.advance(10 * SECOND_MS)
    },
    loseAnswer: (when) => {
      broken = when
    },
    breakAnswer: () => {
      broken = 'after'
    },
    // A gap through the stop and beyond: leverage 2 is liquidated near 1,580.
    liquidate: async () => act.price?.(1_000),
    async closeSession() {
      trading = { kind: 'closed', reason: 'maintenance', nextClose: null }
      clock.set(START + 2 * HOUR_MS + MINUTE_MS)
    },
    losePrice: () => {
      isPriceless = true
    },
    stopTrading: () => {
      trading = { kind: 'quiet', reason: 'the last trade was an hour ago', nextClose: null }
    },
    deposit: async (amount) =>
      broker.credit?.({
        transferId: 'deposit-1',
        at: toIso(clock.now()),
        amount: amount as Money,
        source: 'operator',
        note: null,
      }),
    async settleFunding() {
      clock.advance(HOUR_MS + MINUTE_MS)
    },
  }
  return {
    broker,
    symbol: SYMBOL,
    now: clock.now,
    place,
    act,
    async truth() {
      const book = await broker.bookNow()
      const size = Number(book.position?.quantity ?? 0)
      return {
        contracts: book.position?.side === 'short' ? -size : size,
        ordersOf: (id) => book.orders.filter(({ request }) => request.clientOrderId === id).length ?? 0,
      }
    },
    quote: () => market.quote(SYMBOL, clock.now()),
    trading: async () => (await market.trading?.(SYMBOL, clock.now()))?.kind ?? 'open',
    inspect: null,
    provoke: {
      stop_beyond_price: async () =>
        place(entry({ bracket: { stopLossPrice: '3050' as Price, takeProfitPrice: '3300' as Price } })),
      exit_exists: async () => {
        await place(entry())
        return place(protect())
      },
      duplicate_id: async () => {
        await place(entry())
        return place(protect({ clientOrderId: idOf('entry') }))
      },
      venue_closed: async () => {
        await act.closeSession?.()
        return place(entry())
      },
      no_margin: () => place(entry({ quantity: '400' as Quantity })),
      unknown_instrument: () => place(entry({ symbol: 'NOT-THERE' })),
      price_out_of_bounds: async () => {
        await place(entry())
        for (const { orderId } of await broker.openOrders(SYMBOL)) await broker.cancel(SYMBOL, orderId)
        return place(protect({ bracket: { stopLossPrice: '2850' as Price, takeProfitPrice: '2900' as Price } }))
      },
      size_out_of_bounds: () => place(entry({ quantity: '1.5' as Quantity })),
      other: () => place(close()),
    },
  }
}

const ALONE = 'nobody but the strategy reaches a paper account'
const HERE = 'the paper venue is in this process: no request travels to it'

export const harness: HarnessFactory = {
  venue: 'paper',
  capabilities: paperCapabilities,
  open,
  without: {
    refuseConnection: HERE,
    limitRate: HERE,
    rejectCredentials: HERE,
    skewClock: 'the paper venue has the clock of this process',
    fillPartly: 'the paper venue fills an order whole or not at all',
    cancelByHand: ALONE,
    reduceByHand: ALONE,
    reverseByHand: ALONE,
    placeByHand: ALONE,
    spoilQuotes: "the paper venue has no quotes of its own; its market's reader judges them",
    tradeOften: 'the paper account keeps its newest 30 fills in one item, and no pages',
  },
  withoutRefusal: { rate_limited: HERE, credentials_rejected: HERE },
}
