import { type EpochMs, timeframeMs, toIso } from '../core/time.ts'
import { type CandleHistory, firstAtOrAfter } from '../market/candle-history.ts'
import { holesOf } from '../market/carry.ts'
import type { DataQuality } from '../../schemas/replay.ts'

/**
 * What the bars that open in [from, to) are worth: how many there should be, how many there are, for how many the last
 * price is carried, and how many are missing: real + carried + missing = expected. A hole is carried or a gap as a
 * whole, whatever part of it lies within.
 */
export function measureQuality(history: CandleHistory, from: EpochMs, to: EpochMs): DataQuality {
  const { bars, baseTimeframe, findings } = history
  const stepMs = timeframeMs(baseTimeframe)
  const expected = Math.round((to - from) / stepMs)
  const real = firstAtOrAfter(bars, to) - firstAtOrAfter(bars, from)
  const holes = holesOf(bars, stepMs).flatMap((hole) => {
    const begin = Math.max(hole.from, from)
    const count = Math.round((Math.min(hole.from + hole.count * stepMs, to) - begin) / stepMs)
    return count > 0 ? [{ from: begin, count, isCarried: hole.isCarried }] : []
  })
  const gaps = holes.filter(({ isCarried }) => !isCarried)
  const longest = gaps.reduce<(typeof gaps)[number] | null>(
    (most, gap) => (most === null || gap.count > most.count ? gap : most),
    null,
  )
  const carried = holes.reduce((total, { count, isCarried }) => total + (isCarried ? count : 0), 0)
  const inside = findings.filter(({ at }) => at !== null && at >= from && at < to)
  const countOf = (wanted: string): number =>
    inside.reduce((total, { rule, count }) => total + (rule === wanted ? count : 0), 0)
  return {
    expected,
    real,
    carried,
    missing: expected - real - carried,
    gaps: gaps.length,
    longestGap: longest === null ? null : { from: toIso(longest.from), bars: longest.count },
    duplicates: countOf('duplicate'),
    conflicts: countOf('duplicate_conflict'),
  }
}
