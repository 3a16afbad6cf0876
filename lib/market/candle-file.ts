import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { UsageError } from '../core/invariant.ts'
import { type EpochMs, type Timeframe, TIMEFRAMES, timeframeMs } from '../core/time.ts'
import type { FundingRate } from '../../schemas/market.ts'
import type { RawCandle } from './inspect-candles.ts'

const COLUMNS = ['open', 'high', 'low', 'close', 'volume'] as const
const TIME_COLUMNS = ['timestamp', 'timestamp_ms'] as const

export type CandleFile = { readonly timeframe: Timeframe; readonly rows: readonly RawCandle[] }

/**
 * Reads a candle file: CSV or CSV.gz with a header naming `timestamp` (or `timestamp_ms`: epoch milliseconds or
 * ISO 8601 UTC, the bar's open), `open`, `high`, `low`, `close`, `volume`, in any order; other columns are ignored.
 * Rows come in the file's order, values unjudged: a price of zero is for `inspectCandles`, a word is refused here.
 * The timeframe is the most common step between successive rows.
 *
 * Throws {@link UsageError} naming file, line, column and value when the file is missing, unreadable or not that.
 */
export async function readCandleFile(file: string): Promise<CandleFile> {
  const table = await readTable(file, [[...TIME_COLUMNS], ...COLUMNS.map((name) => [name])])
  const rows: RawCandle[] = []
  table.forEach((cells, line) => {
    const cell = (index: number): number => readingOf(file, line, table.names[index], cells[index])
    rows.push({
      time: instantOf(file, line, table.names[0], cells[0]),
      open: cell(1),
      high: cell(2),
      low: cell(3),
      close: cell(4),
      volume: cell(5),
    })
  })
  return { timeframe: inferTimeframe(file, rows), rows }
}

/**
 * Reads a funding file: `timestamp` (or `timestamp_ms`) and `funding_rate` as a fraction of notional; other columns
 * are ignored. Oldest first; of several rates for one instant the first in the file.
 * Throws {@link UsageError} as {@link readCandleFile} does.
 */
export async function readFundingFile(file: string): Promise<readonly FundingRate[]> {
  const table = await readTable(file, [[...TIME_COLUMNS], ['funding_rate']])
  const rates: FundingRate[] = []
  table.forEach((cells, line) => {
    rates.push({
      time: instantOf(file, line, table.names[0], cells[0]),
      rate: numberOf(file, line, table.names[1], cells[1]),
    })
  })
  rates.sort((a, b) => a.time - b.time)
  return rates.filter((rate, index) => index === 0 || rate.time !== rates[index - 1]?.time)
}

/** The most common step between successive rows. Throws {@link UsageError} unless it is one of {@link TIMEFRAMES}. */
function inferTimeframe(file: string, rows: readonly RawCandle[]): Timeframe {
  const counts = new Map<number, number>()
  let previous: number | undefined
  for (const { time } of rows) {
    // Newest first is a file like any other: its rows are put in order later.
    const step = previous === undefined ? 0 : Math.abs(time - previous)
    if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1)
    previous = time
  }
  const [stepMs] = [...counts].reduce<[number, number]>((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])
  const timeframe = TIMEFRAMES.find((candidate) => timeframeMs(candidate) === stepMs)
  if (timeframe !== undefined) return timeframe
  const found =
    stepMs === 0 ? `${rows.length} bars, too few to tell their length` : `bars of ${stepMs / 60_000} minutes`
  throw new UsageError(`${file}: ${found}; give at least two bars of one of ${TIMEFRAMES.join(', ')}`)
}

type Table = {
  /** The header's name for each wanted column. */
  readonly names: readonly string[]
  /** Calls back with the wanted cells of each row and its line number; the array is reused. */
  forEach(visit: (cells: readonly string[], line: number) => void): void
}

/** `wanted` lists, per column, the names it may go by. */
async function readTable(file: string, wanted: readonly string[][]): Promise<Table> {
  const text = await readText(file)
  const headerEnd = text.indexOf('\n')
  const header = (headerEnd < 0 ? text : text.slice(0, headerEnd)).trim()
  const columns = header.split(',').map((name) => name.replaceAll('"', '').trim().toLowerCase())
  const positions = wanted.map((names) => {
    const position = names.map((name) => columns.indexOf(name)).find((index) => index >= 0)
    if (position === undefined) {
      throw new UsageError(
        `${file}, line 1: no column ${names.join(' or ')} in the header ${JSON.stringify(header.slice(0, 200))}; expected ${wanted.map((each) => each[0]).join(',')}`,
      )
    }
    return position
  })
  const names = positions.map((position) => columns[position] ?? '')
  const forEach = text.includes('"') ? quotedRows(file, text, positions) : plainRows(text, positions)
  return { names, forEach }
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    const code = (cause as { code?: unknown }).code
    const why = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${String(code)})`
    throw new UsageError(`${file}: ${why}; give the path of a CSV or CSV.gz file`, { cause })
  }
  // The content tells, not the name: gzip begins 1f 8b.
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = await promisify(gunzip)(bytes)
    } catch (cause) {
      throw new UsageError(`${file}: damaged gzip (${(cause as Error).message}); fetch or pack the file again`, {
        cause,
      })
    }
  }
  const text = new TextDecoder().decode(bytes)
  if (text.trim() === '') throw new UsageError(`${file}: the file is empty; expected a header and rows`)
  return text
}

/**
 * Rows of a text without quotes: 600,000 rows of six columns are read to numbers in 0.9 s, where csv-parse takes
 * 1.8 s for the texts alone.
 */
function plainRows(text: string, positions: readonly number[]): Table['forEach'] {
  const slots: number[][] = []
  positions.forEach((position, slot) => (slots[position] ??= []).push(slot))
  return (visit) => {
    const cells: string[] = positions.map(() => '')
    let line = 1
    let start = text.indexOf('\n') + 1
    if (start === 0) return
    while (start < text.length) {
      line += 1
      let end = text.indexOf('\n', start)
      if (end < 0) end = text.length
      const stop = text.charCodeAt(end - 1) === 13 ? end - 1 : end
      if (stop > start) {
        cells.fill('')
        let from = start
        for (let column = 0; column < slots.length && from <= stop; column += 1) {
          let to = text.indexOf(',', from)
          if (to < 0 || to > stop) to = stop
          for (const slot of slots[column] ?? []) cells[slot] = text.slice(from, to)
          from = to + 1
        }
        visit(cells, line)
      }
      start = end + 1
    }
  }
}

/** Rows of a text with quotes, by csv-parse. */
function quotedRows(file: string, text: string, positions: readonly number[]): Table['forEach'] {
  return (visit) => {
    let records: { record: string[]; info: { lines: number } }[]
    try {
      records = parse(text, {
        from: 2,
        info: true,
        bom: true,
        skip_empty_lines: true,
        relax_column_count: true,
      }) as unknown as typeof records
    } catch (cause) {
      throw new UsageError(`${file}: not CSV: ${(cause as Error).message}; remove or balance the quotes`, { cause })
    }
    for (const { record, info } of records) {
      visit(
        positions.map((position) => record[position] ?? ''),
        info.lines,
      )
    }
  }
}

function numberOf(file: string, line: number, column: string | undefined, cell: string | undefined): number {
  const value = Number(cell)
  // Number('') and Number(' ') are 0; a zero that has no digit is a blank.
  if (!Number.isFinite(value) || (value === 0 && !/\d/.test(cell ?? ''))) {
    throw new UsageError(
      `${file}, line ${line}, column ${column ?? '?'}: ${JSON.stringify(cell)} is not a number; write a plain decimal such as 1834.5 or drop the row`,
    )
  }
  return value
}

/** What programs write where they have no number. */
const NO_NUMBER = /^(?:\s*(?:nan|null|n\/a|[-+]?inf(?:inity)?))?\s*$/i

/** A price or volume of a bar. No number at all is NaN: the inspection drops that bar and names it; other text is a broken file. */
function readingOf(file: string, line: number, column: string | undefined, cell = ''): number {
  const value = Number(cell)
  if (Number.isFinite(value) && (value !== 0 || /\d/.test(cell))) return value
  // Beyond the largest double, or a word for nothing.
  if (Math.abs(value) === Number.POSITIVE_INFINITY || NO_NUMBER.test(cell)) return Number.NaN
  return numberOf(file, line, column, cell)
}

const ISO_UTC = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]00:?00))?$/
/** Epoch milliseconds below this are before 1973: they are seconds. */
const FIRST_PLAUSIBLE_MS = 100_000_000_000

function instantOf(file: string, line: number, column: string | undefined, cell: string | undefined): EpochMs {
  const text = (cell ?? '').trim()
  const value = Number(text)
  if (Number.isInteger(value) && value >= FIRST_PLAUSIBLE_MS && value <= 8.64e15) return value
  const parsed = ISO_UTC.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN
  if (!Number.isNaN(parsed) && parsed >= 0) return parsed
  const remedy =
    Number.isInteger(value) && value > 0
      ? 'epoch milliseconds have 13 digits (seconds x 1000)'
      : 'write epoch milliseconds or ISO 8601 UTC such as 2026-11-02T09:30:00Z'
  throw new UsageError(
    `${file}, line ${line}, column ${column ?? '?'}: ${JSON.stringify(cell)} is not a time; ${remedy}`,
  )
}
