import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { DAY_MS, timeframeMs } from '../../lib/core/time.ts'
import { createFileMarket } from '../../lib/market/file-source.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import type { Candle } from '../../schemas/market.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import {
  eightHourly,
  historyOf,
  type HistoryOptions,
  rulesOf,
  settings,
  START,
  withJumps,
  withOutages,
} from '../replay/support.ts'
import { randomWalkBars } from '../support/random-walk.ts'
import { compareDirectory, compareLists } from './compare.mjs'
import { differences } from './differences.ts'
import { plainReplay, type PlainResult, readCandles, readFunding } from './plain-replay.mjs'

/** What happened in a replay, by name: reasons of exits, rules that refused, outcomes of slots. */
const happenings = ({ trades, slots, ambiguousBars, halt }: PlainResult): Set<string> =>
  new Set([
    ...trades.map(({ exitReason }) => exitReason),
    ...slots.flatMap(({ outcome, refusedBy }) => [outcome, ...refusedBy]),
    ...(ambiguousBars > 0 ? ['ambiguous'] : []),
    ...(halt === null ? [] : [`halt ${halt.rule}`]),
  ])

/** A bar now and then that reaches far out to both sides and comes back. */
const withSpikes =
  (depth: number, every: number) =>
  (bars: Candle[]): Candle[] =>
    bars.map((bar, index) =>
      index % every === 0
        ? {
            ...bar,
            high: Math.round(bar.high * (1 + depth) * 100) / 100,
            low: Math.round(bar.low * (1 - depth) * 100) / 100,
          }
        : bar,
    )

const cheap = { instrument: { multiplier: '0.01', fees: { maker: '0.0001', taker: '0.00055', perContract: '0' } } }
const near = {
  guard: {
    maxLeverage: 10,
    liquidationBuffer: 0,
    cooldownMinutesAfterLoss: 0,
    maxEntriesPerDay: 40,
    maxDailyLoss: 1,
    maxDrawdown: 1,
  },
  instrument: { margin: { perNotional: { initial: { long: '0.1', short: '0.1' } } } },
}

/** Name, history, settings, and what has to happen in it, or the case says nothing. */
const CASES: [string, HistoryOptions, Record<string, unknown>, string[]][] = [
  ['one-minute bars', { seed: 1, days: 4 }, {}, ['stop_loss', 'take_profit', 'entered', 'held']],
  ['funding every eight hours, other fees', { seed: 3, funding: eightHourly(3) }, cheap, ['stop_loss', 'take_profit']],
  [
    'funding known for a part of the time',
    { seed: 4, days: 6, funding: eightHourly(2) },
    cheap,
    ['stop_loss', 'take_profit'],
  ],
  [
    'an hourly limit on hourly bars',
    { seed: 8, timeframe: '1h', days: 30 },
    { interval: '1h', exits: { maxHoldingMinutes: 240 }, guard: { cooldownMinutesAfterLoss: 60 } },
    ['time_limit', 'cooldown'],
  ],
  [
    'funding that costs too much',
    { seed: 3, funding: eightHourly(3) },
    { guard: { maxFundingAnnualised: 0.05, cooldownMinutesAfterLoss: 240, maxEntriesPerDay: 1 } },
    ['funding_cost', 'entries_per_day'],
  ],
  [
    'no funding, a short time limit, hours of trading',
    { seed: 10 },
    {
      exits: { maxHoldingMinutes: 95 },
      instrument: { fundingIntervalMs: null },
      guard: { tradingHoursUtc: { from: 20, to: 9 }, tradingDaysUtc: [1, 2, 3] },
    },
    ['time_limit', 'trading_hours'],
  ],
  [
    'outages and jumps',
    { seed: 6, change: (bars) => withOutages(withJumps(0.06)(bars)) },
    {},
    ['failed', 'fresh_data', 'stop_loss'],
  ],
  [
    'limits that halt',
    { seed: 9, change: withJumps(0.06) },
    { guard: { maxDailyLoss: 0.02, maxDrawdown: 0.05, minStopAtr: 0.1 } },
    ['halted'],
  ],
  [
    'a day that begins with something held and loses too much',
    { seed: 8 },
    {
      guard: {
        maxDailyLoss: 0.01,
        maxDrawdown: 1,
        cooldownMinutesAfterLoss: 0,
        maxEntriesPerDay: 40,
        riskPerTrade: 0.02,
      },
      sizing: { minRisk: 0.02 },
    },
    ['halt daily_loss'],
  ],
  [
    'as much as the margin allows',
    { seed: 3 },
    {
      guard: {
        maxLeverage: 1,
        riskPerTrade: 0.02,
        minRewardToRisk: 0.5,
        minStopAtr: 0.2,
        cooldownMinutesAfterLoss: 0,
        maxEntriesPerDay: 40,
      },
      sizing: { minRisk: 0.02 },
      decider: { kind: 'rules', stopAtr: 0.8, rewardToRisk: 3 },
      ...cheap,
    },
    ['stop_loss'],
  ],
  [
    'stop and target in one bar',
    { seed: 15, timeframe: '30m', days: 25 },
    {
      guard: { minRewardToRisk: 0.5, minStopAtr: 0.2, cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40 },
      decider: { kind: 'rules', stopAtr: 0.5, rewardToRisk: 1 },
      ...cheap,
    },
    ['ambiguous'],
  ],
  [
    'sizes by the own record',
    { seed: 5, funding: eightHourly(3) },
    {
      sizing: { kellyFraction: 1, minRisk: 0.001, shrinkageTrades: 1 },
      guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40 },
      decider: { kind: 'rules', stopAtr: 1, rsiLongMax: 95, rsiShortMin: 5 },
    },
    ['take_profit'],
  ],
  [
    'an order that may not slip',
    { seed: 12 },
    {
      guard: { maxEntrySlippageBps: 0, cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40 },
      paper: { latencyMs: 60_000, slippageBps: 7 },
      instrument: { tickSize: '0.01' },
    },
    ['refused'],
  ],
  [
    'bars that reach beyond stop and liquidation price and come back: the stop, which is nearer',
    { seed: 13, change: withSpikes(0.15, 1201) },
    {
      ...near,
      guard: { ...near.guard, minStopAtr: 0.01, minRewardToRisk: 0.5 },
      decider: { kind: 'rules', stopAtr: 0.2 },
      exits: { liquidationDistance: 0 },
    },
    ['stop_loss', 'ambiguous'],
  ],
  [
    'bars that open beyond stop and liquidation price',
    { seed: 13, change: withJumps(0.2, 311) },
    { ...near, exits: { liquidationDistance: 0 } },
    ['liquidation'],
  ],
  [
    'liquidation nearer than enforcement likes',
    { seed: 13, change: withJumps(0.02, 311) },
    { ...near, exits: { liquidationDistance: 0.2 } },
    ['liquidation_distance'],
  ],
  ['five-minute bars', { seed: 7, timeframe: '5m', days: 6 }, {}, ['take_profit', 'stop_loss']],
  ['hourly bars', { seed: 8, timeframe: '1h', days: 30 }, { interval: '1h' }, ['take_profit', 'stop_loss', 'decision']],
]

describe('a replay, checked from outside', () => {
  it.each(CASES)(
    'is to the last digit what the rules in words make of it: %s',
    async (_name, options, overrides, expected) => {
      const market = historyOf({ days: 3, ...options })
      const config = settings(overrides)
      const { baseTimeframe, history } = market
      const [from, to] = [START + DAY_MS, (history.last?.time ?? START) + timeframeMs(baseTimeframe)]
      const replay = await runReplay({ config, market, decider: rulesOf(config), from, to })
      const plain = plainReplay({ config, candles: history.bars, funding: options.funding ?? [], from, to })
      expect(differences(plain, replay)).toEqual([])
      expect([...happenings(plain)]).toEqual(expect.arrayContaining(expected))
    },
  )
})

const folder = path.resolve(import.meta.dirname, '../../../shared/data')

describe.skipIf(!existsSync(folder))('real days, checked from outside (skipped: ../shared/data is absent)', () => {
  it.each([
    ['ETH-perp-1m-20230703-20230817', 'ETH', '2023-07-10T00:00:00Z', 7, 10],
    ['ETH-perp-1h-20200101-20240418', 'ETH', '2020-03-01T00:00:00Z', 45, 20],
  ] as const)('%s', async (name, asset, begin, days, least) => {
    const files = {
      candles: path.join(folder, `candles/${name}.csv.gz`),
      funding: path.join(folder, `funding/${asset}-perp-funding-8h.csv.gz`),
    }
    const config: StrategyConfig = loadConfig({
      overrides: {
        interval: name.includes('-1h-') ? '1h' : '30m',
        market: { source: files.candles, fundingFile: files.funding },
      },
    })
    const [from, to] = [Date.parse(begin), Date.parse(begin) + days * DAY_MS]
    const market = await createFileMarket({
      now: Date.UTC(2027, 0),
      files: [files.candles],
      symbol: config.market.symbol,
      fundingFile: files.funding,
    })
    const replay = await runReplay({ config, market, decider: rulesOf(config), from, to })
    const plain = plainReplay({
      config,
      candles: readCandles(files.candles),
      funding: readFunding(files.funding),
      from,
      to,
    })
    expect(differences(plain, replay)).toEqual([])
    expect(plain.trades.length).toBeGreaterThan(least)
  })
})

describe('the comparison of a result directory', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-outside-'))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))
  const out = path.join(scratch, 'run')
  const compare = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(import.meta.dirname, 'compare.mjs'), ...args], { encoding: 'utf8' })

  it('is of what the command line wrote, and one digit that differs is told and ends with 1', async () => {
    const candles = path.join(scratch, 'candles.csv')
    const rows = randomWalkBars(START, 2 * 1_440, { seed: 4 }).map(({ time, open, high, low, close, volume }) =>
      [new Date(time).toISOString(), open, high, low, close, volume].join(','),
    )
    writeFileSync(candles, `${['timestamp,open,high,low,close,volume', ...rows].join('\n')}\n`)
    const io = {
      stdout: () => {},
      stderr: () => {},
      env: {},
      clock: () => START + 30 * DAY_MS,
      newId: () => 'id',
      sleep: async () => {},
    }
    expect(
      await runCli(['replay', '--candles', candles, '--data-dir', scratch, '--out', out, '--random', '0'], io),
    ).toBe(0)
    expect(compareDirectory(out).filter(({ compared, equal }) => compared !== equal)).toEqual([])
    expect(compare(out)).toMatchObject({ status: 0, stdout: expect.stringContaining('equal to the last digit') })

    const trades = path.join(out, 'trades.jsonl')
    const [first = '', ...rest] = readFileSync(trades, 'utf8').split('\n')
    const trade: unknown = JSON.parse(first)
    const { fees } = trade as { fees: string }
    writeFileSync(trades, [JSON.stringify({ ...(trade as object), fees: `${fees}1` }), ...rest].join('\n'))
    const { status, stdout } = compare(out)
    expect(status).toBe(1)
    expect(stdout).toContain(`#1: plain "${fees}", replay "${fees}1"`)
    expect(compare()).toMatchObject({ status: 2 })
  })

  it('counts what is missing on either side as different', () => {
    const [side] = compareLists('trade', [{ side: 'long' }], [{ side: 'long' }, { side: 'short' }], ['side'])
    expect(side).toMatchObject({ compared: 2, equal: 1, first: '#2: plain undefined, replay "short"' })
    const [pnl] = compareLists('trade', [{ pnl: '1.5' }, { pnl: '2' }], [{ pnl: '1.25' }, { pnl: '2' }], ['pnl'])
    expect(pnl).toMatchObject({ compared: 2, equal: 1, largest: 0.25 })
  })
})
