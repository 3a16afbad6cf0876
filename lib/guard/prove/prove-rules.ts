import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { GUARD_RULES, type GuardRuleName } from '../../../schemas/verdict.ts'
import { isAbove, ZERO_MONEY } from '../../core/decimal.ts'
import { judge } from '../judge.ts'
import { baselineContext } from './baseline.ts'
import { PROOF_CASES } from './cases.ts'

/**
 * What the proof of one rule found. `fires`: the rule refused the case and let the sound entry pass. `silent`: it let
 * the case pass. `always`: it refuses the sound entry too, so that its refusal of the case proves nothing.
 */
export type RuleProof = {
  rule: GuardRuleName
  case: string
  /** What of the configuration was set otherwise, because the owner's leaves the limit open; null for nothing. */
  narrowed: string | null
  verdict: 'fires' | 'silent' | 'always'
  reason: string
  /** Whether the case halts the strategy, and whether it has to. */
  halts: boolean
}

/** The rules that have to halt the strategy, not only refuse the entry. */
const MUST_HALT: ReadonlySet<GuardRuleName> = new Set(['daily_loss', 'drawdown'])

/**
 * Puts one case for each rule before the guard under the given configuration, beside an entry that every rule should
 * let pass. A rule that must halt and only refuses counts as silent. Pure.
 */
export function proveRules(config: StrategyConfig): RuleProof[] {
  const control = judge(baselineContext({ config }))
  const refused = new Map(control.verdicts.flatMap(({ rule, passed, reason }) => (passed ? [] : [[rule, reason]])))
  return GUARD_RULES.map((rule): RuleProof => {
    const { text, narrowed, context } = PROOF_CASES[rule](config)
    const { verdicts, halt } = judge(context)
    const found = verdicts.find((verdict) => verdict.rule === rule)
    // With nothing left every limit is reached at once, and the first of them halts.
    const isSpent = !isAbove(context.facts.accounting.equity, ZERO_MONEY)
    const halts = halt !== null && (halt.rule === rule || (isSpent && MUST_HALT.has(rule)))
    const isSilent = found === undefined || found.passed || (MUST_HALT.has(rule) && !halts)
    const soundly = narrowed === null ? refused.get(rule) : undefined
    const base = { rule, case: text, narrowed, halts }
    if (isSilent) return { ...base, verdict: 'silent', reason: found?.reason ?? 'the guard does not know this rule' }
    return soundly === undefined
      ? { ...base, verdict: 'fires', reason: found.reason }
      : { ...base, verdict: 'always', reason: `it refuses the sound entry as well: ${soundly}` }
  })
}
