import { basename } from 'node:path'
import { UsageError } from '../core/invariant.ts'
import { readCandleFile, readFundingFile } from './candle-file.ts'
import { type CandleHistory, createCandleHistory } from './candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from './history-source.ts'
import { scanCandles } from './inspect-candles.ts'

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
 * A market read from candle files, whole and once; it answers as {@link createHistoryMarket} does.
 * Rejects with {@link UsageError} when a file is missing or malformed.
 */
export async function createFileMarket({
  file,
  symbol,
  referenceFile,
  referenceSymbol,
  fundingFile,
}: FileMarketOptions): Promise<HistoryMarket> {
  const traded = await readHistory(file)
  const histories = new Map([[symbol, traded]])
  if (referenceFile !== undefined && referenceFile !== null) {
    if (referenceSymbol === undefined || referenceSymbol === null) {
      throw new UsageError(
        `market.referenceFile is ${referenceFile} but market.referenceSymbol is null; name the market that the file holds`,
      )
    }
    if (referenceSymbol !== symbol) histories.set(referenceSymbol, await readHistory(referenceFile))
  }
  const funding = fundingFile === undefined || fundingFile === null ? [] : await readFundingFile(fundingFile)
  return createHistoryMarket({ name: basename(file), symbol, histories, funding })
}

async function readHistory(file: string): Promise<CandleHistory> {
  const { timeframe, rows } = await readCandleFile(file)
  const scan = scanCandles(rows, timeframe, Number.POSITIVE_INFINITY)
  if (scan.candles.length === 0) {
    throw new UsageError(
      `${file}: none of its ${rows.length} bars is usable; the first: ${scan.findings[0]?.kind ?? ''} ${scan.findings[0]?.detail ?? ''}`,
    )
  }
  return createCandleHistory(scan, timeframe)
}
