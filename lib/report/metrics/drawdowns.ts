import { DAY_MS, type EpochMs, toIso } from '../../core/time.ts'
import type { Drawdown } from '../../../schemas/metrics.ts'
import type { CurvePoint } from './curve.ts'

/** A fall below a peak, until the peak is reached again or the curve ends. */
export type Fall = { depth: number; peakAt: EpochMs; troughAt: EpochMs; recoveredAt: EpochMs | null; lengthMs: number }

/**
 * Every fall of the curve, in order. Depth is (peak - trough) / peak, above one when more than all is lost; a fall
 * begins at the last instant at the peak and ends when equity is at the peak again, or at `end`.
 */
export function findFalls(curve: readonly CurvePoint[], end: EpochMs): Fall[] {
  const falls: Fall[] = []
  let peak = curve[0]
  let trough: CurvePoint | null = null
  for (const point of curve) {
    if (peak === undefined || point.value >= peak.value) {
      if (peak !== undefined && trough !== null) falls.push(fallOf(peak, trough, point.at, end))
      peak = point
      trough = null
    } else if (trough === null || point.value < trough.value) trough = point
  }
  if (peak !== undefined && trough !== null) falls.push(fallOf(peak, trough, null, end))
  return falls
}

const fallOf = (peak: CurvePoint, trough: CurvePoint, recoveredAt: EpochMs | null, end: EpochMs): Fall => ({
  depth: (peak.value - trough.value) / peak.value,
  peakAt: peak.at,
  troughAt: trough.at,
  recoveredAt,
  lengthMs: (recoveredAt ?? end) - peak.at,
})

/** The deepest fall of a curve that starts above zero, as a fraction of its peak; 0 where it never falls. */
export function maxDrawdown(curve: readonly CurvePoint[]): number {
  let peak = Number.NEGATIVE_INFINITY
  let deepest = 0
  for (const { value } of curve) {
    peak = Math.max(peak, value)
    deepest = Math.max(deepest, (peak - value) / peak)
  }
  return deepest
}

/** The deepest of the falls, the first of equals. */
export const deepestDrawdown = (falls: readonly Fall[]): Drawdown | null =>
  describe(greatest(falls, ({ depth }) => depth))

/** The fall that lasted longest from peak to recovery or end (time under water), the first of equals. */
export const longestDrawdown = (falls: readonly Fall[]): Drawdown | null =>
  describe(greatest(falls, ({ lengthMs }) => lengthMs))

function greatest(falls: readonly Fall[], sizeOf: (fall: Fall) => number): Fall | null {
  let found: Fall | null = null
  for (const fall of falls) if (found === null || sizeOf(fall) > sizeOf(found)) found = fall
  return found
}

function describe(fall: Fall | null): Drawdown | null {
  if (fall === null) return null
  const { depth, peakAt, troughAt, recoveredAt, lengthMs } = fall
  return {
    depth,
    peakAt: toIso(peakAt),
    troughAt: toIso(troughAt),
    recoveredAt: recoveredAt === null ? null : toIso(recoveredAt),
    days: lengthMs / DAY_MS,
  }
}
