import type { Exchange } from 'ccxt'
import type { Price, Quantity } from '../../../lib/core/decimal.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../../../lib/core/time.ts'
import { createCcxtMarket } from '../../../lib/market/ccxt-source.ts'
import { coinbaseCapabilities } from '../../../lib/venue/coinbase/capabilities.ts'
import { createCoinbaseBroker } from '../../../lib/venue/coinbase/coinbase-broker.ts'
import { inspectVenue } from '../../../lib/venue/coinbase/inspect.ts'
import { createCoinbaseReader } from '../../../lib/venue/coinbase/market/reader.ts'
import type { Fault } from '../../support/coinbase/faults.ts'
import { createFakeVenue, type FakeVenue } from '../../support/coinbase/fake-venue.ts'
import { createInProcessTransport } from '../../support/coinbase/in-process-transport.ts'
import { createManualClock } from '../../support/coinbase/manual-clock.ts'
import { pathOfSteps } from '../../support/coinbase/prices.ts'
import { configOf } from '../../support/instruments.ts'
import type { Acts, Harness, HarnessFactory } from '../harness.ts'
import { close, entry, idOf, protect, START, STRATEGY, SYMBOL } from '../orders.ts'

/** The close that the venue announces. */
const CLOSURE = { from: START + 2 * HOUR_MS, to: START + 3 * HOUR_MS }

const config = configOf({
  id: STRATEGY,
  mode: 'live',
  market: { source: 'live', symbol: SYMBOL },
})

/** Coinbase's broker and reader on the fake venue, without sockets. */
async function open(): Promise<Harness> {
  const clock = createManualClock(START)
  const steps = [{ from: 0, price: 3_000 }]
  const venue = createFakeVenue({
    clock: clock.now,
    price: pathOfSteps(steps),
    initialCash: '10000',
    halfSpreadBps: 1,
    slippageTicks: 0,
    closures: [CLOSURE],
  })
  const transport = createInProcessTransport(venue, { advance: clock.advance })
  const broker = createCoinbaseBroker({
    transport,
    config,
    clock: clock.now,
    sleep: async (ms) => clock.advance(ms),
  })
  const openVenueReader = () => Promise.resolve(createCoinbaseReader(publicMethods(venue), 1_000))
  const market = await createCcxtMarket({ config: config.market, clock: clock.now, openVenueReader })
  const place: Harness['place'] = (order) => broker.place(order, clock.now() + 20 * SECOND_MS)
  const onPlacing = (fault: Fault): void => venue.misbehave({ on: { method: 'POST', path: 'orders' }, fault })
  const act: Partial<Acts> = {
    async price(level) {
      steps.push({ from: clock.now() + SECOND_MS, price: level })
      clock.advance(10 * SECOND_MS)
      venue.play()
    },
    loseAnswer: (when) => onPlacing({ kind: 'drop', takesEffect: when === 'after' }),
    breakAnswer: () => onPlacing({ kind: 'truncate', takesEffect: true }),
    refuseConnection: () => onPlacing({ kind: 'refuse_connection' }),
    fillPartly: (fraction) => onPlacing({ kind: 'partial_fill', fraction }),
    cancelByHand: () => venue.hand.cancelAll(),
    reduceByHand: (contracts) => void venue.hand.reduce(contracts),
    reverseByHand: (contracts) => void venue.hand.openPosition('SELL', contracts),
    placeByHand: () => void venue.hand.placeLimit({ side: 'BUY', contracts: 1, price: '2500.0' }),
    liquidate: async () => venue.hand.liquidate(),
    async closeSession() {
      clock.set(CLOSURE.from + MINUTE_MS)
      venue.play()
    },
    tradeOften(roundTrips) {
      for (let trip = 0; trip < roundTrips; trip += 1) {
        venue.hand.openPosition('BUY', 1)
        venue.hand.openPosition('SELL', 1)
      }
    },
    skewClock: (ms) => void (venue.switches.clockSkewMs = ms),
    limitRate: (what) =>
      venue.misbehave(
        what === 'placement'
          ? { on: { method: 'POST', path: 'orders' }, fault: { kind: 'rate_limited' } }
          : { on: { method: 'GET' }, fault: { kind: 'rate_limited' } },
      ),
    rejectCredentials: () => venue.misbehave({ fault: { kind: 'unauthorized' }, times: 1_000 }),
    spoilQuotes: (kind) => venue.misbehave(...spoiltQuotes(kind)),
    losePrice: () => venue.misbehave(...spoiltQuotes('missing')),
    stopTrading: () => venue.misbehave(oldTrades(toIso(START - HOUR_MS))),
  }
  const refusedFor = (reason: string) => async () => {
    await place(entry())
    onPlacing({ kind: 'reject', reason })
    return place(protect())
  }
  return {
    broker,
    symbol: SYMBOL,
    now: clock.now,
    place,
    act,
    async truth() {
      const { position, orders } = venue.truth()
      return {
        contracts: position.contracts,
        ordersOf: (id) => orders.filter(({ clientOrderId }) => clientOrderId === id).length,
      }
    },
    quote: () => market.quote(SYMBOL, clock.now()),
    trading: async () => (await market.trading?.(SYMBOL, clock.now()))?.kind ?? 'open',
    inspect: async () => {
      const { checks } = await inspectVenue({ transport, symbol: SYMBOL, config, clock: clock.now })
      return checks.filter(({ ok }) => !ok).map(({ check }) => check)
    },
    provoke: {
      stop_beyond_price: async () => {
        await place(entry())
        venue.hand.cancelAll()
        await act.price?.(2_840)
        return place(protect())
      },
      exit_exists: async () => {
        venue.switches.refusesStackedBrackets = true
        await place(entry())
        return place(protect())
      },
      duplicate_id: async () => {
        venue.switches.duplicateIds = 'refuse'
        await place(entry())
        return place(protect({ clientOrderId: idOf('entry') }))
      },
      venue_closed: async () => {
        await act.closeSession?.()
        return place(entry())
      },
      no_margin: () => place(entry({ quantity: '400' as Quantity })),
      unknown_instrument: refusedFor('INVALID_PRODUCT_ID'),
      rate_limited: async () => {
        await place(entry())
        act.limitRate?.('placement')
        return place(protect())
      },
      price_out_of_bounds: async () => {
        await place(entry())
        venue.hand.cancelAll()
        return place(protect({ bracket: { stopLossPrice: '2850' as Price, takeProfitPrice: '2900' as Price } }))
      },
      size_out_of_bounds: () => place(entry({ quantity: '1.5' as Quantity })),
      credentials_rejected: async () => {
        await place(entry())
        act.rejectCredentials?.()
        return place(protect())
      },
      other: async () => {
        venue.misbehave({
          on: { path: 'orders/close_position' },
          fault: { kind: 'reject', reason: 'GEOFENCING_RESTRICTION' },
        })
        return place(close())
      },
    },
  }
}

/** The methods of ccxt's class that read public prices, answered by the fake venue. */
function publicMethods(venue: FakeVenue): Exchange {
  const get = (path: string, parameters: Record<string, unknown>): unknown => {
    const query = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
    const reply = venue.handle({ method: 'GET', path, query, body: null })
    if (reply.kind !== 'answer' || reply.status !== 200) throw new Error(`the venue answers ${JSON.stringify(reply)}`)
    return JSON.parse(reply.text)
  }
  const ofProduct =
    (action: string) =>
    async ({ product_id: product, ...rest }: Record<string, unknown>) =>
      get(`market/products/${String(product)}${action}`, rest)
  return {
    v3PublicGetBrokerageMarketProductsProductIdCandles: ofProduct('/candles'),
    v3PublicGetBrokerageMarketProductsProductIdTicker: ofProduct('/ticker'),
    v3PublicGetBrokerageMarketProductsProductId: ofProduct(''),
    v3PublicGetBrokerageMarketProductBook: async (parameters: Record<string, unknown>) =>
      get('market/product_book', parameters),
  } as unknown as Exchange
}

type Rule = Parameters<FakeVenue['misbehave']>[0]

function spoiltQuotes(kind: 'crossed' | 'one-sided' | 'missing'): Rule[] {
  const [bid, ask] = kind === 'crossed' ? ['3001', '2999'] : kind === 'one-sided' ? ['2999', ''] : ['', '']
  const level = (price: string): object[] => (price === '' ? [] : [{ price, size: '1' }])
  return [
    {
      on: ({ path }) => path.endsWith('/ticker'),
      fault: { kind: 'tamper', change: (body) => ({ ...(body as object), best_bid: bid, best_ask: ask }) },
      times: 100,
    },
    {
      on: ({ path }) => path === 'market/product_book',
      fault: { kind: 'tamper', change: () => ({ pricebook: { bids: level(bid), asks: level(ask) } }) },
      times: 100,
    },
  ]
}

const oldTrades = (time: string): Rule => ({
  on: ({ path }) => path.endsWith('/ticker'),
  fault: { kind: 'tamper', change: (body) => ({ ...(body as object), trades: [{ price: '3000', time }] }) },
  times: 100,
})

export const harness: HarnessFactory = {
  venue: 'coinbase',
  capabilities: coinbaseCapabilities,
  open,
  without: {
    deposit: 'the venue lists no deposits or withdrawals',
    settleFunding: 'the venue lists no funding; it is inferred from cash',
  },
  withoutRefusal: {},
}
