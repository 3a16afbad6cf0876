import { UsageError } from '../core/invariant.ts'
import { HOUR_MS, toIso } from '../core/time.ts'
import type { NamedBytes } from '../files/unpack.ts'
import type { FundingRate } from '../../schemas/market.ts'
import { normalName, symbolColumn, timeColumns } from './candle-file/columns.ts'
import {
  factorOf,
  type FundingUnit,
  judgeRates,
  parseFundingUnit,
  shownUnit,
  unitInName,
} from './candle-file/funding-unit.ts'
import { createJsonTable, looksLikeJson } from './candle-file/json-table.ts'
import { isBlank, type NumberStyle, styleOf, writtenNumber } from './candle-file/numbers.ts'
import { chooseSymbol } from './candle-file/read-candles.ts'
import { requireOwnSpan } from './candle-file/sanity.ts'
import { readSources, type Source, textsOf } from './candle-file/sources.ts'
import { firstRows, type Row, type Table } from './candle-file/table.ts'
import { createTextTable } from './candle-file/text-table.ts'
import { createTimeReader, quoted, shownName, type TimeOptions } from './candle-file/time-column.ts'

export type FundingOptions = TimeOptions & {
  /** What the file's numbers count, as the person says it; null to go by the file. */
  readonly fundingUnit: string | null
  /** Whose rates are wanted, where a file holds those of several symbols. */
  readonly symbol?: string | null
}

export type FundingFile = {
  /**
   * As fractions of the notional over one settlement, oldest first; of several for one instant the first in the file.
   */
  readonly rates: readonly FundingRate[]
  readonly notes: readonly string[]
}

const RATE_NAMES = [
  // Kraken's own funding_rate is in money for a unit.
  'relative_funding_rate',
  'funding_rate',
  'fundingrate',
  'last_funding_rate',
  'realized_rate',
  'settled_rate',
  'funding',
  'rate',
  'value',
  'f',
  'r',
  'interest_rate',
]

/**
 * Reads settled funding from files as people have them: times as in candle files, rates as fractions of the notional
 * over one settlement unless the column's name, a percent sign or the person says otherwise.
 *
 * Throws {@link UsageError} as `readCandleFile` does, and for rates that cannot be in the unit that they seem to be in:
 * a percent believed to be a fraction costs a hundred times too much.
 */
export const readFundingFile = (paths: readonly string[], options: FundingOptions): FundingFile =>
  readFunding(readSources(paths), options)

/** {@link readFundingFile} of files that are in memory. */
export function readFunding(files: readonly NamedBytes[], options: FundingOptions): FundingFile {
  const read = textsOf(files).map((source) => readFundingText(source, options))
  const rates = read.flatMap((file) => file.rates).sort((a, b) => a.time - b.time)
  return {
    rates: rates.filter((rate, index) => index === 0 || rate.time !== rates[index - 1]?.time),
    notes: read.flatMap(({ notes }) => notes),
  }
}

const isFundingHeader = (cells: readonly string[]): boolean => cells.length >= 2 && rateColumn(cells) !== null

/** By its name, without what the name says of the unit. */
function rateColumn(header: readonly string[]): number | null {
  const names = header.map((name) =>
    normalName(name.replaceAll(/\([^()]*\)|%/g, ' ')).replace(/_(?:bps?|pct|percent)$/, ''),
  )
  for (const wanted of RATE_NAMES) {
    const exact = names.indexOf(wanted)
    if (exact >= 0) return exact
  }
  const column = names.findIndex(
    (name) =>
      /fund(?:ing)?_?rate|^apr$|^funding_|annuali[sz]ed/.test(name) && !/time|interval|stamp|date|next/.test(name),
  )
  return column < 0 ? null : column
}

function readFundingText(source: Source, options: FundingOptions): FundingFile {
  const { name, text } = source
  const table = looksLikeJson(text)
    ? createJsonTable(name, text)
    : createTextTable({ name, text, minCells: 2, isHeader: isFundingHeader })
  const column = table.header === null ? null : rateColumn(table.header)
  if (column === null || table.header === null)
    throw new UsageError(
      `${name}${table.header === null ? '' : `, ${table.place} ${table.headerLine}`}: no column funding_rate${table.header === null ? ' and no header' : ` in the header ${quoted(table.header.join(','))}`}; name the columns timestamp,funding_rate`,
    )
  const times = createTimeReader(table, timeColumns(table.header.map(normalName), [column]), [column], options)
  const read = readRates(table, column, (row) => times.read(row))
  const { hasPercentSign, blanks } = read
  const { symbol = null } = options
  const chosen = chooseSymbol(read, { symbol: null, ...(symbol === null ? {} : { impliedSymbol: symbol }) }, name)
  const { rows: values, lines } = chosen
  if (values.length === 0) throw new UsageError(`${name}: 0 rates; give rows of timestamp,funding_rate`)
  requireOwnSpan(
    values.map(({ time }) => time),
    (index) => `${table.place} ${lines[index] ?? 0}`,
    name,
  )
  const intervalMs = intervalOf(values)
  const { unit, why } = unitOf(options.fundingUnit, table.header[column] ?? '', hasPercentSign)
  const factor = factorOf(unit, intervalMs)
  const rates = factor === 1 ? values : values.map(({ time, rate }) => ({ time, rate: rate * factor }))
  if (options.fundingUnit === null) requirePlausible(name, rates, intervalMs, unit)
  const sorted = values.map(({ time }) => time).sort((a, b) => a - b)
  const notes = [
    ...source.notes,
    ...table.notes,
    ...times.notes(),
    `rates as ${shownUnit(unit, intervalMs)}${why}`,
    ...chosen.notes,
    ...(blanks === 0 ? [] : [`${blanks} rows without a rate left out`]),
    ...(rates.every(({ rate }) => rate === 0) ? ['every rate is 0'] : []),
  ]
  return {
    rates,
    notes: [
      `${name}: ${rates.length} rates, ${toIso(sorted[0] ?? 0)} to ${toIso(sorted.at(-1) ?? 0)}; ${notes.join('; ')}`,
    ],
  }
}

function readRates(table: Table, column: number, timeOf: (row: Row) => number | null) {
  const style: NumberStyle =
    styleOf(firstRows(table, 500).map((cells) => (cells[column] ?? '').replace(/%$/, ''))) === 'comma'
      ? 'comma'
      : 'point'
  const rows: FundingRate[] = []
  const names = symbolColumn((table.header ?? []).map(normalName))
  const symbols: string[] = []
  const symbolOf: number[] = []
  const lines: number[] = []
  let hasPercentSign = 0
  let blanks = 0
  const header = table.header?.map(normalName).join('\n')
  table.forEach((row) => {
    const time = timeOf(row)
    const cell = row.cell(column)
    if (time === null) {
      const isHeader =
        Array.from({ length: row.width }, (_, index) => normalName(row.cell(index))).join('\n') === header
      if (isHeader) return
      throw new UsageError(
        `${table.name}, ${table.place} ${row.line}: ${quoted(row.cell(0))} is not the time of a rate; write an epoch or ISO 8601 such as 2026-11-02T08:00:00Z, or remove the ${table.place}`,
      )
    }
    if (isBlank(cell)) {
      blanks += 1
      return
    }
    const isPercent = cell.endsWith('%')
    const plain = row.plain(column)
    const rate = Number.isNaN(plain) ? writtenNumber(isPercent ? cell.slice(0, -1) : cell, style) : plain
    if (!Number.isFinite(rate))
      throw new UsageError(
        `${table.name}, ${table.place} ${row.line}, column ${shownName(table, column)}: ${quoted(cell)} is not a number; write a plain decimal such as 0.0001 or drop the row`,
      )
    if (isPercent) hasPercentSign += 1
    rows.push({ time, rate })
    if (names !== null) {
      const symbol = row.cell(names)
      if (!symbols.includes(symbol)) symbols.push(symbol)
      symbolOf.push(symbols.indexOf(symbol))
    }
    lines.push(row.line)
  })
  if (hasPercentSign > 0 && hasPercentSign < rows.length)
    throw new UsageError(
      `${table.name}: some rates have a percent sign and some have none; write all of them in one unit`,
    )
  return { rows, lines, symbols, symbolOf, hasPercentSign: hasPercentSign > 0, blanks }
}

/** The most common step between rates, in whole hours: how often the venue settles. */
function intervalOf(values: readonly FundingRate[]): number {
  const times = values.map(({ time }) => time).sort((a, b) => a - b)
  const counts = new Map<number, number>()
  times.forEach((time, index) => {
    const step = Math.round((time - (times[index - 1] ?? time)) / HOUR_MS) * HOUR_MS
    if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1)
  })
  const [stepMs] = [...counts].reduce<[number, number]>((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])
  return stepMs === 0 ? 8 * HOUR_MS : stepMs
}

function unitOf(told: string | null, header: string, hasPercentSign: boolean): { unit: FundingUnit; why: string } {
  const parsed = told === null ? null : parseFundingUnit(told)
  if (parsed !== null) return { unit: parsed, why: ' (--funding-unit)' }
  const named = unitInName(header)
  if (hasPercentSign)
    return { unit: { scale: 'percent', periodMs: named?.periodMs ?? 'interval' }, why: ' (each has a percent sign)' }
  return named === null
    ? { unit: { scale: 'fraction', periodMs: 'interval' }, why: '' }
    : { unit: named, why: ` (the column is called ${quoted(header)})` }
}

const percent = (perYear: number): string => `${(perYear * 100).toFixed(2)} %`

function requirePlausible(name: string, rates: readonly FundingRate[], intervalMs: number, unit: FundingUnit): void {
  const judgement = judgeRates(
    rates.map(({ rate }) => rate),
    intervalMs,
  )
  if (judgement.kind === 'plausible') return
  const { medianPerYear, likely } = judgement
  const others = unit.scale === 'fraction' && unit.periodMs === 'interval' ? likely : []
  const readings = others.map((other) => `${other.unit} (${percent(other.perYear)} a year)`)
  const asIs = unit.periodMs === 'interval' ? unit.scale : 'fraction'
  throw new UsageError(
    `${name}: the funding rates seem to be in another unit: read as ${shownUnit(unit, intervalMs)} their median is ${percent(medianPerYear)} a year, and markets pay 1 to 100 %. ` +
      `${readings.length === 0 ? '' : `They would make sense as ${readings.join(' or as ')}. `}Say which it is: --funding-unit ${others[0]?.unit ?? 'percent'}, or --funding-unit ${asIs} if they are right as they stand`,
  )
}
