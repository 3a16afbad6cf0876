/**
 * @typedef {import('../columns.ts').Json} Json
 * @typedef {import('../columns.ts').Columns} Columns
 */

/**
 * Turns columns, as columns.ts makes them, back into rows.
 *
 * @param {Columns} columns
 * @returns {Json[]}
 */
export function toRows(columns) {
  if (Array.isArray(columns)) return columns
  if ('o' in columns) {
    const present = toRows(columns.v)
    let next = 0
    return columns.o.map((flag) => (flag === 1 ? (present[next++] ?? null) : null))
  }
  if ('n' in columns) {
    const members = toRows(columns.v)
    let from = 0
    return columns.n.map((length) => members.slice(from, (from += length)))
  }
  const made = columns.c.map(toRows)
  return Array.from({ length: columns.r }, (_, row) =>
    Object.fromEntries(columns.k.map((key, place) => [key, made[place]?.[row] ?? null])),
  )
}
