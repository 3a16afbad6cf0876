import { InvariantError } from '../core/invariant.ts'
import { type EpochMs, floorTime, type Timeframe, timeframeMs } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'

/**
 * Coarser bars from finer ones: first open, highest high, lowest low, last close, summed volume, by UTC buckets
 * counted from the epoch.
 *
 * A bucket is emitted when it has ended by `asOf` and holds at least one bar; base bars missing inside it are not
 * invented (they are a `gap` of the base series). `asOf` is the close of the last base bar unless given, so the
 * bucket that is still filling never appears.
 *
 * Prices are exact copies. Volume is a floating-point sum in time order: against a sum made in another order it
 * agrees to about 1e-12 of itself.
 *
 * `base` must be strictly increasing (as `inspectCandles` leaves it). Throws {@link InvariantError} when asked for
 * bars finer than the base: that would be invention.
 */
export function aggregateCandles(
  base: readonly Candle[],
  baseTimeframe: Timeframe,
  timeframe: Timeframe,
  asOf?: EpochMs,
): readonly Candle[] {
  const baseMs = timeframeMs(baseTimeframe)
  const stepMs = timeframeMs(timeframe)
  if (stepMs < baseMs)
    throw new InvariantError(`cannot make ${timeframe} bars of ${baseTimeframe} bars: only coarser ones`)
  const end = asOf ?? (base.at(-1)?.time ?? 0) + baseMs
  if (stepMs === baseMs)
    return (base.at(-1)?.time ?? 0) + baseMs <= end ? base : base.filter((bar) => bar.time + baseMs <= end)

  const bars: Candle[] = []
  let bucketEnd = -1
  let bucket: Candle | undefined
  for (const bar of base) {
    if (bar.time < bucketEnd && bucket !== undefined) {
      if (bar.high > bucket.high) bucket.high = bar.high
      if (bar.low < bucket.low) bucket.low = bar.low
      bucket.close = bar.close
      // A part that is unknown leaves the whole unknown.
      bucket.volume = bucket.volume === null || bar.volume === null ? null : bucket.volume + bar.volume
      continue
    }
    const time = floorTime(bar.time, stepMs)
    bucketEnd = time + stepMs
    if (bucketEnd > end) break
    bucket = { time, open: bar.open, high: bar.high, low: bar.low, close: bar.close, volume: bar.volume }
    bars.push(bucket)
  }
  return bars
}

/** The coarsest of `available` that divides `timeframe`, itself if it is there; undefined when none does. */
export function coarsestDivisor(timeframe: Timeframe, available: readonly Timeframe[]): Timeframe | undefined {
  const stepMs = timeframeMs(timeframe)
  return available
    .filter((candidate) => stepMs % timeframeMs(candidate) === 0)
    .reduce<Timeframe | undefined>(
      (best, candidate) => (best === undefined || timeframeMs(candidate) > timeframeMs(best) ? candidate : best),
      undefined,
    )
}
