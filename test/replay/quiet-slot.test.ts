import { describe, expect, it } from 'vitest'
import { DAY_MS } from '../../lib/core/time.ts'
import type { ReplayStep } from '../../lib/replay/run-replay.ts'
import type { ReplayCheckpoint } from '../../schemas/replay.ts'
import { eightHourly, firstDifference, historyOf, replay, settings, START } from './support.ts'

const HALTING = {
  guard: { cooldownMinutesAfterLoss: 30, maxEntriesPerDay: 40, maxDrawdown: 0.05, maxDailyLoss: 0.02, minStopAtr: 0.1 },
}

describe('a slot whose cycle is left out', () => {
  it.each([
    ['plain history', historyOf({ seed: 91, days: 3 }), settings()],
    ['known funding', historyOf({ seed: 92, days: 3, funding: eightHourly(3) }), settings()],
    [
      'outages',
      historyOf({ seed: 93, days: 3, change: (bars) => bars.filter((_, index) => index % 700 > 20) }),
      settings(),
    ],
    ['limits that halt', historyOf({ seed: 94, days: 3 }), settings(HALTING)],
  ] as const)(
    'leaves state, book, memory and line as the cycle would, from wherever it begins: %s',
    async (_what, market, config) => {
      const checkpoints: ReplayCheckpoint[] = []
      await replay(market, config, { onSlot: (step) => void checkpoints.push(step.checkpoint()) })
      const seen = { leftOut: 0, held: 0, run: 0 }
      for (const checkpoint of checkpoints.slice(0, -1)) {
        // The slot alone, without a pass after it.
        const to = Date.parse(checkpoint.nextSlot) + 1
        const records: (ReplayStep['record'] | undefined)[] = []
        const walk = (isFast: boolean) =>
          replay(market, config, {
            isFast,
            resumeAt: checkpoint,
            from: START + DAY_MS,
            to,
            onSlot: ({ record }) => void records.push(record),
          })
        const [fast, plain] = [await walk(true), await walk(false)]
        expect(firstDifference(fast, plain), checkpoint.nextSlot).toBeNull()
        expect([fast.state?.lastSlot, fast.state?.accounting.markedAt]).toEqual([
          plain.state?.lastSlot,
          plain.state?.accounting.markedAt,
        ])
        expect(fast.equity).toEqual(plain.equity)
        if (records[0] !== null) seen.run += 1
        else seen[fast.state?.phase.kind === 'open' ? 'held' : 'leftOut'] += 1
      }
      expect(seen.leftOut + seen.held).toBeGreaterThan(30)
      expect(seen.run).toBeGreaterThan(3)
    },
  )
})
