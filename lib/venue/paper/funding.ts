import { DAY_MS, type EpochMs, floorTime, HOUR_MS, MINUTE_MS } from '../../core/time.ts'
import type { FundingRate } from '../../../schemas/market.ts'

/** A rate settled longer ago than this before a boundary says nothing about it. */
export const FUNDING_MEMORY_MS = 2 * DAY_MS

/**
 * Funding settlements with from < time <= to. `known` are the rates on record, oldest first, those of
 * {@link FUNDING_MEMORY_MS} before `from` with them.
 *
 * Each boundary is judged by the rates settled in the two days up to it: they settle at whole multiples of their own
 * spacing (8 hours on some venues, 1 hour on others), and a boundary without a rate carries the last one. Fewer than
 * two have no spacing: then the assumed rate settles every `intervalMs`. So it does not matter how a span is cut in
 * pieces.
 */
export function settlementsBetween(
  from: EpochMs,
  to: EpochMs,
  intervalMs: number,
  known: readonly FundingRate[],
  assumedRate: number,
): FundingRate[] {
  // Recorded times jitter around their boundary: one within the minute after it is still its own.
  const settled = known.map(({ time, rate }) => ({ time: floorTime(time, MINUTE_MS), rate }))
  const result: FundingRate[] = []
  let start = 0
  let end = 0
  let spacing: number | null = null
  for (let boundary = nextBoundary(from, intervalMs); boundary <= to; boundary = nextBoundary(boundary, intervalMs)) {
    const [startBefore, endBefore] = [start, end]
    while ((settled[end]?.time ?? Number.POSITIVE_INFINITY) <= boundary) end += 1
    while (start < end && (settled[start]?.time ?? 0) <= boundary - FUNDING_MEMORY_MS) start += 1
    if (start !== startBefore || end !== endBefore) spacing = smallestGap(settled, start, end)
    if (boundary % (spacing ?? intervalMs) !== 0) continue
    result.push({ time: boundary, rate: (spacing === null ? undefined : settled[end - 1]?.rate) ?? assumedRate })
  }
  return result
}

/** Known rates settle at whole hours, assumed ones at the contract's interval. */
const nextBoundary = (after: EpochMs, intervalMs: number): EpochMs =>
  Math.min(floorTime(after, HOUR_MS) + HOUR_MS, floorTime(after, intervalMs) + intervalMs)

/**
 * Between the rates of [start, end), in whole hours: no venue settles more often, and one stray or late record must not
 * multiply the payments.
 */
function smallestGap(rates: readonly FundingRate[], start: number, end: number): number | null {
  let smallest: number | null = null
  for (let index = start + 1; index < end; index++) {
    const gap = Math.round(((rates[index]?.time ?? 0) - (rates[index - 1]?.time ?? 0)) / HOUR_MS) * HOUR_MS
    if (gap > 0 && (smallest === null || gap < smallest)) smallest = gap
  }
  return smallest
}
