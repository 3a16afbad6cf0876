import { loadConfig } from '../../lib/config/load-config.ts'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Timeframe } from '../../lib/core/time.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import { createRulesDecider } from '../../lib/decision/rules-decider.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from '../../lib/market/history-source.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { type ReplayRequest, type ReplayResult, runReplay } from '../../lib/replay/run-replay.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { randomWalkBars } from '../support/random-walk.ts'

export const START = Date.parse('2024-01-01T00:00:00Z')

/** Settings under which a random walk is traded a lot: no cooldown, no limit on the day, sizes of one per cent. */
export const settings = (overrides: Record<string, unknown> = {}): StrategyConfig =>
  loadConfig({
    overrides: {
      market: { source: 'history', referenceSymbol: null },
      guard: { cooldownMinutesAfterLoss: 0, maxEntriesPerDay: 40, maxDrawdown: 1, maxDailyLoss: 1, minStopAtr: 0.1 },
      sizing: { minRisk: 0.01 },
      ...overrides,
    },
  })

export type HistoryOptions = {
  days?: number
  seed?: number
  timeframe?: Timeframe
  funding?: readonly FundingRate[]
  level?: number
  change?: (bars: Candle[]) => Candle[]
}

/** Days of history where nothing else is said; more with HOURHAND_REPLAY_DAYS. */
export const DAYS = Number(process.env['HOURHAND_REPLAY_DAYS'] ?? 3)

/** A random walk as a market of bars of `timeframe`. */
export function historyOf({
  days = DAYS,
  seed = 1,
  timeframe = '1m',
  funding = [],
  level = 2_000,
  change = (bars) => bars,
}: HistoryOptions = {}): HistoryMarket {
  const minutes = randomWalkBars(START, days * 1_440, { seed, level })
  const bars = change([...aggregateCandles(minutes, '1m', timeframe)].map((bar) => ({ ...bar })))
  return marketOf(bars, timeframe, funding)
}

export function marketOf(
  bars: readonly Candle[],
  timeframe: Timeframe,
  funding: readonly FundingRate[] = [],
): HistoryMarket {
  const { symbol } = settings().market
  return createHistoryMarket({
    name: 'history',
    symbol,
    histories: new Map([
      [symbol, createCandleHistory(scanCandles(bars, timeframe, Number.POSITIVE_INFINITY), timeframe)],
    ]),
    funding,
  })
}

/** Rates every eight hours, now for the longs, now for the shorts. */
export const eightHourly = (days: number): FundingRate[] =>
  Array.from({ length: days * 3 }, (_, index) => ({
    time: START + index * 8 * 60 * MINUTE_MS,
    rate: 0.0002 * Math.sin(index),
  }))

export function rulesOf({ decider }: StrategyConfig): Decider {
  if (decider.kind !== 'rules') throw new Error('these replays are decided by rules')
  return createRulesDecider(decider)
}

export function replay(
  market: HistoryMarket,
  config: StrategyConfig,
  more: Partial<ReplayRequest> = {},
): Promise<ReplayResult> {
  const { history } = market
  const from = START + DAY_MS
  const to = (history.last?.time ?? START) + MINUTE_MS
  return runReplay({ config, market, decider: rulesOf(config), from, to, ...more })
}

/** Everything of a result but versions, which count writes, and the marks between two writes; a line a fact. */
export const essence = ({ lines, trades, state, book }: ReplayResult): string[] => [
  ...lines.map(canonicalJson),
  ...trades.map(canonicalJson),
  canonicalJson(state?.phase ?? null),
  canonicalJson({ ...state?.accounting, markedAt: null }),
  canonicalJson([state?.halt ?? null, state?.memory ?? null]),
  canonicalJson(book === null ? null : { ...book, version: 0, advancedTo: null }),
]

/** The first fact in which two results differ, or null. */
export function firstDifference(a: ReplayResult, b: ReplayResult): [string, string] | null {
  const [left, right] = [essence(a), essence(b)]
  const index = left.findIndex((line, place) => line !== right[place])
  if (index < 0) return left.length === right.length ? null : [`${left.length} facts`, `${right.length} facts`]
  const [one = '', other = ''] = [left[index], right[index]]
  let at = 0
  while (one[at] === other[at]) at += 1
  return [`...${one.slice(Math.max(0, at - 120), at + 160)}`, `...${other.slice(Math.max(0, at - 120), at + 160)}`]
}

/** Cuts hours out of a history, as outages do. */
export const withOutages = (bars: Candle[]): Candle[] =>
  bars.filter(({ time }) => (time - START) % (31 * HOUR_MS) > 47 * MINUTE_MS)

/** A price that jumps now and then by up to `depth` of itself: stops gapped through, liquidations. */
export const withJumps =
  (depth: number, every = 2_111) =>
  (bars: Candle[]): Candle[] =>
    bars.map((bar, index) => {
      const factor = 1 + depth * Math.sin(Math.floor(index / every) * 1.7)
      const scaled = (value: number) => Math.round(value * factor * 100) / 100
      return { ...bar, open: scaled(bar.open), high: scaled(bar.high), low: scaled(bar.low), close: scaled(bar.close) }
    })
