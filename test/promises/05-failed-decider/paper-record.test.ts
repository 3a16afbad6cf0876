import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../lib/config/load-config.ts'
import { DAY_MS, fromIso, MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { newRecord } from '../../../lib/cycle/claim.ts'
import { evaluatePaperRecord } from '../../../lib/cycle/evaluate-paper-record.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { createStore } from '../../../lib/store/store.ts'
import type { CycleRecord } from '../../../schemas/cycle-record.ts'
import { createWorld, HOLD, marketAround, outcomeOf, SLOT } from '../../cycle/world.ts'

const config = loadConfig({ overrides: { market: { source: 'live' } } })
const START = fromIso('2026-03-01T00:00:00Z')
const UNDECIDED = { ...outcomeOf(HOLD), failure: { kind: 'unauthorized' as const, message: 'HTTP 401' } }

/** The paper record of days whose slots ended as said, one letter a slot. */
async function recordOf(days: readonly string[], changes: Record<string, Partial<CycleRecord>>) {
  const store = createStore(createMemoryItems(), 'w', 'paper')
  for (const [day, slots] of days.entries())
    for (const [index, letter] of [...slots].entries()) {
      const slot = START + day * DAY_MS + index * 30 * MINUTE_MS
      await store.createCycle({
        ...newRecord({ config, codeVersion: 'test' }, slot, slot),
        progress: 'finished',
        outcome: 'held',
        reason: 'r',
        finishedAt: toIso(slot),
        ...changes[letter],
      })
    }
  return evaluatePaperRecord(store, config, START + 40 * DAY_MS)
}

const ENDS: Record<string, Partial<CycleRecord>> = {
  h: { decision: outcomeOf(HOLD) },
  f: { outcome: 'failed', failedIn: 'decide', decision: UNDECIDED },
  r: { outcome: 'failed', failedIn: 'read' },
  /** As a release before 2026-12 wrote it. */
  o: { outcome: 'held', decision: UNDECIDED },
  w: { decision: { ...outcomeOf(HOLD), failure: { kind: 'insufficient_data', message: 'too few bars yet' } } },
  s: { outcome: 'skipped' },
}

describe('what a failed decider earns towards live trading', () => {
  it.each([
    ['weeks of a dead model', Array.from({ length: 20 }, () => 'f'.repeat(48)), { days: 0, cycles: 0 }],
    [
      'weeks that an earlier release called holds',
      Array.from({ length: 20 }, () => 'o'.repeat(48)),
      { days: 0, cycles: 0 },
    ],
    ['a day with one answer among failures', ['f'.repeat(47) + 'h'], { days: 0, cycles: 1 }],
    ['a day with one failure among answers', ['h'.repeat(47) + 'f'], { days: 1, cycles: 47 }],
    ['as many failures as answers', ['hhff', 'hhrr'], { days: 0, cycles: 4 }],
    ['a warm-up, a good day, an outage', ['ww', 'hhh', 'rrr'], { days: 2, cycles: 5 }],
    ['a day that was skipped but for one answer', ['sssh'], { days: 1, cycles: 1 }],
  ])('%s', async (_name, days, expected) => {
    expect(await recordOf(days, ENDS)).toMatchObject(expected)
  })

  it('a slot without a current bar of the traded market earns nothing either: the model is not even asked', async () => {
    const market = marketAround()
    const world = createWorld({
      decide: () => HOLD,
      overrides: { market: { source: 'live', referenceSymbol: null } },
      market: { ...market, candles: (query) => market.candles({ ...query, asOf: query.asOf - 60 * MINUTE_MS }) },
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'refused', decision: null })
    expect(await evaluatePaperRecord(world.store, world.config, SLOT + DAY_MS)).toMatchObject({ days: 0, cycles: 0 })
  })
})
