import { type EpochMs, fromIso, toIso } from '../core/time.ts'
import { positionOf, revalue, rollDay } from '../ledger/accounting.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { Verdict } from '../../schemas/verdict.ts'
import { type ConditionContext, type ConditionRule, isStanding, type StandingRule } from './rule.ts'
import { RULES } from './rules.ts'
import {
  cooldown,
  entriesPerDay,
  freshData,
  liveMode,
  noOpenIncident,
  noOpenPosition,
  priceMoved,
  sessionOpen,
  tradingHours,
} from './rules/conditions.ts'
import { contractExpiry } from './rules/contract.ts'

/** The rules that say the same of every entry. An unresolved order is not among them: it is resolved within seconds. */
const CONDITIONS: readonly (StandingRule | ConditionRule)[] = [
  ...RULES.filter(isStanding),
  freshData,
  sessionOpen,
  contractExpiry,
  noOpenPosition,
  noOpenIncident,
  // Knows no ATR: then it refuses whatever has moved.
  priceMoved,
  cooldown,
  entriesPerDay,
  tradingHours,
  liveMode,
]

/**
 * What the rules that need no decision say now. `refused` are those by which no entry can pass, whatever is decided.
 */
export type ConditionVerdicts = { verdicts: Verdict[]; refused: Verdict[] }

/**
 * Judges the conditions under which any entry would have to be made, before there is a decision. A rule refuses any
 * entry only if it refuses now and still at `answerBy`, the latest instant at which an answer would be judged: a
 * cooldown that ends while a model thinks keeps nothing out. Pure.
 */
export function judgeConditions(context: ConditionContext, answerBy: EpochMs): ConditionVerdicts {
  const later = { ...context, facts: factsAt(context.facts, answerBy) }
  const judged = CONDITIONS.map((rule) => {
    const now: Verdict = { rule: rule.name, ...rule.check(context) }
    return { now, refusesAny: !now.passed && !rule.check(later).passed }
  })
  return {
    verdicts: judged.map(({ now }) => now),
    refused: judged.filter(({ refusesAny }) => refusesAny).map(({ now }) => now),
  }
}

/** The same facts at a later instant, at which the quote would be as fresh as it is now. */
function factsAt(facts: GuardFacts, answerBy: EpochMs): GuardFacts {
  const at = toIso(answerBy)
  const { accounting, phase, quote } = facts
  const age = fromIso(facts.now) - fromIso(quote.at)
  return {
    ...facts,
    now: at,
    quote: { ...quote, at: toIso(answerBy - age) },
    accounting: revalue(rollDay(accounting, at, facts.instrument.calendar), positionOf(phase), quote.mark, at),
  }
}
