/** One row of a table as it is walked through; the object is reused from row to row. */
export type Row = {
  /** Line of the text, or row of a JSON document, from 1. */
  line: number
  /** How many cells the row has. */
  width: number
  /** A cell without its quotes and outer blanks; empty where the row has no such cell. */
  cell(column: number): string
  /** A cell that is a plain decimal number, read without making a string of it; NaN for everything else. */
  plain(column: number): number
}

/** A table of whatever form: rows to walk through, and names of its columns where it has them. */
export type Table = {
  /** What the table is called in messages. */
  readonly name: string
  /** `line` for a text, `row` for a JSON document: how a place in it is called. */
  readonly place: 'line' | 'row'
  /** Names of the columns as they stand there; null without a header. */
  readonly header: readonly string[] | null
  /** Line of the header; 0 without one. */
  readonly headerLine: number
  /** What was seen or guessed about the form, in words. */
  readonly notes: readonly string[]
  /** Walks through the rows after the header until the visitor answers false. Blank lines and comments are left out. */
  forEach(visit: (row: Row) => boolean | void): void
}

/** The first rows of a table as texts. */
export function firstRows(table: Table, limit: number): string[][] {
  const rows: string[][] = []
  table.forEach((row) => {
    rows.push(Array.from({ length: row.width }, (_, column) => row.cell(column)))
    return rows.length < limit
  })
  return rows
}
