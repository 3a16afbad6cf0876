import { h } from './dom.js'
import { counted, duration, money, plain, price, utc } from './format.js'
import { createGrid } from './grid.js'
import { secondsOf } from './time-axis.js'
import { none, sideOf, signedMoney, signedMultiple } from './values.js'

/**
 * @typedef {import('./data.js').Trade} Trade
 * @typedef {{ number: number, trade: Trade, minutes: number }} TradeRow
 */

/** @param {readonly Trade[]} trades */
export const rowsOf = (trades) =>
  trades.map((trade, place) => ({
    number: place + 1,
    trade,
    minutes: (secondsOf(trade.exitTime) - secondsOf(trade.entryTime)) / 60,
  }))

/** @type {import('./grid.js').Column<TradeRow>[]} */
const COLUMNS = [
  { title: '#', width: 58, cell: ({ number }) => number, order: ({ number }) => number },
  {
    title: 'Side',
    width: 74,
    kind: 'words',
    cell: ({ trade }) => sideOf(trade.side),
    order: ({ trade }) => trade.side,
  },
  {
    title: 'Entry, UTC',
    width: 142,
    kind: 'words',
    cell: ({ trade }) => utc(trade.entryTime).slice(0, 16),
    order: ({ trade }) => trade.entryTime,
  },
  {
    title: 'Price',
    width: 84,
    cell: ({ trade }) => price(trade.entryPrice),
    order: ({ trade }) => Number(trade.entryPrice),
  },
  {
    title: 'Exit, UTC',
    width: 142,
    kind: 'words',
    cell: ({ trade }) => utc(trade.exitTime).slice(0, 16),
    order: ({ trade }) => trade.exitTime,
  },
  {
    title: 'Price',
    width: 84,
    cell: ({ trade }) => price(trade.exitPrice),
    order: ({ trade }) => Number(trade.exitPrice),
  },
  {
    title: 'Exit reason',
    width: 104,
    kind: 'words',
    cell: ({ trade }) => plain(trade.exitReason),
    order: ({ trade }) => trade.exitReason,
  },
  { title: 'PnL', width: 88, cell: ({ trade }) => signedMoney(trade.pnl), order: ({ trade }) => Number(trade.pnl) },
  {
    title: 'R',
    width: 80,
    cell: ({ trade }) => (trade.rMultiple === null ? none('no stop was known') : signedMultiple(trade.rMultiple)),
    order: ({ trade }) => trade.rMultiple,
  },
  { title: 'Held', width: 92, cell: ({ minutes }) => duration(minutes), order: ({ minutes }) => minutes },
  { title: 'Fees', width: 72, cell: ({ trade }) => money(trade.fees), order: ({ trade }) => Number(trade.fees) },
  {
    title: 'Funding',
    width: 80,
    cell: ({ trade }) => money(trade.funding, true),
    order: ({ trade }) => Number(trade.funding),
  },
]

/**
 * The trades, with filters by side, exit reason and result.
 *
 * @param {{ rows: readonly TradeRow[], currency: string, onOpen: (row: TradeRow) => void }} options
 */
export function createTradeList({ rows, currency, onOpen }) {
  const grid = createGrid({
    label: 'Trades',
    columns: COLUMNS,
    rows,
    empty: rows.length === 0 ? 'There were no trades.' : 'No trade fits these filters.',
    onOpen,
  })
  const count = h('p', { class: 'count', 'aria-live': 'polite' })
  const side = select('Side', [
    ['', 'all sides'],
    ['long', 'long'],
    ['short', 'short'],
  ])
  const reasons = [...new Set(rows.map(({ trade }) => trade.exitReason))].sort()
  const reason = select('Exit reason', [
    ['', 'all exits'],
    ...reasons.map((name) => /** @type {[string, string]} */ ([name, plain(name)])),
  ])
  const result = select('Result', [
    ['', 'all results'],
    ['gain', 'gains'],
    ['loss', 'losses'],
  ])
  const filter = () => {
    const shown = grid.filter(
      ({ trade }) =>
        (side.value === '' || trade.side === side.value) &&
        (reason.value === '' || trade.exitReason === reason.value) &&
        (result.value === '' || (result.value === 'gain') === Number(trade.pnl) > 0),
    )
    const total = shown.reduce((sum, { trade }) => sum + Number(trade.pnl), 0)
    count.replaceChildren(
      `${counted(shown.length, 'trade')}${shown.length < rows.length ? ` of ${rows.length}` : ''}`,
      ...(shown.length === 0 ? [] : [', ', signedMoney(total), ` ${currency}`]),
    )
  }
  for (const field of [side, reason, result]) field.addEventListener('change', filter)
  filter()
  return {
    ...grid,
    element: h('div', { class: 'trade-list' }, h('div', { class: 'tools' }, side, reason, result, count), grid.box),
  }
}

/**
 * @param {string} label
 * @param {readonly [string, string][]} options
 */
const select = (label, options) =>
  h(
    'select',
    { 'aria-label': label },
    options.map(([value, words]) => h('option', { value }, words)),
  )
