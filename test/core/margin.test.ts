import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, dec } from '../../lib/core/decimal.ts'
import { directionOf, liquidationPrice, type PositionSide } from '../../lib/core/margin.ts'

/** Finds by bisection where margin + unrealised PnL of one unit equals maintenance margin. */
function solve(side: PositionSide, entry: number, leverage: number, maintenance: number): number {
  const surplus = (mark: number): number =>
    entry / leverage + (side === 'long' ? mark - entry : entry - mark) - maintenance * mark
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

  it.each([
    ['long', '2679', '3', '0.05', '1880'],
    ['short', '2520', '3', '0.05', '3200'],
    ['long', '0.2679', '3', '0.05', '0.188'],
    ['long', '1881', '10', '0.01', '1710'],
    ['short', '1010', '10', '0.1', '1010'],
    ['long', '2000.5', '2', '0', '1000.25'],
    ['short', '2000.5', '2', '0', '3000.75'],
    ['short', '63000', '7', '0.0125', '71111.11111111111111111111'],
  ] as const)('%s from %s at %s times, maintenance %s: exactly %s', (side, entry, leverage, maintenance, level) => {
    expect(canonical(liquidationPrice(side, dec(entry), dec(leverage), dec(maintenance)))).toBe(level)
  })

  const exact = fc.record({
    entry: fc.integer({ min: 1, max: 10_000_000 }).map((cents) => dec(cents).div(100)),
    leverage: fc.integer({ min: 11, max: 200 }).map((tenths) => dec(tenths).div(10)),
    maintenance: fc.integer({ min: 0, max: 600 }).map((bps) => dec(bps).div(10_000)),
  })

  it.each(['long', 'short'] as const)(
    'of a %s is where margin and gain together are the maintenance margin, to 1e-12 of the notional',
    (side) => {
      fc.assert(
        fc.property(exact, ({ entry, leverage, maintenance }) => {
          const level = liquidationPrice(side, entry, leverage, maintenance)
          fc.pre(level.gt(0))
          // All times the leverage, so that nothing has to be divided.
          const gain = level.minus(entry).times(directionOf(side))
          const surplus = entry.plus(gain.times(leverage)).minus(maintenance.times(level).times(leverage))
          expect(surplus.abs().lte(entry.times(leverage).times('1e-12'))).toBe(true)
        }),
        { seed: 8, numRuns: 500 },
      )
    },
  )

  it.each(['long', 'short'] as const)('of a %s on a tick is that tick', (side) => {
    const leverages = side === 'long' ? ['2', '3', '5', '6', '11', '1.5'] : ['1', '3', '4', '7', '9', '1.5']
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom(...leverages),
        fc.integer({ min: 0, max: 600 }),
        (halves, leverage, bps) => {
          const direction = directionOf(side)
          const level = dec(halves).div(2)
          const rate = dec(bps).div(10_000)
          // The entry that leads there: (leverage - direction) divides any decimal exactly.
          const entry = level
            .times(leverage)
            .times(dec(1).minus(rate.times(direction)))
            .div(dec(leverage).minus(direction))
          expect(canonical(liquidationPrice(side, entry, dec(leverage), rate))).toBe(canonical(level))
        },
      ),
      { seed: 9, numRuns: 500 },
    )
  })

  it.each(['long', 'short'] as const)(
    'of a %s comes nearer the more leverage and the more maintenance, and moves with the entry',
    (side) => {
      const farther = (a: ReturnType<typeof dec>, b: ReturnType<typeof dec>) => (side === 'long' ? a.lte(b) : a.gte(b))
      fc.assert(
        fc.property(exact, exact, (a, b) => {
          const level = (entry: typeof a.entry, leverage: typeof a.leverage, maintenance: typeof a.maintenance) =>
            liquidationPrice(side, entry, leverage, maintenance)
          const [low, high] = a.leverage.lte(b.leverage) ? [a.leverage, b.leverage] : [b.leverage, a.leverage]
          expect(farther(level(a.entry, low, a.maintenance), level(a.entry, high, a.maintenance))).toBe(true)
          const [less, more] = a.maintenance.lte(b.maintenance)
            ? [a.maintenance, b.maintenance]
            : [b.maintenance, a.maintenance]
          expect(farther(level(a.entry, a.leverage, less), level(a.entry, a.leverage, more))).toBe(true)
          expect(level(a.entry, a.leverage, a.maintenance).lte(level(b.entry, a.leverage, a.maintenance))).toBe(
            a.entry.lte(b.entry),
          )
        }),
        { seed: 10, numRuns: 500 },
      )
    },
  )
})
