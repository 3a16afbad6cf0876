import type { Timeframe } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Indicators, TimeframeView } from '../../schemas/snapshot.ts'
import { createTimeframeStream, type TimeframeStream } from './timeframe-view.ts'

/**
 * Builds the view of one series. {@link buildTimeframeView} is the plain one. `key` tells series of one timeframe
 * apart.
 */
export type ViewBuilder = (
  timeframe: Timeframe,
  candles: readonly Candle[],
  barsShown: number,
  key: string,
) => TimeframeView

/**
 * Views for walking through history: bars already seen are not pushed again, so a step costs the new
 * bars only. The same views as {@link buildTimeframeView}, provided that history does not change behind the
 * walker: a series is taken for the continuation of the last one when it begins with the same bar and still
 * has the last bar seen in its place; otherwise it is computed from its beginning. The views are shared: not
 * to be written to.
 */
export function createIncrementalViews(): {
  build: ViewBuilder
  /** The indicators of the view alone, for less. */ indicators: (...args: Parameters<ViewBuilder>) => Indicators
} {
  const walks = new Map<string, { stream: TimeframeStream; first: Candle; last: Candle; count: number }>()
  const walk = (timeframe: Timeframe, candles: readonly Candle[], barsShown: number, key: string): TimeframeStream => {
    const id = `${key}|${timeframe}|${barsShown}`
    const first = candles[0]
    const last = candles.at(-1)
    const known = walks.get(id)
    const continues = known !== undefined && isSame(first, known.first) && isSame(candles[known.count - 1], known.last)
    const stream = continues ? known.stream : createTimeframeStream(timeframe, barsShown)
    for (let index = continues ? known.count : 0; index < candles.length; index++) {
      const candle = candles[index]
      if (candle !== undefined) stream.push(candle)
    }
    if (first !== undefined && last !== undefined) walks.set(id, { stream, first, last, count: candles.length })
    return stream
  }
  return { build: (...series) => walk(...series).view(), indicators: (...series) => walk(...series).indicators() }
}

const isSame = (a: Candle | undefined, b: Candle): boolean =>
  a === b ||
  (a !== undefined &&
    a.time === b.time &&
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.volume === b.volume)
