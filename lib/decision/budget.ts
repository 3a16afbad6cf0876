import type { ModelUsage } from '../../schemas/decision.ts'
import { UsageError, invariant } from '../core/invariant.ts'

/** What may be spent on one run; null for no limit. */
export type BudgetLimits = {
  readonly maxCostUsd: number | null
  readonly maxTokens: number | null
  readonly maxQuestions: number | null
}

/**
 * What was spent: questions answered, and their tokens and US dollars; `costUsd` is null once an answer had no price.
 */
export type Spent = ModelUsage & { readonly questions: number }

export type Reservation =
  /** The question may be asked. `settle` takes its true cost in place of the worst; the first call counts. */
  | { readonly ok: true; settle(actual: ModelUsage | null): void }
  /** It may not; the figures in words. */
  | { readonly ok: false; readonly problem: string }

/** One purse for all deciders of a run, also where they ask at the same time. */
export type Budget = {
  readonly limits: BudgetLimits
  readonly spent: Spent
  /** Sets the worst case of one question aside, if it fits beside what is spent and set aside already. */
  reserve(worst: ModelUsage): Reservation
}

/** Sums of cents in floating point miss a limit by less than this. */
const TOLERANCE_USD = 1e-9

/** A budget nothing has been spent of. Throws {@link UsageError} for a limit that is no amount. */
export function createBudget(limits: Partial<BudgetLimits> = {}): Budget {
  const { maxCostUsd = null, maxTokens = null, maxQuestions = null } = limits
  requireAmount('maxCostUsd', maxCostUsd, Number.isFinite)
  requireAmount('maxTokens', maxTokens, Number.isInteger)
  requireAmount('maxQuestions', maxQuestions, Number.isInteger)
  const open = new Set<ModelUsage>()
  let spent: Spent = { questions: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 }

  function shortage(worst: ModelUsage): string | null {
    const asides = [...open]
    if (maxQuestions !== null && spent.questions + asides.length + 1 > maxQuestions)
      return `${spent.questions} of at most ${maxQuestions} questions (budget.maxQuestions) are asked`
    const tokens = spent.inputTokens + spent.outputTokens + sum(asides.map(tokensOf))
    if (maxTokens !== null && tokens + tokensOf(worst) > maxTokens)
      return `the next question may take up to ${tokensOf(worst)} tokens, and of ${maxTokens} (budget.maxTokens) ${maxTokens - tokens} are left`
    if (maxCostUsd === null) return null
    const cost = dollars(spent) + sum(asides.map(dollars))
    if (cost + dollars(worst) > maxCostUsd + TOLERANCE_USD)
      return `the next question may cost up to ${show(dollars(worst))}, and of ${show(maxCostUsd)} (budget.maxCostUsd) ${show(maxCostUsd - cost)} are left`
    return null
  }

  return {
    limits: { maxCostUsd, maxTokens, maxQuestions },
    get spent() {
      return spent
    },
    reserve(worst) {
      const problem = shortage(worst)
      if (problem !== null) return { ok: false, problem }
      const aside = { ...worst }
      open.add(aside)
      return {
        ok: true,
        settle(actual) {
          if (!open.delete(aside) || actual === null) return
          const costUsd = spent.costUsd === null || actual.costUsd === null ? null : spent.costUsd + actual.costUsd
          spent = {
            questions: spent.questions + 1,
            inputTokens: spent.inputTokens + actual.inputTokens,
            outputTokens: spent.outputTokens + actual.outputTokens,
            costUsd,
          }
        },
      }
    },
  }
}

function requireAmount(name: string, value: number | null, isAmount: (value: number) => boolean): void {
  if (value !== null && !(isAmount(value) && value >= 0))
    throw new UsageError(
      `budget.${name} is ${value}: give a ${isAmount === Number.isInteger ? 'whole ' : ''}number of at least 0, or null for no limit`,
    )
}

const tokensOf = ({ inputTokens, outputTokens }: ModelUsage): number => inputTokens + outputTokens
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const show = (usd: number): string => `$${usd.toFixed(4)}`

function dollars({ costUsd }: ModelUsage): number {
  invariant(costUsd !== null, 'a budget in money meets a question without a price')
  return costUsd
}
