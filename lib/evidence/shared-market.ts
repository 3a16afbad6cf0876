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
    histories: [...parts.histories].map(([symbol, { baseTimeframe, bars, findings }]) => ({
      symbol,
      timeframe: baseTimeframe,
      bars: pack(bars),
      findings,
    })),
    funding: parts.funding,
  }
}

/** The market again, as it was shared. */
export function openSharedMarket({ name, symbol, histories, funding }: SharedMarket): HistoryMarket {
  return createHistoryMarket({
    name,
    symbol,
    histories: new Map(
      histories.map((part) => [
        part.symbol,
        createCandleHistory({ candles: unpack(part.bars), findings: part.findings }, part.timeframe),
      ]),
    ),
    funding,
  })
}

function pack(bars: readonly Candle[]): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bars.length * WIDTH * Float64Array.BYTES_PER_ELEMENT)
  const columns = new Float64Array(buffer)
  let at = 0
  for (const { time, open, high, low, close, volume } of bars) {
    columns[at++] = time
    columns[at++] = open
    columns[at++] = high
    columns[at++] = low
    columns[at++] = close
    // Not a number is the one value that no volume has.
    columns[at++] = volume ?? Number.NaN
  }
  return buffer
}

function unpack(buffer: SharedArrayBuffer): Candle[] {
  const columns = new Float64Array(buffer)
  const column = (at: number): number => columns[at] ?? 0
  return Array.from({ length: columns.length / WIDTH }, (_, index) => {
    const at = index * WIDTH
    return {
      time: column(at),
      open: column(at + 1),
      high: column(at + 2),
      low: column(at + 3),
      close: column(at + 4),
      volume: Number.isNaN(column(at + 5)) ? null : column(at + 5),
    }
  })
}
