import { type Judgement, judge } from '../../lib/guard/judge.ts'
import type { RuleContext } from '../../lib/guard/rule.ts'
import { isEntry } from '../../schemas/decision.ts'
import { GUARD_RULES } from '../../schemas/verdict.ts'
import { brokenLimits, brokenPromises, type Levels } from './limits.ts'
import { randomEntry } from './random-entry.ts'

/** Random entries judged in all: half of them long, half short. `npm run guard-cases` judges 100,000. */
export const CASES = Number(process.env['GUARD_CASES'] ?? 16_000)
/** Refusals are reckoned again for every so many-th case; approvals for all. */
const SAMPLE = 25

function levelsOf({ decision }: RuleContext, { result }: Judgement): Levels {
  if (!isEntry(decision)) throw new Error('not an entry')
  const side = decision.action === 'open_long' ? 'long' : 'short'
  const { confidence } = decision
  switch (result.kind) {
    case 'approved': {
      const { quantity, priceLimit, bracket, leverage } = result.order
      return {
        side,
        confidence,
        quantity,
        worst: priceLimit,
        stop: bracket.stopLossPrice,
        target: bracket.takeProfitPrice,
        leverage,
      }
    }
    case 'refused': {
      const { plan } = result
      const text = (value: { toFixed(): string }) => value.toFixed()
      return {
        side,
        confidence,
        quantity: text(plan.quantity),
        worst: text(plan.worstPrice),
        stop: text(plan.stopLossPrice),
        target: text(plan.takeProfitPrice),
        leverage: text(plan.leverage),
      }
    }
    default:
      throw new Error('an entry without a result')
  }
}

/** Throws with the number of the case, so that `randomEntry(number)` brings it back. */
export function check(isKept: boolean, index: number, promise: () => string): void {
  if (!isKept) throw new Error(`randomEntry(${index}): ${promise()}`)
}

/**
 * Judges every other of the {@link CASES}, beginning with `first`, and throws at the first that is approved against
 * a limit, refused without reason, or not judged at all. Two files share the work, so that two cores can.
 */
export function judgeRandomEntries(first: 0 | 1): { approved: number; refusals: ReadonlyMap<string, number> } {
  const refusals = new Map<string, number>()
  let approved = 0
  for (let index = first; index < CASES; index += 2) {
    const context = randomEntry(index)
    let judgement: Judgement
    try {
      judgement = judge(context)
    } catch (cause) {
      throw new Error(`randomEntry(${index}): judge threw`, { cause })
    }
    const { verdicts, result } = judgement
    const failed = verdicts.flatMap(({ rule, passed }) => (passed ? [] : [rule]))
    check(
      verdicts.length === GUARD_RULES.length && verdicts.every(({ rule }, at) => rule === GUARD_RULES[at]),
      index,
      () => 'not one verdict for every rule',
    )
    check(
      (result.kind === 'approved') === (failed.length === 0),
      index,
      () => `${result.kind} with ${failed.length} failed verdicts`,
    )
    check(
      result.kind !== 'refused' ||
        (result.reasons.length === failed.length &&
          result.reasons.every((reason, at) => reason.startsWith(`${failed[at]}: `))),
      index,
      () => 'reasons that do not name the failed verdicts',
    )
    if (result.kind === 'approved') {
      approved += 1
      const levels = levelsOf(context, judgement)
      const all = [...brokenLimits(context, levels), ...brokenPromises(context, levels)]
      check(all.length === 0, index, () => `approved, and yet: ${all.join('; ')}`)
      check(
        result.order.side === (levels.side === 'long' ? 'buy' : 'sell') &&
          result.order.symbol === context.facts.instrument.venueSymbol,
        index,
        () => 'another side or product',
      )
    } else if (index % SAMPLE === 0) {
      const broken = brokenLimits(context, levelsOf(context, judgement))
      // Sizing is the only judgement that the levels alone do not show.
      const reckoned = failed.filter((rule) => rule !== 'minimum_size')
      check(
        reckoned.length === broken.length && reckoned.every((rule) => broken.includes(rule)),
        index,
        () => `refused for ${reckoned.join(', ')}; breaks ${[...broken].join(', ')}`,
      )
    }
    for (const rule of failed) refusals.set(rule, (refusals.get(rule) ?? 0) + 1)
  }
  return { approved, refusals }
}
