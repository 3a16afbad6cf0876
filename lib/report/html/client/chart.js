import { h } from './dom.js'
import { money, number, percent, price, utc } from './format.js'
import { currentColours, onThemeChange } from './theme.js'
import { createTimeAxis } from './time-axis.js'
import { createTradeOverlay } from './trade-overlay.js'

/**
 * @typedef {import('./data.js').Series} Series
 * @typedef {import('./trade-overlay.js').Drawn} Drawn
 * @typedef {import('lightweight-charts').UTCTimestamp} UTCTimestamp
 * @typedef {import('lightweight-charts').SingleValueData<UTCTimestamp>} Point
 */

/** Places of the time axis left free on both sides of a trade that is shown, at least. */
const MARGIN = 30

/**
 * Candles with volume, equity with what holding would have been, and drawdown: three panes over one time axis.
 *
 * @param {{ box: HTMLElement, series: Series, trades: readonly Drawn[], symbol: string, onPick: (trade: Drawn) => void, onRange: (from: number, to: number) => void }} options
 * `box` has its size already; `onPick` is told which trade was clicked, `onRange` which time is in sight, in epoch seconds.
 */
export function createReportChart({ box, series, trades, symbol, onPick, onRange }) {
  const { createChart, CandlestickSeries, HistogramSeries, LineSeries, AreaSeries, CrosshairMode, LineStyle } =
    LightweightCharts
  const axis = createTimeAxis(series)
  const bars = ascending(series.bars.time)
  const points = ascending(series.equity.time)
  const decimals = decimalsOf(series.bars.close)
  let colours = currentColours()

  const chart = createChart(box, {
    autoSize: true,
    layout: {
      attributionLogo: false,
      fontSize: 11,
      fontFamily: 'system-ui, sans-serif',
      panes: { enableResize: true },
    },
    localization: { locale: 'en-US', timeFormatter: (/** @type {number} */ time) => `${utc(time)} UTC` },
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderVisible: false, minimumWidth: 70 },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      secondsVisible: false,
      minBarSpacing: 0.01,
      rightOffset: 3,
      enableConflation: true,
      lockVisibleTimeRangeOnResize: true,
    },
    // A page that scrolls: the wheel belongs to it until the chart has the focus.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
    kineticScroll: { touch: !matchMedia('(prefers-reduced-motion: reduce)').matches },
  })

  const candles = chart.addSeries(CandlestickSeries, {
    priceLineVisible: false,
    priceFormat: { type: 'price', precision: decimals, minMove: 10 ** -decimals },
  })
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0.16 } })
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: 'volume',
    priceLineVisible: false,
    lastValueVisible: false,
    priceFormat: { type: 'volume' },
  })
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.88, bottom: 0 } })
  const cents = { type: /** @type {const} */ ('price'), precision: 2, minMove: 0.01 }
  const holding = chart.addSeries(
    LineSeries,
    {
      lineWidth: 1,
      lineStyle: LineStyle.Dashed,
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
      priceFormat: cents,
    },
    1,
  )
  const equity = chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false, priceFormat: cents }, 1)
  const drawdown = chart.addSeries(
    AreaSeries,
    {
      lineWidth: 1,
      priceLineVisible: false,
      priceFormat: {
        type: 'custom',
        minMove: 0.0001,
        formatter: (/** @type {number} */ value) => percent(value, { places: 1 }),
      },
    },
    2,
  )
  drawdown.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0.06 } })
  for (const [pane, share] of [5.4, 2.2, 1.3].entries()) chart.panes()[pane]?.setStretchFactor(share)

  const time = (/** @type {readonly number[]} */ column, /** @type {number} */ index) =>
    /** @type {UTCTimestamp} */ (at(column, index))
  candles.setData(
    bars.map((index) => ({
      time: time(series.bars.time, index),
      open: at(series.bars.open, index),
      high: at(series.bars.high, index),
      low: at(series.bars.low, index),
      close: at(series.bars.close, index),
    })),
  )
  volume.setData(bars.map((index) => ({ time: time(series.bars.time, index), value: at(series.bars.volume, index) })))
  equity.setData(
    points.map((index) => ({ time: time(series.equity.time, index), value: at(series.equity.value, index) })),
  )
  let peak = Number.NEGATIVE_INFINITY
  drawdown.setData(
    points.map((index) => {
      const value = at(series.equity.value, index)
      peak = Math.max(peak, value)
      return { time: time(series.equity.time, index), value: peak > 0 ? Math.min(0, value / peak - 1) : 0 }
    }),
  )
  const stake = at(series.equity.value, points[0] ?? 0)
  const first = at(series.bars.open, bars[0] ?? 0)
  const held =
    first > 0
      ? bars.map((index) => ({
          time: time(series.bars.time, index),
          value: (stake * at(series.bars.close, index)) / first,
        }))
      : []
  holding.setData(held)

  const overlay = createTradeOverlay(trades, () => colours)
  candles.attachPrimitive(overlay.primitive)

  const paint = () => {
    colours = currentColours()
    const { surface, text, muted, line, accent, gain, loss } = colours
    chart.applyOptions({
      layout: {
        background: { color: surface },
        textColor: muted,
        panes: { separatorColor: line, separatorHoverColor: line },
      },
      grid: { vertLines: { color: faint(line, 0.5) }, horzLines: { color: faint(line, 0.5) } },
      crosshair: {
        vertLine: { color: muted, labelBackgroundColor: text },
        horzLine: { color: muted, labelBackgroundColor: text },
      },
    })
    // Rising bars are hollow: the direction is not told by colour alone.
    candles.applyOptions({
      upColor: surface,
      borderUpColor: gain,
      wickUpColor: gain,
      downColor: loss,
      borderDownColor: loss,
      wickDownColor: loss,
    })
    volume.applyOptions({ color: faint(muted, 0.28) })
    equity.applyOptions({ color: accent })
    holding.applyOptions({ color: muted })
    drawdown.applyOptions({
      lineColor: loss,
      topColor: faint(loss, 0.05),
      bottomColor: faint(loss, 0.3),
      invertFilledArea: true,
    })
  }
  paint()
  onThemeChange(paint)

  const legends = [0, 1, 2].map(() => h('div', { class: 'legend', 'aria-hidden': 'true' }))
  const show = (/** @type {number} */ pane, /** @type {string} */ title, /** @type {string} */ words) =>
    legends[pane]?.replaceChildren(h('b', {}, title), ` ${words}`)
  box.append(...legends)
  const placeLegends = () => {
    let top = 0
    for (const [pane, legend] of legends.entries()) {
      legend.style.setProperty('top', `${top + 6}px`)
      top += (chart.panes()[pane]?.getHeight() ?? 0) + 1
    }
  }
  const tell = (/** @type {import('lightweight-charts').MouseEventParams | null} */ event) => {
    const bar = /** @type {import('lightweight-charts').OhlcData | undefined} */ (
      event?.seriesData.get(candles) ?? candles.data().at(-1)
    )
    const value = /** @type {Point | undefined} */ (event?.seriesData.get(equity) ?? equity.data().at(-1))
    const hold = /** @type {Point | undefined} */ (event?.seriesData.get(holding) ?? holding.data().at(-1))
    const fall = /** @type {Point | undefined} */ (event?.seriesData.get(drawdown) ?? drawdown.data().at(-1))
    show(
      0,
      `${symbol} ${series.bars.timeframe}`,
      bar === undefined
        ? 'no bars'
        : `O ${price(bar.open)}  H ${price(bar.high)}  L ${price(bar.low)}  C ${price(bar.close)}  ${number((bar.close / bar.open - 1) * 100, { least: 2, plus: true })} %`,
    )
    show(
      1,
      'Equity',
      `${value === undefined ? 'none' : money(value.value)}${hold === undefined || !holding.options().visible ? '' : `  ╌ holding, before costs ${money(hold.value)}`}`,
    )
    show(2, 'Drawdown', fall === undefined ? 'none' : percent(fall.value))
  }
  chart.subscribeCrosshairMove((event) => tell(event.time === undefined ? null : event))

  chart.subscribeClick(({ logical }) => {
    if (logical === undefined) return
    // Of the trades open there, the last to begin; a margin of half a bar.
    const hit = trades.findLast((trade) => trade.entry - 0.5 <= logical && logical <= trade.exit + 0.5)
    if (hit !== undefined) onPick(hit)
  })
  chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
    if (range === null || axis.times.length === 0) return
    const instant = (/** @type {number} */ place) =>
      at(axis.times, Math.min(axis.times.length - 1, Math.max(0, Math.round(place))))
    onRange(instant(range.from), instant(range.to))
  })
  new ResizeObserver(placeLegends).observe(box)
  box.addEventListener('focusin', () =>
    chart.applyOptions({ handleScroll: { mouseWheel: true }, handleScale: { mouseWheel: true } }),
  )
  box.addEventListener('focusout', () =>
    chart.applyOptions({ handleScroll: { mouseWheel: false }, handleScale: { mouseWheel: false } }),
  )
  box.addEventListener('keydown', (event) => {
    const range = chart.timeScale().getVisibleLogicalRange()
    if (range === null || event.target !== box) return
    const width = range.to - range.from
    const [from, to] = /** @type {Record<string, [number, number]>} */ ({
      ArrowLeft: [-0.15, -0.15],
      ArrowRight: [0.15, 0.15],
      '+': [0.2, -0.2],
      '=': [0.2, -0.2],
      '-': [-0.33, 0.33],
    })[event.key] ?? [0, 0]
    if (from === 0) return
    event.preventDefault()
    chart.timeScale().setVisibleLogicalRange({ from: range.from + from * width, to: range.to + to * width })
  })
  const showAll = () => {
    if (axis.times.length > 0)
      chart.timeScale().setVisibleLogicalRange({ from: -1, to: axis.times.length + axis.times.length / 60 })
  }
  showAll()
  tell(null)
  requestAnimationFrame(placeLegends)

  return {
    showAll,
    /**
     * So many days: the last ones where the end is in sight, else those around the middle of what is.
     *
     * @param {number} days
     */
    showDays(days) {
      const range = chart.timeScale().getVisibleLogicalRange()
      if (range === null || axis.times.length === 0) return
      const final = axis.times.length - 1
      const half = (days * 86_400) / 2
      const middle = at(axis.times, Math.max(0, Math.min(final, Math.round((range.from + range.to) / 2))))
      const end = range.to >= final ? at(axis.times, final) : Math.max(middle + half, at(axis.times, 0) + 2 * half)
      const to = axis.placeOf(end)
      chart.timeScale().setVisibleLogicalRange({ from: axis.placeOf(at(axis.times, to) - 2 * half), to: to + 1 })
    },
    /**
     * Brings a trade into sight, in the middle, with its levels.
     *
     * @param {Drawn | null} trade
     */
    select(trade) {
      overlay.select(trade)
      if (trade !== null) this.showPlaces(trade.entry, trade.exit)
    },
    /**
     * @param {number} entry
     * @param {number} exit
     */
    showPlaces(entry, exit) {
      const margin = Math.max(MARGIN, exit - entry)
      chart.timeScale().setVisibleLogicalRange({ from: entry - margin, to: exit + margin })
    },
    /** @param {boolean} show */
    showHolding(show) {
      holding.applyOptions({ visible: show })
      tell(null)
    },
    showAllLevels: overlay.showAllLevels,
  }
}

/**
 * Places of a column of times that go up: the chart takes no others.
 *
 * @param {readonly number[]} times
 */
function ascending(times) {
  let last = Number.NEGATIVE_INFINITY
  return times.flatMap((time, index) => (time > last ? ((last = time), [index]) : []))
}

/**
 * @param {readonly number[]} column
 * @param {number} index
 */
const at = (column, index) => column[index] ?? 0

/**
 * Decimals that the prices have; enough to look at the first few.
 *
 * @param {readonly number[]} prices
 */
const decimalsOf = (prices) =>
  Math.max(0, ...prices.slice(0, 300).map((value) => Math.min(8, String(value).split('.')[1]?.length ?? 0)))

/**
 * `rgb(1, 2, 3)` with an alpha.
 *
 * @param {string} colour
 * @param {number} alpha
 */
const faint = (colour, alpha) => colour.replace(/^rgba?\(([^,]+),([^,]+),([^,)]+).*$/, `rgba($1,$2,$3, ${alpha})`)
