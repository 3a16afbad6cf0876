import { ETH } from '../support/instruments.ts'
import { describe, expect, it } from 'vitest'
import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { dailyLoss, drawdown, openBooks, rollDay, unrealisedPnl } from '../../lib/ledger/accounting.ts'
import type { LedgerEvent } from '../../lib/ledger/events.ts'
import { isProtected, summariseTrade } from '../../lib/ledger/position.ts'
import type { HistoryEntry } from '../../schemas/state.ts'
import { createState, TRADE_MEMORY, transition, transitionAll } from '../../lib/ledger/transition.ts'
import { OrderRecord, type FillReason } from '../../schemas/order.ts'
import type { Position, StrategyState } from '../../schemas/state.ts'
import { Trade } from '../../schemas/trade.ts'
import { at, closeIntent, entryIntent, fillOf, filled, money, START, STRATEGY, SYMBOL, typesOf } from './support.ts'

const MINUTE = 60_000
const fresh = (): StrategyState => createState(STRATEGY, ETH, money('10000'), at(0))
const tradesIn = (history: readonly HistoryEntry[]): Trade[] =>
  history.flatMap((entry) => (entry.kind === 'TRADE' ? [Trade.parse(entry.body)] : []))

let serial = 0
type Round = {
  side?: 'buy' | 'sell'
  quantity?: string
  entry?: string
  exit: string
  fee?: string
  funding?: string
  reason?: FillReason
  minute?: number
}
/** The events of one trade: entry at 2000 (risk 20 a unit) unless said otherwise, exit by `reason`. */
function round({
  side = 'buy',
  quantity = '10',
  entry = '2000',
  exit,
  fee = '0',
  funding,
  reason = 'stop_loss',
  minute = 0,
}: Round): LedgerEvent[] {
  serial += 1
  const time = START + minute * MINUTE
  const out = side === 'buy' ? 'sell' : 'buy'
  const payment: LedgerEvent[] =
    funding === undefined
      ? []
      : [
          {
            type: 'funding_settled',
            at: at(minute + 3),
            payment: { fundingId: `p${serial}`, at: at(minute + 3), rate: '0.0001', amount: money(funding) },
          },
        ]
  return [
    { type: 'entry_intended', at: at(minute), intent: entryIntent(time, side, quantity) },
    filled(fillOf({ id: `in${serial}`, side, price: entry, quantity, fee, time: time + MINUTE })),
    { type: 'entry_ended', at: at(minute + 2), end: 'done', reason: null },
    ...payment,
    filled(fillOf({ id: `out${serial}`, side: out, price: exit, quantity, fee, reason, time: time + 4 * MINUTE })),
  ]
}

describe('a trade', () => {
  // Ten contracts of 0.1 are one unit; the stop is 20 away: one R is 20.
  it.each([
    { what: 'long stopped', given: { exit: '1980' }, pnl: '-20', rMultiple: -1 },
    { what: 'long at target', given: { exit: '2050', reason: 'take_profit' as const }, pnl: '50', rMultiple: 2.5 },
    { what: 'short stopped', given: { side: 'sell' as const, exit: '2020' }, pnl: '-20', rMultiple: -1 },
    {
      what: 'short at target',
      given: { side: 'sell' as const, exit: '1950', reason: 'take_profit' as const },
      pnl: '50',
      rMultiple: 2.5,
    },
    { what: 'fees on both fills', given: { exit: '2050', fee: '1.5' }, pnl: '47', rMultiple: 2.35 },
    { what: 'funding paid', given: { exit: '2050', funding: '-4' }, pnl: '46', rMultiple: 2.3 },
    { what: 'funding received', given: { exit: '1980', funding: '4' }, pnl: '-16', rMultiple: -0.8 },
    { what: 'entered worse: risk is from the fill', given: { entry: '2005', exit: '1980' }, pnl: '-25', rMultiple: -1 },
    { what: 'gapped beyond the stop', given: { exit: '1950' }, pnl: '-50', rMultiple: -2.5 },
    { what: 'entered at the stop: no risk, no R', given: { entry: '1980', exit: '1990' }, pnl: '10', rMultiple: null },
    {
      what: 'R has six places',
      given: { quantity: '3', exit: '2000.1', fee: '0.001' },
      pnl: '0.028',
      rMultiple: 0.004667,
    },
  ])('$what: $pnl, $rMultiple R', ({ given, pnl, rMultiple }) => {
    const { history, state } = transitionAll(fresh(), round(given))
    const [trade] = tradesIn(history)
    expect(trade).toMatchObject({
      pnl,
      rMultiple,
      strategyId: STRATEGY,
      exitReason: given.reason ?? 'stop_loss',
      regime: 'trend',
    })
    expect(state.memory.trades).toEqual(trade === undefined ? [] : [summariseTrade(trade)])
    expect(state.phase).toEqual({ kind: 'flat', abandoned: null })
  })

  it('of several fills: averages by size, peak quantity, the risk of each fill, parts that add up although a third has no end', () => {
    const intent = entryIntent(START, 'buy', '7')
    const { state, history } = transitionAll(fresh(), [
      { type: 'entry_intended', at: at(0), intent },
      filled(fillOf({ id: 'a', side: 'buy', price: '2000.01', quantity: '3', slippage: '0.5', time: START })),
      filled(fillOf({ id: 'b', side: 'buy', price: '2001', quantity: '4', slippage: null, time: START + MINUTE })),
      { type: 'entry_ended', at: at(2), end: 'done', reason: null },
      filled(
        fillOf({
          id: 'c',
          side: 'sell',
          price: '1990',
          quantity: '2',
          reason: 'external',
          slippage: '0.25',
          time: START + 3 * MINUTE,
        }),
      ),
      filled(
        fillOf({ id: 'd', side: 'sell', price: '1991', quantity: '2', reason: 'external', time: START + 4 * MINUTE }),
      ),
      filled(
        fillOf({
          id: 'e',
          side: 'sell',
          price: '1992',
          quantity: '3',
          reason: 'take_profit',
          time: START + 5 * MINUTE,
        }),
      ),
    ])
    const [trade] = tradesIn(history)
    // 0.3 x 2000.01 + 0.4 x 2001 = 1400.403 in; 0.2 x 1990 + 0.2 x 1991 + 0.3 x 1992 = 1393.8 out; risk 0.3 x 20.01 +
    // 0.4 x 21.
    expect(trade).toMatchObject({
      quantity: '7',
      entryPrice: '2000.57571429',
      exitPrice: '1991.14285714',
      gross: '-6.603',
      slippage: '0.75',
      rMultiple: Number((-6.603 / 14.403).toFixed(6)),
      fillIds: ['a', 'b', 'c', 'd', 'e'],
      exitReason: 'take_profit',
      entryTime: at(0),
      exitTime: at(5),
    })
    expect(state.accounting.cash).toBe('9993.397')
  })

  it.each([
    ['close', 'decision'],
    ['stop_loss', 'stop_loss'],
    ['take_profit', 'take_profit'],
    ['liquidation', 'liquidation'],
    ['external', 'external'],
  ] as const)(
    'closed by a %s fill while a close is under way: the reason is %s, and the close order’s record says what became of it',
    (reason, exitReason) => {
      const intent = closeIntent(START + 3 * MINUTE, 'sell', '10', 'decision')
      const events = round({ exit: '2000', reason })
      const { history } = transitionAll(fresh(), [
        ...events.slice(0, 3),
        { type: 'close_intended', at: at(3), intent },
        ...events.slice(3),
      ])
      expect(tradesIn(history)[0]?.exitReason).toBe(exitReason)
      const last = history.filter((entry) => entry.kind === 'ORDER' && entry.id === intent.order.clientOrderId).at(-1)
      expect(OrderRecord.parse(last?.body).status).toBe(reason === 'close' ? 'done' : 'cancelled')
    },
  )

  it('a fill dated before its entry leaves a state that can still be read', () => {
    const events = round({ exit: '1980' })
    const early = filled(
      fillOf({
        id: 'early',
        side: 'sell',
        price: '1980',
        quantity: '10',
        reason: 'stop_loss',
        time: START + MINUTE - 1,
      }),
    )
    expect(transitionAll(fresh(), [...events.slice(0, 3), early]).state.memory.trades[0]?.holdingMinutes).toBe(0)
  })

  it('remembers so many trades and not one more', () => {
    let state = fresh()
    for (let count = 0; count < TRADE_MEMORY + 3; count++)
      state = transitionAll(state, round({ exit: '2001', minute: 10 * count })).state
    expect(state.memory.trades).toHaveLength(TRADE_MEMORY)
    expect(state.memory.trades[0]?.exitTime).toBe(at(10 * 3 + 4))
  })
})

describe('streak and cooldown', () => {
  it.each([
    { trades: ['1990'], streak: 1, lost: true },
    { trades: ['1990', '1985'], streak: 2, lost: true },
    { trades: ['1990', '1985', '2010'], streak: 0, lost: false },
    { trades: ['2010', '1990'], streak: 1, lost: true },
    { trades: ['2000'], streak: 0, lost: false },
    { trades: ['2010'], reason: 'liquidation' as const, streak: 0, lost: true },
    { trades: ['2010'], reason: 'external' as const, streak: 0, lost: true },
    { trades: ['2010'], reason: 'take_profit' as const, streak: 0, lost: false },
  ])(
    'exits at $trades ($reason): $streak in a row, wait $lost',
    ({ trades, reason = 'stop_loss' as const, streak, lost }) => {
      const events = trades.flatMap((exit, index) => round({ exit, reason, minute: 10 * index }))
      const { accounting } = transitionAll(fresh(), events).state
      expect([accounting.consecutiveLosses, accounting.lastTradeLost, accounting.lastTradeClosedAt]).toEqual([
        streak,
        lost,
        at(10 * (trades.length - 1) + 4),
      ])
    },
  )

  it('entries refused or given up are not entries; each position counts once, also on its second fill', () => {
    const refused: LedgerEvent[] = [
      { type: 'entry_intended', at: at(0), intent: entryIntent(START, 'buy', '10') },
      { type: 'entry_ended', at: at(1), end: 'rejected', reason: 'no' },
    ]
    expect(transitionAll(fresh(), refused).state.accounting.entriesToday).toBe(0)
    const [intended, ...rest] = round({ exit: '2000', minute: 10 })
    const twice = filled(fillOf({ id: 'more', side: 'buy', price: '2000', quantity: '0.5', time: START + 11 * MINUTE }))
    expect(
      transitionAll(fresh(), [...refused, ...(intended === undefined ? [] : [intended]), ...rest.slice(0, 1), twice])
        .state.accounting.entriesToday,
    ).toBe(1)
  })
})

describe('the books', () => {
  it('a stale mark makes no peak: bought at 2000 after a last mark of 2100, equity has not been higher', () => {
    const marked: LedgerEvent = { type: 'marked', at: at(0), markPrice: '2100' as Price }
    const { accounting } = transitionAll(fresh(), [marked, ...round({ exit: '2000' }).slice(0, 2)]).state
    expect([accounting.equity, accounting.peakEquity, drawdown(accounting)]).toEqual(['10000', '10000', 0])
  })

  it('a deposit neither hides a loss nor makes room for another; money gone missing is lost', () => {
    const lost = transitionAll(fresh(), round({ quantity: '1000', exit: '1996' })).state
    expect(dailyLoss(lost.accounting)).toBeCloseTo(0.04, 12)
    const adjust = (amount: string) =>
      transition(lost, {
        type: 'cash_adjusted',
        at: at(10),
        amount: money(amount),
        reason: 'transfer',
        isIncident: true,
      }).state.accounting
    expect(adjust('5000')).toMatchObject({
      equity: '14600',
      dayStartEquity: '15000',
      peakEquity: '15000',
      adjustments: '5000',
    })
    expect(adjust('-600')).toMatchObject({
      equity: '9000',
      dayStartEquity: '10000',
      peakEquity: '10000',
      adjustments: '-600',
    })
  })

  it('an older mark changes nothing; one of the same instant does', () => {
    const mark = (minute: number, price: string): LedgerEvent => ({
      type: 'marked',
      at: at(minute),
      markPrice: price as Price,
    })
    const bought = round({ exit: '0.1' }).slice(0, 2)
    expect(transitionAll(fresh(), [...bought, mark(9, '2010'), mark(8, '1900')]).state.accounting).toMatchObject({
      equity: '10010',
      markPrice: '2010',
      markedAt: at(9),
    })
    expect(transitionAll(fresh(), [...bought, mark(9, '2010'), mark(9, '1990')]).state.accounting).toMatchObject({
      equity: '9990',
      peakEquity: '10010',
    })
  })

  it('a new day begins at the last equity of the old one, so a gap over midnight is the new day’s', () => {
    const held = transitionAll(fresh(), [
      ...round({ exit: '1', quantity: '100' }).slice(0, 2),
      { type: 'marked', at: '2026-03-10T23:59:00Z', markPrice: '2010' as Price },
    ]).state
    const { accounting } = transition(held, {
      type: 'marked',
      at: '2026-03-11T00:00:00Z',
      markPrice: '1990' as Price,
    }).state
    expect(accounting).toMatchObject({ day: '2026-03-11', dayStartEquity: '10100', equity: '9900', entriesToday: 0 })
    expect(held.accounting.entriesToday).toBe(1)
    expect(rollDay(accounting, '2026-03-10T23:59:59Z', 'always-open')).toBe(accounting)
  })

  it('a payment belongs to the trade it falls into: not before the entry, not at its instant, not while flat', () => {
    const pay = (minute: number, id: string): LedgerEvent => ({
      type: 'funding_settled',
      at: at(9),
      payment: { fundingId: id, at: at(minute), rate: '0', amount: money('-1') },
    })
    const opened = round({ exit: '2000' })
    const { state } = transitionAll(fresh(), [...opened.slice(0, 3), pay(0, 'before'), pay(1, 'at'), pay(2, 'within')])
    expect(state.phase.kind === 'open' && state.phase.position.funding).toBe('-1')
    expect(state.accounting).toMatchObject({ funding: '-3', cash: '9997' })
    const remembering = transition(state, {
      type: 'cursor_moved',
      at: at(9),
      cursor: { since: at(0), seenIds: ['within'] },
    }).state
    expect(() => transition(remembering, pay(2, 'within'))).toThrow(/already/)
  })

  it('spent bases count as total loss; up is negative', () => {
    const books = openBooks(money('0'), at(0), 'always-open')
    expect([dailyLoss(books), drawdown(books)]).toEqual([1, 1])
    expect(dailyLoss({ ...openBooks(money('100'), at(0), 'always-open'), equity: money('110') })).toBe(-0.1)
    expect(unrealisedPnl(null, '1' as Price)).toBe('0')
  })

  it('resuming accepts the loss: peak and day start are what is there, incidents are closed', () => {
    const halted = transitionAll(fresh(), [
      ...round({ exit: '1980' }),
      { type: 'incident_noted', at: at(5), kind: 'k', detail: 'd' },
      { type: 'halted', at: at(6), halt: { at: at(6), by: 'guard', rule: 'daily_loss', reason: 'r' } },
    ]).state
    const again = transition(halted, {
      type: 'halted',
      at: at(7),
      halt: { at: at(7), by: 'operator', rule: null, reason: 'later' },
    })
    expect([again.state.halt?.reason, again.emissions]).toEqual(['r', []])
    const { state } = transition(halted, { type: 'resumed', at: at(8) })
    expect([state.halt, state.incidents, state.accounting.peakEquity, state.accounting.dayStartEquity]).toEqual([
      null,
      [],
      '9980',
      '9980',
    ])
  })

  it('memory and incidents have their limits', () => {
    const summary = (index: number) => ({
      cycleId: `c${index}`,
      at: at(index),
      action: 'hold',
      outcome: 'held',
      confidence: null,
      note: '',
    })
    const finish = (index: number, keep: number): LedgerEvent => ({
      type: 'slot_finished',
      at: at(index),
      slot: at(index),
      summary: summary(index),
      keep,
    })
    const { state } = transitionAll(
      fresh(),
      [0, 1, 2, 3].map((index) => finish(index, 3)),
    )
    expect([state.memory.decisions.map(({ cycleId }) => cycleId), state.lastSlot]).toEqual([['c1', 'c2', 'c3'], at(3)])
    expect(transition(state, finish(4, 0)).state.memory.decisions).toEqual([])
    const noisy = transitionAll(
      fresh(),
      Array.from({ length: 25 }, (_, index): LedgerEvent => ({
        type: 'incident_noted',
        at: at(index),
        kind: 'k',
        detail: `${index}`,
      })),
    ).state
    expect([noisy.incidents.length, noisy.incidents[0]?.detail]).toEqual([20, '5'])
  })
})

describe('what is told, by event', () => {
  const opened = round({ exit: '2050', reason: 'take_profit' })
  const open = transitionAll(fresh(), opened.slice(0, 3)).state
  const bracket = entryIntent(START, 'buy', '10').order.bracket
  const protect: LedgerEvent = {
    type: 'protection_intended',
    at: at(3),
    attempt: 0,
    deadline: at(4),
    order: {
      kind: 'protect',
      clientOrderId: entryIntent(START, 'sell', '10').order.clientOrderId,
      symbol: SYMBOL,
      side: 'sell',
      quantity: '10' as Quantity,
      bracket,
    },
  }
  const live: LedgerEvent = { type: 'protection_confirmed', at: at(3), orderId: 'p', quantity: '10', bracket }
  const close: LedgerEvent = { type: 'close_intended', at: at(3), intent: closeIntent(START, 'sell', '10') }
  const opening = transitionAll(fresh(), opened.slice(0, 1)).state

  it.each<[string, StrategyState, LedgerEvent[], string[]]>([
    ['a whole trade', fresh(), opened, ['opened', 'closed']],
    ['protection', open, [protect, live], ['protected']],
    ['protection lost', open, [live, { type: 'protection_lost', at: at(4), reason: 'gone' }], ['protected', 'naked']],
    [
      'an entry unknown',
      opening,
      [{ type: 'entry_acknowledged', at: at(1), status: 'unknown', orderId: null }],
      ['unknown'],
    ],
    ['an entry accepted', opening, [{ type: 'entry_acknowledged', at: at(1), status: 'accepted', orderId: 'o' }], []],
    [
      'a close unknown',
      open,
      [close, { type: 'close_acknowledged', at: at(4), status: 'unknown', orderId: null }],
      ['unknown'],
    ],
    [
      'a close accepted',
      open,
      [close, { type: 'close_acknowledged', at: at(4), status: 'accepted', orderId: 'c' }],
      [],
    ],
    [
      'halt, again, resume',
      fresh(),
      [
        { type: 'halted', at: at(1), halt: { at: at(1), by: 'operator', rule: null, reason: 'r' } },
        { type: 'halted', at: at(2), halt: { at: at(2), by: 'guard', rule: 'x', reason: 's' } },
        { type: 'resumed', at: at(3) },
      ],
      ['halted', 'resumed'],
    ],
    [
      'an adjustment',
      fresh(),
      [{ type: 'cash_adjusted', at: at(1), amount: money('1'), reason: 'r', isIncident: true }],
      ['reconciled'],
    ],
    ['an incident', fresh(), [{ type: 'incident_noted', at: at(1), kind: 'k', detail: 'd' }], ['reconciled']],
  ])('%s', (_what, from, events, types) => expect(typesOf(transitionAll(from, events).emissions)).toEqual(types))

  it('opened and closed carry the facts', () => {
    const { emissions } = transitionAll(fresh(), opened)
    expect(emissions.map(({ detail }) => detail)).toEqual([
      { side: 'long', quantity: '10', price: '2000', cycleId: 'eth-perp-20260310T1200Z' },
      { reason: 'take_profit', pnl: '50', rMultiple: 2.5, exitPrice: '2050' },
    ])
    expect(emissions[0]?.subject).toBe(emissions[1]?.subject)
  })

  it('counts protection attempts, forgives failures once live, keeps the order’s record up to date', () => {
    const held = (state: StrategyState): Position | null => (state.phase.kind === 'open' ? state.phase.position : null)
    const lose: LedgerEvent = { type: 'protection_lost', at: at(4), reason: 'refused' }
    const failed = transitionAll(open, [protect, lose, { ...protect, attempt: 1 } as LedgerEvent, lose])
    expect(held(failed.state)).toMatchObject({ protectAttempts: 2, protectFailures: 2, protection: { status: 'none' } })
    expect(failed.history.map((entry) => OrderRecord.parse(entry.body).status)).toEqual([
      'intended',
      'rejected',
      'intended',
      'rejected',
    ])
    const mended = transitionAll(failed.state, [{ ...protect, attempt: 2 } as LedgerEvent, live])
    expect(held(mended.state)).toMatchObject({
      protectAttempts: 3,
      protectFailures: 0,
      protection: { status: 'live', quantity: '10' },
    })
    expect(mended.history.map((entry) => OrderRecord.parse(entry.body).status)).toEqual(['intended', 'live'])
    // A stop that was live and went is no failure to place one.
    expect(held(transition(mended.state, lose).state)).toMatchObject({ protectFailures: 0 })
  })

  it.each([
    ['10', true],
    ['11', true],
    ['9', false],
  ])('a live stop for %s of 10 protects: %s', (quantity, expected) => {
    const { phase } = transition(open, { ...live, quantity } as LedgerEvent).state
    expect(phase.kind === 'open' && isProtected(phase.position)).toBe(expected)
  })

  it('an opening fill moves the liquidation price, a closing one does not', () => {
    const at2 = (id: string, side: 'buy' | 'sell', price: string) =>
      filled(
        fillOf({
          id,
          side,
          price: '2000',
          quantity: '1',
          reason: side === 'buy' ? 'entry' : 'stop_loss',
          time: START + 5 * MINUTE,
        }),
        price,
      )
    const grown = transition(open, at2('g', 'buy', '1500'))
    const shrunk = transition(grown.state, at2('s', 'sell', '1400'))
    for (const { state } of [grown, shrunk])
      expect(state.phase.kind === 'open' && state.phase.position.liquidationPrice).toBe('1500')
  })
})
