import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec, type Money, minus, type Price, type Quantity, sum } from '../../lib/core/decimal.ts'
import {
  exitReasonOf,
  groupTrades,
  hourOf,
  regimeOf,
  sideOf,
  tradedNotional,
  tradeStatistics,
} from '../../lib/report/metrics/trade-statistics.ts'
import type { Trade } from '../../schemas/trade.ts'
import { money, someTrades, tradeOf } from './fixtures.ts'

const RUNS = { seed: 20260102, numRuns: 200 }
const GROUPINGS: [string, (trade: Trade) => string][] = [
  ['side', sideOf],
  ['regime', regimeOf],
  ['hour', hourOf],
  ['exit reason', exitReasonOf],
]

describe('statistics of trades', () => {
  it('four trades by hand', () => {
    const trades = [
      tradeOf({
        id: 'a',
        pnl: money('30'),
        fees: money('1'),
        funding: money('-0.1'),
        slippage: money('0.5'),
        rMultiple: 3,
      }),
      tradeOf({
        id: 'b',
        pnl: money('-10'),
        fees: money('2'),
        funding: money('0.3'),
        slippage: money('0.25'),
        rMultiple: -1,
        exitTime: '2026-01-01T09:45:00Z',
      }),
      tradeOf({
        id: 'c',
        pnl: money('-5.5'),
        fees: money('0.5'),
        funding: money('0'),
        slippage: money('0'),
        rMultiple: null,
      }),
      tradeOf({
        id: 'd',
        pnl: money('0'),
        fees: money('0.1'),
        funding: money('0'),
        slippage: money('0'),
        rMultiple: 0,
      }),
    ]
    expect(tradeStatistics(trades)).toEqual({
      trades: 4,
      winRate: 0.25,
      profitFactor: 30 / 15.5,
      expectancy: '3.625',
      averageR: 2 / 3,
      averageWinR: 3,
      averageLossR: -1,
      averageHoldingMinutes: (90 + 15 + 90 + 90) / 4,
      pnl: '14.5',
      fees: '3.6',
      funding: '0.2',
      slippage: '0.75',
    })
  })

  it('no trades: nothing happened, and no ratio has a value', () => {
    const nothing = { trades: 0, pnl: '0', fees: '0', funding: '0', slippage: '0' }
    const none = {
      winRate: null,
      profitFactor: null,
      expectancy: null,
      averageR: null,
      averageWinR: null,
      averageLossR: null,
      averageHoldingMinutes: null,
    }
    expect(tradeStatistics([])).toEqual({ ...nothing, ...none })
    expect(groupTrades([], sideOf)).toEqual({})
  })

  it('wins alone have no profit factor, losses alone one of zero', () => {
    expect(tradeStatistics([tradeOf()]).profitFactor).toBeNull()
    expect(tradeStatistics([tradeOf({ pnl: money('-1') })]).profitFactor).toBe(0)
  })

  it('an average is rounded half-up to the places of money', () => {
    const thirds = ['1', '0', '0'].map((pnl, index) => tradeOf({ id: `${index}`, pnl: money(pnl) }))
    expect(tradeStatistics(thirds).expectancy).toBe('0.33333333')
    expect(
      tradeStatistics(thirds.map((trade) => ({ ...trade, pnl: trade.pnl === '1' ? money('-2') : trade.pnl })))
        .expectancy,
    ).toBe('-0.66666667')
  })

  it('profit factor is above, at or below one as wins are above, at or below losses', () => {
    fc.assert(
      fc.property(someTrades(), (trades) => {
        const { profitFactor, pnl } = tradeStatistics(trades)
        if (profitFactor === null) expect(trades.some((trade) => dec(trade.pnl).lt(0))).toBe(false)
        else expect(Math.sign(profitFactor - 1)).toBe(Math.sign(Number(pnl)))
      }),
      RUNS,
    )
  })

  it('a fee more on every trade is that much less expected of each, and helps nothing else', () => {
    fc.assert(
      fc.property(someTrades(1), fc.integer({ min: 1, max: 5_000 }), (trades, hundredths) => {
        const fee = money(hundredths / 100)
        const dearer = trades.map((trade) => ({ ...trade, fees: sum(trade.fees, fee), pnl: minus(trade.pnl, fee) }))
        const [before, after] = [tradeStatistics(trades), tradeStatistics(dearer)]
        expect(Number(after.expectancy)).toBeLessThan(Number(before.expectancy))
        expect(Number(before.expectancy) - Number(after.expectancy)).toBeCloseTo(hundredths / 100, 7)
        expect(minus(after.fees, before.fees)).toBe(minus(before.pnl, after.pnl))
        expect(after.winRate ?? 0).toBeLessThanOrEqual(before.winRate ?? 0)
        expect(after.profitFactor ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(
          before.profitFactor ?? Number.POSITIVE_INFINITY,
        )
      }),
      RUNS,
    )
  })

  it.each(GROUPINGS)('by %s: every trade is in one group, sums add up exactly, keys come sorted', (_what, keyOf) => {
    fc.assert(
      fc.property(someTrades(), (trades) => {
        const all = tradeStatistics(trades)
        const groups = Object.entries(groupTrades(trades, keyOf))
        expect(groups.reduce((total, [, group]) => total + group.trades, 0)).toBe(all.trades)
        for (const field of ['pnl', 'fees', 'funding', 'slippage'] as const)
          expect(sum(...groups.map(([, group]) => group[field]))).toBe(all[field])
        for (const [key, group] of groups)
          expect(group).toEqual(tradeStatistics(trades.filter((trade) => keyOf(trade) === key)))
      }),
      { ...RUNS, numRuns: 60 },
    )
  })

  it('keys: hours of entry in UTC, a regime that is not known, sorted', () => {
    const trades = [
      tradeOf({ entryTime: '2026-01-01T09:59:59.999Z', regime: null }),
      tradeOf({ entryTime: '2026-01-02T00:00:00Z', regime: 'range' }),
    ]
    expect(trades.map(hourOf)).toEqual(['09', '00'])
    expect(Object.keys(groupTrades(trades, regimeOf))).toEqual(['range', 'unknown'])
    expect(Object.keys(groupTrades(trades.toReversed(), hourOf))).toEqual(['00', '09'])
  })

  it('notional traded counts both ways, in units of the base asset', () => {
    const trades = [
      tradeOf({ quantity: '3' as Quantity, entryPrice: '2000' as Price, exitPrice: '2100' as Price }),
      tradeOf(),
    ]
    expect(tradedNotional(trades, '0.1')).toBeCloseTo(0.1 * (3 * 4_100 + 4_100), 9)
    expect(tradedNotional([], '0.1')).toBe(0)
  })

  it('sums stay exact where floating-point ones do not', () => {
    const trades = Array.from({ length: 10 }, (_, index) => tradeOf({ id: `${index}`, pnl: '0.1' as Money }))
    expect(tradeStatistics(trades).pnl).toBe('1')
  })
})
