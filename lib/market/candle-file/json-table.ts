import { UsageError } from '../../core/invariant.ts'
import { candleColumns, normalName, symbolColumn } from './columns.ts'
import { readInstant } from './instants.ts'
import type { Row, Table } from './table.ts'

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects within objects that are looked into. */
const MAX_DEPTH = 5
/** Lists of one level that are looked into. */
const MOST_LISTS = 10_000

/** Whether a text is JSON or JSON Lines and no table of cells: it begins with a bracket. */
export const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text)

/**
 * JSON as a table: a list of lists or of objects, wherever in the document it stands; a list for each column; an object
 * with one entry for each time; JSON Lines of any of these rows. Throws {@link UsageError} naming what to give instead.
 */
export function createJsonTable(name: string, text: string): Table {
  const lines = linesOf(text)
  const values = lines?.map(({ value }) => value) ?? null
  // A line may also be a page of rows.
  const isPaged = values !== null && asRows(values) === null
  const rows = values === null ? rowsIn(documentOf(name, text)) : ((isPaged ? rowsIn(values) : null) ?? values)
  if (rows === null || rows.length === 0)
    throw new UsageError(
      `${name}: this JSON holds no list of bars; give a list of [time, open, high, low, close, volume] or of objects with those names`,
    )
  const isByLine = lines !== null && rows === values
  const place = isByLine ? 'line' : 'row'
  const lineAt = (index: number): number => (isByLine ? lines[index]?.line : undefined) ?? index + 1
  const notes = [lines === null ? 'JSON' : 'JSON Lines']
  if (rows.every((row) => Array.isArray(row))) {
    return { name, place, header: null, headerLine: 0, notes, forEach: walker(rows as unknown[][], lineAt) }
  }
  const objects = rows.map((row) => (isObject(row) ? flatten(row) : new Map<string, unknown>()))
  const header = [...new Set(objects.slice(0, 50).flatMap((object) => [...object.keys()]))]
  const cells = objects.map((object) => header.map((key) => object.get(key)))
  return { name, place, header, headerLine: 0, notes, forEach: walker(cells, lineAt) }
}

function walker(rows: readonly (readonly unknown[])[], lineAt: (index: number) => number): Table['forEach'] {
  return (visit) => {
    let cells: readonly unknown[] = []
    const row: Row = {
      line: 0,
      width: 0,
      cell: (column) => textOf(cells[column]),
      plain: (column) => {
        const value = cells[column]
        return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN
      },
    }
    for (const [index, each] of rows.entries()) {
      cells = each
      row.line = lineAt(index)
      row.width = each.length
      if (visit(row) === false) return
    }
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value.trim()
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''

/** Rows of JSON Lines; null where the text is one document. A last line that was cut off is left out. */
function linesOf(text: string): { line: number; value: unknown }[] | null {
  const first = text.indexOf('\n')
  if (first < 0) return null
  const rows: { line: number; value: unknown }[] = []
  const lines = text.split('\n')
  for (const [index, each] of lines.entries()) {
    const line = each.trim()
    if (line === '') continue
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      if (rows.length < 2 || lines.slice(index + 1).some((rest) => rest.trim() !== '')) return null
      break
    }
    if (typeof value !== 'object' || value === null) return null
    rows.push({ line: index + 1, value })
  }
  return rows.length < 2 ? null : rows
}

function documentOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const at = /position (\d+)/.exec((cause as Error).message)?.[1]
    const place = at === undefined ? '' : `, line ${text.slice(0, Number(at)).split('\n').length}`
    throw new UsageError(`${name}${place}: this begins as JSON and is not JSON to its end; fetch the file again`, {
      cause,
    })
  }
}

/** A value with what the document calls it: the symbol beside it, else its key; null in a list. */
type Named = { readonly name: string | null; readonly value: unknown }

/**
 * The lists of rows in a document that stand nearest to its root, as one: pages follow each other, and lists under
 * different names are those of several symbols. Null where there is none.
 */
function rowsIn(document: unknown): unknown[] | null {
  let level: Named[] = [{ name: null, value: document }]
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth += 1) {
    const found = level.flatMap(({ name, value }) => {
      const rows = asRows(value)
      return rows === null ? [] : [{ name, rows, shape: shapeOf(rows[0]) }]
    })
    const [first] = found
    if (first !== undefined) return joined(found.filter(({ shape }) => shape === first.shape))
    level = level.slice(0, MOST_LISTS).flatMap((each) => within(each))
  }
  return null
}

function within({ name, value }: Named): Named[] {
  if (Array.isArray(value)) return value.slice(0, MOST_LISTS).map((inner) => ({ name, value: inner as unknown }))
  if (!isObject(value)) return []
  const column = symbolColumn(Object.keys(value).map(normalName))
  const symbol = column === null ? undefined : Object.values(value)[column]
  return Object.entries(value).map(([key, inner]) => ({
    name: typeof symbol === 'string' && symbol !== '' ? symbol : key,
    value: inner,
  }))
}

const shapeOf = (row: unknown): string =>
  Array.isArray(row) ? String(row.length) : isObject(row) ? Object.keys(row).sort().join('\n') : ''

function joined(lists: readonly { readonly name: string | null; readonly rows: readonly unknown[] }[]): unknown[] {
  const isOne = lists.every(({ name }) => name === lists[0]?.name)
  if (isOne) return lists.flatMap(({ rows }) => rows)
  return lists.flatMap(({ name, rows }) =>
    rows.map((row) => (Array.isArray(row) ? [name, ...(row as unknown[])] : { symbol: name, ...(row as Json) })),
  )
}

function asRows(value: unknown): unknown[] | null {
  if (Array.isArray(value)) {
    const isRow = (row: unknown): boolean =>
      Array.isArray(row)
        ? row.length >= 2 && row.every((cell) => !Array.isArray(cell) && !isObject(cell))
        : isObject(row)
    return value.length > 0 && value.every(isRow) && (Array.isArray(value[0]) || isTabular(value[0])) ? value : null
  }
  if (!isObject(value)) return null
  return columnar(value) ?? byTime(value)
}

/** Whether an object is a row, and not a wrapper around one list of them. */
const isTabular = (row: unknown): boolean =>
  isObject(row) && [...flatten(row).values()].filter((cell) => typeof cell !== 'object').length >= 2

/**
 * `{"t": [...], "o": [...]}`, also with the prices one level down beside `timestamp`, also pandas' `{"open": {"0":
 * ...}}`.
 */
function columnar(value: Json): unknown[] | null {
  const flat = new Map<string, unknown>()
  const repeated = new Set<string>()
  collectLists(value, flat, repeated, 0)
  const header = [...flat.keys()]
  const columns = header.length < 2 ? null : candleColumns(header)
  // Closes that stand twice are those of two symbols, each further down.
  if (columns === null || 'missing' in columns || repeated.has(header[columns.close] ?? '')) return null
  const lists = header.map((key) => flat.get(key))
  if (lists.every((list) => isObject(list))) {
    const keys = Object.keys(lists[0] as Json)
    return keys.map((key) => ({
      index: key,
      ...Object.fromEntries(header.map((name, index) => [name, (lists[index] as Json)[key]])),
    }))
  }
  const arrays = lists.map((list) => (Array.isArray(list) ? list : []))
  const length = Math.max(...arrays.map((list) => list.length))
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(header.map((name, column) => [name, arrays[column]?.[row]])),
  )
}

function collectLists(value: Json, into: Map<string, unknown>, repeated: Set<string>, depth: number): void {
  if (depth > MAX_DEPTH) return
  for (const [key, inner] of Object.entries(value)) {
    const isList =
      Array.isArray(inner) && inner.length > 0 && inner.every((cell) => typeof cell !== 'object' || cell === null)
    const isSeries =
      isObject(inner) &&
      Object.keys(inner).length > 0 &&
      Object.values(inner).every((cell) => typeof cell === 'number' || cell === null)
    if ((isList || isSeries) && into.has(key)) repeated.add(key)
    else if (isList || isSeries) into.set(key, inner)
    else if (isObject(inner)) collectLists(inner, into, repeated, depth + 1)
    else if (Array.isArray(inner) && inner.length === 1 && isObject(inner[0]))
      collectLists(inner[0], into, repeated, depth + 1)
  }
}

/** `{"2024-12-19 09:00": {"open": ...}}`, and pandas' `{"1734598800000": {...}}`. */
function byTime(value: Json): unknown[] | null {
  const entries = Object.entries(value)
  if (entries.length < 2 || !entries.every(([, row]) => isObject(row))) return null
  return entries.every(([key]) => readInstant(key, 'day-first', Number.MAX_SAFE_INTEGER) !== null)
    ? entries.map(([key, row]) => ({ time: key, ...(row as Json) }))
    : null
}

/**
 * Plain cells of an object and of the objects in it, under their own names; of two equal names the outer, first one.
 */
function flatten(object: Json, into = new Map<string, unknown>(), depth = 0): Map<string, unknown> {
  const inner: Json[] = []
  for (const [key, value] of Object.entries(object)) {
    if (isObject(value)) inner.push(value)
    else if (!into.has(key)) into.set(key, value)
  }
  if (depth < MAX_DEPTH) for (const each of inner) flatten(each, into, depth + 1)
  return into
}
