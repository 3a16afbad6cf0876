import { type EpochMs, floorTime, type Timeframe, timeframeMs, toIso } from '../core/time.ts'
import { lookback } from '../indicators/lookback.ts'
import type { CandleSeries } from '../market/market-data.ts'
import type { Candle, DataIssue } from '../../schemas/market.ts'

/**
 * A gap counts while it lies among this many newest bars: the longest plain window (Bollinger's) is past it then, and
 * a venue's weekly hour of maintenance does not keep entries out for days.
 */
const GAP_MEMORY_BARS = 20

/** The bars of a series that a view may use, and what is wrong with them. */
export type BarWindow = {
  readonly candles: readonly Candle[]
  /** Why the newest bar is not the one expected, or null; also among the issues. */
  readonly late: DataIssue | null
  readonly issues: readonly DataIssue[]
}

/**
 * Cuts a series to its anchored window: bars from the anchor on that had closed by `asOf`, whatever else the
 * source brought. Gaps and staleness are found here, on exactly these bars; what else the source found wrong
 * is kept where it lies among the newest bars or has no time. A forming bar that was left out is how exchanges answer,
 * not a fault.
 */
export function windowOf(series: CandleSeries, timeframe: Timeframe, asOf: EpochMs): BarWindow {
  const { from } = lookback(timeframe, asOf)
  const step = timeframeMs(timeframe)
  const end = floorTime(asOf, step) - step
  const candles = between(series.candles, from, end)
  const reported = series.issues
    .filter(
      (issue) =>
        issue.kind !== 'gap' &&
        issue.kind !== 'stale' &&
        issue.kind !== 'forming' &&
        // Up to the end of the newest bar: what is missing from its last minutes lies behind its opening.
        isWithin(issue, Math.max(from, end - GAP_MEMORY_BARS * step), end + step - 1),
    )
    .map((issue) => ({ ...issue, detail: `${timeframe}: ${issue.detail}` }))
  const late = lateness(candles, timeframe, end)
  return {
    candles,
    late,
    issues: [...(late === null ? [] : [late]), ...gaps(candles.slice(-GAP_MEMORY_BARS), timeframe), ...reported],
  }
}

/** Bars with from <= open <= end; oldest first in, so a cut at both ends. */
function between(candles: readonly Candle[], from: EpochMs, end: EpochMs): readonly Candle[] {
  let start = 0
  let stop = candles.length
  while (start < stop && (candles[start]?.time ?? 0) < from) start += 1
  while (stop > start && (candles[stop - 1]?.time ?? 0) > end) stop -= 1
  return start === 0 && stop === candles.length ? candles : candles.slice(start, stop)
}

/** The newest closed bar must be the one whose close is the last boundary before the instant. */
function lateness(candles: readonly Candle[], timeframe: Timeframe, expected: EpochMs): DataIssue | null {
  const newest = candles.at(-1)?.time
  if (newest === expected) return null
  if (newest === undefined)
    return { kind: 'missing', at: toIso(expected), count: 1, detail: `${timeframe}: no closed bar at all` }
  const behind = Math.round((expected - newest) / timeframeMs(timeframe))
  return {
    kind: 'stale',
    at: toIso(expected),
    count: Math.max(1, behind),
    detail: `${timeframe}: newest closed bar is ${toIso(newest)}, expected ${toIso(expected)}`,
  }
}

function gaps(candles: readonly Candle[], timeframe: Timeframe): DataIssue[] {
  const step = timeframeMs(timeframe)
  const first = candles[0]
  const last = candles.at(-1)
  if (first === undefined || last === undefined || (last.time - first.time) / step === candles.length - 1) return []
  const found: DataIssue[] = []
  for (let index = 1; index < candles.length; index++) {
    const before = candles[index - 1]?.time ?? 0
    const after = candles[index]?.time ?? 0
    const missing = Math.round((after - before) / step) - 1
    if (missing > 0)
      found.push({
        kind: 'gap',
        at: toIso(before + step),
        count: missing,
        detail: `${timeframe}: ${missing} bars missing before ${toIso(after)}`,
      })
  }
  return found
}

function isWithin(issue: DataIssue, from: EpochMs, end: EpochMs): boolean {
  if (issue.at === null) return true
  const at = Date.parse(issue.at)
  return at >= from && at <= end
}
