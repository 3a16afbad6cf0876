import { describe, expect, it } from 'vitest'
import { commit } from '../../lib/execution/commit.ts'
import { publish } from '../../lib/execution/publish.ts'
import { type ExitQuestion, findHardExit } from '../../lib/execution/find-exit.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { price, quantity } from '../../lib/core/decimal.ts'
import type { Broker } from '../../lib/venue/broker.ts'
import type { Candle } from '../../schemas/market.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import { ENDING_ETH } from '../support/dated-future.ts'
import { createWorld, LEVEL, marketAround, SHORT, SLOT, type World } from '../cycle/world.ts'

/** Removes every resting exit at the venue, by hand. */
const cancelByHand = (book: PaperBook): PaperBook => ({
  ...book,
  orders: book.orders.map((order) => (order.status === 'open' ? { ...order, status: 'cancelled' as const } : order)),
})

/** A venue that never fires its resting exits: it shows them as live but holds none. */
const deafVenue = (broker: Broker): Broker => {
  let isCancelled = false
  return {
    ...broker,
    openOrders: async (symbol) => {
      const [orders, position] = await Promise.all([broker.openOrders(symbol), broker.position(symbol)])
      if (position === null || orders.length > 0 || isCancelled) return orders
      return [
        {
          orderId: 'ghost',
          clientOrderId: null,
          symbol,
          kind: 'protect',
          side: position.side === 'long' ? 'sell' : 'buy',
          status: 'open',
          quantity: position.quantity,
          filledQuantity: '0' as typeof position.quantity,
          averagePrice: null,
          bracket: { stopLossPrice: price(LEVEL - 20), takeProfitPrice: price(LEVEL + 50) },
          isTriggered: false,
          createdAt: toIso(SLOT),
          reason: null,
        },
      ]
    },
    cancel: async (symbol, orderId) => {
      isCancelled ||= orderId === 'ghost'
      return orderId === 'ghost' ? { outcome: 'accepted', orderId } : broker.cancel(symbol, orderId)
    },
  }
}

/** What the bar of a minute does is dated to its end. */
const lastInstantOf = (minute: number): string => toIso(SLOT + (minute + 1) * MINUTE_MS - 1)

const enter = async (world: World): Promise<World> => {
  expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
  return world
}

describe('the venue fires its own exits', () => {
  it('a stop between two passes: recorded from the fill, flat, nothing sent', async () => {
    const world = await enter(createWorld({ market: marketAround((minute) => (minute >= 3 ? -60 : 0)) }))
    const passes = await world.pass(6)
    expect((await world.state()).phase.kind).toBe('flat')
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss', exitTime: lastInstantOf(2) }])
    expect(passes.filter(({ exit }) => exit !== null)).toMatchObject([
      { outcome: 'closed', exit: 'stop_loss', phase: 'flat' },
    ])
    expect((await world.orders()).filter(({ order }) => order.kind === 'close')).toEqual([])
  })

  it('a target that the price reaches fills at its price', async () => {
    const world = await enter(createWorld({ market: marketAround((minute) => (minute >= 3 ? 90 : 0)) }))
    await world.pass(6)
    expect(await world.trades()).toMatchObject([{ exitReason: 'take_profit', exitPrice: '2050' }])
  })

  it('a short is the mirror', async () => {
    const world = await enter(
      createWorld({ decide: () => SHORT, market: marketAround((minute) => (minute >= 3 ? 60 : 0)) }),
    )
    await world.pass(6)
    expect(await world.trades()).toMatchObject([{ side: 'short', exitReason: 'stop_loss' }])
  })

  it('many passes missed: the one that comes sees it all', async () => {
    const world = await enter(createWorld({ market: marketAround((minute) => (minute >= 3 && minute < 6 ? -60 : 0)) }))
    world.time.now = SLOT + 200 * MINUTE_MS
    await world.enforce()
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss', exitTime: lastInstantOf(2) }])
  })
})

describe('enforcement closes what the venue does not', () => {
  const shapes: [string, (minute: number) => number, string][] = [
    ['a stop touched and come back from between two passes', (minute) => (minute === 4 ? -60 : 0), 'stop_loss'],
    ['a target', (minute) => (minute >= 4 ? 90 : 0), 'take_profit'],
    ['a stop gapped through', (minute) => (minute >= 4 ? -200 : 0), 'stop_loss'],
  ]
  it.each(shapes)('%s', async (_name, shape, reason) => {
    const world = await enter(
      createWorld({
        market: marketAround(shape),
        overrides: { paper: { attachedBrackets: false } },
        wrapBroker: (broker) =>
          deafVenue({
            ...broker,
            place: async (order, deadline) =>
              order.kind === 'protect' ? { outcome: 'accepted', orderId: 'ghost' } : broker.place(order, deadline),
          }),
      }),
    )
    const passes = await world.pass(10)
    expect(passes.filter(({ exit }) => exit !== null)).toMatchObject([
      { outcome: 'closed', exit: reason, phase: 'flat' },
    ])
    expect(await world.trades()).toMatchObject([{ exitReason: reason }])
    expect((await world.book()).fills).toHaveLength(2)
  })

  it('a time limit, once, to the minute', async () => {
    const world = await enter(createWorld({ overrides: { exits: { maxHoldingMinutes: 45 } } }))
    const passes = await world.pass(60)
    expect(passes.filter(({ exit }) => exit !== null)).toMatchObject([{ exit: 'time_limit', at: world.at(45) }])
    expect(await world.trades()).toMatchObject([{ exitReason: 'time_limit', exitTime: world.at(45) }])
  })

  it('closes a position before its contract ends, to the minute, and not before', async () => {
    const world = await enter(
      createWorld({ overrides: { instrument: ENDING_ETH, exits: { maxHoldingMinutes: null } } }),
    )
    world.time.now = SLOT + 599 * MINUTE_MS
    expect(await world.enforce()).toMatchObject({ outcome: 'watched', exit: null })
    world.time.now = SLOT + 600 * MINUTE_MS
    expect(await world.enforce()).toMatchObject({ outcome: 'closed', exit: 'expiry', phase: 'flat' })
    expect(await world.trades()).toMatchObject([{ exitReason: 'expiry', exitTime: world.at(600) }])
  })

  it('a close that does not go through says so, keeps the position protected, and is tried again', async () => {
    const refusals = { left: 2 }
    const world = await enter(
      createWorld({
        overrides: { exits: { maxHoldingMinutes: 5 } },
        wrapBroker: (broker) => ({
          ...broker,
          place: async (order, deadline) =>
            order.kind === 'close' && refusals.left-- > 0
              ? { outcome: 'rejected', reason: 'product_trading_halted', refusal: 'venue_closed' }
              : broker.place(order, deadline),
        }),
      }),
    )
    const passes = await world.pass(8)
    expect(passes.slice(4).map(({ outcome }) => outcome)).toEqual(['unclosed', 'unclosed', 'closed', 'idle'])
    expect(
      passes
        .slice(4, 6)
        .every(({ state }) => state.phase.kind === 'open' && state.phase.position.protection.status === 'live'),
    ).toBe(true)
    expect(world.events.filter(({ type }) => type === 'failed')).toHaveLength(2)
    expect(await world.trades()).toMatchObject([{ exitReason: 'time_limit', exitTime: world.at(7) }])
  })

  it('a position too near to its liquidation price is closed', async () => {
    const world = await enter(createWorld({ overrides: { exits: { liquidationDistance: 0.5 } } }))
    expect(await world.pass(1)).toMatchObject([{ exit: 'liquidation_distance', outcome: 'closed' }])
  })
})

describe('protection', () => {
  it('an exit cancelled by hand is placed again within one tick, under a new id, and told', async () => {
    const world = await enter(createWorld())
    await world.tamper(cancelByHand)
    await world.pass(1)
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
    expect((await world.book()).orders.filter(({ status }) => status === 'open')).toHaveLength(1)
    expect(world.events.map(({ type }) => type)).toEqual(['opened', 'protected', 'naked', 'protected'])
    await world.tamper(cancelByHand)
    await world.pass(1)
    const protects = (await world.orders()).filter(({ order }) => order.kind === 'protect')
    expect(new Set(protects.map(({ order }) => order.clientOrderId)).size).toBe(2)
    expect(protects.map(({ status }) => status)).toEqual(['live', 'live'])
  })

  it('a second stop on the same position is cancelled', async () => {
    const world = await enter(createWorld())
    await world.tamper((book) => ({
      ...book,
      orders: [
        ...book.orders,
        ...book.orders
          .filter(({ status }) => status === 'open')
          .map((order) => ({
            ...order,
            orderId: 'twin',
            request: { ...order.request, clientOrderId: '00000000-0000-8000-8000-000000000001' },
          })),
      ],
    }))
    await world.pass(1)
    expect((await world.book()).orders.filter(({ status }) => status === 'open')).toHaveLength(1)
  })

  it('flat means no working exit: a stray one is cancelled', async () => {
    const world = createWorld()
    await world.enforce()
    const donor = await enter(createWorld())
    const stray = (await donor.book()).orders.filter(({ status }) => status === 'open')
    await world.tamper((book) => ({ ...book, orders: stray }))
    await world.pass(1)
    expect((await world.book()).orders.map(({ status }) => status)).toEqual(['cancelled'])
  })
})

describe('hands at the venue', () => {
  it('closed by hand: taken over at the mark after a second look, recorded, cooled down', async () => {
    const world = await enter(createWorld({ overrides: { guard: { minStopAtr: 0.1, cooldownMinutesAfterLoss: 60 } } }))
    const before = await world.book()
    await world.tamper((book) => ({ ...cancelByHand(book), position: null }))
    await world.pass(1)
    expect((await world.state()).suspicions).toMatchObject([{ kind: 'position_missing' }])
    await world.pass(1)
    const state = await world.state()
    expect(state.phase.kind).toBe('flat')
    expect(await world.trades()).toMatchObject([{ exitReason: 'external', quantity: before.position?.quantity }])
    expect(state.accounting.lastTradeLost).toBe(true)
    world.time.now = SLOT + 30 * MINUTE_MS
    const next = await world.cycle()
    expect(next.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toContain('cooldown')
    expect(state.accounting.cash).toBe((await world.book()).cash)
  })

  it('a position that nobody of us opened: no entry, halted, told; it is left alone', async () => {
    const donor = await enter(createWorld())
    const world = createWorld()
    await world.enforce()
    const foreign = (await donor.book()).position
    await world.tamper((book) => ({ ...book, position: foreign }))
    await world.pass(1)
    expect((await world.state()).halt).toBeNull()
    await world.pass(1)
    const state = await world.state()
    expect(state.halt).toMatchObject({ by: 'incident' })
    expect(world.schedule.disabled).toHaveLength(1)
    expect((await world.book()).position).toEqual(foreign)
    // Each pass says so and keeps the alarm ringing; the owner gets one message, and another every four hours.
    const naked = () => world.events.filter(({ type }) => type === 'naked').length
    expect(naked()).toBe(1)
    const passes = await world.pass(2)
    for (const { outcome, notes } of passes)
      expect([outcome, notes.join()]).toEqual([
        'idle',
        expect.stringMatching(/^the venue holds a long of \d+ that is not ours to close: nobody guards it$/),
      ])
    expect(naked()).toBe(1)
    await world.tamper((book) => ({ ...book, position: null }))
    await world.pass(2)
    expect(naked()).toBe(1)
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'halted' })
  })

  it('what a hand adds to a position of ours is told of by each pass; what it takes away is not', async () => {
    const world = await enter(createWorld())
    await world.pass(1)
    const ours = (await world.book()).position
    if (ours === null) throw new Error('nothing is held')
    const hold = (contracts: number) =>
      world.tamper((book) => ({ ...book, position: { ...ours, quantity: quantity(contracts) } }))
    const told = async (): Promise<boolean[]> =>
      (await world.pass(3)).map(({ notes }) => notes.some((note) => note.includes('nobody guards it')))
    await hold(Number(ours.quantity) + 5)
    expect(await told()).toEqual([false, true, true])
    await hold(Number(ours.quantity))
    expect(await told()).toEqual([false, false, false])
    await hold(Number(ours.quantity) - 1)
    expect(await told()).toEqual([false, false, false])
  })

  it.each([
    ['10500', '500', [{ kind: 'cash' }]],
    ['10009', '9', []],
    ['9990', '-10', [{ kind: 'cash' }]],
    ['9999.5', '-0.5', []],
  ])(
    'cash of %s is taken over after a second look; what nobody explains is an incident',
    async (cash, adjustments, incidents) => {
      const world = createWorld()
      await world.enforce()
      await world.tamper((book) => ({ ...book, cash: cash as typeof book.cash }))
      await world.pass(1)
      expect(await world.state()).toMatchObject({
        accounting: { cash: '10000' },
        suspicions: [{ kind: 'cash_differs' }],
      })
      await world.pass(1)
      expect(await world.state()).toMatchObject({
        accounting: { cash, adjustments, deposited: '10000' },
        incidents,
        suspicions: [],
      })
    },
  )
})

describe('doing it twice', () => {
  it('a pass with nothing new writes nothing; four hours of them write once', async () => {
    const world = await enter(createWorld({ overrides: { instrument: { fundingIntervalMs: null } } }))
    await world.pass(1)
    const { version } = await world.state()
    await world.enforce()
    await world.enforce()
    expect((await world.state()).version).toBe(version)
    await world.pass(238)
    expect((await world.state()).version).toBe(version)
    await world.pass(2)
    expect((await world.state()).version).toBe(version + 1)
  })

  it('two at once close once', async () => {
    const world = await enter(createWorld({ overrides: { exits: { maxHoldingMinutes: 5 } } }))
    const twin = createWorld({ items: world.items, writer: 'twin', overrides: { exits: { maxHoldingMinutes: 5 } } })
    world.time.now = SLOT + 5 * MINUTE_MS
    twin.time.now = world.time.now
    await Promise.all([world.enforce(), twin.enforce()])
    await world.pass(1)
    expect((await world.book()).fills.map(({ reason }) => reason)).toEqual(['entry', 'close'])
    expect((await world.orders()).filter(({ order }) => order.kind === 'close')).toHaveLength(1)
    expect(await world.trades()).toHaveLength(1)
  })

  it('a whole day of passes and cycles keeps ledger and venue equal to the last digit', async () => {
    const world = createWorld({
      market: marketAround((minute) => 40 * Math.sin(minute / 37) + 25 * Math.sin(minute / 11)),
    })
    for (let slot = 0; slot < 40; slot++) {
      world.time.now = SLOT + slot * 30 * MINUTE_MS
      await world.cycle()
      for (let minute = 1; minute < 30; minute++) {
        world.time.now = SLOT + (slot * 30 + minute) * MINUTE_MS
        await world.enforce()
        const [state, book] = [await world.state(), await world.book()]
        expect(state.accounting.cash).toBe(book.cash)
        expect(state.phase.kind === 'flat').toBe(book.position === null)
        if (state.phase.kind === 'open') expect(state.phase.position.protection.status).toBe('live')
      }
    }
    expect((await world.trades()).length).toBeGreaterThan(3)
    expect((await world.state()).incidents).toEqual([])
  })
})

describe('limits and failures', () => {
  it('halted: exits still work', async () => {
    const world = await enter(createWorld({ market: marketAround((minute) => (minute >= 3 ? -60 : 0)) }))
    const at = toIso(SLOT)
    await commit(world.ports, await world.state(), [
      { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason: 'x' } },
    ])
    await world.pass(5)
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
  })

  it('an unrealised daily loss halts between two slots', async () => {
    const world = await enter(
      createWorld({
        overrides: { guard: { minStopAtr: 0.1, maxDailyLoss: 0.004 } },
        market: marketAround((minute) => -minute * 0.5),
      }),
    )
    await world.pass(28)
    expect((await world.state()).halt).toMatchObject({ rule: 'daily_loss', by: 'guard' })
    expect(world.schedule.disabled).toHaveLength(1)
  })

  it('a dead market while flat costs nothing; while open the pass fails loudly, and the books are as they were', async () => {
    const market = marketAround()
    const broken = { dead: false }
    const flaky = {
      ...market,
      candles: (query: Parameters<typeof market.candles>[0]) =>
        broken.dead ? Promise.reject(new Error('down')) : market.candles(query),
      quote: (symbol: string, at: number) =>
        broken.dead ? Promise.reject(new Error('down')) : market.quote(symbol, at),
    }
    const world = createWorld({ market: flaky })
    broken.dead = true
    expect(await world.enforce()).toMatchObject({ outcome: 'idle' })
    broken.dead = false
    await enter(world)
    const { version } = await world.state()
    broken.dead = true
    world.time.now += 5 * MINUTE_MS
    await expect(world.enforce()).rejects.toThrow('down')
    expect((await world.state()).version).toBe(version)
  })

  it('events are logged and counted before the bus is asked', async () => {
    const world = createWorld()
    const seen: string[] = []
    const ports = {
      ...world.ports,
      telemetry: { log: () => seen.push('log'), metric: (name: string) => seen.push(name) },
      events: { publish: async () => void seen.push('bus') },
    }
    await publish(ports, 'x-naked', { type: 'naked', subject: 'x', detail: {} })
    expect(seen).toEqual(['log', 'naked', 'bus'])
  })
})

describe('findHardExit', () => {
  const bar = (low: number, high: number): Candle => ({
    time: SLOT,
    open: (low + high) / 2,
    high,
    low,
    close: (low + high) / 2,
    volume: 1,
  })
  const long = {
    side: 'long' as const,
    bracket: { stopLossPrice: price(90), takeProfitPrice: price(120) },
    liquidationPrice: price(50),
    openedAt: toIso(SLOT),
    protection: { status: 'none' as const },
  }
  const short = {
    side: 'short' as const,
    bracket: { stopLossPrice: price(110), takeProfitPrice: price(80) },
    liquidationPrice: price(150),
    openedAt: toIso(SLOT),
    protection: { status: 'none' as const },
  }
  const exits = { maxHoldingMinutes: 60, liquidationDistance: 0.05 }
  const table: [string, Omit<ExitQuestion, 'barMs' | 'expiryDue'>, string | null][] = [
    ['nothing', { position: long, bars: [bar(95, 105)], mark: 100, now: SLOT, exits }, null],
    [
      'long stop by a bar, at the level',
      { position: long, bars: [bar(90, 105)], mark: 100, now: SLOT, exits },
      'stop_loss',
    ],
    ['long stop by the mark', { position: long, bars: [], mark: 90, now: SLOT, exits }, 'stop_loss'],
    [
      'long target by a bar, come back since: its order rests from now on',
      { position: long, bars: [bar(95, 120)], mark: 100, now: SLOT, exits },
      null,
    ],
    [
      'long target by the mark, nothing resting',
      { position: long, bars: [], mark: 120, now: SLOT, exits },
      'take_profit',
    ],
    ['both: stop first', { position: long, bars: [bar(90, 120)], mark: 100, now: SLOT, exits }, 'stop_loss'],
    ['short stop', { position: short, bars: [bar(95, 110)], mark: 100, now: SLOT, exits }, 'stop_loss'],
    ['short target by the mark', { position: short, bars: [], mark: 80, now: SLOT, exits }, 'take_profit'],
    [
      'long near liquidation',
      { position: { ...long, liquidationPrice: price(96) }, bars: [], mark: 100, now: SLOT, exits },
      'liquidation_distance',
    ],
    [
      'short beyond liquidation',
      { position: { ...short, liquidationPrice: price(99) }, bars: [], mark: 120, now: SLOT, exits },
      'liquidation_distance',
    ],
    [
      'one millisecond before the time limit',
      { position: long, bars: [], mark: 100, now: SLOT + 60 * MINUTE_MS - 1, exits },
      null,
    ],
    ['at the time limit', { position: long, bars: [], mark: 100, now: SLOT + 60 * MINUTE_MS, exits }, 'time_limit'],
    [
      'no time limit',
      { position: long, bars: [], mark: 100, now: SLOT + 9 * DAY_MS, exits: { ...exits, maxHoldingMinutes: null } },
      null,
    ],
    [
      'no bracket known: only time and liquidation',
      { position: { ...long, bracket: null, liquidationPrice: null }, bars: [bar(1, 900)], mark: 1, now: SLOT, exits },
      null,
    ],
  ]
  it.each(table)('%s', (_name, question, expected) => {
    expect(findHardExit({ ...question, barMs: MINUTE_MS, expiryDue: null })).toBe(expected)
  })
})
