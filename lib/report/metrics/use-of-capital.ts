import { DAY_MS } from '../../core/time.ts'
import type { EquityPoint } from '../../../schemas/equity.ts'
import { divide } from './moments.ts'
import { OBSERVATIONS_PER_YEAR } from './returns.ts'

/** Share of the slots that were not flat: a position open, or being opened or closed. 0 without slots. */
export const exposure = (equity: readonly EquityPoint[]): number =>
  divide(equity.filter(({ phase }) => phase !== 'flat').length, equity.length) ?? 0

/**
 * Turnover a year: notional traded, both ways, over average equity, divided by the years it took. Null without time or
 * without equity.
 */
export function turnover(notional: number, averageEquity: number | null, spanMs: number): number | null {
  if (averageEquity === null || averageEquity <= 0) return null
  return divide(notional / averageEquity, spanMs / (OBSERVATIONS_PER_YEAR * DAY_MS))
}
