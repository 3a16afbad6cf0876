import { describe, expect, it } from 'vitest'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import type { Fill, FillReason, VenueOrder, VenuePosition } from '../../schemas/order.ts'
import type { EntryIntent, StrategyState, TradeSummary } from '../../schemas/state.ts'
import {
  ABANDONED,
  at,
  bought,
  CLOSE,
  CLOSING,
  empty,
  ENTRY,
  facts,
  FLAT,
  heldIn,
  learn,
  OPEN,
  OPENING,
  orderOf,
  PARTLY,
  payment,
  sold,
  stopOrder,
  venueHolds,
  withHeld,
  type Change,
} from './venue-fixtures.ts'

/** What the ledger took, in order, by id. */
const taken = (state: StrategyState, change: Change): string[] =>
  learn(state, facts(change)).events.flatMap((event) =>
    event.type === 'filled' ? [event.fill.fillId] : event.type === 'funding_settled' ? [event.payment.fundingId] : [],
  )
const entryFill = (change: Partial<Fill> = {}): Fill => ({
  ...bought('e1', '10'),
  clientOrderId: ENTRY.order.clientOrderId,
  ...change,
})
const reasonOf = (state: StrategyState) => state.halt?.reason

describe('executions', () => {
  it('are taken in the order they happened, funding before a fill of the same instant, ids as numbers', () => {
    const fills = [
      sold('f10', '1', '2000', 50),
      sold('f9', '1', '2000', 50),
      sold('f1', '1', '2000', 51),
      sold('f11', '1', '2000', 40),
    ]
    const funding = [payment('p2', 50), payment('p10', 50), payment('p1', 51), payment('p3', 39)]
    const order = ['p3', 'f11', 'p2', 'p10', 'f9', 'f10', 'p1', 'f1']
    expect(taken(OPEN, { fills, funding })).toEqual(order)
    expect(taken(OPEN, { fills: fills.toReversed(), funding: funding.toReversed() })).toEqual(order)
  })

  it('are told as they were', () => {
    const { events, notes } = learn(
      OPEN,
      facts({
        seconds: 700,
        position: venueHolds(7, { liquidationPrice: price(1500) }),
        fills: [sold('x', '3')],
        funding: [payment('p', 59, '-2')],
      }),
    )
    expect(events.slice(0, 2)).toEqual([
      { type: 'funding_settled', at: at(59), payment: payment('p', 59, '-2') },
      {
        type: 'filled',
        at: at(600),
        fill: sold('x', '3'),
        multiplier: '0.1',
        liquidationPrice: '1500',
        isOrphan: false,
      },
    ])
    expect(notes.slice(0, 2)).toEqual([`funding -2 at ${at(59)}`, 'stop_loss fill sell 3 at 2000'])
  })

  it('have the venue’s liquidation price, or none', () => {
    for (const position of [venueHolds(7), null])
      expect(learn(OPEN, facts({ position, fills: [sold('x', '3')] })).events[0]).toMatchObject({
        type: 'filled',
        liquidationPrice: null,
      })
  })

  it('are taken once: seen before, part of the position, or twice in one list', () => {
    const seen: StrategyState = { ...OPEN, cursor: { ...OPEN.cursor, seenIds: ['e1', 'old', 'paid'] } }
    const change: Change = {
      fills: [bought('e1', '10'), sold('old', '1'), sold('new', '1'), sold('new', '1')],
      funding: [payment('paid', 50), payment('fresh', 51), payment('fresh', 51)],
    }
    expect(taken(seen, change)).toEqual(['fresh', 'new'])
    const forgetful: StrategyState = { ...OPEN, cursor: { ...OPEN.cursor, seenIds: [] } }
    expect(taken(forgetful, { fills: [bought('e1', '10'), sold('x', '1')] })).toEqual(['x'])
    expect(
      taken({ ...FLAT, cursor: { ...FLAT.cursor, seenIds: ['e1'] } }, { position: null, fills: [bought('e1', '10')] }),
    ).toEqual([])
  })

  it('move the cursor to an hour before the newest, never back, and only when there is news', () => {
    const hours = (count: number) => count * 3_600
    const cursorAfter = (state: StrategyState, change: Change) =>
      learn(state, facts(change)).events.flatMap((event) =>
        event.type === 'cursor_moved' ? [{ ...event.cursor, at: event.at }] : [],
      )
    expect(
      cursorAfter(OPEN, {
        fills: [sold('x', '1', '2000', hours(7)), bought('e1', '10')],
        funding: [payment('p', hours(6.5))],
        seconds: hours(8),
      }),
    ).toEqual([{ at: at(hours(8)), since: at(hours(6)), seenIds: ['e1', 'x', 'p'] }])
    expect(cursorAfter(OPEN, { fills: [sold('x', '1', '2000', hours(0.5))], seconds: hours(8) })).toMatchObject([
      { since: at(0) },
    ])
    expect(cursorAfter(OPEN, { funding: [payment('p', hours(9))], seconds: hours(9) })).toMatchObject([
      { since: at(hours(8)), seenIds: ['e1', 'p'] },
    ])
    expect(cursorAfter(OPEN, { fills: [bought('e1', '10')], seconds: hours(9) })).toEqual([])
    // What is read again and old still counts for the newest.
    expect(
      cursorAfter(OPEN, {
        fills: [bought('e1', '10', '2000', hours(8))],
        funding: [payment('p', hours(7))],
        seconds: hours(9),
      }),
    ).toMatchObject([{ since: at(hours(7)) }])
  })

  it('are remembered: all of the last hour, up to 1000, and of others the newest 40', () => {
    const seenIds = Array.from({ length: 250 }, (_, index) => `old${index}`)
    const state: StrategyState = { ...OPEN, cursor: { ...OPEN.cursor, seenIds } }
    const after = learn(
      state,
      facts({ funding: [payment('old0', 10), payment('a', 10), payment('b', 11), payment('a', 10)] }),
    ).state.cursor.seenIds
    expect(after).toEqual([...seenIds.slice(-40), 'old0', 'a', 'b'])
    const many = Array.from({ length: 1_001 }, (_, index) => payment(`n${index}`, 7_000 + index / 1_000))
    expect(learn(state, facts({ funding: many, seconds: 7_400 })).state.cursor).toMatchObject({
      since: at(7_001),
      seenIds: [...seenIds.slice(-40), ...many.slice(-1_000).map(({ fundingId }) => fundingId)],
    })
  })

  it('of a long life are still read with an hour of overlap, and take no more room', () => {
    let state = OPEN
    for (let hour = 1; hour <= 1_500; hour++)
      state = learn(state, facts({ funding: [payment(`p${hour}`, hour * 3_600)], seconds: hour * 3_600 + 60 })).state
    expect(state.cursor.since).toBe(at(1_499 * 3_600))
    expect(state.cursor.seenIds.length).toBeLessThanOrEqual(42)
    // What lagged by most of an hour is still taken, and what was taken is not taken again.
    const late = learn(
      state,
      facts({
        funding: [payment('p1500', 1_500 * 3_600), payment('late', 1_499.2 * 3_600)],
        seconds: 1_500 * 3_600 + 120,
      }),
    )
    expect(late.events.filter(({ type }) => type === 'funding_settled')).toHaveLength(1)
  })
})

describe('a fill', () => {
  it.each<[string, StrategyState, Fill]>([
    ['under the id of our entry', OPENING, entryFill({ reason: 'external' })],
    ['under our id, of an entry given up', ABANDONED, entryFill({ reason: 'external' })],
    ['of the venue’s order for it', OPENING, entryFill({ clientOrderId: null, orderId: 'o-9', reason: 'external' })],
    ['late, of an entry that has ended', OPEN, bought('e2', '1', '2000', 30)],
  ])('%s adds to the position', (_name, state, fill) => {
    const intent = (from: EntryIntent): EntryIntent => ({ ...from, orderId: 'o-9' })
    const known: StrategyState =
      state.phase.kind === 'opening'
        ? { ...state, phase: { ...state.phase, intent: intent(state.phase.intent) } }
        : state
    const { kinds, state: after } = learn(known, facts({ seconds: 40, fills: [fill] }))
    expect(kinds[0]).toBe('filled')
    expect(reasonOf(after)).toBeUndefined()
    expect(heldIn(after).fillIds).toContain(fill.fillId)
  })

  it.each<[string, StrategyState, Fill]>([
    ['under our id on the other side', OPENING, entryFill({ side: 'sell' })],
    ['under our id on the other side, of an entry given up', ABANDONED, entryFill({ side: 'sell' })],
    ['under another id', OPENING, entryFill({ clientOrderId: CLOSE.order.clientOrderId })],
    ['under no id, while the venue’s id of ours is unknown', OPENING, entryFill({ clientOrderId: null })],
    [
      'under another id, of another order than the one we know',
      { ...OPENING, phase: { ...OPENING.phase, intent: { ...ENTRY, orderId: 'o-9' } } } as StrategyState,
      entryFill({ clientOrderId: null }),
    ],
    ['while flat', FLAT, entryFill()],
    ['of an entry before this trade', OPEN, bought('e0', '1', '2000', 0.999)],
    ['that adds and is no entry', OPEN, entryFill({ fillId: 'e2', reason: 'external' })],
    ['that adds while it is being closed', CLOSING, bought('e2', '1', '2000', 30)],
  ])('%s is a stranger’s: not booked, and it halts', (_name, state, fill) => {
    const { kinds, state: after } = learn(state, facts({ seconds: 15, fills: [fill], position: null }))
    expect(kinds).not.toContain('filled')
    expect(reasonOf(after)).toBe(
      `foreign_fill: ${fill.reason} fill ${fill.side} ${fill.quantity} at 2000 (${fill.fillId}) belongs to no position of ours`,
    )
  })

  it.each(['stop_loss', 'take_profit', 'close'] as const)(
    'of a %s of ours while flat has opened a position: held to be closed, and it halts',
    (reason) => {
      const fill: Fill = { ...sold('x', '2', '2000', 50), reason }
      const { events, actions, notes, state } = learn(
        FLAT,
        empty({ fills: [fill], position: venueHolds(2, { side: 'short' }) }),
      )
      expect(events.slice(0, 3)).toMatchObject([
        { type: 'incident_noted', kind: 'foreign_fill' },
        { type: 'halted' },
        { type: 'filled', fill, isOrphan: true },
      ])
      expect(notes[1]).toBe(`${reason} fill sell 2 at 2000 came from an exit of ours: what it opened is ours to close`)
      expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
      expect(heldIn(state)).toMatchObject({ side: 'short', quantity: '2', bracket: null })
    },
  )

  it.each(['liquidation', 'external', 'entry'] as const)('of a %s while flat opens nothing of ours', (reason) => {
    expect(learn(FLAT, empty({ fills: [{ ...sold('x', '2', '2000', 50), reason }] }))).toMatchObject({
      kinds: ['incident_noted', 'halted', 'cursor_moved'],
      state: { phase: { kind: 'flat' } },
    })
  })

  it('of an exit of ours opens nothing that the venue does not hold; for half a minute it may come to hold it', () => {
    const fill = sold('x', '2', '2000', 10)
    for (const state of [FLAT, OPENING]) {
      const first = learn(state, empty({ seconds: 39.999, fills: [fill] }))
      expect(first.kinds).toEqual(['incident_noted', 'halted'])
      expect(learn(first.state, empty({ seconds: 40, fills: [fill] }))).toMatchObject({
        kinds: ['cursor_moved'],
        state: { cursor: { seenIds: ['x'] } },
      })
      expect(
        learn(
          first.state,
          empty({ seconds: 45, fills: [fill], position: venueHolds(2, { side: 'short' }) }),
        ).kinds.slice(0, 2),
      ).toEqual(['filled', 'cursor_moved'])
    }
  })

  it('of an exit of ours to the side of an entry under way opens nothing until that has ended: what the venue holds may be the entry', () => {
    const fill: Fill = { ...sold('x', '2', '2000', 10), side: 'buy' }
    const first = learn(OPENING, empty({ seconds: 45, fills: [fill], position: venueHolds(2) }))
    expect(first.kinds).toEqual(['incident_noted', 'halted'])
    const ended = learn(first.state, empty({ seconds: 51, fills: [fill], position: venueHolds(2) }))
    expect(ended.kinds.slice(0, 1)).toEqual(['entry_ended'])
    const { state, actions } = learn(ended.state, empty({ seconds: 52, fills: [fill], position: venueHolds(2) }))
    expect(heldIn(state)).toMatchObject({ side: 'long', quantity: '2', thesis: null })
    expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
  })

  it.each<[string, FillReason, VenuePosition | null]>([
    ['an exit of ours, and the venue holds nothing', 'stop_loss', null],
    ['an exit of ours, and the venue holds the other side', 'stop_loss', venueHolds(2)],
    ['a hand, which holds it', 'external', venueHolds(2, { side: 'short' })],
  ])('while flat of %s is nothing of ours', (_name, reason, position) => {
    expect(
      learn(FLAT, empty({ seconds: 90, fills: [{ ...sold('x', '2', '2000', 50), reason }], position })).kinds.filter(
        (kind) => kind !== 'suspected',
      ),
    ).toEqual(['incident_noted', 'halted', 'cursor_moved'])
  })

  it.each<[string, Partial<TradeSummary>, string, Partial<Fill>, boolean]>([
    ['closed by a hand, taken over before its fill was listed', {}, 'nothing', {}, true],
    ['closed by its own order, of which the fills were missing', { exitReason: 'decision' }, 'fills_missing', {}, true],
    ['closed by its own order, as listed', { exitReason: 'decision' }, 'wrong_order', {}, false],
    ['closed by a hand, the other way round', { side: 'short' }, 'nothing', {}, false],
    ['closed by a hand before this fill', {}, 'nothing', { at: at(50.001) }, false],
  ])('while flat, after a trade %s', (_name, change, incident, fillChange, isTakenOver) => {
    const last: TradeSummary = {
      id: 't',
      side: 'long',
      regime: null,
      pnl: money('0'),
      rMultiple: null,
      exitReason: 'external',
      exitTime: at(50),
      holdingMinutes: 1,
      ...change,
    }
    const state: StrategyState = {
      ...FLAT,
      memory: { ...FLAT.memory, trades: [last] },
      incidents: [{ at: at(40), kind: incident, detail: '' }],
    }
    const { kinds, notes } = learn(
      state,
      empty({ seconds: 90, fills: [{ ...sold('x', '2', '2000', 50), ...fillChange }] }),
    )
    expect(kinds).toEqual(isTakenOver ? ['cursor_moved'] : ['incident_noted', 'halted', 'cursor_moved'])
    if (isTakenOver) expect(notes).toEqual(['stop_loss fill sell 2 at 2000 has been taken over before it was listed'])
  })

  it('of all that is held closes it; of more, our part in proportion, and the rest is an incident', () => {
    expect(learn(OPEN, empty({ fills: [sold('x', '10')] }))).toMatchObject({
      kinds: ['filled', 'cursor_moved'],
      trades: [{ quantity: '10' }],
      notes: ['stop_loss fill sell 10 at 2000'],
    })
    const more: Fill = { ...sold('x', '30'), fee: money('1'), slippage: money('0.2'), reason: 'external' }
    const { events, trades, state } = learn(OPEN, empty({ seconds: 700, fills: [more] }))
    expect(events[0]).toEqual({
      type: 'filled',
      at: at(600),
      fill: { ...more, quantity: '10', fee: '0.33333333', slippage: '0.06666667' },
      multiplier: '0.1',
      liquidationPrice: null,
      isOrphan: false,
    })
    expect(trades).toHaveLength(1)
    expect(state.phase).toEqual({ kind: 'flat', abandoned: null })
    expect(reasonOf(state)).toBe('reversed: external fill sell 30 at 2000 exceeds the position of 10')
  })

  it.each(['stop_loss', 'take_profit', 'close'] as const)(
    'of a %s of ours for more than is held: the excess is held to be closed',
    (reason) => {
      const more: Fill = { ...sold('x', '30'), fee: money('1'), reason, slippage: null }
      const { events, notes, actions } = learn(
        OPEN,
        empty({ seconds: 700, fills: [more], position: venueHolds(20, { side: 'short' }) }),
      )
      expect(events.slice(0, 4)).toMatchObject([
        { type: 'filled', fill: { quantity: '10', slippage: null } },
        { type: 'incident_noted' },
        { type: 'halted' },
        { type: 'filled' },
      ])
      expect(events[3]).toEqual({
        type: 'filled',
        at: at(600),
        fill: { ...more, fillId: 'x-excess', quantity: '20', fee: '0.66666667' },
        multiplier: '0.1',
        liquidationPrice: null,
        isOrphan: true,
      })
      expect(notes).toContain('its excess of 20 is ours to close')
      expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
    },
  )

  it('dated ahead of our clock has happened by now: neither the books nor the cursor run ahead', () => {
    const ahead = learn(OPEN, facts({ seconds: 60, fills: [sold('x', '1', '2000', 86_400)], position: venueHolds(9) }))
    expect(ahead.events[0]).toMatchObject({ type: 'filled', at: at(60), fill: { at: at(86_400) } })
    expect(ahead.state.updatedAt).toBe(at(60))
    const cursorAt = (seconds: number) =>
      learn(OPEN, facts({ seconds, fills: [sold('x', '1', '2000', 86_400)], position: venueHolds(9) })).state.cursor
        .since
    expect([cursorAt(60), cursorAt(7_200)]).toEqual([at(0), at(3_600)])
  })

  it('of an exit that goes on after it has turned the position around adds to what it opened; anybody else’s does not', () => {
    const orphan = learn(
      FLAT,
      empty({ fills: [sold('x', '2', '2000', 50)], position: venueHolds(2, { side: 'short' }) }),
    ).state
    const more = (change: Partial<Fill>) =>
      learn(
        orphan,
        empty({
          seconds: 70,
          fills: [{ ...sold('y', '1', '2000', 65), ...change }],
          position: venueHolds(3, { side: 'short' }),
        }),
      )
    for (const reason of ['stop_loss', 'take_profit', 'close'] as const)
      expect(heldIn(more({ reason }).state)).toMatchObject({ side: 'short', quantity: '3' })
    expect(more({ reason: 'external' })).toMatchObject({
      kinds: expect.arrayContaining(['incident_noted']) as string[],
      state: { phase: { position: { quantity: '2' } } },
    })
    expect(learn(OPEN, facts({ fills: [{ ...bought('y', '1', '2000', 50), reason: 'stop_loss' }] })).kinds).toContain(
      'incident_noted',
    )
  })

  it('that the position stands for already is not booked again', () => {
    const standIn = `stand-in-${ENTRY.order.clientOrderId}`
    const taken: StrategyState = { ...OPEN, phase: { kind: 'open', position: { ...heldIn(OPEN), fillIds: [standIn] } } }
    const late = entryFill({ fillId: 'listed' })
    const { kinds, notes } = learn(taken, facts({ fills: [late] }))
    expect(kinds).toEqual(['cursor_moved'])
    expect(notes).toEqual(['entry fill buy 10 at 2000 has been taken over before it was listed'])
    expect(learn(taken, facts({ fills: [{ ...late, clientOrderId: null }] })).kinds).toContain('filled')
    expect(learn(taken, facts({ fills: [{ ...late, clientOrderId: CLOSE.order.clientOrderId }] })).kinds).toContain(
      'filled',
    )
  })
})

describe('what an exit of ours has opened', () => {
  /** A hand closes the position; the exit it forgot fires and opens the other side. */
  const hand: Fill = { ...sold('hand', '10', '2000', 20), reason: 'external' }
  const exit = sold('exit', '10', '1980', 22)
  const orders = (['hand', 'exit', 'position'] as const).flatMap((first, _, all) =>
    all
      .filter((one) => one !== first)
      .flatMap((second) =>
        all.filter((one) => one !== first && one !== second).map((third) => [first, second, third] as const),
      ),
  )
  const short = venueHolds(10, { side: 'short' })
  const before: [string, StrategyState, Change][] = [
    ['held', OPEN, {}],
    ['whose entry is still unresolved', OPENING, { fills: [entryFill()] }],
  ]
  const cases = before.flatMap(([name, state, venue]) =>
    orders.map((order) => [`${order.join(', then ')}: of a position ${name}`, state, venue, order] as const),
  )

  it.each(cases)('is ours to close, whatever is heard of first: %s', (_name, state, venue, order) => {
    let known = state
    const entered = venue.fills ?? []
    for (let count = 1; count <= order.length; count++) {
      const heard = order.slice(0, count)
      const fills = [...entered, ...(heard.includes('hand') ? [hand] : []), ...(heard.includes('exit') ? [exit] : [])]
      const position = heard.includes('position') ? short : heard.includes('hand') ? null : venueHolds(10)
      known = learn(known, facts({ ...venue, seconds: 22 + count, openOrders: [], fills, position })).state
    }
    const { state: after, actions } = learn(
      known,
      facts({
        ...venue,
        seconds: 26,
        openOrders: [],
        fills: [...entered, hand, exit],
        position: short,
        pendingOrder: orderOf(ENTRY),
      }),
    )
    expect(after).toMatchObject({
      phase: { kind: 'open', position: { side: 'short', quantity: '10', thesis: null } },
      halt: { by: 'incident' },
    })
    expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
  })

  it('is waited for from the exit on, however long before it a hand has closed', () => {
    const later = { ...exit, at: at(150) }
    const flat = learn(OPEN, empty({ seconds: 151, fills: [later] })).state
    const lagging = learn(flat, empty({ seconds: 152, fills: [hand, later] })).state
    expect(lagging.phase.kind).toBe('flat')
    expect(heldIn(learn(lagging, empty({ seconds: 153, fills: [hand, later], position: short })).state)).toMatchObject({
      side: 'short',
      quantity: '10',
    })
  })

  it('is so in many small fills, too', () => {
    const parts = (of: Fill): Fill[] =>
      [1, 2, 3, 4, 5].map((part) => ({ ...of, fillId: `${of.fillId}${part}`, quantity: quantity(2) }))
    for (const first of [hand, exit]) {
      const known = learn(OPEN, facts({ seconds: 23, openOrders: [], fills: parts(first), position: short })).state
      const { state, actions } = learn(
        known,
        facts({ seconds: 24, openOrders: [], fills: [...parts(hand), ...parts(exit)], position: short }),
      )
      expect(heldIn(state)).toMatchObject({ side: 'short', quantity: '10' })
      expect(actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
    }
  })

  it.each<[string, Fill[], Fill]>([
    ['a hand sells twice', [hand], { ...hand, fillId: 'again', at: at(21) }],
    ['a hand sells after our exit', [exit], { ...hand, fillId: 'later', at: at(23) }],
    ['a hand has sold before our position was there', [exit], { ...hand, fillId: 'earlier', at: at(0) }],
    ['a hand buys before our exit', [exit], { ...hand, side: 'buy' }],
    ['a hand’s own sale is followed by the rest of it', [hand], { ...hand, fillId: 'rest' }],
    ['a hand sells before the venue liquidates', [{ ...exit, reason: 'liquidation' }], hand],
  ])('is not what a hand opens: %s', (_name, first, second) => {
    const side = second.side === 'buy' ? 'long' : 'short'
    const flat = learn(OPEN, empty({ seconds: 24, fills: first })).state
    expect(flat.phase.kind).toBe('flat')
    const { kinds, state, actions } = learn(
      flat,
      empty({ seconds: 25, fills: [...first, second], position: venueHolds(10, { side }) }),
    )
    expect(kinds).not.toContain('filled')
    expect([state.phase.kind, actions]).toEqual(['flat', []])
  })

  it('on the side of a position of ours is held with it, and halts, once the venue holds both', () => {
    const more: Fill = { ...bought('y', '2', '2000', 50), reason: 'stop_loss' }
    const { kinds, state } = learn(OPEN, facts({ fills: [more], position: venueHolds(12) }))
    expect(kinds.slice(0, 3)).toEqual(['incident_noted', 'halted', 'filled'])
    expect(heldIn(state)).toMatchObject({ side: 'long', quantity: '12' })
    expect(learn(OPEN, facts({ fills: [more], position: venueHolds('11.9') })).kinds).not.toContain('filled')
  })

  it('is taken away by what the entry goes on to buy, and what is left of that is the entry’s', () => {
    const sellFirst = learn(
      OPENING,
      empty({ seconds: 15, fills: [sold('x', '4', '2000', 10)], position: venueHolds(4, { side: 'short' }) }),
    ).state
    expect(heldIn(sellFirst)).toMatchObject({ side: 'short', quantity: '4' })
    const { state } = learn(
      sellFirst,
      facts({
        seconds: 18,
        openOrders: [],
        fills: [entryFill({ at: at(12) })],
        position: venueHolds(6),
        pendingOrder: orderOf(ENTRY),
      }),
    )
    expect(state.phase).toMatchObject({
      kind: 'open',
      position: { side: 'long', quantity: '6', bracket: ENTRY.order.bracket },
    })
  })
})

describe('what a hand has closed', () => {
  /** The hand's fill of second 20, read so many seconds after it. */
  const closed = (contracts: string, change: Partial<Fill> = {}): Fill => ({
    ...sold('x', contracts, '2000', 20),
    reason: 'external',
    fee: money('1'),
    ...change,
  })
  const read = (fill: Fill, position: VenuePosition | null, later = 30, more: Change = {}) =>
    learn(OPEN, facts({ seconds: 20 + later, fills: [fill], position, ...more }))

  it.each<[string, string, VenuePosition | null, string]>([
    ['all of it was ours', '4', venueHolds(6), '4'],
    ['more than the venue says is gone: the rest was its own', '4', venueHolds(7), '3'],
    ['all of it was its own', '4', venueHolds(10), '0'],
    ['it had more, and has some still', '4', venueHolds(11), '0'],
    ['more is gone than it has closed', '4', venueHolds(5), '4'],
    ['the other side is held now', '14', venueHolds(4, { side: 'short' }), '10'],
    ['nothing is held', '10', null, '10'],
  ])('%s', (_name, contracts, position, ours) => {
    const { events, state, notes } = read(closed(contracts), position)
    const taken = events.flatMap((event) => (event.type === 'filled' ? [event.fill] : []))
    expect(taken.map(({ quantity: size }) => size)).toEqual(ours === '0' ? [] : [ours])
    // Its fee in proportion.
    if (ours === '3') expect(taken).toMatchObject([{ fee: '0.75' }])
    if (ours === '3' || ours === '0')
      expect(notes[0]).toBe(
        `external fill sell 4 at 2000 has closed ${ours} of ours: the venue still holds ${position?.quantity}`,
      )
    expect(state.cursor.seenIds).toContain('x')
  })

  it('is asked again while the position may not tell of it yet, 30 s', () => {
    const early = read(closed('4'), venueHolds(10), 29.999)
    expect(early).toMatchObject({
      events: [],
      notes: ['external fill sell 4 at 2000 has closed 0 of ours: the venue still holds 10; asked again'],
    })
    const again = learn(early.state, facts({ seconds: 60, fills: [closed('4')], position: venueHolds(6) }))
    expect(heldIn(again.state)).toMatchObject({ quantity: '6', fillIds: ['e1', 'x'] })
    const both = learn(
      OPEN,
      facts({ seconds: 30, fills: [closed('4'), { ...sold('y', '1', '2000', 21) }], position: venueHolds(10) }),
    )
    expect(both.state.cursor.seenIds).toEqual(['e1', 'y'])
  })

  it('counts as listed where the answers do not settle, while the entry is under way, and for what our own orders have closed', () => {
    const taken = (state: StrategyState, change: Change): number =>
      learn(state, facts({ seconds: 50, position: venueHolds(10), ...change })).kinds.filter(
        (kind) => kind === 'filled',
      ).length
    expect(taken(OPEN, { fills: [closed('4')], isSettled: false })).toBe(1)
    expect(taken(PARTLY, { fills: [closed('4')], pendingOrder: orderOf(ENTRY, { status: 'open' }) })).toBe(1)
    for (const reason of ['stop_loss', 'take_profit', 'close', 'liquidation'] as const)
      expect(taken(OPEN, { fills: [closed('4', { reason })] })).toBe(1)
  })

  it.each<[string, Change, string]>([
    [
      'its order is over and all of its fills are told',
      { pendingOrder: orderOf(ENTRY, { status: 'cancelled', filledQuantity: quantity(6) }) },
      '6',
    ],
    [
      'only a part of what is missing can be of ours',
      { pendingOrder: orderOf(ENTRY, { status: 'cancelled', filledQuantity: quantity(6) }), position: venueHolds(5) },
      '5',
    ],
    [
      'its order is over, a fill of it is still to come',
      { pendingOrder: orderOf(ENTRY, { status: 'cancelled', filledQuantity: quantity(8) }) },
      '2',
    ],
    ['its order still rests', { pendingOrder: orderOf(ENTRY, { status: 'open', filledQuantity: quantity(6) }) }, '2'],
    ['the venue does not know its order', { pendingOrder: null }, '2'],
  ])(
    'is of ours by what the venue holds, of an entry under way once that can be compared: %s',
    (_name, change, left) => {
      const { state } = learn(PARTLY, facts({ seconds: 50, fills: [closed('4')], position: venueHolds(6), ...change }))
      expect(heldIn(state).quantity).toBe(left)
    },
  )

  it.each(['external', 'stop_loss', 'close'] as const)(
    'and was taken over on the venue’s word is not taken a second time when its %s fill is listed at last',
    (reason) => {
      const gone = { position: venueHolds(6), openOrders: [stopOrder({ quantity: quantity(6) })] }
      const first = learn(OPEN, facts({ seconds: 60, ...gone }))
      const second = learn(first.state, facts({ seconds: 90, ...gone }))
      expect(heldIn(second.state)).toMatchObject({ quantity: '6' })
      const late = learn(second.state, facts({ seconds: 120, ...gone, fills: [closed('4', { reason })] }))
      expect(late.kinds).not.toContain('filled')
      expect(late.state).toMatchObject({ phase: { position: { quantity: '6' } }, incidents: [], halt: null })
    },
  )

  it('before this trade began is not of it: known by the trade before, or a stranger’s', () => {
    const now = withHeld(OPEN, { openedAt: at(600) })
    const last = {
      id: 't',
      side: 'long' as const,
      regime: null,
      pnl: money('0'),
      rMultiple: null,
      exitReason: 'external' as const,
      exitTime: at(594),
      holdingMinutes: 1,
    }
    const after = (state: StrategyState, seconds: number) =>
      learn(state, facts({ seconds: 700, fills: [sold('x', '4', '2000', seconds)], position: venueHolds(10) }))
    expect(after({ ...now, memory: { ...now.memory, trades: [last] } }, 594)).toMatchObject({
      kinds: ['cursor_moved'],
      notes: ['stop_loss fill sell 4 at 2000 has been taken over before it was listed'],
    })
    expect(after(now, 594.999)).toMatchObject({
      kinds: ['incident_noted', 'halted', 'cursor_moved'],
      state: { phase: { position: { quantity: '10' } } },
    })
    // A venue may date a fill a little before the one it followed.
    expect(after(now, 595).kinds[0]).toBe('filled')
  })
})

describe('an entry under way', () => {
  const resting = orderOf(ENTRY, { status: 'open', filledQuantity: quantity(0) })

  it.each<[string, Change, string[]]>([
    ['is waited for until 30 s after its deadline', { seconds: 50 }, []],
    ['is given up after that', { seconds: 50.001 }, ['entry_ended']],
  ])('that the venue does not know %s', (_name, change, kinds) => {
    expect(learn(OPENING, empty(change)).kinds).toEqual(kinds)
  })

  it('given up is remembered, and the reason told', () => {
    const { events, notes, state } = learn(OPENING, empty({ seconds: 51 }))
    const reason = 'the venue does not know it and its deadline has passed'
    expect(events).toEqual([{ type: 'entry_ended', at: at(51), end: 'abandoned', reason }])
    expect(notes).toEqual([`the entry order ended: abandoned (${reason})`])
    expect(state.phase).toMatchObject({ kind: 'flat', abandoned: ENTRY })
  })

  it.each(['open', 'pending', 'unknown'] as const)(
    'that is %s is taken back after its deadline, not at it',
    (status) => {
      const order = { ...resting, status }
      expect(learn(OPENING, empty({ seconds: 20, pendingOrder: order }))).toMatchObject({
        events: [],
        actions: [],
        notes: [],
      })
      expect(learn(OPENING, empty({ seconds: 20.001, pendingOrder: order }))).toMatchObject({
        events: [],
        actions: [{ kind: 'cancel', orderId: 'o-1', why: `entry still ${status} after its deadline` }],
      })
    },
  )

  it('keeps differences open while it is not resolved', () => {
    expect(learn(OPENING, empty({ seconds: 15, cash: '9000', pendingOrder: resting })).state.suspicions).toEqual([])
    expect(
      learn(PARTLY, facts({ seconds: 15, position: null, openOrders: [], cash: '9000', pendingOrder: null })).state
        .suspicions,
    ).toEqual([])
  })

  it.each([
    ['filled', 'done'],
    ['cancelled', 'cancelled'],
    ['expired', 'expired'],
    ['rejected', 'rejected'],
  ] as const)('that is %s ends as %s', (status, end) => {
    const pendingOrder = orderOf(ENTRY, {
      status,
      filledQuantity: quantity(6),
      reason: status === 'filled' ? null : 'because',
    })
    const { events, notes, state } = learn(
      PARTLY,
      facts({ seconds: 15, position: venueHolds(6), openOrders: [], pendingOrder }),
    )
    expect(events).toEqual([{ type: 'entry_ended', at: at(15), end, reason: pendingOrder.reason }])
    expect(notes).toEqual([
      status === 'filled' ? 'the entry order ended: done' : `the entry order ended: ${end} (because)`,
    ])
    expect(state.phase.kind).toBe('open')
  })

  it('whose fills are not listed is waited for until 60 s after its deadline', () => {
    const venue = (seconds: number) => facts({ seconds, openOrders: [], pendingOrder: orderOf(ENTRY) })
    expect(learn(OPENING, venue(80))).toMatchObject({
      events: [],
      notes: ['the entry order is filled with 10 filled, its fills are still to come'],
    })
    expect(learn(OPENING, venue(80.001)).kinds.slice(0, 4)).toEqual([
      'incident_noted',
      'halted',
      'filled',
      'entry_ended',
    ])
  })

  it('whose fills never come is held by its own word: what is missing of it, at its average price', () => {
    const pendingOrder = orderOf(ENTRY, { averagePrice: price('2001.25') })
    const { events, state, notes } = learn(PARTLY, facts({ seconds: 90, pendingOrder }))
    const text = 'the entry order is filled with 10 filled, but its fills never came (o-1)'
    expect(reasonOf(state)).toBe(`fills_missing: ${text}`)
    expect(events[2]).toMatchObject({
      type: 'filled',
      at: at(90),
      isOrphan: false,
      fill: {
        fillId: `stand-in-${ENTRY.order.clientOrderId}`,
        orderId: 'o-1',
        clientOrderId: ENTRY.order.clientOrderId,
        side: 'buy',
        price: '2001.25',
        quantity: '4',
        fee: '0',
        slippage: null,
        liquidity: 'unknown',
        reason: 'entry',
        at: at(90),
      },
    })
    expect(events[3]).toEqual({ type: 'entry_ended', at: at(90), end: 'done', reason: null })
    expect(notes.slice(0, 2)).toEqual([
      `fills_missing: ${text}`,
      "4 at 2001.25 taken over from the venue's word without its fills",
    ])
    expect(heldIn(state).quantity).toBe('10')
  })

  it('without a price of its own ends without them', () => {
    expect(learn(OPENING, empty({ seconds: 90, pendingOrder: orderOf(ENTRY, { averagePrice: null }) })).kinds).toEqual([
      'incident_noted',
      'halted',
      'entry_ended',
    ])
  })

  it.each<[string, Partial<VenueOrder>, string]>([
    ['the other side', { side: 'sell' }, 'sell of 10'],
    ['another size', { quantity: quantity(9) }, 'buy of 9'],
  ])('under whose id the venue has %s is none of ours', (_name, change, other) => {
    const { events, notes } = learn(OPENING, empty({ seconds: 10, pendingOrder: orderOf(ENTRY, change) }))
    const detail = `under the id of our buy of 10 the venue has a ${other} (o-1)`
    expect(events).toEqual([
      { type: 'incident_noted', at: at(10), kind: 'wrong_order', detail },
      {
        type: 'halted',
        at: at(10),
        halt: { at: at(10), by: 'incident', rule: null, reason: `wrong_order: ${detail}` },
      },
      { type: 'entry_ended', at: at(10), end: 'abandoned', reason: 'the venue has another order under its id' },
    ])
    expect(notes).toEqual([
      `wrong_order: ${detail}`,
      'the entry order ended: abandoned (the venue has another order under its id)',
    ])
  })

  it.each<[VenueOrder['status'], number]>([
    ['open', 1],
    ['pending', 1],
    ['unknown', 1],
    ['filled', 0],
    ['cancelled', 0],
  ])('under whose id the venue has another one, %s: what still works is taken back', (status, cancels) => {
    const { actions } = learn(OPENING, empty({ seconds: 10, pendingOrder: orderOf(ENTRY, { side: 'sell', status }) }))
    expect(actions).toEqual(
      Array.from({ length: cancels }, () => ({
        kind: 'cancel',
        orderId: 'o-1',
        why: 'it is not the order that was meant',
      })),
    )
  })
})

describe('an order that has ended', () => {
  it.each<[string, Change]>([
    ['as it should', { pendingOrder: orderOf(ENTRY, { status: 'cancelled', filledQuantity: quantity(6) }) }],
    ['as another', { pendingOrder: orderOf(ENTRY, { side: 'sell' }) }],
    ['unknown', { seconds: 51 }],
  ])('%s leaves nothing open: differences count in the same reading', (_name, change) => {
    const { state } = learn(
      PARTLY,
      facts({ seconds: 15, position: venueHolds(6), openOrders: [], cash: '9000', ...change }),
    )
    expect(state.suspicions).toMatchObject([{ kind: 'cash_differs' }])
  })
})

describe('a close under way', () => {
  const venue = (change: Change) => facts({ openOrders: [], ...change })

  it('that the venue does not know is given up at its deadline: the position may be bare', () => {
    expect(learn(CLOSING, venue({ seconds: 20 }))).toMatchObject({ events: [], actions: [] })
    const { events, actions } = learn(CLOSING, venue({ seconds: 20.001 }))
    expect(events[0]).toEqual({
      type: 'close_ended',
      at: at(20.001),
      end: 'abandoned',
      reason: 'the venue does not know it and its deadline has passed',
    })
    expect(actions).toEqual([{ kind: 'protect' }])
  })

  it('that is given up though the venue has an order under its id leaves that id behind', () => {
    const given = (change: Partial<VenueOrder>, seconds: number) =>
      learn(CLOSING, venue({ seconds, pendingOrder: orderOf(CLOSE, { orderId: 'c', ...change }) }))
    for (const { kinds, state } of [
      given({ status: 'open', filledQuantity: quantity(0) }, 80.001),
      given({ quantity: quantity(9) }, 10),
    ]) {
      expect(kinds.slice(0, 4)).toEqual(['incident_noted', 'halted', 'close_acknowledged', 'close_ended'])
      expect(heldIn(state)).toMatchObject({ closeAttempts: 1 })
    }
    expect(heldIn(learn(CLOSING, venue({ seconds: 20.001 })).state)).toMatchObject({ closeAttempts: 0 })
  })

  it('that is still working after its deadline is taken back', () => {
    expect(
      learn(
        CLOSING,
        venue({ seconds: 21, pendingOrder: orderOf(CLOSE, { status: 'open', filledQuantity: quantity(0) }) }),
      ).actions,
    ).toEqual([{ kind: 'cancel', orderId: 'o-1', why: 'close still open after its deadline' }])
  })

  it('that ended in part leaves the rest open, as far as its fills are known', () => {
    const pendingOrder = orderOf(CLOSE, { status: 'expired', filledQuantity: quantity(4), reason: 'too late' })
    const known = learn(
      CLOSING,
      venue({
        seconds: 10,
        position: venueHolds(6),
        fills: [{ ...sold('x', '4', '2000', 8), reason: 'close' }],
        pendingOrder,
      }),
    )
    expect(known.events).toContainEqual({ type: 'close_ended', at: at(10), end: 'expired', reason: 'too late' })
    expect(known.state.phase).toMatchObject({ kind: 'open', position: { quantity: '6' } })
    const unknown = learn(
      CLOSING,
      venue({
        seconds: 10,
        position: venueHolds(6),
        fills: [{ ...sold('x', '3.9', '2000', 8), reason: 'close' }],
        pendingOrder,
      }),
    )
    expect(unknown).toMatchObject({ kinds: ['filled', 'cursor_moved'], state: { phase: { kind: 'closing' } } })
    expect(unknown.notes.at(-1)).toBe('the close order is expired with 4 filled, its fills are still to come')
  })

  it('whose fills never come ends the trade by its own word', () => {
    const pendingOrder = orderOf(CLOSE, { averagePrice: price(2010) })
    const { kinds, trades, events, state } = learn(CLOSING, empty({ seconds: 90, cash: '10010', pendingOrder }))
    expect(kinds).toEqual(['incident_noted', 'halted', 'filled'])
    expect(events[2]).toMatchObject({
      fill: { side: 'sell', quantity: '10', reason: 'close', clientOrderId: CLOSE.order.clientOrderId },
    })
    expect(trades).toMatchObject([{ exitReason: 'decision', exitPrice: '2010', pnl: '10' }])
    expect(state.phase).toEqual({ kind: 'flat', abandoned: null })
  })

  it('whose fills never come in part leaves the rest open', () => {
    const pendingOrder = orderOf(CLOSE, { status: 'cancelled', filledQuantity: quantity(4) })
    expect(learn(CLOSING, venue({ seconds: 90, position: venueHolds(6), pendingOrder }))).toMatchObject({
      kinds: ['incident_noted', 'halted', 'filled', 'close_acknowledged', 'close_ended', 'protection_lost'],
      state: { phase: { kind: 'open', position: { quantity: '6' } } },
    })
  })
})

it('an order asked after without one of ours under way changes nothing', () => {
  expect(learn(OPEN, facts({ pendingOrder: orderOf(ENTRY) }))).toMatchObject({ events: [], actions: [] })
  expect(learn(FLAT, empty({ pendingOrder: orderOf(ENTRY) }))).toMatchObject({ events: [], actions: [] })
  expect(
    learn(OPEN, facts({ openOrders: [stopOrder(), stopOrder({ orderId: 'e', kind: 'entry', bracket: null })] }))
      .actions,
  ).toEqual([])
})
