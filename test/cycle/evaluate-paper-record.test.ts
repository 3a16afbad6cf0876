import { ETH } from '../support/instruments.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { cycleIdOf } from '../../lib/core/ids.ts'
import { DAY_MS, fromIso, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { newRecord } from '../../lib/cycle/claim.ts'
import { evaluatePaperRecord, keepProven } from '../../lib/cycle/evaluate-paper-record.ts'
import { strategyHashOf } from '../../lib/guard/strategy-hash.ts'
import { createState } from '../../lib/ledger/transition.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore, type Store } from '../../lib/store/store.ts'
import { CycleOutcome, type CycleRecord } from '../../schemas/cycle-record.ts'
import { PaperRecord } from '../../schemas/live-clearance.ts'
import { HOLD, outcomeOf } from './world.ts'

const START = fromIso('2026-03-01T23:00:00Z')
const NOW = START + 30 * DAY_MS
const live = loadConfig({ overrides: { market: { source: 'live' } } })
const simulated = loadConfig({})

describe('the paper record', () => {
  let store: Store
  beforeEach(() => {
    store = createStore(createMemoryItems(), 'w', 'paper')
  })

  const cycleAt = async (offsetMs: number, changes: Partial<CycleRecord> = {}, config = live): Promise<string> => {
    const slot = START + offsetMs
    await store.createCycle({
      ...newRecord({ config, codeVersion: 'test' }, slot, slot),
      progress: 'finished',
      outcome: 'held',
      decision: outcomeOf(HOLD),
      reason: 'r',
      finishedAt: toIso(slot),
      ...changes,
    })
    return cycleIdOf(config.id, slot)
  }
  const tradeOf = async (cycleId: string, hash = 'abc123'): Promise<void> => {
    const at = toIso(NOW)
    const body = {
      id: `${cycleId}-${hash}`,
      strategyId: live.id,
      side: 'long' as const,
      quantity: quantity(1),
      entryTime: at,
      entryPrice: price(1),
      exitTime: at,
      exitPrice: price(1),
      exitReason: 'stop_loss' as const,
      stopLossPrice: null,
      takeProfitPrice: null,
      gross: money(0),
      fees: money(0),
      funding: money(0),
      slippage: money(0),
      pnl: money(0),
      rMultiple: null,
      regime: null,
      fillIds: [],
    }
    await store.appendHistory(live.id, [{ kind: 'TRADE', id: body.id, at, body }], 1)
  }
  const evaluate = async (config = live) => PaperRecord.parse(await evaluatePaperRecord(store, config, NOW))

  it('of nothing is nothing', async () => {
    expect(await evaluate()).toEqual({
      evaluatedAt: toIso(NOW),
      firstSlot: null,
      lastSlot: null,
      days: 0,
      cycles: 0,
      trades: 0,
      unresolvedIncidents: 0,
      configHash: strategyHashOf(live),
    })
  })

  it('counts UTC days, not cycles, and reads page after page', async () => {
    // From 23:00 on: two slots on the first day, the rest on the next ones.
    for (let index = 0; index < 450; index++) await cycleAt(index * 30 * MINUTE_MS)
    expect(await evaluate()).toMatchObject({
      cycles: 450,
      days: 11,
      firstSlot: toIso(START),
      lastSlot: toIso(START + 449 * 30 * MINUTE_MS),
    })
  })

  it.each(
    CycleOutcome.options.map(
      (outcome) => [outcome, ['entered', 'closed', 'held', 'refused'].includes(outcome) ? 1 : 0] as const,
    ),
  )('a cycle that ended %s counts %i', async (outcome, counts) => {
    await cycleAt(0, { outcome })
    expect(await evaluate()).toMatchObject({ cycles: counts, days: counts })
  })

  it.each([
    ['is not finished', { progress: 'intended' as const, outcome: null }, live],
    ['had simulated prices', {}, simulated],
    [
      'was of another strategy',
      {},
      loadConfig({ overrides: { market: { source: 'live' }, guard: { maxLeverage: 2 } } }),
    ],
    ['was live', { mode: 'live' as const }, live],
  ])('a cycle that %s does not count', async (_name, changes, config) => {
    await cycleAt(0, changes, config)
    expect(await evaluate()).toMatchObject({ cycles: 0, days: 0, firstSlot: null })
  })

  it('trades count when the cycle that opened them was one on live prices, whatever came of it', async () => {
    await tradeOf(await cycleAt(0, { outcome: 'entered' }))
    await tradeOf(await cycleAt(HOUR_MS, { outcome: 'failed' }))
    await tradeOf(await cycleAt(2 * HOUR_MS, { outcome: 'entered' }, simulated))
    await tradeOf('eth-perp-20250101T0000Z')
    await tradeOf('eth-perp-orphan')
    expect(await evaluate()).toMatchObject({ trades: 2, cycles: 1 })
  })

  it('incidents are those nobody has resolved', async () => {
    await store.saveState(
      {
        ...createState(live.id, ETH, money(1), toIso(START)),
        incidents: [{ at: toIso(START), kind: 'k', detail: 'd' }],
      },
      true,
    )
    expect(await evaluate()).toMatchObject({ unresolvedIncidents: 1 })
  })
})

describe('what was proven', () => {
  const record = (changes: Partial<PaperRecord>): PaperRecord => ({
    evaluatedAt: '2026-04-01T00:00:00Z',
    firstSlot: '2026-03-10T00:00:00Z',
    lastSlot: '2026-03-20T00:00:00Z',
    days: 5,
    cycles: 50,
    trades: 9,
    unresolvedIncidents: 0,
    configHash: 'h',
    ...changes,
  })

  it('stays proven when its cycles have expired; incidents are those of now', () => {
    const before = record({
      firstSlot: '2026-01-01T00:00:00Z',
      lastSlot: '2026-03-01T00:00:00Z',
      days: 60,
      cycles: 2_000,
      trades: 70,
      unresolvedIncidents: 3,
    })
    expect(keepProven(before, record({}))).toEqual(
      record({ firstSlot: '2026-01-01T00:00:00Z', days: 60, cycles: 2_000, trades: 70 }),
    )
    expect(
      keepProven(
        before,
        record({ firstSlot: null, lastSlot: null, days: 0, cycles: 0, trades: 0, unresolvedIncidents: 1 }),
      ),
    ).toEqual({ ...before, evaluatedAt: '2026-04-01T00:00:00Z', unresolvedIncidents: 1 })
  })

  it('a proven paper record grows with what was found later', () => {
    expect(
      keepProven(record({}), record({ lastSlot: '2026-03-30T00:00:00Z', days: 15, cycles: 99, trades: 10 })),
    ).toEqual(record({ lastSlot: '2026-03-30T00:00:00Z', days: 15, cycles: 99, trades: 10 }))
  })

  it('of other settings counts for nothing', () => {
    expect(keepProven(record({ days: 60, configHash: 'other' }), record({}))).toEqual(record({}))
    expect(keepProven(null, record({}))).toEqual(record({}))
  })
})
