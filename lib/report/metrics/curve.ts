import { minus, type Money, toNumber, ZERO_MONEY } from '../../core/decimal.ts'
import { invariant, InvariantError } from '../../core/invariant.ts'
import { type EpochMs, fromIso, toIso } from '../../core/time.ts'
import type { EquityPoint } from '../../../schemas/equity.ts'

/** Equity at an instant, as a number: what statistics are made of. */
export type CurvePoint = { at: EpochMs; value: number }

/**
 * The equity curve: `startEquity` at `from`, then the points of the slots. Each text is parsed once, here.
 * Deposits and withdrawals are taken out: the curve is that of one unit of money that stayed (time-weighted).
 * Throws an invariant error on points that go back in time, and on a start without money: no return has a meaning then.
 */
export function toCurve(
  equity: readonly EquityPoint[],
  startEquity: Money,
  from: EpochMs,
  transferredAtStart: Money = ZERO_MONEY,
): CurvePoint[] {
  const start = toNumber(startEquity)
  invariant(start > 0, `an equity curve starts above zero, got ${startEquity}`)
  const curve: CurvePoint[] = [{ at: from, value: start }]
  let previous = from
  let transferred = transferredAtStart
  let factor = 1
  for (const point of equity) {
    const at = fromIso(point.at)
    if (at < previous) throw new InvariantError(`equity at ${point.at} comes after equity at ${toIso(previous)}`)
    previous = at
    const value = toNumber(point.equity)
    const moved = toNumber(minus(point.transferred ?? ZERO_MONEY, transferred))
    // A transfer since the last point is no return: from here on all is measured by what equity was without it.
    if (moved !== 0 && value > 0) factor *= (value - moved) / value
    transferred = point.transferred ?? ZERO_MONEY
    curve.push({ at, value: value * factor })
  }
  return curve
}
