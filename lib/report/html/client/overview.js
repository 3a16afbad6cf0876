import { h } from './dom.js'
import { counted, day, duration, money, number, percent, plain, price, ratio, utc } from './format.js'
import {
  badge,
  facts,
  none,
  resultBadge,
  section,
  sideOf,
  signedMoney,
  signedMultiple,
  signedPercent,
  valueOr,
} from './values.js'
import { why } from './why.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('./data.js').Summary} Summary
 */

/**
 * The time between decisions, as the configuration spells it, in words: `30m` is "30 minutes", `1h` "hour".
 *
 * @param {string} interval
 */
function intervalWords(interval) {
  const unit = { s: 'second', m: 'minute', h: 'hour', d: 'day' }[interval.slice(-1)] ?? ''
  const count = Number(interval.slice(0, -1))
  return count === 1 ? unit : counted(count, unit)
}

/**
 * What this is a report of, what it comes to, and the numbers people look for first.
 *
 * @param {Summary} summary
 */
export function overview(summary) {
  const { title, kind, strategyId, mode, decider, model, metrics, config, data, verdict, baselines } = summary
  const symbol = data?.symbol ?? config.market.symbol
  const hold = baselines?.hold ?? null
  const { intervals, confidence } = metrics.evidence
  const range = (
    /** @type {{ low: number, high: number } | null} */ interval,
    /** @type {(value: number) => string} */ show,
  ) =>
    interval === null ? null : `${percent(confidence, { places: 0 })}: ${show(interval.low)} to ${show(interval.high)}`
  return h(
    'header',
    { id: 'overview', class: 'overview' },
    h(
      'p',
      { class: 'eyebrow' },
      badge(mode, mode),
      badge(kind === 'replay' ? 'replay of history' : 'stored record', 'plain'),
      h('span', {}, `${strategyId} on ${symbol}`),
    ),
    // Names and dates stay in one piece where they fit.
    h(
      'h1',
      {},
      title.split(' ').map((word) => [h('span', { class: 'word' }, word), ' ']),
    ),
    h('p', { class: 'verdict' }, resultBadge(verdict.result), ' ', verdict.sentence),
    h(
      'p',
      { class: 'quiet' },
      `${day(metrics.from)} to ${day(metrics.to)} UTC, ${counted(Math.round(metrics.days), 'day')}. Decided every ${intervalWords(config.interval)} by ${model === null ? decider : `${model} (${decider})`}.`,
    ),
    dataQuality(summary),
    halted(summary),
    openPosition(summary),
    h(
      'dl',
      { class: 'figures' },
      figure(
        'Return',
        signedPercent(metrics.totalReturn),
        range(intervals.totalReturn, (value) => percent(value, { places: 0, plus: true })),
      ),
      figure(
        'Against holding',
        hold === null ? none('holding was not played') : signedPercent(metrics.totalReturn - hold.totalReturn),
        hold === null ? null : `holding ${percent(hold.totalReturn, { places: 1, plus: true })}`,
      ),
      figure(
        'Deepest drawdown',
        percent(metrics.maxDrawdown),
        metrics.deepestDrawdown === null
          ? 'equity never fell'
          : `${counted(Math.round(metrics.deepestDrawdown.days), 'day')}${metrics.deepestDrawdown.recoveredAt === null ? ', not recovered' : ''}`,
      ),
      figure(
        'Sharpe, a year',
        valueOr(metrics.sharpe, (value) => ratio(value), why.returns),
        range(intervals.sharpe, (value) => ratio(value, 1)),
      ),
      figure(
        'Trades',
        number(metrics.trades),
        metrics.winRate === null ? null : `${percent(metrics.winRate, { places: 0 })} won`,
      ),
      figure(
        'Average R',
        valueOr(metrics.averageR, signedMultiple, why.stops),
        metrics.profitFactor === null ? null : `profit factor ${ratio(metrics.profitFactor)}`,
      ),
      figure(
        'PnL after costs',
        signedMoney(metrics.pnl),
        `${money(metrics.endEquity)} ${config.instrument.quoteCurrency} at the end`,
      ),
    ),
  )
}

/**
 * @param {string} name
 * @param {Child} value
 * @param {Child} note
 */
const figure = (name, value, note) =>
  h('div', {}, h('dt', {}, name), h('dd', {}, h('strong', {}, value), note === null ? null : h('small', {}, note)))

/**
 * What the bars are worth that all of this is made of; a stored record has none counted.
 *
 * @param {Summary} summary
 */
function dataQuality({ counts }) {
  if (counts === null || counts.quality === null) return null
  const { expected, real, carried, missing, gaps, longestGap, duplicates, conflicts } = counts.quality
  const longest =
    longestGap === null ? '' : `, the longest of ${counted(longestGap.bars, 'bar')} from ${utc(longestGap.from)} UTC`
  return h(
    'p',
    { class: 'quiet', id: 'data-quality' },
    `Data: ${number(expected)} bars expected, ${number(real)} real, ${number(carried)} carried (no trade, last price), ${number(missing)} missing; ${counted(gaps, 'gap')}${longest}; ${number(duplicates)} duplicate and ${number(conflicts)} conflicting; ${number(counts.ambiguousBars)} of ${number(counts.heldBars)} held bars ambiguous.`,
  )
}

/** @param {Summary} summary */
const halted = ({ halt }) =>
  halt === null
    ? null
    : h(
        'p',
        { class: 'banner', role: 'note' },
        h('strong', {}, 'Halted'),
        ` ${utc(halt.at)} UTC by the ${halt.by}${halt.rule === null ? '' : `, rule ${plain(halt.rule)}`}: ${halt.reason}. Nothing was opened after that.`,
      )

/** @param {Summary} summary */
function openPosition({ openPosition: position, metrics }) {
  if (position === null) return null
  const minutes = (Date.parse(metrics.to) - Date.parse(position.openedAt)) / 60_000
  return h(
    'section',
    { class: 'open-position', 'aria-label': 'Open position' },
    h('h2', {}, 'Still open'),
    facts([
      ['Side', sideOf(position.side)],
      ['Contracts', number(Number(position.quantity))],
      ['Entry', price(position.entryPrice)],
      ['Opened, UTC', utc(position.openedAt)],
      ['Held', minutes > 0 ? duration(minutes) : none('the period ended before')],
      ['Stop', valueOr(position.bracket, ({ stopLossPrice }) => price(stopLossPrice), 'there is none')],
      ['Target', valueOr(position.bracket, ({ takeProfitPrice }) => price(takeProfitPrice), 'there is none')],
      ['Exits at the venue', position.protection],
      ['Liquidation', valueOr(position.liquidationPrice, price, 'not known')],
    ]),
    h('div', { id: 'open-position-tools', class: 'tools' }),
  )
}

/** @param {Summary} summary */
export const gatesSection = ({ gates }) =>
  section(
    'gates',
    'Gates',
    gates.length === 0
      ? h('p', { class: 'quiet' }, 'No gates were judged.')
      : h(
          'ul',
          { class: 'gates' },
          gates.map(({ gate, result, limit, actual, reason }) =>
            h(
              'li',
              {},
              h('div', { class: 'gate-head' }, h('b', {}, gateName(gate)), resultBadge(result)),
              h('p', {}, reason),
              h(
                'p',
                { class: 'quiet' },
                'found ',
                valueOr(actual, (value) => shown(gate, value), 'there is no such number yet'),
                `, asked ${gate === 'max_drawdown' ? 'at most' : gate === 'beats_holding' ? 'more than' : 'at least'} ${shown(gate, limit)}`,
              ),
            ),
          ),
        ),
  )

/** @param {string} gate */
const gateName = (gate) =>
  plain(gate)
    .replace('sharpe', 'Sharpe')
    .replace(/^./, (letter) => letter.toUpperCase())

/**
 * A gate's number in its own unit.
 *
 * @param {Summary['gates'][number]['gate']} gate
 * @param {number} value
 */
function shown(gate, value) {
  if (gate === 'trades') return number(value)
  return gate === 'max_drawdown' || gate === 'beats_holding' ? percent(value) : ratio(value)
}
