import { basename } from 'node:path'
import { UsageError } from '../core/invariant.ts'
import { DAY_MS, type EpochMs, toIso } from '../core/time.ts'
import type { MarketConfig } from '../../schemas/strategy-config.ts'
import { readCandleFile } from './candle-file.ts'
import { type CandleHistory, createCandleHistory } from './candle-history.ts'
import type { TimeOptions } from './candle-file/time-column.ts'
import { readFundingFile } from './funding-file.ts'
import { createHistoryMarket, type HistoryMarket } from './history-source.ts'
import { scanCandles } from './inspect-candles.ts'

/** Which files, and what a person says of what they leave open; null and nothing are the same. */
export type FileMarketOptions = Pick<MarketConfig, 'symbol'> &
  Partial<
    Pick<
      MarketConfig,
      | 'referenceSymbol'
      | 'referenceFile'
      | 'fundingFile'
      | 'fundingUnit'
      | 'timeZone'
      | 'dateOrder'
      | 'fileSymbol'
      | 'referenceFileSymbol'
    >
  > & {
    /** Paths of candle files or folders of the traded market. */
    files: readonly string[]
    /** The wall clock: nothing in a file is later than a day after it. */
    now: EpochMs
  }

/** A market from files, with what was read and guessed of each, a line a file. */
export type FileMarket = HistoryMarket & { readonly notes: readonly string[] }

/**
 * A market read from candle files, whole and once; it answers as {@link createHistoryMarket} does.
 * Rejects with {@link UsageError} when a file is missing, malformed, or not believable.
 */
export async function createFileMarket(options: FileMarketOptions): Promise<FileMarket> {
  const { files, symbol, referenceFile = null, referenceSymbol = null, fundingFile = null, now } = options
  const reading = {
    now,
    timeZone: options.timeZone ?? null,
    dateOrder: options.dateOrder ?? null,
    fundingUnit: options.fundingUnit ?? null,
  }
  const traded = readHistory(files, { symbol: options.fileSymbol ?? null, impliedSymbol: symbol }, reading)
  const histories = new Map([[symbol, traded.history]])
  const notes = [...traded.notes]
  if (referenceFile !== null) {
    if (referenceSymbol === null) {
      throw new UsageError(
        `market.referenceFile is ${referenceFile} but market.referenceSymbol is null; name the market that the file holds`,
      )
    }
    if (referenceSymbol !== symbol) {
      const reference = readHistory(
        [referenceFile],
        { symbol: options.referenceFileSymbol ?? null, impliedSymbol: referenceSymbol },
        reading,
      )
      histories.set(referenceSymbol, reference.history)
      notes.push(...reference.notes)
    }
  }
  const funding =
    fundingFile === null ? null : readFundingFile([fundingFile], { ...reading, symbol: options.fileSymbol ?? symbol })
  notes.push(...(funding?.notes ?? []))
  const name =
    files.length === 1 ? basename(files[0] ?? '') : `${basename(files[0] ?? '')} and ${files.length - 1} more`
  return { ...createHistoryMarket({ name, symbol, histories, funding: funding?.rates ?? [] }), notes }
}

function readHistory(
  files: readonly string[],
  symbols: { symbol: string | null; impliedSymbol: string },
  reading: TimeOptions,
): { history: CandleHistory; notes: readonly string[] } {
  const { timeframe, rows, notes } = readCandleFile(files, { ...reading, ...symbols })
  const scan = scanCandles(rows, timeframe, reading.now)
  if (scan.candles.length === 0) {
    throw new UsageError(
      `${files.join(', ')}: none of its ${rows.length} bars is usable; the first: ${scan.findings[0]?.kind ?? ''} ${scan.findings[0]?.detail ?? ''}`,
    )
  }
  const history = createCandleHistory(scan, timeframe)
  return { history, notes: [...notes, ...history.holes.map((hole) => describeHole(hole))] }
}

const describeHole = ({ from, to }: { from: EpochMs; to: EpochMs }): string =>
  `no bars from ${toIso(from)} to ${toIso(to)} (${Math.round((to - from) / DAY_MS)} days): a replay goes on behind this hole`
