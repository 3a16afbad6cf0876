import fc from 'fast-check'
import { expect, it } from 'vitest'
import { money } from '../../lib/core/decimal.ts'
import { judge } from '../../lib/guard/judge.ts'
import { breachOf } from '../../lib/guard/limits.ts'
import { contextWith } from '../guard/fixtures.ts'

it('a halt names value and limit in percent, in the same words from the cycle and from enforcement', () => {
  const cents = fc.integer({ min: 1, max: 1_000_000 })
  const limit = fc.integer({ min: 1, max: 9_999 }).map((basisPoints) => basisPoints / 10_000)
  fc.assert(
    fc.property(cents, cents, limit, limit, (equity, dayStart, maxDailyLoss, maxDrawdown) => {
      const accounting = { equity: money(equity), dayStartEquity: money(dayStart), peakEquity: money(1_000_000) }
      const context = contextWith({ guard: { maxDailyLoss, maxDrawdown }, accounting })
      const { halt } = judge(context)
      const breach = breachOf(context.facts.accounting, context.config)
      expect(halt).toEqual(breach === null ? null : { rule: breach.rule, reason: breach.reason })
      if (halt !== null) expect(halt.reason).toMatch(/^(daily loss|drawdown) \d+\.\d\d %, limit \d+(\.\d{1,2})? %$/)
    }),
  )
})
