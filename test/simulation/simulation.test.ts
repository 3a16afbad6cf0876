import { describe, expect, it } from 'vitest'
import { shortLife } from './exhaustive.ts'
import { runScenario } from './run-scenario.ts'
import { scenarioOf } from './scenario.ts'

describe('a crash', () => {
  it('at every single point of a short life, before and after every call: all invariants hold', async () => {
    const { activeCrashPoints, entries, trades } = await runScenario(shortLife(), { crashAt: new Set() })
    expect([entries, trades]).toEqual([1, 1])
    expect(activeCrashPoints).toBeGreaterThan(150)
    for (let point = 0; point < activeCrashPoints; point++) {
      const { violations, crashes } = await runScenario(shortLife(), { crashAt: new Set([point]) })
      expect({ point, violations, crashes }).toEqual({ point, violations: [], crashes: 1 })
    }
  }, 120_000)
})

describe('a seed', () => {
  it('is one history: the same lines, twice', async () => {
    const trace = async (): Promise<string[]> => {
      const lines: string[] = []
      await runScenario(scenarioOf(57), { trace: (line) => lines.push(line) })
      return lines
    }
    const first = await trace()
    expect(first.length).toBeGreaterThan(100)
    expect(await trace()).toEqual(first)
  })
})
