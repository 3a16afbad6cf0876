import { UsageError } from '../../core/invariant.ts'
import type { EpochMs } from '../../core/time.ts'
import type { RawCandle } from '../inspect-candles.ts'
import { firstOf, normalName } from './columns.ts'
import type { Table } from './table.ts'
import { quoted } from './time-column.ts'

const LENGTHS = ['interval', 'timeframe', 'time_frame', 'granularity', 'resolution', 'period', 'per', 'i']
const LENGTH = /^\d{0,5} ?[a-z]{0,7}\d{0,5}$/i

/** Throws {@link UsageError} where a column names bars of several lengths. */
export function requireOneLength(table: Table): void {
  const names = (table.header ?? []).map(normalName)
  const column = firstOf(names, LENGTHS)
  if (column === null) return
  const found = new Map<string, number>()
  table.forEach((row) => {
    const cell = row.cell(column)
    if (cell !== '' && normalName(cell) !== names[column] && !found.has(cell)) found.set(cell, row.line)
    return found.size <= 12
  })
  const lengths = [...found.keys()]
  if (lengths.length < 2 || lengths.length > 12 || !lengths.every((each) => LENGTH.test(each))) return
  throw new UsageError(
    `${table.name}, ${table.place} ${[...found.values()][1] ?? 0}: bars of several lengths, ${lengths.map((each) => quoted(each)).join(', ')}; keep the rows of one`,
  )
}

/** Whether no time stands twice, as in a file that is in order one way or the other. */
const isStrictlyOrdered = (rows: readonly RawCandle[]): boolean => {
  const way = Math.sign((rows[1]?.time ?? 0) - (rows[0]?.time ?? 0))
  return (
    rows.every(({ time }, index) => index === 0 || Math.sign(time - (rows[index - 1]?.time ?? 0)) === way) && way !== 0
  )
}

/**
 * Throws {@link UsageError} where many times stand twice with another open: a bar grows while it forms, but opens once.
 */
export function requireOneMarket(
  table: Table,
  { rows, lines }: { readonly rows: readonly RawCandle[]; readonly lines: readonly number[] },
): void {
  if (isStrictlyOrdered(rows)) return
  const opens = new Map<EpochMs, number>()
  let others = 0
  let line = 0
  for (const [index, { time, open }] of rows.entries()) {
    const known = opens.get(time)
    if (known === undefined) opens.set(time, open)
    else if (Math.abs(known - open) > 0.02 * Math.abs(known)) {
      if (others === 0) line = lines[index] ?? 0
      others += 1
    }
  }
  if (others > Math.max(2, rows.length / 10))
    throw new UsageError(
      `${table.name}, ${table.place} ${line}: ${others} of ${rows.length} rows repeat a time with another open, so these are rows of several markets or lengths of bars, or their time of day is missing; keep the rows of one (a column called symbol tells them apart with --symbol), or write the whole time into each`,
    )
}
