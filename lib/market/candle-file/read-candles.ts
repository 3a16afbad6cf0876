import { UsageError } from '../../core/invariant.ts'
import { type EpochMs, type Timeframe, TIMEFRAMES, timeframeMs, toIso } from '../../core/time.ts'
import type { RawCandle } from '../inspect-candles.ts'
import { type CandleColumns, candleColumns, isCandleHeader, normalName, type TimeColumn } from './columns.ts'
import { columnsByLook } from './columns-by-look.ts'
import { createJsonTable, looksLikeJson } from './json-table.ts'
import { isBlank, type NumberStyle, styleOf, writtenNumber } from './numbers.ts'
import { requireOwnSpan } from './sanity.ts'
import type { Source } from './sources.ts'
import { requireOneLength, requireOneMarket } from './one-market.ts'
import { firstRows, type Row, type Table } from './table.ts'
import { createTextTable } from './text-table.ts'
import { createTimeReader, quoted, type TimeOptions, type TimeReader } from './time-column.ts'

export type CandleOptions = TimeOptions & {
  /** The symbol whose rows are wanted, where a file holds those of several; null to take the only one there is. */
  readonly symbol: string | null
  /** Symbol of the market that the file is given for: taken where nothing else was asked for and the file has it. */
  readonly impliedSymbol?: string
}

/** Bars as one file had them, in its order, and what was seen and guessed on the way. */
export type FileCandles = {
  readonly name: string
  readonly timeframe: Timeframe
  /** Whose bars these are, where the file says it. */
  readonly symbol: string | null
  readonly rows: readonly RawCandle[]
  readonly notes: readonly string[]
}

/**
 * Reads the candles of one text: cells or JSON, with or without a header, in any order of columns and rows. Values are
 * unjudged: a price of zero is for the inspection, a word is refused here.
 *
 * Throws {@link UsageError} naming file, line, column, value and remedy when the text is not that, when an instant lies
 * after now or far outside all others, and when it holds several symbols of which none was asked for.
 */
export function readCandleText(source: Source, options: CandleOptions): FileCandles {
  const { name, text } = source
  const table = looksLikeJson(text)
    ? createJsonTable(name, text)
    : createTextTable({ name, text, minCells: 5, isHeader: isCandleHeader })
  const { columns, notes: columnNotes } = columnsOf(table, options)
  const prices = [columns.open, columns.high, columns.low, columns.close]
  requireOneLength(table)
  const times = createTimeReader(table, columns.times, prices, options)
  const style = numberStyleOf(table, [...prices, ...(columns.volume === null ? [] : [columns.volume])])
  const read = readRows(table, columns, times, style)
  const chosen = chooseSymbol(read, options, name)
  requireOneMarket(table, chosen)
  requireOwnSpan(
    chosen.rows.map(({ time }) => time),
    (index) => `${table.place} ${chosen.lines[index] ?? 0}`,
    name,
  )
  const timeframe = inferTimeframe(name, chosen.rows)
  const { rows, notes: stampNotes } = atTheirOpen(chosen.rows, timeframeMs(timeframe), times.means)
  const { rows: known, notes: volumeNotes } = withKnownVolume(rows, columns.volume !== null)
  const isBackwards = isNewestFirst(known)
  return {
    name,
    timeframe,
    symbol: chosen.symbol,
    // A file that goes back in time is in order, and only the other way round.
    rows: isBackwards ? known.toReversed() : known,
    notes: [
      ...source.notes,
      ...table.notes,
      ...columnNotes,
      ...times.notes(),
      ...(style === 'comma' ? ['decimal commas'] : []),
      ...stampNotes,
      ...(isBackwards ? ['newest first'] : []),
      ...volumeNotes,
      ...chosen.notes,
      ...read.notes,
    ],
  }
}

type Read = {
  rows: RawCandle[]
  lines: number[]
  /** Per row, the place of its symbol in `symbols`; empty where the table has no such column. */
  symbolOf: number[]
  symbols: string[]
  notes: string[]
}

function readRows(table: Table, columns: CandleColumns, times: TimeReader, style: NumberStyle): Read {
  const { open, high, low, close, volume, symbol, confirmed } = columns
  const read: Read = { rows: [], lines: [], symbolOf: [], symbols: [], notes: [] }
  const tally = { headers: 0, unfinished: 0, footers: 0 }
  const width = Math.max(open, high, low, close) + 1
  const header = table.header?.map(normalName).join('\n')
  /** Lines without a time since the last bar: a footer if no bar follows. */
  let strange: { line: number; cell: string } | null = null
  let strangeCount = 0
  let symbolPlace = -1
  let lastSymbol = ''
  const price = (row: Row, column: number, what: string): number => {
    const value = row.plain(column)
    return Number.isNaN(value) ? written(table, row, column, what, style) : value
  }
  table.forEach((row) => {
    const time = times.read(row)
    if (time === null) {
      const cells = Array.from({ length: row.width }, (_, column) => row.cell(column))
      if (header !== undefined && cells.map(normalName).join('\n') === header) tally.headers += 1
      else if (read.rows.length === 0 && strangeCount < 3 && isNameLine(cells, [open, high, low, close]))
        strangeCount += 1
      else {
        strange ??= { line: row.line, cell: row.cell(times.column) || (cells.find((cell) => cell !== '') ?? '') }
        // A row with prices is a bar whose time is wrong, and no footer.
        if (!isNameLine(cells, [open, high, low, close])) throw noTime(table, times, strange)
      }
      return
    }
    if (strange !== null) throw noTime(table, times, strange)
    if (row.width < width) {
      strange = { line: row.line, cell: row.cell(0) }
      return
    }
    if (confirmed !== null && /^(?:0|false|no|n)$/i.test(row.cell(confirmed))) {
      tally.unfinished += 1
      return
    }
    if (symbol !== null) {
      const name = row.cell(symbol)
      if (name !== lastSymbol || symbolPlace < 0) {
        lastSymbol = name
        symbolPlace = read.symbols.indexOf(name)
        if (symbolPlace < 0) symbolPlace = read.symbols.push(name) - 1
      }
      read.symbolOf.push(symbolPlace)
    }
    read.rows.push({
      time,
      open: price(row, open, 'open'),
      high: price(row, high, 'high'),
      low: price(row, low, 'low'),
      close: price(row, close, 'close'),
      volume: volume === null ? null : volumeOf(table, row, volume, style),
    })
    read.lines.push(row.line)
  })
  if (strange !== null) tally.footers += 1
  if (strange !== null && read.rows.length === 0) throw noTime(table, times, strange)
  read.notes.push(
    ...(tally.headers === 0
      ? []
      : [`${tally.headers} repeated ${tally.headers === 1 ? 'header' : 'headers'} left out`]),
    ...(tally.unfinished === 0
      ? []
      : [`${tally.unfinished} unfinished ${tally.unfinished === 1 ? 'bar' : 'bars'} left out`]),
    ...(tally.footers === 0
      ? []
      : [
          `what follows the last whole bar, from ${table.place} ${strange === null ? 0 : (strange as { line: number }).line} on, left out`,
        ]),
  )
  return read
}

/** A second line of names below a header, as some libraries write: no number stands where prices stand. */
const isNameLine = (cells: readonly string[], prices: readonly number[]): boolean =>
  prices.every((column) => !/^[-+$]?\.?\d/.test(cells[column] ?? ''))

const noTime = (table: Table, times: TimeReader, { line, cell }: { line: number; cell: string }): UsageError =>
  new UsageError(
    `${table.name}, ${table.place} ${line}, column ${times.name}: ${quoted(cell)} is not the time of a whole bar; write an epoch or ISO 8601 such as 2026-11-02T09:30:00Z, or remove the ${table.place}`,
  )

function written(table: Table, row: Row, column: number, what: string, style: NumberStyle): number {
  const cell = row.cell(column)
  if (isBlank(cell)) return Number.NaN
  const value = writtenNumber(cell, style)
  // Beyond the largest double it is no number either; the inspection drops such a bar and names it.
  if (Number.isNaN(value))
    throw new UsageError(
      `${table.name}, ${table.place} ${row.line}, column ${what}: ${quoted(cell)} is not a number; write a plain decimal such as 1834.5 or drop the row`,
    )
  return value
}

/** Null where the source has none for this bar. */
function volumeOf(table: Table, row: Row, column: number, style: NumberStyle): number | null {
  const value = row.plain(column)
  if (!Number.isNaN(value)) return value
  const other = written(table, row, column, 'volume', style)
  return Number.isFinite(other) ? other : null
}

function columnsOf(table: Table, options: TimeOptions): { columns: CandleColumns; notes: string[] } {
  if (table.header === null) return columnsByLook(table, options.now)
  const columns = candleColumns(table.header)
  if (!('missing' in columns)) return { columns, notes: [] }
  throw new UsageError(
    `${table.name}, ${table.place} ${table.headerLine}: no column ${columns.missing.join(', no column ')} in the header ${quoted(table.header.join(','))}; name the columns timestamp,open,high,low,close,volume`,
  )
}

/** Throws {@link UsageError} where 1,234 may be a price of one or of a thousand. */
function numberStyleOf(table: Table, columns: readonly number[]): NumberStyle {
  const cells = firstRows(table, 1_000).flatMap((row) => columns.slice(0, 4).map((column) => row[column] ?? ''))
  const style = styleOf(cells)
  if (style !== 'ambiguous') return style
  throw new UsageError(
    `${table.name}: prices such as ${quoted(cells.find((cell) => /\d,\d/.test(cell)) ?? '')} may be thousands or thousandths; write them with a decimal point and without separators of thousands`,
  )
}

/** A symbol without what venues write between its parts. */
export const alike = (symbol: string): string => symbol.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')

/**
 * Rows of one symbol. Throws {@link UsageError} listing the symbols where several are there and none of them was asked
 * for.
 */
export function chooseSymbol<T>(
  { rows, lines, symbolOf, symbols }: Pick<Read, 'lines' | 'symbolOf' | 'symbols'> & { rows: T[] },
  { symbol: wanted, impliedSymbol }: Pick<CandleOptions, 'symbol' | 'impliedSymbol'>,
  name: string,
): { rows: T[]; lines: number[]; notes: string[]; symbol: string | null } {
  const list = symbols
    .slice(0, 20)
    .map((each) => quoted(each))
    .join(', ')
  const meant = wanted ?? impliedSymbol ?? null
  const place = meant === null ? -1 : symbols.findIndex((each) => alike(each) === alike(meant))
  if (wanted !== null && place < 0 && symbols.length > 0)
    throw new UsageError(`${name}: no rows of ${quoted(wanted)}; the file holds ${list}: give one of them to --symbol`)
  const [only] = symbols
  if (only === undefined) return { rows, lines, notes: [], symbol: null }
  if (symbols.length === 1) return { rows, lines, notes: [`of ${quoted(only)}`], symbol: only }
  if (place < 0)
    throw new UsageError(
      `${name}: rows of ${symbols.length} symbols, ${list}; choose with --symbol ${quoted(only).slice(1, -1)}`,
    )
  const isChosen = (_: unknown, index: number): boolean => symbolOf[index] === place
  return {
    rows: rows.filter(isChosen),
    lines: lines.filter(isChosen),
    notes: [`only the rows of ${quoted(symbols[place] ?? '')}, of ${symbols.length} symbols`],
    symbol: symbols[place] ?? null,
  }
}

/** The most common step between successive rows. Throws {@link UsageError} unless it is one of {@link TIMEFRAMES}. */
export function inferTimeframe(file: string, rows: readonly RawCandle[]): Timeframe {
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

/**
 * Stamps of closes moved to the opens of their bars: those of a column that says so, and those a moment before the
 * grid.
 */
function atTheirOpen(
  rows: readonly RawCandle[],
  stepMs: number,
  means: TimeColumn['means'],
): { rows: readonly RawCandle[]; notes: string[] } {
  const early = [1, 1_000].find(
    (lead) => rows.filter(({ time }) => (time + lead) % stepMs === 0).length > rows.length * 0.9,
  )
  if (early === undefined && means === 'open') return { rows, notes: [] }
  const moved = rows.map((row) => ({ ...row, time: openOf(row.time, stepMs, early ?? 0) }))
  return { rows: moved, notes: ['times of closes moved to the opens of their bars'] }
}

const openOf = (time: EpochMs, stepMs: number, early: number): EpochMs => Math.max(0, time + early - stepMs)

function isNewestFirst(rows: readonly RawCandle[]): boolean {
  let falls = 0
  for (let index = 1; index < rows.length; index += 1)
    if ((rows[index]?.time ?? 0) < (rows[index - 1]?.time ?? 0)) falls += 1
  return falls > rows.length / 2
}

/** A volume of zero in every row is one that the source does not know. */
function withKnownVolume(
  rows: readonly RawCandle[],
  hasColumn: boolean,
): { rows: readonly RawCandle[]; notes: string[] } {
  if (!hasColumn) return { rows, notes: ['no volume'] }
  if (rows.length > 0 && rows.every(({ volume }) => volume === 0 || volume === null))
    return {
      rows: rows.map((row) => ({ ...row, volume: null })),
      notes: ['volume empty or 0 in every row: taken as unknown'],
    }
  const unknown = rows.filter(({ volume }) => volume === null).length
  return { rows, notes: unknown === 0 ? [] : [`volume unknown in ${unknown} rows`] }
}

/** A file in one line for people. */
export const describeCandles = ({ name, timeframe, rows, notes }: FileCandles): string => {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { time } of rows) {
    if (time < first) first = time
    if (time > last) last = time
  }
  const span = rows.length === 0 ? 'no bars' : `${toIso(first)} to ${toIso(last + timeframeMs(timeframe))}`
  return `${name}: ${rows.length} bars of ${timeframe}, ${span}${notes.length === 0 ? '' : `; ${notes.join('; ')}`}`
}
