import type { Timeframe } from '../core/time.ts'
import { createCandleHistory } from '../market/candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from '../market/history-source.ts'
import type { Finding } from '../market/inspect-candles.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'

/** Columns of a bar, in this order. */
const WIDTH = 6

/** A market as threads share it: one block of memory for the bars, whoever looks at it. */
export type SharedMarket = {
  name: string
  symbol: string
  histories: { symbol: string; timeframe: Timeframe; bars: SharedArrayBuffer; findings: readonly Finding[] }[]
  funding: readonly FundingRate[]
}

/** Everything a thread needs to have the market for itself, without copying the bars to each. */
export function shareMarket({ name, parts }: HistoryMarket): SharedMarket {
  return {
    name,
    symbol: parts.symbol,
    histories: [...parts.histories].map(([symbol, { baseTimeframe, bars, findings }]) => ({ symbol, timeframe: baseTimeframe, bars: pack(bars), findings })),
    funding: parts.funding,
  }
}

/** The market again, as it was shared. */
export function openSharedMarket({ name, symbol, histories, funding }: SharedMarket): HistoryMarket {
  return createHistoryMarket({
    name,
    symbol,
    histories: new Map(histories.map((part) => [part.symbol, createCandleHistory({ candles: unpack(part.bars), findings: part.findings }, part.timeframe)])),
    funding,
  })
}

function pack(bars: readonly Candle[]): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bars.length * WIDTH * Float64Array.BYTES_PER_ELEMENT)
  const columns = new Float64Array(buffer)
  bars.forEach(({ time, open, high, low, close, volume }, index) => columns.set([time, open, high, low, close, volume], index * WIDTH))
  return buffer
}

function unpack(buffer: SharedArrayBuffer): Candle[] {
  const columns = new Float64Array(buffer)
  return Array.from({ length: columns.length / WIDTH }, (_, index) => {
    const [time = 0, open = 0, high = 0, low = 0, close = 0, volume = 0] = columns.subarray(index * WIDTH, (index + 1) * WIDTH)
    return { time, open, high, low, close, volume }
  })
}
