import { DAY_MS, type EpochMs, HOUR_MS, type Timeframe, timeframeMs } from '../core/time.ts'
import { readingOf, toSignificant } from '../indicators/significant.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Snapshot, TimeframeView } from '../../schemas/snapshot.ts'

/** Hours over which the two markets are compared. */
const CORRELATION_HOURS = 168
/** Fewer pairs of returns than five days' worth are not called a correlation of a week. */
const MINIMUM_PAIRS = 120

/**
 * The reference market at its last hourly bar: price, changes, regime, and how closely the traded market
 * follows it. `traded` are the traded market's bars of an hour or less. Null without a bar.
 */
export function describeReference(
  symbol: string,
  hourly: readonly Candle[],
  view: TimeframeView,
  traded: { candles: readonly Candle[]; timeframe: Timeframe },
): Snapshot['reference'] {
  const last = hourly.at(-1)
  if (last === undefined) return null
  const changeOver = (spanMs: number): number | null => {
    const then = closeAt(hourly, HOUR_MS, last.time - spanMs)
    return then === null ? null : toSignificant(last.close / then - 1)
  }
  return {
    symbol,
    price: toSignificant(last.close),
    change1h: changeOver(HOUR_MS),
    change24h: changeOver(DAY_MS),
    change7d: changeOver(7 * DAY_MS),
    rsi14: view.indicators.rsi14,
    regime: view.regime,
    correlation: readingOf(correlate(hourly, traded, last.time)),
  }
}

/** Pearson correlation of hourly log returns, over the hours of the last week for which both markets have them. */
function correlate(
  hourly: readonly Candle[],
  { candles, timeframe }: { candles: readonly Candle[]; timeframe: Timeframe },
  lastHour: EpochMs,
): number | null {
  const step = timeframeMs(timeframe)
  const ours: number[] = []
  const theirs: number[] = []
  let ourBefore: number | null = null
  let theirBefore: number | null = null
  for (let hour = lastHour - CORRELATION_HOURS * HOUR_MS; hour <= lastHour; hour += HOUR_MS) {
    // The close of an hour is the close of the last finer bar in it.
    const our = closeAt(candles, step, hour + HOUR_MS - step)
    const their = closeAt(hourly, HOUR_MS, hour)
    if (ourBefore !== null && theirBefore !== null && our !== null && their !== null) {
      ours.push(Math.log(our / ourBefore))
      theirs.push(Math.log(their / theirBefore))
    }
    ourBefore = our
    theirBefore = their
  }
  return ours.length < MINIMUM_PAIRS ? null : pearson(ours, theirs)
}

/** Covariance over the product of the standard deviations; null where one of the two does not vary. */
function pearson(a: readonly number[], b: readonly number[]): number | null {
  const meanA = mean(a)
  const meanB = mean(b)
  let covariance = 0
  let varianceA = 0
  let varianceB = 0
  for (let index = 0; index < a.length; index++) {
    const offA = (a[index] ?? 0) - meanA
    const offB = (b[index] ?? 0) - meanB
    covariance += offA * offB
    varianceA += offA * offA
    varianceB += offB * offB
  }
  const correlation = covariance / Math.sqrt(varianceA * varianceB)
  // Rounding may carry a perfect correlation a hair beyond one.
  return Number.isFinite(correlation) ? Math.min(1, Math.max(-1, correlation)) : null
}

function mean(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total / values.length
}

/** Close of the bar that opened at `time`, or null where there is none. Bars are `step` apart, save for gaps. */
function closeAt(candles: readonly Candle[], step: number, time: EpochMs): number | null {
  const last = candles.at(-1)
  if (last === undefined) return null
  // Counted back from the newest bar; each gap in between moves the place forward.
  let index = candles.length - 1 - Math.round((last.time - time) / step)
  if (index < 0) index = 0
  while (index < candles.length && (candles[index]?.time ?? Infinity) < time) index += 1
  const bar = candles[index]
  return bar?.time === time ? bar.close : null
}
