import { expect, it } from 'vitest'
import { runScenario } from './run-scenario.ts'
import { scenarioOf } from './scenario.ts'
import { count, emptyTally } from './tally.ts'

/** Lives through a range of seeds; two files share them, so that they run side by side. */
export function liveThrough({ from, to, interval = '30m' }: { from: number; to: number; interval?: string }): void {
  it(`all invariants hold in the lives of seeds ${from} to ${to} at interval ${interval}`, async () => {
    const tally = emptyTally()
    for (let seed = from; seed <= to; seed++) count(tally, await runScenario(scenarioOf(seed, interval)))
    expect(tally.violations, 'again, line by line: npm run simulate -- --interval I --seed N').toEqual([])
    // Lives in which nothing happens would prove nothing.
    expect(tally.entries).toBeGreaterThan((to - from) / 2)
    expect(tally.trades).toBeGreaterThan((to - from) / 4)
    expect(tally.crashes).toBeGreaterThan(to - from)
    if (to - from > 50)
      expect(Object.keys(tally.faults).filter((kind) => !kind.startsWith('crash')).length).toBeGreaterThan(20)
  }, 300_000)
}
