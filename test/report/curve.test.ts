import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import { DAY_MS, HOUR_MS } from '../../lib/core/time.ts'
import { type CurvePoint, toCurve } from '../../lib/report/metrics/curve.ts'
import { deepestDrawdown, findFalls, longestDrawdown, maxDrawdown } from '../../lib/report/metrics/drawdowns.ts'
import { kurtosis, skewness } from '../../lib/report/metrics/moments.ts'
import {
  annualisedReturn,
  calmarRatio,
  sharpeRatio,
  sortinoRatio,
  totalReturn,
  volatility,
} from '../../lib/report/metrics/ratios.ts'
import { dailyReturns } from '../../lib/report/metrics/returns.ts'
import { exposure, turnover } from '../../lib/report/metrics/use-of-capital.ts'
import { curveOfReturns, dailyCurve, equityOf, money, someReturns, START } from './fixtures.ts'

const RUNS = { seed: 20260103, numRuns: 200 }
const points = (...rows: readonly (readonly [hours: number, value: number])[]): CurvePoint[] =>
  rows.map(([hours, value]) => ({ at: START + hours * HOUR_MS, value }))
const close = (values: readonly number[], wanted: readonly number[]) => {
  expect(values).toHaveLength(wanted.length)
  values.forEach((value, index) => expect(value).toBeCloseTo(wanted[index] ?? Number.NaN, 12))
}

/** Curves above zero with points at odd times, some days without any. */
const someCurve = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1,
    maxLength: 60,
  })
  .chain((steps) => fc.nat({ max: 47 }).map((offset) => ({ steps, offset })))
  .map(({ steps, offset }) => {
    let at = START + (offset * HOUR_MS) / 2
    return [
      { at, value: 10_000 },
      ...steps.map(([halfHours, value]) => ({ at: (at += (halfHours * HOUR_MS) / 2), value })),
    ]
  })

describe('the equity curve', () => {
  it('begins with the start, and parses what follows', () => {
    expect(toCurve(equityOf(['100.5', '99.25'], 30), money('100'), START)).toEqual(
      points([0, 100], [0, 100.5], [0.5, 99.25]),
    )
  })

  it('is refused where time goes back or nothing is there to lose', () => {
    expect(() => toCurve(equityOf([1, 2], -30), money('1'), START)).toThrow(
      'equity at 2025-12-31T23:30:00Z comes after equity at 2026-01-01T00:00:00Z',
    )
    expect(() => toCurve(equityOf([1], 30, START - 1), money('1'), START)).toThrow(InvariantError)
    for (const start of ['0', '-1']) expect(() => toCurve([], money(start), START)).toThrow(/above zero/)
  })
})

describe('daily returns', () => {
  it('go from one UTC midnight to the next: what stands at midnight closes the day', () => {
    close(dailyReturns(points([0, 100], [12, 150], [24, 110], [36, 90], [48, 121])), [0.1, 0.1])
  })

  it('the last slot of a day closes it where none is at midnight', () => {
    close(dailyReturns(points([0, 100], [23.5, 110], [24.5, 50], [47.5, 121])), [0.1, 0.1])
  })

  it.each<[string, [number, number][], number[]]>([
    [
      'a first day of eleven hours joins the second',
      [
        [13, 100],
        [24, 150],
        [48, 110],
      ],
      [0.1],
    ],
    [
      'a first day of twelve hours stands by itself',
      [
        [12, 100],
        [24, 150],
        [48, 165],
      ],
      [0.5, 0.1],
    ],
    [
      'a last day of eleven hours joins the one before',
      [
        [0, 100],
        [24, 150],
        [35, 110],
      ],
      [0.1],
    ],
    [
      'a last day of twelve hours stands by itself',
      [
        [0, 100],
        [24, 150],
        [36, 165],
      ],
      [0.5, 0.1],
    ],
    [
      'a day without points has no return',
      [
        [0, 100],
        [24, 110],
        [72, 121],
      ],
      [0.1, 0, 0.1],
    ],
    [
      'a span across midnight of a few hours is one',
      [
        [20, 100],
        [24, 105],
        [29, 110],
      ],
      [0.1],
    ],
    [
      'an hour is one',
      [
        [1, 100],
        [2, 110],
      ],
      [0.1],
    ],
    [
      'from nothing nothing returns',
      [
        [0, 100],
        [24, 0],
        [48, 50],
        [72, 60],
      ],
      [-1, 0, 0.2],
    ],
    [
      'after the ruin nothing returns',
      [
        [0, 100],
        [24, -20],
        [48, 50],
        [72, 60],
      ],
      [-1.2, 0, 0.2],
    ],
  ])('%s', (_what, rows, wanted) => close(dailyReturns(points(...rows)), wanted))

  it('there are none without time', () => {
    expect([dailyReturns([]), dailyReturns(points([0, 100])), dailyReturns(points([0, 100], [0, 90]))]).toEqual([
      [],
      [],
      [],
    ])
  })

  it('compounded they are the total return, and there are as many as days, give or take one', () => {
    fc.assert(
      fc.property(someCurve, (curve) => {
        const returns = dailyReturns(curve)
        const [first, last] = [curve[0] ?? { at: 0, value: 1 }, curve.at(-1) ?? { at: 0, value: 1 }]
        expect(returns.reduce((wealth, change) => wealth * (1 + change), 1) / (last.value / first.value)).toBeCloseTo(
          1,
          9,
        )
        expect(Math.abs(returns.length - (last.at - first.at) / DAY_MS)).toBeLessThan(1)
      }),
      RUNS,
    )
  })
})

describe('ratios of returns', () => {
  const ratios = [volatility, sharpeRatio, sortinoRatio, skewness, kurtosis] as const

  it('a year of equal halves by hand', () => {
    // Mean 0.01, deviation √(4 · 0.02² / 3), downside √(2 · 0.01² / 4).
    const returns = [0.03, -0.01, 0.03, -0.01]
    expect(sharpeRatio(returns, 1)).toBeCloseTo(0.01 / (0.02 * Math.sqrt(4 / 3)), 14)
    expect(sharpeRatio(returns)).toBeCloseTo((Math.sqrt(365) * 0.01) / (0.02 * Math.sqrt(4 / 3)), 13)
    expect(volatility(returns)).toBeCloseTo(0.02 * Math.sqrt(4 / 3) * Math.sqrt(365), 14)
    expect(sortinoRatio(returns)).toBeCloseTo((Math.sqrt(365) * 0.01) / (0.01 / Math.SQRT2), 12)
    expect([skewness(returns), kurtosis(returns)]).toEqual([expect.closeTo(0, 12), expect.closeTo(1, 12)])
  })

  it.each<[string, number[]]>([
    ['of nothing', []],
    ['of one', [0.1]],
    ['of one fall', [-0.1]],
  ])('have no value %s', (_what, returns) =>
    expect(ratios.map((of) => of(returns))).toEqual([null, null, null, null, null]),
  )

  it('have no value without spread or without a fall', () => {
    const same = Array<number>(40).fill(0.1)
    expect(ratios.map((of) => of(same))).toEqual([0, null, null, null, null])
    expect(ratios.map((of) => of(same.map(() => 0)))).toEqual([0, null, null, null, null])
    // Ten times 0.1 - 0.3 + 0.2 is not zero to a computer: spread of that kind is none.
    expect(sharpeRatio(same.map((value, index) => (index % 2 === 0 ? value : 0.3 - 0.2)))).toBeNull()
    expect(sortinoRatio([0.1, 0.2])).toBeNull()
  })

  it('two returns are enough for a spread and a fall', () => {
    expect(volatility([0.1, -0.1], 1)).toBeCloseTo(Math.sqrt(0.02), 14)
    expect(sortinoRatio([0.2, -0.1], 1)).toBeCloseTo(0.05 / Math.sqrt(0.005), 14)
  })

  it('what is rounding and what is spread depends on the size of the values', () => {
    expect(volatility([300_000, (0.1 + 0.2) * 1e6], 1)).toBe(0)
    expect(volatility([1e-9, 2e-9], 1)).toBeCloseTo(Math.SQRT1_2 * 1e-9, 20)
  })

  it('moments ask for as many values as they need', () => {
    expect(
      [skewness([1, 2]), skewness([1, 2, 4]), kurtosis([1, 2, 4]), kurtosis([1, 2, 4, 8])].map(
        (value) => value !== null,
      ),
    ).toEqual([false, true, false, true])
  })

  it('Sharpe, Sortino, skewness and kurtosis do not change with the size of all returns; volatility is proportional', () => {
    fc.assert(
      fc.property(someReturns(4), fc.integer({ min: 1, max: 400 }), (returns, hundredths) => {
        const scale = hundredths / 100
        const scaled = returns.map((value) => value * scale)
        for (const of of [sharpeRatio, sortinoRatio, skewness, kurtosis]) {
          const [before, after] = [of(returns), of(scaled)]
          if (before === null) expect(after).toBeNull()
          else
            expect(Math.abs((after ?? Number.NaN) - before)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(before)))
        }
        expect(volatility(scaled)).toBeCloseTo((volatility(returns) ?? Number.NaN) * scale, 9)
      }),
      RUNS,
    )
  })

  it('in another currency every figure of a curve is the same', () => {
    fc.assert(
      fc.property(someCurve, fc.integer({ min: 1, max: 1_000 }), (curve, rate) => {
        const other = curve.map(({ at, value }) => ({ at, value: value * rate }))
        dailyReturns(other).forEach((value, index) =>
          expect(value).toBeCloseTo(dailyReturns(curve)[index] ?? Number.NaN, 10),
        )
        expect(maxDrawdown(other)).toBeCloseTo(maxDrawdown(curve), 12)
      }),
      RUNS,
    )
  })

  it('never NaN or infinite, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 20 }), (returns) => {
        for (const of of ratios) expect(Number.isFinite(of(returns) ?? 0)).toBe(true)
      }),
      RUNS,
    )
  })

  it('total return is exact to the last digit that a number has', () => {
    expect(totalReturn(money('10000'), money('10000.00000001'))).toBe(1e-12)
    expect(totalReturn(money('10000'), money('-5000'))).toBe(-1.5)
  })

  it.each<[number, number, number | null]>([
    [0.21, 730, expect.closeTo(0.1, 12) as number],
    [0.1, 365, expect.closeTo(0.1, 12) as number],
    [0.01, 36.5, expect.closeTo(1.01 ** 10 - 1, 12) as number],
    [0.5, 29.999, null],
    [0.5, 30, expect.closeTo(1.5 ** (365 / 30) - 1, 9) as number],
    [-1, 365, -1],
    [-1.2, 365, null],
    [1e300, 30, null],
  ])('%d over %d days is %s a year', (total, days, annual) => expect(annualisedReturn(total, days)).toEqual(annual))

  it('Calmar is annual return over the deepest fall', () => {
    expect([calmarRatio(0.3, 0.15), calmarRatio(-0.3, 0.15), calmarRatio(null, 0.15), calmarRatio(0.3, 0)]).toEqual([
      2,
      -2,
      null,
      null,
    ])
  })
})

describe('drawdowns', () => {
  it('the deepest and the longest need not be the same; plateaus at the peak count as the peak', () => {
    const curve = dailyCurve([100, 100, 60, 100, 120, 118, 119, 117, 119.9, 120, 130, 125])
    const falls = findFalls(curve, START + 20 * DAY_MS)
    expect(deepestDrawdown(falls)).toEqual({
      depth: 0.4,
      peakAt: '2026-01-02T00:00:00Z',
      troughAt: '2026-01-03T00:00:00Z',
      recoveredAt: '2026-01-04T00:00:00Z',
      days: 2,
    })
    expect(longestDrawdown(falls)).toEqual({
      depth: expect.closeTo(5 / 130, 12) as number,
      peakAt: '2026-01-11T00:00:00Z',
      troughAt: '2026-01-12T00:00:00Z',
      recoveredAt: null,
      days: 10,
    })
    expect(longestDrawdown(findFalls(curve, START + 12 * DAY_MS))).toMatchObject({
      depth: 0.025,
      peakAt: '2026-01-05T00:00:00Z',
      troughAt: '2026-01-08T00:00:00Z',
      recoveredAt: '2026-01-10T00:00:00Z',
      days: 5,
    })
    expect(maxDrawdown(curve)).toBe(0.4)
  })

  it('of equals the first is told', () => {
    const falls = findFalls(dailyCurve([100, 90, 100, 90, 100]), START + 4 * DAY_MS)
    expect([deepestDrawdown(falls)?.peakAt, longestDrawdown(falls)?.peakAt]).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00Z',
    ])
    expect(deepestDrawdown(findFalls(dailyCurve([100, 90, 90, 100]), START + 4 * DAY_MS))?.troughAt).toBe(
      '2026-01-02T00:00:00Z',
    )
  })

  it('none on the way up or without points', () => {
    expect([
      findFalls(dailyCurve([1, 1, 2]), START),
      findFalls([], START),
      deepestDrawdown([]),
      longestDrawdown([]),
      maxDrawdown([]),
      maxDrawdown(dailyCurve([1, 2])),
    ]).toEqual([[], [], null, null, 0, 0])
  })

  it('a debt is a fall of more than everything', () => expect(maxDrawdown(dailyCurve([100, -50]))).toBe(1.5))

  it('lies between none and all, is the deepest of the falls, and no fall is shorter than its way down', () => {
    fc.assert(
      fc.property(someCurve, (curve) => {
        const depth = maxDrawdown(curve)
        const end = curve.at(-1)?.at ?? 0
        const falls = findFalls(curve, end)
        expect(depth).toBeGreaterThanOrEqual(0)
        expect(depth).toBeLessThanOrEqual(1)
        expect(deepestDrawdown(falls)?.depth ?? 0).toBe(depth)
        for (const fall of falls) {
          expect(fall.peakAt).toBeLessThan(fall.troughAt)
          expect(fall.troughAt).toBeLessThanOrEqual(fall.recoveredAt ?? end)
          expect(fall.lengthMs).toBe((fall.recoveredAt ?? end) - fall.peakAt)
        }
        // Any pair of points, the later the lower: none falls further.
        for (const [index, { value }] of curve.entries())
          for (const later of curve.slice(index))
            expect((value - later.value) / value).toBeLessThanOrEqual(depth + 1e-12)
      }),
      RUNS,
    )
  })

  it('of returns: holds for a losing streak of any length', () =>
    expect(maxDrawdown(curveOfReturns(Array<number>(10).fill(-0.1)))).toBeCloseTo(1 - 0.9 ** 10, 12))
})

describe('use of capital', () => {
  it('exposure is the share of slots that are not flat', () => {
    const equity = [
      ...equityOf([1], 30),
      ...(['opening', 'open', 'closing'] as const).flatMap((phase) => equityOf([1], 30, START, phase)),
    ]
    expect([exposure(equity), exposure(equityOf([1, 1], 30)), exposure([])]).toEqual([0.75, 0, 0])
  })

  it('turnover is notional over average equity a year', () => {
    expect(turnover(30_000, 10_000, 365 * DAY_MS)).toBe(3)
    expect(turnover(30_000, 10_000, 73 * DAY_MS)).toBe(15)
    expect([
      turnover(1, 10_000, 0),
      turnover(0, 10_000, 0),
      turnover(1, 0, DAY_MS),
      turnover(1, -1, DAY_MS),
      turnover(1, null, DAY_MS),
    ]).toEqual([null, null, null, null, null])
  })
})
