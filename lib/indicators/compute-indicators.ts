import type { Candle } from '../../schemas/market.ts'
import type { Indicators } from '../../schemas/snapshot.ts'
import { createIndicatorStream } from './indicator-stream.ts'

/**
 * Indicators at the last of `candles` (closed bars, oldest first), in full precision. See {@link
 * createIndicatorStream}.
 */
export function computeIndicators(candles: readonly Candle[]): Indicators {
  const stream = createIndicatorStream()
  for (const candle of candles) stream.push(candle)
  return stream.read()
}
