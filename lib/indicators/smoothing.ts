import { EMA, WSMA } from 'trading-signals'

/** A moving average fed one value at a time: its value after this one, or null while it warms up. */
export type Smoother = { add(value: number): number | null }

/**
 * Exponential moving average, smoothing 2 / (n + 1), whose first value is the simple average of the first n.
 *
 * The library's EMA starts from the first price alone, which leaves a trace of that one price in every later
 * value; the published definition starts from the simple average, so the library is handed that as its first input.
 */
export function createEma(interval: number): Smoother {
  const ema = new EMA(interval)
  let seen = 0
  let total = 0
  return {
    add(value) {
      if (seen >= interval) return ema.add(value)
      seen += 1
      total += value
      return seen === interval ? ema.add(total / interval) : null
    },
  }
}

/**
 * Wilder's smoothing, 1 / n, first value the simple average of the first n (New Concepts in Technical Trading Systems,
 * 1978).
 */
export const createWilder = (interval: number): Smoother => new WSMA(interval)
