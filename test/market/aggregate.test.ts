import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY_MS, floorTime, HOUR_MS, MINUTE_MS, TIMEFRAMES, timeframeMs } from '../../lib/core/time.ts'
import { aggregateCandles, coarsestDivisor } from '../../lib/market/aggregate.ts'
import type { Candle } from '../../schemas/market.ts'

const T0 = Date.UTC(2026, 0, 5)
const minute = (index: number): Candle => ({
  time: T0 + index * MINUTE_MS,
  open: 100 + index,
  high: 102 + index,
  low: 99 + index,
  close: 101 + index,
  volume: index % 5,
})

/** Some of the first 400 minutes, in order. */
const minutes = fc.subarray(
  Array.from({ length: 400 }, (_, index) => minute(index)),
  { minLength: 1 },
)

describe('aggregateCandles', () => {
  it('is open of the first, close of the last, extremes and sum', () => {
    expect(aggregateCandles([0, 1, 2, 3, 4].map(minute), '1m', '5m')).toEqual([
      { time: T0, open: 100, high: 106, low: 99, close: 105, volume: 10 },
    ])
  })

  it('never shows a bucket before its end', () => {
    const base = [0, 1, 2, 3].map(minute)
    expect(aggregateCandles(base, '1m', '5m')).toEqual([])
    expect(aggregateCandles(base, '1m', '5m', T0 + 5 * MINUTE_MS - 1)).toEqual([])
    expect(aggregateCandles(base, '1m', '5m', T0 + 5 * MINUTE_MS)).toHaveLength(1)
  })

  it('invents no bucket where there are no bars', () => {
    const bars = aggregateCandles([0, 1, 12, 14].map(minute), '1m', '5m')
    expect(bars.map(({ time }) => (time - T0) / MINUTE_MS)).toEqual([0, 10])
  })

  it('keeps every bar of an ended bucket, whatever is missing', () => {
    fc.assert(
      fc.property(minutes, fc.constantFrom('5m', '15m', '30m', '1h'), (base, timeframe) => {
        const stepMs = timeframeMs(timeframe)
        const end = (base.at(-1)?.time ?? 0) + MINUTE_MS
        const ended = base.filter((bar) => floorTime(bar.time, stepMs) + stepMs <= end)
        const bars = aggregateCandles(base, '1m', timeframe)
        expect(bars.map(({ time }) => time)).toEqual([...new Set(ended.map((bar) => floorTime(bar.time, stepMs)))])
        for (const bar of bars) {
          const parts = ended.filter((part) => floorTime(part.time, stepMs) === bar.time)
          expect(bar).toEqual({
            time: bar.time,
            open: parts[0]?.open,
            high: Math.max(...parts.map((part) => part.high)),
            low: Math.min(...parts.map((part) => part.low)),
            close: parts.at(-1)?.close,
            volume: parts.reduce((sum, part) => sum + (part.volume ?? 0), 0),
          })
        }
      }),
      { seed: 21, numRuns: 60 },
    )
  })

  it('by way of a middle timeframe is the same', () => {
    fc.assert(
      fc.property(minutes, (base) => {
        const end = T0 + 12 * HOUR_MS
        const middle = aggregateCandles(base, '1m', '15m', end)
        expect(aggregateCandles(middle, '15m', '1h', end)).toEqual(aggregateCandles(base, '1m', '1h', end))
      }),
      { seed: 22, numRuns: 40 },
    )
  })

  it('bars are never made of longer bars', () => {
    expect(() => aggregateCandles([minute(0)], '1h', '30m')).toThrow(/cannot make 30m bars of 1h bars/)
  })

  it('of its own timeframe is the closed base', () => {
    const base = [0, 1, 2].map(minute)
    expect(aggregateCandles(base, '1m', '1m')).toBe(base)
    expect(aggregateCandles(base, '1m', '1m', T0 + 2 * MINUTE_MS)).toEqual(base.slice(0, 2))
  })
})

describe('coarsestDivisor', () => {
  it('finds what bars can be made of', () => {
    expect(coarsestDivisor('4h', ['1m', '30m', '1h', '1d'])).toBe('1h')
    expect(coarsestDivisor('1d', TIMEFRAMES)).toBe('1d')
    expect(coarsestDivisor('1m', ['5m'])).toBeUndefined()
    expect(DAY_MS % timeframeMs('4h')).toBe(0)
  })
})
