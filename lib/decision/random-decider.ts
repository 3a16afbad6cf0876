import { toNumber } from '../core/decimal.ts'
import { createPrng } from '../core/prng.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { Decider, DecisionLook } from './decider.ts'
import { lookOf } from './decider.ts'

export type RandomOptions = {
  seed: number
  /** Chance that a flat slot asks for an entry, in [0, 1]. */
  entryRate: number
  /** Stop distance in ATR of the decision timeframe, and target distance over stop distance. */
  stopAtr: number
  rewardToRisk: number
}

/** As confident as the rules are on average: what differs from them is the choice of when and which way. */
const CONFIDENCE = 0.6

/**
 * Enters at random, with the exits of the rules decider, and leaves the rest to stop, target and time limit: what luck
 * makes of the same guard, sizes and costs. A slot's throw depends on seed and slot alone, so a run that is resumed or
 * cut short throws the same.
 */
export function createRandomDecider({ seed, entryRate, stopAtr, rewardToRisk }: RandomOptions): Decider {
  const foresee = ({ slot, view, quote, side }: DecisionLook): DecisionOutcome => {
    const common = {
      decider: 'random',
      model: null,
      attempts: [],
      usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    }
    const hold = (rationale: string): DecisionOutcome => ({
      ...common,
      decision: { action: 'hold', rationale },
      failure: null,
    })
    if (side !== null) return hold('A position is open.')
    const { uniform } = createPrng('random-decider', seed, slot)
    if (uniform() >= entryRate) return hold('The throw says wait.')
    const { atr14 } = view.indicators
    if (atr14 === null) return hold('Warming up: ATR is not known yet.')
    const direction = uniform() < 0.5 ? 1 : -1
    const price = toNumber(direction === 1 ? quote.ask : quote.bid)
    const stopLossPrice = significant(price - direction * stopAtr * atr14)
    const takeProfitPrice = significant(price + direction * stopAtr * rewardToRisk * atr14)
    if (Math.min(stopLossPrice, takeProfitPrice) <= 0) return hold('ATR leaves no room for a stop and a target.')
    const decision = {
      action: direction === 1 ? 'open_long' : 'open_short',
      stopLossPrice,
      takeProfitPrice,
      confidence: CONFIDENCE,
      invalidation: 'Nothing: it was thrown.',
      rationale: `Thrown with seed ${seed}.`,
    } as const
    return { ...common, decision, failure: null }
  }
  return { name: 'random', asksModel: false, foresee, decide: async ({ snapshot }) => foresee(lookOf(snapshot)) }
}

/** As the rules round. */
const significant = (value: number): number => Number(value.toPrecision(8))
