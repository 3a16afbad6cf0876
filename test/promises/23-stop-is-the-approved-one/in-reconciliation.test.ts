import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareVenue } from '../../../lib/cli/compare-venue.ts'
import { price, quantity } from '../../../lib/core/decimal.ts'
import { lossAt, moneyAtRisk } from '../../../lib/ledger/position.ts'
import type { Position } from '../../../schemas/state.ts'
import {
  BRACKET,
  at,
  facts,
  heldIn,
  learn,
  OPEN,
  protectOrder,
  stopOrder,
  withHeld,
} from '../../execution/venue-fixtures.ts'

const TICK = Number(facts().instrument.tickSize)
const STOP = Number(BRACKET.stopLossPrice)
const TARGET = Number(BRACKET.takeProfitPrice)
const live = (bracket = BRACKET): Position['protection'] => ({
  status: 'live',
  orderId: 'stop-1',
  quantity: quantity(10),
  bracket,
  confirmedAt: at(3),
})
const none: Position['protection'] = { status: 'none' }
const bracketOf = (stop: number, target: number) => ({ stopLossPrice: price(stop), takeProfitPrice: price(target) })
const session = { isOpen: false, nextClose: null, reason: 'maintenance' }

describe('what rests at the venue', () => {
  it('covers the position where side, size, stop and target are the committed ones, and in no other case', () => {
    const ticks = fc.integer({ min: -200, max: 200 })
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(0), ticks),
        fc.oneof(fc.constant(0), ticks),
        fc.oneof(fc.constant(10), fc.integer({ min: 1, max: 30 })),
        fc.constantFrom('sell' as const, 'buy' as const),
        fc.constantFrom('protect' as const, 'foreign' as const),
        fc.constantFrom(none, live()),
        (stopOff, targetOff, size, side, kind, protection) => {
          const bracket = bracketOf(STOP + stopOff * TICK, TARGET + targetOff * TICK)
          const order = stopOrder({ bracket, quantity: quantity(size), side, kind })
          const { state, actions } = learn(withHeld(OPEN, { protection }), facts({ openOrders: [order] }))
          const isApproved = stopOff === 0 && targetOff === 0 && size === 10 && side === 'sell'
          expect(heldIn(state).protection.status).toBe(isApproved ? 'live' : 'none')
          expect(actions.map((action) => action.kind)).toEqual(isApproved ? [] : ['cancel'])
          if (!isApproved && size === 10 && side === 'sell')
            expect(actions[0]).toMatchObject({
              why: `at the venue rests a sell with stop ${bracket.stopLossPrice} and target ${bracket.takeProfitPrice} for 10; approved were stop ${BRACKET.stopLossPrice} and target ${BRACKET.takeProfitPrice} for 10`,
            })
        },
      ),
    )
  })

  it('is held against the bracket that the entry committed, not against what an earlier release took for live', () => {
    const away = bracketOf(STOP - 100, TARGET)
    const state = withHeld(OPEN, { protection: live(away) })
    expect(learn(state, facts({ openOrders: [stopOrder({ bracket: away })] })).kinds).toEqual(['protection_lost'])
    expect(learn(state, facts()).events).toMatchObject([{ type: 'protection_confirmed', bracket: BRACKET }])
  })

  it('less than a tick off is the committed price: the venue can hold no other', () => {
    const bracket = bracketOf(STOP - TICK / 2, TARGET + TICK / 2)
    expect(learn(withHeld(OPEN, { protection: none }), facts({ openOrders: [stopOrder({ bracket })] }))).toMatchObject({
      kinds: ['protection_confirmed'],
      actions: [],
    })
  })

  it('on a position that was never given a stop is held to the one that was taken for it', () => {
    const first = bracketOf(1900, 2100)
    const state = withHeld(OPEN, { bracket: null, protection: live(first) })
    expect(learn(state, facts({ openOrders: [stopOrder({ bracket: first })] }))).toMatchObject({
      events: [],
      actions: [],
    })
    expect(learn(state, facts({ openOrders: [stopOrder({ bracket: bracketOf(1800, 2100) })] })).actions).toEqual([
      { kind: 'flatten', reason: 'unprotected' },
    ])
  })

  it('and is on its way to rest at other prices is not waited for', () => {
    const forming = stopOrder({ status: 'pending', createdAt: at(59), bracket: bracketOf(STOP - 100, TARGET) })
    expect(learn(withHeld(OPEN, { protection: none }), facts({ openOrders: [forming] })).actions).toMatchObject([
      { kind: 'cancel', orderId: 'stop-1' },
    ])
  })

  it.each<[string, Parameters<typeof stopOrder>[0]]>([
    ['the stop', { bracket: bracketOf(STOP - 100, TARGET) }],
    ['the size', { quantity: quantity(5) }],
    ['the side', { side: 'buy' }],
    ['the kind of order', { bracket: null }],
  ])(
    'under the id that was just sent, with another %s, ends the waiting at once and counts as a failure',
    (_what, change) => {
      const sent: Position['protection'] = {
        status: 'intended',
        order: protectOrder,
        attempt: 0,
        intendedAt: at(59),
        deadline: at(79),
      }
      const ours = stopOrder({ clientOrderId: protectOrder.clientOrderId, ...change })
      const first = learn(withHeld(OPEN, { protection: sent }), facts({ openOrders: [ours] }))
      expect(first.kinds).toEqual(['protection_lost'])
      expect(first.actions).toMatchObject([{ kind: 'cancel', orderId: 'stop-1' }])
      const second = learn(withHeld(OPEN, { protection: sent, protectFailures: 1 }), facts({ openOrders: [ours] }))
      expect(second.kinds).toEqual(['protection_lost', 'incident_noted', 'halted'])
      expect(second.actions).toEqual([{ kind: 'flatten', reason: 'unprotected' }])
    },
  )

  it('at other prices while the venue is closed is left there, and is not called live any more', () => {
    const openOrders = [stopOrder({ bracket: bracketOf(STOP - 100, TARGET) })]
    const { state, kinds, actions } = learn(OPEN, facts({ session, openOrders }))
    expect([kinds, actions, heldIn(state).protection]).toEqual([['protection_lost'], [], none])
    expect(learn(state, facts({ session, openOrders }))).toMatchObject({ kinds: [], actions: [] })
  })
})

describe('money at risk', () => {
  it.each([
    ['long', 1980, '20'],
    ['long', 1881, '119'],
    ['long', 2010, '0'],
    ['short', 2020, '20'],
    ['short', 2121, '121'],
    ['short', 1990, '0'],
  ] as const)('of a %s of one unit at 2000 with the stop at %d is %s, whatever was approved', (side, stop, lost) => {
    const position: Position = { ...heldIn(OPEN), side, protection: live(bracketOf(stop, TARGET)) }
    expect(moneyAtRisk(position)).toBe(lost)
    expect(lossAt(position, price(stop))).toBe(lost)
  })

  it('is unknown where no stop is known to rest', () => {
    expect(moneyAtRisk({ ...heldIn(OPEN), protection: none })).toBeNull()
  })

  it('stands in the comparison as it was approved and as it is at the worst stop that rests', () => {
    const openOrders = [stopOrder(), stopOrder({ orderId: 'stop-2', bracket: bracketOf(1881, TARGET) })]
    const riskIn = (...orders: typeof openOrders) =>
      compareVenue(OPEN, facts({ openOrders: orders })).find(({ what }) => what === 'at risk')
    expect(riskIn(...openOrders)).toEqual({ what: 'at risk', ledger: '20', venue: '119', agrees: false })
    expect(riskIn(stopOrder())).toEqual({ what: 'at risk', ledger: '20', venue: '20', agrees: true })
    expect(riskIn()).toEqual({ what: 'at risk', ledger: '20', venue: 'unknown', agrees: false })
  })
})
