import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY_MS, fromIso, HOUR_MS, MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { followDecider } from '../../../lib/ledger/decider-streak.ts'
import type { DecisionFailure } from '../../../schemas/decision.ts'
import { DeciderStreak } from '../../../schemas/state.ts'
import { createWorld, HOLD, outcomeOf, SLOT } from '../../cycle/world.ts'

const REVOKED: DecisionFailure = { kind: 'unauthorized', message: 'HTTP 401: Incorrect API key provided' }
const slotAt = (index: number): string => toIso(SLOT + index * 30 * MINUTE_MS)

/** Goes through slots, each with what its decider came to: 'fails', 'decides', or 'silent' where it was not asked. */
function walk(slots: readonly { index: number; comes: 'fails' | 'decides' | 'silent' }[]) {
  let streak: DeciderStreak | null = null
  const told: { type: string; slot: string }[] = []
  for (const { index, comes } of slots) {
    const failure = comes === 'silent' ? {} : { failure: comes === 'fails' ? REVOKED : null }
    const followed = followDecider({ deciderStreak: streak, strategyId: 's' }, { slot: slotAt(index), ...failure })
    streak = followed.streak === null ? null : DeciderStreak.parse(followed.streak)
    told.push(...followed.emissions.map(({ type }) => ({ type, slot: slotAt(index) })))
  }
  return { streak, told }
}

const anyWalk = fc.array(
  fc.record({
    step: fc.integer({ min: 1, max: 40 }),
    comes: fc.constantFrom('fails' as const, 'fails' as const, 'fails' as const, 'decides' as const, 'silent' as const),
    again: fc.boolean(),
  }),
  { maxLength: 60 },
)

/** Slots in order; one that failed may be gone through again. */
const slotsOf = (steps: readonly { step: number; comes: 'fails' | 'decides' | 'silent'; again: boolean }[]) => {
  let index = 0
  return steps.flatMap(({ step, comes, again }) => {
    index += step
    return again && comes === 'fails'
      ? [
          { index, comes },
          { index, comes },
        ]
      : [{ index, comes }]
  })
}

describe('a streak of slots whose decider failed', () => {
  it('is told at its first slot, at most once in 24 hours while it lasts, and once at its end, in any order of slots', () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        const slots = slotsOf(steps)
        const { streak, told } = walk(slots)
        let isFailing = false
        let lastTold = Number.NEGATIVE_INFINITY
        for (const { index, comes } of slots) {
          const here = told.filter(({ slot }) => slot === slotAt(index)).map(({ type }) => type)
          const at = fromIso(slotAt(index))
          if (comes === 'fails') {
            if (!isFailing || at - lastTold >= DAY_MS) {
              expect(here).toContain('decider_failing')
              lastTold = at
            } else if (lastTold !== at) expect(here).toEqual([])
            isFailing = true
          } else if (comes === 'decides') {
            expect(here).toEqual(isFailing ? ['decider_recovered'] : [])
            isFailing = false
            lastTold = Number.NEGATIVE_INFINITY
          } else expect(here).toEqual([])
        }
        expect(streak !== null).toBe(isFailing)
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('counts a slot once, however often it is tried again, and leaves slots out at which nobody was asked', () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        const slots = slotsOf(steps)
        const lastDecided = slots.findLastIndex(({ comes }) => comes === 'decides')
        const failed = slots.slice(lastDecided + 1).filter(({ comes }) => comes === 'fails')
        const { streak } = walk(slots)
        expect(streak?.slots ?? 0).toBe(new Set(failed.map(({ index }) => index)).size)
        expect(streak?.since ?? null).toBe(failed[0] === undefined ? null : slotAt(failed[0].index))
        expect(streak?.lastSlot ?? null).toBe(failed.length === 0 ? null : slotAt(failed.at(-1)?.index ?? 0))
      }),
      { seed: 6, numRuns: 300 },
    )
  })
})

describe('a key that is revoked for three days and then restored', () => {
  it('gives four messages in all: at the beginning, after one and two days, and at the end', async () => {
    let isRevoked = true
    const world = createWorld({
      decide: () => (isRevoked ? { ...outcomeOf(HOLD), failure: REVOKED } : HOLD),
    })
    const outcomes: Record<string, number> = {}
    for (let slot = 0; slot < 3 * 48; slot++) {
      // An invocation comes a little late, and not always equally late.
      world.time.now = SLOT + slot * 30 * MINUTE_MS + ((slot * 7) % 11) * 1_000
      const { outcome } = await world.cycle(SLOT + slot * 30 * MINUTE_MS)
      outcomes[outcome ?? 'none'] = (outcomes[outcome ?? 'none'] ?? 0) + 1
    }
    expect(outcomes).toEqual({ failed: 144 })
    expect((await world.state()).deciderStreak).toEqual({
      since: slotAt(0),
      lastSlot: slotAt(143),
      slots: 144,
      kind: 'unauthorized',
      message: REVOKED.message,
      toldAt: slotAt(96),
    })
    isRevoked = false
    world.time.now = SLOT + 3 * DAY_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'held', failedIn: null })
    world.time.now += HOUR_MS / 2
    await world.cycle()
    expect((await world.state()).deciderStreak).toBeNull()
    expect(world.events.map(({ type, detail }) => [type, detail['slots']])).toEqual([
      ['decider_failing', 1],
      ['decider_failing', 49],
      ['decider_failing', 97],
      ['decider_recovered', 144],
    ])
    expect(world.events[1]?.detail).toMatchObject({
      kind: 'unauthorized',
      since: slotAt(0),
      reason: expect.stringContaining('an open position keeps its stop and its target'),
    })
    // The next question shows what was decided, not what failed.
    expect((await world.state()).memory.decisions.map(({ outcome }) => outcome)).toEqual(['held', 'held'])
  })
})
