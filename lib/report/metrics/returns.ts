import { DAY_MS } from '../../core/time.ts'
import type { CurvePoint } from './curve.ts'

/** Length of an observation, and how many make a year: markets of this kind never close. */
export const OBSERVATION_HOURS = 24
export const OBSERVATIONS_PER_YEAR = 365

/**
 * Simple returns from one UTC midnight to the next: the observations of volatility, Sharpe, Sortino, moments and
 * bootstrap. Compounded they give the total return, whatever the span.
 *
 * Always days, for short spans too. Finer returns would be more numbers and no more evidence: the standard error of an
 * annual Sharpe ratio is about 1 / √years at any sampling. They would be worse ones: a position is held over many
 * slots and the account is flat for long stretches, so slot returns come in clusters, depend on each other, and scaling
 * by √time overstates (Lo, "The Statistics of Sharpe Ratios", 2002). And the ratios of trials have to be comparable
 * with each other, whatever their length. Where days are too few, that is the finding.
 *
 * Equity at midnight is that of the last point until then; a day without a point is one without a return, for time did
 * pass. An incomplete first or last day of less than twelve hours joins its neighbour. An account at zero or below
 * returns nothing any more.
 */
export function dailyReturns(curve: readonly CurvePoint[]): number[] {
  const first = curve[0]
  const last = curve.at(-1)
  if (first === undefined || last === undefined || last.at <= first.at) return []
  const ends: number[] = []
  for (let midnight = (Math.floor(first.at / DAY_MS) + 1) * DAY_MS; midnight < last.at; midnight += DAY_MS)
    ends.push(midnight)
  if (ends.length > 0 && (ends[0] ?? 0) - first.at < DAY_MS / 2) ends.shift()
  if (ends.length > 0 && last.at - (ends.at(-1) ?? 0) < DAY_MS / 2) ends.pop()
  ends.push(last.at)

  const returns: number[] = []
  let before = first.value
  let next = 0
  for (const end of ends) {
    let value = before
    for (let point = curve[next]; point !== undefined && point.at <= end; point = curve[next]) {
      value = point.value
      next += 1
    }
    returns.push(before > 0 ? value / before - 1 : 0)
    before = value
  }
  return returns
}
