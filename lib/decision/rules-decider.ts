import type { Decision, DecisionOutcome } from '../../schemas/decision.ts'
import type { DeciderConfig } from '../../schemas/strategy-config.ts'
import { toNumber } from '../core/decimal.ts'
import { directionOf } from '../core/margin.ts'
import { type Decider, type DecisionLook, lookOf } from './decider.ts'

export type RulesConfig = Extract<DeciderConfig, { kind: 'rules' }>

type Ruling = Pick<DecisionOutcome, 'decision' | 'failure'>

/**
 * The quantitative baseline: the trend is the side of EMA 12 against EMA 26 on the decision timeframe, RSI 14 filters
 * out entries against momentum or into exhaustion. Stop and target are multiples of ATR 14 from the price an entry
 * would be filled at. Proposes to close when the trend has turned against the open position.
 */
export function createRulesDecider(config: RulesConfig): Decider {
  const foresee = (look: DecisionLook): DecisionOutcome => ({
    ...decideByRules(look, config),
    decider: 'rules',
    model: null,
    attempts: [],
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
  })
  return { name: 'rules', asksModel: false, foresee, decide: async ({ snapshot }) => foresee(lookOf(snapshot)) }
}

/**
 * The rules' decision. Pure. While an indicator is warming up the rule is to wait: a hold, not a failure of the
 * decider.
 */
export function decideByRules({ view, quote, side, performance }: DecisionLook, config: RulesConfig): Ruling {
  const { timeframe, indicators } = view
  const { ema12, ema26, rsi14, atr14, adx14 } = indicators
  if (ema12 === null || ema26 === null) return lacking(timeframe, { ema12, ema26 })
  const trend = Math.sign(ema12 - ema26)
  const emas = `EMA 12 ${brief(ema12)} ${trend > 0 ? 'above' : trend < 0 ? 'below' : 'equal to'} EMA 26 ${brief(ema26)} on ${timeframe} bars`

  if (side !== null) {
    if (trend === -directionOf(side))
      return give({ action: 'close', rationale: `The trend has turned against the open ${side}: ${emas}.` })
    return hold(`A ${side} is open and the trend has not turned against it: ${emas}.`)
  }

  if (rsi14 === null || atr14 === null) return lacking(timeframe, { rsi14, atr14 })
  if (trend === 0) return hold(`No trend: ${emas}.`)
  const isLong = trend > 0
  const [rsiMin, rsiMax] = isLong ? [config.rsiLongMin, config.rsiLongMax] : [config.rsiShortMin, config.rsiShortMax]
  const rsi = `RSI 14 ${rsi14.toFixed(1)}, wanted ${rsiMin} to ${rsiMax} for a ${isLong ? 'long' : 'short'}`
  if (rsi14 < rsiMin || rsi14 > rsiMax) return hold(`${emas}, but ${rsi}.`)

  if (config.followsRecord) {
    const { long, short } = performance().bySide
    const [own, other] = isLong ? [long, short] : [short, long]
    if (isWorse(own.averageR, other.averageR))
      return hold(
        `${emas}, but recent ${isLong ? 'longs' : 'shorts'} averaged ${own.averageR?.toFixed(2)} R, the others ${other.averageR?.toFixed(2)} R.`,
      )
  }
  const price = toNumber(isLong ? quote.ask : quote.bid)
  const stopLossPrice = significant(price - trend * config.stopAtr * atr14)
  const takeProfitPrice = significant(price + trend * config.stopAtr * config.rewardToRisk * atr14)
  const [low, high] = isLong ? [stopLossPrice, takeProfitPrice] : [takeProfitPrice, stopLossPrice]
  if (!(0 < low && low < price && price < high))
    return hold(`${emas}, but ATR ${brief(atr14)} leaves no room for a stop and a target around ${brief(price)}.`)
  return give({
    action: isLong ? 'open_long' : 'open_short',
    stopLossPrice,
    takeProfitPrice,
    confidence: confidenceOf(Math.abs(ema12 - ema26) / atr14, adx14),
    invalidation: `EMA 12 crosses ${isLong ? 'below' : 'above'} EMA 26 on ${timeframe} bars.`,
    rationale: `${emas}; ${rsi}; stop ${config.stopAtr} ATR and target ${config.stopAtr * config.rewardToRisk} ATR from ${brief(price)}.`,
  })
}

/**
 * Both sides have a record, ours has lost, and by more than the other. So at most one side is sat out, and the other
 * goes on being tried.
 */
const isWorse = (own: number | null, other: number | null): boolean =>
  own !== null && other !== null && own < 0 && own < other

/** Confidence at no and at full trend strength: the guard's default minimum, and well short of certainty. */
const MIN_CONFIDENCE = 0.3
const MAX_CONFIDENCE = 0.9

/**
 * Confidence in [0.3, 0.9], rising with both measures of trend strength and independent of the price's scale:
 *
 *   0.3 + 0.6 x mean(min(1, |EMA12 - EMA26| / ATR), clamp((ADX - 10) / 40, 0, 1))
 *
 * One ATR between the averages, or an ADX of 50, counts as full strength. Without an ADX the first alone counts.
 * A heuristic ordering of trends, not a fitted probability. Rounded to four places.
 */
export function confidenceOf(separationAtr: number, adx: number | null): number {
  const separation = Math.min(1, separationAtr)
  const strength = adx === null ? separation : (separation + Math.min(1, Math.max(0, (adx - 10) / 40))) / 2
  return Number((MIN_CONFIDENCE + (MAX_CONFIDENCE - MIN_CONFIDENCE) * strength).toFixed(4))
}

/** Rounded to 8 significant digits: finer than any tick, free of floating-point tails. The guard rounds to the tick. */
const significant = (value: number): number => Number(value.toPrecision(8))

const brief = (value: number): string => String(Number(value.toPrecision(6)))

const give = (decision: Decision): Ruling => ({ decision, failure: null })

const hold = (rationale: string): Ruling => give({ action: 'hold', rationale })

/** Names the indicators that are still null. */
function lacking(timeframe: string, readings: Record<string, number | null>): Ruling {
  const names = Object.keys(readings).filter((name) => readings[name] === null)
  return hold(`Warming up: ${names.join(' and ')} on ${timeframe} bars, too few bars yet.`)
}
