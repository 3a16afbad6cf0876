import { type Decimal, toNumber } from '../core/decimal.ts'
import type { Decision } from '../../schemas/decision.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { Snapshot } from '../../schemas/snapshot.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { GuardRuleName, Verdict } from '../../schemas/verdict.ts'
import type { EntryPlan } from './plan-entry.ts'

/** Everything a rule may look at. */
export type RuleContext = { config: StrategyConfig; decision: Decision; snapshot: Snapshot; facts: GuardFacts }

/** What a rule finds; `limit` and `actual` in the unit that `reason` names. */
export type Finding = Omit<Verdict, 'rule'>

type Common = {
  name: GuardRuleName
  /** What it protects from, for people. */
  purpose: string
  /** The limit as configured, for `guard --explain`. */
  limit: (config: StrategyConfig) => string
}

/** What is there before anything has been decided. */
export type ConditionContext = Omit<RuleContext, 'decision'>

/** Judges the account or the market, whatever was decided. `halts` says that a breach stops the strategy durably. */
export type StandingRule = Common & { applies: 'always'; halts: boolean; check: (context: ConditionContext) => Finding }
/** Judges a planned entry; silent on anything else. */
export type EntryRule = Common & { applies: 'entry'; check: (context: RuleContext, plan: EntryPlan) => Finding }
/**
 * An entry rule that looks at the conditions alone: it says the same of every entry, and can be asked before there is
 * one.
 */
export type ConditionRule = Common & { applies: 'entry'; check: (context: ConditionContext) => Finding }

export type Rule = StandingRule | EntryRule

export const isStanding = (rule: Rule): rule is StandingRule => rule.applies === 'always'

/** A finding with its sentence chosen by the result; sentences that cost something to write are given as functions. */
export const finding = (
  passed: boolean,
  limit: Finding['limit'],
  actual: Finding['actual'],
  good: string | (() => string),
  bad: string | (() => string),
): Finding => {
  const reason = passed ? good : bad
  return { passed, limit, actual, reason: typeof reason === 'string' ? reason : reason() }
}

/** Six significant digits, short enough to read; for showing, never for judging. Stays finite, as a record must. */
export const tidy = (value: number): number =>
  Number(Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value)).toPrecision(6))

/** What share `part` is of `whole`, for showing: as near as a number comes, without the digits of an exact division. */
export const shareOf = (part: Decimal, whole: Decimal): number => tidy(toNumber(part) / toNumber(whole))

export const percent = (fraction: number): string => `${tidy(fraction * 100)} %`
