import { h, svg } from './dom.js'
import { number } from './format.js'

/** @typedef {import('./dom.js').Child} Child */

/**
 * Bars from the left, each with its name before and its value behind.
 *
 * @param {string} label
 * @param {readonly { name: string, value: number, words: Child }[]} bars
 */
export function bars(label, bars) {
  const most = Math.max(...bars.map(({ value }) => value), 0) || 1
  return h(
    'ul',
    { class: 'bars', 'aria-label': label },
    bars.map(({ name, value, words }) =>
      h(
        'li',
        {},
        h('span', { class: 'name' }, name),
        h(
          'span',
          { class: 'track', 'aria-hidden': 'true' },
          h('span', { class: 'bar-fill', style: { width: `${(100 * value) / most}%` } }),
        ),
        h('span', { class: 'value' }, words),
      ),
    ),
  )
}

/**
 * Bars to both sides of zero: gains to the right, losses to the left; a sum stands out.
 *
 * @param {string} label
 * @param {readonly { name: string, value: number, words: Child, sum?: boolean, meaning?: string }[]} bars
 */
export function balance(label, bars) {
  const low = Math.min(0, ...bars.map(({ value }) => value))
  const high = Math.max(0, ...bars.map(({ value }) => value))
  const share = (/** @type {number} */ value) => (high === low ? 0 : (100 * value) / (high - low))
  return h(
    'ul',
    { class: 'bars balance', 'aria-label': label },
    bars.map(({ name, value, words, sum = false, meaning }) =>
      h(
        'li',
        { class: sum ? 'sum' : '' },
        h('span', { class: 'name', title: meaning }, name),
        h(
          'span',
          { class: 'track', 'aria-hidden': 'true' },
          h('span', {
            class: `bar-fill ${value < 0 ? 'down' : 'up'}`,
            style: { left: `${share(Math.min(value, 0) - low)}%`, width: `${share(Math.abs(value))}%` },
          }),
          h('span', { class: 'zero', style: { left: `${share(-low)}%` } }),
        ),
        h('span', { class: 'value' }, words),
      ),
    ),
  )
}

/**
 * How values are distributed, and where one stands among them.
 *
 * @param {{ label: string, values: readonly number[], mark: number, markName: string, show: (value: number) => string }} options
 */
export function histogram({ label, values, mark, markName, show }) {
  const low = Math.min(...values, mark)
  const high = Math.max(...values, mark)
  const width = (high - low) / 28 || 1
  const counts = Array.from({ length: 29 }, () => 0)
  for (const value of values) {
    const bin = Math.min(28, Math.floor((value - low) / width))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const most = Math.max(...counts)
  const at = (100 * (mark - low)) / (29 * width)
  return h(
    'figure',
    { class: 'histogram', role: 'img', 'aria-label': label },
    h(
      'div',
      { class: 'columns' },
      counts.map((count) => h('i', { style: { height: `${(100 * count) / most}%` } })),
      h('span', { class: 'mark', style: { left: `${at}%` } }, h('b', { class: at > 60 ? 'before' : '' }, markName)),
    ),
    h('div', { class: 'ends' }, h('span', {}, show(low)), h('span', {}, show(high))),
  )
}

/**
 * An interval with its value, on a line with zero.
 *
 * @param {{ low: number, high: number }} interval
 * @param {number | null} value
 */
export function intervalPlot({ low, high }, value) {
  const from = Math.min(0, low)
  const to = Math.max(0, high)
  const share = (/** @type {number} */ at) => (to === from ? 0 : (100 * (at - from)) / (to - from))
  return h(
    'span',
    { class: 'interval', 'aria-hidden': 'true' },
    h('span', { class: 'zero', style: { left: `${share(0)}%` } }),
    h('span', { class: 'reach', style: { left: `${share(low)}%`, width: `${share(high) - share(low)}%` } }),
    value === null ? null : h('span', { class: 'dot', style: { left: `${share(value)}%` } }),
  )
}

/**
 * Columns of parts on top of each other, one a period.
 *
 * @param {{ label: string, periods: readonly string[], parts: readonly { name: string, tone: number, counts: readonly number[] }[] }} options
 */
export function stacks({ label, periods, parts }) {
  const totals = periods.map((_, period) => parts.reduce((total, { counts }) => total + (counts[period] ?? 0), 0))
  const most = Math.max(...totals, 1)
  const drawing = svg('svg', {
    viewBox: `0 0 ${periods.length} ${most}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  })
  for (const [period, name] of periods.entries()) {
    let top = most
    const column = svg(
      'g',
      {},
      svg('title', {}, `${name}: ${parts.map((part) => `${part.name} ${part.counts[period] ?? 0}`).join(', ')}`),
      svg('rect', { x: period, y: 0, width: 1, height: most, class: 'hit' }),
    )
    for (const { tone, counts } of parts) {
      const height = counts[period] ?? 0
      if (height === 0) continue
      top -= height
      column.append(svg('rect', { x: period + 0.1, y: top, width: 0.8, height, class: `tone-${tone}` }))
    }
    drawing.append(column)
  }
  return h(
    'figure',
    { class: 'stacks', role: 'img', 'aria-label': label },
    h('div', { class: 'plot' }, h('span', { class: 'most', 'aria-hidden': 'true' }, number(most)), drawing),
    h(
      'div',
      { class: 'ends', 'aria-hidden': 'true' },
      h('span', {}, periods[0] ?? ''),
      h('span', {}, periods.at(-1) ?? ''),
    ),
  )
}
