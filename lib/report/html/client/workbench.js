import { createReportChart } from './chart.js'
import { createStories } from './data.js'
import { announce, byId, h } from './dom.js'
import { day, duration, money, number, plain, price, utc } from './format.js'
import { createRefusalList, refusalsOf } from './refusal-list.js'
import { createStoryPanel } from './story-panel.js'
import { createTimeAxis, secondsOf } from './time-axis.js'
import { createTradeList, rowsOf } from './trade-list.js'
import { facts, sideOf, signedMoney, signedMultiple, valueOr } from './values.js'

/**
 * @typedef {import('./data.js').Series} Series
 * @typedef {import('./data.js').Summary} Summary
 * @typedef {import('./data.js').Trade} Trade
 * @typedef {import('./trade-list.js').TradeRow} TradeRow
 * @typedef {import('./refusal-list.js').Refusal} Refusal
 * @typedef {import('./trade-overlay.js').Drawn} Drawn
 */

const RANGES = /** @type {const} */ ([
  ['1 D', 1],
  ['1 W', 7],
  ['1 M', 30],
  ['3 M', 91],
])

/** The empty place of chart, list and story: its size is known before its data are, so nothing jumps. */
export function workbenchFrame() {
  return h(
    'section',
    { id: 'trades', class: 'workbench', 'aria-labelledby': 'trades-title' },
    h(
      'div',
      { class: 'stage' },
      h('h2', { id: 'trades-title' }, 'Chart and trades'),
      h('div', { id: 'chart-tools', class: 'tools' }),
      h('div', { id: 'chart', class: 'chart', tabindex: 0, role: 'group' }),
      h(
        'p',
        { class: 'credit' },
        'Charts by ',
        h('a', { href: 'https://www.tradingview.com/', rel: 'noreferrer noopener' }, 'TradingView Lightweight Charts™'),
        ', Copyright © 2026 TradingView, Inc.',
      ),
      h('div', { id: 'lists', class: 'lists' }),
    ),
  )
}

/**
 * Chart, list and story together: what is chosen in one is shown in the others.
 *
 * @param {Summary} summary
 * @param {Series} series
 */
export function fillWorkbench(summary, series) {
  const root = byId('trades')
  const symbol = summary.data?.symbol ?? summary.config.market.symbol
  const currency = summary.config.instrument.quoteCurrency
  const stories = createStories(series)
  const axis = createTimeAxis(series)
  const rows = rowsOf(series.trades)
  const drawn = rows.map((row) => drawnOf(row, axis))
  const open = openDrawn(summary, axis)
  const refusals = refusalsOf(series)

  /** @type {{ step: (by: -1 | 1) => void, leave: () => void } | null} */
  let current = null
  const range = h('span', { class: 'count range' })
  const box = byId('chart')
  box.setAttribute(
    'aria-label',
    `Candles of ${symbol}, equity and drawdown. Arrow keys move through time, plus and minus zoom. Every trade is in the list below.`,
  )
  const chart = createReportChart({
    box,
    series,
    trades: open === null ? drawn : [...drawn, open],
    symbol,
    onPick: (trade) => (trade === open ? openOpenPosition() : openTrade(rows[trade.place])),
    onRange: (from, to) => {
      range.textContent = `${day(from)} to ${day(to)} UTC`
      box.dataset['from'] = utc(from)
      box.dataset['to'] = utc(to)
    },
  })

  const panel = createStoryPanel({
    onStep: (by) => current?.step(by),
    onClose: () => {
      root.classList.remove('open')
      const { leave } = current ?? {}
      current = null
      chart.select(null)
      leave?.()
    },
  })
  root.append(panel.element)

  const trades = createTradeList({ rows, currency, onOpen: (row) => openTrade(row) })
  const refused = createRefusalList({ rows: refusals, onOpen: (row) => openRefusal(row) })

  /** @param {TradeRow | undefined} row */
  function openTrade(row) {
    if (row === undefined) return
    const { trade, minutes, number: count } = row
    begin({
      step: (by) => openTrade(trades.neighbour(row, by) ?? undefined),
      leave: () => (trades.markOpen(null), trades.focus()),
    })
    refused.markOpen(null)
    trades.markOpen(row)
    chart.select(drawn[row.number - 1] ?? null)
    announce(`Trade ${count}: the chart shows ${utc(trade.entryTime)} to ${utc(trade.exitTime)} UTC`)
    panel.open(
      {
        title: [
          `Trade ${count} `,
          sideOf(trade.side),
          ' ',
          trade.rMultiple === null ? signedMoney(trade.pnl) : signedMultiple(trade.rMultiple),
        ],
        head: [
          facts([
            ['Entry, UTC', utc(trade.entryTime)],
            ['Entry price', price(trade.entryPrice)],
            ['Exit, UTC', utc(trade.exitTime)],
            ['Exit price', price(trade.exitPrice)],
            ['Exit reason', plain(trade.exitReason)],
            ['Held', duration(minutes)],
            ['Stop', valueOr(trade.stopLossPrice, price, 'no stop was known')],
            ['Target', valueOr(trade.takeProfitPrice, price, 'no target was known')],
            ['Contracts', number(Number(trade.quantity))],
            ['Regime', valueOr(trade.regime, plain, 'not known')],
            ['Gross', signedMoney(trade.gross)],
            ['Fees', money(trade.fees)],
            ['Funding', money(trade.funding, true)],
            ['Slippage', money(trade.slippage), 'inside the prices'],
            ['PnL', signedMoney(trade.pnl)],
            ['R', valueOr(trade.rMultiple, signedMultiple, 'no stop was known')],
          ]),
          exitDecision(trade),
          h('p', { class: 'quiet' }, 'Decided by cycle ', h('code', {}, trade.cycleId)),
        ],
        story: stories.read(trade.cycleId),
        missing:
          stories.count === 0
            ? 'No stories are kept in this report.'
            : `The story of cycle ${trade.cycleId} is not in this report.`,
      },
      { previous: trades.neighbour(row, -1) !== null, next: trades.neighbour(row, 1) !== null },
    )
  }

  /**
   * A way to the cycle that closed a trade, where its story is kept.
   *
   * @param {Trade} trade
   */
  function exitDecision(trade) {
    if (trade.exitReason !== 'decision') return null
    const cycleId = stories.find(
      (_, outcome, slot) =>
        outcome === 'closed' &&
        Date.parse(slot) > Date.parse(trade.entryTime) &&
        Date.parse(slot) <= Date.parse(trade.exitTime),
    )
    if (cycleId === null) return null
    return h(
      'div',
      { class: 'tools' },
      h(
        'button',
        {
          type: 'button',
          click: () => openCycle(cycleId, 'Closing decision', current?.leave ?? (() => trades.focus())),
        },
        'Show the decision to close',
      ),
    )
  }

  /** @param {Refusal} row */
  function openRefusal(row) {
    refused.markOpen(row)
    trades.markOpen(null)
    const place = axis.placeOf(row.time)
    chart.select(null)
    chart.showPlaces(place, place)
    const leave = () => (refused.markOpen(null), refused.focus())
    const neighbours = [refused.neighbour(row, -1), refused.neighbour(row, 1)]
    openCycle(row.cycleId, `Refused ${plain(row.action)}`, leave, neighbours, [
      facts([
        ['Slot, UTC', utc(row.time)],
        ['Refused by', row.rules.map(plain).join(', ')],
      ]),
    ])
  }

  function openOpenPosition() {
    const position = summary.openPosition
    if (position === null) return
    // A trade's id is its cycle's id and a few letters more.
    const cycleId = stories.find((id) => position.tradeId.startsWith(`${id}-`))
    chart.select(open)
    openCycle(cycleId, 'Open position', () => byId('open-position-tools').querySelector('button')?.focus())
  }

  /**
   * @param {string | null} cycleId
   * @param {string} title
   * @param {() => void} leave
   * @param {(Refusal | null)[]} [neighbours]
   * @param {import('./dom.js').Child} [head]
   */
  function openCycle(cycleId, title, leave, neighbours = [null, null], head = null) {
    const [previous = null, next = null] = neighbours
    begin({
      step: (by) => {
        const row = by < 0 ? previous : next
        if (row !== null) openRefusal(row)
      },
      leave,
    })
    panel.open(
      {
        title,
        head: [head, cycleId === null ? null : h('p', { class: 'quiet' }, 'Cycle ', h('code', {}, cycleId))],
        story: cycleId === null ? Promise.resolve(null) : stories.read(cycleId),
        missing: 'The story of this cycle is not in this report.',
      },
      { previous: previous !== null, next: next !== null },
    )
  }

  /** @param {NonNullable<typeof current>} next */
  function begin(next) {
    current = next
    root.classList.add('open')
    const { top, bottom } = box.getBoundingClientRect()
    if (top < 0 || bottom > innerHeight) root.scrollIntoView({ block: 'start' })
  }

  byId('chart-tools').append(
    ...RANGES.map(([name, days]) =>
      h('button', { type: 'button', 'aria-label': `Show ${days} days`, click: () => chart.showDays(days) }, name),
    ),
    h('button', { type: 'button', 'aria-label': 'Show the whole period', click: () => chart.showAll() }, 'All'),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        checked: true,
        change: (/** @type {Event} */ event) =>
          chart.showHolding(event.target instanceof HTMLInputElement && event.target.checked),
      }),
      'holding',
    ),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        change: (/** @type {Event} */ event) =>
          chart.showAllLevels(event.target instanceof HTMLInputElement && event.target.checked),
      }),
      'levels of all trades in sight',
    ),
    range,
  )
  byId('lists').append(
    trades.element,
    refusals.length === 0
      ? ''
      : h(
          'details',
          { class: 'refusals' },
          h('summary', {}, `Refused decisions (${number(refusals.length)})`),
          refused.element,
        ),
  )
  if (open !== null)
    byId('open-position-tools').append(
      h('button', { type: 'button', click: openOpenPosition }, 'Show on the chart, with its story'),
    )
}

/**
 * @param {TradeRow} row
 * @param {ReturnType<typeof createTimeAxis>} axis
 * @returns {Drawn}
 */
const drawnOf = ({ number: count, trade }, axis) => ({
  place: count - 1,
  side: trade.side,
  entry: axis.placeOf(secondsOf(trade.entryTime)),
  exit: axis.placeOf(secondsOf(trade.exitTime)),
  entryPrice: Number(trade.entryPrice),
  exitPrice: Number(trade.exitPrice),
  stop: trade.stopLossPrice === null ? null : Number(trade.stopLossPrice),
  target: trade.takeProfitPrice === null ? null : Number(trade.takeProfitPrice),
  gain: Number(trade.pnl),
  exitWord: plain(trade.exitReason),
})

/**
 * The open position as far as the period goes.
 *
 * @param {Summary} summary
 * @param {ReturnType<typeof createTimeAxis>} axis
 * @returns {Drawn | null}
 */
function openDrawn({ openPosition: position }, axis) {
  if (position === null) return null
  const { bracket } = position
  return {
    place: -1,
    side: position.side,
    entry: axis.placeOf(secondsOf(position.openedAt)),
    exit: Math.max(0, axis.times.length - 1),
    entryPrice: Number(position.entryPrice),
    exitPrice: null,
    stop: bracket === null ? null : Number(bracket.stopLossPrice),
    target: bracket === null ? null : Number(bracket.takeProfitPrice),
    gain: 0,
    exitWord: '',
  }
}
