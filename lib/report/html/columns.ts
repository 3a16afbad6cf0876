/** A value of JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/**
 * Like values side by side, for the compressor: rows of one shape turned into columns, all the way down.
 * A plain array is the rows themselves; `k`, `c` and `r` are the keys of objects, a column for each, and how many there
 * are; `n` and `v` are lengths of arrays and all their members in one column; `o` and `v` say which rows are not null,
 * and these.
 */
export type Columns =
  Json[] | { k: string[]; c: Columns[]; r: number } | { n: number[]; v: Columns } | { o: number[]; v: Columns }

/**
 * Turns rows into columns. `client/columns.js` turns them back into equal rows, keys in the same order. Rows of mixed
 * shape stay rows.
 */
export function toColumns(rows: readonly Json[]): Columns {
  const present = rows.filter((row) => row !== null)
  if (present.length === 0) return [...rows]
  const isList = present.every((row) => Array.isArray(row))
  const keys = isList ? null : commonKeys(present)
  if (!isList && keys === null) return [...rows]
  if (present.length < rows.length) return { o: rows.map((row) => (row === null ? 0 : 1)), v: toColumns(present) }
  if (keys === null) {
    const lists = present.filter((row) => Array.isArray(row))
    return { n: lists.map((list) => list.length), v: toColumns(lists.flat()) }
  }
  return {
    k: keys,
    c: keys.map((key) => toColumns(present.map((row) => (isObject(row) ? (row[key] ?? null) : null)))),
    r: present.length,
  }
}

const isObject = (row: Json): row is { [key: string]: Json } =>
  typeof row === 'object' && row !== null && !Array.isArray(row)

/** The keys, if all rows are objects with the same ones in the same order. */
function commonKeys(rows: readonly Json[]): string[] | null {
  const [first] = rows
  if (first === undefined || !isObject(first)) return null
  const keys = Object.keys(first)
  const same = rows.every((row) => {
    if (!isObject(row)) return false
    const others = Object.keys(row)
    return others.length === keys.length && others.every((key, place) => key === keys[place])
  })
  return same ? keys : null
}
