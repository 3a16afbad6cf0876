import { ETH } from '../support/instruments.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec, money, sum } from '../../lib/core/decimal.ts'
import { fromIso, toIso } from '../../lib/core/time.ts'
import { inferFunding } from '../../lib/execution/reconcile/infer-funding.ts'
import { reconcile } from '../../lib/execution/reconcile/reconcile.ts'
import { dailyLoss, drawdown, openBooks, scaleBases } from '../../lib/ledger/accounting.ts'
import { createState, transition } from '../../lib/ledger/transition.ts'
import { computeMetrics } from '../../lib/report/metrics/compute-metrics.ts'
import { StrategyState } from '../../schemas/state.ts'
import { createBench } from '../cli/bench-support.ts'
import { createWorld } from '../cycle/world.ts'
import { at, facts, OPEN } from '../execution/venue-fixtures.ts'

const AT = '2026-11-02T09:30:00Z'
const transferOf = (amount: string, transferId = 't1') =>
  ({ transferId, at: AT, amount: money(amount), source: 'venue', note: null }) as const
const cents = (min: number, max: number) => fc.integer({ min, max }).map((value) => money(value / 100))

describe('a deposit or withdrawal in the books', () => {
  it('leaves day return and drawdown as they were, whatever came before, never smaller', () => {
    const amounts = cents(-900_000, 5_000_000)
    fc.assert(
      fc.property(
        cents(1_000_000, 2_000_000),
        cents(1_000_000, 3_000_000),
        cents(1_000_000, 3_000_000),
        amounts,
        (equity, peak, start, amount) => {
          const books = {
            ...openBooks(money('10000'), AT, 'always-open'),
            cash: equity,
            equity,
            peakEquity: peak,
            dayStartEquity: start,
          }
          const scaled = scaleBases(books, amount)
          const after = { ...scaled, equity: sum(equity, amount) }
          expect(drawdown(after)).toBeCloseTo(drawdown(books), 8)
          expect(dailyLoss(after)).toBeCloseTo(dailyLoss(books), 8)
          expect(drawdown(after)).toBeGreaterThanOrEqual(drawdown(books) - 1e-12)
        },
      ),
    )
  })

  it('is its own total: cash is deposited, transferred, gross, funding and adjustments less fees', () => {
    const state = createState('eth-perp', ETH, money('10000'), AT)
    const {
      state: after,
      history,
      emissions,
    } = transition(state, {
      type: 'transferred',
      at: AT,
      transfer: transferOf('-2500.5'),
      isExplanation: false,
    })
    expect(after.accounting).toMatchObject({
      cash: '7499.5',
      equity: '7499.5',
      deposited: '10000',
      transferred: '-2500.5',
      adjustments: '0',
      peakEquity: '7499.5',
      dayStartEquity: '7499.5',
    })
    expect(history).toMatchObject([{ kind: 'TRANSFER', id: 't1', body: { amount: '-2500.5' } }])
    expect(emissions).toMatchObject([{ type: 'transferred', detail: { amount: '-2500.5' } }])
    expect(StrategyState.parse(JSON.parse(JSON.stringify(after)))).toEqual(after)
  })

  it('that explains money that had gone missing takes the loss back', () => {
    const state = createState('eth-perp', ETH, money('10000'), AT)
    const missing = transition(state, {
      type: 'cash_adjusted',
      at: AT,
      amount: money('-2000'),
      reason: 'r',
      isIncident: true,
    })
    expect(drawdown(missing.state.accounting)).toBeCloseTo(0.2)
    expect(missing.state.accounting.unexplained).toBe('-2000')
    const { accounting } = transition(missing.state, {
      type: 'transferred',
      at: AT,
      transfer: transferOf('-2000'),
      isExplanation: true,
    }).state
    expect(accounting).toMatchObject({ cash: '8000', transferred: '-2000', adjustments: '0', unexplained: '0' })
    expect([drawdown(accounting), dailyLoss(accounting)]).toEqual([0, 0])
  })

  it('that explains money that had come in makes no room for losses', () => {
    const state = createState('eth-perp', ETH, money('10000'), AT)
    const more = transition(state, {
      type: 'cash_adjusted',
      at: AT,
      amount: money('5000'),
      reason: 'r',
      isIncident: true,
    })
    const { accounting } = transition(more.state, {
      type: 'transferred',
      at: AT,
      transfer: transferOf('5000'),
      isExplanation: true,
    }).state
    expect(accounting).toMatchObject({
      cash: '15000',
      transferred: '5000',
      adjustments: '0',
      unexplained: '0',
      peakEquity: '15000',
    })
  })
})

describe('a difference in cash', () => {
  it.each(['9000', '15000', '10010', '9990'])('of %s that nobody explains halts, and closes nothing', (cash) => {
    const first = reconcile(OPEN, facts({ seconds: 60, cash }))
    const second = reconcile(first.after.state, facts({ seconds: 90, cash }))
    expect(second.after.state.halt).toMatchObject({ by: 'incident' })
    expect(second.after.state.halt?.reason).toContain('hourhand account moved')
    expect(second.after.state.phase.kind).toBe('open')
    expect([...first.actions, ...second.actions]).toEqual([])
  })

  it('that the venue lists as a transfer is one at first sight, and once', () => {
    const transfers = [{ ...transferOf('-1000'), at: at(30) }]
    const first = reconcile(OPEN, { ...facts({ seconds: 60, cash: '9000' }), transfers })
    expect(first.after.state).toMatchObject({
      halt: null,
      suspicions: [],
      accounting: { cash: '9000', transferred: '-1000', adjustments: '0' },
    })
    const again = reconcile(first.after.state, { ...facts({ seconds: 90, cash: '9000' }), transfers })
    expect(again.after.state.accounting).toEqual(first.after.state.accounting)
  })

  it('that was announced is booked when it shows, to the cent; another amount or a later day is not', () => {
    const expected = { transferId: 'x', amount: money('-1000'), at: at(0), until: at(3_600), note: 'rent' }
    const waiting = transition(OPEN, { type: 'transfer_expected', at: at(10), expected }).state
    const booked = reconcile(waiting, facts({ seconds: 60, cash: '9000.005' })).after.state
    expect(booked).toMatchObject({
      halt: null,
      expectedTransfers: [],
      accounting: { adjustments: '0', transferred: '-999.995' },
    })
    const other = reconcile(waiting, facts({ seconds: 60, cash: '9000.02' })).after.state
    expect(other).toMatchObject({ suspicions: [{ kind: 'cash_differs' }], accounting: { transferred: '0' } })
    const late = reconcile(waiting, facts({ seconds: 3_700, cash: '9000' })).after.state
    expect(late.accounting.transferred).toBe('0')
  })

  it('that was announced is never taken for funding of a venue that lists none', () => {
    const moved = { ...facts({ seconds: 3_700, cash: '9999' }), listsFunding: false }
    expect(inferFunding(OPEN, moved)).not.toBeNull()
    const expected = { transferId: 'x', amount: money('-1'), at: at(0), until: at(7_200), note: null }
    const waiting = transition(OPEN, { type: 'transfer_expected', at: at(10), expected }).state
    expect(inferFunding(waiting, moved)).toBeNull()
    const listed = { ...moved, transfers: [{ ...transferOf('-1'), at: at(3_650) }] }
    expect(inferFunding(OPEN, listed)).toBeNull()
  })
})

describe('on paper', () => {
  it('a deposit into the venue’s account reaches the ledger with the next pass, and the position stays as it is', async () => {
    const world = createWorld()
    expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
    const before = await world.state()
    await world.ports.broker.credit?.({ ...transferOf('5000'), at: toIso(world.ports.clock()) })
    await world.pass(2)
    const after = await world.state()
    expect(after.phase.kind).toBe('open')
    expect(after).toMatchObject({
      halt: null,
      suspicions: [],
      incidents: [],
      accounting: { transferred: '5000', adjustments: '0' },
    })
    expect(dec(after.accounting.cash).minus(before.accounting.cash).toNumber()).toBeCloseTo(5_000, 6)
  })
})

describe('metrics', () => {
  const day = (index: number) => toIso(fromIso('2026-01-01T00:00:00Z') + index * 86_400_000)
  const curve = (points: readonly (readonly [string, string?])[]) =>
    points.map(([equity, transferred], index) => ({
      at: day(index),
      equity: money(equity),
      cash: money(equity),
      markPrice: null,
      phase: 'flat' as const,
      ...(transferred === undefined ? {} : { transferred: money(transferred) }),
    }))
  const metricsOf = (points: readonly (readonly [string, string?])[]) =>
    computeMetrics({
      equity: curve(points),
      startEquity: money(points[0]?.[0] ?? '1'),
      from: fromIso(day(0)),
      to: fromIso(day(points.length)),
      trades: [],
      multiplier: '1' as never,
      tokens: { input: 0, output: 0 },
      tokenCostUsd: null,
      resamples: 0,
    })

  it('a deposit is no return and a withdrawal no fall', () => {
    const plain = metricsOf([['1000'], ['1100'], ['1045'], ['1045'], ['1254']])
    const moved = metricsOf([['1000'], ['1100'], ['10450', '9405'], ['1045', '0'], ['1254', '0']])
    expect(moved.totalReturn).toBeCloseTo(plain.totalReturn, 12)
    expect(moved.maxDrawdown).toBeCloseTo(plain.maxDrawdown, 12)
    expect(moved.sharpe).toBeCloseTo(plain.sharpe ?? Number.NaN, 9)
    expect(metricsOf([['1000'], ['6000', '5000']]).totalReturn).toBe(0)
    expect(metricsOf([['1000'], ['6000']]).totalReturn).toBe(5)
  })
})

it('a withdrawal on paper that would leave nothing is refused, and the way back from a halt is one to paste', async () => {
  const { newDirectory, run } = createBench()
  const data = ['--data-dir', newDirectory()]
  await run(['cycle', '--at', '2026-11-02T10:00:00Z', ...data])
  const status = async () => (await run(['status', '--json', ...data, '--at', '2026-11-02T10:05:00Z'])).stdout
  const moved = (amount: string) => run(['account', 'moved', amount, '--at', '2026-11-02T10:05:00Z', ...data])
  await run(['halt', '--at', '2026-11-02T10:05:00Z', ...data])
  const before = await status()
  const refused = await moved('-99999')
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toContain('nothing was changed')
  expect(await status()).toBe(before)
  const booked = await moved('-5000')
  expect(booked.code).toBe(0)
  expect(booked.stdout).toContain(`npx hourhand resume --strategy eth-perp --mode paper ${data.join(' ')}`)
}, 60_000)
