import { ETH } from '../support/instruments.ts'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import type { Quantity } from '../../lib/core/decimal.ts'
import type { LedgerEvent, LedgerEventType, OrderEnd } from '../../lib/ledger/events.ts'
import { createState, transition, transitionAll } from '../../lib/ledger/transition.ts'
import { type PhaseKind, TRANSITIONS } from '../../lib/ledger/transition-table.ts'
import { StrategyState } from '../../schemas/state.ts'
import { at, closeIntent, deepFreeze, entryIntent, fillOf, filled, money, START, STRATEGY, SYMBOL } from './support.ts'

const MINUTE = 60_000
const intent = entryIntent(START, 'buy', '10')
const bracket = intent.order.bracket
const enter: LedgerEvent = { type: 'entry_intended', at: at(0), intent }
const buy = (id: string, quantity: string, minute = 1) =>
  filled(fillOf({ id, side: 'buy', price: '2000', quantity, time: START + minute * MINUTE }))
const sell = (id: string, quantity: string, minute = 5) =>
  filled(fillOf({ id, side: 'sell', price: '2010', quantity, reason: 'stop_loss', time: START + minute * MINUTE }))
const ended = (end: OrderEnd): LedgerEvent => ({ type: 'entry_ended', at: at(2), end, reason: null })
const closing: LedgerEvent = {
  type: 'close_intended',
  at: at(3),
  intent: closeIntent(START + 3 * MINUTE, 'sell', '10'),
}

const start = createState(STRATEGY, ETH, money('10000'), at(0))
const after = (...events: LedgerEvent[]): StrategyState => transitionAll(start, events).state

/** Every shape a phase has. */
const STATES: Record<string, StrategyState> = {
  flat: start,
  'flat, an entry abandoned': after(enter, ended('abandoned')),
  'opening, nothing filled': after(enter),
  'opening, partly filled': after(enter, buy('e1', '4')),
  'opening, filled and closed again': after(enter, buy('e1', '4'), sell('x1', '4')),
  'open, bare': after(enter, buy('e1', '10'), ended('done')),
  'open, protected': after(enter, buy('e1', '10'), ended('done'), {
    type: 'protection_confirmed',
    at: at(2),
    orderId: 'p',
    quantity: '10',
    bracket,
  }),
  closing: after(enter, buy('e1', '10'), ended('done'), closing),
}

/** At least one event of every type; of some several, for the ways they can end. */
const EVENTS: LedgerEvent[] = [
  { ...enter, at: at(6) },
  { type: 'instrument_changed', at: at(6), instrument: ETH },
  { type: 'entry_acknowledged', at: at(6), status: 'accepted', orderId: 'o' },
  { type: 'entry_acknowledged', at: at(6), status: 'unknown', orderId: null },
  ...(['done', 'rejected', 'cancelled', 'expired', 'abandoned'] as const).map((end): LedgerEvent => ({
    type: 'entry_ended',
    at: at(6),
    end,
    reason: 'r',
  })),
  buy('e2', '3', 6),
  sell('x2', '3', 6),
  sell('x2', '10', 6),
  sell('x2', '11', 6),
  {
    type: 'protection_intended',
    at: at(6),
    attempt: 0,
    deadline: at(7),
    order: {
      kind: 'protect',
      clientOrderId: intent.order.clientOrderId,
      symbol: SYMBOL,
      side: 'sell',
      quantity: '10' as Quantity,
      bracket,
    },
  },
  { type: 'protection_confirmed', at: at(6), orderId: 'p', quantity: '10', bracket },
  { type: 'protection_lost', at: at(6), reason: 'gone' },
  { ...closing, at: at(6) },
  { type: 'close_acknowledged', at: at(6), status: 'accepted', orderId: 'c' },
  { type: 'close_acknowledged', at: at(6), status: 'unknown', orderId: null },
  ...(['done', 'rejected', 'cancelled', 'expired', 'abandoned'] as const).map((end): LedgerEvent => ({
    type: 'close_ended',
    at: at(6),
    end,
    reason: 'r',
  })),
  { type: 'funding_settled', at: at(6), payment: { fundingId: 'f', at: at(6), rate: '0.0001', amount: money('-1') } },
  { type: 'cash_adjusted', at: at(6), amount: money('-3'), reason: 'r', isIncident: true },
  {
    type: 'transferred',
    at: at(6),
    transfer: { transferId: 't', at: at(6), amount: money('5'), source: 'operator', note: null },
    isExplanation: false,
  },
  {
    type: 'transfer_expected',
    at: at(6),
    expected: { transferId: 't', amount: money('5'), at: at(6), until: at(7), note: null },
  },
  { type: 'incident_noted', at: at(6), kind: 'k', detail: 'd' },
  { type: 'suspected', at: at(6), suspicions: [{ at: at(6), kind: 'k', detail: 'd' }] },
  { type: 'marked', at: at(6), markPrice: intent.order.priceLimit },
  { type: 'watched', at: at(6), until: at(6) },
  { type: 'cursor_moved', at: at(6), cursor: { since: at(6), seenIds: [] } },
  {
    type: 'slot_finished',
    at: at(6),
    slot: at(0),
    keep: 3,
    summary: { cycleId: 'c', at: at(6), action: 'hold', outcome: 'held', confidence: null, note: '' },
  },
  {
    type: 'reminded',
    at: at(6),
    key: 'k',
    detail: '{}',
    emission: { type: 'failed', subject: 's', detail: {} },
  },
  { type: 'halted', at: at(6), halt: { at: at(6), by: 'operator', rule: null, reason: 'r' } },
  { type: 'resumed', at: at(6) },
]

const phases: PhaseKind[] = ['flat', 'opening', 'open', 'closing']

describe('the transition table', () => {
  it('is met whole: every event type and every phase is tried', () => {
    expect(new Set(EVENTS.map(({ type }) => type))).toEqual(new Set(Object.keys(TRANSITIONS)))
    expect(new Set(Object.values(STATES).map(({ phase }) => phase.kind))).toEqual(new Set(phases))
  })

  for (const type of Object.keys(TRANSITIONS) as LedgerEventType[]) {
    for (const kind of phases) {
      const targets = TRANSITIONS[type][kind]
      const cases = Object.entries(STATES).filter(([, { phase }]) => phase.kind === kind)
      const events = EVENTS.filter((event) => event.type === type)
      if (targets === undefined) {
        it(`${type} while ${kind} is an error`, () => {
          for (const [, state] of cases)
            for (const event of events)
              expect(() => transition(deepFreeze(state), event)).toThrow(
                new InvariantError(`${type} cannot happen while ${kind} (strategy ${STRATEGY})`),
              )
        })
        continue
      }
      it(`${type} while ${kind} leads to ${targets.join(' or ')} and to each of them`, () => {
        const reached = new Set<string>()
        for (const [, state] of cases) {
          for (const event of events) {
            try {
              const next = transition(deepFreeze(state), deepFreeze(event))
              reached.add(next.state.phase.kind)
              expect(StrategyState.parse(next.state)).toEqual(next.state)
              expect(next.state.updatedAt).toBe(event.at)
              expect(next.state.version).toBe(state.version)
            } catch (error) {
              // Refused on its merits: a fill nobody intended or too large, protection of nothing.
              expect(error).toBeInstanceOf(InvariantError)
              expect((error as Error).message).toMatch(
                /belongs to no entry|would reverse|no position to change|an entry is unresolved/,
              )
            }
          }
        }
        expect([...reached].toSorted()).toEqual([...targets].toSorted())
      })
    }
  }
})

describe('what keeps the position from being doubled or naked', () => {
  const from = (type: LedgerEventType) => Object.keys(TRANSITIONS[type]).toSorted()

  it.each<[string, LedgerEventType, PhaseKind[]]>([
    ['an entry only from flat', 'entry_intended', ['flat']],
    ['a close only from open: not while an entry may still fill, not twice', 'close_intended', ['open']],
    ['no stop is placed while a close is under way: both could fill', 'protection_intended', ['open', 'opening']],
    ['entries end only in opening', 'entry_ended', ['opening']],
    ['closes end only in closing', 'close_ended', ['closing']],
  ])('%s', (_law, type, phases) => expect(from(type)).toEqual(phases))

  it('only a fill leaves a position behind; only the end of an entry leaves opening', () => {
    const moves = (Object.keys(TRANSITIONS) as LedgerEventType[]).flatMap((type) =>
      phases.flatMap((kind) =>
        (TRANSITIONS[type][kind] ?? []).filter((to) => to !== kind).map((to) => `${kind} ${type} ${to}`),
      ),
    )
    expect(moves.toSorted()).toEqual([
      'closing close_ended open',
      'closing filled flat',
      'flat entry_intended opening',
      'flat filled open',
      'open close_intended closing',
      'open filled flat',
      'opening entry_ended flat',
      'opening entry_ended open',
    ])
  })
})

describe('what the table cannot say', () => {
  it.each(['flat', 'opening, nothing filled', 'opening, filled and closed again'])(
    '%s: no fill may open the other side',
    (name) => {
      expect(() => transition(STATES[name] ?? start, sell('x', '1', 6))).toThrow(InvariantError)
    },
  )

  it.each(['open, bare', 'closing', 'opening, partly filled'])('%s: a fill never reverses the position', (name) => {
    expect(() => transition(STATES[name] ?? start, sell('x', '11', 6))).toThrow(/would reverse a position/)
  })

  it('only an entry that may fill after all is remembered while flat', () => {
    expect(after(enter, ended('rejected')).phase).toEqual({ kind: 'flat', abandoned: null })
    for (const end of ['done', 'cancelled', 'expired'] as const)
      expect(after(enter, ended(end)).phase).toEqual({ kind: 'flat', abandoned: intent })
    for (const end of ['done', 'cancelled', 'expired', 'rejected'] as const)
      expect(after(enter, buy('e1', '4'), sell('x1', '4'), ended(end)).phase).toEqual({ kind: 'flat', abandoned: null })
    expect(STATES['flat, an entry abandoned']?.phase).toEqual({ kind: 'flat', abandoned: intent })
  })
})
