import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS } from '../core/time.ts'
import { toSignificant } from '../indicators/significant.ts'
import type { FundingRate } from '../../schemas/market.ts'
import type { Snapshot } from '../../schemas/snapshot.ts'
import { FUNDING_DAYS } from './market-facts.ts'

/**
 * Funding as of an instant, from rates settled in the last {@link FUNDING_DAYS} days; null without any.
 *
 * The interval is the median distance between the rates themselves: it is theirs, where the contract's may be
 * another (history of one venue, rules of another). A lone rate takes the contract's; unknown both ways, null.
 */
export function describeFunding(
  rates: readonly FundingRate[],
  contractIntervalMs: number | null,
  asOf: EpochMs,
): Snapshot['funding'] {
  const known = rates.filter(({ time }) => time <= asOf && time > asOf - FUNDING_DAYS * DAY_MS)
  const last = known.at(-1)
  const intervalMs = medianDistance(known) ?? contractIntervalMs
  if (last === undefined || intervalMs === null) return null
  return {
    rate: toSignificant(last.rate),
    intervalHours: toSignificant(intervalMs / HOUR_MS),
    annualised: toSignificant((last.rate * 365 * DAY_MS) / intervalMs),
    averageRate: toSignificant(known.reduce((total, { rate }) => total + rate, 0) / known.length),
  }
}

/** To the minute: settlement times carry a jitter of milliseconds. */
function medianDistance(rates: readonly FundingRate[]): number | null {
  const distances = rates.slice(1).map(({ time }, index) => time - (rates[index]?.time ?? time))
  const middle = distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)]
  const rounded = middle === undefined ? 0 : Math.round(middle / MINUTE_MS) * MINUTE_MS
  return rounded > 0 ? rounded : null
}
