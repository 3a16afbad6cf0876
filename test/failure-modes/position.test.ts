import { describe, expect, it } from 'vitest'
import { dec, type Decimal } from '../../lib/core/decimal.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../../lib/core/time.ts'
import type { VenueFill } from '../support/coinbase/orders.ts'
import {
  CLOSE,
  createLiveWorld,
  HOLD,
  type LiveWorld,
  type LiveWorldOptions,
  LONG,
  onOrder,
  SHORT,
  SLOT,
} from './live-world.ts'

/** A world that has just gone long with ten contracts at 2000, stop 1980, target 2050. */
async function enter({ decisions = [LONG], ...options }: LiveWorldOptions = {}): Promise<LiveWorld> {
  const world = await createLiveWorld({ decisions, ...options })
  expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
  return world
}

const at = (minute: number, second = 0): number => minute * MINUTE_MS + second * SECOND_MS
const total = (amounts: readonly (string | Decimal)[]): Decimal =>
  amounts.reduce<Decimal>((sum, amount) => sum.plus(amount), dec(0))
const kinds = (world: LiveWorld): string[] => world.placed().map(({ kind }) => kind)
/** Flat on both sides, nothing resting, the money the same. */
async function expectFlat(world: LiveWorld): Promise<void> {
  expect(world.held()).toBe(0)
  expect(world.exits()).toEqual([])
  expect((await world.state()).phase.kind).toBe('flat')
  expect(await world.sameCash()).toBe(true)
}

describe('funding mis-accounted', () => {
  const fundingRate = () => '0.0005'

  it("accrued at each boundary on what was held then, to the last digit of the venue's cash", async () => {
    const world = await enter({ minSize: 5, closedTrades: 1, venue: { fundingRate } })
    await world.pass(65)
    expect((await world.state()).accounting.funding).toBe('-1')
    world.venue.hand.reduce(4)
    await world.pass(65)
    const { fundingAccruals } = world.venue.truth()
    expect(fundingAccruals.map(({ contracts, amount }) => [contracts, amount])).toEqual([
      [10, '-1'],
      [6, '-0.6'],
    ])
    expect((await world.state()).accounting.funding).toBe('-1.6')
    const { items } = await world.store.listFunding(world.config.id, { limit: 9 })
    expect(items.map((payment) => [payment.at, payment.amount])).toEqual([
      [toIso(SLOT + HOUR_MS), '-1'],
      [toIso(SLOT + 2 * HOUR_MS), '-0.6'],
    ])
    expect(await world.sameCash()).toBe(true)
  })

  it('none for a boundary at which nothing was held, and a short receives what a long pays', async () => {
    const world = await enter({
      decisions: [SHORT, CLOSE, HOLD, LONG],
      venue: { fundingRate },
      overrides: { guard: { cooldownMinutesAfterLoss: 0 } },
    })
    world.moveTo(30)
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    world.moveTo(60)
    await world.cycle()
    expect(await world.trades()).toMatchObject([{ funding: '0' }])
    expect((await world.state()).accounting.funding).toBe('0')
    const short = await enter({ decisions: [SHORT], venue: { fundingRate } })
    await short.pass(61)
    expect((await short.state()).accounting.funding).toBe('1')
  })
})

it("liquidation unseen: the venue's position is the truth, and the trade is recorded as a liquidation", async () => {
  const world = await enter()
  world.venue.hand.liquidate()
  await world.pass(1)
  await expectFlat(world)
  expect(await world.trades()).toMatchObject([{ quantity: '10', exitReason: 'liquidation' }])
  expect((await world.state()).accounting.lastTradeLost).toBe(true)
  expect(kinds(world)).toEqual(['entry'])
})

describe('closed by hand at the venue', () => {
  it('adopted, its stop cancelled, the trade recorded, and entries wait', async () => {
    const world = await enter({ decisions: [LONG, LONG] })
    world.venue.hand.close()
    expect(world.exits()).toHaveLength(1)
    await world.pass(1)
    await expectFlat(world)
    expect(await world.trades()).toMatchObject([{ quantity: '10', exitReason: 'external' }])
    world.moveTo(30)
    const next = await world.cycle()
    expect(next.outcome).toBe('refused')
    expect(next.verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toContain('cooldown')
    expect(kinds(world)).toEqual(['entry'])
  })

  it('its fill never listed: believed once it is seen twice, half a minute apart', async () => {
    const world = await enter()
    const listed = world.venue.truth().fills.length
    world.venue.misbehave({
      on: { path: 'orders/historical/fills' },
      fault: { kind: 'tamper', change: () => ({ fills: [], cursor: '' }) },
      times: 99,
    })
    world.venue.hand.close()
    await world.pass(1)
    expect(await world.state()).toMatchObject({ phase: { kind: 'open' }, suspicions: [{ kind: 'position_missing' }] })
    await world.pass(1)
    await expectFlat(world)
    expect(await world.trades()).toMatchObject([{ exitReason: 'external' }])
    expect(world.venue.truth().fills.length).toBe(listed + 1)
  })
})

describe('closed by hand at the venue', () => {
  const unlisted = {
    on: { path: 'orders/historical/fills' },
    fault: { kind: 'tamper', change: () => ({ fills: [], cursor: '' }) },
    times: 999,
  } as const

  it('its exits too, the fill not listed yet: no new stop is sent for what is not there', async () => {
    const world = await enter()
    world.venue.misbehave(unlisted)
    world.moveTo(5)
    world.venue.hand.close()
    world.venue.hand.cancelAll()
    await world.pass(2)
    expect(kinds(world)).toEqual(['entry'])
    await expectFlat(world)
  })

  it.each([
    ['added to and reduced again', 1],
    ['reduced and added to again', -1],
  ])('%s: what is ours is ours still, under its stop', async (_name, first) => {
    const world = await enter({ minSize: 5, closedTrades: 1 })
    const [add, reduce] = [() => void world.venue.hand.openPosition('BUY', 5), () => void world.venue.hand.reduce(5)]
    for (const act of first > 0 ? [add, reduce] : [reduce, add]) {
      act()
      await world.pass(first > 0 ? 3 : 0)
    }
    await world.pass(3)
    expect(world.held()).toBe(10)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    expect(await world.state()).toMatchObject({
      phase: { kind: 'open', position: { quantity: '10', protection: { status: 'live', quantity: '10' } } },
      halt: { by: 'incident' },
      suspicions: [],
    })
    expect(kinds(world)).toEqual(['entry'])
  })
})

it('stop-limit gapped through: a stop that has fired and not filled is closed at market', async () => {
  // The bracket sells down to 5 % below its stop of 1980; the price jumps to 1800.
  const world = await enter({ steps: [{ afterMs: at(0, 30), price: 1_800 }] })
  world.time.advance(40 * SECOND_MS)
  expect(world.exits()).toMatchObject([{ isTriggered: true, filled: 0 }])
  await world.pass(1)
  await expectFlat(world)
  expect(kinds(world)).toEqual(['entry', 'close'])
  const [trade] = await world.trades()
  expect(trade).toMatchObject({ exitReason: 'stop_loss', quantity: '10' })
  expect(Number(trade?.exitPrice)).toBeLessThanOrEqual(1_800)
})

describe('stop refused: price already beyond', () => {
  const falling = { decisions: [LONG], steps: [{ afterMs: 3_000, price: 1_975 }] }

  it.each(['full', 'preview'] as const)('closed at market at once, told with %s reasons', async (failureReasons) => {
    const world = await createLiveWorld({
      ...falling,
      venue: { switches: { refusesAttachedBrackets: true, failureReasons } },
    })
    world.venue.misbehave(onOrder('entry', { kind: 'delay', ms: 6_000 }))
    await world.cycle()
    expect(kinds(world)).toEqual(['entry', 'protect', 'close'])
    await expectFlat(world)
    expect(await world.trades()).toMatchObject([{ exitReason: 'stop_loss' }])
    expect(world.time.now() - SLOT).toBeLessThan(10 * SECOND_MS)
  })

  it('a venue that gives no reason costs one more try, and then it is flat as well', async () => {
    const world = await createLiveWorld({
      ...falling,
      venue: { switches: { refusesAttachedBrackets: true, failureReasons: 'none' } },
    })
    world.venue.misbehave(onOrder('entry', { kind: 'delay', ms: 6_000 }))
    await world.cycle()
    expect(kinds(world)).toEqual(['entry', 'protect', 'protect', 'close'])
    await expectFlat(world)
  })
})

describe('orphaned bracket opens a reverse position', () => {
  it('flat means no exit works: at each tick those that rest are cancelled, whoever made them', async () => {
    const world = await createLiveWorld({ steps: [{ afterMs: at(3), price: 1_900 }] })
    await world.enforce()
    world.venue.hand.placeBracket({ side: 'SELL', contracts: 10, limitPrice: '2050', stopPrice: '1980' })
    expect(world.exits()).toHaveLength(1)
    await world.pass(1)
    expect(world.exits()).toEqual([])
    await world.pass(3)
    await expectFlat(world)
  })

  it("the bot's own close leaves none behind", async () => {
    const world = await enter({ decisions: [LONG, CLOSE], steps: [{ afterMs: at(33), price: 1_900 }] })
    world.moveTo(30)
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    await expectFlat(world)
    await world.pass(5)
    expect(world.held()).toBe(0)
  })

  it('a hand turned the position around: our exit, which would add to that, goes', async () => {
    const world = await enter()
    world.venue.hand.openPosition('SELL', 15)
    expect(world.exits()).toMatchObject([{ side: 'SELL', size: 10 }])
    await world.pass(1)
    expect(world.exits()).toEqual([])
    expect(world.held()).toBe(-5)
    expect((await world.state()).halt).toMatchObject({ by: 'incident' })
  })

  it('it fires before the tick: what it opened is closed, told, and entries stop', async () => {
    const world = await enter({ decisions: [LONG, LONG], steps: [{ afterMs: at(0, 30), price: 1_975 }] })
    world.venue.hand.close()
    world.time.advance(40 * SECOND_MS)
    expect(world.held()).toBe(-10)
    await world.pass(1)
    await expectFlat(world)
    expect((await world.state()).halt).toMatchObject({ by: 'incident' })
    expect(world.told()).toContain('halted')
    world.moveTo(30)
    expect(await world.cycle()).toMatchObject({ outcome: 'halted' })
    expect(kinds(world)).toEqual(['entry', 'close'])
  })
})

describe('partial close removes the stop from the rest', () => {
  it('the remainder is protected again, for exactly what is left', async () => {
    const world = await enter({ minSize: 5, closedTrades: 1 })
    world.venue.hand.reduce(4)
    for (const { orderId } of world.exits()) world.venue.hand.cancelOrder(orderId)
    await world.pass(1)
    expect(world.exits()).toMatchObject([{ size: 6, bracket: { stopPrice: '1980', targetPrice: '2050' } }])
    expect((await world.state()).phase).toMatchObject({
      kind: 'open',
      position: { quantity: '6', protection: { status: 'live', quantity: '6' } },
    })
    expect(world.told()).toEqual(['opened', 'protected', 'naked', 'protected'])
  })

  it.each([[0], [3]])(
    'the fill of the part is listed late, by %i passes: the rest has a stop of its size throughout, and the part is taken once',
    async (passes) => {
      const world = await enter({ minSize: 5, closedTrades: 1 })
      world.venue.misbehave({
        on: { path: 'orders/historical/fills' },
        fault: { kind: 'tamper', change: () => ({ fills: [], cursor: '' }) },
        times: passes === 0 ? 1 : 999,
      })
      world.moveTo(2)
      world.venue.hand.reduce(4)
      for (const { orderId } of world.exits()) world.venue.hand.cancelOrder(orderId)
      for (let pass = 0; pass < passes + 1; pass++) {
        await world.pass(1)
        expect(world.exits()).toMatchObject([{ size: 6 }])
      }
      world.venue.behave()
      await world.pass(3)
      expect(world.held()).toBe(6)
      expect(world.exits()).toMatchObject([{ size: 6 }])
      expect((await world.state()).phase).toMatchObject({
        kind: 'open',
        position: { quantity: '6', protection: { status: 'live', quantity: '6' } },
      })
      expect(await world.state()).toMatchObject({ incidents: [], suspicions: [], halt: null })
      expect(kinds(world)).toEqual(['entry', 'protect'])
    },
  )

  it('a stop that stays too large is replaced, for it would open the other side', async () => {
    const world = await enter({ minSize: 5, closedTrades: 1, steps: [{ afterMs: at(3), price: 1_970 }] })
    world.venue.hand.reduce(4)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    await world.pass(1)
    expect(world.exits()).toMatchObject([{ size: 6 }])
    await world.pass(3)
    await expectFlat(world)
    expect(await world.trades()).toMatchObject([{ quantity: '10' }])
  })
})

describe("stops stack up to the venue's limit", () => {
  it('sixty passes over one position place not one stop more', async () => {
    const world = await enter()
    await world.pass(60)
    expect(kinds(world)).toEqual(['entry'])
    expect(world.exits()).toHaveLength(1)
  })

  it('one that is on its way and in no list yet is waited for', async () => {
    const world = await createLiveWorld({ decisions: [LONG], venue: { switches: { refusesAttachedBrackets: true } } })
    world.venue.misbehave(onOrder('protect', { kind: 'invisible', ms: 15_000, byId: true }))
    await world.cycle()
    await world.enforce()
    expect(kinds(world)).toEqual(['entry', 'protect'])
    await world.pass(2)
    expect(kinds(world)).toEqual(['entry', 'protect'])
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
  })

  it('of several on one position one stays', async () => {
    const world = await enter()
    for (const stopPrice of ['1970', '1960', '1950'])
      world.venue.hand.placeBracket({ side: 'SELL', contracts: 10, limitPrice: '2060', stopPrice })
    expect(world.exits()).toHaveLength(4)
    await world.pass(1)
    expect(world.exits()).toMatchObject([{ size: 10 }])
    expect(kinds(world)).toEqual(['entry'])
  })
})

describe("bot's close races a resting bracket: flips", () => {
  it('the bracket is cancelled, seen gone, the position read again, and exactly that is closed', async () => {
    const world = await enter({ decisions: [LONG, CLOSE], venue: { switches: { cancelMs: 2_000 } } })
    world.moveTo(30)
    world.venue.forgetRequests()
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    await expectFlat(world)
    const paths = world.venue.requests.map(({ path }) => path)
    const close = paths.indexOf('orders/close_position')
    const cancel = paths.indexOf('orders/batch_cancel')
    expect(cancel).toBeGreaterThan(-1)
    expect(close).toBeGreaterThan(cancel)
    // Lists after the cancel, then the position, then the close.
    expect(paths.slice(cancel, close)).toContain('orders/historical/batch')
    expect(paths.slice(paths.lastIndexOf('orders/historical/batch', close), close)).toContain(
      'cfm/positions/ETP-20DEC30-CDE',
    )
    expect(world.placed()).toMatchObject([{ kind: 'close', body: { size: '10' } }])
  })

  it('the bracket fires while its cancel is on its way: nothing is left to close, and nothing is', async () => {
    const world = await enter({
      decisions: [LONG, CLOSE],
      steps: [{ afterMs: at(30, 2), price: 1_970 }],
      venue: { switches: { cancelMs: 5_500 } },
    })
    world.moveTo(30)
    await world.cycle()
    await world.pass(1)
    await expectFlat(world)
    expect(await world.trades()).toMatchObject([{ quantity: '10', exitReason: 'stop_loss' }])
    expect(world.venue.truth().fills.map(({ side }) => side)).toEqual(['BUY', 'SELL'])
    expect(kinds(world)).toEqual(['entry'])
  })

  it('a bracket that cannot be cancelled keeps the position and its stop', async () => {
    const world = await enter({ decisions: [LONG, CLOSE] })
    world.moveTo(30)
    world.venue.misbehave({
      on: { path: 'orders/batch_cancel' },
      fault: { kind: 'reject', reason: 'UNKNOWN_CANCEL_FAILURE_REASON' },
      times: 99,
    })
    expect(await world.cycle()).toMatchObject({ outcome: 'failed' })
    expect(kinds(world)).toEqual(['entry'])
    expect(world.held()).toBe(10)
    expect(world.exits()).toHaveLength(1)
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
  })
})

describe('venue-side close never recorded', () => {
  it.each([
    ['stop', 1_970, 'stop_loss', 'loss'],
    ['target', 2_060, 'take_profit', 'gain'],
  ] as const)(
    'a %s between two passes is a trade, and the next prompt shows it',
    async (_name, price, exitReason, result) => {
      const world = await enter({ decisions: [LONG, HOLD], steps: [{ afterMs: at(0, 20), price }] })
      await world.pass(1)
      const [trade, ...more] = await world.trades()
      expect(more).toEqual([])
      expect(trade).toMatchObject({ exitReason, quantity: '10' })
      expect(Number(trade?.pnl) > 0).toBe(result === 'gain')
      world.moveTo(30)
      const { snapshot, prompt } = await world.cycle()
      expect(snapshot?.performance).toMatchObject({ trades: 1, pnl: trade?.pnl })
      expect(prompt?.user).toContain('1 trade')
    },
  )

  it('also when nobody looked for hours', async () => {
    const world = await enter({ steps: [{ afterMs: at(0, 20), price: 1_970 }] })
    world.moveTo(200)
    await world.enforce()
    const [trade] = await world.trades()
    expect(trade).toMatchObject({ exitReason: 'stop_loss' })
    expect(Date.parse(trade?.exitTime ?? '') - SLOT).toBeLessThan(MINUTE_MS)
  })
})

describe('PnL without fees / wrong base', () => {
  /** Contracts of 0.1 base units: signed value of fills, positive received. */
  const received = (fills: readonly VenueFill[]): Decimal =>
    total(
      fills.map(({ side, contracts, price }) =>
        dec(price)
          .times(contracts)
          .times('0.1')
          .times(side === 'SELL' ? 1 : -1),
      ),
    )

  it.each([LONG, SHORT])(
    "$action: gross, fees and funding are those of the venue's own fills, and add up",
    async (decision) => {
      const world = await enter({
        decisions: [decision, HOLD, HOLD, CLOSE],
        steps: [{ afterMs: at(45), price: 2_010 }],
        venue: { fundingRate: () => '0.0005' },
      })
      for (const minute of [30, 60, 90]) {
        await world.pass(minute - 1 - (world.time.now() - SLOT) / MINUTE_MS)
        world.moveTo(minute)
        await world.cycle()
      }
      await expectFlat(world)
      const [trade] = await world.trades()
      const { fills, fundingAccruals, cash } = world.venue.truth()
      const fees = total(fills.map(({ commission }) => commission))
      const funding = total(fundingAccruals.map(({ amount }) => amount))
      expect(fundingAccruals).toHaveLength(1)
      expect(dec(trade?.gross ?? 0).eq(received(fills))).toBe(true)
      expect(dec(trade?.fees ?? 0).eq(fees)).toBe(true)
      expect(fees.gt(0)).toBe(true)
      expect(dec(trade?.funding ?? 0).eq(funding)).toBe(true)
      expect(dec(trade?.pnl ?? 0).eq(received(fills).minus(fees).plus(funding))).toBe(true)
      // The base is what was deposited: cash has moved by exactly the trade.
      expect(
        dec(cash)
          .minus('10000')
          .eq(trade?.pnl ?? 0),
      ).toBe(true)
    },
  )

  it('equity while open is cash plus the position at its mark, fees already gone', async () => {
    const world = await enter({ decisions: [LONG, HOLD], steps: [{ afterMs: at(10), price: 2_020 }] })
    world.moveTo(30)
    const { snapshot } = await world.cycle()
    const { equity, cash } = world.venue.truth()
    expect(snapshot?.account).toMatchObject({ equity, cash })
    expect(dec(equity).gt('10000')).toBe(true)
    expect(dec(cash).lt('10000')).toBe(true)
  })
})
