import { MODEL_FAILURES } from '../../schemas/recording.ts'
import type { DecisionFailure, DecisionOutcome } from '../../schemas/decision.ts'

/** Failures that no waiting mends: a refused key, a spent quota, a model or an address that is not there. */
const FINAL: ReadonlySet<DecisionFailure['kind']> = new Set(['unauthorized', 'budget', 'not_found'])

/** Failures of transport in a row after which a walk through history asks no further. */
const MAX_IN_A_ROW = 5

/** A decider has stopped answering: the walk ends before its end, and what was walked is no result. */
export class AnswersStopped extends Error {
  override readonly name = 'AnswersStopped'
}

/**
 * Watches the answers of a walk, slot after slot: gives an {@link AnswersStopped} at the first failure that no waiting
 * mends, and at the fifth failure of transport in a row. Unusable answers (no JSON, a refusal) are the model's own:
 * they end nothing and are counted at the end.
 */
export function watchAnswers(): (slot: string, outcome: DecisionOutcome | null) => AnswersStopped | null {
  let inARow = 0
  return (slot, outcome) => {
    if (outcome === null) return null
    const { failure } = outcome
    const isModels = failure === null || MODEL_FAILURES.some((kind) => kind === failure.kind)
    inARow = isModels ? 0 : inARow + 1
    if (isModels || (!FINAL.has(failure.kind) && inARow < MAX_IN_A_ROW)) return null
    const how = FINAL.has(failure.kind)
      ? 'no further answer would be given either'
      : `that is the ${inARow}th failure in a row`
    return new AnswersStopped(`slot ${slot}: ${failure.kind}: ${failure.message} (${how})`)
  }
}
