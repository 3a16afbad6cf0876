/** Types for the tests alone. */
export type FieldComparison = {
  field: string
  compared: number
  equal: number
  largest: number | null
  first: string | null
}

export const TRADE_FIELDS: readonly string[]
export const SLOT_FIELDS: readonly string[]
export function compareLists(
  what: string,
  ours: readonly object[],
  theirs: readonly object[],
  fields: readonly string[],
): FieldComparison[]
export function compareDirectory(directory: string, files?: { candles?: string; funding?: string }): FieldComparison[]
export function renderTable(lines: readonly FieldComparison[]): string
