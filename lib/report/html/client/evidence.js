import { h } from './dom.js'
import { counted, money, number, percent, plain, ratio, utc } from './format.js'
import { balance, histogram } from './plots.js'
import {
  facts,
  fold,
  none,
  section,
  signedMoney,
  signedMultiple,
  signedPercent,
  table,
  valueOr,
  verbatim,
} from './values.js'
import { why } from './why.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('./data.js').Summary} Summary
 * @typedef {import('../../../../schemas/replay.ts').Baseline} Baseline
 */

/** @param {string} words */
const quiet = (words) => h('p', { class: 'quiet' }, words)

const BASELINE_HEAD = ['', 'Return', 'Sharpe', 'Deepest drawdown', 'Trades', 'Fees', 'Funding']

/**
 * @param {string} name
 * @param {Baseline | null} baseline
 * @param {string} missing
 * @returns {Child[]}
 */
const baselineRow = (name, baseline, missing) =>
  baseline === null
    ? [name, ...BASELINE_HEAD.slice(1).map(() => none(missing))]
    : [
        name,
        signedPercent(baseline.totalReturn),
        valueOr(baseline.sharpe, (value) => ratio(value), why.returns),
        percent(baseline.maxDrawdown),
        number(baseline.trades),
        money(baseline.fees),
        money(baseline.funding, true),
      ]

/** @param {Summary} summary */
export function baselinesSection({ metrics, baselines }) {
  if (baselines === null) return section('baselines', 'Baselines', quiet('No baselines were played.'))
  const { hold, flat, rules, random } = baselines
  const itself = {
    totalReturn: metrics.totalReturn,
    sharpe: metrics.sharpe,
    maxDrawdown: metrics.maxDrawdown,
    trades: metrics.trades,
    fees: metrics.fees,
    funding: metrics.funding,
  }
  return section(
    'baselines',
    'Baselines',
    h(
      'div',
      { class: 'pair' },
      h(
        'div',
        {},
        h('h3', {}, 'Other ways to trade the same slots'),
        table({
          caption: 'The strategy beside its baselines',
          head: BASELINE_HEAD,
          rows: [
            baselineRow('this strategy', itself, ''),
            baselineRow('buy and hold', hold, 'holding was not played'),
            baselineRow('stay flat', flat, ''),
            baselineRow('the rules decider', rules, 'the rules were not played'),
          ],
          kind: 'first-strong',
        }),
      ),
      h('div', {}, h('h3', {}, 'Random entries'), ...randomOf(random, metrics.totalReturn)),
    ),
  )
}

/** @param {number} value */
const show = (value) => percent(value, { places: 1, plus: true })

/**
 * @param {NonNullable<Summary['baselines']>['random']} random
 * @param {number} totalReturn
 * @returns {Child[]}
 */
function randomOf(random, totalReturn) {
  if (random === null || random.totalReturns.length === 0) return [quiet('Random entries were not played.')]
  const { seeds, entryRate, totalReturns, median, p05, p95, medianSharpe, medianTrades, percentile } = random
  const beaten =
    percentile === null ? 'its place among them is not known' : `it beats ${percent(percentile, { places: 0 })} of them`
  return [
    h(
      'p',
      {},
      `${counted(seeds, 'run')} under the same guard and costs, entering at ${percent(entryRate, { places: 1 })} of flat slots: `,
      h('b', {}, beaten),
      '.',
    ),
    histogram({
      label: `Returns of ${seeds} random runs from ${show(Math.min(...totalReturns))} to ${show(Math.max(...totalReturns))}, this strategy at ${show(totalReturn)}`,
      values: totalReturns,
      mark: totalReturn,
      markName: `this strategy ${show(totalReturn)}`,
      show,
    }),
    facts([
      ['5 % lowest', valueOr(p05, show, why.trades)],
      ['Median', valueOr(median, show, why.trades)],
      ['5 % highest', valueOr(p95, show, why.trades)],
      ['Median Sharpe', valueOr(medianSharpe, (value) => ratio(value), why.returns)],
      ['Median trades', valueOr(medianTrades, (value) => number(value), why.trades)],
    ]),
  ]
}

/**
 * A line of a balance.
 *
 * @param {string} name
 * @param {string | number} amount
 * @param {{ meaning?: string, sum?: boolean }} [more]
 */
const line = (name, amount, more = {}) => ({ name, value: Number(amount), words: signedMoney(amount), ...more })

/** @param {Summary} summary */
export function attributionSection({ attribution }) {
  if (attribution === null)
    return section(
      'attribution',
      'Where the result comes from',
      quiet('It was not attributed: there are no decided trades with their stops on record.'),
    )
  const {
    decider,
    guard,
    exits,
    sizing,
    pnl,
    decisions,
    approved,
    refused,
    averageR,
    averageApprovedR,
    averageRefusedR,
    riskUnit,
  } = attribution
  return section(
    'attribution',
    'Where the result comes from',
    balance('Attribution of the result', [
      line('Decider', decider, {
        meaning: 'all entry decisions played to stop, target or time limit at equal risk, refused ones too',
      }),
      line('Guard', guard, { meaning: 'what refusing saved or cost' }),
      line('Exits', exits, { meaning: 'what closing before stop, target or time limit added' }),
      line('Sizing', sizing, { meaning: 'what not risking the same on each added' }),
      line('PnL', pnl, { sum: true }),
    ]),
    quiet(
      `Each entry decision is played to its stop, target or time limit at equal risk (one R is ${money(riskUnit)}), whether it was let through or not. The guard's part is what refusing saved or cost; exits, what closing earlier added; sizing, what unequal risk added.`,
    ),
    table({
      caption: 'Entry decisions played out',
      head: ['Entry decisions', 'Count', 'Average'],
      rows: [
        ['all', number(decisions), valueOr(averageR, signedMultiple, 'none was played out')],
        ['let through', number(approved), valueOr(averageApprovedR, signedMultiple, 'none was let through')],
        ['refused', number(refused), valueOr(averageRefusedR, signedMultiple, 'none was refused')],
      ],
    }),
  )
}

/** @param {Summary} summary */
export function costsSection({ metrics, config }) {
  const currency = config.instrument.quoteCurrency
  const spent = Number(metrics.fees)
  const gross = Number(metrics.gross)
  return section(
    'costs',
    'Costs',
    balance(`From gross to net, ${currency}`, [
      line('Gross', gross),
      line('Fees', -spent),
      line('Funding', metrics.funding),
      line('PnL', metrics.pnl, { sum: true }),
    ]),
    facts([
      ['Slippage', money(metrics.slippage), 'spread and slippage against mid prices: already inside the gross'],
      ['Fees of gross', gross > 0 ? percent(spent / gross, { places: 1 }) : none('there was no gross gain')],
      [
        'Costs a trade',
        metrics.trades === 0 ? none(why.trades) : money((spent + Number(metrics.slippage)) / metrics.trades),
        'fees and slippage',
      ],
      ['Tokens in', number(metrics.tokens.input)],
      ['Tokens out', number(metrics.tokens.output)],
      [
        'Model, USD',
        metrics.tokens.input === 0
          ? none('no model was asked')
          : valueOr(metrics.tokenCostUsd, (cost) => money(cost), why.price),
        'paid elsewhere, not inside the PnL',
      ],
    ]),
    quiet(
      `Amounts in ${currency}. Slippage is inside the prices and so inside the gross; the model is paid elsewhere and in no PnL.`,
    ),
  )
}

/**
 * @param {string | null | undefined} value
 * @param {string} missing
 */
const hash = (value, missing) => (value === null || value === undefined ? none(missing) : h('code', {}, value))

/** @param {Summary} summary */
export function evidenceSection({ kind, data, counts, trialId, promptHash, codeVersion, cutoff, config, metrics }) {
  return section(
    'evidence',
    'Evidence',
    h(
      'div',
      { class: 'pair' },
      h(
        'div',
        {},
        h('h3', {}, 'What it rests on'),
        facts(
          [
            ['Trial', hash(trialId, kind === 'replay' ? 'no trial was recorded' : 'a stored record is no trial')],
            ['Code', h('code', {}, codeVersion)],
            ['Prompt', hash(promptHash, 'none')],
            ['Candles', hash(data?.candlesHash, 'prices came from the venue')],
            ['Funding', hash(data?.fundingHash, 'no funding history was given')],
            ['Reference market', hash(data?.referenceHash, 'no reference history was given')],
            ['News', hash(data?.newsHash, 'no news history was given')],
            ['Period, UTC', `${utc(data?.from ?? metrics.from)} to ${utc(data?.to ?? metrics.to)}`],
          ],
          'lined',
        ),
      ),
      h(
        'div',
        {},
        h('h3', {}, 'What is not exact'),
        facts(
          [
            [
              'Ambiguous bars',
              counts === null
                ? none('a record has no bars to be ambiguous')
                : [
                    valueOr(counts.ambiguousBarShare, (value) => percent(value), 'no bars with a position'),
                    h('small', {}, ` ${number(counts.ambiguousBars)} of ${number(counts.heldBars)} with a position`),
                  ],
              'bars that touched stop and target both; the stop is taken to come first',
            ],
            [
              'Funding assumed',
              valueOr(
                data?.assumedFundingShare ?? null,
                (value) => percent(value, { places: 1 }),
                'no funding fell due on a position, or it is not known',
              ),
              'share of settlements whose rate was assumed, not known',
            ],
            ...(counts === null
              ? []
              : /** @type {[string, Child][]} */ ([
                  ['Bars, slots', `${number(counts.bars)}, ${number(counts.slots)}`],
                  [
                    'Slots by outcome',
                    Object.entries(counts.outcomes)
                      .map(([name, count]) => `${plain(name)} ${number(count)}`)
                      .join(', '),
                  ],
                  [
                    'Answers failed',
                    `${number(counts.answers.failed)} of ${number(counts.answers.asked)}`,
                    'slots at which the decider gave no decision; above 1 % there is no result',
                  ],
                ])),
          ],
          'lined',
        ),
        counts !== null && Object.keys(counts.failures).length > 0
          ? [
              h('h3', {}, 'Cycles that failed'),
              h(
                'ul',
                { class: 'lines' },
                Object.entries(counts.failures).map(([reason, count]) => h('li', {}, `${number(count)} × ${reason}`)),
              ),
            ]
          : null,
        h('h3', {}, "The model's knowledge"),
        cutoff === null
          ? quiet('No knowledge cutoff is stated, or nothing lies on either side of it.')
          : [
              h(
                'p',
                {},
                `Its knowledge ends ${utc(cutoff.at).slice(0, 10)}. What it did on days it may remember proves little.`,
              ),
              table({
                caption: 'Results before and after the knowledge cutoff',
                head: BASELINE_HEAD,
                rows: [
                  baselineRow('before', cutoff.before, 'nothing lies before'),
                  baselineRow('after', cutoff.after, 'nothing lies after'),
                ],
              }),
            ],
      ),
    ),
    fold('Configuration as JSON', () => verbatim('Configuration as JSON', JSON.stringify(config, null, 2))),
  )
}
