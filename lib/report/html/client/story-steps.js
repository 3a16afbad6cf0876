import { h } from './dom.js'
import { counted, money, number, plain, price, ratio, utc } from './format.js'
import { tellSnapshot } from './story-snapshot.js'
import { badge, facts, fold, none, resultBadge, table, valueOr, verbatim } from './values.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('./data.js').Story} Story
 */

/**
 * A cycle: what was decided, what came of it, then all that it was based on.
 *
 * @param {Story} story
 * @returns {Child}
 */
export const tellSteps = (story) => [
  step('Decision', decision(story)),
  step('Guard', guard(story)),
  step('Order and fills', execution(story)),
  step('Snapshot', story.snapshot === null ? quiet('This cycle took none.') : tellSnapshot(story.snapshot)),
  step('Prompt', prompt(story)),
  step('Raw answers', answers(story)),
]

/** Steps that are unfolded: what is open in one story is open in the next. */
const open = new Set(['Decision', 'Guard', 'Order and fills'])

/**
 * @param {string} title
 * @param {Child} content
 */
function step(title, content) {
  const details = h(
    'details',
    { class: 'step', open: open.has(title), toggle: () => (details.open ? open.add(title) : open.delete(title)) },
    h('summary', {}, h('h3', {}, title)),
    content,
  )
  return details
}

/** @param {string} words */
const quiet = (words) => h('p', { class: 'quiet' }, words)

/**
 * @param {Story} story
 * @returns {Child}
 */
function decision({ decision: outcome, outcome: result, reason }) {
  if (outcome === null) return [quiet(reason ?? 'This cycle came to no decision.')]
  const { decision, decider, model, failure, usage, attempts } = outcome
  const entry = 'confidence' in decision ? decision : null
  return [
    h(
      'p',
      { class: 'lead' },
      badge(failure === null ? plain(decision.action) : 'no decision', 'plain'),
      ' → ',
      badge(plain(result), result === 'refused' || result === 'failed' ? 'fail' : 'plain'),
      reason === null ? null : ` ${reason}`,
    ),
    h(
      'blockquote',
      {},
      h('p', {}, decision.rationale),
      entry === null ? null : h('p', {}, h('b', {}, 'Wrong if: '), entry.invalidation),
    ),
    failure === null ? null : h('p', { class: 'problem' }, badge(plain(failure.kind), 'fail'), ` ${failure.message}`),
    facts([
      ...(entry === null
        ? []
        : /** @type {[string, Child][]} */ ([
            ['Confidence', ratio(entry.confidence)],
            ['Stop', price(entry.stopLossPrice)],
            ['Target', price(entry.takeProfitPrice)],
          ])),
      ['Decider', decider],
      ['Model', valueOr(model, (name) => name, 'no model was asked')],
      ['Answers', attempts.length],
      ['Tokens in, out', `${number(usage.inputTokens)}, ${number(usage.outputTokens)}`],
      [
        'Cost, USD',
        valueOr(
          usage.costUsd,
          (cost) => number(cost, { least: 2, most: 4 }),
          'the model has no price in the configuration',
        ),
      ],
    ]),
  ]
}

/**
 * @param {Story} story
 * @returns {Child}
 */
function guard({ verdicts, guardFacts }) {
  if (verdicts.length === 0) return quiet('The guard was not asked: nothing was to be opened.')
  const failed = verdicts.filter(({ passed }) => !passed).length
  const shown = verdicts.toSorted((a, b) => Number(a.passed) - Number(b.passed))
  return [
    h(
      'p',
      { class: 'lead' },
      resultBadge(failed === 0 ? 'pass' : 'fail'),
      failed === 0 ? ` all ${verdicts.length} rules` : ` ${failed} of ${counted(verdicts.length, 'rule')} refused`,
    ),
    h(
      'ul',
      { class: 'verdicts', 'aria-label': 'Verdicts of the guard rules' },
      shown.map(({ rule, passed, limit, actual, reason }) =>
        h(
          'li',
          { class: passed ? 'passed' : 'failed' },
          h('span', { class: 'sign', 'aria-hidden': 'true' }, passed ? '✓' : '✗'),
          h(
            'div',
            {},
            h('b', {}, plain(rule)),
            h('span', { class: 'unseen' }, passed ? ' passed' : ' failed'),
            ` ${reason}`,
            h(
              'p',
              {},
              'limit ',
              valueOr(limit, tidy, 'this rule has no limit'),
              ', actual ',
              valueOr(actual, tidy, 'nothing to measure'),
            ),
          ),
        ),
      ),
    ),
    guardFacts === null
      ? null
      : fold('What the guard was given, as JSON', () =>
          verbatim('Guard facts as JSON', JSON.stringify(guardFacts, null, 2)),
        ),
  ]
}

/** @param {string | number} value */
const tidy = (value) => (typeof value === 'number' ? number(value, { most: 6 }) : plain(value))

/**
 * @param {Story} story
 * @returns {Child}
 */
const execution = ({ order, fills }) => [
  order === null
    ? quiet('No order was placed.')
    : facts([
        ['Order', `${order.kind}, ${order.side}`],
        ['Contracts', number(Number(order.quantity))],
        ...(order.kind === 'entry'
          ? /** @type {[string, Child][]} */ ([
              ['No worse than', price(order.priceLimit)],
              ['Leverage', number(Number(order.leverage))],
            ])
          : []),
        ...(order.kind === 'close'
          ? []
          : /** @type {[string, Child][]} */ ([
              ['Stop', price(order.bracket.stopLossPrice)],
              ['Target', price(order.bracket.takeProfitPrice)],
            ])),
        ['Client id', h('code', {}, order.clientOrderId)],
      ]),
  fills.length === 0
    ? quiet('Nothing was filled in this cycle.')
    : table({
        caption: 'Fills',
        head: ['Filled, UTC', 'Side', 'Contracts', 'Price', 'Fee', 'Slippage', 'Why'],
        text: [0, 1, 6],
        rows: fills.map(({ at, side, quantity, price: level, fee, slippage, reason }) => [
          utc(at),
          side,
          number(Number(quantity)),
          price(level),
          money(fee),
          valueOr(slippage, money, 'not known'),
          plain(reason),
        ]),
      }),
]

/**
 * @param {Story} story
 * @returns {Child}
 */
const prompt = ({ prompt }) =>
  prompt === null
    ? quiet('No question was asked.')
    : [
        h('p', { class: 'quiet' }, `version ${prompt.version}, hash `, h('code', {}, prompt.hash)),
        h('h4', {}, 'User'),
        verbatim('User text of the prompt', prompt.user),
        h('h4', {}, 'System'),
        verbatim('System text of the prompt', prompt.system),
      ]

/**
 * @param {Story} story
 * @returns {Child}
 */
function answers({ decision: outcome }) {
  const attempts = outcome?.attempts ?? []
  if (attempts.length === 0) return quiet('No model was asked.')
  return attempts.map(({ raw, problem }, place) => [
    h('h4', {}, `Answer ${place + 1}`),
    problem === null ? null : h('p', { class: 'problem' }, badge('problem', 'fail'), ` ${problem}`),
    raw === null ? none('nothing came back') : verbatim(`Answer ${place + 1} of the model`, raw),
  ])
}
