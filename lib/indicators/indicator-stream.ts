import { getAverage, getStandardDeviation, getTrueRange, RSI } from 'trading-signals'
import type { Candle } from '../../schemas/market.ts'
import type { Indicators } from '../../schemas/snapshot.ts'
import { createEma, createWilder } from './smoothing.ts'

/** Indicators fed one closed bar at a time, oldest first. `read` gives them as of the last bar pushed. */
export type IndicatorStream = { push(candle: Candle): void; read(): Indicators }

/**
 * The indicators of the snapshot, as published by their authors and as the common reference tables have them:
 *
 * - RSI 14, Wilder's smoothing (1978).
 * - EMA 12, 26, 50, 200, seeded with the simple average.
 * - ATR 14, Wilder's smoothing of the true range; the first bar has no true range, for lack of a close before it.
 * - Bollinger bands: average of 20 closes, 2 population standard deviations.
 * - MACD 12/26/9: EMA 12 - EMA 26, and the EMA 9 of that (Appel).
 * - ADX 14 (Wilder 1978); see {@link createAdx}.
 *
 * A reading is null until its definition has the bars it asks for, and wherever arithmetic gives no finite number.
 */
export function createIndicatorStream(): IndicatorStream {
  const rsi = new RSI(14)
  const fast = createEma(12)
  const slow = createEma(26)
  const medium = createEma(50)
  const long = createEma(200)
  const trueRange = createWilder(14)
  const closes: number[] = []
  const signalLine = createEma(9)
  const adx = createAdx(14)

  let previous: Candle | null = null
  let hasMoved = false
  let rsi14: number | null = null
  let ema12: number | null = null
  let ema26: number | null = null
  let ema50: number | null = null
  let ema200: number | null = null
  let atr14: number | null = null
  let signal: number | null = null
  let adx14: number | null = null

  return {
    push(candle) {
      const { close } = candle
      if (previous !== null) {
        // The library starts with high - low of the first bar; the published ATR starts one bar later.
        atr14 = trueRange.add(getTrueRange(candle, previous.close))
        adx14 = adx.add(candle, previous)
        hasMoved ||= close !== previous.close
      }
      rsi14 = rsi.add(close)
      ema12 = fast.add(close)
      ema26 = slow.add(close)
      ema50 = medium.add(close)
      ema200 = long.add(close)
      closes.push(close)
      if (closes.length > BAND_BARS) closes.shift()
      if (ema12 !== null && ema26 !== null) signal = signalLine.add(ema12 - ema26)
      previous = candle
    },
    read: () => ({
      // Without a single change both averages are zero and their ratio has no value; the library says 100.
      rsi14: hasMoved ? finite(rsi14) : null,
      ema12: finite(ema12),
      ema26: finite(ema26),
      ema50: finite(ema50),
      ema200: finite(ema200),
      atr14: finite(atr14),
      bollinger20: closes.length < BAND_BARS ? null : allFinite(bandsOf(closes)),
      macd: ema12 === null || ema26 === null || signal === null ? null : macdOf(ema12 - ema26, signal),
      adx14: finite(adx14),
    }),
  }
}

const BAND_BARS = 20
const BAND_DEVIATIONS = 2

/** Only the last bar's bands are ever read, so they are reckoned when they are. */
function bandsOf(closes: number[]): NonNullable<Indicators['bollinger20']> {
  const middle = getAverage(closes)
  const reach = BAND_DEVIATIONS * getStandardDeviation(closes, middle)
  return { upper: middle + reach, middle, lower: middle - reach }
}

/**
 * Average directional index, Wilder 1978: +DM and -DM from the second bar on, of which only the larger counts
 * and neither when equal; DX = 100 |+DM - -DM| / (+DM + -DM) over their smoothed values (the true range of
 * +DI and -DI cancels out); ADX is DX smoothed. Without any directional movement DX is 0.
 *
 * Not the library's ADX: that one takes the first bar for a movement of zero, so that it starts a bar early,
 * counts both movements when they are equal, and divides zero by zero on motionless bars, after which every
 * later value is NaN.
 */
function createAdx(interval: number): { add(candle: Candle, previous: Candle): number | null } {
  const plus = createWilder(interval)
  const minus = createWilder(interval)
  const smoothed = createWilder(interval)
  return {
    add(candle, previous) {
      const up = candle.high - previous.high
      const down = previous.low - candle.low
      const plusDm = plus.add(up > down && up > 0 ? up : 0)
      const minusDm = minus.add(down > up && down > 0 ? down : 0)
      if (plusDm === null || minusDm === null) return null
      const sum = plusDm + minusDm
      return smoothed.add(sum === 0 ? 0 : (100 * Math.abs(plusDm - minusDm)) / sum)
    },
  }
}

const macdOf = (macd: number, signal: number): Indicators['macd'] =>
  allFinite({ macd, signal, histogram: macd - signal })

const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null)

function allFinite<T extends Record<string, number>>(values: T | null): T | null {
  return values !== null && Object.values(values).every(Number.isFinite) ? values : null
}
