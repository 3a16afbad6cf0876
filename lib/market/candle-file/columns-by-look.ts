import { UsageError } from '../../core/invariant.ts'
import type { EpochMs } from '../../core/time.ts'
import { type CandleColumns, orderOfPrices } from './columns.ts'
import { readInstant } from './instants.ts'
import { type NumberStyle, styleOf, writtenNumber } from './numbers.ts'
import { firstRows, type Table } from './table.ts'

/**
 * Columns of a table without names: the first that holds times, and behind it four prices that could be those of bars.
 */
export function columnsByLook(table: Table, now: EpochMs): { columns: CandleColumns; notes: string[] } {
  const rows = firstRows(table, 200)
  const usual = rows.reduce((most, cells) => Math.max(most, cells.length), 0)
  const whole = rows.filter((cells) => cells.length === usual)
  const places = Array.from({ length: usual }, (_, column) => column)
  const timeOf = (cell: string) => readInstant(cell, 'day-first', now) ?? readInstant(cell, 'month-first', now)
  const time = places.find((column) => whole.every((cells) => timeOf(cells[column] ?? '') !== null))
  const style = styleOf(whole.flat()) === 'comma' ? 'comma' : 'point'
  const pricesFrom = (first: number): number[][] =>
    whole.map((cells) => [0, 1, 2, 3].map((offset) => writtenNumber(cells[first + offset] ?? '', style)))
  const [stamp, next] = [whole[0], whole.at(-1)].map((cells) => timeOf(cells?.[time ?? 0] ?? '')?.at ?? 0)
  const isNewestFirst = (stamp ?? 0) > (next ?? 0)
  const starts = time === undefined ? [] : places.slice(time + 1, -3)
  for (const first of starts) {
    const bars = pricesFrom(first)
    if (!bars.every((bar) => bar.every((value) => Number.isFinite(value)))) continue
    const order = orderOfPrices(
      bars.filter((bar) => bar.every((value) => value !== 0)),
      isNewestFirst,
    )
    if (order === null) continue
    const at = (price: string): number => first + order.indexOf(price)
    const volume = volumeByLook(whole, first, style)
    const isEvery = (column: number, form: RegExp): boolean => whole.every((cells) => form.test(cells[column] ?? ''))
    const confirmed = places.find((column) => isEvery(column, WHETHER_WHOLE) || (isOkx(whole) && column === 8)) ?? null
    const symbol = places.find((column) => column !== confirmed && isEvery(column, SYMBOL)) ?? null
    const prices = { open: at('open'), high: at('high'), low: at('low'), close: at('close') }
    const times = [{ column: time ?? 0, name: '', means: 'open' as const }]
    return {
      columns: { ...prices, volume, symbol, confirmed, times },
      notes: [
        `no header: columns taken as time, ${order.join(', ')}${volume === null ? '' : volume === first + 5 ? ', average price, volume' : ', volume'}`,
      ],
    }
  }
  throw new UsageError(
    `${table.name}: no header with open, high, low and close, and no rows that look like time, open, high, low, close; put timestamp,open,high,low,close,volume above the rows`,
  )
}

/** Behind the prices; one column further where an average price of the bar comes first, as Kraken has it. */
function volumeByLook(rows: readonly (readonly string[])[], first: number, style: NumberStyle): number | null {
  const numberAt = (cells: readonly string[], column: number): number => writtenNumber(cells[column] ?? '', style)
  const isAverage = rows.every((cells) => {
    const prices = [0, 1, 2, 3].map((offset) => numberAt(cells, first + offset))
    const value = numberAt(cells, first + 4)
    return (value >= Math.min(...prices) && value <= Math.max(...prices)) || value === 0
  })
  const column = isAverage && rows.some((cells) => numberAt(cells, first + 4) > 0) ? first + 5 : first + 4
  return rows.every((cells) => column < cells.length) ? column : first + 4 < (rows[0]?.length ?? 0) ? first + 4 : null
}

const WHETHER_WHOLE = /^(?:true|false)$/i
/** Nine cells of which the last is 1, but for the newest bar while it forms. */
const isOkx = (rows: readonly (readonly string[])[]): boolean =>
  rows.every((cells) => cells.length === 9 && /^[01]$/.test(cells[8] ?? '')) &&
  rows.filter((cells) => cells[8] === '0').length <= 1

const SYMBOL = /^[A-Za-z][\w\-/.:=^]{1,30}$/
