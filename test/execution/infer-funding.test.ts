import { withoutFunding } from '../support/instruments.ts'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { dec, money, price, type Money } from '../../lib/core/decimal.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { reconcile } from '../../lib/execution/reconcile/reconcile.ts'
import { gatherVenueFacts } from '../../lib/execution/gather-venue-facts.ts'
import type { VenueFacts } from '../../lib/execution/venue-facts.ts'
import { positionOf } from '../../lib/ledger/accounting.ts'
import { transitionAll } from '../../lib/ledger/transition.ts'
import type { Fill } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { createWorld, SLOT } from '../cycle/world.ts'

/** A venue whose funding shows in its cash only. */
describe('funding that is not listed', () => {
  let state: StrategyState
  let facts: VenueFacts
  let exit: Fill

  beforeEach(async () => {
    const world = createWorld()
    await world.cycle()
    state = await world.state()
    facts = { ...(await gatherVenueFacts(world.ports, state)), listsFunding: false }
    const [entry] = (await world.book()).fills
    if (entry === undefined) throw new Error('no entry')
    exit = {
      ...entry,
      fillId: 'exit-1',
      orderId: 'stop',
      clientOrderId: null,
      side: 'sell',
      price: price(1980),
      reason: 'stop_loss',
      fee: money(0),
      at: toIso(SLOT + 80 * MINUTE_MS),
    }
  })

  const cashBy = (amount: string): VenueFacts['account'] => ({
    ...facts.account,
    cash: money(dec(facts.account.cash).plus(amount)),
  })
  const at = (minutes: number): string => toIso(SLOT + minutes * MINUTE_MS)
  const run = (venue: VenueFacts) => {
    const { events } = reconcile(state, venue)
    const folded = transitionAll(state, events)
    return {
      kinds: events.map(({ type }) => type),
      state: folded.state,
      history: folded.history,
      trades: folded.history.flatMap((entry) => (entry.kind === 'TRADE' ? [entry.body] : [])),
    }
  }

  it('across a boundary, what moved cash is a payment of that boundary, to the last digit, and the trade’s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -500, max: 500 }).filter((cents) => cents !== 0),
        (cents) => {
          const amount = dec(cents).div(100).toFixed()
          const after = run({ ...facts, at: at(61), account: cashBy(amount) })
          expect(after.kinds).toEqual(['funding_settled', 'cursor_moved'])
          expect(after.state.accounting.cash).toBe(cashBy(amount).cash)
          expect(positionOf(after.state.phase)?.funding).toBe(money(amount))
          expect(after.history).toMatchObject([{ kind: 'FUNDING', at: toIso(SLOT + HOUR_MS) }])
          expect(after.state.accounting.adjustments).toBe('0')
        },
      ),
      { seed: 20261121, numRuns: 50 },
    )
  })

  it.each<[string, Partial<VenueFacts> | (() => Partial<VenueFacts>)]>([
    ['before the first boundary', () => ({ at: at(59), account: cashBy('-1') })],
    ['more than funding can be', () => ({ at: at(61), account: cashBy('-50') })],
    ['less than a cent', () => ({ at: at(61), account: cashBy('-0.009') })],
    ['from a venue that lists its payments', () => ({ at: at(61), account: cashBy('-1'), listsFunding: true })],
    ['while the answers do not settle', () => ({ at: at(61), account: cashBy('-1'), isSettled: false })],
    ['while the venue holds something else', () => ({ at: at(61), account: cashBy('-1'), position: null })],
    [
      'of a product without funding',
      () => ({ at: at(61), account: cashBy('-1'), instrument: withoutFunding(facts.instrument) }),
    ],
  ])('%s is not taken for funding', (_name, change) => {
    expect(run({ ...facts, ...(typeof change === 'function' ? change() : change) }).kinds).not.toContain(
      'funding_settled',
    )
  })

  it('seen only after the exit, it still belongs to the trade that paid it', () => {
    const held = positionOf(state.phase)
    if (held === null) throw new Error('flat')
    const closed = { ...facts, at: at(81), position: null, openOrders: [], fills: [...facts.fills, exit] }
    const withoutFunding = run({ ...closed, listsFunding: true }).state.accounting.cash
    const funded: Money = money(dec(withoutFunding).minus('0.37'))
    const { trades, state: after } = run({ ...closed, account: { ...facts.account, cash: funded } })
    expect(trades).toMatchObject([{ funding: '-0.37' }])
    expect(after).toMatchObject({ phase: { kind: 'flat' }, accounting: { cash: funded, adjustments: '0' } })
    expect(Number(trades[0]?.pnl)).toBeCloseTo(Number(trades[0]?.gross) - Number(trades[0]?.fees) - 0.37, 8)
  })

  it('of a position opened and closed again since the venue was last asked belongs to that trade', async () => {
    const world = createWorld({
      wrapBroker: (broker) => ({ ...broker, place: async () => ({ outcome: 'unknown', reason: 'timeout' }) }),
    })
    await world.cycle()
    const opening = await world.state()
    expect(opening.phase.kind).toBe('opening')
    const pendingOrder =
      facts.openOrders.map((order) => ({
        ...order,
        kind: 'entry' as const,
        side: 'buy' as const,
        status: 'filled' as const,
        filledQuantity: order.quantity,
        bracket: null,
      }))[0] ?? null
    const closed = { ...facts, at: at(81), position: null, openOrders: [], fills: [...facts.fills, exit], pendingOrder }
    const learned = (venue: VenueFacts) => transitionAll(opening, reconcile(opening, venue).events)
    const withoutFunding = learned({ ...closed, listsFunding: true }).state.accounting.cash
    const { history, state: after } = learned({
      ...closed,
      account: { ...facts.account, cash: money(dec(withoutFunding).minus('0.37')) },
    })
    expect(history.flatMap((line) => (line.kind === 'TRADE' ? [line.body.funding] : []))).toEqual(['-0.37'])
    const notional = positionOf(state.phase)?.entryNotional ?? '0'
    expect(history.flatMap((line) => (line.kind === 'FUNDING' ? [line.body] : []))).toMatchObject([
      { at: at(60), amount: '-0.37', rate: dec('0.37').div(notional).round(10).toFixed() },
    ])
    expect(after).toMatchObject({ phase: { kind: 'flat' }, accounting: { adjustments: '0' } })
  })

  it('whoever infers it from the same state, it has the same name', () => {
    const one = run({ ...facts, at: at(61), account: cashBy('-1') })
    const two = run({ ...facts, at: at(62), account: cashBy('-1') })
    expect(two.history.map(({ id }) => id)).toEqual(one.history.map(({ id }) => id))
  })
})
