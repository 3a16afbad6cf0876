import { h } from './dom.js'
import { money, multiple, NONE, percent } from './format.js'

/** @typedef {import('./dom.js').Child} Child */

/**
 * Nothing to show, and why.
 *
 * @param {string} why
 */
export const none = (why) => h('span', { class: 'none', title: why }, NONE, h('span', { class: 'unseen' }, ` ${why}`))

/**
 * A value, or a dash that says why there is none.
 *
 * @template T
 * @param {T | null} value
 * @param {(value: T) => Child} show
 * @param {string} why
 * @returns {Child}
 */
export const valueOr = (value, show, why) => (value === null ? none(why) : show(value))

/**
 * A gain or loss: its sign says it, colour only repeats it.
 *
 * @param {number} amount
 * @param {string} text
 */
export const signed = (amount, text) => h('span', { class: amount > 0 ? 'gain' : amount < 0 ? 'loss' : '' }, text)

/** @param {string | number} amount */
export const signedMoney = (amount) => signed(Number(amount), money(amount, true))

/** @param {number} fraction */
export const signedPercent = (fraction) => signed(fraction, percent(fraction, { plus: true }))

/** @param {number} value */
export const signedMultiple = (value) => signed(value, multiple(value))

/**
 * A direction, by arrow and word.
 *
 * @param {'long' | 'short'} side
 */
export const sideOf = (side) =>
  h('span', { class: 'side' }, h('span', { 'aria-hidden': 'true' }, side === 'long' ? '▲ ' : '▼ '), side)

/**
 * A word in a frame.
 *
 * @param {string} word
 * @param {string} kind
 */
export const badge = (word, kind) => h('span', { class: `badge ${kind}` }, word)

const RESULTS = /** @type {const} */ ({
  pass: ['✓', 'pass'],
  fail: ['✗', 'fail'],
  not_enough_evidence: ['?', 'not enough evidence'],
  not_judged: ['?', 'not judged'],
})

/**
 * @param {keyof typeof RESULTS} result
 */
export function resultBadge(result) {
  const [sign, words] = RESULTS[result]
  return h('span', { class: `badge ${result}` }, h('span', { 'aria-hidden': 'true' }, `${sign} `), words)
}

/**
 * Names and values, two by two.
 *
 * @param {readonly (readonly [string, Child, string?])[]} pairs name, value, and what the name means
 * @param {string} [kind]
 */
export const facts = (pairs, kind = '') =>
  h(
    'dl',
    { class: `facts ${kind}` },
    pairs.map(([name, value, meaning]) => h('div', {}, h('dt', { title: meaning }, name), h('dd', {}, value))),
  )

/**
 * A table that scrolls in its own box. Cells of columns named in `text` are left-aligned words, all others numbers.
 *
 * @param {{ caption: string, head: readonly string[], rows: readonly (readonly Child[])[], text?: readonly number[], kind?: string }} content
 */
export function table({ caption, head, rows, text = [0], kind = '' }) {
  const align = (/** @type {number} */ column) => (text.includes(column) ? 'words' : 'num')
  return h(
    'div',
    { class: `scroll ${kind}`, tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((name, column) => h('th', { scope: 'col', class: align(column) }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((cells) =>
          h(
            'tr',
            {},
            cells.map((cell, column) =>
              column === 0 ? h('th', { scope: 'row', class: align(0) }, cell) : h('td', { class: align(column) }, cell),
            ),
          ),
        ),
      ),
    ),
  )
}

/**
 * A part of the page with its heading.
 *
 * @param {string} id
 * @param {string} title
 * @param {...Child} content
 */
export const section = (id, title, ...content) =>
  h('section', { id, class: 'card', 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), content)

/**
 * Something to unfold, made when it is first unfolded.
 *
 * @param {string} title
 * @param {() => Child} content
 * @param {boolean} [open]
 */
export function fold(title, content, open = false) {
  const body = h('div', { class: 'fold' })
  const fill = () => {
    if (body.childNodes.length === 0)
      body.append(
        ...[content()]
          .flat(9)
          .filter((child) => child !== null && child !== undefined && child !== false)
          .map((child) => (child instanceof Node ? child : String(child))),
      )
  }
  const details = h('details', { open, toggle: () => details.open && fill() }, h('summary', {}, title), body)
  if (open) fill()
  return details
}

/**
 * Text as it was written, in a box that scrolls.
 *
 * @param {string} label
 * @param {string} text
 */
export const verbatim = (label, text) => h('pre', { tabindex: 0, 'aria-label': label }, text)
