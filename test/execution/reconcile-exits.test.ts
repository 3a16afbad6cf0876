import { describe, expect, it } from 'vitest'
import { price, quantity } from '../../lib/core/decimal.ts'
import type { VenueOrder, VenuePosition } from '../../schemas/order.ts'
import type { Position, StrategyState } from '../../schemas/state.ts'
import {
  ABANDONED,
  at,
  BRACKET,
  CLOSE,
  CLOSING,
  empty,
  facts,
  FLAT,
  heldIn,
  learn,
  OPEN,
  OPENING,
  orderOf,
  ENTRY,
  PARTLY,
  protectOrder,
  stopOrder,
  venueHolds,
  withHeld,
  type Change,
} from './venue-fixtures.ts'

const none: Position['protection'] = { status: 'none' }
/** Sent, and to be seen by second 80. */
const sent: Position['protection'] = {
  status: 'intended',
  order: protectOrder,
  attempt: 0,
  intendedAt: at(60),
  deadline: at(80),
}
const session = { isOpen: false, nextClose: null, reason: 'maintenance' }
const cancelled = (orderId: string, why: string) => ({ kind: 'cancel', orderId, why })
const confirmed = (orderId: string, seconds = 60) => ({
  type: 'protection_confirmed',
  at: at(seconds),
  orderId,
  quantity: '10',
  bracket: BRACKET,
})

describe('a stop at the venue', () => {
  it('that the ledger knows teaches nothing', () => {
    expect(learn(OPEN, facts())).toMatchObject({ events: [], actions: [], notes: [] })
  })

  it.each<[string, Partial<VenueOrder>]>([
    ['another id', { orderId: 'stop-2' }],
    ['filled in part, its rest fits', { orderId: 'stop-2', quantity: quantity(12), filledQuantity: quantity(2) }],
    ['made by hand', { orderId: 'stop-2', kind: 'foreign' }],
  ])('of exactly what is held is taken for it: %s', (_name, change) => {
    const { events, actions, notes } = learn(OPEN, facts({ openOrders: [stopOrder(change)] }))
    expect(events).toEqual([confirmed('stop-2')])
    expect(actions).toEqual([])
    expect(notes).toEqual(['a stop at 1980 for 10 is live'])
  })

  it.each<[string, Position['protection']]>([
    ['nothing', none],
    ['one that was sent', sent],
    [
      'one of another size',
      { status: 'live', orderId: 'stop-1', quantity: quantity(6), bracket: BRACKET, confirmedAt: at(3) },
    ],
  ])('is news where the ledger knows of %s', (_name, protection) => {
    expect(learn(withHeld(OPEN, { protection }), facts()).events).toEqual([confirmed('stop-1')])
  })

  it.each<[string, Partial<VenueOrder>, string]>([
    ['too large: what it would open is not wanted', { quantity: quantity(11) }, '11'],
    ['too small', { quantity: quantity('9.9') }, '9.9'],
    ['too small for what has filled of it', { filledQuantity: quantity(1) }, '9'],
    ['on the side that adds', { side: 'buy' }, '10'],
    ['accepted long ago and not working', { status: 'pending', createdAt: at(30) }, '10'],
    ['in a state nobody knows', { status: 'unknown' }, '10'],
    ['without a stop', { bracket: null }, '10'],
  ])('%s is none: it goes first, the right one is placed once it is seen gone', (_name, change, covers) => {
    const wrong = learn(OPEN, facts({ openOrders: [stopOrder(change)] }))
    expect(wrong.events).toEqual([
      { type: 'protection_lost', at: at(60), reason: 'no stop of the right size is at the venue' },
    ])
    expect(wrong.notes).toEqual(['no stop of the right size is at the venue'])
    expect(wrong.actions).toEqual([cancelled('stop-1', `it covers ${covers} of 10`)])
    expect(learn(wrong.state, facts({ seconds: 70, openOrders: [] }))).toMatchObject({
      events: [],
      actions: [{ kind: 'protect' }],
    })
  })

  it.each<VenueOrder['status']>(['filled', 'cancelled', 'expired', 'rejected'])(
    'that is %s is none, and nothing has to go',
    (status) => {
      expect(learn(OPEN, facts({ openOrders: [stopOrder({ status })] }))).toMatchObject({
        kinds: ['protection_lost'],
        actions: [{ kind: 'protect' }],
      })
    },
  )

  it('that covers makes every other exit go, ours or by hand; what is no exit stays', () => {
    const others = [
      stopOrder({ orderId: 'too-small', quantity: quantity(3) }),
      stopOrder({ orderId: 'by-hand', kind: 'foreign' }),
      stopOrder({ orderId: 'no-exit', kind: 'foreign', bracket: null }),
      stopOrder({ orderId: 'ended', status: 'cancelled' }),
    ]
    expect(
      learn(
        OPEN,
        facts({ openOrders: [stopOrder({ orderId: 'ours-pending', status: 'pending' }), stopOrder(), ...others] }),
      ).actions,
    ).toEqual(
      ['ours-pending', 'too-small', 'by-hand'].map((orderId) =>
        cancelled(orderId, 'a second exit on the same position'),
      ),
    )
  })

  it('of several that fit, the one we know stays, then ours, then a hand’s', () => {
    const twin = stopOrder({ orderId: 'twin' })
    const hand = stopOrder({ orderId: 'by-hand', kind: 'foreign' })
    const why = 'a second exit on the same position'
    expect(learn(OPEN, facts({ openOrders: [hand, twin, stopOrder()] }))).toMatchObject({
      events: [],
      actions: [cancelled('twin', why), cancelled('by-hand', why)],
    })
    expect(learn(withHeld(OPEN, { protection: none }), facts({ openOrders: [hand, twin] }))).toMatchObject({
      events: [confirmed('twin')],
      actions: [cancelled('by-hand', why)],
    })
    // Known and a hand's: it has been the position's stop all along.
    const theirs: Position['protection'] = {
      status: 'live',
      orderId: 'by-hand',
      quantity: quantity(10),
      bracket: BRACKET,
      confirmedAt: at(3),
    }
    expect(learn(withHeld(OPEN, { protection: theirs }), facts({ openOrders: [twin, hand] })).actions).toEqual([
      cancelled('twin', why),
    ])
  })

  it('is found behind an order of ours that says no levels', () => {
    const unclear = stopOrder({ orderId: 'unclear', bracket: null })
    expect(learn(OPEN, facts({ openOrders: [unclear, stopOrder()] }))).toMatchObject({
      events: [],
      actions: [cancelled('unclear', 'a second exit on the same position')],
    })
  })

  it('of a short buys', () => {
    const short = withHeld(OPEN, { side: 'short' })
    const position = venueHolds(10, { side: 'short' })
    expect(learn(short, facts({ position, openOrders: [stopOrder({ side: 'buy' })] }))).toMatchObject({
      events: [],
      actions: [],
    })
    expect(learn(short, facts({ position })).kinds).toEqual(['protection_lost'])
  })

  it('that has just been accepted is waited for, 30 s and no longer, if it will fit', () => {
    const forming = (createdAt: number, change: Partial<VenueOrder> = {}) => [
      stopOrder({ status: 'pending', createdAt: at(createdAt), ...change }),
    ]
    expect(learn(OPEN, facts({ openOrders: forming(30.001) }))).toMatchObject({ events: [], actions: [], notes: [] })
    expect(learn(OPEN, facts({ openOrders: forming(30) })).actions).toEqual([cancelled('stop-1', 'it covers 10 of 10')])
    expect(learn(OPEN, facts({ openOrders: forming(59, { quantity: quantity(9) }) })).actions).toEqual([
      cancelled('stop-1', 'it covers 9 of 10'),
    ])
    expect(learn(OPEN, facts({ openOrders: forming(59, { side: 'buy' }) })).actions).toEqual([
      cancelled('stop-1', 'it covers 10 of 10'),
    ])
    expect(learn(OPEN, facts({ openOrders: forming(59, { status: 'unknown' }) })).actions).toEqual([
      cancelled('stop-1', 'it covers 10 of 10'),
    ])
  })

  it('that has fired and is not filled is done at market, whatever else rests', () => {
    const venue = facts({
      openOrders: [stopOrder({ orderId: 'small', quantity: quantity(1) }), stopOrder({ isTriggered: true })],
    })
    expect(learn(OPEN, venue)).toMatchObject({
      events: [],
      actions: [{ kind: 'flatten', reason: 'stop_loss' }],
      notes: ['a stop has fired and is not filled'],
    })
  })

  it('that has fired while the entry may still fill is a wrong one: nothing can be closed yet', () => {
    const venue = facts({
      position: venueHolds(6),
      pendingOrder: orderOf(ENTRY, { status: 'open' }),
      openOrders: [stopOrder({ quantity: quantity(6), isTriggered: true })],
    })
    expect(learn(PARTLY, venue).actions).toEqual([
      cancelled('o-1', 'entry still open after its deadline'),
      cancelled('stop-1', 'it covers 6 of 6'),
    ])
  })
})

describe('a position without a stop', () => {
  const bare = (change: Partial<Position> = {}) => withHeld(OPEN, { protection: none, ...change })

  it('a position without a stop gets one', () => {
    expect(learn(bare(), facts({ openOrders: [] }))).toMatchObject({
      events: [],
      actions: [{ kind: 'protect' }],
      notes: [],
    })
    expect(learn(bare({ protectFailures: 1 }), facts({ openOrders: [] })).actions).toEqual([{ kind: 'protect' }])
  })

  it.each<[string, Partial<Position>]>([
    ['that could not be had twice', { protectFailures: 2 }],
    ['that nobody has set', { bracket: null }],
  ])('%s is closed', (_name, change) => {
    expect(learn(bare(change), facts({ openOrders: [] })).actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
  })

  it('whose stop was sent waits for it until its deadline, and then counts a failure', () => {
    const waiting = withHeld(OPEN, { protection: sent, protectFailures: 1 })
    expect(learn(waiting, facts({ seconds: 80, openOrders: [] }))).toMatchObject({ events: [], actions: [], notes: [] })
    const late = learn(waiting, facts({ seconds: 80.001, openOrders: [] }))
    const reason = 'the venue does not know the stop that was sent'
    expect(late).toMatchObject({
      events: [{ type: 'protection_lost', at: at(80.001), reason }],
      notes: [reason],
      actions: [{ kind: 'flatten', reason: 'unprotected' }],
    })
    expect(heldIn(late.state).protectFailures).toBe(2)
  })

  it('while the venue is closed is left as it is, and a person is told', () => {
    for (const openOrders of [[], [stopOrder({ quantity: quantity(3) })], [stopOrder({ isTriggered: true })]]) {
      expect(learn(OPEN, facts({ session, openOrders }))).toMatchObject({
        events: [],
        actions: [],
        notes: ['the position is not covered and the venue is closed: maintenance'],
      })
    }
    expect(learn(OPEN, facts({ session }))).toMatchObject({ events: [], actions: [], notes: [] })
  })

  it('while more of the entry may fill is protected for what is held, and never closed', () => {
    const venue = facts({
      seconds: 10,
      position: venueHolds(6),
      pendingOrder: orderOf(ENTRY, { status: 'open' }),
      openOrders: [],
    })
    expect(learn(PARTLY, venue).actions).toEqual([{ kind: 'protect' }])
    if (PARTLY.phase.kind !== 'opening') throw new Error('not opening')
    const failed: StrategyState = {
      ...PARTLY,
      phase: { ...PARTLY.phase, position: { ...heldIn(PARTLY), protectFailures: 2 } },
    }
    expect(learn(failed, venue).actions).toEqual([])
  })

  it('while it is being closed gets none: both could fill', () => {
    expect(
      learn(CLOSING, facts({ seconds: 10, openOrders: [], pendingOrder: orderOf(CLOSE, { status: 'open' }) })),
    ).toMatchObject({ events: [], actions: [] })
  })
})

describe('a position of which the venue holds less than the ledger', () => {
  /** Entered at second 1; a reading half a minute later is no late one. */
  const less = (contracts: number | null, change: Change = {}) =>
    facts({ seconds: 31, position: contracts === null ? null : venueHolds(contracts), openOrders: [], ...change })
  const bare = withHeld(OPEN, { protection: none })

  it('gets a stop for what is there, and one of that size is its stop', () => {
    expect(learn(bare, less(4)).actions).toEqual([{ kind: 'protect' }])
    const { events, actions } = learn(bare, less(4, { openOrders: [stopOrder({ quantity: quantity(4) })] }))
    expect(events).toContainEqual({
      type: 'protection_confirmed',
      at: at(31),
      orderId: 'stop-1',
      quantity: '4',
      bracket: BRACKET,
    })
    expect(actions).toEqual([])
    const known = withHeld(OPEN, {
      protection: { status: 'live', orderId: 'stop-1', quantity: quantity(4), bracket: BRACKET, confirmedAt: at(3) },
    })
    expect(learn(known, less(4, { openOrders: [stopOrder({ quantity: quantity(4) })] })).kinds).not.toContain(
      'protection_confirmed',
    )
  })

  it('keeps the stop of the ledger’s size until the ledger knows', () => {
    for (const contracts of [4, null])
      expect(learn(OPEN, less(contracts, { openOrders: [stopOrder()] }))).toMatchObject({
        kinds: ['suspected'],
        actions: [],
      })
  })

  it.each<[string, Change]>([
    ['the answers do not settle', { isSettled: false }],
    ['the position may be told of late', { seconds: 30.999 }],
  ])('is taken to be whole while %s', (_name, change) => {
    expect(learn(bare, less(4, { openOrders: [stopOrder({ quantity: quantity(4) })], ...change })).actions).toEqual([
      cancelled('stop-1', 'it covers 4 of 10'),
    ])
    expect(learn(bare, less(null, change)).actions).toEqual([{ kind: 'protect' }])
  })

  it.each<[string, VenuePosition | null]>([
    ['nothing', null],
    ['the other side', venueHolds(10, { side: 'short' })],
  ])('gets no new stop where it is %s: that would open something', (_name, position) => {
    const { kinds, actions, notes } = learn(OPEN, facts({ seconds: 31, position, openOrders: [] }))
    expect([kinds, actions]).toEqual([['suspected'], []])
    expect(notes).toContain('nothing of the position is left at the venue: it gets no new stop')
    // One that fits nothing goes all the same.
    expect(
      learn(OPEN, facts({ seconds: 31, position, openOrders: [stopOrder({ quantity: quantity(3) })] })).actions,
    ).toEqual([cancelled('stop-1', 'it covers 3 of 10')])
  })

  it('more than the ledger is not ours to cover', () => {
    expect(learn(OPEN, less(12, { openOrders: [stopOrder({ quantity: quantity(12) })] })).actions).toEqual([
      cancelled('stop-1', 'it covers 12 of 10'),
    ])
  })
})

describe('without a position', () => {
  const strays = [
    stopOrder({ orderId: 'stop' }),
    stopOrder({ orderId: 'stop-without-levels', bracket: null }),
    stopOrder({ orderId: 'by-hand', kind: 'foreign' }),
    stopOrder({ orderId: 'close', kind: 'close', bracket: null }),
    stopOrder({ orderId: 'entry', kind: 'entry', bracket: null }),
    stopOrder({ orderId: 'foreign', kind: 'foreign', bracket: null }),
  ]

  it.each([
    ['flat', FLAT],
    ['flat, an entry given up', ABANDONED],
  ] as const)('%s: every exit goes, whoever placed it; nothing else', (_name, state) => {
    expect(learn(state, empty({ openOrders: strays })).actions).toEqual(
      ['stop', 'stop-without-levels', 'by-hand', 'close'].map((orderId) =>
        cancelled(orderId, 'an exit without a position'),
      ),
    )
  })

  it('in the ledger alone, exits stay: the venue holds something', () => {
    expect(learn(FLAT, facts({ openOrders: strays, position: venueHolds(1) })).actions).toEqual([])
  })

  it('in the ledger alone, exits of ours that would add to what the venue holds go', () => {
    const position = venueHolds(1, { side: 'short' })
    expect(learn(FLAT, facts({ openOrders: strays, position })).actions).toEqual(
      ['stop', 'stop-without-levels', 'close'].map((orderId) =>
        cancelled(orderId, 'an exit that would add to what is held'),
      ),
    )
  })

  it('while an entry is under way exits stay: they may be its own', () => {
    expect(learn(OPENING, empty({ seconds: 10, openOrders: strays })).actions).toEqual([])
  })
})

it('a stop of a position that was never given one is taken as it is', () => {
  const bracket = { stopLossPrice: price(1900), takeProfitPrice: price(2050) }
  expect(
    learn(withHeld(OPEN, { protection: none, bracket: null }), facts({ openOrders: [stopOrder({ bracket })] })).events,
  ).toMatchObject([{ type: 'protection_confirmed', bracket }])
})
