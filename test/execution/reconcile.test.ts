import { beforeEach, describe, expect, it } from 'vitest'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { reconcile } from '../../lib/execution/reconcile/reconcile.ts'
import { gatherVenueFacts } from '../../lib/execution/gather-venue-facts.ts'
import type { VenueFacts } from '../../lib/execution/venue-facts.ts'
import { transitionAll } from '../../lib/ledger/transition.ts'
import type { Fill, VenueOrder } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { createWorld, SLOT, type World } from '../cycle/world.ts'

const at = (seconds: number): string => toIso(SLOT + seconds * 1_000)

/** Reconciles, and says what state the events lead to. */
function run(state: StrategyState, facts: VenueFacts) {
  const found = reconcile(state, facts)
  const folded = transitionAll(state, found.events)
  return {
    ...found,
    state: folded.state,
    trades: folded.history.flatMap((entry) => (entry.kind === 'TRADE' ? [entry.body] : [])),
    kinds: found.events.map(({ type }) => type),
  }
}

describe('an open position', () => {
  let world: World
  let state: StrategyState
  let facts: VenueFacts
  let exit: Fill

  beforeEach(async () => {
    world = createWorld()
    await world.cycle()
    state = await world.state()
    facts = await gatherVenueFacts(world.ports, state)
    const entry = (await world.book()).fills[0]
    if (entry === undefined) throw new Error('no entry')
    exit = {
      ...entry,
      fillId: 'exit-1',
      orderId: 'stop',
      clientOrderId: null,
      side: 'sell',
      price: price(1980),
      reason: 'stop_loss',
      at: at(600),
    }
  })

  const held = () => {
    if (state.phase.kind !== 'open') throw new Error('not open')
    return state.phase.position
  }
  const closedFacts = (fills: Fill[], extra: Partial<VenueFacts> = {}): VenueFacts => ({
    ...facts,
    at: at(660),
    position: null,
    openOrders: [],
    fills: [...facts.fills, ...fills],
    account: { ...facts.account, cash: facts.account.cash },
    ...extra,
  })

  it('that the venue agrees about teaches nothing', () => {
    expect(reconcile(state, facts)).toMatchObject({
      events: [],
      after: { state, history: [], emissions: [] },
      actions: [],
      notes: [],
    })
  })

  it('takes a fill once, however often the list has it, and nothing a second time', () => {
    const first = run(state, closedFacts([exit, exit]))
    expect(first.kinds.filter((kind) => kind === 'filled')).toHaveLength(1)
    expect(first.trades).toHaveLength(1)
    const again = closedFacts([exit, exit], { account: { ...facts.account, cash: first.state.accounting.cash } })
    expect(run(first.state, again).kinds).toEqual(['suspected'])
    expect(run(run(first.state, again).state, again).events).toEqual([])
  })

  it('books the funding due at the instant of the exit to the trade', () => {
    const payment = { fundingId: 'f', at: exit.at, rate: '0.0001', amount: money('-1.25') }
    const { trades, kinds } = run(state, closedFacts([exit], { funding: [payment] }))
    expect(kinds.slice(0, 2)).toEqual(['funding_settled', 'filled'])
    expect(trades).toMatchObject([{ funding: '-1.25' }])
  })

  it('remembers ids that one reading leaves out', () => {
    const payment = { fundingId: 'f', at: at(300), rate: '0.0001', amount: money('-1') }
    const first = run(state, {
      ...facts,
      funding: [payment],
      account: { ...facts.account, cash: money(Number(facts.account.cash) - 1) },
    })
    const without = run(first.state, {
      ...facts,
      funding: [],
      account: { ...facts.account, cash: first.state.accounting.cash },
    })
    expect(
      run(without.state, {
        ...facts,
        funding: [payment],
        account: { ...facts.account, cash: first.state.accounting.cash },
      }).events,
    ).toEqual([])
  })

  it('closed by more than it held: our part is the trade, the rest an incident that halts', () => {
    const twice = {
      ...exit,
      quantity: quantity(Number(exit.quantity) * 2),
      fee: money('8'),
      reason: 'external' as const,
    }
    const { state: after, trades } = run(state, closedFacts([twice]))
    expect(trades).toMatchObject([{ quantity: held().quantity, exitReason: 'external' }])
    expect(Number(trades[0]?.fees)).toBeCloseTo(Number(held().fees) + 4, 8)
    expect(after).toMatchObject({ phase: { kind: 'flat' }, halt: { by: 'incident' } })
  })

  it('turned around by an exit of ours: what that opened is held without a stop, and closed at once', () => {
    const excess = 3
    const fill = { ...exit, quantity: quantity(Number(exit.quantity) + excess), fee: money('8') }
    const position = {
      symbol: exit.symbol,
      side: 'short' as const,
      quantity: quantity(excess),
      averageEntryPrice: exit.price,
      markPrice: exit.price,
      unrealisedPnl: money('0'),
      liquidationPrice: null,
    }
    const { state: after, trades, actions } = run(state, closedFacts([fill], { position }))
    expect(trades).toMatchObject([{ quantity: held().quantity, exitReason: 'stop_loss' }])
    expect(after).toMatchObject({
      phase: { kind: 'open', position: { side: 'short', quantity: '3', bracket: null, thesis: null } },
      halt: { by: 'incident' },
    })
    expect(Number(trades[0]?.fees) + Number(after.phase.kind === 'open' ? after.phase.position.fees : 0)).toBeCloseTo(
      Number(held().fees) + 8,
      8,
    )
    expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
  })

  it('larger at the venue, or on the other side, is not ours: an incident that halts, and no fill is made up', () => {
    if (facts.position === null) throw new Error('no position')
    for (const position of [
      { ...facts.position, quantity: quantity(1_000) },
      { ...facts.position, side: 'short' as const },
    ]) {
      const first = run(state, { ...facts, position })
      expect(first.kinds).toEqual(['suspected'])
      expect(run(first.state, { ...facts, position, at: at(25) }).kinds).toEqual([])
      expect(run(first.state, facts)).toMatchObject({ kinds: ['suspected'], state: { suspicions: [], halt: null } })
      const { state: after, kinds } = run(first.state, { ...facts, position, at: at(40) })
      expect(kinds).toEqual(['incident_noted', 'halted'])
      expect(after.phase).toMatchObject({ kind: 'open', position: { quantity: held().quantity } })
    }
  })

  it('smaller at the venue: a second look before it is taken over, and one only', () => {
    if (facts.position === null) throw new Error('no position')
    const less = { ...facts, position: { ...facts.position, quantity: quantity(1) } }
    const first = run(state, { ...less, at: at(60) })
    expect(first.state.suspicions).toMatchObject([{ kind: 'position_missing' }])
    expect(run(first.state, { ...less, at: at(80) }).kinds).not.toContain('filled')
    const second = run(first.state, { ...less, at: at(120) })
    expect(second.state.phase).toMatchObject({ kind: 'open', position: { quantity: '1' } })
    expect(second.trades).toEqual([])
    expect(second.state.suspicions).toEqual([])
  })

  it('while the answers do not settle no difference is called one', () => {
    expect(run(state, { ...facts, position: null, isSettled: false }).kinds).toEqual([])
  })

  it('with a stop for a part of it: that stop goes, one for the whole is wanted', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    const { actions, kinds } = run(state, { ...facts, openOrders: [{ ...stop, quantity: quantity(1) }] })
    expect(kinds).toEqual(['protection_lost'])
    expect(actions).toEqual([{ kind: 'cancel', orderId: stop.orderId, why: expect.any(String) }])
    expect(run(state, { ...facts, openOrders: [] }).actions).toEqual([{ kind: 'protect' }])
  })

  it('with a stop for more than it: that would turn the position around, so it goes too', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    const more = { ...stop, quantity: quantity(Number(stop.quantity) + 1) }
    expect(run(state, { ...facts, openOrders: [more] }).actions).toMatchObject([
      { kind: 'cancel', orderId: stop.orderId },
    ])
    // Partly filled it is of the right size: what counts is what it can still do.
    expect(run(state, { ...facts, openOrders: [{ ...more, filledQuantity: quantity(1) }] })).toMatchObject({
      actions: [],
      kinds: [],
    })
  })

  it('with a stop that has fired and is not filled: closed at market', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    expect(run(state, { ...facts, openOrders: [{ ...stop, isTriggered: true }] }).actions).toEqual([
      { kind: 'flatten', reason: 'stop_loss' },
    ])
  })

  it('with a stop that is still forming: waited for, half a minute', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    const forming = { ...stop, status: 'pending' as const, createdAt: at(0) }
    expect(run(state, { ...facts, at: at(29), openOrders: [forming] })).toMatchObject({ actions: [], kinds: [] })
    expect(run(state, { ...facts, at: at(31), openOrders: [forming] }).actions).toMatchObject([{ kind: 'cancel' }])
  })

  it('with a stop that a hand has placed: it covers, and is not doubled', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    expect(run(state, { ...facts, openOrders: [{ ...stop, orderId: 'hand', kind: 'foreign' }] })).toMatchObject({
      actions: [],
      kinds: ['protection_confirmed'],
    })
    expect(
      run(state, { ...facts, openOrders: [stop, { ...stop, orderId: 'hand', kind: 'foreign' }] }).actions,
    ).toMatchObject([{ kind: 'cancel', orderId: 'hand' }])
  })

  it('that cannot be covered while the venue is closed waits, and keeps what rests there', () => {
    const closed = {
      ...facts,
      session: { isOpen: false, nextClose: null, reason: 'maintenance' },
    }
    expect(run(state, { ...closed, openOrders: [] })).toMatchObject({
      actions: [],
      kinds: [],
      notes: [expect.stringContaining('maintenance')],
    })
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    expect(run(state, { ...closed, openOrders: [{ ...stop, isTriggered: true }] }).actions).toEqual([])
  })

  it.each<[string, Partial<VenueOrder>]>([
    ['on the wrong side', { side: 'buy' }],
    ['without a stop price', { bracket: null }],
    ['of an unknown state', { status: 'unknown' }],
  ])('an exit %s covers nothing and goes', (_name, change) => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    expect(run(state, { ...facts, openOrders: [{ ...stop, ...change }] }).actions).toMatchObject([
      { kind: 'cancel', orderId: stop.orderId },
    ])
  })

  it('an order of somebody else that is no exit is left alone', () => {
    const [stop] = facts.openOrders
    if (stop === undefined) throw new Error('no stop')
    expect(
      run(state, { ...facts, openOrders: [stop, { ...stop, orderId: 'limit', kind: 'foreign', bracket: null }] })
        .actions,
    ).toEqual([])
  })

  it('whose stop was sent and is not listed: waited for until its deadline, then counted as failed and sent again', () => {
    const order = {
      kind: 'protect' as const,
      clientOrderId: '00000000-0000-8000-8000-000000000002',
      symbol: 'ETP-20DEC30-CDE',
      side: 'sell' as const,
      quantity: held().quantity,
      bracket: { stopLossPrice: price(1980), takeProfitPrice: price(2050) },
    }
    const sent: StrategyState = {
      ...state,
      phase: {
        kind: 'open',
        position: {
          ...held(),
          protection: { status: 'intended', order, attempt: 0, intendedAt: at(0), deadline: at(20) },
        },
      },
    }
    expect(run(sent, { ...facts, at: at(20), openOrders: [] })).toMatchObject({ kinds: [], actions: [] })
    const after = run(sent, { ...facts, at: at(21), openOrders: [] })
    expect(after).toMatchObject({ kinds: ['protection_lost'], actions: [{ kind: 'protect' }] })
    expect(after.state.phase).toMatchObject({ position: { protectFailures: 1 } })
  })

  it('whose close was never sent is open again at the close’s deadline, and protected in the same pass', () => {
    const order = {
      kind: 'close' as const,
      clientOrderId: '00000000-0000-8000-8000-000000000003',
      symbol: 'ETP-20DEC30-CDE',
      side: 'sell' as const,
      quantity: held().quantity,
    }
    const closing: StrategyState = {
      ...state,
      phase: {
        kind: 'closing',
        position: held(),
        intent: {
          order,
          reason: 'decision',
          attempt: 0,
          status: 'intended',
          orderId: null,
          intendedAt: at(0),
          deadline: at(20),
        },
      },
    }
    expect(run(closing, { ...facts, at: at(20), openOrders: [] })).toMatchObject({ kinds: [], actions: [] })
    expect(run(closing, { ...facts, at: at(21), openOrders: [] })).toMatchObject({
      kinds: ['close_ended', 'protection_lost'],
      actions: [{ kind: 'protect' }],
    })
  })

  it('that failed to be protected twice is flattened', () => {
    const bare: StrategyState = {
      ...state,
      phase: { kind: 'open', position: { ...held(), protection: { status: 'none' }, protectFailures: 2 } },
    }
    expect(run(bare, { ...facts, openOrders: [] }).actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
  })
})

describe('an entry under way', () => {
  let state: StrategyState
  let facts: VenueFacts
  let entry: Fill
  let order: VenueOrder

  beforeEach(async () => {
    const donor = createWorld()
    await donor.cycle()
    const [fill] = (await donor.book()).fills
    const placed = await donor.ports.broker.order('ETP-20DEC30-CDE', {
      clientOrderId: fill?.clientOrderId ?? '',
      orderId: null,
      since: 0,
    })
    if (fill === undefined || placed === null) throw new Error('no entry')
    entry = fill
    order = placed
    const world = createWorld({
      wrapBroker: (broker) => ({ ...broker, place: async () => ({ outcome: 'unknown', reason: 'timeout' }) }),
    })
    await world.cycle()
    state = await world.state()
    facts = await gatherVenueFacts(world.ports, state)
    expect(state.phase.kind).toBe('opening')
  })

  const late = (minutes: number): string => toIso(SLOT + minutes * MINUTE_MS)

  it('unknown to the venue: waited for until its deadline and 30 s, then given up', () => {
    expect(run(state, { ...facts, at: at(45) }).kinds).toEqual([])
    expect(run(state, { ...facts, at: late(2) }).state.phase).toMatchObject({
      kind: 'flat',
      abandoned: { order: { clientOrderId: entry.clientOrderId } },
    })
  })

  it('given up and filled after all: a position with its stop, protected next', () => {
    const abandoned = run(state, { ...facts, at: late(2) }).state
    const venue = {
      ...facts,
      at: late(3),
      fills: [{ ...entry, at: late(2) }],
      position: {
        symbol: entry.symbol,
        side: 'long' as const,
        quantity: entry.quantity,
        averageEntryPrice: entry.price,
        markPrice: entry.price,
        unrealisedPnl: money('0'),
        liquidationPrice: null,
      },
    }
    const { state: after, actions } = run(abandoned, venue)
    expect(after.phase).toMatchObject({ kind: 'open', position: { bracket: { stopLossPrice: '1980' } } })
    expect(actions).toEqual([{ kind: 'protect' }])
  })

  it('still resting past its deadline is taken back', () => {
    const resting = { ...order, status: 'open' as const, filledQuantity: quantity(0) }
    expect(run(state, { ...facts, at: at(10), pendingOrder: resting }).actions).toEqual([])
    expect(run(state, { ...facts, at: at(45), pendingOrder: resting }).actions).toMatchObject([
      { kind: 'cancel', orderId: order.orderId },
    ])
  })

  it('filled, but its fills are not listed: waited for, then an incident that halts', () => {
    expect(run(state, { ...facts, at: at(60), pendingOrder: order }).kinds).toEqual([])
    const position = {
      symbol: entry.symbol,
      side: 'long' as const,
      quantity: entry.quantity,
      averageEntryPrice: entry.price,
      markPrice: entry.price,
      unrealisedPnl: money('0'),
      liquidationPrice: null,
    }
    const { kinds, state: after } = run(state, { ...facts, at: late(2), pendingOrder: order, position })
    expect(kinds.slice(0, 4)).toEqual(['incident_noted', 'halted', 'filled', 'entry_ended'])
    expect(after.halt?.reason).toContain('fills_missing')
    // The order's own word is held as a position, and protected; when its fills come after all they are not counted
    // again.
    expect(after.phase).toMatchObject({
      kind: 'open',
      position: { quantity: entry.quantity, bracket: { stopLossPrice: '1980' } },
    })
    const listed = run(after, { ...facts, at: late(3), fills: [entry], pendingOrder: null, position })
    expect(listed.state.phase).toMatchObject({ kind: 'open', position: { quantity: entry.quantity } })
  })

  it('under its id the venue has another order: an incident, never taken for ours', () => {
    const { kinds, state: after } = run(state, { ...facts, at: at(10), pendingOrder: { ...order, side: 'sell' } })
    expect(kinds.slice(0, 3)).toEqual(['incident_noted', 'halted', 'entry_ended'])
    expect(after.halt?.reason).toContain('wrong_order')
  })

  it('given up, and the venue holds it though no fill is listed: taken over after a second look, protected, and a person looks', () => {
    const abandoned = run(state, { ...facts, at: late(2) }).state
    const venue = {
      ...facts,
      position: {
        symbol: entry.symbol,
        side: 'long' as const,
        quantity: entry.quantity,
        averageEntryPrice: entry.price,
        markPrice: entry.price,
        unrealisedPnl: money('0'),
        liquidationPrice: null,
      },
    }
    const first = run(abandoned, { ...venue, at: late(3) })
    expect(first.kinds).toEqual(['suspected'])
    const second = run(first.state, { ...venue, at: late(4) })
    expect(second.state).toMatchObject({
      phase: { kind: 'open', position: { quantity: entry.quantity, bracket: { stopLossPrice: '1980' } } },
      halt: { by: 'incident' },
    })
    expect(second.actions).toEqual([{ kind: 'protect' }])
  })

  it('filled in part while its end is unknown: what is held is protected already', () => {
    const part = { ...entry, quantity: quantity(1) }
    const position = {
      symbol: entry.symbol,
      side: 'long' as const,
      quantity: quantity(1),
      averageEntryPrice: entry.price,
      markPrice: entry.price,
      unrealisedPnl: money('0'),
      liquidationPrice: null,
    }
    const { state: after, actions } = run(state, { ...facts, at: at(10), fills: [part], position })
    expect(after.phase).toMatchObject({ kind: 'opening', position: { quantity: '1' } })
    expect(actions).toEqual([{ kind: 'protect' }])
  })

  it('a fill that belongs to nobody is not booked, and halts', () => {
    const { state: after, kinds } = run(state, {
      ...facts,
      fills: [{ ...entry, clientOrderId: 'someone', orderId: 'else', reason: 'external' }],
    })
    expect(kinds).toEqual(['incident_noted', 'halted', 'cursor_moved'])
    expect(after.accounting.cash).toBe(state.accounting.cash)
  })
})
