import { describe, expect, it } from 'vitest'
import { findFalls, maxDrawdown } from '../../lib/report/metrics/drawdowns.ts'
import { deviation, kurtosis, mean, skewness } from '../../lib/report/metrics/moments.ts'
import {
  annualisedReturn,
  downsideDeviation,
  sharpeRatio,
  sortinoRatio,
  volatility,
} from '../../lib/report/metrics/ratios.ts'
import {
  deflatedSharpe,
  expectedMaximum,
  luckySharpe,
  probabilisticSharpe,
  sharpeError,
  type SharpeEstimate,
} from '../../lib/report/metrics/sharpe-evidence.ts'
import { curveOfReturns } from './fixtures.ts'

/** Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed. (2008), p. 65: monthly returns. */
const BACON_2008 = [
  0.003, 0.026, 0.011, -0.01, 0.015, 0.025, 0.016, 0.067, -0.014, 0.04, -0.005, 0.081, 0.04, -0.037, -0.061, 0.017,
  -0.049, -0.022, 0.07, 0.058, -0.065, 0.024, -0.005, -0.009,
]
/** The same, 3rd ed. (2023), with the fall from the peak that goes with each month. */
const BACON_2023 = [
  0.003, 0.026, 0.011, -0.009, 0.014, 0.024, 0.015, 0.066, -0.014, 0.039, -0.005, 0.081, 0.04, -0.037, -0.061, 0.014,
  -0.049, -0.021, 0.062, 0.058, -0.064, 0.017, -0.004, -0.002, -0.021, 0.011, 0.047, 0.024, 0.033, -0.007, 0.047, 0.006,
  0.01, -0.002, 0.034, 0.01,
]
const FALLS_2023 = [
  0, 0, 0, 0.009, 0, 0, 0, 0, 0.014, 0, 0.005, 0, 0, 0.037, 0.0957, 0.0831, 0.128, 0.1463, 0.0934, 0.0408, 0.1022,
  0.0869, 0.0906, 0.0924, 0.1115, 0.1017, 0.0595, 0.0369, 0.0051, 0.0121, 0, 0, 0, 0.002, 0, 0,
]

/** Bailey and López de Prado, "The Deflated Sharpe Ratio" (2014), "A Numerical Example": a year of 250 days. */
const STRATEGIST: SharpeEstimate = { sharpe: 2.5 / Math.sqrt(250), observations: 1_250, skewness: -3, kurtosis: 10 }
const STRATEGIST_DEVIATION = Math.sqrt(0.5 / 250)
const NORMAL = { skewness: 0, kurtosis: 3 }

/**
 * Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (2012): two years of months with mean 0.036,
 * deviation 0.079.
 */
const FUND: SharpeEstimate = { sharpe: 0.458, observations: 24, skewness: -2.448, kurtosis: 10.164 }

/**
 * aifinhub.io/articles/deflated-sharpe-low-trial-regimes: Sharpe 1.8 a year of 252 days over 504 days, skewness -0.6,
 * kurtosis 4.5. The article calls the latter excess kurtosis, but its numbers are those of plain kurtosis 4.5; the
 * trials' deviation is 1 a year.
 */
const LOW_TRIALS: SharpeEstimate = { sharpe: 1.8 / Math.sqrt(252), observations: 504, skewness: -0.6, kurtosis: 4.5 }
const LOW_TRIALS_DEVIATION = 1 / Math.sqrt(252)

type Vector = [what: string, got: number | null, published: number, places: number]

const VECTORS: Vector[] = [
  ['DSR 2014: lucky Sharpe of 100 trials', luckySharpe(100, STRATEGIST_DEVIATION), 0.1132, 4],
  ['DSR 2014: deflated by 100 trials', deflatedSharpe(STRATEGIST, 100, STRATEGIST_DEVIATION), 0.9004, 4],
  ['DSR 2014: deflated by 46 trials', deflatedSharpe(STRATEGIST, 46, STRATEGIST_DEVIATION), 0.9505, 4],
  [
    'DSR 2014: normal returns, 88 trials',
    deflatedSharpe({ ...STRATEGIST, ...NORMAL }, 88, STRATEGIST_DEVIATION),
    0.9505,
    4,
  ],
  ['PSR 2012: fund above zero', probabilisticSharpe(FUND), 0.913, 3],
  ['PSR 2012: fund above zero, were it normal', probabilisticSharpe({ ...FUND, ...NORMAL }), 0.982, 3],
  // Section 5: the shortest track record by which 2 a year is above 1 with 95 %.
  [
    'PSR 2012: 59.895 months',
    probabilisticSharpe(
      { sharpe: 2 / Math.sqrt(12), observations: 59.895, skewness: -0.72, kurtosis: 5.78 },
      1 / Math.sqrt(12),
    ),
    0.95,
    6,
  ],
  [
    'PSR 2012: 2.73 years of days',
    probabilisticSharpe({ sharpe: 2 / Math.sqrt(252), observations: 2.73 * 252, ...NORMAL }, 1 / Math.sqrt(252)),
    0.95,
    4,
  ],
  [
    'PSR 2012: 2.83 years of weeks',
    probabilisticSharpe({ sharpe: 2 / Math.sqrt(52), observations: 2.83 * 52, ...NORMAL }, 1 / Math.sqrt(52)),
    0.95,
    4,
  ],
  [
    'PSR 2012: 3.24 years of months',
    probabilisticSharpe({ sharpe: 2 / Math.sqrt(12), observations: 3.24 * 12, ...NORMAL }, 1 / Math.sqrt(12)),
    0.95,
    4,
  ],
  ['low trials: best of 40', expectedMaximum(40), 2.189, 3],
  ['low trials: best of 100', expectedMaximum(100), 2.531, 3],
  ['low trials: best of 1,000', expectedMaximum(1_000), 3.255, 3],
  ['low trials: 1', deflatedSharpe(LOW_TRIALS, 1, LOW_TRIALS_DEVIATION), 0.993, 3],
  ['low trials: 40', deflatedSharpe(LOW_TRIALS, 40, LOW_TRIALS_DEVIATION), 0.298, 3],
  ['low trials: 100', deflatedSharpe(LOW_TRIALS, 100, LOW_TRIALS_DEVIATION), 0.16, 3],
  ['low trials: 1,000', deflatedSharpe(LOW_TRIALS, 1_000, LOW_TRIALS_DEVIATION), 0.024, 3],
  // Bailey, Borwein, López de Prado and Zhu, "Pseudo-Mathematics and Financial Charlatanism" (2014): after 45 trials on
  // five years the best is expected to show 1 a year.
  ['45 trials on five years', luckySharpe(45, 1 / Math.sqrt(5)), 1, 2],
  // Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio" (2013), Red Rock Capital: annual returns in percent.
  ['Sortino 2013: downside deviation', downsideDeviation([17, 15, 23, -5, 12, 9, 13, -4]), 2.264, 3],
  ['Sortino 2013: ratio', sortinoRatio([17, 15, 23, -5, 12, 9, 13, -4], 1), 4.417, 3],
  // Bacon (2008): p. 84-85 and, with a target of 0.5 % a month, p. 94.
  ['Bacon 2008: kurtosis', kurtosis(BACON_2008), 2.43, 2],
  ['Bacon 2008: downside deviation', downsideDeviation(BACON_2008.map((value) => value - 0.005)), 0.0255, 4],
  // Exact rational arithmetic on Bacon's returns, as scipy's skew and kurtosis with bias.
  ['Bacon: mean', mean(BACON_2008), 0.009, 15],
  ['Bacon: deviation', deviation(BACON_2008), 0.039548539246370897, 15],
  ['Bacon: annual deviation', volatility(BACON_2008, 12), 0.039548539246370897 * Math.sqrt(12), 15],
  ['Bacon: skewness', skewness(BACON_2008), -0.08256245520856804, 13],
  ['Bacon: exact kurtosis', kurtosis(BACON_2008), 2.4324537941078743, 13],
  // Of the same returns, the tests of the JavaScript library PortfolioAnalytics (lequant40); the latter with unbiased
  // skewness and kurtosis.
  ['Bacon: Sharpe', sharpeRatio(BACON_2008, 1), 0.22756845566238826, 14],
  [
    'Bacon: probabilistic Sharpe',
    probabilisticSharpe({
      sharpe: 0.22756845566238826,
      observations: 24,
      skewness: -0.08817174934967535,
      kurtosis: 2.592339678813913,
    }),
    0.85765342264124,
    14,
  ],
  // Heights of Spiegel and Stephens, Theory and Problems of Statistics, 3rd ed. (1999), as the same library computes
  // them.
  ['Spiegel: skewness', skewness(heights()), -0.10815437112298999, 13],
  ['Spiegel: kurtosis', kurtosis(heights()), 2.741758968539624, 13],
  ['Bacon 2023: deepest fall', maxDrawdown(curveOfReturns(BACON_2023)), 0.1463, 4],
  // 2 for 1 in two years of 365 days is √2 - 1 a year.
  ['doubled in two years', annualisedReturn(1, 730), Math.SQRT2 - 1, 15],
]

function heights(): number[] {
  return (
    [
      [61, 5],
      [64, 18],
      [67, 42],
      [70, 27],
      [73, 8],
    ] as const
  ).flatMap(([inches, times]) => Array<number>(times).fill(inches))
}

describe('published numbers', () => {
  it.each(VECTORS)('%s', (_what, got, published, places) => {
    expect(Math.abs((got ?? Number.NaN) - published)).toBeLessThanOrEqual(0.5 * 10 ** -places)
  })

  it('the largest errors, among those with many places and among those rounded', () => {
    const errors = VECTORS.map(([what, got, published, places]) => ({
      what,
      places,
      error: Math.abs((got ?? Number.NaN) - published),
    }))
    for (const isLong of [true, false]) {
      const worst = errors.filter(({ places }) => places > 10 === isLong).reduce((a, b) => (a.error >= b.error ? a : b))
      console.info(
        `  largest error ${isLong ? 'of exact vectors' : 'of rounded vectors'}: ${worst.error.toExponential(1)} (${worst.what})`,
      )
    }
    expect(errors.every(({ error }) => Number.isFinite(error))).toBe(true)
  })

  it('the error of a Sharpe ratio, with T - 1: 0.329 and 0.214 are given with T', () => {
    // López de Prado, Lipton and Zoonekynd, "How to use the Sharpe ratio" (2025), exhibit 1: the fund of 2012.
    const fund = { ...FUND, sharpe: 0.036 / 0.079 }
    const withT = Math.sqrt(23 / 24)
    expect((sharpeError(fund) ?? 0) * withT).toBeCloseTo(0.329, 3)
    expect((sharpeError({ ...fund, ...NORMAL }) ?? 0) * withT).toBeCloseTo(0.214, 3)
  })

  it('Bacon 2023: the fall from the peak at every month, and one fall of 18 months', () => {
    const curve = curveOfReturns(BACON_2023)
    let peak = 0
    curve.forEach(({ value }, month) => {
      peak = Math.max(peak, value)
      if (month > 0) expect(Math.abs((peak - value) / peak - (FALLS_2023[month - 1] ?? 0))).toBeLessThan(1e-4)
    })
    const monthOf = (at: number | null) => curve.findIndex((point) => point.at === at)
    const falls = findFalls(curve, curve.at(-1)?.at ?? 0).map(({ depth, peakAt, troughAt, recoveredAt }) => [
      Math.round(depth * 1e4) / 1e4,
      monthOf(peakAt),
      monthOf(troughAt),
      monthOf(recoveredAt),
    ])
    expect(falls).toEqual([
      [0.009, 3, 4, 5],
      [0.014, 8, 9, 10],
      [0.005, 10, 11, 12],
      [0.1463, 13, 18, 31],
      [0.002, 33, 34, 35],
    ])
  })
})
