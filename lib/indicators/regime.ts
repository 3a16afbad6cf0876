import type { Indicators, Regime } from '../../schemas/snapshot.ts'

/** Bars whose extremes a breakout must leave behind: the same span as the Bollinger bands. */
export const BREAKOUT_BARS = 20
/** How far beyond, in ATR: a quarter of an ordinary bar, so that a close a tick beyond is not a breakout. */
export const BREAKOUT_ATR = 0.25
/** Volatility above nine tenths of its recent readings: stops sized on a calmer past are too near. */
export const HIGH_VOLATILITY_PERCENTILE = 0.9
/** Wilder's and common usage: a market trends from ADX 25 on. */
export const TREND_ADX = 25

/**
 * What a regime is judged on: readings at the last closed bar and the extremes of the {@link BREAKOUT_BARS} before it.
 */
export type RegimeFacts = {
  close: number
  indicators: Indicators
  volatilityPercentile: number | null
  /** Highest high and lowest low of the bars before; null with fewer of them. */
  priorHigh: number | null
  priorLow: number | null
}

/**
 * The first that holds: breakout, high volatility, trend; else range. Unknown while any of the numbers it is
 * judged on is missing. A breakout points where the price left; otherwise the direction is that of EMA 12
 * over EMA 26 when the close agrees with it; a range has none.
 */
export function classifyRegime(facts: RegimeFacts): Regime {
  const { close, indicators, volatilityPercentile } = facts
  const { adx14, ema12, ema26 } = indicators
  const breakoutAtr = breakoutOf(facts)
  const numbers = { adx14, volatilityPercentile, bandWidth: bandWidthOf(indicators), breakoutAtr }

  if (breakoutAtr === null || adx14 === null || volatilityPercentile === null || ema12 === null || ema26 === null) {
    return { label: 'unknown', direction: 0, ...numbers }
  }
  if (Math.abs(breakoutAtr) > BREAKOUT_ATR)
    return { label: 'breakout', direction: breakoutAtr > 0 ? 1 : -1, ...numbers }
  const direction = ema12 > ema26 && close > ema26 ? 1 : ema12 < ema26 && close < ema26 ? -1 : 0
  if (volatilityPercentile > HIGH_VOLATILITY_PERCENTILE) return { label: 'high_volatility', direction, ...numbers }
  if (adx14 >= TREND_ADX) return { label: 'trend', direction, ...numbers }
  return { label: 'range', direction: 0, ...numbers }
}

/**
 * Signed distance beyond the prior extremes in ATR; 0 inside them; null without ATR (motionless bars have none) or
 * extremes.
 */
function breakoutOf({ close, indicators: { atr14 }, priorHigh, priorLow }: RegimeFacts): number | null {
  if (atr14 === null || atr14 <= 0 || priorHigh === null || priorLow === null) return null
  const beyond = close > priorHigh ? close - priorHigh : close < priorLow ? close - priorLow : 0
  const distance = beyond / atr14
  return Number.isFinite(distance) ? distance : null
}

function bandWidthOf({ bollinger20 }: Indicators): number | null {
  if (bollinger20 === null || bollinger20.middle === 0) return null
  const width = (bollinger20.upper - bollinger20.lower) / bollinger20.middle
  return Number.isFinite(width) ? width : null
}
