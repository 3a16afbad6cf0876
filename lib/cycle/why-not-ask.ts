import { fromIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import { judgeConditions } from '../guard/refuse-any-entry.ts'
import type { ConditionContext } from '../guard/rule.ts'
import type { Verdict } from '../../schemas/verdict.ts'

/** Why a model is not asked: in words, and the verdicts of all rules that need no decision. */
export type NotAsked = { reason: string; verdicts: Verdict[] }

/**
 * Why there is nothing a decision could do, or null where there is: an answer costs money, and where no entry and no
 * close is possible it changes nothing. Flat, that is so when the guard would refuse every entry; with a position, when
 * the venue is closed to a close as well; while an order is under way, never: it is resolved within seconds. Pure.
 */
export function whyNotAsk(context: ConditionContext): NotAsked | null {
  const { facts } = context
  const { phase, session } = facts
  const { isOpen, reason } = session
  if (phase.kind === 'opening' || phase.kind === 'closing') return null
  if (phase.kind === 'open' && isOpen) return null
  // The invocation is over by then: later than that nothing is judged any more.
  const until = fromIso(facts.now) + limitsOf(context.config).hardDeadlineMs
  const { verdicts, refused } = judgeConditions(context, until)
  if (refused.length === 0) return null
  const why =
    phase.kind === 'open'
      ? `neither a close nor an entry is possible: nothing trades now (${reason}); the position keeps its stop`
      : `no entry is possible: ${refused.map((verdict) => `${verdict.rule}: ${verdict.reason}`).join('; ')}`
  return { reason: `the model was not asked: ${why}`, verdicts }
}
