import { type EpochMs, floorTime, type Timeframe, timeframeMs, toIso } from '../core/time.ts'
import type { Candle, DataIssue } from '../../schemas/market.ts'
import { holesOf, MAX_CARRIED_MS } from './carry.ts'
import type { CandleSeries } from './market-data.ts'

/** A bar as a source handed it over: the shape of a {@link Candle}, nothing yet known of its values. */
export type RawCandle = {
  time: number
  open: number
  high: number
  low: number
  close: number
  /** Null where the source has none. */
  volume: number | null
}

/**
 * One thing wrong with one bar (or one gap). `knownAt` is the first instant at which bars closed by then show it:
 * a gap is a gap only once the bar behind it has closed. `rule` says which findings may be told as one issue.
 */
export type Finding = {
  readonly kind: DataIssue['kind']
  readonly at: EpochMs | null
  readonly count: number
  readonly knownAt: EpochMs
  readonly rule: string
  readonly detail: string
}

export type Scan = { readonly candles: readonly Candle[]; readonly findings: readonly Finding[] }

/** Largest instant a date can hold. */
const MAX_INSTANT = 8.64e15

/**
 * Makes a trustworthy series of what a source handed over: closed bars only, times strictly increasing by
 * multiples of the timeframe, every value finite, and every defect named. Rows are kept as they are, not copied.
 *
 * | defect | what becomes of it |
 * |---|---|
 * | `not_a_number` | a value (or the time) that is missing, not finite or not a number: the bar is dropped |
 * | `misaligned` | opens off the grid of the timeframe (multiples since the epoch): dropped |
 * | `forming` | open + timeframe > asOf: dropped; reported because the source handed it over |
 * | `not_positive` | a price <= 0 or a volume < 0: dropped |
 * | `inconsistent` | high or low does not enclose open and close: dropped |
 * | `disorder` | a bar after a later one: put in its place; counted |
 * | `duplicate` | identical copies: the first kept; conflicting: the one with the larger volume (a bar only grows while it forms), the first where those are equal |
 * | `gap` | bars missing between two kept bars, dropped ones among them, for longer than the last price is carried ({@link holesOf}); one issue a hole |
 *
 * Neighbouring bars with the same defect are told as one issue with a count. Issues come oldest first.
 */
export function inspectCandles(rows: readonly unknown[], timeframe: Timeframe, asOf: EpochMs): CandleSeries {
  const { candles, findings } = scanCandles(rows, timeframe, asOf)
  return { candles, issues: groupFindings(findings, timeframe) }
}

/** {@link inspectCandles} with its findings one by one, for a source that answers for many instants from one scan. */
export function scanCandles(rows: readonly unknown[], timeframe: Timeframe, asOf: EpochMs): Scan {
  const stepMs = timeframeMs(timeframe)
  const findings: Finding[] = []
  const kept: Candle[] = []
  let latest = -1
  let isSorted = true
  let hasCopies = false

  for (const value of rows) {
    const row = value as RawCandle
    const problem = problemOf(row, stepMs, asOf)
    if (problem !== undefined) {
      findings.push(problem)
      continue
    }
    if (row.time > latest) latest = row.time
    else if (row.time === latest) hasCopies = true
    else isSorted = false
    kept.push(row)
  }

  const sorted = isSorted ? kept : putInOrder(kept, stepMs, findings)
  const candles = isSorted && !hasCopies ? sorted : dropCopies(sorted, stepMs, findings)
  findGaps(candles, stepMs, findings)
  return { candles, findings }
}

/** Tells findings as issues, oldest first: neighbours of one rule become one. */
export function groupFindings(findings: readonly Finding[], timeframe: Timeframe): DataIssue[] {
  if (findings.length === 0) return []
  const stepMs = timeframeMs(timeframe)
  const ordered = [...findings].sort((a, b) => compareText(a.rule, b.rule) || (a.at ?? -1) - (b.at ?? -1))
  const groups: { first: Finding; last: Finding; count: number }[] = []
  for (const finding of ordered) {
    const group = groups.at(-1)
    if (group !== undefined && areNeighbours(group.last, finding, stepMs)) {
      group.last = finding
      group.count += finding.count
    } else groups.push({ first: finding, last: finding, count: finding.count })
  }
  return groups
    .sort((a, b) => (a.first.at ?? -1) - (b.first.at ?? -1) || compareText(a.first.rule, b.first.rule))
    .map(({ first, count }) => ({
      kind: first.kind,
      at: first.at === null ? null : toIso(first.at),
      count,
      detail: first.detail,
    }))
}

/**
 * Adds what the end of a series lacks as of an instant: `missing` with the number of bars when the last bar that
 * has closed by `asOf` is not there, and `stale` beside it when more than that one is missing.
 * `at` is the first bar missing; an empty series misses the last one. With `isComplete` whatever will come has come: then
 * a stretch without bars that is no longer than the last price is carried ({@link MAX_CARRIED_MS}) had no trades.
 */
export function requireFresh(
  series: CandleSeries,
  timeframe: Timeframe,
  asOf: EpochMs,
  isComplete: boolean,
): CandleSeries {
  const stepMs = timeframeMs(timeframe)
  const expected = floorTime(asOf, stepMs) - stepMs
  const last = series.candles.at(-1)
  if (expected < 0 || (last !== undefined && last.time >= expected)) return series
  if (last === undefined) {
    return {
      ...series,
      issues: [
        ...series.issues,
        { kind: 'missing', at: toIso(expected), count: 1, detail: `no ${timeframe} bar closed by ${toIso(asOf)}` },
      ],
    }
  }
  if (isComplete && expected - last.time <= MAX_CARRIED_MS) return series
  const count = (expected - last.time) / stepMs
  const at = toIso(last.time + stepMs)
  const issues: DataIssue[] = [
    { kind: 'missing', at, count, detail: `the ${timeframe} bar of ${toIso(expected)} has closed and is not there` },
  ]
  if (count > 1) {
    issues.push({
      kind: 'stale',
      at,
      count,
      detail: `the last ${timeframe} bar closed ${toIso(last.time + stepMs)}, ${count} bars before the last it should have`,
    })
  }
  return { ...series, issues: [...series.issues, ...issues] }
}

function problemOf(row: RawCandle | null | undefined, stepMs: number, asOf: EpochMs): Finding | undefined {
  if (row === null || row === undefined || typeof row !== 'object') return defect('not_a_number', null, 0, 'not a bar')
  const { time, open, high, low, close, volume } = row
  if (!Number.isFinite(time) || time < 0 || time > MAX_INSTANT)
    return defect('not_a_number', null, 0, `time is ${String(time)}`)
  const closes = time + stepMs
  if (time % stepMs !== 0) return defect('misaligned', Math.floor(time), closes, 'opens off the grid of its timeframe')
  if (closes > asOf) return defect('forming', time, closes, `closes ${toIso(closes)}, after ${toIso(asOf)}`)
  if (!(
    Number.isFinite(open) &&
    Number.isFinite(high) &&
    Number.isFinite(low) &&
    Number.isFinite(close) &&
    (volume === null || Number.isFinite(volume))
  )) {
    return defect('not_a_number', time, closes, valuesOf(row))
  }
  if (open <= 0 || high <= 0 || low <= 0 || close <= 0 || (volume ?? 0) < 0)
    return defect('not_positive', time, closes, valuesOf(row))
  if (high < open || high < close || low > open || low > close)
    return defect('inconsistent', time, closes, valuesOf(row))
  return undefined
}

const defect = (kind: DataIssue['kind'], at: EpochMs | null, knownAt: EpochMs, what: string): Finding => ({
  kind,
  at,
  count: 1,
  knownAt,
  rule: kind,
  detail: `${what}; dropped`,
})

const valuesOf = ({ open, high, low, close, volume }: RawCandle): string =>
  `open ${String(open)}, high ${String(high)}, low ${String(low)}, close ${String(close)}, volume ${String(volume)}`

/**
 * Bars by time, copies in the order they came. A bar is out of order when a later one came before it; that shows
 * from the close of the earliest such one, which is the next in time with a smaller place in the input: found for all
 * bars in one pass from the end, keeping on a stack only the places that can still be the answer.
 */
function putInOrder(bars: readonly Candle[], stepMs: number, findings: Finding[]): Candle[] {
  const placed = bars.map((bar, place) => ({ bar, place })).sort((a, b) => a.bar.time - b.bar.time || a.place - b.place)
  const stack: { bar: Candle; place: number }[] = []
  for (const entry of placed.toReversed()) {
    while ((stack.at(-1)?.place ?? -1) > entry.place) stack.pop()
    const later = stack.at(-1)
    if (later !== undefined) {
      findings.push({
        kind: 'disorder',
        at: entry.bar.time,
        count: 1,
        knownAt: later.bar.time + stepMs,
        rule: 'disorder',
        detail: 'came after a later bar; put in its place',
      })
    }
    stack.push(entry)
  }
  return placed.map(({ bar }) => bar)
}

/** One bar a time, of bars in order of time. */
function dropCopies(sorted: readonly Candle[], stepMs: number, findings: Finding[]): Candle[] {
  const candles: Candle[] = []
  for (const bar of sorted) {
    const kept = candles.at(-1)
    if (kept === undefined || kept.time !== bar.time) {
      candles.push(bar)
      continue
    }
    const isSame =
      kept.open === bar.open &&
      kept.high === bar.high &&
      kept.low === bar.low &&
      kept.close === bar.close &&
      kept.volume === bar.volume
    const rule = isSame ? 'duplicate' : 'duplicate_conflict'
    const detail = isSame
      ? 'the same bar more than once; the first kept'
      : `copies differ: close ${kept.close} volume ${kept.volume}, close ${bar.close} volume ${bar.volume}; the larger volume kept`
    findings.push({ kind: 'duplicate', at: bar.time, count: 1, knownAt: bar.time + stepMs, rule, detail })
    if ((bar.volume ?? 0) > (kept.volume ?? 0)) candles[candles.length - 1] = bar
  }
  return candles
}

function findGaps(candles: readonly Candle[], stepMs: number, findings: Finding[]): void {
  for (const { from, count, isCarried } of holesOf(candles, stepMs)) {
    if (isCarried) continue
    const to = from + count * stepMs
    const detail = `${count} missing from ${toIso(from)} to ${toIso(to)}`
    findings.push({ kind: 'gap', at: from, count, knownAt: to + stepMs, rule: 'gap', detail })
  }
}

/** Gaps stand alone; they are whole already. */
const areNeighbours = (a: Finding, b: Finding, stepMs: number): boolean =>
  a.rule === b.rule && a.rule !== 'gap' && (a.at === null) === (b.at === null) && (b.at ?? 0) - (a.at ?? 0) <= stepMs

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
