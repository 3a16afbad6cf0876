import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TIMEFRAMES } from '../../lib/core/time.ts'
import { parseFundingUnit } from '../../lib/market/candle-file/funding-unit.ts'
import { runCli } from '../../lib/cli/run-cli.ts'

const page = readFileSync(new URL('../../docs/candle-files.md', import.meta.url), 'utf8')

describe('docs/candle-files.md', () => {
  it('names only options that replay has, and all by which the reading of files is steered', async () => {
    let stdout = ''
    await runCli(['replay', '--help'], {
      stdout: (text) => (stdout += text),
      stderr: () => {},
      env: {},
      clock: () => 0,
      newId: () => 'id',
      isInteractive: false,
      sleep: async () => {},
    })
    const known = new Set(stdout.match(/--[a-z-]+/g))
    const named = new Set(page.match(/--[a-z][a-z-]+/g))
    const ofOthers = ['--market', '--help']
    expect([...named].filter((option) => !known.has(option) && !ofOthers.includes(option))).toEqual([])
    const steering = [...stdout.matchAll(/^ {2}(--[a-z-]+) <[A-Z]+>/gm)]
      .map(([, option]) => option ?? '')
      .filter((option) => /symbol|zone|order|unit/.test(option))
    expect(steering.length).toBeGreaterThan(4)
    expect(steering.filter((option) => !named.has(option))).toEqual([])
  })

  it('names the lengths of bars and units of funding that are read, and README leads to it', () => {
    expect(page).toContain(TIMEFRAMES.join(', '))
    for (const unit of ['fraction', 'percent', 'bps', 'fraction/hour', 'percent/8h', 'bps/day', 'fraction/year'])
      expect(parseFundingUnit(unit), unit).not.toBeNull()
    expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain('(docs/candle-files.md)')
  })
})
