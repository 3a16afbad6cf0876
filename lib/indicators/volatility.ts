import { DAY_MS, type Timeframe, timeframeMs } from '../core/time.ts'

/** Log returns behind one reading of realised volatility. */
export const VOLATILITY_BARS = 20
/** Readings that the percentile ranks the newest one among: 5 days of 30 m, 40 days of 4 h, 8 months of 1 d. */
export const PERCENTILE_LOOKBACK = 240
/** Fewer readings than this say nothing about what is usual. */
export const PERCENTILE_MINIMUM = 60

/** Bars of a timeframe in a year of 365 days: these markets never close. */
export const barsPerYear = (timeframe: Timeframe): number => (365 * DAY_MS) / timeframeMs(timeframe)

/** Realised volatility fed one close at a time. */
export type VolatilityStream = { push(close: number): void; realised(): number | null; percentile(): number | null }

/**
 * Realised volatility: sample standard deviation (n - 1) of the last {@link VOLATILITY_BARS} log returns times
 * the square root of bars a year; a fraction. Its percentile: share of the last {@link PERCENTILE_LOOKBACK}
 * readings, itself included, at or below it; null with fewer than {@link PERCENTILE_MINIMUM} of them.
 */
export function createVolatilityStream(timeframe: Timeframe): VolatilityStream {
  const annualise = Math.sqrt(barsPerYear(timeframe))
  // Oldest first, so that the sum has one order whatever came before.
  const returns = new Float64Array(VOLATILITY_BARS)
  const readings = new Float64Array(PERCENTILE_LOOKBACK)
  let previousClose: number | null = null
  let returnCount = 0
  let readingCount = 0
  let present = Number.NaN
  return {
    push(close) {
      if (previousClose !== null) {
        returns.copyWithin(0, 1)
        returns[VOLATILITY_BARS - 1] = Math.log(close / previousClose)
        returnCount += 1
        if (returnCount >= VOLATILITY_BARS) {
          present = standardDeviation(returns) * annualise
          readings[readingCount % PERCENTILE_LOOKBACK] = present
          readingCount += 1
        }
      }
      previousClose = close
    },
    realised: () => (Number.isFinite(present) ? present : null),
    percentile: () =>
      Number.isFinite(present)
        ? rank(present, readings.subarray(0, Math.min(readingCount, PERCENTILE_LOOKBACK)))
        : null,
  }
}

/** {@link createVolatilityStream} over `closes` (oldest first) at the last of them; null with fewer than 21. */
export function realisedVolatility(closes: readonly number[], timeframe: Timeframe): number | null {
  return over(closes, timeframe).realised()
}

/**
 * Where the realised volatility at the last of `closes` stands among those before it, in [0, 1]; null while warming up.
 */
export function volatilityPercentile(closes: readonly number[], timeframe: Timeframe): number | null {
  return over(closes, timeframe).percentile()
}

function over(closes: readonly number[], timeframe: Timeframe): VolatilityStream {
  const stream = createVolatilityStream(timeframe)
  for (const close of closes) stream.push(close)
  return stream
}

/** Sample standard deviation, two passes. */
function standardDeviation(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  const mean = total / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

/** Share of the readings at or below `present`; readings that are not numbers (a price of zero) do not count. */
function rank(present: number, readings: Float64Array): number | null {
  let counted = 0
  let below = 0
  for (const reading of readings) {
    if (Number.isNaN(reading)) continue
    counted += 1
    if (reading <= present) below += 1
  }
  return counted < PERCENTILE_MINIMUM ? null : below / counted
}
