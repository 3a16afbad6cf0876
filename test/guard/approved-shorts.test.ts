import { expect, it } from 'vitest'
import { GUARD_RULES } from '../../schemas/verdict.ts'
import { CASES, judgeRandomEntries } from './judge-random-entries.ts'

it(`${CASES / 2} random shorts: what is approved keeps every limit at once, what is refused breaks those it is refused for`, () => {
  const { approved, refusals } = judgeRandomEntries(1)
  const counts = [...refusals].sort(([, a], [, b]) => b - a).map(([rule, count]) => `${rule} ${count}`)
  console.info(`${approved} of ${CASES / 2} shorts approved; refusals: ${counts.join(', ')}`)
  // Neither all nor nothing: every rule had its say.
  expect(approved / (CASES / 2)).toBeGreaterThan(0.05)
  expect(GUARD_RULES.filter((rule) => (refusals.get(rule) ?? 0) < CASES / 1_000)).toEqual([])
}, 120_000)
