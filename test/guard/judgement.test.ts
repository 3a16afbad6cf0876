import { expect, it } from 'vitest'
import { judge } from '../../lib/guard/judge.ts'
import type { RuleContext } from '../../lib/guard/rule.ts'
import { GuardFacts } from '../../schemas/cycle-record.ts'
import { Decision } from '../../schemas/decision.ts'
import { EntryOrder } from '../../schemas/order.ts'
import { Snapshot } from '../../schemas/snapshot.ts'
import { type GuardConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import { Verdict } from '../../schemas/verdict.ts'
import { check } from './judge-random-entries.ts'
import { randomEntry } from './random-entry.ts'

/** Cases are taken from among so many, far apart. */
const RANGE = 100_000

it('every random entry is one the schemas accept, and so is what is said of it', () => {
  for (let index = 0; index < RANGE; index += 199) {
    const context = randomEntry(index)
    StrategyConfig.parse(context.config)
    Decision.parse(context.decision)
    Snapshot.parse(context.snapshot)
    GuardFacts.parse(context.facts)
    const { verdicts, result } = judge(context)
    for (const verdict of verdicts) Verdict.parse(verdict)
    if (result.kind === 'approved') EntryOrder.parse(result.order)
  }
})

it('the same record gives the same judgement', () => {
  for (let index = 0; index < RANGE; index += 99) {
    const once = JSON.stringify(judge(randomEntry(index)))
    const context = randomEntry(index)
    expect(JSON.stringify(judge(context))).toBe(once)
    expect(JSON.stringify(judge(JSON.parse(JSON.stringify(context)) as RuleContext))).toBe(once)
  }
})

/** The limit moved just so far that it takes in what was found; null where the configuration has no such limit. */
const LOOSENED: Partial<
  Record<Verdict['rule'], (actual: number, guard: GuardConfig, mode: 'paper' | 'live') => Partial<GuardConfig> | null>
> = {
  // In live mode no configuration loosens these beyond their ceilings: test/promises/a1-live-ceilings.test.ts.
  daily_loss: (actual, _, mode) => (actual < 0.99 && mode === 'paper' ? { maxDailyLoss: above(actual) } : null),
  drawdown: (actual, _, mode) => (actual < 0.99 && mode === 'paper' ? { maxDrawdown: above(actual) } : null),
  session_open: (actual) => (actual > 0 ? { sessionBufferMinutes: below(actual) } : null),
  stop_distance: (actual, { minStopAtr }) =>
    actual > 0 && actual < 1e300
      ? actual < minStopAtr
        ? { minStopAtr: below(actual) }
        : { maxStopAtr: above(actual) }
      : null,
  stop_before_liquidation: (actual) => (actual > 1e-3 ? { liquidationBuffer: below(actual) } : null),
  reward_to_risk: (actual) => (actual > 0 ? { minRewardToRisk: below(actual) } : null),
  confidence: (actual) => ({ minConfidence: actual }),
  risk_per_trade: (actual) =>
    actual > 0 && above(actual) <= 0.02 ? { riskPerTrade: above(actual), maxRiskPerTrade: 0.02 } : null,
  price_moved: (actual) => (actual < 1e300 ? { maxPriceMoveAtr: above(actual) } : null),
  cooldown: (actual) => ({ cooldownMinutesAfterLoss: below(actual) }),
  entries_per_day: (actual) => ({ maxEntriesPerDay: actual + 1 }),
  funding_cost: (actual) => ({ maxFundingAnnualised: above(actual) }),
}
// Verdicts show six digits.
const above = (value: number) => value * (1 + 1e-5)
const below = (value: number) => value * (1 - 1e-5)

it('a limit loosened to take in what was found lets it pass, and nothing else changes its mind but by size', () => {
  const loosened = new Map<string, number>()
  for (let index = 0; index < RANGE; index += 39) {
    const context = randomEntry(index)
    const before = judge(context).verdicts
    for (const { rule, passed, actual, reason } of before) {
      const loosen = LOOSENED[rule]
      if (passed || loosen === undefined || typeof actual !== 'number' || /fees|nothing trades/.test(reason)) continue
      const change = loosen(actual, context.config.guard, context.config.mode)
      if (change === null) continue
      const { verdicts } = judge({
        ...context,
        config: { ...context.config, guard: { ...context.config.guard, ...change } },
      })
      check(
        verdicts.find((verdict) => verdict.rule === rule)?.passed === true,
        index,
        () => `${rule} still fails with ${JSON.stringify(change)}: ${reason}`,
      )
      const changed = verdicts
        .filter((verdict, at) => verdict.rule !== rule && verdict.passed !== before[at]?.passed)
        .map((verdict) => verdict.rule)
      check(
        changed.every((name) => rule === 'risk_per_trade' && name === 'minimum_size'),
        index,
        () => `${rule} loosened, and ${changed.join(', ')} changed`,
      )
      loosened.set(rule, (loosened.get(rule) ?? 0) + 1)
    }
  }
  expect(Object.keys(LOOSENED).filter((rule) => (loosened.get(rule) ?? 0) < 10)).toEqual([])
})
