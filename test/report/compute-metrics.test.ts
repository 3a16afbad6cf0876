import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { createPrng } from '../../lib/core/prng.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../lib/core/time.ts'
import {
  computeMetrics,
  measureCurve,
  type MetricsInput,
  sharpePerObservation,
} from '../../lib/report/metrics/compute-metrics.ts'
import { toCurve } from '../../lib/report/metrics/curve.ts'
import { deflatedSharpe, noSkillDeviation } from '../../lib/report/metrics/sharpe-evidence.ts'
import { Metrics } from '../../schemas/metrics.ts'
import { equityOf, money, someTrades, START, tradeOf } from './fixtures.ts'

const EMPTY: MetricsInput = {
  equity: [],
  startEquity: money(10_000),
  from: START,
  to: START,
  trades: [],
  multiplier: '0.1' as Quantity,
  tokens: { input: 0, output: 0 },
  tokenCostUsd: null,
}

/** A random walk of so many days in half-hour slots. */
function walk(days: number, seed = 1, drift = 0.0001): MetricsInput {
  const prng = createPrng('walk', seed)
  let value = 10_000
  const equity = equityOf(
    Array.from({ length: days * 48 }, () =>
      (value *= 1 + drift + prng.normal() * 0.001).toFixed(4).replace(/\.?0+$/, ''),
    ),
    30,
  )
  return { ...EMPTY, equity, to: START + days * DAY_MS, resamples: 200 }
}

describe('computeMetrics', () => {
  it('three days by hand', () => {
    const equity = [
      { ...equityOf([10_000], 30)[0], phase: 'open' as const },
      ...equityOf([11_000], 30, START + DAY_MS),
      ...equityOf([9_900], 30, START + 2 * DAY_MS),
      ...equityOf([10_890], 30, START + 3 * DAY_MS),
    ] as MetricsInput['equity']
    const trades = [
      tradeOf({
        quantity: '20' as Quantity,
        entryPrice: '2000' as Price,
        exitPrice: '2100' as Price,
        gross: money(900),
        pnl: money(890),
        fees: money(10),
        funding: money(0),
      }),
      tradeOf({
        id: 'trade-1',
        side: 'short',
        entryTime: '2026-01-02T23:00:00Z',
        exitTime: '2026-01-03T00:00:00Z',
        regime: null,
        exitReason: 'stop_loss',
        pnl: money(-5),
        rMultiple: -1,
      }),
    ]
    const metrics = computeMetrics({
      ...EMPTY,
      equity,
      to: START + 4 * DAY_MS,
      trades,
      tokens: { input: 5, output: 6 },
      tokenCostUsd: 0.25,
    })
    expect(Metrics.parse(metrics)).toEqual(metrics)
    expect(metrics).toMatchObject({
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-05T00:00:00Z',
      days: 4,
      observations: 3,
      observationHours: 24,
      observationsPerYear: 365,
      startEquity: '10000',
      endEquity: '10890',
      totalReturn: 0.089,
      annualisedReturn: null,
      calmar: null,
      maxDrawdown: 0.1,
      deepestDrawdown: {
        depth: 0.1,
        peakAt: '2026-01-02T00:00:00Z',
        troughAt: '2026-01-03T00:00:00Z',
        recoveredAt: null,
        days: 3,
      },
      exposure: 0.25,
      trades: 2,
      pnl: '885',
      gross: '910',
      tokenCostUsd: 0.25,
      tokens: { input: 5, output: 6 },
    })
    // Returns 0.1, -0.1, 0.1.
    const deviation = Math.sqrt((2 * (1 / 15) ** 2 + (2 / 15) ** 2) / 2)
    expect(metrics.volatility).toBeCloseTo(deviation * Math.sqrt(365), 12)
    expect(metrics.sharpe).toBeCloseTo((1 / 30 / deviation) * Math.sqrt(365), 12)
    expect(metrics.sortino).toBeCloseTo((1 / 30 / Math.sqrt(0.01 / 3)) * Math.sqrt(365), 12)
    expect(metrics.skewness).toBeCloseTo(-1 / Math.SQRT2, 12)
    expect([metrics.kurtosis, metrics.evidence.probabilisticSharpe]).toEqual([null, null])
    expect(metrics.turnover).toBeCloseTo(
      ((0.1 * (20 * 4_100 + 4_100)) / ((10_000 + 10_000 + 11_000 + 9_900 + 10_890) / 5)) * (365 / 4),
      9,
    )
    expect(
      [metrics.bySide, metrics.byRegime, metrics.byHour, metrics.byExitReason].map((groups) =>
        Object.keys(groups).sort(),
      ),
    ).toEqual([
      ['long', 'short'],
      ['trend_up', 'unknown'],
      ['09', '23'],
      ['stop_loss', 'take_profit'],
    ])
    expect(metrics.bySide['short']).toMatchObject({ trades: 1, pnl: '-5', winRate: 0 })
  })

  it('nothing happened: every field is there, and what has no value is null', () => {
    const metrics = computeMetrics(EMPTY)
    expect(Metrics.parse(metrics)).toEqual(metrics)
    expect(metrics).toMatchObject({
      days: 0,
      observations: 0,
      totalReturn: 0,
      maxDrawdown: 0,
      exposure: 0,
      trades: 0,
      pnl: '0',
      gross: '0',
      endEquity: '10000',
      deepestDrawdown: null,
      longestDrawdown: null,
    })
    for (const name of [
      'annualisedReturn',
      'volatility',
      'sharpe',
      'sortino',
      'calmar',
      'skewness',
      'kurtosis',
      'turnover',
      'winRate',
      'expectancy',
    ] as const)
      expect(metrics[name]).toBeNull()
    expect(metrics.evidence).toEqual({
      trials: 1,
      trialDeviation: null,
      trialDeviationSource: null,
      luckySharpe: 0,
      probabilisticSharpe: null,
      deflatedSharpe: null,
      confidence: 0.95,
      resamples: 2_000,
      intervals: { totalReturn: null, sharpe: null, averageR: null },
    })
  })

  it('a flat year is no evidence of anything', () => {
    const metrics = computeMetrics({
      ...EMPTY,
      equity: equityOf(Array<number>(365 * 24).fill(10_000), 60),
      to: START + 365 * DAY_MS,
      resamples: 50,
    })
    expect(metrics).toMatchObject({
      observations: 365,
      totalReturn: 0,
      annualisedReturn: 0,
      volatility: 0,
      sharpe: null,
      sortino: null,
      calmar: null,
      maxDrawdown: 0,
    })
    expect(metrics.evidence).toMatchObject({
      probabilisticSharpe: null,
      intervals: { totalReturn: { low: 0, high: 0 }, sharpe: null },
    })
  })

  it('a walk of ninety days: intervals around what was measured, a deflated ratio below the other', () => {
    const metrics = computeMetrics({
      ...walk(90),
      trades: Array.from({ length: 40 }, (_, index) => tradeOf({ id: `${index}`, rMultiple: (index % 5) - 1.5 })),
      trials: 12,
      trialDeviation: 0.04,
    })
    expect(Metrics.parse(metrics)).toEqual(metrics)
    const { evidence } = metrics
    for (const [interval, point] of [
      [evidence.intervals.totalReturn, metrics.totalReturn],
      [evidence.intervals.sharpe, metrics.sharpe],
      [evidence.intervals.averageR, metrics.averageR],
    ] as const) {
      expect(interval?.low).toBeLessThan(point ?? Number.NaN)
      expect(interval?.high).toBeGreaterThan(point ?? Number.NaN)
    }
    expect(metrics.observations).toBe(90)
    expect(metrics.annualisedReturn).toBeCloseTo((1 + metrics.totalReturn) ** (365 / 90) - 1, 9)
    expect(metrics.calmar).toBeCloseTo((metrics.annualisedReturn ?? Number.NaN) / metrics.maxDrawdown, 9)
    expect(evidence).toMatchObject({ trials: 12, trialDeviation: 0.04, trialDeviationSource: 'trials' })
    const sharpe = sharpePerObservation(metrics) ?? Number.NaN
    expect(sharpe).toBeCloseTo((metrics.sharpe ?? Number.NaN) / Math.sqrt(365), 14)
    expect(evidence.deflatedSharpe).toBeCloseTo(
      deflatedSharpe(
        { sharpe, observations: 90, skewness: metrics.skewness ?? 0, kurtosis: metrics.kurtosis ?? 0 },
        12,
        0.04,
      ) ?? Number.NaN,
      12,
    )
    expect(evidence.deflatedSharpe).toBeLessThan(evidence.probabilisticSharpe ?? Number.NaN)
    expect(sharpePerObservation({ sharpe: null, observationsPerYear: 365 })).toBeNull()
  })

  it('one trial is deflated by nothing, whatever deviation is given', () => {
    const { evidence } = computeMetrics({ ...walk(60), trials: 1, trialDeviation: 0.3 })
    expect(evidence).toMatchObject({ trialDeviation: null, trialDeviationSource: null, luckySharpe: 0 })
    expect(evidence.deflatedSharpe).toBe(evidence.probabilisticSharpe)
  })

  it('many trials of unknown deviation are taken to differ as those without skill', () => {
    const record = walk(60)
    const unknown = computeMetrics({ ...record, trials: 40 }).evidence
    expect(unknown).toMatchObject({ trialDeviation: noSkillDeviation(60), trialDeviationSource: 'sampling_error' })
    expect(unknown.deflatedSharpe).toBe(
      computeMetrics({ ...record, trials: 40, trialDeviation: noSkillDeviation(60) }).evidence.deflatedSharpe,
    )
    // 2.189 is the best of 40 in deviations; a year has 365 observations.
    expect(unknown.luckySharpe).toBeCloseTo(2.18948 * Math.sqrt(365 / 59), 3)
    expect(computeMetrics({ ...EMPTY, trials: 40 }).evidence).toMatchObject({
      trialDeviation: null,
      trialDeviationSource: null,
      luckySharpe: null,
      deflatedSharpe: null,
    })
  })

  it('equal inputs give equal bytes, in whatever order the trades come', () => {
    fc.assert(
      fc.property(someTrades(12), fc.integer({ min: 1, max: 40 }), (trades, turn) => {
        const record = { ...walk(12), trades, resamples: 30 }
        const bytes = JSON.stringify(computeMetrics(record))
        expect(
          JSON.stringify(
            computeMetrics({ ...record, trades: [...trades.slice(turn), ...trades.slice(0, turn)].toReversed() }),
          ),
        ).toBe(bytes)
        // Trades that begin together are told apart by id.
        const together = trades.map((trade) => ({ ...trade, entryTime: toIso(START) }))
        expect(JSON.stringify(computeMetrics({ ...record, trades: together.toReversed() }))).toBe(
          JSON.stringify(computeMetrics({ ...record, trades: together })),
        )
      }),
      { seed: 20260105, numRuns: 15 },
    )
  })

  it('another seed changes the intervals and nothing else', () => {
    const record = walk(40)
    const [first, second] = [computeMetrics(record), computeMetrics({ ...record, seed: 2 })]
    expect(second.evidence.intervals).not.toEqual(first.evidence.intervals)
    expect({ ...second, evidence: { ...second.evidence, intervals: null } }).toEqual({
      ...first,
      evidence: { ...first.evidence, intervals: null },
    })
  })

  it('leaves its input as it was', () => {
    const trades = [tradeOf({ id: 'b', entryTime: '2026-01-03T00:00:00Z' }), tradeOf({ id: 'a' })]
    computeMetrics({ ...EMPTY, trades })
    expect(trades.map(({ id }) => id)).toEqual(['b', 'a'])
  })

  it('a loss of more than everything is told, not hidden', () => {
    const metrics = computeMetrics({
      ...EMPTY,
      equity: equityOf([10_000, 9_000, -500], 24 * 60),
      to: START + 40 * DAY_MS,
    })
    expect(Metrics.parse(metrics)).toMatchObject({
      totalReturn: -1.05,
      annualisedReturn: null,
      calmar: null,
      maxDrawdown: 1.05,
    })
  })

  it('a record that ends before it begins is a bug', () =>
    expect(() => computeMetrics({ ...EMPTY, to: START - 1 })).toThrow(InvariantError))

  it('a baseline is measured with the same measures', () => {
    const record = walk(50, 3)
    const metrics = computeMetrics(record)
    const { totalReturn, sharpe, maxDrawdown } = measureCurve(toCurve(record.equity, record.startEquity, record.from))
    expect(totalReturn).toBeCloseTo(metrics.totalReturn, 14)
    expect([sharpe, maxDrawdown]).toEqual([metrics.sharpe, metrics.maxDrawdown])
    expect(measureCurve([])).toEqual({ totalReturn: 0, sharpe: null, maxDrawdown: 0 })
    expect(
      measureCurve([
        { at: START, value: 100 },
        { at: START + HOUR_MS, value: 90 },
      ]),
    ).toEqual({ totalReturn: -0.1, sharpe: null, maxDrawdown: 0.1 })
  })
})
