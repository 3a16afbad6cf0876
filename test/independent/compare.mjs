/**
 * Holds a stored replay against the plain one of `plain-replay.mjs`, field by field and slot by slot. Exact: one digit that
 * differs is a difference, and ends with exit code 1.
 *
 *   npm run hourhand -- replay --candles FILE.csv.gz --funding FILE.csv.gz --out DIR
 *   npm run check-outside -- DIR [--candles FILE.csv.gz] [--funding FILE.csv.gz]
 *
 * DIR holds `replay.json` (the configuration, the span, what was counted), `trades.jsonl` (the trades) and `slots.jsonl`
 * (what came of each slot). The files are those that `replay.json` names unless others are given.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { plainReplay, readCandles, readFunding } from './plain-replay.mjs'

export const TRADE_FIELDS = [
  'side',
  'quantity',
  'entryTime',
  'entryPrice',
  'exitTime',
  'exitPrice',
  'exitReason',
  'stopLossPrice',
  'takeProfitPrice',
  'gross',
  'fees',
  'funding',
  'slippage',
  'pnl',
  'rMultiple',
]
export const SLOT_FIELDS = [
  'slot',
  'outcome',
  'action',
  'confidence',
  'ask',
  'refusedBy',
  'equity',
  'cash',
  'inPosition',
]

/**
 * One line a field: how many values, how many equal, the largest difference (null where what differs are no numbers) and
 * the first one. What is missing on one side differs.
 */
export function compareLists(what, ours, theirs, fields) {
  return fields.map((field) => {
    const count = Math.max(ours.length, theirs.length)
    const result = { field: `${what} ${field}`, compared: count, equal: 0, largest: null, first: null }
    for (let index = 0; index < count; index++) {
      const [a, b] = [ours[index]?.[field], theirs[index]?.[field]]
      if (ours[index] !== undefined && theirs[index] !== undefined && JSON.stringify(a) === JSON.stringify(b)) {
        result.equal += 1
        continue
      }
      const distance = Math.abs(Number(a ?? Number.NaN) - Number(b ?? Number.NaN))
      if (!Number.isNaN(distance)) result.largest = Math.max(result.largest ?? 0, distance)
      result.first ??= `#${index + 1}: plain ${JSON.stringify(a)}, replay ${JSON.stringify(b)}`
    }
    return result
  })
}

const jsonLines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** How often each thing occurs in a list, by name. */
function tally(names) {
  const counts = new Map()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const sorted = (counts) => Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What is counted and what is left at the end, of the plain replay and of the stored one, in one shape. */
function ends(plain, { counts, metrics, end }) {
  const { openPosition: open } = end
  return [
    {
      outcomes: tally(plain.slots.map(({ outcome }) => outcome)),
      refusalsByRule: tally(plain.slots.flatMap(({ refusedBy }) => refusedBy)),
      heldBars: plain.heldBars,
      ambiguousBars: plain.ambiguousBars,
      endEquity: plain.slots.at(-1)?.equity,
      halt: plain.halt,
      openPosition: plain.openPosition,
    },
    {
      outcomes: sorted(counts.outcomes),
      refusalsByRule: sorted(counts.refusalsByRule),
      heldBars: counts.heldBars,
      ambiguousBars: counts.ambiguousBars,
      endEquity: metrics.endEquity,
      halt: end.halt && { at: end.halt.at, rule: end.halt.rule },
      openPosition: open && {
        side: open.side,
        quantity: open.quantity,
        entryPrice: open.entryPrice,
        openedAt: open.openedAt,
        stopLossPrice: open.bracket.stopLossPrice,
        takeProfitPrice: open.bracket.takeProfitPrice,
        liquidationPrice: open.liquidationPrice,
      },
    },
  ]
}

/** Replays plainly what a result directory says was replayed, and compares. */
export function compareDirectory(directory, files = {}) {
  const stored = JSON.parse(readFileSync(path.join(directory, 'replay.json'), 'utf8'))
  const { config, data } = stored
  const candles = readCandles(files.candles ?? config.market.source)
  const fundingFile = files.funding ?? config.market.fundingFile
  const funding = fundingFile === null ? [] : readFunding(fundingFile)
  const plain = plainReplay({ config, candles, funding, from: Date.parse(data.from), to: Date.parse(data.to) })
  const [ours, theirs] = ends(plain, stored)
  return [
    ...compareLists('trade', plain.trades, jsonLines(path.join(directory, 'trades.jsonl')), TRADE_FIELDS),
    ...compareLists('slot', plain.slots, jsonLines(path.join(directory, 'slots.jsonl')), SLOT_FIELDS),
    ...compareLists('end', [ours], [theirs], Object.keys(ours)),
  ]
}

/** The lines of the table, for people. */
export function renderTable(lines) {
  const cells = lines.map(({ field, compared, equal, largest, first }) => [
    field,
    String(compared),
    String(equal),
    equal === compared ? '0' : largest === null ? 'no number' : String(largest),
    first ?? '',
  ])
  const rows = [['field', 'compared', 'equal', 'largest difference', 'first difference'], ...cells]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]) : column === 4 ? cell : cell.padStart(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { candles: { type: 'string' }, funding: { type: 'string' } },
  })
  if (positionals.length !== 1) {
    console.error(
      'usage: npm run check-outside -- DIR [--candles FILE] [--funding FILE]; DIR is what hourhand replay --out wrote',
    )
    process.exit(2)
  }
  const lines = compareDirectory(positionals[0], values)
  const different = lines.filter(({ compared, equal }) => equal !== compared)
  console.log(renderTable(lines))
  console.log(
    different.length === 0
      ? `\nAll ${lines.length} fields are equal to the last digit.`
      : `\n${different.length} of ${lines.length} fields DIFFER: ${different.map(({ field }) => field).join(', ')}`,
  )
  process.exitCode = different.length === 0 ? 0 : 1
}
