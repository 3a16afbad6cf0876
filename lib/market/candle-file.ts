import { UsageError } from '../core/invariant.ts'
import type { Timeframe } from '../core/time.ts'
import type { NamedBytes } from '../files/unpack.ts'
import {
  alike,
  type CandleOptions,
  describeCandles,
  type FileCandles,
  readCandleText,
} from './candle-file/read-candles.ts'
import { readSources, textsOf } from './candle-file/sources.ts'
import { quoted } from './candle-file/time-column.ts'
import type { RawCandle } from './inspect-candles.ts'

export type CandleFile = {
  readonly timeframe: Timeframe
  /** Rows in the files' own order, values unjudged: `inspectCandles` judges them. */
  readonly rows: readonly RawCandle[]
  /** What was read and guessed, one line a file. */
  readonly notes: readonly string[]
}

/**
 * Reads candles from files as people have them: see docs/candle-files.md. Several files, a folder and the entries of an
 * archive are one history, oldest file first; all have bars of one length.
 *
 * Throws {@link UsageError} naming file, place and remedy for what is missing, unreadable, or not that.
 */
export const readCandleFile = (paths: readonly string[], options: CandleOptions): CandleFile =>
  readCandles(readSources(paths), options)

/** {@link readCandleFile} of files that are in memory. */
export function readCandles(files: readonly NamedBytes[], options: CandleOptions): CandleFile {
  const read = textsOf(files).map((source) => readCandleText(source, options))
  const [first, ...others] = read
  if (first === undefined) throw new UsageError('no candle file was given; give one to --candles')
  const other = others.find(({ timeframe }) => timeframe !== first.timeframe)
  if (other !== undefined)
    throw new UsageError(
      `${first.name} has bars of ${first.timeframe} and ${other.name} of ${other.timeframe}; give files with bars of one length`,
    )
  const stranger = others.find(
    ({ symbol }) => symbol !== null && first.symbol !== null && alike(symbol) !== alike(first.symbol),
  )
  if (stranger !== undefined)
    throw new UsageError(
      `${first.name} holds ${quoted(first.symbol ?? '')} and ${stranger.name} holds ${quoted(stranger.symbol ?? '')}; give the files of one symbol`,
    )
  const ordered = read.toSorted((a, b) => beginOf(a) - beginOf(b))
  return {
    timeframe: first.timeframe,
    rows: others.length === 0 ? first.rows : ordered.flatMap(({ rows }) => rows),
    notes: ordered.map((file) => describeCandles(file)),
  }
}

function beginOf({ rows }: FileCandles): number {
  const [first, last] = [rows[0]?.time ?? 0, rows.at(-1)?.time ?? 0]
  return Math.min(first, last)
}
