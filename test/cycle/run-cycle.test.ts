import { describe, expect, it } from 'vitest'
import { reproduce } from '../../lib/cli/commands/explain.ts'
import { VENUE_LAG_MS, timeLimitsOf } from '../../lib/core/time-limits.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { commit } from '../../lib/execution/commit.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { CycleRecord } from '../../schemas/cycle-record.ts'
import { CLOSE, createWorld, HOLD, LONG, marketAround, outcomeOf, SHORT, SLOT } from './world.ts'

/** The lease of a cycle of half an hour. */
const LEASE_MS = timeLimitsOf({ intervalMs: 30 * 60_000, deciderTimeoutMs: 0, venueLagMs: VENUE_LAG_MS }).leaseMs

/** Every stored byte, in order. */
async function dump(items: ItemStore, id = 'eth-perp'): Promise<string> {
  const pages = await Promise.all(
    [`STRATEGY#${id}`, `PAPER#${id}`].map((pk) => items.query({ pk, prefix: '', limit: 1_000 })),
  )
  return JSON.stringify(pages)
}

describe('a cycle that enters', () => {
  it('opens, is protected, and leaves one record that tells everything', async () => {
    const world = createWorld()
    const record = await world.cycle()
    expect(record).toMatchObject({
      outcome: 'entered',
      reason: 'entered and protected',
      progress: 'finished',
      cycleId: 'eth-perp-20260310T1200Z',
    })
    const { phase, lastSlot, accounting } = await world.state()
    expect(phase).toMatchObject({
      kind: 'open',
      position: { side: 'long', protection: { status: 'live' }, thesis: { cycleId: record.cycleId } },
    })
    expect(lastSlot).toBe(toIso(SLOT))
    expect(accounting.entriesToday).toBe(1)
    const stored = CycleRecord.parse(await world.store.loadCycle('eth-perp', toIso(SLOT)))
    expect(stored).toEqual(record)
    expect(stored.snapshot).not.toBeNull()
    expect(stored.prompt?.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(stored.verdicts).toHaveLength(RULES.length)
    expect(stored.fills).toHaveLength(1)
    expect(stored.venueOrders.map(({ kind }) => kind)).toEqual(['entry', 'protect'])
    expect(world.events.map(({ type }) => type)).toEqual(['opened', 'protected'])
    expect(await world.orders()).toMatchObject([{ order: { kind: 'entry' }, status: 'done' }])
  })

  it('re-running the pure parts from the stored record gives the same bytes', async () => {
    for (const decision of [LONG, SHORT, HOLD, { ...LONG, confidence: 0.1 }]) {
      const world = createWorld({ decide: () => decision })
      await world.cycle()
      const stored = await world.store.loadCycle('eth-perp', toIso(SLOT))
      expect(stored === null ? null : reproduce(stored)).toEqual({ prompt: true, verdicts: true, order: true })
    }
  })

  it('asks with the system text of the settings, and reproduces it', async () => {
    const world = createWorld({
      decide: () => HOLD,
      overrides: { decider: { kind: 'openai', systemPrompt: 'Toss a coin.' } },
    })
    const record = await world.cycle()
    expect(record.prompt).toMatchObject({ version: 'custom', system: 'Toss a coin.' })
    expect(reproduce(record)).toMatchObject({ prompt: true })
    expect(reproduce({ ...record, config: createWorld().config })).toMatchObject({ prompt: false })
  })

  it('the same inputs give the same bytes', async () => {
    const [a, b] = [createWorld(), createWorld()]
    await Promise.all([a.cycle(), b.cycle()])
    expect(await dump(a.items)).toBe(await dump(b.items))
  })

  it('a venue without attached exits is protected by an order of our own', async () => {
    const world = createWorld({ overrides: { paper: { attachedBrackets: false } } })
    expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { protection: { status: 'live' }, protectAttempts: 1 },
    })
    expect((await world.book()).orders.map(({ request, status }) => [request.kind, status])).toEqual([
      ['entry', 'filled'],
      ['protect', 'open'],
    ])
  })

  it('a position that cannot be protected is tried once more and then flattened', async () => {
    const world = createWorld({
      overrides: { paper: { attachedBrackets: false } },
      wrapBroker: (broker) => ({
        ...broker,
        place: async (order, deadline) =>
          order.kind === 'protect'
            ? { outcome: 'rejected', reason: 'bracket_order_not_supported', refusal: 'other' }
            : broker.place(order, deadline),
      }),
    })
    await world.cycle()
    expect((await world.state()).phase.kind).toBe('flat')
    expect(await world.trades()).toMatchObject([{ exitReason: 'unprotected' }])
    const protects = (await world.orders()).filter(({ order }) => order.kind === 'protect')
    expect(protects.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(world.events.map(({ type }) => type)).toContain('naked')
  })

  it('a stop that the price has passed already closes at once', async () => {
    const world = createWorld({
      overrides: { paper: { attachedBrackets: false } },
      wrapBroker: (broker) => ({
        ...broker,
        place: async (order, deadline) =>
          order.kind === 'protect'
            ? { outcome: 'rejected', reason: 'stop_already_triggered', refusal: 'stop_beyond_price' }
            : broker.place(order, deadline),
      }),
    })
    await world.cycle()
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
  })
})

describe('events that come twice, late or together', () => {
  it('a duplicate changes nothing', async () => {
    const world = createWorld()
    await world.cycle()
    const before = await dump(world.items)
    for (let repetition = 0; repetition < 3; repetition++) {
      world.time.now += 7_000
      expect(await world.cycle(SLOT)).toMatchObject({
        outcome: 'skipped',
        reason: 'this slot is done already: entered',
        order: null,
      })
    }
    expect(await dump(world.items)).toBe(before)
    expect(world.asked).toHaveLength(1)
  })

  it('two at once: one works, the other stands back', async () => {
    const world = createWorld()
    const twin = createWorld({ items: world.items, writer: 'twin' })
    const outcomes = await Promise.all([world.cycle(), twin.cycle()])
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['entered', 'skipped'])
    expect((await world.book()).fills).toHaveLength(1)
  })

  it('a stale slot reconciles and never enters', async () => {
    const world = createWorld()
    world.time.now = SLOT + 31 * MINUTE_MS
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('stale') })
    expect(world.asked).toEqual([])
    expect((await world.state()).phase.kind).toBe('flat')
  })

  it('a slot before the last one is skipped, even when its record is gone', async () => {
    const world = createWorld({ decide: () => HOLD })
    world.time.now = SLOT + 30 * MINUTE_MS
    await world.cycle()
    world.time.now += 5 * MINUTE_MS
    expect(await world.cycle(SLOT)).toMatchObject({
      outcome: 'skipped',
      reason: expect.stringContaining('not after the last one done'),
    })
    expect((await world.state()).lastSlot).toBe(world.at(30))
  })

  it('a clock behind what is recorded is refused before anything is written', async () => {
    const world = createWorld()
    await world.cycle()
    const before = await dump(world.items)
    world.time.now = SLOT - 24 * HOUR_MS
    await expect(world.cycle()).rejects.toThrow(UsageError)
    await expect(world.enforce()).rejects.toThrow(/has records of 2026-03-10T12:00:00Z/)
    expect(await dump(world.items)).toBe(before)
    world.time.now = SLOT - MINUTE_MS
    expect(await world.enforce()).toMatchObject({ outcome: 'watched' })
  })

  it('a slot that has not come yet is left for its time; a moment early is the difference of two clocks', async () => {
    const world = createWorld()
    expect(await world.cycle(SLOT + 24 * HOUR_MS)).toMatchObject({
      outcome: 'skipped',
      reason: expect.stringContaining('future'),
    })
    expect(await world.store.loadState('eth-perp')).toBeNull()
    expect(await world.enforce()).toMatchObject({ outcome: 'idle' })
    world.time.now = SLOT + 30 * MINUTE_MS - 50
    expect(await world.cycle(SLOT + 30 * MINUTE_MS)).toMatchObject({ outcome: 'entered', slot: world.at(30) })
  })

  it('a duplicate that fails leaves the other’s record alone', async () => {
    const world = createWorld()
    await world.cycle()
    const before = await dump(world.items)
    const broken = createWorld({
      items: { ...world.items, put: async () => Promise.reject(new Error('throttled')) },
      writer: 'twin',
    })
    expect(await broken.cycle()).toMatchObject({ outcome: 'failed', reason: 'Error: throttled' })
    expect(await dump(world.items)).toBe(before)
  })

  it('seconds late is not stale: the slot is the schedule’s', async () => {
    const world = createWorld()
    world.time.now = SLOT + 65_000
    expect(await world.cycle(SLOT + 65_000)).toMatchObject({ outcome: 'entered', slot: toIso(SLOT) })
  })
})

describe('a strategy that must not enter', () => {
  it('halted: reconciles, asks nobody, says so', async () => {
    const world = createWorld({ decide: () => LONG })
    await world.enforce()
    const at = toIso(SLOT)
    await commit(world.ports, await world.state(), [
      { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason: 'lunch' } },
    ])
    expect(await world.cycle()).toMatchObject({ outcome: 'halted', reason: expect.stringContaining('lunch') })
    expect(world.asked).toEqual([])
    expect(world.schedule.disabled).toEqual([expect.stringContaining('lunch')])
  })

  it('halted while the model was thinking: judged again on the new state', async () => {
    const world = createWorld({
      decide: async () => {
        const at = toIso(SLOT)
        await commit(world.ports, await world.state(), [
          { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason: 'stop' } },
        ])
        return LONG
      },
    })
    const record = await world.cycle()
    expect(record.outcome).toBe('refused')
    expect(record.verdicts.find(({ rule }) => rule === 'kill_switch')?.passed).toBe(false)
    expect((await world.state()).phase.kind).toBe('flat')
    expect(world.asked).toHaveLength(1)
  })

  it('with a position: no second entry, no reversal; close closes; then it is flat without exits', async () => {
    const decisions = [LONG, LONG, SHORT, CLOSE]
    const world = createWorld({ decide: () => decisions.shift() ?? HOLD, overrides: { guard: { minStopAtr: 0.1 } } })
    const outcomes = []
    for (let slot = 0; slot < 4; slot++) {
      world.time.now = SLOT + slot * 30 * MINUTE_MS
      outcomes.push(await world.cycle())
    }
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['entered', 'refused', 'refused', 'closed'])
    const failed = outcomes.map(({ verdicts }) => verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule))
    expect(failed[1]).toContain('no_open_position')
    expect(failed[2]).toEqual(expect.arrayContaining(['no_open_position', 'no_reversal']))
    expect(await world.trades()).toMatchObject([{ exitReason: 'decision', side: 'long' }])
    expect((await world.book()).orders.filter(({ status }) => status === 'open')).toEqual([])
  })

  it('a guard halt keeps entries out, never the close that was decided', async () => {
    const decisions = [LONG, CLOSE]
    // The entry's own fee is more than the day may lose.
    const world = createWorld({
      decide: () => decisions.shift() ?? HOLD,
      overrides: { guard: { minStopAtr: 0.1, maxDailyLoss: 0.0001 } },
    })
    await world.cycle()
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    expect(await world.state()).toMatchObject({ phase: { kind: 'flat' }, halt: { rule: 'daily_loss' } })
    expect(await world.trades()).toMatchObject([{ exitReason: 'decision' }])
  })

  it('an entry that lost a race before it was committed is judged again, and told truly', async () => {
    const world = createWorld()
    await world.enforce()
    const races = { left: 1 }
    const { saveState } = world.store
    const raced = {
      ...world.ports,
      store: {
        ...world.store,
        saveState: async (...args: Parameters<typeof saveState>) => {
          if (args[0].phase.kind !== 'opening' || races.left-- <= 0) return saveState(...args)
          return { outcome: 'conflict' as const, state: args[0] }
        },
      },
    }
    const { runCycle } = await import('../../lib/cycle/run-cycle.ts')
    expect(await runCycle(raced, { scheduledFor: SLOT, dryRun: false })).toMatchObject({
      outcome: 'entered',
      reason: 'entered and protected',
    })
    expect((await world.book()).fills).toHaveLength(1)
    expect(await world.orders()).toMatchObject([{ order: { kind: 'entry' }, status: 'done' }])
    expect(world.asked).toHaveLength(1)
  })

  it('what the venue does not say in the end costs only the record’s lists', async () => {
    const asks = { order: 0 }
    const world = createWorld({
      wrapBroker: (broker) => ({
        ...broker,
        // Reconciliation asks once while the entry is under way; the next question is for the record.
        order: async (symbol, ref) =>
          asks.order++ === 0 ? broker.order(symbol, ref) : Promise.reject(new Error('down')),
      }),
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'entered', progress: 'finished', fills: [], venueOrders: [] })
    expect(asks.order).toBe(2)
    expect(world.events.map(({ type }) => type)).not.toContain('failed')
  })

  it('close while flat is a hold', async () => {
    const world = createWorld({ decide: () => CLOSE })
    expect(await world.cycle()).toMatchObject({ outcome: 'held', reason: expect.stringContaining('flat') })
  })

  it('a daily loss halts durably, switches the schedule off and is told', async () => {
    const world = createWorld({ decide: () => HOLD })
    await world.enforce()
    const state = await world.state()
    await commit(world.ports, state, [
      {
        type: 'cash_adjusted',
        at: toIso(SLOT),
        amount: '-600' as typeof state.accounting.cash,
        reason: 'test',
        isIncident: true,
      },
    ])
    await world.tamper((book) => ({ ...book, cash: '9400' as typeof book.cash }))
    expect(await world.cycle()).toMatchObject({ outcome: 'halted', reason: expect.stringContaining('daily_loss') })
    expect((await world.state()).halt).toMatchObject({ by: 'guard', rule: 'daily_loss' })
    expect(world.schedule.disabled).toHaveLength(1)
    expect(world.events.map(({ type }) => type)).toContain('halted')
    world.time.now += 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'halted' })
  })
})

describe('things that fail', () => {
  it('no market data: failed, recorded, told; the position is none the worse', async () => {
    const market = { ...marketAround(), candles: async () => Promise.reject(new Error('socket hang up')) }
    const world = createWorld({ market })
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('socket hang up') })
    expect(await world.store.loadCycle('eth-perp', toIso(SLOT))).toMatchObject({
      outcome: 'failed',
      progress: 'finished',
    })
    expect(world.events).toMatchObject([{ type: 'failed' }])
  })

  it('bars that stopped: the entry is refused for stale data', async () => {
    const full = marketAround()
    const market = {
      ...full,
      candles: (query: Parameters<typeof full.candles>[0]) => full.candles({ ...query, asOf: query.asOf - HOUR_MS }),
    }
    const world = createWorld({ market })
    const record = await world.cycle()
    expect(record.outcome).toBe('refused')
    expect(record.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(['fresh_data'])
  })

  it('a dead feed costs only itself', async () => {
    const world = createWorld()
    const record = await world.cycle()
    expect(record.snapshot?.news.feeds).toMatchObject([{ source: 'dead', ok: false }])
    expect(record.outcome).toBe('entered')
  })

  it('a dead model is a failed slot with its reason, and so is a decider that throws', async () => {
    const dead = createWorld({
      decide: () => ({ ...outcomeOf(HOLD), failure: { kind: 'timeout', message: 'no answer in 60 s' } }),
    })
    expect(await dead.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'timeout: no answer in 60 s; nothing was decided',
    })
    const broken = createWorld({ decide: () => Promise.reject(new Error('bug')) })
    expect(await broken.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'internal: Error: bug; nothing was decided',
    })
  })

  it('a price that ran away: accepted, over, nothing filled', async () => {
    const world = createWorld({
      overrides: { guard: { minStopAtr: 0.1, maxEntrySlippageBps: 0 }, paper: { slippageBps: 20 } },
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('did not fill') })
    expect((await world.state()).phase).toMatchObject({
      kind: 'flat',
      abandoned: { cycleId: 'eth-perp-20260310T1200Z' },
    })
  })

  it('the venue refuses: failed with its words, flat', async () => {
    const world = createWorld({
      wrapBroker: (broker) => ({
        ...broker,
        place: async () => ({ outcome: 'rejected', reason: 'insufficient_funds', refusal: 'no_margin' }),
      }),
    })
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'the venue refused the entry: insufficient_funds',
    })
    expect((await world.state()).phase.kind).toBe('flat')
    expect(await world.orders()).toMatchObject([{ status: 'rejected', reason: 'insufficient_funds' }])
  })

  it('answer lost after the effect: found by asking, entered once', async () => {
    const world = createWorld({
      wrapBroker: (broker) => ({
        ...broker,
        place: async (order) => {
          await broker.place(order, Number.POSITIVE_INFINITY)
          return { outcome: 'unknown', reason: 'timeout' }
        },
      }),
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
    expect((await world.book()).fills).toHaveLength(1)
    expect(world.events.map(({ type }) => type)).toEqual(['unknown', 'opened', 'protected'])
  })

  it('answer lost before the effect: unknown keeps new entries out until it is given up', async () => {
    const world = createWorld({
      wrapBroker: (broker) => ({ ...broker, place: async () => ({ outcome: 'unknown', reason: 'timeout' }) }),
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('unknown') })
    expect((await world.state()).phase.kind).toBe('opening')
    await world.pass(2)
    expect((await world.state()).phase).toMatchObject({
      kind: 'flat',
      abandoned: { cycleId: 'eth-perp-20260310T1200Z' },
    })
    expect((await world.book()).orders).toEqual([])
  })
})

describe('an invocation that dies', () => {
  /** A store that works for so many writes and then is gone with the process. */
  const mortal = (items: ItemStore, life: { writes: number }): ItemStore => ({
    ...items,
    async put(item, condition) {
      if (life.writes-- <= 0) throw new Error('the process died')
      return items.put(item, condition)
    },
  })

  it('at every single write: a repetition finishes the slot, enters at most once, never asks the model twice after deciding', async () => {
    let completed = false
    for (let writes = 0; !completed; writes++) {
      const items = createMemoryItems()
      const life = { writes }
      const first = createWorld({ items: mortal(items, life) })
      await first.cycle()
      completed = life.writes > 0
      // Somebody comes back: enforcement each minute, and the same event once the lease has run out.
      const second = createWorld({ items })
      second.time.now = SLOT + LEASE_MS + 1_000
      const decidedBefore = (await second.store.loadCycle('eth-perp', toIso(SLOT)))?.decision ?? null
      await second.enforce()
      const record = await second.cycle(SLOT)
      await second.pass(2)
      expect(['entered', 'refused', 'failed', 'skipped']).toContain(record.outcome)
      if (decidedBefore !== null) expect(second.asked, `after ${writes} writes`).toEqual([])
      const state = await second.state()
      const book = await second.book()
      expect(
        book.fills.filter(({ reason }) => reason === 'entry').length,
        `after ${writes} writes`,
      ).toBeLessThanOrEqual(1)
      expect(['flat', 'open'], `after ${writes} writes`).toContain(state.phase.kind)
      expect(state.phase.kind === 'open', `after ${writes} writes`).toBe(book.position !== null)
      if (state.phase.kind === 'open') expect(state.phase.position.protection.status).toBe('live')
      expect(state.accounting.cash).toBe(book.cash)
      expect(state.incidents).toEqual([])
      // The story in the record is the one that happened, and the slot has its point of the curve.
      const told = await second.store.loadCycle('eth-perp', toIso(SLOT))
      expect(told?.outcome === 'entered', `after ${writes} writes`).toBe(book.fills.length > 0)
      expect((await second.store.listEquity('eth-perp', { limit: 9 })).items, `after ${writes} writes`).toHaveLength(1)
      expect(writes).toBeLessThan(60)
    }
  })

  it('a slot that is due while the cycle of an earlier one is at work is skipped as overrun, and says so everywhere', async () => {
    const overrides = { interval: '15s' }
    let release = () => {}
    const paused = new Promise<void>((resolve) => {
      release = resolve
    })
    const items = createMemoryItems()
    const slow = createWorld({
      items,
      overrides,
      decide: async () => {
        await paused
        return HOLD
      },
    })
    const first = slow.cycle()
    await new Promise((resolve) => setImmediate(resolve))
    const world = createWorld({ items, overrides })
    for (const [index, slot] of [SLOT + 15_000, SLOT + 30_000].entries()) {
      world.time.now = slot + 100
      const skipped = await world.cycle(slot)
      expect(skipped).toMatchObject({
        outcome: 'skipped',
        progress: 'finished',
        reason: expect.stringContaining('overrun: the cycle eth-perp-20260310T1200Z is still at work'),
      })
      expect(await world.store.loadCycle('eth-perp', toIso(slot))).toMatchObject({ reason: skipped.reason })
      expect(world.events[index]).toMatchObject({ type: 'overrun', subject: skipped.cycleId })
      expect(world.logs.filter(({ message }) => message === 'overrun')).toHaveLength(index + 1)
    }
    expect(world.asked).toEqual([])
    release()
    expect(await first).toMatchObject({ outcome: 'held' })
    world.time.now = SLOT + 45_100
    expect(await world.cycle(SLOT + 45_000)).toMatchObject({ outcome: 'entered' })
  })

  it('slots are skipped as overrun after a crash only until the lease of the dead cycle has run out', async () => {
    const overrides = { interval: '15s' }
    const items = createMemoryItems()
    const dead = createWorld({ items: mortal(items, { writes: 3 }), overrides })
    await dead.cycle()
    expect((await dead.store.loadCycle('eth-perp', toIso(SLOT)))?.progress).not.toBe('finished')
    const world = createWorld({ items, overrides })
    const outcomes: string[] = []
    for (let slot = SLOT + 15_000; slot <= SLOT + 90_000; slot += 15_000) {
      world.time.now = slot
      const { outcome, reason } = await world.cycle(slot)
      outcomes.push(reason?.startsWith('overrun') === true ? 'overrun' : String(outcome))
    }
    // The lease is 80 s at this interval.
    expect(outcomes).toEqual(['overrun', 'overrun', 'overrun', 'overrun', 'overrun', 'entered'])
  })

  it('while its lease runs nobody takes over; after it, the old holder can no longer write', async () => {
    const world = createWorld()
    let release = () => {}
    const paused = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = createWorld({
      items: world.items,
      decide: async () => {
        await paused
        return LONG
      },
    })
    const late = slow.cycle()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('at work') })
    world.time.now = SLOT + LEASE_MS + 1_000
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'entered', attempt: 2 })
    release()
    expect(await late).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('taken over') })
    expect((await world.book()).fills).toHaveLength(1)
  })
})

describe('a dry run', () => {
  it('does everything but write and place, and says what it would have done', async () => {
    for (const [decision, says] of [
      [LONG, 'would buy'],
      [HOLD, 'would hold'],
      [{ ...LONG, confidence: 0.1 }, 'would refuse'],
    ] as const) {
      const { createOverlayItems } = await import('../../lib/store/memory-items.ts')
      const items = createMemoryItems()
      const world = createWorld({ items: createOverlayItems(items), decide: () => decision })
      const record = await world.cycle(SLOT, true)
      expect(record).toMatchObject({ outcome: 'dry_run', reason: expect.stringContaining(says) })
      expect(record.verdicts).toHaveLength(RULES.length)
      expect(record.prompt).not.toBeNull()
      expect(await dump(items)).toBe(await dump(createMemoryItems()))
    }
  })

  it('works on a slot that is done, on a halted strategy and with a position, and leaves every byte alone', async () => {
    const { createOverlayItems } = await import('../../lib/store/memory-items.ts')
    const world = createWorld()
    await world.cycle()
    const before = await dump(world.items)
    const dry = createWorld({ items: createOverlayItems(world.items), decide: () => CLOSE })
    expect(await dry.cycle(SLOT, true)).toMatchObject({
      outcome: 'dry_run',
      reason: expect.stringMatching(/^would be skipped .*; without that, would close$/),
    })
    expect(await dump(world.items)).toBe(before)
  })
})
