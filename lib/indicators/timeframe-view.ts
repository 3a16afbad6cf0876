import type { Timeframe } from '../core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Indicators, Regime, TimeframeView } from '../../schemas/snapshot.ts'
import { createIndicatorStream } from './indicator-stream.ts'
import { BREAKOUT_BARS, classifyRegime } from './regime.ts'
import { readingOf, toSignificant } from './significant.ts'
import { createVolatilityStream } from './volatility.ts'

/** A timeframe's view fed one closed bar at a time, oldest first. */
export type TimeframeStream = {
  push(candle: Candle): void
  view(): TimeframeView
  /** Those of the view. */ indicators(): Indicators
}

/** Keeps everything {@link buildTimeframeView} needs between bars, so that one more bar costs one step. */
export function createTimeframeStream(timeframe: Timeframe, barsShown: number): TimeframeStream {
  const indicatorStream = createIndicatorStream()
  const volatility = createVolatilityStream(timeframe)
  const kept = Math.max(barsShown, BREAKOUT_BARS + 1)
  // With what is shown of each, rounded when first shown: of a warm-up of hundreds only the last few ever are.
  const recent: { bar: Candle; shown: Candle | null }[] = []
  let barsUsed = 0
  let current: TimeframeView | null = null
  return {
    push(candle) {
      indicatorStream.push(candle)
      volatility.push(candle.close)
      recent.push({ bar: candle, shown: null })
      if (recent.length > kept) recent.shift()
      barsUsed += 1
      current = null
    },
    view() {
      current ??= viewOf()
      return current
    },
    indicators: () => roundIndicators(indicatorStream.read()),
  }

  function viewOf(): TimeframeView {
    const indicators = indicatorStream.read()
    const percentile = volatility.percentile()
    const last = recent.at(-1)
    const prior = recent.length > BREAKOUT_BARS ? recent.slice(-1 - BREAKOUT_BARS, -1) : []
    const regime = classifyRegime({
      close: last?.bar.close ?? Number.NaN,
      indicators,
      volatilityPercentile: percentile,
      priorHigh: prior.length === 0 ? null : Math.max(...prior.map(({ bar }) => bar.high)),
      priorLow: prior.length === 0 ? null : Math.min(...prior.map(({ bar }) => bar.low)),
    })
    return {
      timeframe,
      barsUsed,
      bars: barsShown > 0 ? recent.slice(-barsShown).map((one) => (one.shown ??= roundCandle(one.bar))) : [],
      indicators: roundIndicators(indicators),
      realisedVolatility: readingOf(volatility.realised()),
      volatilityPercentile: readingOf(percentile),
      regime: roundRegime(regime),
    }
  }
}

/**
 * One timeframe at the last of `candles`: closed bars, oldest first, from the anchor of `lookback` on.
 * The last `barsShown` of them are in the view. Numbers are rounded as all snapshots' are, after classification.
 */
export function buildTimeframeView(timeframe: Timeframe, candles: readonly Candle[], barsShown: number): TimeframeView {
  const stream = createTimeframeStream(timeframe, barsShown)
  for (const candle of candles) stream.push(candle)
  return stream.view()
}

const roundCandle = ({ time, open, high, low, close, volume }: Candle): Candle => ({
  time,
  open: toSignificant(open),
  high: toSignificant(high),
  low: toSignificant(low),
  close: toSignificant(close),
  volume: volume === null ? null : toSignificant(volume),
})

const roundIndicators = ({ bollinger20, macd, ...plain }: Indicators): Indicators => ({
  rsi14: readingOf(plain.rsi14),
  ema12: readingOf(plain.ema12),
  ema26: readingOf(plain.ema26),
  ema50: readingOf(plain.ema50),
  ema200: readingOf(plain.ema200),
  atr14: readingOf(plain.atr14),
  adx14: readingOf(plain.adx14),
  bollinger20: bollinger20 && {
    upper: toSignificant(bollinger20.upper),
    middle: toSignificant(bollinger20.middle),
    lower: toSignificant(bollinger20.lower),
  },
  macd: macd && {
    macd: toSignificant(macd.macd),
    signal: toSignificant(macd.signal),
    histogram: toSignificant(macd.histogram),
  },
})

const roundRegime = (regime: Regime): Regime => ({
  ...regime,
  adx14: readingOf(regime.adx14),
  volatilityPercentile: readingOf(regime.volatilityPercentile),
  bandWidth: readingOf(regime.bandWidth),
  breakoutAtr: readingOf(regime.breakoutAtr),
})
