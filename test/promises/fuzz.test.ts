import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCase } from '../fuzz/harness/run-case.ts'
import { runTarget } from '../fuzz/harness/run-target.ts'
import { loadTargets } from '../fuzz/harness/target.ts'
import { BAD_CASE, SEED } from '../fuzz/harness/bad-targets/bad-targets.ts'

/** Few, for every run of the suite; `npm run fuzz` runs a hundred thousand. */
const CASES = 200
const LIMIT_MS = 1_000

const targets = await loadTargets()

test.each(targets)(
  `${CASES} hostile inputs of fuzz target $name end without an unhandled error, a broken law or a wait`,
  async (target) => {
    for (let number = 0; number < CASES; number += 1) {
      const first = await runCase(target, SEED, number)
      expect(first.problem, `npm run fuzz -- --seed ${SEED} --case ${number} --only ${target.name}`).toBeNull()
      // On a busy machine any case can be late once.
      if (first.ms > LIMIT_MS) expect((await runCase(target, SEED, number)).ms).toBeLessThan(LIMIT_MS)
    }
  },
)

describe('the fuzz harness names the case in which a target', () => {
  const folder = path.resolve(import.meta.dirname, '../fuzz/harness/bad-targets')
  const order = { folder, seed: SEED, from: 0, to: 8, secondsPerCase: 0.2 }

  test.concurrent.each([
    ['throws', /a law is broken/],
    ['rejects-unawaited', /unhandledRejection: .*nobody awaits this/],
    ['hangs', /hung for more than 0.2 s/],
    ['never-answers', /(?:hung for|ended its thread)/],
    ['ends-its-thread', /ended its thread/],
  ])('%s, and goes on with the next case', async (name, problem) => {
    const { cases, outcomes, violations } = await runTarget({ ...order, name })
    expect(violations.map(({ number }) => number)).toEqual([BAD_CASE])
    expect(violations[0]?.problem).toMatch(problem)
    expect(cases).toBe(8)
    expect(outcomes['well']).toBeGreaterThanOrEqual(7)
  })

  test('nowhere goes wrong: it has nothing to name', async () => {
    expect(await runTarget({ ...order, name: 'is-well' })).toMatchObject({
      cases: 8,
      outcomes: { well: 8 },
      violations: [],
    })
  })
})
