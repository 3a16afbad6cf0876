import { MINUTE_MS } from '../../lib/core/time.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from '../../lib/market/history-source.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'

/** A market of one-minute bars given as they are, answering through the code that answers for files. */
export function createArrayMarket(
  symbol: string,
  bars: readonly Candle[],
  funding: readonly FundingRate[] = [],
): HistoryMarket {
  const history = createCandleHistory(scanCandles([...bars], '1m', Number.POSITIVE_INFINITY), '1m')
  return {
    ...createHistoryMarket({ name: 'array', symbol, histories: new Map([[symbol, history]]), funding }),
    span: null,
  }
}

/**
 * Minutes around a level: a small saw-tooth, so that ranges and ATR are not zero. `shape` bends the level by minute
 * index.
 */
export function minuteBars(
  from: number,
  count: number,
  level: number,
  shape: (minute: number) => number = () => 0,
): Candle[] {
  return Array.from({ length: count }, (_, minute) => {
    const open = level + shape(minute) + (minute % 2 === 0 ? 1 : -1)
    const close = level + shape(minute + 1) + (minute % 2 === 0 ? -1 : 1)
    return {
      time: from + minute * MINUTE_MS,
      open,
      high: Math.max(open, close) + 4,
      low: Math.min(open, close) - 4,
      close,
      volume: 10,
    }
  })
}
