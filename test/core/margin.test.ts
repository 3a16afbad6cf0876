import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec } from '../../lib/core/decimal.ts'
import { directionOf, liquidationPrice, type PositionSide } from '../../lib/core/margin.ts'

/** Finds by bisection where margin + unrealised PnL of one unit equals maintenance margin. */
function solve(side: PositionSide, entry: number, leverage: number, maintenance: number): number {
  const surplus = (mark: number): number => entry / leverage + (side === 'long' ? mark - entry : entry - mark) - maintenance * mark
  let [healthy, dead] = side === 'long' ? [entry, 0] : [entry, entry * 4]
  for (let step = 0; step < 200; step++) {
    const middle = (healthy + dead) / 2
    if (surplus(middle) > 0) healthy = middle
    else dead = middle
  }
  return (healthy + dead) / 2
}

describe('liquidation price', () => {
  const cases = fc.record({
    entry: fc.double({ min: 0.01, max: 100_000, noNaN: true }),
    leverage: fc.double({ min: 1.01, max: 15, noNaN: true }),
    maintenance: fc.double({ min: 0, max: 0.06, noNaN: true }),
  })

  it.each(['long', 'short'] as const)('of a %s is where a numeric solution finds it', (side) => {
    fc.assert(
      fc.property(cases, ({ entry, leverage, maintenance }) => {
        const level = Number(liquidationPrice(side, dec(entry), dec(leverage), dec(maintenance)))
        expect(Math.abs(level - solve(side, entry, leverage, maintenance))).toBeLessThan(entry * 1e-9)
        expect(Math.sign(level - entry) * directionOf(side)).toBe(-1)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it.each([
    ['long', '2000', '4', '0.05', 1578.947368],
    ['short', '2000', '4', '0.05', 2380.952381],
    ['long', '2000', '1', '0.05', 0],
    ['long', '2000', '0.5', '0.05', 0],
  ] as const)('%s from %s at %s times, maintenance %s: %d', (side, entry, leverage, maintenance, level) => {
    expect(Number(liquidationPrice(side, dec(entry), dec(leverage), dec(maintenance)))).toBeCloseTo(level, 6)
  })
})
