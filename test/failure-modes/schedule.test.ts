import { describe, expect, it } from 'vitest'
import { NoAnswerError, type Transport } from '../../lib/venue/coinbase/wire.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, timeframeMs, toIso } from '../../lib/core/time.ts'
import { VENUE_LAG_MS, timeLimitsOf } from '../../lib/core/time-limits.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { CLOSE, createLiveWorld, type LiveWorld, LONG, onOrder, SLOT } from './live-world.ts'

/** The lease of a cycle of half an hour. */
const LEASE_MS = timeLimitsOf({ intervalMs: 30 * 60_000, deciderTimeoutMs: 0, venueLagMs: VENUE_LAG_MS }).leaseMs

describe('schedule fires twice / late', () => {
  it('the slot is the key: every repetition is skipped, whenever it comes', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG, LONG] })
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'entered' })
    for (const afterMs of [0, 7_000, 29 * MINUTE_MS]) {
      world.time.set(SLOT + 60_000 + afterMs)
      expect(await world.cycle(SLOT + afterMs)).toMatchObject({ outcome: 'skipped', slot: toIso(SLOT) })
    }
    expect(world.asked).toHaveLength(1)
    expect(world.placed()).toHaveLength(1)
  })

  it('a stale slot reconciles and never enters', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG] })
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'entered' })
    world.venue.hand.close()
    world.moveTo(61)
    expect(await world.cycle(SLOT + 30 * MINUTE_MS)).toMatchObject({
      outcome: 'skipped',
      reason: expect.stringContaining('stale'),
    })
    expect(world.asked).toHaveLength(1)
    expect(world.placed()).toHaveLength(1)
    expect(await world.trades()).toMatchObject([{ exitReason: 'external' }])
  })
})

describe('two functions overlap', () => {
  it('two cycles of one slot: one enters, the other stands back', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG] })
    const twin = world.wire({ writer: 'twin' })
    const records = await Promise.all([world.cycle(SLOT), world.cycle(SLOT, twin)])
    expect(records.map(({ outcome }) => outcome).toSorted()).toEqual(['entered', 'skipped'])
    expect(world.placed()).toHaveLength(1)
    expect(world.held()).toBe(10)
  })

  it('three passes and a cycle find the stop gone: one new stop', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    await world.cycle()
    world.venue.hand.cancelAll()
    world.moveTo(30)
    const [second, third, fourth] = ['second', 'third', 'fourth'].map((writer) => world.wire({ writer }))
    await Promise.all([world.enforce(), world.enforce(second), world.enforce(third), world.cycle(undefined, fourth)])
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'protect'])
    expect(world.exits()).toMatchObject([{ size: 10 }])
  })

  it('a cycle and two passes close: one close, no reversal', async () => {
    const world = await createLiveWorld({ decisions: [LONG, CLOSE], overrides: { exits: { maxHoldingMinutes: 30 } } })
    await world.cycle()
    world.moveTo(30)
    await Promise.allSettled([
      world.cycle(),
      world.enforce(world.wire({ writer: 'second' })),
      world.enforce(world.wire({ writer: 'third' })),
    ])
    await world.pass(1)
    // Whoever finds it without exits meanwhile may protect it again; that stop is gone with the position.
    expect(
      world
        .placed()
        .map(({ kind }) => kind)
        .filter((kind) => kind !== 'protect'),
    ).toEqual(['entry', 'close'])
    expect(world.venue.truth().orders.filter(({ isLive }) => isLive)).toEqual([])
    expect(world.held()).toBe(0)
    expect(await world.trades()).toHaveLength(1)
  })
})

/**
 * A process that has so many calls left, or dies with its entry on the wire; from then on nothing of it reaches
 * anything.
 */
function mortal(world: LiveWorld, calls: number | 'until the entry') {
  const life = { left: calls === 'until the entry' ? Number.POSITIVE_INFINITY : calls }
  /** The effect of the last call still happens, and is not heard of. */
  const spend = async <T>(act: () => Promise<T>, dead: () => Error): Promise<T> => {
    life.left -= 1
    if (life.left < 0) throw dead()
    const answer = await act()
    if (life.left === 0) throw dead()
    return answer
  }
  const gone = (): Error => new Error('the process is gone')
  const items: ItemStore = {
    get: (pk, sk) => spend(() => world.items.get(pk, sk), gone),
    put: (item, condition) => spend(() => world.items.put(item, condition), gone),
    query: (query) => spend(() => world.items.query(query), gone),
  }
  const unanswered = (): Error => new NoAnswerError('the process is gone', { wasSent: true })
  const transport: Transport = (request, timeoutMs, sendBy) => {
    if (calls === 'until the entry' && request.path === 'orders') life.left = 1
    return spend(() => world.transport(request, timeoutMs, sendBy), unanswered)
  }
  return { life, ports: world.wire({ writer: 'mortal', items, transport }) }
}

describe('function times out mid-order, is retried', () => {
  it('dead after every single call: the slot is taken up again, and every order is sent at most once', async () => {
    let isWhole = false
    let [entered, calls] = [0, 0]
    while (!isWhole) {
      calls += 1
      const world = await createLiveWorld({ decisions: [LONG, LONG] })
      const { life, ports } = mortal(world, calls)
      await world.cycle(SLOT, ports).catch(() => undefined)
      isWhole = life.left > 0
      // Enforcement comes each minute; the same event again once nobody can be at work on it any more.
      await world.pass(2)
      world.time.set(SLOT + LEASE_MS + SECOND_MS)
      await world.cycle(SLOT)
      await world.pass(1)
      const ids = world.placed().map(({ id }) => id)
      const label = `dead after ${calls} calls`
      expect(new Set(ids).size, label).toBe(ids.length)
      expect(world.placed().filter(({ kind }) => kind === 'entry').length, label).toBeLessThanOrEqual(1)
      const { phase, incidents, halt } = await world.state()
      expect([incidents, halt], label).toEqual([[], null])
      expect([world.held(), phase.kind], label).toEqual(world.held() === 0 ? [0, 'flat'] : [10, 'open'])
      expect(
        world.exits().map(({ size }) => size),
        label,
      ).toEqual(world.held() === 0 ? [] : [10])
      expect(await world.sameCash(), label).toBe(true)
      entered += world.held() === 0 ? 0 : 1
      expect(calls).toBeLessThan(200)
    }
    expect(calls).toBeGreaterThan(50)
    expect(entered).toBeGreaterThan(10)
  })

  it('dead with its entry on the wire, which arrives after the slot was taken up again: not sent twice, and protected', async () => {
    const world = await createLiveWorld({ decisions: [LONG, LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'arrive_late', ms: 5 * MINUTE_MS }))
    await world.cycle(SLOT, mortal(world, 'until the entry').ports)
    await world.pass(2)
    expect((await world.state()).phase).toMatchObject({
      kind: 'flat',
      abandoned: { cycleId: 'eth-perp-20260310T1200Z' },
    })
    world.time.set(SLOT + LEASE_MS + SECOND_MS)
    expect(await world.cycle(SLOT)).toMatchObject({ outcome: 'refused', attempt: 2 })
    await world.pass(3)
    expect(world.placed()).toHaveLength(1)
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { quantity: '10', protection: { status: 'live' } },
    })
    expect(world.exits()).toMatchObject([{ size: 10 }])
  })
})

describe('forming or stale candle', () => {
  const changed =
    (change: (time: number) => number, extra: boolean) =>
    (market: MarketData): MarketData => ({
      ...market,
      async candles(query) {
        const series = await market.candles({ ...query, asOf: change(query.asOf) })
        const last = series.candles.at(-1)
        if (!extra || last === undefined) return series
        const forming = { ...last, time: last.time + timeframeMs(query.timeframe), high: 9_999, close: 9_000 }
        return { ...series, candles: [...series.candles, forming] }
      },
    })

  it('a bar that is still forming has no part in the snapshot', async () => {
    const clean = await createLiveWorld({ decisions: [LONG] })
    const forming = await createLiveWorld({ decisions: [LONG], wrapMarket: changed((asOf) => asOf, true) })
    const [expected, told] = [await clean.cycle(), await forming.cycle()]
    expect(told.snapshot).toEqual(expected.snapshot)
    expect(told.snapshot?.views.primary.bars.at(-1)?.time).toBe(SLOT - 30 * MINUTE_MS)
    expect(told.outcome).toBe('entered')
  })

  it.each([
    [HOUR_MS, 'refused'],
    [0, 'entered'],
  ])('bars that end %i ms early: %s', async (lagMs, outcome) => {
    const world = await createLiveWorld({ decisions: [LONG], wrapMarket: changed((asOf) => asOf - lagMs, false) })
    const record = await world.cycle()
    expect(record.outcome).toBe(outcome)
    expect(record.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(
      outcome === 'refused' ? ['fresh_data'] : [],
    )
    expect(world.placed()).toHaveLength(outcome === 'refused' ? 0 : 1)
  })
})

describe('maintenance window', () => {
  it.each([
    [20, 'refused'],
    [31, 'entered'],
  ])('%i minutes ahead: %s', async (minutes, outcome) => {
    const from = SLOT + minutes * MINUTE_MS
    const world = await createLiveWorld({ decisions: [LONG], venue: { closures: [{ from, to: from + HOUR_MS }] } })
    const record = await world.cycle()
    expect(record.outcome).toBe(outcome)
    expect(record.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(
      outcome === 'refused' ? ['session_open'] : [],
    )
    expect(world.placed()).toHaveLength(outcome === 'refused' ? 0 : 1)
  })

  it('in the middle of it nothing is entered either', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      venue: { closures: [{ from: SLOT - MINUTE_MS, to: SLOT + HOUR_MS }] },
    })
    const record = await world.cycle()
    expect(record.outcome).toBe('refused')
    expect(record.reason).toContain('session_open')
    expect(world.placed()).toEqual([])
  })

  it('with a position: enforcement waits, rings, leaves the stop where it is, and closes when it is over', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      overrides: { exits: { maxHoldingMinutes: 50 } },
      venue: { closures: [{ from: SLOT + 45 * MINUTE_MS, to: SLOT + 60 * MINUTE_MS }] },
    })
    await world.cycle()
    await world.pass(49)
    world.venue.forgetRequests()
    const closed = await world.pass(10)
    expect(closed.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => 'unclosed'))
    expect(world.venue.requests.filter(({ method }) => method === 'POST')).toEqual([])
    // One message for what lasts; the alarm's metric is written by each pass.
    expect(world.told().filter((type) => type === 'failed')).toHaveLength(1)
    expect(world.exits()).toHaveLength(1)
    expect(await world.pass(1)).toMatchObject([{ outcome: 'closed', exit: 'time_limit', phase: 'flat' }])
    expect(world.placed().map(({ kind }) => kind)).toEqual(['close'])
    expect(world.held()).toBe(0)
  })

  it('a close that would meet the closing door waits: the stop rests through the window, and the close follows it', async () => {
    const from = SLOT + 30 * MINUTE_MS + 2_000
    const world = await createLiveWorld({
      decisions: [LONG, CLOSE],
      venue: { closures: [{ from, to: from + 10 * MINUTE_MS }], switches: { cancelMs: 1_500 } },
      overrides: { exits: { maxHoldingMinutes: 30 } },
    })
    await world.cycle()
    world.moveTo(30)
    world.venue.misbehave({
      on: { path: 'cfm/positions/ETP-20DEC30-CDE' },
      fault: { kind: 'delay', ms: 400 },
      times: 99,
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('not through') })
    expect(world.exits()).toMatchObject([{ size: 10 }])
    world.venue.behave()
    await world.pass(9)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    await world.pass(3)
    expect([world.held(), world.exits()]).toEqual([0, []])
    expect(world.placed().map(({ kind }) => kind)).toEqual(['entry', 'close'])
  })

  it('a position without a stop is closed to the last moment before it', async () => {
    const from = SLOT + 31 * MINUTE_MS + 10_000
    const world = await createLiveWorld({
      decisions: [LONG],
      venue: { closures: [{ from, to: from + 10 * MINUTE_MS }], switches: { refusesBrackets: true } },
    })
    await world.cycle()
    world.moveTo(30)
    world.venue.hand.cancelAll()
    await world.pass(1)
    expect(world.held()).toBe(0)
    expect(await world.trades()).toMatchObject([{ exitReason: 'unprotected' }])
  })

  it('a stop that is missing when it begins is placed when it ends', async () => {
    const world = await createLiveWorld({
      decisions: [LONG],
      venue: { closures: [{ from: SLOT + 40 * MINUTE_MS, to: SLOT + 50 * MINUTE_MS }] },
    })
    await world.cycle()
    world.moveTo(41)
    world.venue.hand.cancelAll()
    world.venue.forgetRequests()
    await world.pass(8)
    expect(world.placed()).toEqual([])
    expect(await world.pass(1)).toMatchObject([{ outcome: 'watched' }])
    expect(world.placed().map(({ kind }) => kind)).toEqual(['protect'])
    expect(world.exits()).toMatchObject([{ size: 10 }])
  })

  it('an order that meets the closing door is refused by the venue and not tried again', async () => {
    const world = await createLiveWorld({ decisions: [LONG] })
    world.venue.misbehave(onOrder('entry', { kind: 'reject', reason: 'INVALID_FCM_TRADING_SESSION' }))
    expect(await world.cycle()).toMatchObject({
      outcome: 'failed',
      placement: { reason: 'invalid_fcm_trading_session' },
    })
    await world.pass(2)
    expect(world.placed()).toHaveLength(1)
  })
})
