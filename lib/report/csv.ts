import type { EquityPoint } from '../../schemas/equity.ts'
import type { Trade } from '../../schemas/trade.ts'

/** Whether a column holds words, or numbers and times that this program wrote itself. */
type Column<Row> = { name: keyof Row & string; kind: 'text' | 'value' }

const text = <Name extends string>(name: Name) => ({ name, kind: 'text' }) as const
const value = <Name extends string>(name: Name) => ({ name, kind: 'value' }) as const

const TRADE_COLUMNS = [
  text('id'),
  text('side'),
  value('quantity'),
  value('entryTime'),
  value('entryPrice'),
  value('exitTime'),
  value('exitPrice'),
  text('exitReason'),
  value('stopLossPrice'),
  value('takeProfitPrice'),
  value('gross'),
  value('fees'),
  value('funding'),
  value('slippage'),
  value('pnl'),
  value('rMultiple'),
  text('regime'),
] as const satisfies readonly Column<Trade>[]

const EQUITY_COLUMNS = [
  value('at'),
  value('equity'),
  value('cash'),
  value('markPrice'),
  text('phase'),
] as const satisfies readonly Column<EquityPoint>[]

/** Closed trades as CSV: times ISO 8601 UTC, amounts plain decimals of the quote currency, absent values empty. */
export const tradesCsv = (trades: readonly Trade[]): string => toCsv(TRADE_COLUMNS, trades)

/** The equity curve as CSV, one record a slot. */
export const equityCsv = (points: readonly EquityPoint[]): string => toCsv(EQUITY_COLUMNS, points)

/** RFC 4180: a header, records that end in CRLF, fields with a comma, quote or line break in quotes. */
function toCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const records = rows.map((row) => columns.map(({ name, kind }) => field(row[name], kind)))
  return [columns.map(({ name }) => name), ...records].map((record) => `${record.join(',')}\r\n`).join('')
}

function field(content: unknown, kind: 'text' | 'value'): string {
  if (content === null || content === undefined) return ''
  const plain = kind === 'text' ? harmless(String(content)) : String(content)
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/**
 * Spreadsheets run a cell that begins like a formula; an apostrophe before it makes it text (OWASP, CSV Injection).
 * Numbers keep their minus sign: they are ours.
 */
const harmless = (words: string): string => (/^[=+\-@\t\r\n]/.test(words) ? `'${words}` : words)
