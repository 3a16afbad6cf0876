import { describe, expect, it } from 'vitest'
import { createCoinbaseBroker } from '../../lib/venue/coinbase/coinbase-broker.ts'
import { NoAnswerError, type Transport, type WireAnswer, type WireRequest } from '../../lib/venue/coinbase/wire.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { MINUTE_MS, SECOND_MS } from '../../lib/core/time.ts'
import { closePosition } from '../../lib/execution/close-position.ts'
import { loadOrCreateState } from '../../lib/execution/commit.ts'
import { enterPosition } from '../../lib/execution/enter-position.ts'
import type { CyclePorts } from '../../lib/cycle/cycle-ports.ts'
import { syncWithVenue } from '../../lib/execution/sync-with-venue.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { Fill } from '../../schemas/order.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { configWith, entry, NOW } from '../venue/coinbase/support.ts'
import { createFakeVenue } from '../support/coinbase/fake-venue.ts'
import { createInProcessTransport } from '../support/coinbase/in-process-transport.ts'
import { createManualClock } from '../support/coinbase/manual-clock.ts'
import type { VenueOptions } from '../support/coinbase/options.ts'
import { constantPath, pathOfSteps } from '../support/coinbase/prices.ts'
import {
  bought,
  empty,
  ENTRY,
  facts,
  heldIn,
  learn,
  OPEN,
  OPENING,
  orderOf,
  sold,
  venueHolds,
} from '../execution/venue-fixtures.ts'
import { createWorld, LONG, oneByOne } from './world.ts'

const foreign: PaperBook['position'] = {
  side: 'long',
  quantity: quantity(3),
  costBasis: money('600'),
  leverage: quantity(1),
  liquidationPrice: price(500),
  openedAt: '2026-03-10T11:00:00Z',
}

type Trouble = {
  spend?: (endpoint: string) => number
  answer?: (endpoint: string, text: string) => string
  /** Stands between client and venue. */
  network?: (request: WireRequest, deliver: () => Promise<WireAnswer>) => Promise<WireAnswer>
}

/** Execution on the fake venue, with `spend` saying how long a request takes. */
function live({
  spend = () => 0,
  answer = (_path, text) => text,
  network = (_request, deliver) => deliver(),
  ...options
}: Partial<VenueOptions> & Trouble = {}) {
  const clock = createManualClock(NOW)
  const venue = createFakeVenue({
    clock: clock.now,
    price: constantPath(3_000),
    initialCash: '10000',
    halfSpreadBps: 1,
    slippageTicks: 0,
    ...options,
  })
  const inner = createInProcessTransport(venue, { advance: clock.advance })
  const transport: Transport = async (request, timeoutMs, sendBy) => {
    clock.advance(spend(request.endpoint))
    const reply = await network(request, () => inner(request, timeoutMs, sendBy))
    return { ...reply, text: answer(request.endpoint, reply.text) }
  }
  const config = configWith()
  const sleep = async (ms: number) => clock.advance(ms)
  const events: DomainEvent[] = []
  const world = createWorld()
  const ports: CyclePorts = {
    ...world.ports,
    config,
    clock: clock.now,
    sleep,
    store: createStore(createMemoryItems(), 'hard-cases', 'live'),
    broker: createCoinbaseBroker({ transport, config, clock: clock.now, sleep }),
    events: {
      async publish(published) {
        events.push(...published)
      },
    },
  }
  /** The entry is sent, and nobody looks what became of it. */
  const send = async (): Promise<void> => {
    if (LONG.action !== 'open_long') throw new Error('not an entry')
    await enterPosition(ports, await loadOrCreateState(ports), {
      order: entry(),
      decision: LONG,
      cycleId: 'eth-live-20261121T1200Z',
      regime: null,
    })
  }
  const sync = async (): Promise<StrategyState> =>
    (await syncWithVenue(ports, await loadOrCreateState(ports), { act: true })).state
  const enter = async (): Promise<StrategyState> => {
    await send()
    return sync()
  }
  return { clock, venue, ports, send, sync, enter, events }
}

describe('hard cases: entries', () => {
  it('nothing is entered on a position that is there, however briefly it has been seen', async () => {
    const world = createWorld()
    await world.tamper((book) => ({ ...book, position: foreign }))
    const record = await world.cycle()
    expect(record.reconciliation.join()).toContain('foreign_position')
    // The paper venue refuses what stacks; a real one takes it.
    expect(record.placement).toBeNull()
    expect(record.outcome).toBe('refused')
  })
})

describe('hard cases: fills', () => {
  const many = (side: 'in' | 'out', count: number): Fill[] =>
    Array.from({ length: count }, (_, index) =>
      side === 'in'
        ? { ...bought(`in${index}`, '1', '2000', 0), clientOrderId: ENTRY.order.clientOrderId }
        : sold(`out${index}`, '1'),
    )

  it('are taken once, also when six hours hold more than 200 of them', () => {
    const fills = [...many('in', 150), ...many('out', 150)]
    const first = learn(
      { ...OPENING },
      empty({
        seconds: 700,
        fills,
        pendingOrder: orderOf(ENTRY, {
          status: 'filled',
          quantity: ENTRY.order.quantity,
          filledQuantity: ENTRY.order.quantity,
        }),
      }),
    )
    const again = learn(first.state, empty({ seconds: 760, fills }))
    expect(again.kinds.filter((kind) => kind === 'filled' || kind === 'incident_noted')).toEqual([])
  })

  it('fills of a trade that is over do not grow the next one', () => {
    const old = [...many('in', 150), ...many('out', 150)]
    const seenIds = [...old.map(({ fillId }) => fillId), 'e1'].slice(-200)
    const { state } = learn(
      { ...OPEN, cursor: { ...OPEN.cursor, seenIds } },
      facts({ fills: [...old, bought('e1', '10')] }),
    )
    expect(heldIn(state).quantity).toBe('10')
  })

  it('of our own entry are held and protected even when the order had been told as cancelled with nothing filled', () => {
    const ended = learn(
      OPENING,
      empty({
        seconds: 3,
        pendingOrder: orderOf(ENTRY, { status: 'cancelled', filledQuantity: quantity(0), averagePrice: null }),
      }),
    )
    expect(ended.state.phase.kind).toBe('flat')
    const { state } = learn(
      ended.state,
      facts({
        seconds: 5,
        openOrders: [],
        position: venueHolds(10),
        fills: [{ ...bought('e1', '10'), clientOrderId: ENTRY.order.clientOrderId }],
      }),
    )
    expect(state.phase.kind).toBe('open')
  })

  it('of a finished order without an average price do not leave the position to itself', () => {
    const told = orderOf(ENTRY, { averagePrice: null })
    const { state } = learn(
      OPENING,
      facts({ seconds: 90, openOrders: [], position: venueHolds(10), pendingOrder: told }),
    )
    expect(state.phase.kind).toBe('open')
  })

  it("a closing fill that is listed after the venue's word was taken for it opens nothing", () => {
    const gone = learn(OPEN, empty({ seconds: 60 }))
    const over = learn(gone.state, empty({ seconds: 95 }))
    expect(over.state.phase.kind).toBe('flat')
    const late = learn(over.state, empty({ seconds: 120, fills: [sold('late', '10', '2000', 58)] }))
    expect(late.state.phase.kind).toBe('flat')
  })
})

describe('hard cases: cash', () => {
  it('a daily settlement of unrealised PnL is no loss and no gain', () => {
    // The venue pays out 20 of an open loss and its unrealised PnL begins again at zero: equity is the same.
    const before = { ...OPEN, accounting: { ...OPEN.accounting, markPrice: price(1980), equity: money('9980') } }
    const change = {
      cash: '9980',
      position: venueHolds(10, { averageEntryPrice: price(1980), markPrice: price(1980), unrealisedPnl: money('0') }),
    }
    const first = learn(before, facts({ seconds: 60, ...change }))
    const { state } = learn(first.state, facts({ seconds: 120, ...change }))
    expect(state.accounting.equity).toBe('9980')
    expect(state.incidents).toEqual([])
  })
})

describe('hard cases: funding', () => {
  it('is inferred once a boundary: what goes missing again and again in one hour is not funding', () => {
    const first = learn(OPEN, facts({ seconds: 7_300, cash: '9995', listsFunding: false }))
    expect(first.kinds).toContain('funding_settled')
    const second = learn(
      { ...first.state, version: first.state.version + 1 },
      facts({ seconds: 7_360, cash: '9990', listsFunding: false }),
    )
    expect(second.kinds).not.toContain('funding_settled')
  })

  it('that settles hours after its position is closed is no incident', () => {
    const flat = learn(
      OPEN,
      empty({ seconds: 7_200, fills: [sold('out', '10', '2000', 7_100)], listsFunding: false }),
    ).state
    expect(flat.phase.kind).toBe('flat')
    const first = learn(flat, empty({ seconds: 20_000, cash: '9998.5', listsFunding: false }))
    const { state } = learn(first.state, empty({ seconds: 20_060, cash: '9998.5', listsFunding: false }))
    expect(state.incidents).toEqual([])
  })
})

describe('hard cases: exits', () => {
  it('a slow venue does not make every close cancel the exits and then give up', async () => {
    let isSlow = false
    // Two lists side by side of 1.75 s each stand for one wait of 3.5 s.
    const { venue, ports, enter } = live({
      spend: (endpoint) =>
        !isSlow
          ? 0
          : endpoint === 'orders/historical/batch'
            ? 1_750
            : endpoint === 'cfm/positions/{product_id}' || endpoint.startsWith('orders/')
              ? 3_500
              : 0,
    })
    const state = await enter()
    expect(state.phase.kind).toBe('open')
    isSlow = true
    let held = state
    for (let attempt = 0; attempt < 4; attempt++) {
      await closePosition(ports, held, 'time_limit')
      isSlow = false
      held = (await syncWithVenue(ports, await loadOrCreateState(ports), { act: true })).state
      isSlow = true
    }
    expect(venue.truth()).toMatchObject({ position: { contracts: 0 } })
  })

  it('a bracket attached to the entry and listed 0.4 s after its fill does not get the position closed', async () => {
    const at = { entered: Number.POSITIVE_INFINITY }
    const clockOf = { now: () => 0 }
    const world = live({
      switches: { refusesStackedBrackets: true },
      answer: (endpoint, text) => {
        if (endpoint !== 'orders/historical/batch' || clockOf.now() > at.entered + 0.4 * SECOND_MS) return text
        const body = JSON.parse(text) as { orders: { originating_order_id: string }[] }
        return JSON.stringify({ ...body, orders: body.orders.filter((order) => order.originating_order_id === '') })
      },
    })
    clockOf.now = world.clock.now
    at.entered = NOW
    const state = await world.enter()
    expect(world.venue.truth()).toMatchObject({ position: { contracts: 2 } })
    expect(state.phase.kind).toBe('open')
  })

  it("a close whose deadline has passed cancels nothing more: by then the exits may be somebody else's new ones", async () => {
    const world = createWorld()
    await world.cycle()
    await world.pass(2)
    const { broker } = world.ports
    const started = world.time.now
    const cancelledAfter: number[] = []
    world.ports.broker = {
      ...broker,
      openOrders: async (symbol) => {
        world.time.now += 4 * SECOND_MS
        return broker.openOrders(symbol)
      },
      cancel: async () => {
        cancelledAfter.push((world.time.now - started) / SECOND_MS)
        return { outcome: 'accepted', orderId: 'x' }
      },
    }
    await closePosition(world.ports, await world.state(), 'decision')
    expect(Math.max(...cancelledAfter)).toBeLessThanOrEqual(20)
  })

  it('a close that the venue neither fills nor ends is told aloud', async () => {
    const world = createWorld()
    await world.cycle()
    await world.pass(2)
    const { broker } = world.ports
    let isStuck = false
    world.ports.broker = {
      ...broker,
      place: async (order, deadline) =>
        order.kind === 'close' ? { outcome: 'accepted', orderId: 'stuck' } : broker.place(order, deadline),
      order: async (symbol, ref) => {
        if (!isStuck) return broker.order(symbol, ref)
        const state = await world.state()
        if (state.phase.kind !== 'closing') return broker.order(symbol, ref)
        const { order } = state.phase.intent
        return {
          orderId: 'stuck',
          clientOrderId: order.clientOrderId,
          symbol,
          kind: 'close',
          side: order.side,
          status: 'unknown',
          quantity: order.quantity,
          filledQuantity: quantity(0),
          averagePrice: null,
          bracket: null,
          isTriggered: false,
          createdAt: world.at(0),
          reason: null,
        }
      },
    }
    isStuck = true
    await closePosition(world.ports, await world.state(), 'decision')
    world.events.length = 0
    const results = await world.pass(60)
    expect(results.at(-1)?.outcome).not.toBe('idle')
    expect(world.events.length).toBeGreaterThan(0)
  })
})

describe('hard cases: what an exit of ours has opened', () => {
  it('while nobody looked, after a hand had closed the position, is closed by whoever looks first', async () => {
    // An exit attached to an entry rests until somebody cancels it.
    const { clock, venue, send, sync } = live({
      price: pathOfSteps([
        { from: NOW, price: 3_000 },
        { from: NOW + 5 * MINUTE_MS, price: 2_840 },
      ]),
    })
    await send()
    clock.advance(MINUTE_MS)
    venue.hand.close()
    clock.advance(9 * MINUTE_MS)
    expect(venue.truth()).toMatchObject({ position: { contracts: -2 } })
    const state = await sync()
    expect(venue.truth()).toMatchObject({ position: { contracts: 0 } })
    expect(state).toMatchObject({
      phase: { kind: 'flat' },
      halt: { by: 'incident' },
      incidents: [{ kind: 'foreign_fill' }],
      accounting: { cash: venue.truth().cash },
    })
    expect(state.memory.trades).toMatchObject([
      { side: 'long', exitReason: 'external' },
      { side: 'short', exitReason: 'unprotected' },
    ])
  })

  it.each<[string, 'first' | 'refuse', number]>([
    ['and one of them takes effect', 'first', 0],
    ['also at a venue that refuses what it has', 'refuse', 0],
    ['also when others of that id could not be sent in between', 'first', 2],
  ])(
    'is not a second close that met the first one on its way: they have one id, %s',
    async (_name, duplicateIds, unsent) => {
      const delayed: (() => Promise<WireAnswer>)[] = []
      let closes = 0
      const { clock, venue, ports, sync, enter } = live({
        switches: { refusesAttachedBrackets: true, refusesBrackets: true, pendingMs: 500, duplicateIds },
        network: async (request, deliver) => {
          if (request.endpoint !== 'orders/close_position') return deliver()
          closes += 1
          if (closes === 1) {
            delayed.push(deliver)
            throw new NoAnswerError('the connection was cut', { wasSent: true })
          }
          if (closes <= 1 + unsent) throw new NoAnswerError('connection refused', { wasSent: false })
          const reply = await deliver()
          // This order waits for its turn at the venue as the first arrives.
          await delayed.shift()?.()
          return reply
        },
      })
      await enter()
      clock.advance(MINUTE_MS)
      await sync()
      await sync()
      expect([closes, delayed.length]).toEqual([2 + unsent, 0])
      expect(venue.truth()).toMatchObject({ position: { contracts: 0 } })
      expect((await loadOrCreateState(ports)).memory.trades).toMatchObject([{ exitReason: 'unprotected' }])
    },
  )
})

describe('hard cases: the id of a close', () => {
  it.each([
    ['is the same while nothing was heard of it', 'timeout', 1],
    ['is another one once the venue says that it has one of that id, known or not', 'duplicate_client_order_id', 4],
  ])('%s', async (_name, reason, ids) => {
    const sent: string[] = []
    const world = createWorld()
    await world.cycle()
    await world.pass(2)
    const { broker } = world.ports
    world.ports.broker = {
      ...broker,
      place: async (order, deadline) => {
        if (order.kind !== 'close') return broker.place(order, deadline)
        sent.push(order.clientOrderId)
        return reason === 'duplicate_client_order_id'
          ? { outcome: 'unknown', reason, refusal: 'duplicate_id' }
          : { outcome: 'unknown', reason }
      },
    }
    for (let attempt = 0; attempt < 4; attempt++) {
      await closePosition(world.ports, await world.state(), 'decision')
      await world.pass(3)
    }
    expect([sent.length, new Set(sent).size]).toEqual([4, ids])
  })
})

describe('hard cases: liquidation', () => {
  it("the venue's liquidation price of now counts, not the one of the entry", async () => {
    const world = createWorld()
    await world.cycle()
    await world.pass(1)
    const { broker } = world.ports
    world.ports.broker = {
      ...oneByOne(broker),
      position: async (symbol) => {
        const held = await broker.position(symbol)
        return held === null ? null : { ...held, liquidationPrice: price(1990) }
      },
    }
    const [result] = await world.pass(1)
    expect(result).toMatchObject({ exit: 'liquidation_distance', outcome: 'closed' })
  })
})

describe('hard cases: lists that lag', () => {
  it('an exit attached to an entry is found through its parent: no second one is placed beside it', async () => {
    const { venue, enter } = live({
      answer: (endpoint, text) => {
        if (endpoint !== 'orders/historical/batch') return text
        const body = JSON.parse(text) as { orders: { originating_order_id: string }[] }
        return JSON.stringify({ ...body, orders: body.orders.filter((order) => order.originating_order_id === '') })
      },
    })
    const state = await enter()
    expect(state.phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
    expect(venue.truth().orders.filter(({ isLive, bracket }) => isLive && bracket !== null)).toHaveLength(1)
  })
})
