import { ETH } from '../support/instruments.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'
import { describe, expect, it } from 'vitest'
import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { InvariantError } from '../../lib/core/invariant.ts'
import type { LedgerEvent } from '../../lib/ledger/events.ts'
import { createState, transition, transitionAll } from '../../lib/ledger/transition.ts'
import type { Fill, FillReason, ProtectOrder } from '../../schemas/order.ts'
import type { EntryIntent, Position, StrategyState } from '../../schemas/state.ts'
import { at, closeIntent, entryIntent, fillOf, filled, money, START, STRATEGY, SYMBOL } from './support.ts'

const MINUTE = 60_000
const intent = entryIntent(START, 'buy', '10')
const { bracket } = intent.order
const closing = closeIntent(START + 4 * MINUTE, 'sell', '10')
const order: ProtectOrder = {
  kind: 'protect',
  clientOrderId: closing.order.clientOrderId,
  symbol: SYMBOL,
  side: 'sell',
  quantity: '10' as Quantity,
  bracket,
}

const enter: LedgerEvent = { type: 'entry_intended', at: at(0), intent }
const buy = (id: string, contracts: string, minute = 1) =>
  filled(fillOf({ id, side: 'buy', price: '2000', quantity: contracts, time: START + minute * MINUTE }))
const sell = (id: string, contracts: string, reason: FillReason = 'stop_loss', change: Partial<Fill> = {}) =>
  filled({
    ...fillOf({ id, side: 'sell', price: '2010', quantity: contracts, reason, time: START + 5 * MINUTE }),
    ...change,
  })
const ended: LedgerEvent = { type: 'entry_ended', at: at(2), end: 'done', reason: null }
const protect: LedgerEvent = { type: 'protection_intended', at: at(3), order, attempt: 0, deadline: at(4) }
const live: LedgerEvent = { type: 'protection_confirmed', at: at(3), orderId: 'p-1', quantity: '10', bracket }

const fresh = (): StrategyState => createState(STRATEGY, ETH, money('10000'), at(0))
const opening = () => transition(fresh(), enter).state
const open = () => transitionAll(fresh(), [enter, buy('a', '10'), ended]).state
const closed = () => transition(open(), { type: 'close_intended', at: at(4), intent: closing }).state

function heldIn({ phase }: StrategyState): Position {
  if (phase.kind === 'flat' || phase.position === null) throw new Error('nothing is held')
  return phase.position
}
const record = (
  request: { order: EntryIntent['order'] | ProtectOrder | typeof closing.order; intendedAt: string },
  status: string,
  reason: string | null,
  updatedAt: string,
) => ({
  kind: 'ORDER',
  id: request.order.clientOrderId,
  at: request.intendedAt,
  body: { order: request.order, status, reason, intendedAt: request.intendedAt, updatedAt },
})

describe('a strategy that has never traded', () => {
  it('is flat, owns what was paid in and knows nothing else', () => {
    expect(fresh()).toEqual({
      ...CURRENT_VERSION,
      strategyId: STRATEGY,
      instrument: ETH,
      version: 0,
      phase: { kind: 'flat', abandoned: null },
      accounting: {
        cash: '10000',
        deposited: '10000',
        gross: '0',
        fees: '0',
        funding: '0',
        adjustments: '0',
        equity: '10000',
        markPrice: null,
        markedAt: null,
        peakEquity: '10000',
        day: '2026-03-10',
        dayStartEquity: '10000',
        transferred: '0',
        unexplained: '0',
        dayOpenEquity: null,
        lifetimePeakEquity: null,
        entriesToday: 0,
        consecutiveLosses: 0,
        lastTradeClosedAt: null,
        lastTradeLost: false,
        tradesClosed: 0,
      },
      halt: null,
      lastSlot: null,
      deciderStreak: null,
      watchedUntil: null,
      cursor: { since: at(0), seenIds: [] },
      memory: { decisions: [], trades: [] },
      incidents: [],
      suspicions: [],
      expectedTransfers: [],
      reminders: [],
      outbox: null,
      updatedAt: at(0),
    })
  })
})

describe('an entry', () => {
  it('is on record from before it is sent until it has ended', () => {
    expect(transition(fresh(), enter).history).toEqual([record(intent, 'intended', null, at(0))])
    expect(
      transition(opening(), { type: 'entry_acknowledged', at: at(1), status: 'accepted', orderId: 'o' }).history,
    ).toEqual([record(intent, 'accepted', null, at(1))])
    expect(
      transition(opening(), { type: 'entry_ended', at: at(2), end: 'rejected', reason: 'no margin' }).history,
    ).toEqual([record(intent, 'rejected', 'no margin', at(2))])
  })

  it('has the venue’s id from the first answer that names one', () => {
    const accepted = transition(opening(), {
      type: 'entry_acknowledged',
      at: at(1),
      status: 'accepted',
      orderId: 'o',
    }).state
    expect(accepted.phase).toEqual({
      kind: 'opening',
      intent: { ...intent, status: 'accepted', orderId: 'o' },
      filledQuantity: '0',
      position: null,
    })
    const unknown = transition(accepted, { type: 'entry_acknowledged', at: at(2), status: 'unknown', orderId: null })
    expect(unknown.state.phase).toMatchObject({ intent: { status: 'unknown', orderId: 'o' } })
    expect(unknown.emissions).toEqual([
      { type: 'unknown', subject: intent.cycleId, detail: { leg: 'entry', clientOrderId: intent.order.clientOrderId } },
    ])
  })

  it('counts what has filled of it, and not what was sold meanwhile', () => {
    const partly = transitionAll(opening(), [buy('a', '4'), buy('b', '3'), sell('x', '2')]).state
    expect(partly.phase).toMatchObject({ kind: 'opening', filledQuantity: '7', position: { quantity: '5' } })
    const gone = transition(partly, sell('y', '5'))
    expect(gone.state.phase).toMatchObject({ kind: 'opening', filledQuantity: '7', position: null })
    expect(transition(gone.state, ended).state.phase).toEqual({ kind: 'flat', abandoned: null })
  })

  it('given up is remembered only where nothing of it was held', () => {
    const abandon: LedgerEvent = { type: 'entry_ended', at: at(2), end: 'abandoned', reason: null }
    expect(transition(opening(), abandon).state.phase).toEqual({ kind: 'flat', abandoned: intent })
    const { phase } = transitionAll(opening(), [buy('a', '4'), abandon]).state
    expect(phase).toMatchObject({ kind: 'open', position: { quantity: '4' } })
    expect(Object.keys(phase)).toEqual(['kind', 'position'])
  })

  it('is told by its first fill, and counts as one of the day', () => {
    const { state, history, emissions } = transition(
      opening(),
      filled(fillOf({ id: 'a', side: 'buy', price: '2000', quantity: '4', fee: '1.5', time: START + MINUTE }), '1500'),
    )
    expect(history).toMatchObject([{ kind: 'FILL', id: 'a', at: at(1), body: { fillId: 'a' } }])
    expect(emissions).toEqual([
      {
        type: 'opened',
        subject: heldIn(state).tradeId,
        detail: { side: 'long', quantity: '4', price: '2000', cycleId: intent.cycleId },
      },
    ])
    expect(heldIn(state)).toMatchObject({
      side: 'long',
      quantity: '4',
      multiplier: '0.1',
      liquidationPrice: '1500',
      bracket,
      thesis: intent.thesis,
      openedAt: at(1),
      riskAtEntry: '8',
    })
    expect(state.accounting).toMatchObject({
      entriesToday: 1,
      cash: '9998.5',
      fees: '1.5',
      markPrice: '2000',
      markedAt: at(1),
    })
    const more = transition(state, buy('b', '1', 2))
    expect(more.emissions).toEqual([])
    expect(more.state.accounting.entriesToday).toBe(1)
  })

  it('that nobody meant has neither stop nor thesis, and says so', () => {
    const orphan: LedgerEvent = { ...sell('x', '2'), isOrphan: true } as LedgerEvent
    const { state, emissions } = transition(fresh(), orphan)
    expect(heldIn(state)).toMatchObject({ side: 'short', bracket: null, thesis: null, riskAtEntry: null })
    expect(heldIn(state).tradeId).toMatch(/^eth-perp-orphan-[0-9a-f]{6}$/)
    expect(emissions).toEqual([
      {
        type: 'opened',
        subject: heldIn(state).tradeId,
        detail: { side: 'short', quantity: '2', price: '2010', cycleId: null },
      },
    ])
  })

  it('that nobody meant, opened while an entry is unresolved, is no part of that entry and what its end leads to', () => {
    const orphan = { ...sell('x', '10'), isOrphan: true } as LedgerEvent
    const turned = transitionAll(opening(), [buy('a', '10'), sell('h', '10', 'external'), orphan])
    expect(turned.state.phase).toMatchObject({
      kind: 'opening',
      filledQuantity: '10',
      position: { side: 'short', quantity: '10', thesis: null },
    })
    expect(transition(turned.state, ended).state.phase).toMatchObject({ kind: 'open', position: { side: 'short' } })
    // What the entry buys now takes it away, and is the entry's all the same.
    expect(transition(turned.state, buy('b', '4', 6)).state.phase).toMatchObject({
      kind: 'opening',
      filledQuantity: '14',
      position: { side: 'short', quantity: '6' },
    })
  })

  it.each<[string, StrategyState, LedgerEvent]>([
    ['while flat', fresh(), buy('a', '1')],
    ['on the other side', opening(), sell('a', '1')],
    [
      'on the other side of one given up',
      transition(opening(), { type: 'entry_ended', at: at(2), end: 'abandoned', reason: null }).state,
      sell('a', '1'),
    ],
  ])('a fill %s belongs to none', (_name, state, event) => {
    expect(() => transition(state, event)).toThrow(new InvariantError('fill a belongs to no entry of ours'))
  })
})

describe('a stop', () => {
  it('is on record from before it is sent until it is seen or given up', () => {
    const meant = transition(open(), protect)
    expect(meant.history).toEqual([record({ order, intendedAt: at(3) }, 'intended', null, at(3))])
    expect(heldIn(meant.state)).toMatchObject({
      protectAttempts: 1,
      protection: { status: 'intended', order, attempt: 0, intendedAt: at(3), deadline: at(4) },
    })
    expect(transition(meant.state, { ...live, at: at(4) }).history).toEqual([
      record({ order, intendedAt: at(3) }, 'live', null, at(4)),
    ])
    const lost = transition(meant.state, { type: 'protection_lost', at: at(5), reason: 'refused' })
    expect(lost.history).toEqual([record({ order, intendedAt: at(3) }, 'rejected', 'refused', at(5))])
    expect(heldIn(lost.state)).toMatchObject({ protection: { status: 'none' }, protectFailures: 1 })
  })

  it('that is live is told, with what it covers', () => {
    const { state, history, emissions } = transition(open(), live)
    expect(heldIn(state).protection).toEqual({
      status: 'live',
      orderId: 'p-1',
      quantity: '10',
      bracket,
      confirmedAt: at(3),
    })
    expect(history).toEqual([])
    expect(emissions).toEqual([
      {
        type: 'protected',
        subject: heldIn(state).tradeId,
        detail: { quantity: '10', stopLossPrice: '1980', takeProfitPrice: '2050' },
      },
    ])
  })

  it('that is gone is told; one that was live is no failure to place it', () => {
    const { state, history, emissions } = transitionAll(open(), [
      live,
      { type: 'protection_lost', at: at(5), reason: 'gone' },
    ])
    expect(heldIn(state)).toMatchObject({ protection: { status: 'none' }, protectFailures: 0 })
    expect(history).toEqual([])
    expect(emissions[1]).toEqual({ type: 'naked', subject: heldIn(state).tradeId, detail: { reason: 'gone' } })
    expect(transition(open(), { type: 'protection_lost', at: at(5), reason: 'none' }).history).toEqual([])
  })

  it('protects a position; without one there is nothing to change', () => {
    for (const event of [protect, live, { type: 'protection_lost', at: at(5), reason: 'r' } satisfies LedgerEvent]) {
      expect(() => transition(opening(), event)).toThrow(new InvariantError('no position to change while opening'))
    }
  })

  it.each<[string, LedgerEvent, string, string | null]>([
    ['it fired unseen', sell('x', '10', 'stop_loss', { clientOrderId: order.clientOrderId }), 'done', null],
    [
      'the target of another order',
      sell('x', '10', 'take_profit'),
      'cancelled',
      'closed by take_profit before it was seen live',
    ],
  ])('sent and never seen has an end when the position goes: %s', (_name, event, status, reason) => {
    const { history } = transitionAll(open(), [protect, event])
    expect(history.filter(({ kind }) => kind === 'ORDER').at(-1)).toEqual(
      record({ order, intendedAt: at(3) }, status, reason, at(5)),
    )
  })

  it('that was live needs no word of its end', () => {
    expect(transitionAll(open(), [live, sell('x', '10')]).history.map(({ kind }) => kind)).toEqual(['FILL', 'TRADE'])
  })
})

describe('a close', () => {
  const unheard: LedgerEvent = { type: 'close_ended', at: at(5), end: 'abandoned', reason: null }
  const again: LedgerEvent = { type: 'close_intended', at: at(5), intent: closing }

  it('is on record, numbered, and has the venue’s id from the first answer that names one', () => {
    const meant = transition(open(), { type: 'close_intended', at: at(4), intent: { ...closing, attempt: 2 } })
    expect(meant.history).toEqual([record(closing, 'intended', null, at(4))])
    expect(heldIn(meant.state).closeAttempts).toBe(3)
    const accepted = transition(meant.state, {
      type: 'close_acknowledged',
      at: at(5),
      status: 'accepted',
      orderId: 'c',
    })
    expect(accepted.history).toEqual([record(closing, 'accepted', null, at(5))])
    const unknown = transition(accepted.state, {
      type: 'close_acknowledged',
      at: at(6),
      status: 'unknown',
      orderId: null,
    })
    expect(unknown.state.phase).toMatchObject({ kind: 'closing', intent: { status: 'unknown', orderId: 'c' } })
    expect(unknown.emissions).toEqual([
      {
        type: 'unknown',
        subject: heldIn(meant.state).tradeId,
        detail: { leg: 'close', clientOrderId: closing.order.clientOrderId },
      },
    ])
  })

  it('that ends without closing leaves the position open', () => {
    const { state, history, emissions } = transition(closed(), {
      type: 'close_ended',
      at: at(6),
      end: 'expired',
      reason: 'too late',
    })
    expect(state.phase).toEqual({ kind: 'open', position: heldIn(closed()) })
    expect(emissions).toEqual([])
    expect(history).toEqual([record(closing, 'expired', 'too late', at(6))])
  })

  it.each<[string, LedgerEvent[], number]>([
    [
      'that the venue never heard of leaves its id to the next one',
      [{ type: 'close_ended', at: at(6), end: 'abandoned', reason: null }],
      0,
    ],
    [
      'whose answer was lost does, too',
      [
        { type: 'close_acknowledged', at: at(5), status: 'unknown', orderId: null },
        { type: 'close_ended', at: at(6), end: 'abandoned', reason: null },
      ],
      0,
    ],
    [
      'that the venue has named does not',
      [
        { type: 'close_acknowledged', at: at(5), status: 'accepted', orderId: 'c' },
        { type: 'close_ended', at: at(6), end: 'abandoned', reason: null },
      ],
      1,
    ],
    [
      'that the venue has named once does not',
      [
        { type: 'close_acknowledged', at: at(5), status: 'accepted', orderId: 'c' },
        { type: 'close_acknowledged', at: at(5), status: 'unknown', orderId: null },
        { type: 'close_ended', at: at(6), end: 'abandoned', reason: null },
      ],
      1,
    ],
    [
      'that was of another size does not',
      [sell('x', '4'), { type: 'close_ended', at: at(6), end: 'abandoned', reason: null }],
      1,
    ],
    ['that was refused does not', [{ type: 'close_ended', at: at(6), end: 'rejected', reason: null }], 1],
    [
      'that was refused after one of its id went unheard does',
      [unheard, again, { type: 'close_ended', at: at(6), end: 'rejected', reason: null }],
      0,
    ],
    [
      'that the venue has, though it names no id, does not',
      [
        unheard,
        again,
        { type: 'close_acknowledged', at: at(5), status: 'accepted', orderId: null },
        { type: 'close_ended', at: at(6), end: 'rejected', reason: null },
      ],
      1,
    ],
    [
      'that went through after one of its id went unheard does not',
      [unheard, again, { type: 'close_ended', at: at(6), end: 'cancelled', reason: null }],
      1,
    ],
  ])('%s', (_name, events, closeAttempts) => {
    expect(heldIn(transitionAll(closed(), events).state)).toMatchObject({
      closeAttempts,
      isCloseUnheard: closeAttempts === 0,
    })
  })

  it.each<[FillReason, string, string | null, string]>([
    ['close', 'done', null, 'decision'],
    ['stop_loss', 'cancelled', 'closed by stop_loss before it', 'stop_loss'],
    ['external', 'cancelled', 'closed by external before it', 'external'],
  ])('under way when a %s fill closes the position ends as %s', (reason, status, why, exitReason) => {
    const { history } = transition(closed(), sell('x', '10', reason))
    expect(history.map(({ kind }) => kind)).toEqual(['FILL', 'ORDER', 'TRADE'])
    expect(history[1]).toEqual(record(closing, status, why, at(5)))
    expect(history[2]).toMatchObject({ id: heldIn(closed()).tradeId, at: at(5), body: { exitReason } })
  })

  it('filled in part is still under way', () => {
    expect(transition(closed(), sell('x', '4', 'close'))).toMatchObject({
      history: [{ kind: 'FILL' }],
      emissions: [],
      state: { phase: { kind: 'closing', position: { quantity: '6' } } },
    })
  })
})

describe('the end of a trade', () => {
  it.each<[FillReason, string]>([
    ['entry', 'external'],
    ['close', 'close'],
    ['take_profit', 'take_profit'],
  ])('by a %s fill while none of our closes is under way: %s', (reason, exitReason) => {
    expect(transition(open(), sell('x', '10', reason)).emissions).toMatchObject([
      { type: 'closed', detail: { reason: exitReason } },
    ])
  })

  it('is told and remembered', () => {
    const { state, emissions } = transition(open(), sell('x', '10', 'take_profit'))
    const id = heldIn(open()).tradeId
    expect(emissions).toEqual([
      { type: 'closed', subject: id, detail: { reason: 'take_profit', pnl: '10', rMultiple: 0.5, exitPrice: '2010' } },
    ])
    expect(state.accounting).toMatchObject({
      tradesClosed: 1,
      consecutiveLosses: 0,
      lastTradeLost: false,
      lastTradeClosedAt: at(5),
      gross: '10',
      cash: '10010',
    })
    expect(state.memory.trades).toMatchObject([{ id, pnl: '10' }])
    expect(state.phase).toEqual({ kind: 'flat', abandoned: null })
  })

  it('moves the liquidation price only where a fill that adds brings one', () => {
    const level = (event: LedgerEvent) =>
      heldIn(
        transition(
          transition(
            opening(),
            filled(fillOf({ id: 'a', side: 'buy', price: '2000', quantity: '4', time: START }), '1500'),
          ).state,
          event,
        ).state,
      ).liquidationPrice
    const add = (liquidationPrice: string | null) =>
      filled(fillOf({ id: 'b', side: 'buy', price: '2000', quantity: '1', time: START }), liquidationPrice)
    expect([
      level(add('1600')),
      level(add(null)),
      level({ ...sell('b', '1'), liquidationPrice: '1700' as Price } as LedgerEvent),
    ]).toEqual(['1600', '1500', '1500'])
  })
})

describe('what is not a matter of orders', () => {
  const pay = (id: string, minute: number): LedgerEvent => ({
    type: 'funding_settled',
    at: at(9),
    payment: { fundingId: id, at: at(minute), rate: '0.1', amount: money('-2') },
  })

  it('funding is on record and paid in cash, and by the trade only while it lasts', () => {
    const { state, history, emissions } = transition(open(), pay('f', 2))
    expect(history).toEqual([
      { kind: 'FUNDING', id: 'f', at: at(2), body: { fundingId: 'f', at: at(2), rate: '0.1', amount: '-2' } },
    ])
    expect(emissions).toEqual([])
    expect([heldIn(state).funding, state.accounting.funding, state.accounting.cash]).toEqual(['-2', '-2', '9998'])
    expect(heldIn(transition(open(), pay('f', 1)).state).funding).toBe('0')
    expect(transition(fresh(), pay('f', 2)).state.accounting.cash).toBe('9998')
  })

  it('fills and payments that were read are refused by name', () => {
    const seen: StrategyState = { ...open(), cursor: { since: at(0), seenIds: ['f', 'x'] } }
    expect(() => transition(seen, pay('f', 2))).toThrow(new InvariantError('funding f has been read already'))
    expect(() => transition(seen, sell('x', '1'))).toThrow(new InvariantError('fill x has been read already'))
  })

  it('cash taken over is told; an incident only where it is one', () => {
    const adjust = (isIncident: boolean): LedgerEvent => ({
      type: 'cash_adjusted',
      at: at(9),
      amount: money('-3'),
      reason: 'fees',
      isIncident,
    })
    const noted = transition(fresh(), adjust(true))
    expect(noted.emissions).toEqual([
      { type: 'reconciled', subject: STRATEGY, detail: { amount: '-3', reason: 'fees' } },
    ])
    expect(noted.history).toEqual([])
    expect(noted.state.incidents).toEqual([{ at: at(9), kind: 'cash', detail: 'fees' }])
    expect(transition(fresh(), adjust(false)).state).toMatchObject({
      incidents: [],
      accounting: { cash: '9997', adjustments: '-3' },
    })
  })

  it('an incident is kept and told; suspicions are kept and not told', () => {
    const incident = transition(fresh(), { type: 'incident_noted', at: at(9), kind: 'k', detail: 'd' })
    expect([incident.state.incidents, incident.emissions, incident.history]).toEqual([
      [{ at: at(9), kind: 'k', detail: 'd' }],
      [{ type: 'reconciled', subject: STRATEGY, detail: { kind: 'k', detail: 'd' } }],
      [],
    ])
    const suspicions = [{ at: at(8), kind: 'k', detail: 'd' }]
    const suspected = transition(fresh(), { type: 'suspected', at: at(9), suspicions })
    expect([suspected.state.suspicions, suspected.emissions, suspected.history]).toEqual([suspicions, [], []])
  })

  it('a halt is told once, with who and why; resuming is told with what is left', () => {
    const halt = { at: at(1), by: 'guard', rule: 'drawdown', reason: 'fell' } as const
    const halted = transition(fresh(), { type: 'halted', at: at(1), halt })
    expect([halted.state.halt, halted.emissions, halted.history]).toEqual([
      halt,
      [{ type: 'halted', subject: STRATEGY, detail: { by: 'guard', rule: 'drawdown', reason: 'fell' } }],
      [],
    ])
    expect(transition(halted.state, { type: 'halted', at: at(2), halt: { ...halt, reason: 'again' } })).toMatchObject({
      state: { halt },
      emissions: [],
    })
    const odd: StrategyState = {
      ...halted.state,
      suspicions: [{ at: at(1), kind: 'k', detail: 'd' }],
      incidents: [{ at: at(1), kind: 'k', detail: 'd' }],
    }
    const resumed = transition(odd, { type: 'resumed', at: at(3) })
    expect([resumed.emissions, resumed.history]).toEqual([
      [{ type: 'resumed', subject: STRATEGY, detail: { equity: '10000' } }],
      [],
    ])
    expect(resumed.state).toMatchObject({ halt: null, incidents: [], suspicions: [] })
  })

  it('the last word keeps its place: watch, cursor and slot', () => {
    const cursor = { since: at(1), seenIds: ['a'] }
    const summary = { cycleId: 'c', at: at(1), action: 'hold', outcome: 'held', confidence: null, note: '' }
    const { state, history, emissions } = transitionAll(fresh(), [
      { type: 'watched', at: at(1), until: at(7) },
      { type: 'cursor_moved', at: at(1), cursor },
      { type: 'slot_finished', at: at(1), slot: at(0), summary, keep: 2 },
    ])
    expect(state).toMatchObject({
      watchedUntil: at(7),
      cursor,
      lastSlot: at(0),
      memory: { decisions: [summary], trades: [] },
    })
    expect([history, emissions]).toEqual([[], []])
  })

  it('what is told late does not turn back the clock', () => {
    const later = transition(fresh(), { type: 'watched', at: at(5), until: at(5) }).state
    expect(transition(later, { type: 'watched', at: at(4), until: at(9) }).state).toMatchObject({
      updatedAt: at(5),
      watchedUntil: at(9),
    })
    expect(transition(later, { type: 'watched', at: at(6), until: at(9) }).state.updatedAt).toBe(at(6))
  })
})
