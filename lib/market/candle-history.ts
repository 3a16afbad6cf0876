import { DAY_MS, type EpochMs, floorTime, type Timeframe, timeframeMs, toIso } from '../core/time.ts'
import type { Candle, DataIssue } from '../../schemas/market.ts'
import { aggregateCandles } from './aggregate.ts'
import { type Finding, groupFindings, requireFresh, type Scan } from './inspect-candles.ts'
import type { CandleSeries } from './market-data.ts'

/** A finished stretch of history that answers for any instant, as if nothing later were in it. */
export type CandleHistory = {
  readonly baseTimeframe: Timeframe
  readonly first: Candle | undefined
  readonly last: Candle | undefined
  /**
   * Bars of a timeframe no finer than the base that had closed by `asOf`, the newest `limit`, with the issues that lie
   * among them.
   */
  query(timeframe: Timeframe, asOf: EpochMs, limit: number): CandleSeries
  /** The base bar that opens at `time`. */
  barAt(time: EpochMs): Candle | undefined
  /** All base bars, oldest first, for a walk through them. */
  readonly bars: readonly Candle[]
  /** What is wrong with them, one by one. */
  readonly findings: readonly Finding[]
  /** Stretches without a bar that are longer than any market's break, oldest first. */
  readonly holes: readonly Hole[]
}

/** From the close of the last bar before a hole to the open of the first behind it. */
export type Hole = { readonly from: EpochMs; readonly to: EpochMs }

/** A weekend with a holiday is shorter; what is longer is data that somebody does not have. */
export const HOLE_MS = 7 * DAY_MS

/**
 * Each timeframe is aggregated once, at its first use; a query is then two binary searches and a slice.
 * An issue is told only from the instant at which the bars closed by then show it.
 */
export function createCandleHistory(scan: Scan, baseTimeframe: Timeframe): CandleHistory {
  const baseMs = timeframeMs(baseTimeframe)
  const series = new Map<Timeframe, readonly Candle[]>([[baseTimeframe, scan.candles]])
  const issuesIn = indexFindings(scan.findings, baseTimeframe)

  const barsOf = (timeframe: Timeframe): readonly Candle[] => {
    const known = series.get(timeframe)
    if (known !== undefined) return known
    const bars = aggregateCandles(scan.candles, baseTimeframe, timeframe, Number.POSITIVE_INFINITY)
    series.set(timeframe, bars)
    return bars
  }

  return {
    baseTimeframe,
    first: scan.candles[0],
    last: scan.candles.at(-1),
    bars: scan.candles,
    findings: scan.findings,
    holes: holesIn(scan.candles, baseMs),
    query(timeframe, asOf, limit) {
      const stepMs = timeframeMs(timeframe)
      const bars = barsOf(timeframe)
      const until = floorTime(asOf, stepMs)
      const end = firstAtOrAfter(bars, until)
      const candles = bars.slice(Math.max(0, end - limit), end)
      const from = candles[0]?.time ?? until - limit * stepMs
      const found = requireFresh({ candles, issues: issuesIn(from, until, asOf) }, timeframe, asOf, true)
      if (timeframe === baseTimeframe || candles.at(-1)?.time !== until - stepMs) return found
      // The last bucket is there but may lack its tail; only a later bar would make that a gap.
      const lastBase = scan.candles[firstAtOrAfter(scan.candles, floorTime(asOf, baseMs)) - 1]
      if (lastBase === undefined || lastBase.time + baseMs >= until) return found
      return {
        candles,
        issues: requireFresh({ candles: [lastBase], issues: found.issues }, baseTimeframe, until, true).issues,
      }
    },
    barAt(time) {
      const bar = scan.candles[firstAtOrAfter(scan.candles, time)]
      return bar?.time === time ? bar : undefined
    },
  }
}

function holesIn(bars: readonly Candle[], baseMs: number): Hole[] {
  const holes: Hole[] = []
  let end = bars[0]?.time ?? 0
  for (const { time } of bars) {
    if (time - end > HOLE_MS) holes.push({ from: end, to: time })
    end = time + baseMs
  }
  return holes
}

/** Index of the first bar with time >= `time`; the length when there is none. */
export function firstAtOrAfter(bars: readonly { readonly time: EpochMs }[], time: EpochMs): number {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const bar = bars[middle]
    if (bar !== undefined && bar.time < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Issues overlapping [from, until) and known by `asOf`, found without walking those that are not. */
function indexFindings(
  findings: readonly Finding[],
  timeframe: Timeframe,
): (from: EpochMs, until: EpochMs, asOf: EpochMs) => readonly DataIssue[] {
  const stepMs = timeframeMs(timeframe)
  const ordered = findings
    .map((finding) => ({ finding, time: finding.at ?? 0, end: (finding.at ?? 0) + finding.count * stepMs }))
    .sort((a, b) => a.time - b.time)
  let furthest = Number.NEGATIVE_INFINITY
  const reaches = ordered.map(({ end }) => ({ time: (furthest = Math.max(furthest, end)) }))
  return (from, until, asOf) => {
    if (ordered.length === 0) return []
    const start = firstAtOrAfter(reaches, from + 1)
    const stop = firstAtOrAfter(ordered, until)
    const inside = ordered.slice(start, stop).filter(({ finding, end }) => end > from && finding.knownAt <= asOf)
    return groupFindings(
      inside.map(({ finding }) => finding),
      timeframe,
    )
  }
}

/** What a history covers, for a message. */
export const coverageOf = ({ first, last, baseTimeframe }: CandleHistory): string =>
  first === undefined || last === undefined
    ? 'no bars'
    : `${baseTimeframe} bars from ${toIso(first.time)} to ${toIso(last.time + timeframeMs(baseTimeframe))}`

/** From the open of its first bar to the close of its last; null without bars. */
export const spanOf = ({ first, last, baseTimeframe }: CandleHistory): { from: EpochMs; to: EpochMs } | null =>
  first === undefined || last === undefined ? null : { from: first.time, to: last.time + timeframeMs(baseTimeframe) }
