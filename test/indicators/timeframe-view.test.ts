import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TIMEFRAMES, timeframeMs } from '../../lib/core/time.ts'
import { createIncrementalViews } from '../../lib/indicators/incremental-views.ts'
import { lookback } from '../../lib/indicators/lookback.ts'
import { buildTimeframeView } from '../../lib/indicators/timeframe-view.ts'
import {
  barsPerYear,
  PERCENTILE_LOOKBACK,
  PERCENTILE_MINIMUM,
  realisedVolatility,
  volatilityPercentile,
} from '../../lib/indicators/volatility.ts'
import {
  BREAKOUT_ATR,
  classifyRegime,
  HIGH_VOLATILITY_PERCENTILE,
  type RegimeFacts,
  TREND_ADX,
} from '../../lib/indicators/regime.ts'
import { computeIndicators } from '../../lib/indicators/compute-indicators.ts'
import type { Candle } from '../../schemas/market.ts'
import { TimeframeView } from '../../schemas/snapshot.ts'

const HALF_HOUR = timeframeMs('30m')

/** A deterministic wobble with calm and wild spells. */
const wobble = (count: number, from = 0): Candle[] => {
  let close = 1_000
  return Array.from({ length: count }, (_, offset) => {
    const index = from / HALF_HOUR + offset
    const open = close
    close = open * (1 + 0.004 * Math.sin(index * 1.7) * (1 + Math.sin(index / 40)))
    return {
      time: index * HALF_HOUR,
      open,
      high: Math.max(open, close) * 1.001,
      low: Math.min(open, close) * 0.999,
      close,
      volume: 5,
    }
  })
}

describe('realised volatility', () => {
  it('annualises by bars of a 365-day year', () => {
    expect(barsPerYear('30m')).toBe(17_520)
    expect(barsPerYear('1d')).toBe(365)
  })

  it('is the sample deviation of the last 20 log returns, scaled', () => {
    // Returns alternate between +1 % and -1 % (log): mean 0, sum of squares 20 x 0.0001, divided by 19.
    const closes = Array.from({ length: 21 }, (_, index) => 100 * Math.exp(index % 2 === 0 ? 0 : 0.01))
    expect(realisedVolatility(closes, '1d')).toBeCloseTo(Math.sqrt((20 * 1e-4) / 19) * Math.sqrt(365), 12)
  })

  it('asks for 21 closes, looks at no more, and ignores scale', () => {
    const closes = wobble(60).map(({ close }) => close)
    expect(realisedVolatility(closes.slice(0, 20), '4h')).toBeNull()
    expect(realisedVolatility(closes, '4h')).toBe(realisedVolatility(closes.slice(-21), '4h'))
    expect(
      realisedVolatility(
        closes.map((close) => close * 8),
        '4h',
      ),
    ).toBeCloseTo(realisedVolatility(closes, '4h') ?? 0, 12)
  })

  it('is null, not infinite, where a close is zero', () => {
    expect(realisedVolatility([...wobble(30).map(({ close }) => close), 0], '1h')).toBeNull()
  })

  it('ranks the newest reading among the look-back, itself included', () => {
    const closes = wobble(600).map(({ close }) => close)
    const readings = closes
      .map((_, index) => realisedVolatility(closes.slice(0, index + 1), '30m'))
      .filter((value) => value !== null)
    const last = readings.slice(-PERCENTILE_LOOKBACK)
    const present = last.at(-1) ?? 0
    expect(volatilityPercentile(closes, '30m')).toBe(last.filter((value) => value <= present).length / last.length)
    expect(volatilityPercentile(closes.slice(0, 20 + PERCENTILE_MINIMUM - 1), '30m')).toBeNull()
    expect(volatilityPercentile(closes.slice(0, 20 + PERCENTILE_MINIMUM), '30m')).not.toBeNull()
  })
})

/** A market in which nothing is special, but for what is given. */
const calm = (over: Partial<RegimeFacts> = {}, indicators: Partial<RegimeFacts['indicators']> = {}): RegimeFacts => ({
  close: 100,
  indicators: {
    ...computeIndicators(wobble(260)),
    atr14: 2,
    adx14: 10,
    ema12: 99,
    ema26: 98,
    bollinger20: { upper: 104, middle: 100, lower: 96 },
    ...indicators,
  },
  volatilityPercentile: 0.5,
  priorHigh: 102,
  priorLow: 95,
  ...over,
})

describe('regime', () => {
  const beyond = 2 * BREAKOUT_ATR

  it.each([
    ['nothing special', calm(), 'range', 0],
    ['ADX at the threshold, averages and close agree', calm({}, { adx14: TREND_ADX }), 'trend', 1],
    ['ADX high, close below the slower average', calm({ close: 97.5 }, { adx14: 40 }), 'trend', 0],
    ['ADX high, all pointing down', calm({ close: 96 }, { adx14: 40, ema12: 97 }), 'trend', -1],
    ['volatile at the threshold', calm({ volatilityPercentile: HIGH_VOLATILITY_PERCENTILE }), 'range', 0],
    ['volatile beyond it, trending too', calm({ volatilityPercentile: 0.91 }, { adx14: 40 }), 'high_volatility', 1],
    ['close above the range by the threshold', calm({ close: 102 + beyond }), 'range', 0],
    ['close above the range by more', calm({ close: 102.01 + beyond }), 'breakout', 1],
    [
      'close below the range by more, volatile too',
      calm({ close: 94.99 - beyond, volatilityPercentile: 1 }),
      'breakout',
      -1,
    ],
    ['no ADX yet', calm({}, { adx14: null }), 'unknown', 0],
    ['no percentile yet', calm({ volatilityPercentile: null }), 'unknown', 0],
    ['fewer than 20 bars before', calm({ priorHigh: null, priorLow: null }), 'unknown', 0],
    ['motionless', calm({}, { atr14: 0 }), 'unknown', 0],
  ] as const)('%s', (_name, facts, label, direction) => {
    expect(classifyRegime(facts)).toMatchObject({ label, direction })
  })

  it('gives the numbers behind the label', () => {
    expect(classifyRegime(calm({ close: 103 }))).toMatchObject({
      adx14: 10,
      volatilityPercentile: 0.5,
      bandWidth: 0.08,
      breakoutAtr: 0.5,
    })
    expect(classifyRegime(calm({ close: 94 }))).toMatchObject({ breakoutAtr: -0.5 })
  })
})

describe('the anchored window', () => {
  const instant = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2035, 0, 1) })

  it('ends with the newest closed bar, holds the minimum and at most a stride more, and moves in strides', () => {
    const windows = { '4h': [300, 60], '1d': [260, 40] } as Record<string, [number, number]>
    fc.assert(
      fc.property(fc.constantFrom(...TIMEFRAMES), instant, (timeframe, asOf) => {
        const step = timeframeMs(timeframe)
        const [minimum, stride] = windows[timeframe] ?? [500, 100]
        const { from, limit } = lookback(timeframe, asOf)
        const newestOpen = from + (limit - 1) * step
        expect(newestOpen + step).toBeLessThanOrEqual(asOf)
        expect(newestOpen + 2 * step).toBeGreaterThan(asOf)
        expect(from % (stride * step)).toBe(0)
        expect(limit).toBeGreaterThanOrEqual(minimum)
        expect(limit).toBeLessThan(minimum + stride)
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  it('asks for at least one bar at the beginning of time', () => {
    expect(lookback('1d', 0)).toEqual({ from: 0, limit: 1 })
  })
})

describe('view', () => {
  const history = wobble(900)

  it('fits its schema, warming up or warm, and shows the last bars', () => {
    for (const count of [0, 1, 5, 21, 100, 900]) {
      const view = TimeframeView.parse(buildTimeframeView('30m', history.slice(0, count), 24))
      expect(view.barsUsed).toBe(count)
      expect(view.bars.map(({ time }) => time)).toEqual(
        history
          .slice(0, count)
          .slice(-24)
          .map(({ time }) => time),
      )
    }
    expect(buildTimeframeView('30m', history, 0).bars).toEqual([])
    expect(buildTimeframeView('30m', history.slice(0, 40), 5).regime.label).toBe('unknown')
  })

  it('walked through history bar by bar is the same as computed from each anchor, skips, rewinds and two series included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -3, max: 40 }), fc.boolean()), { minLength: 5, maxLength: 25 }),
        (moves) => {
          const buildView = createIncrementalViews().build
          let bar = 520
          for (const [move, isOther] of moves) {
            bar = Math.min(history.length, Math.max(510, bar + move))
            const { from } = lookback('30m', bar * HALF_HOUR)
            const scale = isOther ? 3 : 1
            const window = history
              .slice(0, bar)
              .filter(({ time }) => time >= from)
              .map((candle) => ({
                ...candle,
                open: candle.open * scale,
                high: candle.high * scale,
                low: candle.low * scale,
                close: candle.close * scale,
              }))
            expect(buildView('30m', window, 24, isOther ? 'other' : 'one')).toEqual(
              buildTimeframeView('30m', window, 24),
            )
          }
        },
      ),
      { seed: 6, numRuns: 25 },
    )
  })
})
