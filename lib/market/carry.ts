import { type EpochMs, MINUTE_MS } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'

/**
 * Exchanges leave out the bars of minutes in which nobody traded. For so long in a row the last price is carried; a
 * longer stretch without a bar is a gap: data that is missing.
 */
export const MAX_CARRIED_MS = 15 * MINUTE_MS

/** A stretch of bars that are not there: `count` of them from `from` on. */
export type Hole = { readonly from: EpochMs; readonly count: number; readonly isCarried: boolean }

/**
 * The holes between bars in order of time, oldest first. A hole of at most {@link MAX_CARRIED_MS} is carried, a longer
 * one is a gap from its first bar on. The rule is one, for files and for live exchanges.
 */
export function holesOf(bars: readonly Pick<Candle, 'time'>[], stepMs: number): Hole[] {
  const first = bars[0]
  const last = bars.at(-1)
  if (first === undefined || last === undefined || last.time - first.time === (bars.length - 1) * stepMs) return []
  const holes: Hole[] = []
  let expected = first.time
  for (const { time } of bars) {
    if (time > expected)
      holes.push({ from: expected, count: (time - expected) / stepMs, isCarried: time - expected <= MAX_CARRIED_MS })
    expected = time + stepMs
  }
  return holes
}

/**
 * The bar that stands for the one opening at `time`, of which there is none: open, high, low and close are the close of
 * `before`, the last bar there is, and the volume is 0. Null once `before` closed too long ago: then it is a gap.
 * A carried bar says what the price is; nothing fills and nothing fires on it, and coarser bars are made without it, as
 * exchanges make theirs.
 */
export function carriedBar(before: Candle, time: EpochMs, stepMs: number): Candle | null {
  const closedAt = before.time + stepMs
  if (time < closedAt || time + stepMs - closedAt > MAX_CARRIED_MS) return null
  const { close } = before
  return { time, open: close, high: close, low: close, close, volume: 0 }
}
