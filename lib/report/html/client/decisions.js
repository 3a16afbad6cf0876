import { h } from './dom.js'
import { counted, day, number, percent, plain } from './format.js'
import { bars, stacks } from './plots.js'
import { fold, section, table } from './values.js'

/**
 * @typedef {import('./data.js').Series} Series
 * @typedef {import('./data.js').Summary} Summary
 */

const DAY = 86_400
/** Most periods a reader can tell apart. */
const MAX_PERIODS = 62
/** Words of both kinds, in the order in which they are stacked and coloured. */
const ORDER = [
  'entered',
  'open_long',
  'open_short',
  'refused',
  'closed',
  'close',
  'halted',
  'failed',
  'dry_run',
  'skipped',
  'held',
  'hold',
]
/** What most slots come to and what says least: not shown at first. */
const COMMON = new Set(['held', 'hold', 'skipped'])

/**
 * What was decided and what came of it, over time.
 *
 * @param {Summary} summary
 * @param {Series} series
 */
export function decisionsSection(summary, { decisions }) {
  const { time } = decisions
  const first = Math.floor((time[0] ?? 0) / DAY)
  const last = Math.floor((time.at(-1) ?? 0) / DAY)
  const length = last - first < MAX_PERIODS ? 1 : last - first < 7 * MAX_PERIODS ? 7 : 28
  const periods = Array.from({ length: time.length === 0 ? 0 : Math.floor((last - first) / length) + 1 }, (_, period) =>
    day((first + period * length) * DAY),
  )
  const periodOf = (/** @type {number} */ seconds) => Math.floor((Math.floor(seconds / DAY) - first) / length)

  /** @param {readonly string[]} words */
  function countBy(words) {
    /** @type {Map<string, number[]>} */
    const counts = new Map()
    for (const [slot, word] of words.entries()) {
      const row = counts.get(word) ?? periods.map(() => 0)
      const period = periodOf(time[slot] ?? 0)
      row[period] = (row[period] ?? 0) + 1
      counts.set(word, row)
    }
    return [...counts]
      .sort(([a], [b]) => place(a) - place(b))
      .map(([name, row]) => ({
        name,
        counts: row,
        total: row.reduce((sum, count) => sum + count, 0),
        tone: toneOf(name),
      }))
  }

  const sets = { outcome: countBy(decisions.outcome), action: countBy(decisions.action) }
  const hidden = new Set(COMMON)
  /** @type {'outcome' | 'action'} */
  let kind = 'outcome'
  const plot = h('div')
  const legend = h('div', { class: 'tools legend-list' })
  const unit = length === 1 ? 'day' : length === 7 ? 'week' : 'four weeks'

  function draw() {
    const all = sets[kind]
    const parts = all.filter(({ name }) => !hidden.has(name))
    legend.replaceChildren(
      ...all.map(({ name, tone, total }) =>
        h(
          'label',
          { class: 'check' },
          h('input', {
            type: 'checkbox',
            checked: !hidden.has(name),
            change: () => (hidden.has(name) ? hidden.delete(name) : hidden.add(name), drawPlot()),
          }),
          h('i', { class: `swatch tone-${tone}`, 'aria-hidden': 'true' }),
          `${plain(name)} `,
          h(
            'span',
            { class: 'quiet' },
            `${number(total)}, ${percent(total / Math.max(1, time.length), { places: 1 })}`,
          ),
        ),
      ),
    )
    plot.replaceChildren(
      stacks({
        label: `Decisions by ${kind}, a column for each ${unit}: ${parts.map(({ name, total }) => `${plain(name)} ${total}`).join(', ')}`,
        periods,
        parts: parts.map((part) => ({ ...part, name: plain(part.name) })),
      }),
    )
  }
  function drawPlot() {
    const parts = sets[kind].filter(({ name }) => !hidden.has(name))
    plot.replaceChildren(
      stacks({
        label: `Decisions by ${kind}, a column for each ${unit}`,
        periods,
        parts: parts.map((part) => ({ ...part, name: plain(part.name) })),
      }),
    )
  }
  const choice = (/** @type {typeof kind} */ value, /** @type {string} */ words) =>
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'radio',
        name: 'decisions-by',
        checked: value === kind,
        change: () => ((kind = value), draw()),
      }),
      words,
    )
  draw()

  const refusals = Object.entries(summary.counts?.refusalsByRule ?? tally(decisions.refusedBy)).sort(
    ([a, x], [b, y]) => y - x || (a < b ? -1 : 1),
  )
  return section(
    'decisions',
    'Decisions',
    h(
      'div',
      { class: 'pair' },
      h(
        'div',
        {},
        h('h3', {}, `By ${unit}`),
        time.length === 0
          ? h('p', { class: 'quiet' }, 'No decisions are on record.')
          : [
              h('div', { class: 'tools' }, choice('outcome', 'what came of it'), choice('action', 'what was decided')),
              plot,
              legend,
            ],
        time.length === 0
          ? null
          : fold('Counts as a table', () =>
              table({
                caption: `Decisions by ${unit}`,
                head: [`${unit} from, UTC`, ...sets[kind].map(({ name }) => plain(name))],
                rows: periods.map((name, period) => [
                  name,
                  ...sets[kind].map(({ counts }) => number(counts[period] ?? 0)),
                ]),
              }),
            ),
      ),
      h(
        'div',
        {},
        h('h3', {}, 'Refused by the guard'),
        refusals.length === 0
          ? h('p', { class: 'quiet' }, 'Nothing was refused.')
          : bars(
              'Refusals by guard rule',
              refusals.map(([rule, count]) => ({ name: plain(rule), value: count, words: number(count) })),
            ),
        summary.counts === null
          ? null
          : h(
              'p',
              { class: 'quiet' },
              `${counted(summary.counts.refusals, 'entry', 'entries')} refused, ${number(summary.counts.entries)} let through. One refusal can name several rules.`,
            ),
      ),
    ),
  )
}

/** @param {string} word */
const place = (word) => (ORDER.includes(word) ? ORDER.indexOf(word) : ORDER.length)

/** @param {string} word */
function toneOf(word) {
  if (COMMON.has(word)) return 5
  if (word === 'entered' || word === 'open_long') return 1
  if (word === 'refused' || word === 'failed') return 2
  if (word === 'closed' || word === 'close' || word === 'open_short') return 3
  return 4
}

/** @param {readonly string[]} refusedBy */
function tally(refusedBy) {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const rule of refusedBy.flatMap((rules) => (rules === '' ? [] : rules.split(','))))
    counts[rule] = (counts[rule] ?? 0) + 1
  return counts
}
