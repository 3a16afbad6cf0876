import { UsageError } from '../../core/invariant.ts'
import { DAY_MS, type EpochMs, toIso } from '../../core/time.ts'

/** Fewer rows have no span of their own to lie outside of. */
const LEAST_ROWS = 5
/** What lies no further away than this is a hole in the data, not a slip. */
const NEAR_MS = 30 * DAY_MS

/**
 * Refuses rows far outside the span of all the others: at most two, or one in a thousand, that a stretch longer than
 * the whole rest parts from it. More rows on both sides are two stretches of data with a hole between them. Throws
 * {@link UsageError} naming the row.
 */
export function requireOwnSpan(times: readonly EpochMs[], placeOf: (index: number) => string, name: string): void {
  const { length } = times
  if (length < LEAST_ROWS) return
  const order = isSorted(times)
    ? null
    : times.map((_, index) => index).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0))
  const at = (rank: number): EpochMs => times[order === null ? rank : (order[rank] ?? 0)] ?? 0
  const stray = Math.max(2, Math.floor(length / 1_000))
  const refuse = (rank: number, side: string, edge: EpochMs): never => {
    const index = order === null ? rank : (order[rank] ?? 0)
    throw new UsageError(
      `${name}, ${placeOf(index)}: ${toIso(at(rank))} lies far ${side} all other rows (${toIso(edge)}); correct the time or remove the row`,
    )
  }
  for (let count = 1; count <= stray && count < length - 1; count += 1) {
    const [low, high] = [at(count), at(length - 1 - count)]
    if (low - at(count - 1) > Math.max(NEAR_MS, at(length - 1) - low)) refuse(count - 1, 'before', low)
    if (at(length - count) - high > Math.max(NEAR_MS, high - at(0))) refuse(length - count, 'after', high)
  }
}

function isSorted(times: readonly EpochMs[]): boolean {
  for (let index = 1; index < times.length; index += 1) if ((times[index] ?? 0) < (times[index - 1] ?? 0)) return false
  return true
}
