import type { Candle } from '../../../schemas/market.ts'
import { type EpochMs, floorTime, HOUR_MS, MINUTE_MS } from '../../../lib/core/time.ts'

/** A bar of the path: prices of the first and last trade and the extremes; volume in contracts. */
export type PathBar = { open: number; high: number; low: number; close: number; volume: number }

/**
 * The course of the last traded price. The venue looks at it every {@link GRID_MS} and rounds to its tick; `bar`
 * must enclose every price that `at` gives in the same span, because spans whose bar touches nothing are skipped.
 */
export type PricePath = {
  at(instant: EpochMs): number
  /** The bar that opens at `from`, aligned to a whole minute; null where nothing traded. */
  bar(from: EpochMs, lengthMs: number): PathBar | null
}

/** Instants at which the venue looks at the price. */
export const GRID_MS = 5_000

/** Where inside a minute the open, the first extreme, the second extreme and the close are reached; on the grid. */
const FIRST_EXTREME_MS = 15_000
const SECOND_EXTREME_MS = 40_000
const CLOSE_MS = 55_000

/** The same price for ever. */
export const constantPath = (price: number): PricePath => pathOfSteps([{ from: 0, price }])

/** A price that jumps at given instants, oldest first, and stays in between; the first one holds before it, too. */
export function pathOfSteps(steps: readonly { from: EpochMs; price: number }[]): PricePath {
  const at = (instant: EpochMs): number => {
    let price = steps[0]?.price ?? Number.NaN
    for (const step of steps) {
      if (step.from > instant) break
      price = step.price
    }
    return price
  }
  const bar = (from: EpochMs, lengthMs: number): PathBar => {
    const inside = steps.filter((step) => step.from > from && step.from < from + lengthMs).map((step) => step.price)
    const prices = [at(from), ...inside]
    return {
      open: at(from),
      high: Math.max(...prices),
      low: Math.min(...prices),
      close: at(from + lengthMs - 1),
      volume: lengthMs / MINUTE_MS,
    }
  }
  return { at, bar }
}

/**
 * A path through one-minute bars, oldest first: in each minute from the open over the first extreme (the low of a bar
 * that rises, else the high) to the second and to the close. In missing minutes nothing trades and the price stays.
 */
export function pathOfMinutes(bars: readonly Candle[]): PricePath {
  const byMinute = new Map<EpochMs, PathBar & { time: EpochMs }>()
  const first = bars[0]
  if (first === undefined) throw new RangeError('a path needs at least one bar')
  for (const bar of bars) byMinute.set(bar.time, { ...bar, volume: bar.volume ?? 0 })
  const hours = new Map<EpochMs, PathBar | null>()

  /** The newest bar at or before the instant; the first bar before all of them. */
  const latestBar = (instant: EpochMs): Candle => {
    let low = 0
    let high = bars.length - 1
    let found = first
    while (low <= high) {
      const middle = (low + high) >> 1
      const bar = bars[middle]
      if (bar === undefined || bar.time > instant) high = middle - 1
      else {
        found = bar
        low = middle + 1
      }
    }
    return found
  }

  const at = (instant: EpochMs): number => {
    const bar = byMinute.get(floorTime(instant, MINUTE_MS))
    if (bar !== undefined) return priceWithin(bar, instant - bar.time)
    const latest = latestBar(instant)
    return latest.time > instant ? latest.open : latest.close
  }

  const merge = (from: EpochMs, lengthMs: number): PathBar | null => {
    let merged: PathBar | null = null
    for (let minute = from; minute < from + lengthMs; minute += MINUTE_MS) {
      const bar = byMinute.get(minute)
      if (bar !== undefined) merged = joinBars(merged, bar)
    }
    return merged
  }

  const bar = (from: EpochMs, lengthMs: number): PathBar | null => {
    if (lengthMs === MINUTE_MS) return byMinute.get(from) ?? null
    if (lengthMs % HOUR_MS !== 0 || from % HOUR_MS !== 0) return merge(from, lengthMs)
    let merged: PathBar | null = null
    for (let hour = from; hour < from + lengthMs; hour += HOUR_MS) {
      let known = hours.get(hour)
      if (known === undefined) {
        known = merge(hour, HOUR_MS)
        hours.set(hour, known)
      }
      if (known !== null) merged = joinBars(merged, known)
    }
    return merged
  }

  return { at, bar }
}

function priceWithin(bar: Candle, offsetMs: number): number {
  const rises = bar.close >= bar.open
  const firstExtreme = rises ? bar.low : bar.high
  const secondExtreme = rises ? bar.high : bar.low
  if (offsetMs >= CLOSE_MS) return bar.close
  if (offsetMs >= SECOND_EXTREME_MS)
    return between(secondExtreme, bar.close, (offsetMs - SECOND_EXTREME_MS) / (CLOSE_MS - SECOND_EXTREME_MS))
  if (offsetMs >= FIRST_EXTREME_MS)
    return between(firstExtreme, secondExtreme, (offsetMs - FIRST_EXTREME_MS) / (SECOND_EXTREME_MS - FIRST_EXTREME_MS))
  return between(bar.open, firstExtreme, offsetMs / FIRST_EXTREME_MS)
}

/** Linear, and exactly `from` at 0 and never outside the two. */
function between(from: number, to: number, share: number): number {
  const value = from + (to - from) * share
  return Math.min(Math.max(value, Math.min(from, to)), Math.max(from, to))
}

/** The bar over both, `later` following `earlier`. */
export function joinBars(earlier: PathBar | null, later: PathBar): PathBar {
  if (earlier === null)
    return { open: later.open, high: later.high, low: later.low, close: later.close, volume: later.volume }
  return {
    open: earlier.open,
    high: Math.max(earlier.high, later.high),
    low: Math.min(earlier.low, later.low),
    close: later.close,
    volume: earlier.volume + later.volume,
  }
}

/** The bar of what has traded in `[from, to)`; `from` is aligned to a minute, `to` may be any instant. */
export function barUntil(path: PricePath, from: EpochMs, to: EpochMs): PathBar | null {
  const wholeMs = floorTime(to - from, MINUTE_MS)
  let merged = wholeMs > 0 ? path.bar(from, wholeMs) : null
  const rest = from + wholeMs
  const minute = path.bar(rest, MINUTE_MS)
  if (minute === null) return merged
  for (let instant = rest; instant < to; instant += GRID_MS) {
    const price = path.at(instant)
    merged = joinBars(merged, {
      open: price,
      high: price,
      low: price,
      close: price,
      volume: (minute.volume * GRID_MS) / MINUTE_MS,
    })
  }
  return merged
}
