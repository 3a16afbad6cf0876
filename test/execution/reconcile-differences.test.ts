import { withoutFunding } from '../support/instruments.ts'
import { describe, expect, it } from 'vitest'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { Draft } from '../../lib/execution/reconcile/draft.ts'
import type { VenueFacts } from '../../lib/execution/venue-facts.ts'
import type { VenuePosition } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { SYMBOL } from '../ledger/support.ts'
import {
  ABANDONED,
  at,
  bought,
  empty,
  ENTRY,
  facts,
  FLAT,
  heldIn,
  learn,
  OPEN,
  OPENING,
  payment,
  sold,
  stopOrder,
  venueHolds,
  withHeld,
  type Change,
} from './venue-fixtures.ts'

/** Reads twice: at second 60, and again so many seconds later. */
function twice(state: StrategyState, venue: Change, later = 30, again: Change = venue) {
  const first = learn(state, facts({ ...venue, seconds: 60 }))
  return { first, second: learn(first.state, facts({ ...again, seconds: 60 + later })) }
}
const suspicion = (kind: string, detail: string, seconds = 60) => ({ at: at(seconds), kind, detail })
const gone: Change = { position: null, openOrders: [] }

describe('a difference', () => {
  const cases: [string, StrategyState, Change, string, string][] = [
    [
      'more is held',
      OPEN,
      { position: venueHolds(11) },
      'foreign_position',
      'the venue holds a long of 11, the ledger a long of 10',
    ],
    [
      'the other side is held',
      OPEN,
      { position: venueHolds(10, { side: 'short' }) },
      'foreign_position',
      'the venue holds a short of 10, the ledger a long of 10',
    ],
    [
      'less of the other side is held',
      OPEN,
      { position: venueHolds(9, { side: 'short' }) },
      'foreign_position',
      'the venue holds a short of 9, the ledger a long of 10',
    ],
    [
      'something is held',
      FLAT,
      { position: venueHolds(1, { side: 'short' }) },
      'foreign_position',
      'the venue holds a short of 1 that the ledger knows nothing of',
    ],
    [
      'less is held',
      OPEN,
      { position: venueHolds(4) },
      'position_missing',
      `the venue holds 4, the ledger 10, and no fill explains it (trade ${heldIn(OPEN).tradeId})`,
    ],
    [
      'nothing is held',
      OPEN,
      gone,
      'position_missing',
      `the venue holds 0, the ledger 10, and no fill explains it (trade ${heldIn(OPEN).tradeId})`,
    ],
    ['cash differs', OPEN, { cash: '10000.01' }, 'cash_differs', "the venue's cash is 10000.01, the ledger's 10000"],
    [
      'cash is missing',
      FLAT,
      { ...gone, cash: '9000' },
      'cash_differs',
      "the venue's cash is 9000, the ledger's 10000",
    ],
  ]

  it.each(cases)('%s: first a suspicion, told once, that keeps its date', (_name, state, venue, kind, detail) => {
    const { first, second } = twice(state, venue, 29.999)
    expect(first.events.filter(({ type }) => type !== 'protection_lost')).toEqual([
      { type: 'suspected', at: at(60), suspicions: [suspicion(kind, detail)] },
    ])
    expect(first.notes[0]).toBe(`${kind}, seen for the first time: ${detail}`)
    expect(second.events).toEqual([])
    expect(second.notes.filter((note) => !note.includes('no new stop'))).toEqual([])
    expect(second.state.suspicions).toEqual([suspicion(kind, detail)])
  })

  it.each(cases)('%s: acted on when it has stayed for 30 s', (_name, state, venue) => {
    const { events } = twice(state, venue, 30).second
    expect(events.filter(({ type }) => type !== 'protection_lost')).not.toEqual([])
  })

  it.each(cases)('%s: forgotten when it goes', (_name, state, venue) => {
    const agreed = state === OPEN ? {} : gone
    const { second } = twice(state, venue, 30, agreed)
    expect(second.events.filter(({ type }) => type !== 'protection_confirmed')).toEqual([
      { type: 'suspected', at: at(90), suspicions: [] },
    ])
  })

  it.each(cases)('%s: nothing is called a difference while the answers do not settle', (_name, state, venue) => {
    expect(learn(state, facts({ ...venue, isSettled: false })).state.suspicions).toEqual([])
  })

  it('that changes is another one, and its time begins again', () => {
    const { second } = twice(OPEN, { position: venueHolds(11) }, 30, { position: venueHolds(12) })
    const detail = 'the venue holds a long of 12, the ledger a long of 10'
    expect(second.events).toEqual([
      { type: 'suspected', at: at(90), suspicions: [suspicion('foreign_position', detail, 90)] },
    ])
  })

  it('of the same words in another matter is another one', () => {
    const detail = 'the venue holds a long of 11, the ledger a long of 10'
    const odd: StrategyState = { ...OPEN, suspicions: [suspicion('cash_differs', detail, 0)] }
    const { state } = learn(odd, facts({ position: venueHolds(11) }))
    expect(state.suspicions).toEqual([suspicion('foreign_position', detail)])
  })

  it.each([
    ['of another kind', suspicion('cash_differs', 'the venue holds 4, the ledger 10', 0)],
    ['of other words', suspicion('foreign_position', 'of old', 0)],
  ])('beside one that is over (%s): only what is seen now stays', (_name, old) => {
    const detail = 'the venue holds a long of 11, the ledger a long of 10'
    const now = suspicion('foreign_position', detail, 59)
    for (const suspicions of [
      [old, now],
      [now, old],
    ])
      expect(learn({ ...OPEN, suspicions }, facts({ position: venueHolds(11) })).state.suspicions).toEqual([now])
  })
})

it('a suspicion that was acted on goes, and no other', () => {
  const draft = new Draft(OPEN, facts())
  for (const kind of ['a', 'b', 'c']) draft.suspect(kind, 'd')
  draft.resolve('b')
  draft.settleSuspicions()
  expect(draft.state.suspicions).toEqual([suspicion('a', 'd'), suspicion('c', 'd')])
})

describe('what the venue holds and the ledger does not', () => {
  it.each<[string, StrategyState, VenuePosition]>([
    ['more', OPEN, venueHolds(11)],
    ['the other side', OPEN, venueHolds(3, { side: 'short' })],
    ['anything', FLAT, venueHolds(1)],
  ])('%s is an incident that halts, told once, and no fill is made up', (_name, state, position) => {
    const { second } = twice(state, { position })
    const [noted, halted, ...others] = second.events
    const detail = noted?.type === 'incident_noted' ? noted.detail : ''
    const reason = `foreign_position: ${detail}`
    expect([noted, halted, others]).toEqual([
      { type: 'incident_noted', at: at(90), kind: 'foreign_position', detail },
      { type: 'halted', at: at(90), halt: { at: at(90), by: 'incident', rule: null, reason } },
      [],
    ])
    expect(second.notes).toEqual([reason])
    expect(learn(second.state, facts({ position, seconds: 120 }))).toMatchObject({ events: [], notes: [] })
  })

  it('is an incident again in other words, and of the same words in another matter', () => {
    const position = venueHolds(11)
    const detail = 'the venue holds a long of 11, the ledger a long of 10'
    const known = { ...OPEN, suspicions: [suspicion('foreign_position', detail, 0)] }
    for (const incident of [suspicion('foreign_position', 'another', 0), suspicion('cash_differs', detail, 0)]) {
      expect(learn({ ...known, incidents: [incident] }, facts({ position })).kinds).toEqual([
        'incident_noted',
        'halted',
      ])
    }
    expect(
      learn({ ...known, incidents: [suspicion('foreign_position', detail, 0)] }, facts({ position })).kinds,
    ).toEqual([])
  })

  it('while an entry is under way is most likely it', () => {
    expect(learn(OPENING, empty({ seconds: 10, position: venueHolds(10) }))).toMatchObject({ events: [], notes: [] })
  })

  it.each([
    ['all of it', '10'],
    ['a part of it', '4'],
  ])('is the entry that was given up, %s: held with its stop from now on', (_name, contracts) => {
    const { second } = twice(ABANDONED, {
      ...gone,
      position: venueHolds(contracts, { averageEntryPrice: price('2001.5'), liquidationPrice: price(1500) }),
    })
    const reason = `foreign_position: the venue holds a long of ${contracts} that the ledger knows nothing of`
    expect(second.kinds).toEqual(['incident_noted', 'halted', 'filled', 'suspected'])
    expect(second.events[2]).toEqual({
      type: 'filled',
      at: at(90),
      multiplier: '0.1',
      liquidationPrice: '1500',
      isOrphan: false,
      fill: {
        fillId: `stand-in-${ENTRY.order.clientOrderId}`,
        orderId: 'unknown',
        clientOrderId: ENTRY.order.clientOrderId,
        symbol: SYMBOL,
        side: 'buy',
        price: '2001.5',
        quantity: contracts,
        fee: '0',
        slippage: null,
        liquidity: 'unknown',
        reason: 'entry',
        at: at(90),
      },
    })
    expect(second.notes).toEqual([reason, `${contracts} at 2001.5 taken over from the venue's word without its fills`])
    expect(second.actions).toEqual([{ kind: 'protect' }])
    expect(second.state.suspicions).toEqual([])
  })

  it('is named by the venue’s own id where that is known', () => {
    if (ABANDONED.phase.kind !== 'flat' || ABANDONED.phase.abandoned === null) throw new Error('not abandoned')
    const known: StrategyState = {
      ...ABANDONED,
      phase: { kind: 'flat', abandoned: { ...ABANDONED.phase.abandoned, orderId: 'o-7' } },
    }
    expect(twice(known, { ...gone, position: venueHolds(10) }).second.events[2]).toMatchObject({
      fill: { orderId: 'o-7' },
    })
  })

  it.each([
    ['more than was asked for', venueHolds('10.1')],
    ['the other side', venueHolds(10, { side: 'short' })],
  ])('is not the entry that was given up: %s', (_name, position) => {
    expect(twice(ABANDONED, { ...gone, position }).second).toMatchObject({
      kinds: ['incident_noted', 'halted'],
      state: { phase: { kind: 'flat' } },
    })
  })
})

describe('what the ledger holds and the venue does not', () => {
  const left = (contracts: string, mark = '2000', cash = '10000'): Change => ({
    position: venueHolds(contracts, { markPrice: price(mark) }),
    cash,
  })
  const marked = (mark: string | null): StrategyState => ({
    ...OPEN,
    accounting: { ...OPEN.accounting, markPrice: mark === null ? null : price(mark) },
  })

  it('was closed by somebody else: one fill, dated by the first sighting, named by the trade and the number of its fills', () => {
    const { second } = twice(OPEN, left('4'))
    expect(second.events[0]).toEqual({
      type: 'filled',
      at: at(90),
      multiplier: '0.1',
      liquidationPrice: null,
      isOrphan: false,
      fill: {
        fillId: `external-${heldIn(OPEN).tradeId}-1`,
        orderId: 'external',
        clientOrderId: null,
        symbol: SYMBOL,
        side: 'sell',
        price: '2000',
        quantity: '6',
        fee: '0',
        slippage: null,
        liquidity: 'unknown',
        reason: 'external',
        at: at(60),
      },
    })
    expect(second.notes[0]).toBe('6 closed by somebody else, taken over at 2000')
    expect(second.kinds.slice(0, 2)).toEqual(['filled', 'suspected'])
    expect(second.state).toMatchObject({
      suspicions: [],
      incidents: [],
      phase: { kind: 'open', position: { quantity: '4' } },
    })
  })

  it('all of it ends the trade', () => {
    const { second } = twice(marked('1990'), { ...gone, cash: '9990' })
    expect(second.trades).toMatchObject([{ exitReason: 'external', exitPrice: '1990', exitTime: at(60), gross: '-10' }])
    expect(second.state).toMatchObject({ phase: { kind: 'flat' }, accounting: { cash: '9990', adjustments: '0' } })
  })

  it.each<[string, string, string, string]>([
    // Six contracts of 0.1: a point is 0.6. Five in a hundred of 2000 are 100 points, 60 of cash.
    ['as cash says', '2000', '10006', '2010'],
    ['as cash says, fee included', '2000', '9993.94', '1989.9'],
    ['as cash says, at most 5 % above the mark', '2000', '10060', '2100'],
    ['at the mark where cash says more', '2000', '10060.01', '2000'],
    ['as cash says, at most 5 % below the mark', '2000', '9940', '1900'],
    ['at the mark where cash says less', '2000', '9939.99', '2000'],
    ['rounded to eight places', '2000', '10001', '2001.66666667'],
    ['near the mark of now, not the entry', '2200', '10120', '2200'],
  ])('%s: mark %s, cash %s, sold at %s', (_name, mark, cash, exitPrice) => {
    expect(twice(OPEN, left('4', mark, cash)).second.events[0]).toMatchObject({
      type: 'filled',
      fill: { price: exitPrice, quantity: '6' },
    })
  })

  it('of a short is bought back, and cash is read the other way round', () => {
    const short = withHeld(OPEN, { side: 'short' })
    const position = venueHolds(4, { side: 'short' })
    expect(twice(short, { position, cash: '10006', openOrders: [] }).second.events[0]).toMatchObject({
      fill: { side: 'buy', price: '1990' },
    })
  })

  it('is valued at the last mark known; without any it is left to a person', () => {
    expect(twice(marked('2010'), gone).second.events[0]).toMatchObject({ fill: { price: '2000' } })
    expect(twice(marked('2200'), gone).second.events[0]).toMatchObject({ fill: { price: '2200' } })
    const unknown = twice(marked(null), gone).second
    expect(unknown.kinds).not.toContain('filled')
    expect(unknown.state.suspicions).toMatchObject([{ kind: 'position_missing' }])
  })

  it('is not taken for a loss of cash as well', () => {
    const { second } = twice(OPEN, left('4', '2000', '10060.01'))
    expect(second.kinds).not.toContain('cash_adjusted')
    expect(second.state.suspicions).toMatchObject([{ kind: 'cash_differs' }])
  })
})

describe('cash', () => {
  const nearly = (cash: string): VenueFacts => facts({ cash })

  it('that differs by less than a cent is the same', () => {
    for (const cash of ['10000.00999999', '9999.99000001'])
      expect(learn(OPEN, nearly(cash))).toMatchObject({ events: [], notes: [] })
    for (const cash of ['10000.01', '9999.99']) expect(learn(OPEN, nearly(cash)).kinds).toEqual(['suspected'])
  })

  it.each([
    ['10000.01', '0.01', false],
    ['9000', '-1000', true],
    ['9990', '-10', true],
    ['9990.01', '-9.99', false],
    ['9990.00000001', '-9.99999999', false],
    ['10005', '5', false],
    ['10009.99', '9.99', false],
    ['10010', '10', true],
    ['25000', '15000', true],
  ])('of %s is taken over, by %s, once it has stayed: a matter for a person %s', (cash, amount, isIncident) => {
    const { second } = twice(OPEN, { cash })
    const reason = `the venue's cash is ${cash}, the ledger's 10000`
    const remedy = `if money was paid in or taken out, say so: hourhand account moved ${amount}`
    expect(second.events).toEqual([
      { type: 'cash_adjusted', at: at(90), amount, reason, isIncident },
      ...(isIncident
        ? [
            {
              type: 'halted',
              at: at(90),
              halt: { at: at(90), by: 'incident', rule: null, reason: `cash: ${reason}; ${remedy}` },
            },
          ]
        : []),
      { type: 'suspected', at: at(90), suspicions: [] },
    ])
    expect(second.notes).toEqual([reason])
    expect(second.state.accounting).toMatchObject({ cash, adjustments: amount })
    expect(second.state.halt !== null).toBe(isIncident)
  })

  it('of a small account: a dollar is the least that is worth a person’s time', () => {
    const small = { ...OPEN, accounting: { ...OPEN.accounting, equity: money('100') } }
    expect(twice(small, { cash: '9999' }).second.state.halt).not.toBeNull()
    expect(twice(small, { cash: '9999.01' }).second.state.halt).toBeNull()
  })

  it('that goes on changing is taken over all the same, as it is then', () => {
    const first = learn(OPEN, facts({ seconds: 60, cash: '10005' }))
    const { state } = learn(first.state, facts({ seconds: 90, cash: '10007' }))
    expect(state.accounting).toMatchObject({ cash: '10007', adjustments: '7' })
  })

  it.each<[string, Change]>([
    ['something else', { position: venueHolds(11) }],
    ['the other side', { position: venueHolds(10, { side: 'short' }) }],
    ['less', { position: venueHolds(9) }],
    ['nothing', { position: null }],
  ])('is not looked at while the venue holds %s', (_name, venue) => {
    const { state, notes } = learn(OPEN, facts({ ...venue, cash: '5000' }))
    expect(state.suspicions).toHaveLength(1)
    expect(notes.join()).not.toContain('cash_differs')
  })

  it('while flat is not looked at while the venue holds something', () => {
    expect(learn(FLAT, empty({ position: venueHolds(1), cash: '5000' })).state.suspicions).toMatchObject([
      { kind: 'foreign_position' },
    ])
  })
})

describe('funding that only cash shows', () => {
  /** Second of the first hour after the entry, and a venue that lists no funding. */
  const HOUR = 3_600
  const silent = (change: Change) => facts({ listsFunding: false, seconds: HOUR + 5, ...change })
  const inferred = (state: StrategyState, venue: VenueFacts) =>
    learn(state, venue).events.flatMap((event) => (event.type === 'funding_settled' ? [event.payment] : []))

  it('is a payment at the last boundary, at a rate of the entry notional, named by the state', () => {
    expect(inferred({ ...OPEN, version: 7 }, silent({ cash: '9999' }))).toEqual([
      { fundingId: `${SYMBOL}-${at(HOUR)}-v7`, at: at(HOUR), rate: '0.0005', amount: '-1' },
    ])
    const short = withHeld(OPEN, { side: 'short' })
    expect(inferred(short, silent({ position: venueHolds(10, { side: 'short' }), cash: '9999.7' }))).toMatchObject([
      { rate: '-0.00015', amount: '-0.3' },
    ])
    // Of a notional of 1999.9 a third of a cent in the rate has no end: ten places.
    const odd = withHeld(OPEN, { entryNotional: money('1999.7') })
    expect(inferred(odd, silent({ cash: '10001' }))).toMatchObject([{ rate: '-0.000500075', amount: '1' }])
  })

  it.each([
    // 2000 of notional: 0.3 % are 6.
    ['9994', true],
    ['9993.99', false],
    ['10006', true],
    ['10006.01', false],
    ['9999.99', true],
    ['9999.990001', false],
  ])('of cash %s: %s', (cash, expected) => {
    expect(inferred(OPEN, silent({ cash }))).toHaveLength(expected ? 1 : 0)
  })

  it('belongs to a boundary that was passed while it was held', () => {
    expect(inferred(OPEN, silent({ seconds: HOUR - 1, cash: '9999' }))).toEqual([])
    expect(inferred(OPEN, silent({ seconds: HOUR, cash: '9999' }))).toMatchObject([{ at: at(HOUR) }])
    expect(inferred(OPEN, silent({ seconds: 2 * HOUR + 1, cash: '9999' }))).toMatchObject([{ at: at(2 * HOUR) }])
    expect(inferred(withHeld(OPEN, { openedAt: at(HOUR) }), silent({ cash: '9999' }))).toEqual([])
  })

  it('after the exit belongs to the last boundary before it', () => {
    const exit = (seconds: number, change: Change = {}) =>
      silent({
        position: null,
        openOrders: [],
        seconds: 3 * HOUR,
        cash: '9999',
        fills: [sold('x', '10', '2000', seconds), bought('e1', '10')],
        ...change,
      })
    expect(inferred(OPEN, exit(HOUR + 1))).toMatchObject([{ at: at(HOUR) }])
    expect(inferred(OPEN, exit(2 * HOUR))).toMatchObject([{ at: at(2 * HOUR) }])
    expect(inferred(OPEN, exit(HOUR - 1))).toEqual([])
    const part = silent({
      position: venueHolds(4),
      openOrders: [stopOrder({ quantity: quantity(4) })],
      seconds: 2 * HOUR,
      cash: '9999',
      fills: [sold('x', '6', '2000', HOUR + 1)],
    })
    expect(inferred(OPEN, part)).toMatchObject([{ at: at(2 * HOUR) }])
  })

  it.each<[string, Change]>([
    ['of a venue that lists it', { listsFunding: true }],
    ['while the answers do not settle', { isSettled: false }],
    ['while the venue holds something else', { position: venueHolds(9) }],
    ['while the venue holds nothing', { position: null }],
    ['of a product that has none', { instrument: withoutFunding(facts().instrument) }],
  ])('is not made up %s', (_name, change) => {
    expect(inferred(OPEN, silent({ cash: '9999', ...change }))).toEqual([])
  })

  it('is not made up while flat', () => {
    expect(inferred(FLAT, silent({ position: null, openOrders: [], cash: '9999' }))).toEqual([])
  })

  it('comes on top of what is listed', () => {
    expect(inferred(OPEN, silent({ cash: '9998', funding: [payment('listed', 100)] }))).toMatchObject([
      { fundingId: 'listed', amount: '-1' },
      { at: at(HOUR), amount: '-1' },
    ])
  })
})
