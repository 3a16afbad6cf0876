import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeIndicators } from '../../lib/indicators/compute-indicators.ts'
import { createIndicatorStream } from '../../lib/indicators/indicator-stream.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Indicators } from '../../schemas/snapshot.ts'

/** A bar from four factors about a level; any positive finite price. */
const bars = (level: fc.Arbitrary<number>, length: number): fc.Arbitrary<Candle[]> =>
  fc
    .array(
      fc.tuple(
        level,
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      ),
      { maxLength: length },
    )
    .map((rows) =>
      rows.map(([open, up, down, move], index) => {
        const close = open * (1 + move)
        return {
          time: index * 60_000,
          open,
          close,
          high: Math.max(open, close) * (1 + up),
          low: Math.min(open, close) * (1 - down),
          volume: 1,
        }
      }),
    )

const numbersIn = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : value !== null && typeof value === 'object'
      ? Object.values(value).flatMap(numbersIn)
      : []

/** How many bars each reading asks for. */
const BEGINS: [keyof Indicators, number][] = [
  ['rsi14', 15],
  ['ema12', 12],
  ['ema26', 26],
  ['ema50', 50],
  ['ema200', 200],
  ['atr14', 15],
  ['bollinger20', 20],
  ['macd', 34],
  ['adx14', 28],
]

const zigzag = (count: number): Candle[] =>
  Array.from({ length: count }, (_, index) => {
    const close = 100 + ((index * 7) % 5)
    return { time: index, open: 101, high: Math.max(101, close) + 1, low: Math.min(101, close) - 1, close, volume: 1 }
  })

describe('warm-up', () => {
  it.each(BEGINS)('%s is null until bar %i and known from it on', (name, first) => {
    expect(computeIndicators(zigzag(first - 1))[name]).toBeNull()
    expect(computeIndicators(zigzag(first))[name]).not.toBeNull()
  })
})

it('no bars, no readings', () => {
  expect(numbersIn(computeIndicators([]))).toEqual([])
})

it('EMA 50 and 200 are the recursion from the simple average', () => {
  const candles = zigzag(320)
  for (const interval of [50, 200] as const) {
    const closes = candles.map(({ close }) => close)
    let expected = closes.slice(0, interval).reduce((total, close) => total + close, 0) / interval
    for (const close of closes.slice(interval)) expected += (2 / (interval + 1)) * (close - expected)
    expect(computeIndicators(candles)[`ema${interval}`]).toBeCloseTo(expected, 10)
  }
})

it('a steady climb: RSI and ADX at 100, MACD above zero; the mirror image of a steady fall', () => {
  const climb = Array.from({ length: 120 }, (_, index) => ({
    time: index,
    open: 100 + index,
    high: 101.5 + index,
    low: 99.5 + index,
    close: 101 + index,
    volume: 1,
  }))
  const fall = climb.map((bar) => ({
    ...bar,
    open: 500 - bar.open,
    high: 500 - bar.low,
    low: 500 - bar.high,
    close: 500 - bar.close,
  }))
  const up = computeIndicators(climb)
  const down = computeIndicators(fall)
  expect(up.rsi14).toBe(100)
  expect(down.rsi14).toBe(0)
  expect(up.adx14).toBeCloseTo(100, 9)
  expect(down.adx14).toBeCloseTo(100, 9)
  expect(up.macd?.macd).toBeCloseTo(-(down.macd?.macd ?? 0), 9)
})

it('motionless bars first, then movement: no reading is poisoned', () => {
  const still = Array.from({ length: 60 }, (_, index) => ({
    time: index,
    open: 100,
    high: 100,
    low: 100,
    close: 100,
    volume: 0,
  }))
  expect(computeIndicators(still)).toMatchObject({
    rsi14: null,
    atr14: 0,
    adx14: 0,
    bollinger20: { upper: 100, middle: 100, lower: 100 },
  })
  const moving = computeIndicators([...still, ...zigzag(60)])
  expect(moving.rsi14).toBeGreaterThan(0)
  expect(moving.adx14).toBeGreaterThan(0)
  expect(moving.atr14).toBeGreaterThan(0)
})

it('equal movement up and down counts for neither', () => {
  // Every bar engulfs the one before by the same on both sides: no direction at all.
  const widening = Array.from({ length: 60 }, (_, index) => ({
    time: index,
    open: 1_000,
    high: 1_000 + index + 1,
    low: 1_000 - index - 1,
    close: 1_000,
    volume: 1,
  }))
  expect(computeIndicators(widening).adx14).toBe(0)
})

const price = fc.oneof(
  fc.double({ min: 1e-8, max: 1e8, noNaN: true }),
  fc.constantFrom(1, 100, 1e-8, 1e8),
  fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
)

it('whatever the prices, every reading is finite or null, on every bar', () => {
  fc.assert(
    fc.property(fc.oneof(bars(price, 60), bars(fc.constant(100), 60)), (candles) => {
      const stream = createIndicatorStream()
      for (const candle of candles) {
        stream.push(candle)
        const numbers = numbersIn(stream.read())
        expect(numbers.every(Number.isFinite)).toBe(true)
      }
    }),
    { seed: 3, numRuns: 150 },
  )
})

it('sane prices keep their bounds: RSI and ADX in [0, 100], ATR not negative, bands in order', () => {
  fc.assert(
    fc.property(bars(fc.double({ min: 50, max: 150, noNaN: true }), 80), (candles) => {
      const { rsi14, adx14, atr14, bollinger20 } = computeIndicators(candles)
      for (const oscillator of [rsi14, adx14]) {
        expect(oscillator ?? 0).toBeGreaterThanOrEqual(0)
        expect(oscillator ?? 0).toBeLessThanOrEqual(100 + 1e-9)
      }
      expect(atr14 ?? 0).toBeGreaterThanOrEqual(0)
      if (bollinger20 !== null) {
        expect(bollinger20.upper).toBeGreaterThanOrEqual(bollinger20.middle)
        expect(bollinger20.middle).toBeGreaterThanOrEqual(bollinger20.lower)
      }
    }),
    { seed: 4, numRuns: 200 },
  )
})
