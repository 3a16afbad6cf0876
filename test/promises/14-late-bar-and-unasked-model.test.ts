import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reproduce } from '../../lib/cli/commands/explain.ts'
import { DAY_MS, floorTime, HOUR_MS, MINUTE_MS, SECOND_MS, timeframeMs, toIso } from '../../lib/core/time.ts'
import { BAR_PAUSES_MS } from '../../lib/cycle/gather-complete.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import { CLOSE, createWorld, HOLD, LONG, marketAround, SLOT, type World } from '../cycle/world.ts'

const PATIENCE_MS = BAR_PAUSES_MS.reduce((total, pause) => total + pause, 0)

/** A market whose newest bar of each length becomes visible only `lateMs` after it has closed. */
function lateMarket(lateMs: number, now: () => number, market: MarketData = marketAround()): MarketData {
  return {
    ...market,
    async candles(query) {
      const step = timeframeMs(query.timeframe)
      const newest = floorTime(query.asOf, step)
      if (now() >= newest + lateMs) return market.candles(query)
      return market.candles({ ...query, asOf: newest - 1, limit: query.limit })
    },
  }
}

function lateWorld(lateMs: number, options: Parameters<typeof createWorld>[0] = {}) {
  let now = (): number => SLOT
  const world = createWorld({ ...options, market: lateMarket(lateMs, () => now()) })
  now = () => world.time.now
  return world
}

describe('a bar that comes some seconds late', () => {
  it('is waited for within the slot, and the entry is then made on it', async () => {
    const world = lateWorld(4 * SECOND_MS)
    world.time.now = SLOT + 1_000
    const record = await world.cycle(SLOT)
    expect(record).toMatchObject({ outcome: 'entered', snapshot: { issues: [], asOf: toIso(SLOT + 6_000) } })
    expect(world.logs).toContainEqual(
      expect.objectContaining({ message: 'a closed bar was late', fields: { waitedMs: 5_000, stillMissing: [] } }),
    )
  })

  it('that does not come within the bound ends in a refusal that names the bar and how long it was waited for', async () => {
    const world = lateWorld(10 * MINUTE_MS, { overrides: { decider: { kind: 'rules' } } })
    world.ports.decider = { ...world.ports.decider, asksModel: false }
    const record = await world.cycle(SLOT)
    expect(world.time.now - SLOT).toBe(PATIENCE_MS)
    expect(record).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining(`waited ${PATIENCE_MS / SECOND_MS} s for it`) as string,
    })
    expect(record.reason).toContain('fresh_data: stale: 30m: newest closed bar is 2026-03-10T11:00:00Z')
  })

  it('is never waited for beyond a tenth of what the function has, nor into the next slot', async () => {
    expect(PATIENCE_MS).toBeLessThanOrEqual(18 * SECOND_MS)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 * 60 - 1 }),
        fc.integer({ min: 0, max: 40 * 60 }),
        async (startS, lateS) => {
          const world = lateWorld(lateS * SECOND_MS, { decide: () => HOLD })
          world.time.now = SLOT + startS * SECOND_MS
          const record = await world.cycle(SLOT)
          const waited = world.time.now - (SLOT + startS * SECOND_MS)
          expect(waited).toBeLessThanOrEqual(PATIENCE_MS)
          expect(world.time.now).toBeLessThan(SLOT + 30 * MINUTE_MS)
          if (lateS <= startS) expect(waited).toBe(0)
          expect(record.outcome).not.toBe('failed')
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of a history is not waited for, since nothing more comes', async () => {
    const world = lateWorld(DAY_MS, { decide: () => HOLD })
    world.ports.market = { ...world.ports.market, span: { from: 0, to: SLOT + DAY_MS } }
    await world.cycle(SLOT)
    expect(world.time.now).toBe(SLOT)
  })

  it('of a reference market that has been dead for hours costs no waiting', async () => {
    const market = marketAround()
    const world = createWorld({
      decide: () => HOLD,
      overrides: { market: { referenceSymbol: 'BTC' } },
      market: {
        ...market,
        candles: (query) =>
          query.symbol === 'BTC'
            ? market.candles({ ...query, symbol: 'ETP-20DEC30-CDE', asOf: query.asOf - 5 * HOUR_MS })
            : market.candles(query),
      },
    })
    await world.cycle(SLOT)
    expect(world.time.now).toBe(SLOT)
  })
})

type Case = { name: string; arrange: (world: World) => void | Promise<void>; rule: string; overrides?: object }

const CASES: readonly Case[] = [
  {
    name: 'the venue is closed',
    rule: 'session_open',
    arrange: ({ ports }) => {
      const { broker } = ports
      ports.broker = {
        ...broker,
        instrument: async (symbol) => ({
          ...(await broker.instrument(symbol)),
          session: { isOpen: false, nextClose: null, reason: 'maintenance' },
        }),
      }
    },
  },
  {
    name: 'the newest bar is missing',
    rule: 'fresh_data',
    arrange: (world) => {
      world.ports.market = { ...lateMarket(DAY_MS, () => world.time.now, world.ports.market) }
    },
  },
  {
    name: 'the hour is not one of the trading hours',
    rule: 'trading_hours',
    overrides: { guard: { tradingHoursUtc: { from: 14, to: 16 } } },
    arrange: () => {},
  },
  {
    name: 'no more entries are allowed today',
    rule: 'entries_per_day',
    overrides: { guard: { maxEntriesPerDay: 1 }, exits: { maxHoldingMinutes: 5 } },
    arrange: async (world) => {
      expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
      await world.pass(6)
      world.time.now = SLOT + 30 * MINUTE_MS
    },
  },
  {
    name: 'a cooldown runs that outlasts any answer',
    rule: 'cooldown',
    overrides: { guard: { cooldownMinutesAfterLoss: 120 }, exits: { maxHoldingMinutes: 5 } },
    arrange: async (world) => {
      expect(await world.cycle()).toMatchObject({ outcome: 'entered' })
      await world.pass(6)
      world.time.now = SLOT + 30 * MINUTE_MS
    },
  },
]

describe('a model is not paid where nothing it could say has an effect', () => {
  it.each(CASES)('flat, it is not asked when $name', async ({ arrange, rule, overrides = {} }) => {
    const world = createWorld({ overrides: overrides as Record<string, unknown> })
    await arrange(world)
    const askedBefore = world.asked.length
    const record = await world.cycle()
    expect(world.asked).toHaveLength(askedBefore)
    expect(record).toMatchObject({ outcome: 'refused', decision: null, order: null, progress: 'finished' })
    expect(record.reason).toMatch(new RegExp(`^the model was not asked: no entry is possible: .*${rule}: `))
    expect(record.verdicts.filter(({ passed }) => !passed).map((verdict) => verdict.rule)).toContain(rule)
    expect(reproduce(record)).toMatchObject({ prompt: true, verdicts: true, order: true })
  })

  it('with a position open it is asked, since it may close', async () => {
    const answers = [LONG, CLOSE]
    const world = createWorld({
      decide: () => answers.shift() ?? HOLD,
      overrides: { guard: { maxEntriesPerDay: 1 } },
    })
    await world.cycle()
    world.time.now = SLOT + 30 * MINUTE_MS
    expect(await world.cycle()).toMatchObject({ outcome: 'closed' })
    expect(world.asked).toHaveLength(2)
  })

  it('with a position open and the venue closed it is not asked, and the position keeps its stop', async () => {
    const world = createWorld()
    await world.cycle()
    const { broker } = world.ports
    world.ports.broker = {
      ...broker,
      instrument: async (symbol) => ({
        ...(await broker.instrument(symbol)),
        session: { isOpen: false, nextClose: null, reason: 'cancel_only' },
      }),
    }
    world.time.now = SLOT + 30 * MINUTE_MS
    const record = await world.cycle()
    expect(record).toMatchObject({
      outcome: 'refused',
      reason:
        'the model was not asked: neither a close nor an entry is possible: nothing trades now (cancel_only); the position keeps its stop',
    })
    expect(world.asked).toHaveLength(1)
    expect((await world.state()).phase).toMatchObject({ kind: 'open', position: { protection: { status: 'live' } } })
  })

  it('a cooldown that ends before an answer can be judged does not keep the model from being asked', async () => {
    const world = createWorld({
      decide: () => LONG,
      overrides: { guard: { cooldownMinutesAfterLoss: 25 }, exits: { maxHoldingMinutes: 7 } },
    })
    await world.cycle()
    await world.pass(7)
    const [trade] = await world.trades()
    expect(trade?.exitReason).toBe('time_limit')
    world.time.now = SLOT + 30 * MINUTE_MS
    await world.cycle()
    expect(world.asked).toHaveLength(2)
  })

  it('a rules decider costs nothing and is asked as ever, so that its record stays what it was', async () => {
    const world = createWorld({ overrides: { guard: { tradingHoursUtc: { from: 14, to: 16 } } } })
    world.ports.decider = { ...world.ports.decider, asksModel: false }
    const record = await world.cycle()
    expect(world.asked).toHaveLength(1)
    expect(record).toMatchObject({ outcome: 'refused', decision: { decision: { action: 'open_long' } } })
  })

  it('a dry run asks, since it is there to show what the model would say', async () => {
    const world = createWorld({ overrides: { guard: { tradingHoursUtc: { from: 14, to: 16 } } } })
    await runCycle(world.ports, { scheduledFor: SLOT, dryRun: true })
    expect(world.asked).toHaveLength(1)
  })

  it('a limit of the account that is breached halts even though nobody was asked', async () => {
    const world = createWorld({ decide: () => HOLD })
    await world.cycle()
    const state = await world.state()
    await world.store.saveState(
      {
        ...state,
        accounting: { ...state.accounting, cash: '1000', equity: '1000' } as typeof state.accounting,
      },
      false,
    )
    await world.tamper((book) => ({ ...book, cash: '1000' as typeof book.cash }))
    world.time.now = SLOT + 30 * MINUTE_MS
    const record = await world.cycle()
    expect(record).toMatchObject({ outcome: 'halted' })
    expect(record.reason).toContain('daily_loss')
    expect(world.asked).toHaveLength(1)
    expect(world.schedule.disabled).toHaveLength(1)
  })
})
