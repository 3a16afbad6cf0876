/**
 * The trading rules of this project once more, from the rules and not from the code: one file, read from top to bottom,
 * that imports nothing but Node. Given candles, funding and a configuration it says what trades the rules decider must
 * have made on the paper venue. `compare.mjs` beside it holds the result of `hourhand replay` against that.
 *
 * Only what can happen in a replay is here: one writer, no lost answers, no crashes. Time stands at the opens of the
 * bars, one after the other. At each of them, in this order:
 *
 *   1. the venue plays the bar that has just closed against what is held (funding, liquidation, stop, target), and then
 *      the price at which the next one opens;
 *   2. while something is held, an enforcement pass looks at it;
 *   3. at a slot (every 30 or 60 minutes) a decision is made, judged and carried out.
 *
 * Left out, since no trade of a replay depends on it: news, reference market, regimes, live mode, opening hours, unresolved
 * orders. Candles have to be clean: in order of time, none twice; holes are allowed.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

// ───────────────────────────────────────────────────────────────────────────────────────────────── exact numbers
//
// Money, prices and sizes are whole numbers of 1e-40 (BigInt). A product that needs more places than that stops the
// program rather than be rounded in silence. Indicators are ordinary floating-point numbers, as everywhere.

const ONE = 10n ** 40n

/** A decimal text or number, exactly: of a number its shortest spelling counts, so 0.1 is one tenth. */
function exact(value) {
  const [digits, exponent = '0'] = String(value).toLowerCase().split('e')
  const [whole, fraction = ''] = digits.split('.')
  const places = fraction.length - Number(exponent)
  if (places > 40) throw new Error(`${value} has more than 40 decimal places`)
  return BigInt(whole + fraction) * 10n ** BigInt(40 - places)
}

/** The plain decimal text: no trailing zeros, no exponent. */
function text(value) {
  const digits = (value < 0n ? -value : value).toString().padStart(41, '0')
  const fraction = digits.slice(-40).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -40)}${fraction === '' ? '' : `.${fraction}`}`
}

function times(...factors) {
  return factors.reduce((product, factor) => {
    if ((product * factor) % ONE !== 0n) throw new Error('a product has more than 40 decimal places')
    return (product * factor) / ONE
  })
}

const size = (value) => (value < 0n ? -value : value)
const least = (a, b) => (a < b ? a : b)
const most = (a, b) => (a > b ? a : b)

/** To `places` decimals, halves away from zero. */
function rounded(value, places) {
  const unit = 10n ** BigInt(40 - places)
  const up = ((size(value) + unit / 2n) / unit) * unit
  return value < 0n ? -up : up
}

/** Money is kept to eight decimals; a cost is rounded up to them, so that it is never understated. */
const money = (value) => rounded(value, 8)
const cost = (value) => ceilTo(value, ONE / 10n ** 8n)

/** Down and up to a multiple of `step`; for values that are not negative. */
const floorTo = (value, step) => (value / step) * step
const ceilTo = (value, step) => floorTo(value + step - 1n, step)

// ───────────────────────────────────────────────────────────────────────────────────────────────────────── files

/** Rows of a CSV or CSV.gz with a header, as objects of texts. */
function readRows(file) {
  const bytes = readFileSync(file)
  const lines = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
  const names = lines[0].split(',').map((name) => name.trim().toLowerCase())
  return lines.slice(1).map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, index) => [name, cells[index]]))
  })
}

/** `timestamp` or `timestamp_ms`: epoch milliseconds or ISO 8601 UTC. */
function timeOf(row) {
  const cell = row.timestamp ?? row.timestamp_ms
  return /^\d+$/.test(cell) ? Number(cell) : Date.parse(cell)
}

export const readCandles = (file) =>
  readRows(file).map((row) => ({
    time: timeOf(row),
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
  }))
export const readFunding = (file) =>
  readRows(file).map((row) => ({ time: timeOf(row), rate: Number(row.funding_rate) }))

const iso = (time) => new Date(time).toISOString().replace('.000Z', 'Z')

/** Index of the first item at or after `time`, in a list in order of time. */
function indexAt(items, time) {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (items[middle].time < time) low = middle + 1
    else high = middle
  }
  return low
}

// ──────────────────────────────────────────────────────────────────────────────────────────────── bars, indicators

/** Coarser bars: first open, highest high, lowest low, last close of each whole multiple of `step` since 1970. */
function coarser(bars, step) {
  const made = []
  for (const { time, open, high, low, close } of bars) {
    const opens = Math.floor(time / step) * step
    const last = made.at(-1)
    if (last?.time !== opens) made.push({ time: opens, open, high, low, close })
    else Object.assign(last, { high: Math.max(last.high, high), low: Math.min(last.low, low), close })
  }
  return made
}

/** How far back indicators begin: at least so many bars, the first of them on a multiple of `stride` bars since 1970. */
const windowOf = (step) =>
  step === DAY ? { bars: 260, stride: 40 } : step === 4 * HOUR ? { bars: 300, stride: 60 } : { bars: 500, stride: 100 }

/**
 * The bars that had closed by `now`, from the anchor on, and whether something is wrong with them: the newest one that
 * should be there is not, or a bar is missing among the newest twenty.
 */
function barsUntil(series, step, now) {
  const newest = Math.floor(now / step) - 1
  const { bars: count, stride } = windowOf(step)
  const first = Math.max(0, Math.floor((newest - count + 1) / stride) * stride)
  const bars = series.slice(indexAt(series, first * step), indexAt(series, (newest + 1) * step))
  const recent = bars.slice(-20)
  const isWhole =
    bars.length > 0 &&
    bars.at(-1).time === newest * step &&
    recent.at(-1).time - recent[0].time === (recent.length - 1) * step
  return { bars, isFaulty: !isWhole }
}

const average = (values) => values.reduce((total, value) => total + value, 0) / values.length

/** Exponential average: the simple average of the first n, from there on 2/(n+1) of each new value. */
function ema(values, n) {
  if (values.length < n) return null
  const weight = 2 / (n + 1)
  return values.slice(n).reduce((last, value) => value * weight + last * (1 - weight), average(values.slice(0, n)))
}

/** Wilder's average after each value: the simple average of the first n, from there on 1/n of each new value. */
function wilder(values, n) {
  if (values.length < n) return []
  const results = [average(values.slice(0, n))]
  for (const value of values.slice(n)) results.push((value - results.at(-1)) * (1 / n) + results.at(-1))
  return results
}

/** The readings the rules look at, to ten significant digits as a snapshot keeps them; null while there are too few bars. */
function indicatorsOf(bars) {
  const gains = []
  const losses = []
  const ranges = []
  const ups = []
  const downs = []
  for (let index = 1; index < bars.length; index++) {
    const bar = bars[index]
    const before = bars[index - 1]
    gains.push(Math.max(0, bar.close - before.close))
    losses.push(Math.max(0, before.close - bar.close))
    // True range: how far the price went, the jump from the last close included.
    ranges.push(Math.max(bar.high - bar.low, Math.abs(bar.high - before.close), Math.abs(bar.low - before.close)))
    // Directional movement: of a new high and a new low only the larger step counts.
    const up = bar.high - before.high
    const down = before.low - bar.low
    ups.push(up > down && up > 0 ? up : 0)
    downs.push(down > up && down > 0 ? down : 0)
  }
  const closes = bars.map(({ close }) => close)
  const gain = wilder(gains, 14).at(-1)
  const loss = wilder(losses, 14).at(-1)
  const hasMoved = closes.some((close) => close !== closes[0])
  const rsi = gain === undefined || !hasMoved ? undefined : loss === 0 ? 100 : 100 - 100 / (gain / loss + 1)
  const minus = wilder(downs, 14)
  const directional = wilder(ups, 14).map((plus, index) =>
    plus + minus[index] === 0 ? 0 : (100 * Math.abs(plus - minus[index])) / (plus + minus[index]),
  )
  const reading = (value) =>
    value === undefined || value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(10))
  return {
    ema12: reading(ema(closes, 12)),
    ema26: reading(ema(closes, 26)),
    rsi: reading(rsi),
    atr: reading(wilder(ranges, 14).at(-1)),
    adx: reading(wilder(directional, 14).at(-1)),
  }
}

// ─────────────────────────────────────────────────────────────────────────────────────────────────────── the replay

/**
 * Plays [from, to) and answers with the trades, what came of each slot, and how it stands at the end.
 * `funding` is `[{time, rate}]` in order of time, empty where none is known.
 */
export function plainReplay({ config, candles, funding, from, to }) {
  const { decider, guard, sizing, exits, paper } = config
  const { instrument } = config
  if (decider.kind !== 'rules' || config.mode !== 'paper')
    throw new Error('only the rules decider on paper is reproduced here')

  const slotMs = { '30m': 30 * MINUTE, '1h': HOUR }[config.interval]
  const first = Math.ceil(from / slotMs) * slotMs
  const barMs = commonStep(candles)
  const primary = coarser(candles, slotMs)
  const fourHour = coarser(candles, 4 * HOUR)
  const daily = coarser(candles, DAY)

  const contract = exact(instrument.multiplier)
  const tick = exact(instrument.tickSize)
  const lot = exact(instrument.lotSize)
  const taker = exact(instrument.fees.taker)
  const maker = exact(instrument.fees.maker)
  const perContract = exact(instrument.fees.perContract)
  const basisPoints = (bps) => exact(bps) / 10_000n
  const halfSpread = basisPoints(paper.spreadBps) / 2n
  const slippage = basisPoints(paper.slippageBps)

  // ── What is known of the account. ────────────────────────────────────────────────────────────────────────────

  let cash = exact(paper.initialCash)
  /** Null while flat. */
  let position = null
  /** Once set, nothing is opened any more. */
  let halt = null
  /** Equity as it was last reckoned, at the last mark; its peak; what the UTC day began with. */
  let books = { day: Math.floor(first / DAY), isNewDay: false, dayStart: cash, equity: cash, peak: cash, mark: null }
  let entriesToday = 0
  let lastTrade = null
  /** Up to when the bars of a position had been looked at when its books were last reckoned for that. */
  let watchedUntil = 0
  const trades = []
  const slots = []
  /** The last point of the equity curve. */
  let point = { equity: text(cash), cash: text(cash), inPosition: false }
  /** Place of the first bar that has not been played. */
  let next = indexAt(candles, first)
  let heldBars = 0
  let ambiguousBars = 0

  const barAt = (time) => {
    const bar = candles[indexAt(candles, time)]
    return bar?.time === time ? bar : undefined
  }

  /**
   * A bar in which nobody has traded is not there: for a quarter of an hour in a row the last close is the price, and
   * nothing fills, fires or closes. Longer is a hole without a price.
   */
  const quietAt = (time) => {
    const before = candles[indexAt(candles, time) - 1]
    if (before === undefined || time + barMs - (before.time + barMs) > 15 * MINUTE) return undefined
    const { close } = before
    return { time, open: close, high: close, low: close, close, isQuiet: true }
  }

  /** How long no bar has closed, at an instant at which all that had closed have been played. */
  const silence = (now) => (next === 0 ? Infinity : now - candles[next - 1].time - barMs)

  // ── Equity: cash and what is held, valued at a mark. ─────────────────────────────────────────────────────────

  /**
   * The books as of an instant, at `mark`, or at the last mark where that is null. In a new UTC day the equity last
   * reckoned is what the day begins with. The peak only rises.
   */
  function valued(now, mark) {
    const day = Math.floor(now / DAY)
    const isNewDay = day > books.day
    const level = mark ?? books.mark
    const equity =
      position === null
        ? cash
        : cash + money((times(level, position.quantity, contract) - position.cost) * position.sign)
    return {
      day: isNewDay ? day : books.day,
      isNewDay,
      dayStart: isNewDay ? books.equity : books.dayStart,
      equity,
      peak: most(books.peak, equity),
      mark: level,
    }
  }

  /** Enters that in the books: at every slot, fill and payment, at a breach, and every four hours of a position. */
  function reckon(now, mark) {
    books = valued(now, mark)
    if (books.isNewDay) entriesToday = 0
  }

  /** The limit of the account that is breached, or null. A base that is spent counts as a total loss. */
  function breached({ dayStart, equity, peak }) {
    if (dayStart <= 0n || dayStart - equity >= times(dayStart, exact(guard.maxDailyLoss))) return 'daily_loss'
    return peak <= 0n || peak - equity >= times(peak, exact(guard.maxDrawdown)) ? 'drawdown' : null
  }

  // ── The venue: prices and fees. ──────────────────────────────────────────────────────────────────────────────

  /** The middle price at an instant is the open of its bar; we buy half a spread above and sell half a spread below. */
  const quoteAt = (bar) => ({
    middle: exact(bar.open),
    ask: times(exact(bar.open), ONE + halfSpread),
    bid: times(exact(bar.open), ONE - halfSpread),
  })

  /** A price made worse by a fraction and rounded to the tick, against us both times; never below one tick. */
  function worse(price, isBuy, fraction) {
    if (isBuy) return ceilTo(times(price, ONE + fraction), tick)
    return most(floorTo(times(price, ONE - fraction), tick), tick)
  }

  /** Where the price stands at an instant, on the straight line from open to close of its bar; null in a hole. */
  function onTheWay(instant) {
    const bar = barAt(Math.floor(instant / barMs) * barMs)
    return bar === undefined ? null : bar.open + ((bar.close - bar.open) * (instant - bar.time)) / barMs
  }

  /**
   * The fill of a market order sent now: the ask or bid, moved by as much as the price moves while the order is on its
   * way if that is against us (to the billionth), then the slippage, then the tick.
   */
  function marketFill(bar, isBuy) {
    const { ask, bid } = quoteAt(bar)
    const start = onTheWay(bar.time)
    const arrival = onTheWay(bar.time + paper.latencyMs)
    const drift = arrival === null ? 0 : arrival / start - 1
    const isAgainstUs = isBuy ? drift > 0 : drift < 0
    const touch = isBuy ? ask : bid
    return worse(isAgainstUs ? times(touch, ONE + exact(drift.toFixed(9))) : touch, isBuy, slippage)
  }

  /** Fee of a fill: a rate of the notional and so much a contract, together rounded up. */
  const feeOf = (price, quantity, rate) => cost(times(price, quantity, contract, rate) + times(perContract, quantity))

  /**
   * Where isolated margin is used up: margin plus gain equals maintenance margin. For a long
   * entry x (1 - 1/leverage) / (1 - maintenance), for a short entry x (1 + 1/leverage) / (1 + maintenance).
   * Never below zero. As numerator and denominator, so that nothing is rounded here.
   */
  function liquidationOf(sign, entry, leverage) {
    return [
      most(times(entry, leverage - ONE * sign), 0n),
      times(leverage, ONE - exact(instrument.margin.perNotional.maintenance) * sign),
    ]
  }

  // ── Opening and closing. ─────────────────────────────────────────────────────────────────────────────────────

  function open(bar, order) {
    const { sign, quantity } = order
    const isBuy = sign === 1n
    const price = marketFill(bar, isBuy)
    // The order says what it will pay at worst; beyond that it is over without a fill.
    if (isBuy ? price > order.worst : price < order.worst) return false
    const fee = feeOf(price, quantity, taker)
    const [over, under] = liquidationOf(sign, price, order.leverage)
    // On the tick, early rather than late: up for a long, down for a short; never below one tick.
    const wholeTicks = isBuy ? (over * ONE + under * tick - 1n) / (under * tick) : (over * ONE) / (under * tick)
    cash -= fee
    position = {
      ...order,
      price,
      cost: money(times(price, quantity, contract)),
      openedAt: bar.time,
      settledTo: bar.time,
      liquidation: most(wholeTicks, 1n) * tick,
      // What the stop would lose, from the fill, fees apart: the R of this trade.
      risk: cost(times(size(price - order.stop), quantity, contract)),
      fees: fee,
      funding: 0n,
      // Against the middle price: half the spread, the slippage, the tick and the way.
      slippage: money(times((price - exact(bar.open)) * sign, quantity, contract)),
    }
    reckon(bar.time, price)
    entriesToday += 1
    return true
  }

  /** Closes the whole position at `price`. `reference` is what its slippage is counted from. */
  function close(time, reason, price, reference, rate) {
    const { sign, quantity } = position
    const gross = money((money(times(price, quantity, contract)) - position.cost) * sign)
    const fee = feeOf(price, quantity, rate)
    const fees = position.fees + fee
    const pnl = gross - fees + position.funding
    const trade = {
      side: sign === 1n ? 'long' : 'short',
      quantity: text(quantity),
      entryTime: iso(position.openedAt),
      entryPrice: text(position.price),
      exitTime: iso(time),
      exitPrice: text(price),
      exitReason: reason,
      stopLossPrice: text(position.stop),
      takeProfitPrice: text(position.target),
      gross: text(gross),
      fees: text(fees),
      funding: text(position.funding),
      slippage: text(position.slippage + money(times((reference - price) * sign, quantity, contract))),
      pnl: text(pnl),
      // The result over the risk, to six places.
      rMultiple: position.risk === 0n ? null : Number(text(rounded((pnl * ONE) / position.risk, 6))),
    }
    trades.push(trade)
    cash += gross - fee
    position = null
    lastTrade = { closedAt: time, isLoss: pnl < 0n || reason === 'liquidation' }
    reckon(time, price)
  }

  /** Closes at market now. What was due by now is paid first: leaving at a boundary does not escape its funding. */
  function closeAtMarket(bar, reason) {
    settleFunding(bar, bar.time)
    close(bar.time, reason, marketFill(bar, position.sign === -1n), exact(bar.open), taker)
  }

  // ── Funding. ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Pays what fell due since the last time, up to the open of this bar, on the notional at that open. Due is an hour that
   * is a multiple of the spacing (whole hours, the smallest) of the rates of the two days up to it that are known now, at
   * the last of them. Fewer than two have no spacing: then the assumed rate is due at the contract's interval. Who holds a long pays a positive rate, who holds a short receives it. What was opened at the boundary
   * itself pays nothing.
   */
  function settleFunding(bar, now) {
    if (instrument.fundingIntervalMs === null) return
    const interval = instrument.fundingIntervalMs
    const after = (time) => Math.min((Math.floor(time / HOUR) + 1) * HOUR, (Math.floor(time / interval) + 1) * interval)
    for (let due = after(position.settledTo); due <= bar.time; due = after(due)) {
      const known = funding
        .slice(indexAt(funding, due - 2 * DAY), indexAt(funding, now + 1))
        .map(({ time, rate }) => ({ time: Math.floor(time / MINUTE) * MINUTE, rate }))
        .filter(({ time }) => time > due - 2 * DAY && time <= due)
      const gaps = known
        .slice(1)
        .map(({ time }, index) => Math.round((time - known[index].time) / HOUR) * HOUR)
        .filter((gap) => gap > 0)
      const isKnown = gaps.length > 0
      if (due % (isKnown ? Math.min(...gaps) : interval) !== 0) continue
      const rate = isKnown ? known.at(-1).rate : Number(paper.assumedFundingRate)
      const paid = money(times(exact(bar.open), position.quantity, contract, exact(rate)) * -position.sign)
      cash += paid
      position.funding += paid
      reckon(due, null)
    }
    position.settledTo = bar.time
  }

  // ── The venue's exits: what a price, or a bar, does to what is held. ─────────────────────────────────────────

  const hasLost = (price, level) => (position.sign === 1n ? price <= level : price >= level)
  const hasGained = (price, level) => (position.sign === 1n ? price >= level : price <= level)

  /** Liquidation and stop take what the market gives: half a spread and the slippage worse than `reference`. */
  function closeAtLoss(time, reason, reference) {
    const rate = reason === 'liquidation' ? taker + exact(paper.liquidationFeeRate) : taker
    close(time, reason, worse(reference, position.sign === -1n, halfSpread + slippage), reference, rate)
  }

  /** A limit order that has been waiting: at its price, never better and never worse, at the maker's fee. */
  const closeAtTarget = (time) => close(time, 'take_profit', position.target, position.target, maker)

  /**
   * The price of an instant. What it lies at or beyond is met there and then: of several the liquidation, else the stop,
   * else the target. What was due by then is paid first.
   */
  function playOpen(bar) {
    const opened = exact(bar.open)
    const isGone = hasLost(opened, position.liquidation)
    const isStopped = hasLost(opened, position.stop)
    const isGained = hasGained(opened, position.target)
    if (!isGone && !isStopped && !isGained) return
    settleFunding(bar, bar.time)
    if (isGone || isStopped) closeAtLoss(bar.time, isGone ? 'liquidation' : 'stop_loss', opened)
    else closeAtTarget(bar.time)
  }

  /** The rest of a bar, of which the open has met nothing. When within the bar is not known: for all we know just before it closes. */
  function playBar(bar) {
    settleFunding(bar, bar.time + barMs)
    heldBars += 1
    const end = bar.time + barMs - 1
    const isLong = position.sign === 1n
    const [worst, best] = [isLong ? bar.low : bar.high, isLong ? bar.high : bar.low].map(exact)
    const isGone = hasLost(worst, position.liquidation)
    const isStopped = hasLost(worst, position.stop)
    const isGained = hasGained(best, position.target)
    if (isStopped && isGained) ambiguousBars += 1
    // On the losing side the price meets the nearer level first, and the whole position ends there.
    const isStopNearer = isLong ? position.stop > position.liquidation : position.stop < position.liquidation
    if (isStopped && isStopNearer) closeAtLoss(end, 'stop_loss', position.stop)
    else if (isGone) closeAtLoss(end, 'liquidation', position.liquidation)
    // Whether the low or the high came first is not known: the target counts last.
    else if (isStopped) closeAtLoss(end, 'stop_loss', position.stop)
    else if (isGained) closeAtTarget(end)
  }

  // ── Enforcement, at every bar, while something is held. ──────────────────────────────────────

  function enforce(bar) {
    const mark = bar.open
    const limit = halt === null ? breached(valued(bar.time, exact(mark))) : null
    const seenUntil = candles[next - 1].time + barMs
    const isMarkDue = seenUntil >= Math.max(position.openedAt, watchedUntil) + 4 * HOUR
    if (limit !== null || isMarkDue) reckon(bar.time, exact(mark))
    if (isMarkDue) watchedUntil = seenUntil
    // A breach stops entries for good; what is held stays, with its stop.
    if (limit !== null) halt = { at: iso(bar.time), rule: limit }

    // Stop and target rest at the venue, which has just looked at this price: they are met no more.
    if (bar.isQuiet) return
    const liquidation = Number(text(position.liquidation))
    if (Math.abs(mark - liquidation) / mark < exits.liquidationDistance) closeAtMarket(bar, 'liquidation_distance')
    else if (exits.maxHoldingMinutes !== null && bar.time - position.openedAt >= exits.maxHoldingMinutes * MINUTE)
      closeAtMarket(bar, 'time_limit')
  }

  // ── The decision: the trend is the side of EMA 12 against EMA 26, RSI filters, ATR measures. ─────────────────

  function decide({ ema12, ema26, rsi, atr, adx }, quote) {
    if (ema12 === null || ema26 === null) return { action: 'hold' }
    const trend = Math.sign(ema12 - ema26)
    if (position !== null) return { action: trend === -Number(position.sign) ? 'close' : 'hold' }
    if (rsi === null || atr === null || trend === 0) return { action: 'hold' }
    const [lowest, highest] =
      trend > 0 ? [decider.rsiLongMin, decider.rsiLongMax] : [decider.rsiShortMin, decider.rsiShortMax]
    if (rsi < lowest || rsi > highest) return { action: 'hold' }
    const price = Number(text(trend > 0 ? quote.ask : quote.bid))
    // Stop and target so many ATR from the price an entry would have, to eight significant digits.
    const stop = Number((price - trend * decider.stopAtr * atr).toPrecision(8))
    const target = Number((price + trend * decider.stopAtr * decider.rewardToRisk * atr).toPrecision(8))
    if (!(Math.min(stop, target) > 0 && (stop - price) * trend < 0 && (target - price) * trend > 0))
      return { action: 'hold' }
    // Confidence from 0.3 to 0.9: how far the averages are apart in ATR, and how far ADX lies above 10 on the way to 50.
    const apart = Math.min(1, Math.abs(ema12 - ema26) / atr)
    const strength = adx === null ? apart : (apart + Math.min(1, Math.max(0, (adx - 10) / 40))) / 2
    return {
      action: trend > 0 ? 'open_long' : 'open_short',
      stop,
      target,
      confidence: Number((0.3 + (0.9 - 0.3) * strength).toFixed(4)),
    }
  }

  // ── The size: half of Kelly's bet on the own record, as far as that is believed, times confidence. ───────────

  function riskWanted(confidence) {
    const { evidence } = sizing
    let wins = evidence?.wins ?? 0
    let losses = evidence?.losses ?? 0
    let won = wins * (evidence?.averageWinR ?? 0)
    let lost = losses * (evidence?.averageLossR ?? 0)
    // Only the last fifty trades are remembered.
    for (const { rMultiple } of trades.slice(-50)) {
      if (rMultiple > 0) {
        wins += 1
        won += rMultiple
      } else if (rMultiple < 0) {
        losses += 1
        lost -= rMultiple
      }
    }
    const count = wins + losses
    const averageWin = wins === 0 ? 0 : won / wins
    const payoff = averageWin === 0 ? 0 : averageWin / (losses === 0 ? 0 : lost / losses)
    const winRate = count === 0 ? 0 : wins / count
    // p - (1 - p) / b, shrunk by n / (n + shrinkage): few trades say little.
    const kelly = (payoff > 0 ? winRate - (1 - winRate) / payoff : -1) * (count / (count + sizing.shrinkageTrades))
    const wanted = Math.max(0, kelly) * sizing.kellyFraction * confidence
    return Math.min(guard.riskPerTrade, guard.maxRiskPerTrade, Math.max(sizing.minRisk, wanted))
  }

  // ── The guard: works the entry out to tick and lot, and gives the names of all rules that refuse it. ─────────

  function judge(now, decision, quote, { equity, isNewDay }, { atr, isFaulty, isQuiet }) {
    const isLong = decision.action === 'open_long'
    const sign = isLong ? 1n : -1n
    const toward = isLong ? floorTo : ceilTo
    const away = isLong ? ceilTo : floorTo
    const price = isLong ? quote.ask : quote.bid
    const allowedSlip = basisPoints(guard.maxEntrySlippageBps)
    // The worst fill accepted: the allowed slippage, on the tick inside it; but at least the tick at which the quote itself can be had.
    const within = toward(times(price, ONE + allowedSlip * sign), tick)
    const touch = away(price, tick) > 0n ? away(price, tick) : price
    const worst = isLong ? most(within, touch) : least(within, touch)
    // Stop and target on the tick, both toward the entry: a smaller loss, a smaller promise.
    const stop = away(exact(decision.stop), tick)
    const target = toward(exact(decision.target), tick)
    // Leverage: our limit or what the venue's initial margin allows, to two decimals, down.
    const leverage = floorTo(
      least(
        exact(guard.maxLeverage),
        (ONE * ONE) / exact(instrument.margin.perNotional.initial[isLong ? 'long' : 'short']),
      ),
      ONE / 100n,
    )

    const feeAt = (level) => times(level, contract, taker) + perContract
    const notionalOfOne = times(most(worst, price), contract)
    // Loss of one contract: from the worst fill to the stop, half a spread and the allowed slippage beyond it, fees of both ways.
    const stopSlip = (quote.ask - quote.bid) / 2n + times(stop, allowedSlip)
    const lossOfOne = times((worst - stop) * sign + stopSlip, contract) + feeAt(worst) + feeAt(stop)
    const gainOfOne = times((target - price) * sign, contract) - feeAt(price) - feeAt(target)

    // As many lots as risk, largest notional, and margin with the entry fee on top allow.
    const fits = (budget, one) => (budget <= 0n || one <= 0n ? 0n : (budget * ONE) / (one * lot))
    const byRisk =
      (worst - stop) * sign > 0n ? fits(times(equity, exact(riskWanted(decision.confidence))), lossOfOne) : 0n
    const byNotional = fits(exact(guard.maxNotional), notionalOfOne)
    const byMargin = fits(times(equity, leverage), notionalOfOne + times(feeAt(most(worst, price)), leverage))
    const sized = least(least(byRisk, byNotional), least(byMargin, exact(instrument.maxQuantity) / lot)) * lot
    // The rules judge at least the smallest order there is, so that the one that forbids it says so.
    const quantity = most(sized, exact(instrument.minQuantity))

    const stopDistance = (price - stop) * sign
    const reward = (target - price) * sign
    // The stop watches the market from the other side of the spread, and the middle.
    const watched = isLong ? least(quote.bid, quote.middle) : most(quote.ask, quote.middle)
    const [over, under] = liquidationOf(sign, worst, leverage)
    const hour = (now % DAY) / HOUR
    const { from: opens, to: closes } = guard.tradingHoursUtc
    const inHours = opens < closes ? hour >= opens && hour < closes : hour >= opens || hour < closes
    const yearlyFunding = fundingPerYear(now)

    const refusedBy = []
    const require = (passes, rule) => passes || refusedBy.push(rule)
    require(!isFaulty, 'fresh_data')
    require(!isQuiet, 'session_open')
    require((watched - stop) * sign > 0n && (target - worst) * sign > 0n, 'stop_side')
    require(stopDistance >= times(exact(atr), exact(guard.minStopAtr)) &&
      stopDistance <= times(exact(atr), exact(guard.maxStopAtr)), 'stop_distance')
    require((times(stop, under) - over) * sign >=
      times(worst, exact(guard.liquidationBuffer), under), 'stop_before_liquidation')
    require(stopDistance > 0n &&
      gainOfOne > 0n &&
      reward >= times(stopDistance, exact(guard.minRewardToRisk)), 'reward_to_risk')
    require(decision.confidence >= guard.minConfidence, 'confidence')
    const risk = times(quantity, lossOfOne)
    require(equity > 0n &&
      risk > 0n &&
      risk <= times(equity, exact(Math.min(guard.riskPerTrade, guard.maxRiskPerTrade))), 'risk_per_trade')
    require(equity > 0n && times(quantity, notionalOfOne) <= times(equity, leverage), 'leverage')
    require(times(quantity, notionalOfOne) <= exact(guard.maxNotional), 'notional_cap')
    require(sized >= exact(instrument.minQuantity) && sized <= exact(instrument.maxQuantity), 'minimum_size')
    // price_moved: here the decision takes no time, so the price has not moved.
    require(lastTrade === null ||
      !lastTrade.isLoss ||
      now - lastTrade.closedAt >= guard.cooldownMinutesAfterLoss * MINUTE, 'cooldown')
    require(isNewDay || entriesToday < guard.maxEntriesPerDay, 'entries_per_day')
    require(inHours && guard.tradingDaysUtc.includes(new Date(now).getUTCDay()), 'trading_hours')
    require(yearlyFunding === null || yearlyFunding * Number(sign) <= guard.maxFundingAnnualised, 'funding_cost')
    return { refusedBy, order: { sign, quantity: sized, worst, stop, target, leverage } }
  }

  /** The last rate of the last three days times its settlements in a year; their spacing is the middle one, to the minute. */
  function fundingPerYear(now) {
    const known = funding.slice(indexAt(funding, now - 3 * DAY + 1), indexAt(funding, now + 1))
    const gaps = known
      .slice(1)
      .map(({ time }, index) => time - known[index].time)
      .sort((a, b) => a - b)
    const middle = gaps.length === 0 ? 0 : Math.round(gaps[Math.floor(gaps.length / 2)] / MINUTE) * MINUTE
    const interval = middle > 0 ? middle : instrument.fundingIntervalMs
    return known.length === 0 || interval === null
      ? null
      : Number(((known.at(-1).rate * 365 * DAY) / interval).toPrecision(10))
  }

  // ── A slot. ──────────────────────────────────────────────────────────────────────────────────────────────────

  function runSlot(bar, now) {
    const slot = { slot: iso(now), outcome: 'failed', action: 'none', confidence: null, ask: null, refusedBy: [] }
    slots.push(slot)
    if (halt !== null && (bar !== undefined || position === null)) slot.outcome = 'halted'
    else if (bar !== undefined) decideAndAct(bar, slot)
    if (bar !== undefined) reckon(now, exact(bar.open))
    // In a hole there is no price: nothing can be decided, and the curve has no point.
    if (slot.outcome !== 'failed')
      point = { equity: text(books.equity), cash: text(cash), inPosition: position !== null }
    Object.assign(slot, point)
  }

  function decideAndAct(bar, slot) {
    const now = bar.time
    const quote = quoteAt(bar)
    const [main, ...context] = [
      barsUntil(primary, slotMs, now),
      barsUntil(fourHour, 4 * HOUR, now),
      barsUntil(daily, DAY, now),
    ]
    const readings = indicatorsOf(main.bars)
    const decision = decide(readings, quote)
    slot.action = decision.action
    // The account's limits are looked at whatever was decided. A close that was decided is carried out all the same.
    const present = valued(now, quote.middle)
    const limit = breached(present)
    if (limit !== null) {
      reckon(now, quote.middle)
      halt = { at: iso(now), rule: limit }
    }
    if (decision.action === 'close') {
      if (!bar.isQuiet) closeAtMarket(bar, 'decision')
      slot.outcome = bar.isQuiet ? 'held' : 'closed'
    } else if (decision.action === 'hold') {
      slot.outcome = limit === null ? 'held' : 'halted'
    } else {
      slot.confidence = decision.confidence
      slot.ask = {
        side: decision.action === 'open_long' ? 'long' : 'short',
        stopLossPrice: decision.stop,
        takeProfitPrice: decision.target,
      }
      const { refusedBy, order } = judge(now, decision, quote, present, {
        atr: readings.atr,
        isFaulty: main.isFaulty || context.some(({ isFaulty }) => isFaulty) || silence(now) > 15 * MINUTE,
        isQuiet: bar.isQuiet === true,
      })
      if (limit !== null) slot.outcome = 'halted'
      else if (refusedBy.length > 0) Object.assign(slot, { outcome: 'refused', refusedBy })
      else slot.outcome = open(bar, order) ? 'entered' : 'refused'
    }
  }

  // ── Time: from one open to the next. ─────────────────────────────────────────────────────────────────────────

  for (let now = first; now < to; now += barMs) {
    for (; next < candles.length && candles[next].time + barMs <= now; next++) {
      if (position !== null) playBar(candles[next])
    }
    const bar = barAt(now) ?? quietAt(now)
    if (bar !== undefined && !bar.isQuiet && position !== null) playOpen(bar)
    if (bar !== undefined && position !== null) enforce(bar)
    if (now % slotMs === 0) runSlot(bar, now)
  }

  const held = position && {
    side: position.sign === 1n ? 'long' : 'short',
    quantity: text(position.quantity),
    entryPrice: text(position.price),
    openedAt: iso(position.openedAt),
    stopLossPrice: text(position.stop),
    takeProfitPrice: text(position.target),
    liquidationPrice: text(position.liquidation),
  }
  return { trades, slots, heldBars, ambiguousBars, halt, openPosition: held }
}

/** The commonest distance between two bars: the length of a bar. */
function commonStep(bars) {
  const counts = new Map()
  for (let index = 1; index < bars.length; index++) {
    const step = bars[index].time - bars[index - 1].time
    if (step <= 0)
      throw new Error(`the bar of ${iso(bars[index].time)} comes twice or too late: the candles have to be clean`)
    counts.set(step, (counts.get(step) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0][0]
}
