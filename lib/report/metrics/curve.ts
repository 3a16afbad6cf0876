import { type Money, toNumber } from '../../core/decimal.ts'
import { invariant, InvariantError } from '../../core/invariant.ts'
import { type EpochMs, fromIso, toIso } from '../../core/time.ts'
import type { EquityPoint } from '../../../schemas/equity.ts'

/** Equity at an instant, as a number: what statistics are made of. */
export type CurvePoint = { at: EpochMs; value: number }

/**
 * The equity curve: `startEquity` at `from`, then the points of the slots. Each text is parsed once, here.
 * Throws an invariant error on points that go back in time, and on a start without money: no return has a meaning then.
 */
export function toCurve(equity: readonly EquityPoint[], startEquity: Money, from: EpochMs): CurvePoint[] {
  const start = toNumber(startEquity)
  invariant(start > 0, `an equity curve starts above zero, got ${startEquity}`)
  const curve: CurvePoint[] = [{ at: from, value: start }]
  let previous = from
  for (const point of equity) {
    const at = fromIso(point.at)
    if (at < previous) throw new InvariantError(`equity at ${point.at} comes after equity at ${toIso(previous)}`)
    previous = at
    curve.push({ at, value: toNumber(point.equity) })
  }
  return curve
}
