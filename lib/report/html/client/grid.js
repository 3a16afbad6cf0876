import { h } from './dom.js'

/** @typedef {import('./dom.js').Child} Child */

/**
 * @template Row
 * @typedef {{ title: string, width: number, kind?: 'words' | 'num', cell: (row: Row) => Child, order: (row: Row) => string | number | null }} Column
 * `width` in pixels; `order` is what the column is sorted by, null last.
 */

const ROW_HEIGHT = 34
/** Rows drawn beyond those in sight, on each side. */
const SPARE = 8

/**
 * A long table in a box: only the rows in sight are in the page, however many there are. Headers sort; arrows, Page
 * Up and Down, Home and End move through the rows, Enter, Space and a click open one.
 *
 * @template Row
 * @param {{ label: string, columns: readonly Column<Row>[], rows: readonly Row[], empty: string, onOpen: (row: Row) => void }} options
 */
export function createGrid({ label, columns, rows, empty, onOpen }) {
  let shown = [...rows]
  let active = 0
  /** @type {Row | null} */
  let open = null
  let sortedBy = 0
  let descending = false

  const body = h('tbody')
  const buttons = columns.map(({ title }, place) =>
    h('button', { type: 'button', tabindex: -1, click: () => sortBy(place) }, title),
  )
  const heads = columns.map(({ kind }, place) => h('th', { scope: 'col', class: kind ?? 'num' }, buttons[place]))
  for (const button of buttons) button.removeAttribute('tabindex')
  const width = columns.reduce((total, column) => total + column.width, 0)
  const grid = h(
    'table',
    { role: 'grid', 'aria-label': label, style: { 'min-width': `${width}px` } },
    h(
      'colgroup',
      {},
      columns.map((column) => h('col', { style: { width: `${(100 * column.width) / width}%` } })),
    ),
    h('thead', {}, h('tr', { 'aria-rowindex': 1 }, heads)),
    body,
  )
  const box = h('div', { class: 'grid', scroll: () => draw() }, grid)

  /** @param {number} place */
  function rowAt(place) {
    const row = shown[place]
    if (row === undefined) return null
    return h(
      'tr',
      {
        'aria-rowindex': place + 2,
        'aria-selected': row === open ? 'true' : 'false',
        tabindex: place === active ? 0 : -1,
        'data-place': place,
      },
      columns.map(({ kind, cell }) => h('td', { class: kind ?? 'num' }, cell(row))),
    )
  }

  let drawn = ''
  /** @param {boolean} [anew] */
  function draw(anew = false) {
    const whole = box.clientHeight === 0 || box.dataset['whole'] !== undefined
    const first = whole ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - SPARE)
    const last =
      box.dataset['whole'] === undefined
        ? Math.min(shown.length, Math.ceil((box.scrollTop + (box.clientHeight || 600)) / ROW_HEIGHT) + SPARE)
        : shown.length
    if (!anew && drawn === `${first} ${last}`) return
    drawn = `${first} ${last}`
    const focused = body.contains(document.activeElement)
    const drawnRows = Array.from({ length: last - first }, (_, index) => rowAt(first + index)).filter(
      (row) => row !== null,
    )
    body.replaceChildren(
      ...(first > 0 ? [gap(first * ROW_HEIGHT)] : []),
      ...drawnRows,
      ...(last < shown.length ? [gap((shown.length - last) * ROW_HEIGHT)] : []),
    )
    if (shown.length === 0)
      body.append(h('tr', { class: 'empty' }, h('td', { colspan: columns.length, class: 'words' }, empty)))
    grid.setAttribute('aria-rowcount', String(shown.length + 1))
    // The row that had the focus may be out of sight now; the box keeps the keyboard.
    if (focused) (activeRow() ?? box).focus({ preventScroll: true })
  }

  /** @returns {HTMLElement | null} */
  const activeRow = () => body.querySelector(`tr[data-place="${active}"]`)

  /** @param {number} place */
  function moveTo(place) {
    if (shown.length === 0) return
    active = Math.min(shown.length - 1, Math.max(0, place))
    reveal()
    draw(true)
    activeRow()?.focus({ preventScroll: true })
  }

  function reveal() {
    const top = active * ROW_HEIGHT
    const space = box.clientHeight - 2 * ROW_HEIGHT
    if (top < box.scrollTop) box.scrollTop = top
    else if (top > box.scrollTop + space) box.scrollTop = top - space
  }

  /** @param {Row | null} row */
  function openRow(row) {
    if (row !== null) onOpen(row)
  }

  /** @param {number} place */
  function sortBy(place) {
    descending = sortedBy === place ? !descending : false
    sortedBy = place
    arrange()
  }

  function arrange() {
    const { order } = columns[sortedBy] ?? columns[0] ?? { order: () => 0 }
    const way = descending ? -1 : 1
    shown = shown
      .map((row, place) => ({ row, place, key: order(row) }))
      .sort((a, b) =>
        a.key === b.key ? a.place - b.place : a.key === null ? 1 : b.key === null ? -1 : (a.key < b.key ? -1 : 1) * way,
      )
      .map(({ row }) => row)
    for (const [place, head] of heads.entries())
      head.setAttribute('aria-sort', place === sortedBy ? (descending ? 'descending' : 'ascending') : 'none')
    const kept = open === null ? -1 : shown.indexOf(open)
    active = Math.max(0, kept)
    box.scrollTop = 0
    if (kept >= 0) reveal()
    draw(true)
  }

  body.addEventListener('click', (event) => {
    const place = placeOf(event.target)
    if (place === null) return
    active = place
    openRow(shown[place] ?? null)
  })
  body.addEventListener('focusin', (event) => {
    const place = placeOf(event.target)
    if (place !== null) active = place
  })
  grid.addEventListener('keydown', (event) => {
    if (event.target instanceof HTMLButtonElement || event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor(box.clientHeight / ROW_HEIGHT) - 2)
    const target = /** @type {Record<string, number>} */ ({
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: shown.length - 1,
    })[event.key]
    if (target !== undefined) moveTo(target)
    else if (event.key === 'Enter' || event.key === ' ') openRow(shown[active] ?? null)
    else return
    event.preventDefault()
  })
  new ResizeObserver(() => draw()).observe(box)
  // Paper has no box to scroll in.
  addEventListener('beforeprint', () => {
    box.dataset['whole'] = ''
    draw(true)
  })
  addEventListener('afterprint', () => {
    delete box.dataset['whole']
    draw(true)
  })
  arrange()

  return {
    box,
    /** @param {(row: Row) => boolean} wanted */
    filter(wanted) {
      shown = rows.filter(wanted)
      arrange()
      return shown
    },
    /**
     * Marks the row that is open and brings it into sight.
     *
     * @param {Row | null} row
     */
    markOpen(row) {
      open = row
      const place = row === null ? -1 : shown.indexOf(row)
      if (place >= 0) {
        active = place
        reveal()
      }
      draw(true)
    },
    focus: () => (activeRow() ?? box).focus({ preventScroll: true }),
    /**
     * The row so many places on from the open one, in the present order.
     *
     * @param {Row} row
     * @param {number} by
     */
    neighbour: (row, by) => shown[shown.indexOf(row) + by] ?? null,
  }
}

/**
 * Room for rows that are not drawn.
 *
 * @param {number} height in pixels
 */
const gap = (height) => h('tr', { class: 'gap', 'aria-hidden': 'true', style: { height: `${height}px` } })

/** @param {EventTarget | null} target */
function placeOf(target) {
  const row = target instanceof Element ? target.closest('tr[data-place]') : null
  return row instanceof HTMLElement ? Number(row.dataset['place']) : null
}
