import { describe, expect, it } from 'vitest'
import { runKills } from './run-kills.ts'

/** A short run of `npm run killed`, which kills by the hundred. */
describe('the command line as a process, killed with SIGKILL while it works', () => {
  it('against a database that outlives it: ledger and venue end as one, and every invariant holds', async () => {
    const report = await runKills({ kills: 4, seed: 7, database: 'outside', calmPasses: 3 })
    expect(report.violations).toEqual([])
    expect(report.failures).toEqual([])
    expect(report.incidents).toEqual([])
    expect(report.kills).toBeGreaterThanOrEqual(4)
    // Real processes, real time: whether one of so few has entered is chance; that some came to their end is not.
    expect(report.finished).toBeGreaterThan(0)
  }, 120_000)
})
