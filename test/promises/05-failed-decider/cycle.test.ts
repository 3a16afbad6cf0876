import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS, toIso } from '../../../lib/core/time.ts'
import { VENUE_LAG_MS, timeLimitsOf } from '../../../lib/core/time-limits.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import type { ItemStore } from '../../../lib/store/item-store.ts'
import { DecisionFailure, type DecisionOutcome } from '../../../schemas/decision.ts'
import { CLOSE, createWorld, HOLD, LONG, marketAround, outcomeOf, SLOT } from '../../cycle/world.ts'

/** The lease of a cycle of half an hour. */
const LEASE_MS = timeLimitsOf({ intervalMs: 30 * 60_000, deciderTimeoutMs: 0, venueLagMs: VENUE_LAG_MS }).leaseMs

const failing = (kind: DecisionFailure['kind'] = 'timeout', message = 'no answer in 60 s'): DecisionOutcome => ({
  ...outcomeOf(HOLD),
  failure: { kind, message },
})

/** A decider that gives these in turn, the last one for ever. */
const inTurn = (...answers: (typeof LONG | DecisionOutcome)[]) => {
  let next = 0
  return () => answers[Math.min(next++, answers.length - 1)] ?? HOLD
}

describe('a slot whose decider failed', () => {
  it.each(DecisionFailure.shape.kind.options)(
    'with %s ends failed, with the kind in record and reason, a warning and a metric, and sends nothing',
    async (kind) => {
      const world = createWorld({ decide: () => failing(kind, 'in the words of the provider') })
      const metrics: [string, number][] = []
      world.ports.telemetry.metric = (name, value) => metrics.push([name, value])
      const record = await world.cycle()
      expect(record).toMatchObject({
        outcome: 'failed',
        failedIn: 'decide',
        reason: `${kind}: in the words of the provider; nothing was decided`,
        decision: { failure: { kind } },
        order: null,
      })
      expect(await world.store.loadCycle(world.config.id, record.slot)).toEqual(record)
      expect(world.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual(
        expect.arrayContaining(['the decider failed', 'cycle finished', 'decider_failing']),
      )
      expect(metrics).toEqual([['decider_failed', 1]])
      expect(await world.orders()).toEqual([])
      expect(world.events.map(({ type }) => type)).toEqual(['decider_failing'])
      expect((await world.state()).lastSlot).toBe(toIso(SLOT))
    },
  )

  it('leaves an open position its stop and says so', async () => {
    const world = createWorld({ decide: inTurn(LONG, failing('budget', 'HTTP 402: no credit')) })
    await world.cycle()
    const before = (await world.state()).phase
    world.time.now += 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      reason: 'budget: HTTP 402: no credit; nothing was decided; the open position keeps its stop and its target',
    })
    expect((await world.state()).phase).toEqual(before)
  })

  it('still lets the guard halt the strategy, and the streak counts it', async () => {
    const world = createWorld({
      decide: inTurn(LONG, failing()),
      market: marketAround((minute) => (minute < 5 ? 0 : -13)),
      overrides: { guard: { minStopAtr: 0.1, cooldownMinutesAfterLoss: 0, maxDailyLoss: 0.0001 } },
    })
    await world.cycle()
    world.time.now += 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'halted', failedIn: null })
    expect(await world.state()).toMatchObject({ halt: { rule: 'daily_loss' }, deciderStreak: { slots: 1 } })
  })

  it('a dry run of a failing decider has failed too, and writes and tells nothing', async () => {
    const world = createWorld({ decide: () => failing() })
    await world.cycle(SLOT, true)
    const record = await world.cycle(SLOT, true)
    expect(record).toMatchObject({ outcome: 'failed', failedIn: 'decide', reason: expect.stringContaining('timeout') })
    expect(world.events).toEqual([])
    expect((await world.state()).lastSlot).toBeNull()
    expect(await world.store.loadCycle(world.config.id, record.slot)).toBeNull()
  })
})

describe('a slot that failed', () => {
  it('is tried again by a later invocation within its time, entered once, and is done then', async () => {
    const world = createWorld({ decide: inTurn(failing(), LONG) })
    await world.cycle()
    world.time.now += 10 * MINUTE_MS
    const record = await world.cycle(SLOT)
    expect(record).toMatchObject({
      outcome: 'entered',
      attempt: 2,
      reconciliation: expect.arrayContaining(['attempt 1 failed: timeout: no answer in 60 s; nothing was decided']),
    })
    world.time.now += 5 * MINUTE_MS
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'skipped', reason: 'this slot is done already: entered' })
    expect(world.asked).toHaveLength(2)
    expect((await world.orders()).filter(({ order }) => order.kind === 'entry')).toHaveLength(1)
    expect(await world.state()).toMatchObject({
      deciderStreak: null,
      memory: { decisions: [{ action: 'open_long', outcome: 'entered' }] },
    })
    expect(world.events.map(({ type }) => type)).toEqual([
      'decider_failing',
      'opened',
      'protected',
      'decider_recovered',
    ])
  })

  it('and fails again counts once in the streak and is told once', async () => {
    const world = createWorld({ decide: () => failing() })
    for (const minute of [0, 5, 29]) {
      world.time.now = SLOT + minute * MINUTE_MS
      expect((await world.cycle(SLOT)).outcome).toBe('failed')
    }
    expect(await world.state()).toMatchObject({ deciderStreak: { slots: 1, since: toIso(SLOT) } })
    expect(world.events.map(({ type }) => type)).toEqual(['decider_failing'])
  })

  it('is not tried again once its time is over', async () => {
    const world = createWorld({ decide: inTurn(failing(), LONG) })
    await world.cycle()
    world.time.now += 30 * MINUTE_MS
    expect(await world.cycle(SLOT)).toMatchObject({
      outcome: 'skipped',
      reason: 'this slot is done already: failed',
    })
    expect(world.asked).toHaveLength(1)
    expect(await world.store.loadCycle(world.config.id, toIso(SLOT))).toMatchObject({ outcome: 'failed' })
  })

  it('because the market could not be read is tried again too; because the venue refused is not', async () => {
    const market = marketAround()
    let isDown = true
    const dead = createWorld({
      market: {
        ...market,
        candles: (query) => (isDown ? Promise.reject(new Error('no route to host')) : market.candles(query)),
      },
    })
    expect(await dead.cycle()).toMatchObject({ outcome: 'failed', failedIn: 'read' })
    isDown = false
    expect(await dead.cycle()).toMatchObject({ outcome: 'entered', attempt: 2 })

    const refused = createWorld({
      wrapBroker: (broker) => ({
        ...broker,
        place: async () => ({ outcome: 'rejected', reason: 'no margin', refusal: 'no_margin' }),
      }),
    })
    expect(await refused.cycle()).toMatchObject({ outcome: 'failed', failedIn: 'act' })
    expect(await refused.cycle()).toMatchObject({ outcome: 'skipped' })
  })

  it('because a close is not through is never decided anew: the close was meant', async () => {
    const world = createWorld({
      decide: inTurn(LONG, CLOSE, LONG),
      wrapBroker: (broker) => ({
        ...broker,
        place: (order, deadline) =>
          order.kind === 'close'
            ? Promise.resolve({
                outcome: 'rejected' as const,
                reason: 'closed for the night',
                refusal: 'venue_closed' as const,
              })
            : broker.place(order, deadline),
      }),
    })
    await world.cycle()
    world.time.now += 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', failedIn: 'act' })
    expect(await world.cycle()).toMatchObject({ outcome: 'skipped' })
    expect(world.asked).toHaveLength(2)
  })
})

describe('a crash around a failed decision', () => {
  /** Dies at the n-th write of this kind of item: the write is lost, and whoever made it is gone. */
  const dyingAt = (items: ItemStore, kind: string, ordinal: number): ItemStore => {
    let seen = 0
    return {
      ...items,
      put: (item, condition) =>
        item.sk.startsWith(kind) && ++seen === ordinal ? new Promise(() => {}) : items.put(item, condition),
    }
  }
  const CRASHES = [
    ['before the failed decision is in the record', 'CYCLE#', 3],
    ['before the guard has judged', 'CYCLE#', 4],
    ['before the streak is in the state', 'STATE', 2],
    ['after the streak is in the state and before the record says so', 'CYCLE#', 5],
  ] as const

  it.each(CRASHES)('%s: once the lease is over the slot is tried again and entered once', async (_name, kind, at) => {
    const items = createMemoryItems()
    const dying = createWorld({ items: dyingAt(items, kind, at), decide: () => failing(), writer: 'dies' })
    void dying.cycle()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(dying.asked).toHaveLength(1)

    const next = createWorld({ items, writer: 'next' })
    next.time.now = SLOT + MINUTE_MS
    expect(await next.cycle(SLOT)).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('at work') })
    next.time.now = SLOT + LEASE_MS + MINUTE_MS
    expect(await next.cycle(SLOT)).toMatchObject({ outcome: 'entered' })
    expect(next.asked).toHaveLength(1)
    expect((await next.orders()).filter(({ order }) => order.kind === 'entry')).toHaveLength(1)
    expect((await next.state()).deciderStreak).toBeNull()
    const told = [...dying.events, ...next.events].filter(({ type }) => type.startsWith('decider_'))
    expect(new Set(told.map(({ id }) => id)).size).toBe(at === 5 ? 2 : 0)
  })

  it('after the second attempt has committed its entry: it is followed up, and nobody is asked again', async () => {
    const items = createMemoryItems()
    const first = createWorld({ items, decide: inTurn(failing()), writer: 'first' })
    await first.cycle()
    // The second attempt writes the state once for the entry; it dies at the write after that.
    const dying = createWorld({ items: dyingAt(items, 'STATE', 2), decide: () => LONG, writer: 'dies' })
    dying.time.now = SLOT + MINUTE_MS
    void dying.cycle(SLOT)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const last = createWorld({ items, writer: 'last' })
    last.time.now = SLOT + LEASE_MS + 2 * MINUTE_MS
    expect(await last.cycle(SLOT)).toMatchObject({ outcome: 'entered', attempt: 3 })
    expect(last.asked).toEqual([])
    expect((await last.orders()).filter(({ order }) => order.kind === 'entry')).toHaveLength(1)
    expect((await last.state()).deciderStreak).toBeNull()
  })
})

describe('data that is dead', () => {
  it('is named in the log at warn and in the record: feed, reference market, funding, late bars', async () => {
    const market = marketAround()
    const world = createWorld({
      overrides: { market: { referenceSymbol: 'BIP-20DEC30-CDE' } },
      market: {
        ...market,
        fundingRates: () => Promise.reject(new Error('funding is down')),
        candles: (query) =>
          query.symbol === 'BIP-20DEC30-CDE'
            ? Promise.reject(new Error('the reference is down'))
            : market.candles({ ...query, asOf: query.asOf - HOUR_MS }),
      },
    })
    const record = await world.cycle()
    expect(record.dataProblems).toEqual(
      expect.arrayContaining([
        'feed dead: timeout',
        expect.stringContaining('the reference is down'),
        expect.stringContaining('funding is down'),
        expect.stringMatching(/^ETP-20DEC30-CDE: stale: 30m/),
      ]),
    )
    expect(world.logs).toContainEqual({
      level: 'warn',
      message: 'data is missing',
      fields: { cycleId: record.cycleId, problems: record.dataProblems },
    })
    expect((await world.store.loadCycle(world.config.id, record.slot))?.dataProblems).toEqual(record.dataProblems)
  })
})
