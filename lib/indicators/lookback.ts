import { type EpochMs, type Timeframe, timeframeMs } from '../core/time.ts'

/**
 * At least this many bars stand behind a reading (EMA 200 needs 200 to begin and as many again to forget its
 * seed; daily history is short on young contracts), and the first of them moves only every `stride` bars.
 */
const SHORT = { minimum: 500, stride: 100 }
const WINDOWS: Record<Timeframe, { minimum: number; stride: number }> = {
  '1m': SHORT,
  '5m': SHORT,
  '15m': SHORT,
  '30m': SHORT,
  '1h': SHORT,
  '4h': { minimum: 300, stride: 60 },
  '1d': { minimum: 260, stride: 40 },
}

/**
 * The bars that a view as of an instant is made of. `from` is the open time of the first; `limit` counts through the
 * newest closed one.
 */
export type Lookback = { from: EpochMs; limit: number }

/**
 * The warm-up window, anchored: `from` is a multiple of the stride on the epoch. Smoothed indicators depend on
 * where they began; with a window that merely slides they would have to be begun afresh at every bar. Inside
 * one stride they can be carried forward bar by bar, and come out the same as when computed from the anchor.
 */
export function lookback(timeframe: Timeframe, asOf: EpochMs): Lookback {
  const { minimum, stride } = WINDOWS[timeframe]
  const step = timeframeMs(timeframe)
  const newest = Math.floor(asOf / step) - 1
  const first = Math.max(0, Math.floor((newest - minimum + 1) / stride) * stride)
  return { from: first * step, limit: Math.max(1, newest - first + 1) }
}
