import { basename } from 'node:path'
import { price } from '../core/decimal.ts'
import { UsageError } from '../core/invariant.ts'
import { type EpochMs, floorTime, timeframeMs, toIso } from '../core/time.ts'
import type { FundingRate, Quote } from '../../schemas/market.ts'
import { readCandleFile, readFundingFile } from './candle-file.ts'
import { type CandleHistory, coverageOf, createCandleHistory, firstAtOrAfter, spanOf } from './candle-history.ts'
import { scanCandles } from './inspect-candles.ts'
import { type MarketData, MarketDataError } from './market-data.ts'

export type FileMarketOptions = {
  /** Candles of the traded market. */
  file: string
  symbol: string
  /** Candles of the market it is compared with. */
  referenceFile?: string | null
  referenceSymbol?: string | null
  /** Settled funding of the traded market. */
  fundingFile?: string | null
}

/**
 * A market read from candle files, whole and once. It has no spread: bid, ask, last and mark are the open of the
 * base bar that contains the instant, and exactly at the close of the last bar its close.
 * Rejects with {@link UsageError} when a file is missing or malformed.
 */
export async function createFileMarket({ file, symbol, referenceFile, referenceSymbol, fundingFile }: FileMarketOptions): Promise<MarketData> {
  const traded = await readHistory(file)
  const histories = new Map([[symbol, traded]])
  if (referenceFile !== undefined && referenceFile !== null) {
    if (referenceSymbol === undefined || referenceSymbol === null) {
      throw new UsageError(`market.referenceFile is ${referenceFile} but market.referenceSymbol is null; name the market that the file holds`)
    }
    if (referenceSymbol !== symbol) histories.set(referenceSymbol, await readHistory(referenceFile))
  }
  const funding = fundingFile === undefined || fundingFile === null ? [] : await readFundingFile(fundingFile)
  const name = basename(file)

  const historyOf = (wanted: string): CandleHistory => {
    const history = histories.get(wanted)
    if (history !== undefined) return history
    const remedy = wanted === referenceSymbol ? '; give market.referenceFile for it' : ''
    throw new MarketDataError(`${name}: no candles of ${wanted}, only of ${[...histories.keys()].join(' and ')}${remedy}`)
  }

  return {
    name,
    baseTimeframe: traded.baseTimeframe,
    span: spanOf(traded),
    async candles({ symbol: wanted, timeframe, asOf, limit }) {
      const history = historyOf(wanted)
      if (timeframeMs(timeframe) < timeframeMs(history.baseTimeframe)) {
        throw new MarketDataError(`${name}: ${timeframe} bars of ${wanted} were asked for, but its file has bars of ${history.baseTimeframe}; give a file with finer bars`)
      }
      return history.query(timeframe, asOf, limit)
    },
    async quote(wanted, at) {
      return quoteOf(historyOf(wanted), wanted, at, name)
    },
    async fundingRates(wanted, from, to) {
      return wanted === symbol ? ratesWithin(funding, from, to) : []
    },
    async openInterest() {
      return null
    },
  }
}

async function readHistory(file: string): Promise<CandleHistory> {
  const { timeframe, rows } = await readCandleFile(file)
  const scan = scanCandles(rows, timeframe, Number.POSITIVE_INFINITY)
  if (scan.candles.length === 0) {
    throw new UsageError(`${file}: none of its ${rows.length} bars is usable; the first: ${scan.findings[0]?.kind ?? ''} ${scan.findings[0]?.detail ?? ''}`)
  }
  return createCandleHistory(scan, timeframe)
}

function quoteOf(history: CandleHistory, symbol: string, at: EpochMs, name: string): Quote {
  const baseMs = timeframeMs(history.baseTimeframe)
  const opens = floorTime(at, baseMs)
  const bar = history.barAt(opens)
  const last = history.last
  const level = bar?.open ?? (last !== undefined && opens === last.time + baseMs ? last.close : undefined)
  if (level === undefined) {
    throw new MarketDataError(`${name}: no price of ${symbol} at ${toIso(at)}; the file covers ${coverageOf(history)} and has no bar opening ${toIso(opens)}`)
  }
  const text = price(level)
  return { at: toIso(at), bid: text, ask: text, last: text, mark: text }
}

/** Rates with from < time <= to. */
function ratesWithin(rates: readonly FundingRate[], from: EpochMs, to: EpochMs): readonly FundingRate[] {
  return rates.slice(firstAtOrAfter(rates, from + 1), firstAtOrAfter(rates, to + 1))
}
