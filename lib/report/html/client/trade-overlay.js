import { price } from './format.js'

/**
 * Draws trades over the candles: entry and exit of each in sight, and for the selected one the levels over its
 * lifetime with the zones of risk and reward between them. A primitive of the chart library.
 *
 * @typedef {{ place: number, side: 'long' | 'short', entry: number, exit: number, entryPrice: number, exitPrice: number | null, stop: number | null, target: number | null, gain: number, exitWord: string }} Drawn
 * `entry` and `exit` are places on the time axis; `exitPrice` is null while the position is open.
 * @typedef {import('./theme.js').Colours} Colours
 * @typedef {import('lightweight-charts').Logical} Logical
 */

/** With more trades in sight each is only a dot. */
const MAX_MARKED = 160
const FONT = '600 11px system-ui, sans-serif'

/**
 * @param {readonly Drawn[]} trades by time of entry
 * @param {() => Colours} colours
 */
export function createTradeOverlay(trades, colours) {
  /**
   * @type {import('lightweight-charts').SeriesAttachedParameter<import('lightweight-charts').Time, 'Candlestick'> |
   * null}
   */
  let attached = null
  /** @type {Drawn | null} */
  let selected = null
  let showAllLevels = false

  const x = (/** @type {number} */ place) =>
    attached?.chart.timeScale().logicalToCoordinate(/** @type {Logical} */ (place)) ?? null
  const y = (/** @type {number} */ level) => attached?.series.priceToCoordinate(level) ?? null

  /** @returns {Drawn[]} */
  function inSight() {
    const range = attached?.chart.timeScale().getVisibleLogicalRange() ?? null
    return range === null ? [] : trades.filter((trade) => trade.exit >= range.from && trade.entry <= range.to)
  }

  /** @param {CanvasRenderingContext2D} context */
  function drawBehind(context) {
    if (selected !== null) drawZones(context, selected)
  }

  /** @param {CanvasRenderingContext2D} context */
  function draw(context) {
    const seen = inSight()
    const marked = seen.length <= MAX_MARKED
    for (const trade of seen) {
      if (trade === selected) continue
      if (marked) drawMarks(context, trade, 0.75)
      else drawDot(context, trade)
      if (marked && showAllLevels) drawLevels(context, trade, false)
    }
    if (selected === null) return
    drawLevels(context, selected, true)
    drawMarks(context, selected, 1)
  }

  /** @param {Drawn} trade */
  function span(trade) {
    const from = x(trade.entry)
    const to = x(trade.exit)
    return from === null || to === null ? null : { from, to: Math.max(to, from + 8) }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Drawn} trade
   */
  function drawZones(context, trade) {
    const [reach, entry] = [span(trade), y(trade.entryPrice)]
    if (reach === null || entry === null) return
    for (const [level, colour] of /** @type {const} */ ([
      [trade.stop, colours().loss],
      [trade.target, colours().gain],
    ])) {
      const edge = level === null ? null : y(level)
      if (edge === null) continue
      context.globalAlpha = 0.13
      context.fillStyle = colour
      context.fillRect(reach.from, Math.min(entry, edge), reach.to - reach.from, Math.abs(edge - entry))
      context.globalAlpha = 1
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Drawn} trade
   * @param {boolean} labelled
   */
  function drawLevels(context, trade, labelled) {
    const reach = span(trade)
    if (reach === null) return
    const { loss, gain, text } = colours()
    /** @type {{ at: number, words: string, colour: string }[]} */
    const labels = []
    for (const [name, level, colour, dash] of /** @type {const} */ ([
      ['target', trade.target, gain, [5, 3]],
      ['entry', trade.entryPrice, text, []],
      ['stop', trade.stop, loss, [5, 3]],
      [trade.exitWord, trade.exitPrice, trade.gain < 0 ? loss : gain, [2, 2]],
    ])) {
      const at = level === null ? null : y(level)
      if (at === null || level === null) continue
      context.strokeStyle = colour
      context.globalAlpha = labelled ? 1 : 0.55
      context.lineWidth = labelled ? 1.5 : 1
      context.setLineDash([...dash])
      context.beginPath()
      context.moveTo(reach.from, at)
      context.lineTo(reach.to, at)
      context.stroke()
      labels.push({ at, words: `${name} ${price(level)}`, colour })
    }
    context.setLineDash([])
    context.globalAlpha = 1
    if (labelled) drawLabels(context, reach.to + 10, labels)
  }

  /**
   * Labels at their levels, pushed apart where they would cover each other.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} left
   * @param {{ at: number, words: string, colour: string }[]} labels
   */
  function drawLabels(context, left, labels) {
    context.font = FONT
    context.textBaseline = 'middle'
    const width = Math.max(...labels.map(({ words }) => context.measureText(words).width)) + 10
    // Beside the trade, or left of it where the chart ends.
    const start = left + width > (attached?.chart.timeScale().width() ?? 0) ? Math.max(2, left - width - 24) : left
    let free = Number.NEGATIVE_INFINITY
    for (const { at, words, colour } of labels.toSorted((a, b) => a.at - b.at)) {
      const middle = Math.max(at, free + 9)
      free = middle + 9
      context.fillStyle = colours().surface
      context.globalAlpha = 0.88
      context.fillRect(start, middle - 9, width, 18)
      context.globalAlpha = 1
      context.fillStyle = colour
      context.fillText(words, start + 5, middle + 0.5)
    }
  }

  /**
   * A triangle for the entry that points where the trade wants the price to go, a dot for the exit, a line between.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Drawn} trade
   * @param {number} strength
   */
  function drawMarks(context, trade, strength) {
    const [from, entry] = [x(trade.entry), y(trade.entryPrice)]
    if (from === null || entry === null) return
    const { accent, gain, loss, surface } = colours()
    const [to, exit] = [x(trade.exit), trade.exitPrice === null ? null : y(trade.exitPrice)]
    const result = trade.gain < 0 ? loss : gain
    context.globalAlpha = strength
    if (to !== null && exit !== null) {
      context.strokeStyle = result
      context.lineWidth = 1.5
      context.setLineDash([3, 3])
      context.beginPath()
      context.moveTo(from, entry)
      context.lineTo(to, exit)
      context.stroke()
      context.setLineDash([])
    }
    const up = trade.side === 'long' ? 1 : -1
    context.fillStyle = accent
    context.strokeStyle = surface
    context.lineWidth = 1.5
    context.beginPath()
    context.moveTo(from, entry - up * 2)
    context.lineTo(from - 6, entry + up * 9)
    context.lineTo(from + 6, entry + up * 9)
    context.closePath()
    context.fill()
    context.stroke()
    if (to !== null && exit !== null) {
      context.fillStyle = result
      context.beginPath()
      // A loss is a square, a gain a circle: not by colour alone.
      if (trade.gain < 0) context.rect(to - 4, exit - 4, 8, 8)
      else context.arc(to, exit, 4.5, 0, 2 * Math.PI)
      context.fill()
      context.stroke()
    }
    context.globalAlpha = 1
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Drawn} trade
   */
  function drawDot(context, trade) {
    const [from, entry] = [x(trade.entry), y(trade.entryPrice)]
    if (from === null || entry === null) return
    context.fillStyle = trade.gain < 0 ? colours().loss : colours().gain
    context.globalAlpha = 0.8
    context.fillRect(from - 1, entry - 1.5, 3, 3)
    context.globalAlpha = 1
  }

  const renderer = {
    /** @param {Parameters<import('lightweight-charts').IPrimitivePaneRenderer['draw']>[0]} target */
    draw: (target) => target.useMediaCoordinateSpace(({ context }) => draw(context)),
    /** @param {Parameters<import('lightweight-charts').IPrimitivePaneRenderer['draw']>[0]} target */
    drawBackground: (target) => target.useMediaCoordinateSpace(({ context }) => drawBehind(context)),
  }
  const views = [{ zOrder: () => /** @type {const} */ ('top'), renderer: () => renderer }]

  return {
    /** @type {import('lightweight-charts').ISeriesPrimitive<import('lightweight-charts').Time>} */
    primitive: {
      attached: (parameters) => {
        attached = /** @type {NonNullable<typeof attached>} */ (parameters)
      },
      detached: () => {
        attached = null
      },
      paneViews: () => views,
      // Stop and target of the selected trade stay in sight with it.
      autoscaleInfo: (from, to) => {
        if (selected === null || selected.exit < from || selected.entry > to) return null
        const levels = [selected.entryPrice, selected.exitPrice, selected.stop, selected.target].filter(
          (level) => level !== null,
        )
        return { priceRange: { minValue: Math.min(...levels), maxValue: Math.max(...levels) } }
      },
    },
    /** @param {Drawn | null} trade */
    select(trade) {
      selected = trade
      attached?.requestUpdate()
    },
    /** @param {boolean} show */
    showAllLevels(show) {
      showAllLevels = show
      attached?.requestUpdate()
    },
  }
}
