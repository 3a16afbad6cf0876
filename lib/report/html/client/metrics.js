import { h } from './dom.js'
import { counted, day, duration, number, percent, plain, ratio } from './format.js'
import { intervalPlot } from './plots.js'
import { facts, fold, none, section, signedMoney, signedMultiple, signedPercent, table, valueOr } from './values.js'
import { why } from './why.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('./data.js').Summary} Summary
 * @typedef {import('../../../../schemas/metrics.ts').TradeStatistics} TradeStatistics
 * @typedef {import('../../../../schemas/metrics.ts').Drawdown} Drawdown
 */

/** @param {Summary} summary */
export function metricsSection({ metrics }) {
  const { evidence } = metrics
  return section(
    'metrics',
    'Metrics',
    h(
      'div',
      { class: 'pair' },
      h(
        'div',
        {},
        h('h3', {}, 'Return and risk'),
        facts(
          [
            ['Return', signedPercent(metrics.totalReturn)],
            [
              'Return a year',
              valueOr(metrics.annualisedReturn, signedPercent, 'the period is too short'),
              'compounded',
            ],
            ['Volatility a year', valueOr(metrics.volatility, (value) => percent(value), why.returns)],
            ['Sharpe', valueOr(metrics.sharpe, (value) => ratio(value), why.returns), 'annualised, no risk-free rate'],
            [
              'Sortino',
              valueOr(metrics.sortino, (value) => ratio(value), 'no losing period'),
              'return over downside deviation',
            ],
            [
              'Calmar',
              valueOr(metrics.calmar, (value) => ratio(value), why.drawdown),
              'return a year over the deepest drawdown',
            ],
            ['Skewness', valueOr(metrics.skewness, (value) => ratio(value), why.returns)],
            [
              'Kurtosis',
              valueOr(metrics.kurtosis, (value) => ratio(value), why.returns),
              '3 for a normal distribution',
            ],
            ['Deepest drawdown', fall(metrics.deepestDrawdown)],
            ['Longest drawdown', fall(metrics.longestDrawdown)],
            ['Time in the market', percent(metrics.exposure, { places: 1 })],
            [
              'Turnover a year',
              valueOr(metrics.turnover, (value) => `${number(value, { most: 1 })} × equity`, why.trades),
              'notional traded both ways over average equity',
            ],
          ],
          'lined',
        ),
      ),
      h(
        'div',
        {},
        h('h3', {}, 'Trades'),
        facts(
          [
            ['Trades', number(metrics.trades)],
            ['Won', valueOr(metrics.winRate, (value) => percent(value, { places: 1 }), why.trades)],
            [
              'Profit factor',
              valueOr(metrics.profitFactor, (value) => ratio(value), why.losses),
              'sum of gains over sum of losses',
            ],
            ['Expectancy', valueOr(metrics.expectancy, signedMoney, why.trades), 'average PnL of a trade'],
            ['Average R', valueOr(metrics.averageR, signedMultiple, why.stops), 'PnL over the money at risk at entry'],
            ['Average gain', valueOr(metrics.averageWinR, signedMultiple, why.winners)],
            ['Average loss', valueOr(metrics.averageLossR, signedMultiple, why.losers)],
            ['Held on average', valueOr(metrics.averageHoldingMinutes, duration, why.trades)],
          ],
          'lined',
        ),
        h('h3', {}, 'How sure'),
        intervals(metrics),
        facts(
          [
            ['Returns observed', `${number(metrics.observations)}, of ${number(metrics.observationHours)} h each`],
            ['Trials on this market', number(evidence.trials), 'different settings tried, this one among them'],
            [
              'Sharpe, spread over trials',
              valueOr(evidence.trialDeviation, (value) => ratio(value, 3), why.trials),
              'standard deviation, per observation',
            ],
            [
              'Probabilistic Sharpe',
              valueOr(evidence.probabilisticSharpe, (value) => percent(value, { places: 1 }), why.returns),
              'probability that the true Sharpe ratio is above zero',
            ],
            [
              'Deflated Sharpe',
              valueOr(evidence.deflatedSharpe, (value) => percent(value, { places: 1 }), why.returns),
              'the same against the best that so many trials without skill would show',
            ],
          ],
          'lined',
        ),
      ),
    ),
    h('h3', {}, 'Groups'),
    metrics.trades === 0
      ? h('p', { class: 'quiet' }, 'There were no trades to group.')
      : [
          group('By side', 'Side', metrics.bySide),
          group('By regime at entry', 'Regime', metrics.byRegime),
          group('By exit reason', 'Exit', metrics.byExitReason),
          fold('By hour of entry, UTC', () => group('By hour of entry', 'Hour', metrics.byHour)),
        ],
  )
}

/**
 * @param {Drawdown | null} drawdown
 * @returns {Child}
 */
const fall = (drawdown) =>
  drawdown === null
    ? none(why.drawdown)
    : [
        percent(drawdown.depth),
        h(
          'small',
          {},
          ` ${counted(Math.round(drawdown.days), 'day')}, ${day(drawdown.peakAt)} to ${drawdown.recoveredAt === null ? 'not recovered' : day(drawdown.recoveredAt)}, low ${day(drawdown.troughAt)}`,
        ),
      ]

/** @param {Summary['metrics']} metrics */
function intervals({ evidence, totalReturn, sharpe, averageR }) {
  /** @type {[string, { low: number, high: number } | null, number | null, (value: number) => string][]} */
  const rows = [
    ['Return', evidence.intervals.totalReturn, totalReturn, (value) => percent(value, { places: 1, plus: true })],
    ['Sharpe', evidence.intervals.sharpe, sharpe, (value) => ratio(value)],
    ['Average R', evidence.intervals.averageR, averageR, (value) => ratio(value, 3)],
  ]
  const level = percent(evidence.confidence, { places: 0 })
  return table({
    caption: `Confidence intervals, ${level}, by bootstrap of ${counted(evidence.resamples, 'resample')}`,
    head: [`${level} interval`, 'Low', 'Value', 'High', ''],
    rows: rows.map(([name, interval, value, show]) => [
      name,
      valueOr(interval, ({ low }) => show(low), why.interval),
      valueOr(value, show, why.returns),
      valueOr(interval, ({ high }) => show(high), why.interval),
      interval === null ? '' : intervalPlot(interval, value),
    ]),
    kind: 'intervals',
  })
}

/**
 * @param {string} caption
 * @param {string} first
 * @param {Record<string, TradeStatistics>} groups
 */
const group = (caption, first, groups) =>
  table({
    caption,
    head: [
      first,
      'Trades',
      'Won',
      'Profit factor',
      'Expectancy',
      'Avg R',
      'Avg gain',
      'Avg loss',
      'Held',
      'PnL',
      'Fees',
      'Funding',
      'Slippage',
    ],
    rows: Object.entries(groups)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, statistics]) => [
        plain(name),
        number(statistics.trades),
        valueOr(statistics.winRate, (value) => percent(value, { places: 0 }), why.trades),
        valueOr(statistics.profitFactor, (value) => ratio(value), why.losses),
        valueOr(statistics.expectancy, signedMoney, why.trades),
        valueOr(statistics.averageR, signedMultiple, why.stops),
        valueOr(statistics.averageWinR, signedMultiple, why.winners),
        valueOr(statistics.averageLossR, signedMultiple, why.losers),
        valueOr(statistics.averageHoldingMinutes, duration, why.trades),
        signedMoney(statistics.pnl),
        number(Number(statistics.fees), { least: 2 }),
        number(Number(statistics.funding), { least: 2, plus: true }),
        number(Number(statistics.slippage), { least: 2 }),
      ]),
    kind: 'groups',
  })
