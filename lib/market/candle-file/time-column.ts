import { UsageError } from '../../core/invariant.ts'
import { DAY_MS, type EpochMs, MINUTE_MS, SECOND_MS, TIMEFRAMES, timeframeMs, toIso } from '../../core/time.ts'
import { normalName, type TimeColumn } from './columns.ts'
import {
  clockOf,
  createZoneReader,
  type DateOrder,
  type EpochUnit,
  readInstant,
  shownInstant,
  yearLastNumbers,
} from './instants.ts'
import { firstRows, type Row, type Table } from './table.ts'
import { createLocalTimes } from '../../core/time-zone.ts'

/** What a person says of the times in a file, where the file leaves it open. */
export type TimeOptions = {
  /** The wall clock: no row of a file is later than a day after it. */
  readonly now: EpochMs
  /** Zone of times that name none; null for UTC. */
  readonly timeZone: string | null
  /** Order of day and month where dates leave it open; null to tell by the file. */
  readonly dateOrder: DateOrder | null
}

/** Reads the instant of each row, in order. */
export type TimeReader = {
  /**
   * The instant, or null where the row has no time at all: a repeated header, a footer. Throws for a time outside
   * reason.
   */
  read(row: Row): EpochMs | null
  readonly means: TimeColumn['means']
  readonly column: number
  /** The column's name for messages. */
  readonly name: string
  /** What was guessed, in words, after the rows have been read. */
  notes(): string[]
}

const SAMPLE_ROWS = 400
/** Rows of a sample that may hold no time: lines of a header below the first, footers. */
const OTHER_ROWS = 3
const CLOCK_NAMES = new Set([
  'time',
  'hour',
  'clock',
  'time_utc',
  'utc_time',
  'gmt_time',
  'timestamp',
  'uhrzeit',
  'zeit',
  'hora',
  'heure',
])

/** Throws {@link UsageError} where no column holds times, or their order of day and month cannot be told. */
export function createTimeReader(
  table: Table,
  candidates: readonly TimeColumn[],
  prices: readonly number[],
  options: TimeOptions,
): TimeReader {
  const latest = options.now + DAY_MS
  const sample = firstRows(table, SAMPLE_ROWS)
  const chosen = chooseColumn(table, sample, candidates, prices, latest)
  const { column } = chosen
  const name = shownName(table, column)
  const clock = clockColumn(table, sample, column, prices, latest)
  const { order, notes: orderNotes } = orderOfDates(table, column, sample, options)
  const fromZone = createZoneReader(createLocalTimes(options.timeZone ?? 'UTC'))
  const isUtcNamed = /(?:^|_)(?:utc|gmt)(?:_|$)/.test(normalName(name))
  const units = new Map<EpochUnit, number>()
  let hasLocal = false
  let serial = false

  const refuse = (row: Row, shown: string, problem: string): never => {
    throw new UsageError(`${table.name}, ${table.place} ${row.line}, column ${name}: ${shown} ${problem}`)
  }
  const judged = (row: Row, at: EpochMs): EpochMs => {
    if (at > latest)
      refuse(row, shownInstant(at), `lies after now (${toIso(options.now)}); correct the time or remove the row`)
    if (at < 0) refuse(row, shownInstant(at), 'lies before 1970; remove the row')
    return at
  }
  const counted = (unit: EpochUnit, line: number): void => {
    if (!units.has(unit)) units.set(unit, line)
  }
  const slow = (row: Row): EpochMs | null => {
    const date = row.cell(column)
    const ofDay = clock === null ? '' : clockOf(row.cell(clock))
    if (ofDay === null) return null
    const reading = readInstant(ofDay === '' ? date : `${date} ${ofDay}`, order, latest)
    if (reading === null) return null
    if (reading.kind === 'instant') {
      if (reading.how !== 'ISO') counted(reading.how, row.line)
      return judged(row, reading.at)
    }
    hasLocal = true
    serial ||= reading.isSerial === true
    const at = fromZone(reading.at)
    if (at === null)
      return refuse(
        row,
        quoted(date),
        `is in the hour that clocks of ${options.timeZone} leave out in spring; give another --time-zone`,
      )
    return judged(row, at)
  }
  return {
    means: chosen.means,
    column,
    name,
    read(row) {
      if (clock !== null) return slow(row)
      const value = row.plain(column)
      // The digits of present-day seconds, milliseconds and microseconds; the rest is looked at more closely.
      if (value >= 1e12 && value < 1e13) {
        counted('milliseconds', row.line)
        return judged(row, Math.floor(value))
      }
      if (value >= 1e15 && value < 1e16) {
        counted('microseconds', row.line)
        return judged(row, Math.floor(value / 1e3))
      }
      if (value >= 1e9 && value < 2e9) {
        counted('seconds', row.line)
        return judged(row, Math.round(value * SECOND_MS))
      }
      return slow(row)
    },
    notes: () => [
      ...(table.header === null || chosen.isFound
        ? [`time in column ${column + 1}${clock === null ? '' : ` and ${clock + 1}`}`]
        : []),
      ...unitNotes(units, table.place),
      ...(serial ? ['times in serial days of a spreadsheet'] : []),
      ...orderNotes,
      ...(hasLocal && !isUtcNamed
        ? [
            options.timeZone === null
              ? 'times without a zone taken as UTC (--time-zone says otherwise)'
              : `times taken in ${options.timeZone}`,
          ]
        : []),
    ],
  }
}

function unitNotes(units: ReadonlyMap<EpochUnit, number>, place: string): string[] {
  const [first, ...others] = units.entries()
  if (first === undefined) return []
  if (others.length === 0) return first[0] === 'milliseconds' ? [] : [`times in ${first[0]}`]
  return [`times in ${first[0]}, ${others.map(([unit, line]) => `from ${place} ${line} on in ${unit}`).join(', ')}`]
}

function chooseColumn(
  table: Table,
  sample: readonly (readonly string[])[],
  candidates: readonly TimeColumn[],
  prices: readonly number[],
  latest: EpochMs,
): TimeColumn & { isFound: boolean } {
  const readings = (column: number) =>
    sample.flatMap(
      (cells) =>
        readInstant(cells[column] ?? '', 'day-first', latest) ??
        readInstant(cells[column] ?? '', 'month-first', latest) ??
        [],
    )
  const holdsTimes = (column: number): boolean =>
    readings(column).length >= Math.max(1, Math.min(sample.length - OTHER_ROWS, sample.length * 0.6))
  const usable = candidates.filter(({ column }) => holdsTimes(column))
  const opens = usable.filter(({ means }) => means === 'open')
  const exact = opens.find(({ column }) => readings(column).every(({ kind }) => kind === 'instant'))
  const named = exact ?? opens[0] ?? usable[0]
  if (named !== undefined) return { ...named, isFound: false }
  const width = Math.max(0, ...sample.map((cells) => cells.length))
  for (let column = 0; column < width; column += 1)
    if (!prices.includes(column) && holdsTimes(column)) return { column, name: '', means: 'open', isFound: true }
  const [first] = candidates
  const shown =
    first === undefined ? undefined : sample.find((cells) => (cells[first.column] ?? '') !== '')?.[first.column]
  const place =
    first === undefined ? '' : `, ${table.place} ${table.headerLine + 1}, column ${shownName(table, first.column)}`
  throw new UsageError(
    sample.length === 0
      ? `${table.name}: 0 rows below the header; give at least two bars`
      : `${table.name}${place}: ${shown === undefined ? 'no column holds times' : `${quoted(shown)} is not a time`}; write an epoch (seconds, milliseconds, microseconds) or ISO 8601 such as 2026-11-02T09:30:00Z`,
  )
}

/** A cell for a message: short, and without what a terminal would take for a command. */
export const quoted = (cell: string): string =>
  // oxlint-disable-next-line no-control-regex
  JSON.stringify(cell.slice(0, 60).replaceAll(/[^\u0020-\u007e\u00a1-\u024f€]/g, '?'))

/** A column for a message: its name, or its place where it has none. */
export const shownName = (table: Table, column: number): string => {
  const name = table.header?.[column] ?? ''
  return name === '' ? String(column + 1) : quoted(name).slice(1, -1)
}

/** Beside a column of bare dates, the column of the time of day; null where there is none. */
function clockColumn(
  table: Table,
  sample: readonly (readonly string[])[],
  date: number,
  prices: readonly number[],
  latest: EpochMs,
): number | null {
  const isBareDate = sample.every((cells) => {
    const reading =
      readInstant(cells[date] ?? '', 'day-first', latest) ?? readInstant(cells[date] ?? '', 'month-first', latest)
    return reading === null || (reading.kind === 'local' && reading.at % DAY_MS === 0)
  })
  if (!isBareDate) return null
  const columns =
    table.header === null
      ? [date + 1]
      : table.header.flatMap((name, column) => (CLOCK_NAMES.has(normalName(name)) ? [column] : []))
  const isClock = (column: number): boolean => {
    const clocks = sample.filter((cells) => clockOf(cells[column] ?? '') !== null).length
    return clocks >= Math.max(1, Math.min(sample.length - OTHER_ROWS, sample.length * 0.6))
  }
  return columns.find((column) => column !== date && !prices.includes(column) && isClock(column)) ?? null
}

type Order = { order: DateOrder; notes: string[] }

/**
 * Day or month first, where dates end in the year: as the person says; by a number above 12; by the step of the rows.
 */
function orderOfDates(
  table: Table,
  column: number,
  sample: readonly (readonly string[])[],
  options: TimeOptions,
): Order {
  const isYearLast = sample.some((cells) => yearLastNumbers(cells[column] ?? '') !== null)
  if (!isYearLast) return { order: 'day-first', notes: [] }
  if (options.dateOrder !== null) return { order: options.dateOrder, notes: [] }
  let dayFirst: string | null = null
  let monthFirst: string | null = null
  let allDots = true
  const cells: string[] = []
  table.forEach((row) => {
    const cell = row.cell(column)
    const numbers = yearLastNumbers(cell)
    if (numbers === null) return
    if (numbers.first > 12) dayFirst ??= cell
    if (numbers.second > 12) monthFirst ??= cell
    if (numbers.separator !== '.') allDots = false
    if (cells.length < 2_000) cells.push(cell)
  })
  if (dayFirst !== null && monthFirst !== null)
    throw new UsageError(
      `${table.name}: ${quoted(dayFirst)} has its day first and ${quoted(monthFirst)} its month; write dates as 2026-11-02`,
    )
  if (dayFirst !== null) return { order: 'day-first', notes: ['dates with the day first'] }
  if (monthFirst !== null) return { order: 'month-first', notes: ['dates with the month first'] }
  const fitting = (['day-first', 'month-first'] as const).filter((order) => isEven(cells, order, options.now + DAY_MS))
  const [only, other] = fitting
  if (only !== undefined && other === undefined)
    return {
      order: only,
      notes: [
        `dates taken with the ${only === 'day-first' ? 'day' : 'month'} first, by their step (--date-order says otherwise)`,
      ],
    }
  if (allDots)
    return { order: 'day-first', notes: ['dates with dots taken with the day first (--date-order says otherwise)'] }
  throw new UsageError(
    `${table.name}: dates such as ${quoted(cells[0] ?? '')} leave open which number is the day; add --date-order day-first or --date-order month-first`,
  )
}

/** Whether most dates, read in this order, follow each other by one and the same known step, none in the future. */
function isEven(cells: readonly string[], order: DateOrder, latest: EpochMs): boolean {
  const times = cells.flatMap((cell) => readInstant(cell, order, latest)?.at ?? [])
  if (times.length < 3 || times.some((time) => time > latest)) return false
  const steps = times.slice(1).map((time, index) => Math.abs(time - (times[index] ?? time)))
  const lengths = TIMEFRAMES.map((timeframe) => timeframeMs(timeframe))
  const best = Math.max(...lengths.map((length) => steps.filter((step) => step === length).length))
  // A day's end of whichever market is a longer step.
  const short = steps.filter((step) => step > 0 && step <= 4 * DAY_MS + MINUTE_MS).length
  return best >= steps.length * 0.4 && short === steps.length
}
