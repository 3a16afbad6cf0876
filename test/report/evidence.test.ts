import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import { createPrng } from '../../lib/core/prng.ts'
import {
  bootstrapSeries,
  bootstrapValues,
  meanBlockLength,
  MIN_BOOTSTRAP_VALUES,
  quantile,
} from '../../lib/report/metrics/bootstrap.ts'
import { kurtosis, mean, skewness } from '../../lib/report/metrics/moments.ts'
import { sharpeRatio } from '../../lib/report/metrics/ratios.ts'
import {
  deflatedSharpe,
  expectedMaximum,
  luckySharpe,
  noSkillDeviation,
  probabilisticSharpe,
  sharpeError,
  type SharpeEstimate,
} from '../../lib/report/metrics/sharpe-evidence.ts'
import { someReturns } from './fixtures.ts'

const RUNS = { seed: 20260104, numRuns: 200 }
const OPTIONS = { resamples: 400, confidence: 0.95, seed: 7 }
const normals = (count: number, seed: number, middle = 0): number[] => {
  const prng = createPrng('normals', seed)
  return Array.from({ length: count }, () => middle + prng.normal())
}

/** Estimates from returns, whose moments can occur together. */
const someEstimate: fc.Arbitrary<SharpeEstimate> = someReturns(8)
  .map((returns) => ({
    sharpe: sharpeRatio(returns, 1),
    observations: returns.length,
    skewness: skewness(returns),
    kurtosis: kurtosis(returns),
  }))
  .filter((estimate): estimate is SharpeEstimate => Object.values(estimate).every((value) => value !== null))

describe('evidence for a Sharpe ratio', () => {
  it('more trials never raise it, and it is never above the undeflated one', () => {
    fc.assert(
      fc.property(
        someEstimate,
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (estimate, trials, more, deviation) => {
          const plain = probabilisticSharpe(estimate) ?? Number.NaN
          const deflated = deflatedSharpe(estimate, trials, deviation) ?? Number.NaN
          expect(deflated).toBeLessThanOrEqual(plain)
          expect(deflatedSharpe(estimate, trials + more, deviation)).toBeLessThanOrEqual(deflated)
          expect(deflatedSharpe(estimate, 1, deviation)).toBe(plain)
          expect(deflatedSharpe(estimate, trials, 0)).toBe(plain)
        },
      ),
      RUNS,
    )
  })

  it('the expected maximum grows with every trial from nothing', () => {
    for (let trials = 1; trials < 500; trials += 1)
      expect(expectedMaximum(trials + 1)).toBeGreaterThan(expectedMaximum(trials))
    expect(expectedMaximum(1)).toBe(0)
  })

  it.each([
    [2, 0.56419],
    [5, 1.16296],
    [10, 1.53875],
    [20, 1.86748],
    [50, 2.24907],
    [100, 2.50759],
  ])('the expected maximum of %i is that of the tables, as near as the approximation comes', (trials, exact) => {
    // Harter, "Expected Values of Normal Order Statistics", Biometrika 48 (1961).
    expect(Math.abs(expectedMaximum(trials) - exact)).toBeLessThan(0.05)
  })

  it('a longer record, a higher ratio and more skewness are more evidence; fat tails are less', () => {
    const base: SharpeEstimate = { sharpe: 0.1, observations: 250, skewness: -0.5, kurtosis: 5 }
    const of = (parts: Partial<SharpeEstimate>) => probabilisticSharpe({ ...base, ...parts }) ?? Number.NaN
    expect(of({ observations: 500 })).toBeGreaterThan(of({}))
    expect(of({ sharpe: 0.12 })).toBeGreaterThan(of({}))
    expect(of({ skewness: 0 })).toBeGreaterThan(of({}))
    expect(of({ kurtosis: 9 })).toBeLessThan(of({}))
    expect(of({ sharpe: 0 })).toBe(0.5)
    expect(probabilisticSharpe(base, 0.1)).toBe(0.5)
  })

  it('the error is that of estimates from many samples', () => {
    const estimates = Array.from(
      { length: 2_000 },
      (_, index) => sharpeRatio(normals(100, 50_000 + index, 0.3), 1) ?? 0,
    )
    const middle = mean(estimates) ?? 0
    const spread = Math.sqrt(mean(estimates.map((value) => (value - middle) ** 2)) ?? 0)
    expect(spread / (sharpeError({ sharpe: 0.3, observations: 100, skewness: 0, kurtosis: 3 }) ?? 0)).toBeCloseTo(1, 1)
  })

  it('without skill ratios differ by 1 / √(T - 1)', () => {
    expect(noSkillDeviation(101)).toBe(0.1)
    expect(noSkillDeviation(101)).toBe(sharpeError({ sharpe: 0, observations: 101, skewness: 1, kurtosis: 9 }))
    expect(luckySharpe(40, 0.1)).toBe(0.1 * expectedMaximum(40))
  })

  it('has no value for one return, nor where returns take two values and its error would be zero', () => {
    expect(sharpeError({ sharpe: 0.1, observations: 1, skewness: 0, kurtosis: 3 })).toBeNull()
    expect(probabilisticSharpe({ sharpe: 1, observations: 30, skewness: 2, kurtosis: 5 })).toBeNull()
    expect([noSkillDeviation(0), noSkillDeviation(1)]).toEqual([null, null])
  })

  it.each([0, 1.5, -1, Number.NaN])('%s trials are no number of trials', (trials) =>
    expect(() => expectedMaximum(trials)).toThrow(InvariantError),
  )
  it.each([-0.1, Number.NaN])('%s is no deviation', (deviation) =>
    expect(() => luckySharpe(2, deviation)).toThrow(InvariantError),
  )
})

describe('bootstrap intervals', () => {
  it('are the same for the same seed, and others for another', () => {
    const values = normals(60, 1)
    expect(bootstrapValues(values, mean, OPTIONS)).toEqual(bootstrapValues(values, mean, { ...OPTIONS }))
    expect(bootstrapSeries(values, [mean, sharpeRatio], OPTIONS)).toEqual(
      bootstrapSeries(values, [mean, sharpeRatio], OPTIONS),
    )
    expect(bootstrapValues(values, mean, { ...OPTIONS, seed: 8 })).not.toEqual(bootstrapValues(values, mean, OPTIONS))
    expect(bootstrapSeries(values, [mean], { ...OPTIONS, seed: 'other' })).not.toEqual(
      bootstrapSeries(values, [mean], OPTIONS),
    )
  })

  it('contain what was measured, and less confidence is narrower', () => {
    fc.assert(
      fc.property(someReturns(30, 60), fc.nat({ max: 1_000 }), (values, seed) => {
        const [series, plain] = [
          bootstrapSeries(values, [mean], { ...OPTIONS, seed })[0],
          bootstrapValues(values, mean, { ...OPTIONS, seed }),
        ]
        const point = mean(values) ?? Number.NaN
        for (const interval of [series, plain]) {
          expect(interval?.low).toBeLessThanOrEqual(point)
          expect(interval?.high).toBeGreaterThanOrEqual(point)
        }
        const half = bootstrapValues(values, mean, { ...OPTIONS, seed, confidence: 0.5 })
        expect(half?.low).toBeGreaterThanOrEqual(plain?.low ?? Number.NaN)
        expect(half?.high).toBeLessThanOrEqual(plain?.high ?? Number.NaN)
      }),
      { ...RUNS, numRuns: 40 },
    )
  })

  it('contain the truth about as often as they say', () => {
    const RECORDS = 150
    let [plain, series] = [0, 0]
    for (let record = 0; record < RECORDS; record += 1) {
      const values = normals(60, 100_000 + record, 0.2)
      const covers = (interval: { low: number; high: number } | null | undefined) =>
        interval !== null && interval !== undefined && interval.low <= 0.2 && interval.high >= 0.2
      if (covers(bootstrapValues(values, mean, { ...OPTIONS, resamples: 200 }))) plain += 1
      if (covers(bootstrapSeries(values, [mean], { ...OPTIONS, resamples: 200 })[0])) series += 1
    }
    for (const share of [plain / RECORDS, series / RECORDS]) {
      expect(share).toBeGreaterThan(0.86)
      expect(share).toBeLessThan(0.99)
    }
  })

  it('blocks keep neighbours together: a series of runs is less certain than its values in disorder', () => {
    const runs = Array.from({ length: 120 }, (_, index) => (Math.floor(index / 10) % 2 === 0 ? 1 : -1))
    const width = (interval: { low: number; high: number } | null | undefined) =>
      (interval?.high ?? Number.NaN) - (interval?.low ?? Number.NaN)
    expect(width(bootstrapSeries(runs, [mean], OPTIONS)[0])).toBeGreaterThan(
      1.4 * width(bootstrapValues(runs, mean, OPTIONS)),
    )
  })

  it('resample what is there, as long as it is, wrapping around the end', () => {
    const values = Array.from({ length: 27 }, (_, index) => 100 + index)
    let [neighbours, wraps] = [0, 0]
    bootstrapSeries(
      values,
      [
        (sample) => {
          expect(sample).toHaveLength(27)
          expect(values).toEqual(expect.arrayContaining([...new Set(sample)]))
          sample.forEach((value, index) => {
            const before = index === 0 ? 0 : (sample[index - 1] ?? 0)
            if (value === before + 1 || (value === 100 && before === 126)) {
              neighbours += 1
              if (value === 100) wraps += 1
            }
          })
          return 0
        },
      ],
      { ...OPTIONS, resamples: 100 },
    )
    // Mean length three: two of three are followed by their neighbour, and now and then a new block begins there.
    expect(neighbours / (100 * 26)).toBeCloseTo(2 / 3 + 1 / 81, 1)
    expect(wraps).toBeGreaterThan(20)
    expect(meanBlockLength(27)).toBeCloseTo(3, 12)
    expect(meanBlockLength(0)).toBe(1)
  })

  it('of two statistics each has its own', () => {
    const values = normals(60, 2)
    const [means, ratios] = bootstrapSeries(values, [mean, sharpeRatio], OPTIONS)
    expect(bootstrapSeries(values, [sharpeRatio], OPTIONS)).toEqual([ratios])
    expect(bootstrapSeries(values, [mean], OPTIONS)).toEqual([means])
  })

  it('there are none of too few values, no resamples, or a statistic that mostly has no value', () => {
    const values = normals(MIN_BOOTSTRAP_VALUES, 3)
    expect(bootstrapValues(values, mean, OPTIONS)).not.toBeNull()
    expect(bootstrapValues(values.slice(1), mean, OPTIONS)).toBeNull()
    expect(bootstrapSeries(values.slice(1), [mean, mean], OPTIONS)).toEqual([null, null])
    expect(bootstrapSeries([], [mean], OPTIONS)).toEqual([null])
    expect(bootstrapValues(values, mean, { ...OPTIONS, resamples: 0 })).toBeNull()
    let turn = 0
    const everyNth = (n: number) => () => (turn++ % n === 0 ? 1 : null)
    expect(bootstrapValues(values, everyNth(2), OPTIONS)).toEqual({ low: 1, high: 1 })
    expect(bootstrapValues(values, everyNth(3), OPTIONS)).toBeNull()
  })

  it('quantiles lie between the values, linearly', () => {
    expect([0, 0.25, 0.5, 0.9, 1].map((p) => quantile([1, 2, 3, 4, 5], p))).toEqual([1, 2, 3, 4.6, 5])
    expect(quantile([7], 0.3)).toBe(7)
  })
})
