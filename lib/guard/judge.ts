import { canonical, price, quantity } from '../core/decimal.ts'
import { clientOrderIdOf } from '../core/ids.ts'
import { InvariantError } from '../core/invariant.ts'
import { fromIso } from '../core/time.ts'
import { isEntry } from '../../schemas/decision.ts'
import { EntryOrder } from '../../schemas/order.ts'
import type { GuardRuleName, Verdict } from '../../schemas/verdict.ts'
import { type Approved, grantApproval } from './approval.ts'
import { type EntryPlan, planEntry } from './plan-entry.ts'
import type { Rule, RuleContext } from './rule.ts'
import { RULES } from './rules.ts'

/** A limit that was breached so that the strategy must stop until a person resumes it. */
export type HaltDemand = { rule: GuardRuleName; reason: string }

/** What the guard says of a decision: every rule's verdict, and an approval only if all of them passed. */
export type Judgement = {
  verdicts: Verdict[]
  halt: HaltDemand | null
  result:
    | { kind: 'approved'; order: Approved<EntryOrder>; plan: EntryPlan }
    | { kind: 'refused'; reasons: string[]; plan: EntryPlan }
    | { kind: 'no_entry' }
}

const HALTING: ReadonlySet<GuardRuleName> = new Set(
  RULES.flatMap((rule) => (rule.applies === 'always' && rule.halts ? [rule.name] : [])),
)

/** The halt that verdicts demand: that of the first limit breached, or null. */
export function haltDemanded(verdicts: readonly Verdict[]): HaltDemand | null {
  const breached = verdicts.find(({ rule, passed }) => !passed && HALTING.has(rule))
  return breached === undefined ? null : { rule: breached.rule, reason: breached.reason }
}

/**
 * Judges a decision. All rules are evaluated and all reasons returned; an entry is approved only when every
 * one passes. Closing and holding need no approval: they never add risk. Pure: the same record gives the
 * same verdicts.
 */
export function judge(context: RuleContext): Judgement {
  const { config, decision, facts, snapshot } = context
  const plan = isEntry(decision) ? planEntry(decision, config, facts) : null
  const verdicts = plan === null ? evaluateStanding(context) : RULES.map((rule) => evaluate(rule, context, plan))
  const halt = haltDemanded(verdicts)
  if (plan === null) return { verdicts, halt, result: { kind: 'no_entry' } }
  const reasons = verdicts.filter((verdict) => !verdict.passed).map((verdict) => `${verdict.rule}: ${verdict.reason}`)
  if (reasons.length > 0) return { verdicts, halt, result: { kind: 'refused', reasons, plan } }
  const order = EntryOrder.parse({
    kind: 'entry',
    clientOrderId: clientOrderIdOf(config.id, fromIso(snapshot.slot), 'entry', 0),
    symbol: facts.instrument.venueSymbol,
    side: plan.side === 'long' ? 'buy' : 'sell',
    quantity: quantity(plan.sizedQuantity),
    priceLimit: price(plan.worstPrice),
    bracket: { stopLossPrice: price(plan.stopLossPrice), takeProfitPrice: price(plan.takeProfitPrice) },
    leverage: canonical(plan.leverage),
  })
  return { verdicts, halt, result: { kind: 'approved', order: grantApproval(order), plan } }
}

function evaluate(rule: Rule, context: RuleContext, plan: EntryPlan): Verdict {
  return { rule: rule.name, ...(rule.applies === 'always' ? rule.check(context) : rule.check(context, plan)) }
}

/** Verdicts on a decision that enters nothing: standing rules judge, and what entry rules say is always the same. */
function evaluateStanding(context: RuleContext): Verdict[] {
  const { action } = context.decision
  const silent = (SILENT[action] ??= RULES.map((rule) => ({
    rule: rule.name,
    passed: true,
    limit: null,
    actual: null,
    reason: `does not concern a ${action}`,
  })))
  return RULES.map((rule, index) =>
    rule.applies === 'always' ? { rule: rule.name, ...rule.check(context) } : (silent[index] ?? unreachable(rule)),
  )
}

const SILENT: Partial<Record<RuleContext['decision']['action'], Verdict[]>> = {}

function unreachable(rule: Rule): never {
  throw new InvariantError(`rule ${rule.name} has no verdict`)
}
