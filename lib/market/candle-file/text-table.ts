import { plainNumber } from './numbers.ts'
import type { Row, Table } from './table.ts'

/** Separators of cells, in the order in which they are believed: a comma may be a decimal comma, a blank anything. */
const DELIMITERS = ['\t', ';', '|', ',', ' '] as const
export type Delimiter = (typeof DELIMITERS)[number]
const NAMES: Record<Delimiter, string> = {
  '\t': 'tabs',
  ';': 'semicolons',
  '|': 'bars (|)',
  ',': 'commas',
  ' ': 'blanks',
}

/** Lines among which the header is looked for. */
const HEAD_LINES = 60
const [QUOTE, HASH, NEWLINE, RETURN, SPACE] = [34, 35, 10, 13, 32]

export type TextTableOptions = {
  name: string
  text: string
  /** Fewest cells of a row of data. */
  minCells: number
  /** Whether these cells are the names of columns that are looked for. */
  isHeader: (cells: readonly string[]) => boolean
}

/**
 * A text of separated cells as a table. The separator is the one by which most of the first lines have the same number
 * of cells; lines before the header, or before the first row of data where there is none, are a preamble.
 */
export function createTextTable({ name, text: given, minCells: wanted, isHeader }: TextTableOptions): Table {
  // Lines that end as they did on a Macintosh before 2001.
  const text = given.includes('\r') && !given.includes('\n') ? given.replaceAll('\r', '\n') : given
  const delimiter = delimiterOf(text, wanted, isHeader)
  const hasQuotes = text.includes('"')
  // Where no line is wide enough, the narrower ones say what is missing.
  const minCells = headCells(text, delimiter, hasQuotes).some(({ length }) => length >= wanted) ? wanted : 2
  const walk = (from: number, firstLine: number, visit: (row: Row) => boolean | void): void =>
    walkRows({ text, delimiter: delimiter.charCodeAt(0), hasQuotes, from, firstLine, visit })
  const { header, headerLine, start, skipped } = findHeader(text, walk, isHeader, minCells)
  return {
    name,
    place: 'line',
    header,
    headerLine,
    notes: [
      ...(delimiter === ',' ? [] : [`separated by ${NAMES[delimiter]}`]),
      ...(skipped === 0 ? [] : [`${skipped} ${skipped === 1 ? 'line' : 'lines'} of preamble left out`]),
    ],
    forEach: (visit) => walk(start.offset, start.line, visit),
  }
}

/** The cells of single lines of a text, for a first look. */
function headCells(text: string, delimiter: Delimiter, hasQuotes: boolean): string[][] {
  const rows: string[][] = []
  walkRows({
    text,
    delimiter: delimiter.charCodeAt(0),
    hasQuotes,
    from: 0,
    firstLine: 1,
    visit: (row) => {
      rows.push(Array.from({ length: row.width }, (_, column) => row.cell(column)))
      return rows.length < HEAD_LINES
    },
  })
  return rows
}

function delimiterOf(text: string, minCells: number, isHeader: TextTableOptions['isHeader']): Delimiter {
  const told = /^\uFEFF?sep=(.)\r?\n/i.exec(text)?.[1]
  const stated = DELIMITERS.find((each) => each === told)
  if (stated !== undefined) return stated
  const hasQuotes = text.includes('"')
  let best: { delimiter: Delimiter; share: number } = { delimiter: ',', share: 0 }
  for (const delimiter of DELIMITERS) {
    const rows = headCells(text, delimiter, hasQuotes)
    if (rows.some((cells) => isHeader(cells))) return delimiter
    const share = rows.filter(({ length }) => length >= minCells).length / Math.max(1, rows.length)
    // A later one needs more than a handful of lines beyond an earlier one.
    if (share > best.share + 0.2) best = { delimiter, share }
  }
  return best.delimiter
}

type Head = {
  header: readonly string[] | null
  headerLine: number
  /** Where the rows of data begin. */
  start: { offset: number; line: number }
  skipped: number
}

function findHeader(
  text: string,
  walk: (from: number, firstLine: number, visit: (row: Row) => boolean | void) => void,
  isHeader: TextTableOptions['isHeader'],
  minCells: number,
): Head {
  const lines: { line: number; cells: string[] }[] = []
  walk(0, 1, (row) => {
    lines.push({ line: row.line, cells: Array.from({ length: row.width }, (_, column) => row.cell(column)) })
    return lines.length < HEAD_LINES
  })
  const named = lines.findIndex(({ cells }) => isHeader(cells))
  const data = lines.findIndex(({ cells }) => cells.length >= minCells && looksLikeData(cells))
  const first = named >= 0 ? named : firstWide(lines, data, minCells)
  const found = lines[first]
  if (found === undefined) return { header: null, headerLine: 0, start: { offset: 0, line: 1 }, skipped: 0 }
  const skipped = lines.slice(0, first).filter(({ cells }) => !/^sep=./i.test(cells[0] ?? '')).length
  if (named < 0 && first === data) {
    return { header: null, headerLine: 0, start: { offset: offsetOfLine(text, found.line), line: found.line }, skipped }
  }
  return {
    header: found.cells.map((cell) => cell.replace(/^\uFEFF|^#\s*/g, '')),
    headerLine: found.line,
    start: { offset: offsetOfLine(text, found.line + 1), line: found.line + 1 },
    skipped,
  }
}

/**
 * The line right before the data, where it is as wide: names of columns that nobody knows. Otherwise the data
 * themselves.
 */
function firstWide(lines: readonly { cells: readonly string[] }[], data: number, minCells: number): number {
  if (data < 0) return lines.findIndex(({ cells }) => cells.length >= minCells)
  const before = lines[data - 1]
  return before !== undefined && before.cells.length >= minCells && !looksLikeData(before.cells) ? data - 1 : data
}

/** Whether most cells begin as numbers do. */
const looksLikeData = (cells: readonly string[]): boolean =>
  cells.filter((cell) => /^[-+$€£]?\.?\d/.test(cell)).length >= Math.max(2, cells.length / 2)

function offsetOfLine(text: string, line: number): number {
  let offset = 0
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf('\n', offset)
    if (end < 0) return text.length
    offset = end + 1
  }
  return offset
}

type Walk = {
  text: string
  delimiter: number
  hasQuotes: boolean
  from: number
  firstLine: number
  visit: (row: Row) => boolean | void
}

/**
 * Rows of a text from an offset on. Cells are places in the text until one is asked for: 600,000 rows become numbers in
 * half a second. A quote opens a cell only at its beginning, and ends with its line at the latest.
 */
function walkRows({ text, delimiter, hasQuotes, from, firstLine, visit }: Walk): void {
  const starts: number[] = []
  const ends: number[] = []
  const row: Row = {
    line: firstLine - 1,
    width: 0,
    cell: (column) => (column < row.width && column >= 0 ? cellText(text, starts[column] ?? 0, ends[column] ?? 0) : ''),
    plain: (column) =>
      column < row.width && column >= 0 ? plainNumber(text, starts[column] ?? 0, ends[column] ?? 0) : Number.NaN,
  }
  const { length } = text
  const mergesBlanks = delimiter === SPACE
  let at = from
  while (at < length) {
    row.line += 1
    let stop = text.indexOf('\n', at)
    if (stop < 0) stop = length
    const next = stop + 1
    if (stop > at && text.charCodeAt(stop - 1) === RETURN) stop -= 1
    let width = 0
    let start = at
    let quoted = false
    for (let index = at; index <= stop; index += 1) {
      const code = index === stop ? NEWLINE : text.charCodeAt(index)
      if (hasQuotes && code === QUOTE && (index === start || quoted)) quoted = !quoted
      if (index !== stop && (code !== delimiter || quoted)) continue
      if (!mergesBlanks || index > start) {
        starts[width] = start
        ends[width] = index
        width += 1
      }
      start = index + 1
      quoted = false
    }
    row.width = width
    const isEmpty = width === 0 || (width === 1 && text.slice(at, stop).trim() === '')
    at = next
    if (isEmpty || isComment(text, starts[0] ?? 0, row)) continue
    if (visit(row) === false) return
  }
}

/** A line that begins with # is a remark, unless it is wide enough to be names of columns behind one. */
const isComment = (text: string, start: number, row: Row): boolean => text.charCodeAt(start) === HASH && row.width < 5

function cellText(text: string, start: number, end: number): string {
  const cell = text.slice(start, end).trim()
  return cell.length >= 2 && cell.charCodeAt(0) === QUOTE && cell.charCodeAt(cell.length - 1) === QUOTE
    ? cell.slice(1, -1).replaceAll('""', '"').trim()
    : cell
}
