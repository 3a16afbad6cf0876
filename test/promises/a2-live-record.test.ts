import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { cycleIdOf } from '../../lib/core/ids.ts'
import { DAY_MS, fromIso, HOUR_MS, toIso } from '../../lib/core/time.ts'
import { newRecord } from '../../lib/cycle/claim.ts'
import { figuresOfPaper, figuresOfReplay } from '../../lib/evidence/record-figures.ts'
import { recordLimitsOf } from '../../lib/guard/live-barrier.ts'
import { strategyHashOf } from '../../lib/guard/strategy-hash.ts'
import { migrate } from '../../lib/store/migrations.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore, type Store } from '../../lib/store/store.ts'
import type { StoredReplay } from '../../schemas/replay.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { HOLD, outcomeOf } from '../cycle/world.ts'

const START = fromIso('2026-08-01T00:00:00Z')
const NOW = START + 100 * DAY_MS
const config = loadConfig({ overrides: { market: { source: 'live' } } })
const other = loadConfig({ overrides: { market: { source: 'live' }, guard: { maxLeverage: 2 } } })
const openStore = (): Store => createStore(createMemoryItems(), 'w', 'paper')

/** One slot a day: its cycle, equity after it, and so many trades that it opened. */
async function live(
  store: Store,
  days: readonly number[],
  { from = 0, settings = config, trades = 1 } = {},
): Promise<void> {
  for (const [index, equity] of days.entries()) {
    const slot = START + (from + index) * DAY_MS
    await store.createCycle({
      ...newRecord({ config: settings, codeVersion: 'test' }, slot, slot),
      progress: 'finished',
      outcome: 'entered',
      decision: outcomeOf(HOLD),
      reason: 'r',
      finishedAt: toIso(slot),
    })
    const value = money(equity)
    await store.appendEquity(config.id, { at: toIso(slot), equity: value, cash: value, markPrice: null, phase: 'flat' })
    const cycleId = cycleIdOf(config.id, slot)
    const entries = Array.from({ length: trades }, (_, number) => tradeOf(`${cycleId}-00000${number}`, slot + number))
    await store.appendHistory(
      config.id,
      entries.map((body) => ({ kind: 'TRADE' as const, id: body.id, at: body.exitTime, body })),
      1,
    )
  }
}

const tradeOf = (id: string, at: number) => ({
  id,
  strategyId: config.id,
  side: 'long' as const,
  quantity: quantity(1),
  entryTime: toIso(at),
  entryPrice: price(3_000),
  exitTime: toIso(at + HOUR_MS),
  exitPrice: price(3_001),
  exitReason: 'take_profit' as const,
  stopLossPrice: null,
  takeProfitPrice: null,
  gross: money('0.1'),
  fees: money('0'),
  funding: money('0'),
  slippage: money('0'),
  pnl: money('0.1'),
  rMultiple: 1,
  regime: null,
  fillIds: [],
})

/** Gains a little on most days: forty returns, seldom below zero. */
const RISING = Array.from({ length: 41 }, (_, day) => 10_000 + day * 40 + (day % 5 === 0 ? -25 : 0))
const resultsOf = (figures: Awaited<ReturnType<typeof figuresOfPaper>>) =>
  figures?.gates.map(({ gate, result }) => [gate, result])

describe('the paper record speaks for itself', () => {
  it('a rising record of 82 trades passes all three gates', async () => {
    const store = openStore()
    await live(store, RISING, { trades: 2 })
    const figures = await figuresOfPaper(store, config, NOW)
    expect(resultsOf(figures)).toEqual([
      ['sharpe', 'pass'],
      ['max_drawdown', 'pass'],
      ['trades', 'pass'],
    ])
    expect(figures).toMatchObject({ source: 'paper', configHash: strategyHashOf(config) })
  })

  it('fifty trades are not more than fifty', async () => {
    const store = openStore()
    await live(store, RISING.slice(0, 25), { trades: 2 })
    expect(resultsOf(await figuresOfPaper(store, config, NOW))?.[2]).toEqual(['trades', 'not_enough_evidence'])
  })

  it('a record that fell by a fifth fails, however it ended', async () => {
    const store = openStore()
    await live(store, [...RISING.slice(0, 20), 8_000, ...RISING.slice(20)], { trades: 2 })
    expect(resultsOf(await figuresOfPaper(store, config, NOW))?.[1]).toEqual(['max_drawdown', 'fail'])
  })

  it('few days are not enough evidence, which is no pass', async () => {
    const store = openStore()
    await live(store, RISING.slice(0, 10), { trades: 6 })
    expect(resultsOf(await figuresOfPaper(store, config, NOW))?.[0]).toEqual(['sharpe', 'not_enough_evidence'])
  })

  it('counts only from the last cycle with other settings on: a loss of other settings is none of these', async () => {
    const store = openStore()
    await live(store, [10_000, 9_000, 5_000], { settings: other, trades: 9 })
    await live(store, RISING, { from: 3, trades: 2 })
    const figures = await figuresOfPaper(store, config, NOW)
    expect(figures?.name).toContain(toIso(START + 3 * DAY_MS))
    expect(figures?.gates.map(({ result }) => result)).toEqual(['pass', 'pass', 'pass'])
    expect(figures?.gates[2]?.actual).toBe(82)
  })

  it('the limits are floors that the configuration only tightens', () => {
    const limitsOf = (gates: Partial<StrategyConfig['gates']>) =>
      recordLimitsOf({ gates: { ...config.gates, ...gates } })
    expect(limitsOf({ minSharpe: 0, maxDrawdown: 0.9, minTrades: 1 })).toEqual({
      minSharpe: 1,
      maxDrawdown: 0.2,
      minTrades: 50,
    })
    expect(limitsOf({ minSharpe: 2, maxDrawdown: 0.1, minTrades: 90 })).toEqual({
      minSharpe: 2,
      maxDrawdown: 0.1,
      minTrades: 90,
    })
  })
})

describe('a replay speaks for live trading', () => {
  const stored = (changes: { config?: StrategyConfig; from?: string } = {}): StoredReplay =>
    ({
      config: { ...config, market: { ...config.market, source: 'candles.csv' }, ...changes.config },
      data: { from: changes.from ?? '2026-02-01T00:00:00Z' },
      metrics: {
        observations: 40,
        trades: 51,
        sharpe: 1.5,
        maxDrawdown: 0.1,
        totalReturn: 0.2,
        startEquity: money('10000'),
        tokenCostUsd: 0,
        tokens: { input: 0, output: 0 },
        evidence: { trials: 1, deflatedSharpe: 0.99, probabilisticSharpe: 0.99 },
      },
    }) as unknown as StoredReplay

  const model = (knowledgeCutoff: string | null) =>
    loadConfig({ overrides: { market: { source: 'live' }, decider: { kind: 'openai', knowledgeCutoff } } })

  it('of the same settings, with its own verdicts', () => {
    const figures = figuresOfReplay('run', stored(), config, NOW)
    expect(figures).toMatchObject({ source: 'replay', name: 'run', configHash: strategyHashOf(config) })
    expect(figures.gates.map(({ gate, result }) => [gate, result])).toEqual([
      ['sharpe', 'pass'],
      ['max_drawdown', 'pass'],
      ['trades', 'pass'],
    ])
  })

  it('not with other settings', () => {
    expect(() => figuresOfReplay('run', stored({ config: other }), config, NOW)).toThrow(
      '--replay run: that replay is of other settings',
    )
  })

  it.each([
    [null, '2026-02-01T00:00:00Z', 'decider.knowledgeCutoff is not set'],
    ['2026-02-01', '2026-01-15T00:00:00Z', 'the model has read up to 2026-02-01'],
    ['2026-02-01', '2026-02-01T12:00:00Z', 'the model has read up to 2026-02-01'],
    ['2026-02-01', '2026-02-02T00:00:00Z', null],
  ])('of a model that has read up to %s, a replay from %s: %s', (cutoff, from, refusal) => {
    const asked = model(cutoff)
    const look = () => figuresOfReplay('run', stored({ config: asked, from }), asked, NOW)
    if (refusal === null) expect(look().gates).toHaveLength(3)
    else expect(look).toThrow(refusal)
  })
})

it('an override that the last release stored is one of the number of paper trades', () => {
  const old = { strategyId: 'eth-perp', credentials: null, paper: null, override: { at: 'T', by: 'ann', reason: 'r' } }
  expect(migrate('clearance', old, 1)).toMatchObject({
    figures: [],
    waivers: [{ gate: 'paper_trades', at: 'T', by: 'ann', reason: 'r' }],
  })
  expect(migrate('clearance', { ...old, override: null }, 1)).toMatchObject({ waivers: [] })
})
