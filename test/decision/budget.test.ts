import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBudget } from '../../lib/decision/budget.ts'
import type { ModelUsage } from '../../schemas/decision.ts'

const usage = (inputTokens: number, outputTokens: number): ModelUsage => ({
  inputTokens,
  outputTokens,
  costUsd: (inputTokens + 5 * outputTokens) / 1e6,
})
const worst = usage(1_000, 1_000)

describe('a budget', () => {
  test.each([
    { name: 'money', limits: { maxCostUsd: 0.012 } },
    { name: 'tokens', limits: { maxTokens: 4_000 } },
    { name: 'questions', limits: { maxQuestions: 2 } },
  ])('in $name for two lets two be open, and no third', ({ limits }) => {
    const budget = createBudget(limits)
    const [one, two] = [budget.reserve(worst), budget.reserve(worst)]
    expect([one.ok, two.ok, budget.reserve(worst).ok, budget.spent.questions]).toEqual([true, true, false, 0])
    // What was set aside and not needed may be spent by another.
    if (one.ok) one.settle(null)
    expect([budget.reserve(worst).ok, budget.reserve(worst).ok]).toEqual([true, false])
  })

  test('is never overspent, however many ask at once and whatever an answer costs up to its worst case', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('reserve' as const), input: fc.nat(2_000), output: fc.nat(2_000) }),
      fc.record({
        kind: fc.constant('settle' as const),
        which: fc.nat(5),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        isAnswered: fc.boolean(),
      }),
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.record({
          maxCostUsd: fc.double({ min: 0, max: 0.05, noNaN: true }),
          maxTokens: fc.nat(20_000),
          maxQuestions: fc.nat(8),
        }),
        (steps, limits) => {
          const budget = createBudget(limits)
          const open: { worst: ModelUsage; settle: (actual: ModelUsage | null) => void }[] = []
          let answered = 0
          for (const one of steps) {
            if (one.kind === 'reserve') {
              const asked = usage(one.input, one.output)
              const reservation = budget.reserve(asked)
              if (reservation.ok) open.push({ worst: asked, settle: reservation.settle })
              continue
            }
            const [taken] = open.splice(one.which % Math.max(1, open.length), 1)
            if (taken === undefined) continue
            const actual = one.isAnswered
              ? usage(Math.floor(taken.worst.inputTokens * one.share), Math.floor(taken.worst.outputTokens * one.share))
              : null
            taken.settle(actual)
            // Once settled it is settled.
            taken.settle(taken.worst)
            if (actual !== null) answered++
          }
          const { questions, inputTokens, outputTokens, costUsd } = budget.spent
          expect(questions).toBe(answered)
          expect(questions).toBeLessThanOrEqual(limits.maxQuestions)
          expect(inputTokens + outputTokens).toBeLessThanOrEqual(limits.maxTokens)
          expect(costUsd ?? Number.NaN).toBeLessThanOrEqual(limits.maxCostUsd + 1e-6)
        },
      ),
      { seed: 5, numRuns: 200 },
    )
  })

  test('without limits everything fits, also what has no price', () => {
    const budget = createBudget()
    const reservation = budget.reserve({ ...worst, costUsd: null })
    if (reservation.ok) reservation.settle({ ...worst, costUsd: null })
    expect(budget).toMatchObject({
      limits: { maxCostUsd: null, maxTokens: null, maxQuestions: null },
      spent: { questions: 1, inputTokens: 1_000, outputTokens: 1_000, costUsd: null },
    })
  })

  test('sums of cents do not miss a limit by their last digit', () => {
    const budget = createBudget({ maxCostUsd: 0.3 })
    const cents: ModelUsage = { inputTokens: 1, outputTokens: 1, costUsd: 0.1 }
    for (let at = 0; at < 3; at++) {
      const reservation = budget.reserve(cents)
      expect(reservation.ok).toBe(true)
      if (reservation.ok) reservation.settle(cents)
    }
    expect(budget.reserve(cents).ok).toBe(false)
  })
})
