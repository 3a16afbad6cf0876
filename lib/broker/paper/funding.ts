import { type EpochMs, floorTime, HOUR_MS, MINUTE_MS } from '../../core/time.ts'
import type { FundingRate } from '../../../schemas/market.ts'

/**
 * Funding settlements with from < time <= to.
 *
 * Known rates settle at their own boundaries, whatever their spacing (8 hours on some venues, 1 hour on others);
 * a boundary of that spacing without a rate carries the last known one. Where nothing is known the assumed
 * rate settles every `intervalMs`. `known` may reach further back than `from`.
 */
export function settlementsBetween(from: EpochMs, to: EpochMs, intervalMs: number, known: readonly FundingRate[], assumedRate: number): FundingRate[] {
  // Recorded times jitter around their boundary: one within the minute after it is still its own.
  const settled = known.map(({ time, rate }) => ({ time: floorTime(time, MINUTE_MS), rate }))
  const spacing = smallestGap(settled) ?? intervalMs
  const result: FundingRate[] = []
  let next = 0
  let last: number | null = null
  for (let boundary = floorTime(from, spacing) + spacing; boundary <= to; boundary += spacing) {
    for (let candidate = settled[next]; candidate !== undefined && candidate.time <= boundary; candidate = settled[++next]) last = candidate.rate
    result.push({ time: boundary, rate: last ?? assumedRate })
  }
  return result
}

/** In whole hours: no venue settles more often, and one stray or late record must not multiply the payments. */
function smallestGap(rates: readonly FundingRate[]): number | null {
  let smallest: number | null = null
  for (const [index, { time }] of rates.entries()) {
    const before = rates[index - 1]
    const gap = before === undefined ? 0 : Math.round((time - before.time) / HOUR_MS) * HOUR_MS
    if (gap > 0 && (smallest === null || gap < smallest)) smallest = gap
  }
  return smallest
}
