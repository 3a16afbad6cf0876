import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalCdf, normalDensity, normalQuantile } from '../../lib/report/metrics/normal.ts'

/** Largest error relative to the value, over rows of [argument, value]. */
const worstOf = (rows: readonly (readonly [number, number])[], of: (x: number) => number): number =>
  Math.max(...rows.map(([x, value]) => Math.abs(of(x) / value - 1)))

describe('the normal distribution', () => {
  it('agrees with tables of its distribution function', () => {
    const worst = worstOf(
      [
        // Abramowitz and Stegun (1964), table 26.1, P(x) to 15 places.
        [0.5, 0.691462461274013],
        [1, 0.841344746068543],
        [1.5, 0.933192798731142],
        [2, 0.977249868051821],
        [2.5, 0.99379033467422],
        [3, 0.99865010196837],
        // R 4, pnorm: tails.
        [-1, 0.158655253931457],
        [-8, 6.22096057427178e-16],
        [-10, 7.61985302416052e-24],
      ],
      normalCdf,
    )
    console.info(`  normal distribution function: largest relative error ${worst.toExponential(1)}`)
    expect(worst).toBeLessThan(2e-14)
  })

  it('agrees with published quantiles', () => {
    const worst = worstOf(
      [
        // Wichura, "Algorithm AS 241", Applied Statistics 37 (1988): the test data of PPND16.
        [0.25, -0.6744897501960817],
        [0.001, -3.090232306167814],
        [1e-20, -9.26234008979841],
        // R 4, qnorm.
        [0.1, -1.2815515655446004],
        [0.975, 1.959963984540054],
        [1e-300, -37.0470962993612],
      ],
      normalQuantile,
    )
    console.info(`  normal quantile: largest relative error ${worst.toExponential(1)}`)
    expect(worst).toBeLessThan(1e-14)
  })

  it('is symmetric, and where its two ways of computing meet there is no step', () => {
    for (let x = 0; x < 8; x += 0.01) expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 15)
    for (const x of [-2, 2])
      expect(normalCdf(x * (1 + 1e-9)) - normalCdf(x * (1 - 1e-9))).toBeCloseTo(2e-9 * x * normalDensity(x), 15)
  })

  it('the quantile undoes the distribution function', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-250, max: 0.5, noNaN: true }), (p) => {
        expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-11)
        expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(1 - (1 - p)), 12)
      }),
      { seed: 20260101, numRuns: 500 },
    )
  })

  it('the normal distribution is exact at its ends', () => {
    expect([
      normalQuantile(0),
      normalQuantile(1),
      normalCdf(Number.NEGATIVE_INFINITY),
      normalCdf(Number.POSITIVE_INFINITY),
    ]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 1])
    expect([normalQuantile(-0.1), normalQuantile(1.1), normalCdf(Number.NaN)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ])
  })
})
