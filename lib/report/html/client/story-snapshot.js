import { h } from './dom.js'
import { counted, duration, money, number, percent, plain, price, ratio, reading, utc } from './format.js'
import {
  badge,
  facts,
  fold,
  none,
  sideOf,
  signedMoney,
  signedMultiple,
  signedPercent,
  table,
  valueOr,
  verbatim,
} from './values.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('../../../../schemas/snapshot.ts').Snapshot} Snapshot
 * @typedef {Snapshot['views']['primary']} View
 */

const WARMING = 'still warming up'

/**
 * Everything a decision was based on, section by section.
 *
 * @param {Snapshot} snapshot
 * @returns {Child}
 */
export const tellSnapshot = (snapshot) => [
  part('Market', market(snapshot)),
  part('Indicators', indicators(snapshot)),
  part('Account', account(snapshot)),
  part('Position', position(snapshot)),
  part('Recent performance', performance(snapshot)),
  part('Last decisions', decisions(snapshot)),
  part('Headlines', headlines(snapshot)),
  part('Data issues', issues(snapshot)),
  fold('Bars', () => [snapshot.views.primary, snapshot.views.fourHour, snapshot.views.daily].map(bars)),
  fold('Snapshot as JSON', () => verbatim('Snapshot as JSON', JSON.stringify(snapshot, null, 2))),
]

/**
 * @param {string} title
 * @param {Child} content
 */
const part = (title, content) => h('section', { class: 'part' }, h('h4', {}, title), content)

/** @param {string} words */
const nothing = (words) => h('p', { class: 'quiet' }, words)

/** @param {Snapshot} snapshot */
const market = ({ quote, asOf, funding, openInterest, reference }) =>
  facts([
    ['As of, UTC', utc(asOf)],
    ['Bid', price(quote.bid)],
    ['Ask', price(quote.ask)],
    ['Last', price(quote.last)],
    ['Mark', price(quote.mark)],
    [
      'Funding',
      valueOr(
        funding,
        ({ rate, intervalHours }) => `${percent(rate, { places: 4, plus: true })} per ${number(intervalHours)} h`,
        'funding was not known',
      ),
      'positive: longs pay shorts',
    ],
    [
      'Funding a year',
      valueOr(funding, ({ annualised }) => percent(annualised, { plus: true }), 'funding was not known'),
    ],
    [
      'Funding, average',
      valueOr(funding, ({ averageRate }) => percent(averageRate, { places: 4, plus: true }), 'funding was not known'),
    ],
    ['Open interest', valueOr(openInterest, (value) => number(value), 'the venue does not tell')],
    ...(reference === null
      ? []
      : /** @type {[string, Child][]} */ ([
          ['Reference', reference.symbol],
          ['Its price', price(reference.price)],
          [
            '1 h, 24 h, 7 d',
            [reference.change1h, reference.change24h, reference.change7d].map((change, place) => [
              place > 0 ? ' ' : '',
              valueOr(change, signedPercent, 'history is too short'),
            ]),
          ],
          ['Its RSI 14', valueOr(reference.rsi14, reading, WARMING)],
          ['Its regime', regimeOf(reference.regime)],
          ['Correlation', valueOr(reference.correlation, (value) => ratio(value), 'history is too short')],
        ])),
  ])

/** @param {View['regime']} regime */
const regimeOf = ({ label, direction }) =>
  `${plain(label)}${direction === 0 ? '' : direction > 0 ? ' ↑ up' : ' ↓ down'}`

/** @param {Snapshot} snapshot */
function indicators({ views }) {
  const columns = [views.primary, views.fourHour, views.daily]
  const row = (/** @type {string} */ name, /** @type {(view: View) => number | null} */ value, show = reading) => [
    name,
    ...columns.map((view) => valueOr(value(view), show, WARMING)),
  ]
  return table({
    caption: 'Indicators at the last closed bar of each timeframe',
    head: ['', ...columns.map(({ timeframe }) => timeframe)],
    rows: [
      ['Regime', ...columns.map(({ regime }) => h('span', { class: 'wrap' }, regimeOf(regime)))],
      row('RSI 14', ({ indicators }) => indicators.rsi14),
      row('ADX 14', ({ indicators }) => indicators.adx14),
      row('EMA 12', ({ indicators }) => indicators.ema12),
      row('EMA 26', ({ indicators }) => indicators.ema26),
      row('EMA 50', ({ indicators }) => indicators.ema50),
      row('EMA 200', ({ indicators }) => indicators.ema200),
      row('ATR 14', ({ indicators }) => indicators.atr14),
      row('Bollinger upper', ({ indicators }) => indicators.bollinger20?.upper ?? null),
      row('Bollinger middle', ({ indicators }) => indicators.bollinger20?.middle ?? null),
      row('Bollinger lower', ({ indicators }) => indicators.bollinger20?.lower ?? null),
      row('MACD', ({ indicators }) => indicators.macd?.macd ?? null),
      row('MACD signal', ({ indicators }) => indicators.macd?.signal ?? null),
      row('MACD histogram', ({ indicators }) => indicators.macd?.histogram ?? null),
      row(
        'Band width',
        ({ regime }) => regime.bandWidth,
        (value) => percent(value),
      ),
      row('Breakout, ATR', ({ regime }) => regime.breakoutAtr),
      row(
        'Volatility a year',
        ({ realisedVolatility }) => realisedVolatility,
        (value) => percent(value, { places: 1 }),
      ),
      row(
        'Its percentile',
        ({ volatilityPercentile }) => volatilityPercentile,
        (value) => percent(value, { places: 0 }),
      ),
      row('Bars used', ({ barsUsed }) => barsUsed),
    ],
  })
}

/** @param {Snapshot} snapshot */
const account = ({ account: { equity, cash, dayReturn, drawdown, entriesToday, consecutiveLosses } }) =>
  facts([
    ['Equity', money(equity)],
    ['Cash', money(cash)],
    ['Today', signedPercent(dayReturn)],
    ['Drawdown', percent(drawdown)],
    ['Entries today', entriesToday],
    ['Losses in a row', consecutiveLosses],
  ])

/**
 * @param {Snapshot} snapshot
 * @returns {Child}
 */
function position({ position }) {
  if (position === null) return nothing('None was open.')
  const {
    side,
    quantity,
    entryPrice,
    openedAt,
    heldMinutes,
    bracket,
    liquidationPrice,
    unrealisedPnl,
    unrealisedR,
    thesis,
  } = position
  return [
    facts([
      ['Side', sideOf(side)],
      ['Contracts', number(Number(quantity))],
      ['Entry', price(entryPrice)],
      ['Opened, UTC', utc(openedAt)],
      ['Held', duration(heldMinutes)],
      ['Stop', valueOr(bracket, ({ stopLossPrice }) => price(stopLossPrice), 'there was none')],
      ['Target', valueOr(bracket, ({ takeProfitPrice }) => price(takeProfitPrice), 'there was none')],
      ['Liquidation', valueOr(liquidationPrice, price, 'not known')],
      ['Unrealised', signedMoney(unrealisedPnl)],
      ['Unrealised R', valueOr(unrealisedR, signedMultiple, 'no stop was known')],
    ]),
    thesis === null
      ? null
      : h('blockquote', {}, h('p', {}, thesis.rationale), h('p', {}, h('b', {}, 'Wrong if: '), thesis.invalidation)),
  ]
}

/** @param {Snapshot} snapshot */
function performance({ performance }) {
  return table({
    caption: 'Recent performance of the strategy',
    head: ['', 'Trades', 'Won', 'Average', 'PnL'],
    rows: [
      performanceRow('all', performance),
      performanceRow('long', performance.bySide.long),
      performanceRow('short', performance.bySide.short),
      ...Object.entries(performance.byRegime).map(([regime, group]) => performanceRow(`in ${plain(regime)}`, group)),
    ],
  })
}

/**
 * @param {string} name
 * @param {Omit<Snapshot['performance'], 'bySide' | 'byRegime'>} group
 * @returns {Child[]}
 */
const performanceRow = (name, { trades, winRate, averageR, pnl }) => [
  name,
  trades,
  valueOr(winRate, (value) => percent(value, { places: 0 }), 'no trades'),
  valueOr(averageR, signedMultiple, 'no trades with a stop'),
  signedMoney(pnl),
]

/** @param {Snapshot} snapshot */
const decisions = ({ decisions }) =>
  decisions.length === 0
    ? nothing('None before this one.')
    : h(
        'ol',
        { class: 'lines' },
        decisions.map(({ at, action, outcome, confidence, note }) =>
          h(
            'li',
            {},
            h('span', { class: 'when' }, utc(at)),
            ' ',
            h('b', {}, plain(action)),
            ` → ${plain(outcome)}${confidence === null ? '' : `, confidence ${ratio(confidence)}`}`,
            h('p', {}, note),
          ),
        ),
      )

/**
 * @param {Snapshot} snapshot
 * @returns {Child}
 */
const headlines = ({ news }) => [
  news.headlines.length === 0
    ? nothing('None.')
    : h(
        'ul',
        { class: 'lines' },
        news.headlines.map(({ title, source, ageMinutes, publishedAt }) =>
          h(
            'li',
            {},
            title,
            h(
              'p',
              {},
              `${source}, ${ageMinutes === null || publishedAt === null ? 'undated' : `${duration(ageMinutes)} old, ${utc(publishedAt)} UTC`}`,
            ),
          ),
        ),
      ),
  news.feeds.some(({ ok }) => !ok)
    ? h(
        'ul',
        { class: 'lines' },
        news.feeds
          .filter(({ ok }) => !ok)
          .map(({ source, problem }) =>
            h('li', {}, badge('feed failed', 'fail'), ` ${source}: ${problem ?? 'no reason given'}`),
          ),
      )
    : null,
]

/** @param {Snapshot} snapshot */
function issues({ issues, contextIssues }) {
  const all = [
    ...issues.map((issue) => ({ ...issue, weight: 'keeps entries out' })),
    ...contextIssues.map((issue) => ({ ...issue, weight: 'context only' })),
  ]
  if (all.length === 0) return nothing('None.')
  return h(
    'ul',
    { class: 'lines' },
    all.map(({ kind, at, count, detail, weight }) =>
      h(
        'li',
        {},
        h('b', {}, plain(kind)),
        ` ${detail}`,
        h('p', {}, `${weight}, ${counted(count, 'bar')}${at === null ? '' : `, from ${utc(at)} UTC`}`),
      ),
    ),
  )
}

/** @param {View} view */
const bars = ({ timeframe, bars }) =>
  bars.length === 0
    ? none(`no bars of ${timeframe}`)
    : table({
        caption: `Bars of ${timeframe}`,
        head: [`${timeframe}, open UTC`, 'Open', 'High', 'Low', 'Close', 'Volume'],
        rows: bars.map(({ time, open, high, low, close, volume }) => [
          utc(time / 1000),
          price(open),
          price(high),
          price(low),
          price(close),
          volume === null ? '-' : number(volume, { most: 0 }),
        ]),
      })
