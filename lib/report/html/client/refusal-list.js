import { counted, plain, ratio, utc } from './format.js'
import { createGrid } from './grid.js'
import { badge, none } from './values.js'
import { h } from './dom.js'

/**
 * @typedef {import('./data.js').Series} Series
 * @typedef {{ time: number, action: string, confidence: number | null, rules: string[], cycleId: string | null }} Refusal
 */

/**
 * Decisions that the guard refused, in time.
 *
 * @param {Series} series
 * @returns {Refusal[]}
 */
export function refusalsOf({ decisions, stories }) {
  const cycles = new Map(stories.slot.map((slot, place) => [Date.parse(slot) / 1000, stories.cycleId[place] ?? null]))
  return decisions.time.flatMap((time, slot) => {
    const rules = decisions.refusedBy[slot] ?? ''
    return rules === ''
      ? []
      : [
          {
            time,
            action: decisions.action[slot] ?? '',
            confidence: decisions.confidence[slot] ?? null,
            rules: rules.split(','),
            cycleId: cycles.get(time) ?? null,
          },
        ]
  })
}

/**
 * @param {{ rows: readonly Refusal[], onOpen: (row: Refusal) => void }} options
 */
export function createRefusalList({ rows, onOpen }) {
  const grid = createGrid({
    label: 'Refused decisions',
    empty: 'Nothing was refused.',
    rows,
    onOpen,
    columns: [
      { title: 'Slot, UTC', width: 150, kind: 'words', cell: ({ time }) => utc(time), order: ({ time }) => time },
      {
        title: 'Decision',
        width: 110,
        kind: 'words',
        cell: ({ action }) => plain(action),
        order: ({ action }) => action,
      },
      {
        title: 'Confidence',
        width: 100,
        cell: ({ confidence }) => (confidence === null ? none('none was given') : ratio(confidence)),
        order: ({ confidence }) => confidence,
      },
      {
        title: 'Refused by',
        width: 420,
        kind: 'words',
        cell: ({ rules }) => rules.map((rule) => badge(plain(rule), 'fail')),
        order: ({ rules }) => rules.join(),
      },
    ],
  })
  return {
    ...grid,
    element: h('div', { class: 'trade-list' }, h('p', { class: 'count' }, counted(rows.length, 'refusal')), grid.box),
  }
}
