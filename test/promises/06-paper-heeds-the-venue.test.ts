import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { evaluatePaperRecord } from '../../lib/cycle/evaluate-paper-record.ts'
import { openVenueReader } from '../../lib/compose/open-market.ts'
import { createCcxtMarket } from '../../lib/market/ccxt-source.ts'
import { coinbaseTradingState } from '../../lib/venue/coinbase/market/session.ts'
import { CoinbaseProduct } from '../../lib/venue/coinbase/market/wire.ts'
import type { MarketData, Trading } from '../../lib/market/market-data.ts'
import { createTradingReader } from '../../lib/market/unified-trading.ts'
import { watchTrading } from '../../lib/market/watch-trading.ts'
import { MarketConfig } from '../../schemas/strategy-config.ts'
import { CLOSE, createWorld, HOLD, LONG, marketAround, SLOT } from '../cycle/world.ts'
import { startFakeCandleExchange } from '../support/fake-candle-exchange.ts'

const TRADED = 'ETP-20DEC30-CDE'
const OPEN: Trading = { kind: 'open', reason: 'open', nextClose: null }
const closed = (reason: string): Trading => ({ kind: 'closed', reason, nextClose: null })

/** A market around 2,000 that says of trading what the test says. */
function heededMarket(says: { now: Trading }, market: MarketData = marketAround()): MarketData {
  return { ...market, trading: async () => says.now }
}

/** A future in session, as Coinbase lists it. */
const listing = (changes: object = {}): object => ({
  product_id: TRADED,
  price: '2000',
  product_venue: 'FCM',
  fcm_trading_session_details: {
    is_session_open: true,
    session_state: 'FCM_TRADING_SESSION_STATE_OPEN',
    closed_reason: 'FCM_TRADING_SESSION_CLOSED_REASON_EXCHANGE_MAINTENANCE',
    close_time: null,
    maintenance: null,
  },
  future_product_details: null,
  ...changes,
})
const sessionOf = (changes: object): object => ({
  fcm_trading_session_details: {
    ...(listing() as { fcm_trading_session_details: object }).fcm_trading_session_details,
    ...changes,
  },
})

const BLOCKED: readonly [string, object, string][] = [
  ['is disabled', { is_disabled: true }, 'is_disabled'],
  ['has trading disabled', { trading_disabled: true }, 'trading_disabled'],
  ['is cancel-only', { cancel_only: true }, 'cancel_only'],
  ['is limit-only', { limit_only: true }, 'limit_only'],
  ['is post-only', { post_only: true }, 'post_only'],
  ['is in an auction', { auction_mode: true }, 'auction_mode'],
  ['is view-only', { view_only: true }, 'view_only'],
  ['is delisted', { status: 'delisted' }, 'status delisted'],
  ['has its session closed', sessionOf({ is_session_open: false }), 'session closed: exchange_maintenance'],
  ['has its session halted', sessionOf({ session_state: 'FCM_TRADING_SESSION_STATE_HALTED' }), 'session state halted'],
  ['is in maintenance', sessionOf({ maintenance: { start_time: toIso(SLOT - 1), end_time: null } }), 'maintenance'],
  ['has no session known', { fcm_trading_session_details: null }, 'no session known'],
  ['has expired', { future_product_details: { contract_expiry: toIso(SLOT) } }, 'the contract has expired'],
]

let exchange: Awaited<ReturnType<typeof startFakeCandleExchange>> | undefined
afterEach(() => exchange?.close())

async function liveMarket(product: object, lastTradeAt: number | null, ticker: object = {}): Promise<MarketData> {
  exchange = await startFakeCandleExchange({
    product: () => product,
    ticker: {
      trades: lastTradeAt === null ? [] : [{ price: '2000', time: toIso(lastTradeAt) }],
      best_bid: '1999.5',
      best_ask: '2000.5',
      ...ticker,
    },
  })
  const config = MarketConfig.parse({ source: 'live', symbol: TRADED, baseUrl: exchange.baseUrl })
  return createCcxtMarket({ config, clock: () => SLOT, openVenueReader })
}

describe('what a live venue says about trading', () => {
  it.each(BLOCKED)('a product that %s is closed, in the words of the venue', async (_, changes, words) => {
    const market = await liveMarket(listing(changes), SLOT)
    expect(await market.trading?.(TRADED, SLOT)).toMatchObject({ kind: 'closed', reason: words })
  })

  it('a product in session whose last trade is fresh is open', async () => {
    const market = await liveMarket(listing(), SLOT - MINUTE_MS)
    expect(await market.trading?.(TRADED, SLOT)).toEqual(OPEN)
  })

  it('a market in which nobody has traded for more than 15 minutes is quiet, whatever its flags say', async () => {
    const market = await liveMarket(listing(), SLOT - 16 * MINUTE_MS)
    expect(await market.trading?.(TRADED, SLOT)).toMatchObject({
      kind: 'quiet',
      reason: 'the last trade was at 2026-03-10T11:44:00Z, 16 min ago',
    })
    await exchange?.close()
    const justInTime = await liveMarket(listing(), SLOT - 15 * MINUTE_MS)
    expect(await justInTime.trading?.(TRADED, SLOT)).toEqual(OPEN)
  })

  it('an announced maintenance is the next close', async () => {
    const at = SLOT + 20 * MINUTE_MS
    const market = await liveMarket(
      listing(sessionOf({ maintenance: { start_time: toIso(at), end_time: null } })),
      SLOT,
    )
    expect(await market.trading?.(TRADED, SLOT)).toEqual({ ...OPEN, nextClose: at })
  })

  it('what cannot be read is closed, and asked again the next time', async () => {
    const market = await liveMarket({ product_id: TRADED, trading_disabled: 'maybe' }, SLOT)
    expect(await market.trading?.(TRADED, SLOT)).toMatchObject({
      kind: 'closed',
      reason: expect.stringContaining('cannot be read') as string,
    })
    let calls = 0
    const trading = watchTrading(
      {
        trading: async () => {
          calls += 1
          if (calls === 1) throw new Error('down')
          return { blocks: [], nextClose: null, lastTradeAt: null }
        },
      },
      'test',
    )
    expect((await trading(TRADED, SLOT)).kind).toBe('closed')
    expect((await trading(TRADED, SLOT + 1)).kind).toBe('open')
  })

  it('a closed market without bids and offers still has the price that a position is marked at', async () => {
    const empty = { best_bid: '', best_ask: '' }
    const market = await liveMarket(listing({ view_only: true }), SLOT, empty)
    expect(await market.quote(TRADED, SLOT)).toMatchObject({ bid: '2000', ask: '2000', mark: '2000' })
    await exchange?.close()
    const trading = await liveMarket(listing(), SLOT, empty)
    await expect(trading.quote(TRADED, SLOT)).rejects.toThrow('no two-sided price')
  })

  it('whatever flags are set together, a product is open only when none of them is', () => {
    const flags = BLOCKED.filter(([, changes]) => Object.values(changes).includes(true))
    fc.assert(
      fc.property(fc.subarray(flags.map(([, changes]) => changes)), (set) => {
        const answer = CoinbaseProduct.parse(listing(Object.assign({}, ...set) as object))
        expect(coinbaseTradingState(answer, SLOT).blocks.length).toBe(set.length)
      }),
    )
  })
})

describe('what another exchange says about trading through ccxt', () => {
  type Stub = { active?: unknown; status?: unknown; trade?: number | null; ticker?: number | null; fails?: string }
  const read = (stub: Stub) => {
    const exchangeStub = {
      id: 'stub',
      has: { fetchStatus: 'status' in stub, fetchTrades: 'trade' in stub, fetchTicker: 'ticker' in stub },
      loadMarkets: async () => (stub.active === 'unlisted' ? {} : { [TRADED]: { active: stub.active } }),
      fetchStatus: async () => {
        if (stub.fails === 'status') throw Object.assign(new Error('not here'), { name: 'NotSupported' })
        if (stub.fails === 'hard') throw Object.assign(new Error('broken'), { name: 'ExchangeError' })
        return { status: stub.status }
      },
      fetchTrades: async () => (stub.trade === null ? [] : [{ timestamp: stub.trade }]),
      fetchTicker: async () => ({ timestamp: stub.ticker }),
    }
    return watchTrading({ trading: createTradingReader(exchangeStub as never, 1_000) }, 'stub')(TRADED, SLOT)
  }
  it.each<[string, Stub, Trading['kind'], string]>([
    ['an active market is open', { active: true, status: 'ok', trade: SLOT }, 'open', 'open'],
    ['a market of which nothing is said is open', {}, 'open', 'open'],
    ['a market that is not active is closed', { active: false }, 'closed', 'not active'],
    ['a market that is not listed is closed', { active: 'unlisted' }, 'closed', 'does not list'],
    ['an exchange in maintenance is closed', { active: true, status: 'maintenance' }, 'closed', 'maintenance'],
    ['an exchange that is shut down is closed', { active: true, status: 'shutdown' }, 'closed', 'shutdown'],
    ['a status that is not offered says nothing', { active: true, status: '', fails: 'status' }, 'open', 'open'],
    ['a status that cannot be read is closed', { active: true, status: '', fails: 'hard' }, 'closed', 'cannot be read'],
    ['a last trade of an hour ago is quiet', { active: true, trade: SLOT - 60 * MINUTE_MS }, 'quiet', '60 min ago'],
    ['a ticker of an hour ago is quiet', { active: true, ticker: SLOT - 60 * MINUTE_MS }, 'quiet', '60 min ago'],
    [
      'a trade says more than the time of the ticker',
      { active: true, trade: SLOT - 60 * MINUTE_MS, ticker: SLOT },
      'quiet',
      '60 min ago',
    ],
  ])('%s', async (_, stub, kind, words) => {
    const trading = await read(stub)
    expect(trading.kind).toBe(kind)
    expect(trading.reason).toContain(words)
  })
})

describe('a paper strategy on a venue that does not trade', () => {
  it.each(['trading_disabled', 'view_only', 'cancel_only', 'session closed: exchange_maintenance'])(
    'opens nothing while the venue says %s, and says so in those words',
    async (words) => {
      const world = createWorld({ market: heededMarket({ now: closed(words) }) })
      world.ports.decider = { ...world.ports.decider, asksModel: false }
      const record = await world.cycle()
      expect(record).toMatchObject({
        outcome: 'refused',
        reason: `session_open: nothing trades at the venue now: ${words}`,
        fills: [],
      })
      expect((await world.state()).phase.kind).toBe('flat')
    },
  )

  it('fills nothing where the venue closes between the judgement and the order', async () => {
    const says = { now: OPEN }
    const market = heededMarket(says)
    const world = createWorld({ market })
    const { broker } = world.ports
    world.ports.broker = {
      ...broker,
      place: async (order, deadline) => {
        says.now = closed('trading_disabled')
        world.time.now += 2_000
        return broker.place(order, deadline)
      },
    }
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'the venue refused the entry: session_closed: trading_disabled',
    })
    expect((await world.book()).fills).toEqual([])
  })

  it('a stop that is reached while the venue is closed stays pending, is told, and goes through when it trades again', async () => {
    const says = { now: OPEN }
    const world = createWorld({
      market: heededMarket(
        says,
        marketAround((minute) => (minute < 5 ? 0 : -40)),
      ),
    })
    await world.cycle()
    says.now = closed('trading_disabled')
    const results = await world.pass(15)
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
    expect((await world.book()).fills).toHaveLength(1)
    expect(results.at(-1)).toMatchObject({
      outcome: 'unclosed',
      notes: [
        'stop_loss is due, but nothing trades at the venue now (trading_disabled): the close stays pending until it trades again; stop and target stay in place',
      ],
    })
    const { accounting } = await world.state()
    expect(Number(accounting.equity)).toBeLessThan(10_000)
    says.now = OPEN
    await world.pass(1)
    expect((await world.state()).phase.kind).toBe('flat')
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
    expect(Number((await world.trades())[0]?.exitPrice)).toBeLessThan(1_965)
  })

  it('a close that waits for the venue is told at once, after four hours and when its reason changes, not every minute', async () => {
    const says = { now: OPEN }
    const world = createWorld({
      market: heededMarket(
        says,
        marketAround((minute) => (minute < 5 ? 0 : -40)),
      ),
    })
    await world.cycle()
    says.now = closed('trading_disabled')
    const told = () => world.events.filter(({ type }) => type === 'failed').map(({ at }) => at)
    await world.pass(4 * 60 - 1)
    expect(told()).toHaveLength(1)
    // The first pass that saw the price beyond the stop was five or six minutes after the entry.
    await world.pass(30)
    expect(told()).toHaveLength(2)
    expect(Date.parse(told()[1] ?? '') - Date.parse(told()[0] ?? '')).toBe(4 * 60 * 60_000)
    says.now = closed('maintenance')
    await world.pass(10)
    expect(told()).toHaveLength(3)
    expect(new Set(world.events.map(({ id }) => id)).size).toBe(world.events.length)
  })

  it('a target that is reached while the venue is closed does not fill, also not afterwards', async () => {
    const says = { now: OPEN }
    const spike = (minute: number) => (minute >= 5 && minute < 10 ? 60 : 0)
    const world = createWorld({ market: heededMarket(says, marketAround(spike)) })
    await world.cycle()
    await world.pass(3)
    says.now = closed('cancel_only')
    await world.pass(9)
    says.now = OPEN
    await world.pass(5)
    expect((await world.state()).phase.kind).toBe('open')
    expect((await world.book()).fills).toHaveLength(1)
  })

  it('no minute of a closed venue changes what is held, whatever its prices do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 10 }),
        async (levels, from) => {
          const says = { now: OPEN }
          const shape = (minute: number) => (minute <= from ? 0 : (levels[minute - from] ?? 0))
          const world = createWorld({ market: heededMarket(says, marketAround(shape)) })
          await world.cycle()
          await world.pass(from)
          const before = await world.book()
          says.now = closed('view_only')
          await world.pass(12)
          const { position, fills, cash } = await world.book()
          expect({ position, fills, cash }).toEqual({
            position: before.position,
            fills: before.fills,
            cash: before.cash,
          })
        },
      ),
      { numRuns: 15 },
    )
  })

  it('a close that a decider wants stays undone while the venue is closed, and the slot says why', async () => {
    const says = { now: OPEN }
    const answers = [LONG, CLOSE]
    const world = createWorld({ market: heededMarket(says), decide: () => answers.shift() ?? HOLD })
    world.ports.decider = { ...world.ports.decider, asksModel: false }
    await world.cycle()
    says.now = closed('cancel_only')
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({
      outcome: 'held',
      reason: expect.stringContaining('nothing trades at the venue now (cancel_only)') as string,
    })
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
  })

  it('a slot at which nothing trades earns nothing towards live, one at which it trades does', async () => {
    const says = { now: OPEN }
    const world = createWorld({
      market: heededMarket(says),
      decide: () => HOLD,
      overrides: { market: { source: 'live', referenceSymbol: null } },
    })
    world.ports.decider = { ...world.ports.decider, asksModel: false }
    await world.cycle()
    for (const trading of [closed('view_only'), { ...OPEN, kind: 'quiet' as const, reason: 'no trade' }]) {
      says.now = trading
      world.time.now += 30 * MINUTE_MS
      expect((await world.cycle()).outcome).toBe('held')
    }
    expect(await evaluatePaperRecord(world.store, world.config, world.time.now)).toMatchObject({ days: 1, cycles: 1 })
  })
})
