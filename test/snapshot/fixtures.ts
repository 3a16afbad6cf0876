import { configOf } from '../support/instruments.ts'
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, type Timeframe, timeframeMs, toIso } from '../../lib/core/time.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { openBooks } from '../../lib/ledger/accounting.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { NewsSource } from '../../lib/news/news-source.ts'
import { buildSnapshot, type SnapshotInputs } from '../../lib/snapshot/build-snapshot.ts'
import { gatherMarketFacts } from '../../lib/snapshot/gather.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import type { Headline, Snapshot } from '../../schemas/snapshot.ts'
import type { Position, StrategyState, TradeSummary } from '../../schemas/state.ts'
import { CURRENT_VERSION } from '../../schemas/stored.ts'

export const BASE_STEP = 30 * MINUTE_MS

/** mulberry32: the same numbers for the same seed, in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const tick = (value: number): number => Math.round(value * 100) / 100

/** A random walk of bars on a tick of 0.01. */
export function walk(seed: number, from: EpochMs, count: number, step = BASE_STEP, start = 2_000): Candle[] {
  const random = randomOf(seed)
  let close = start
  return Array.from({ length: count }, (_, index) => {
    const open = close
    close = Math.max(1, tick(open * (1 + (random() - 0.5) * 0.012)))
    const high = tick(Math.max(open, close) * (1 + random() * 0.002))
    const low = tick(Math.min(open, close) * (1 - random() * 0.002))
    return {
      time: from + index * step,
      open,
      high: Math.max(high, open, close),
      low: Math.min(low, open, close),
      close,
      volume: Math.round(random() * 1e7) / 100,
    }
  })
}

/** Bars of `step` from finer ones, whole ones only. */
export function coarsen(candles: readonly Candle[], step: number, fine = BASE_STEP): Candle[] {
  const bars: Candle[] = []
  let parts = 0
  for (const bar of candles) {
    const time = Math.floor(bar.time / step) * step
    const last = bars.at(-1)
    if (last === undefined || last.time !== time) {
      if (last !== undefined && parts < step / fine) bars.pop()
      bars.push({ ...bar, time })
      parts = 1
    } else {
      bars[bars.length - 1] = {
        ...last,
        high: Math.max(last.high, bar.high),
        low: Math.min(last.low, bar.low),
        close: bar.close,
        volume: (last.volume ?? 0) + (bar.volume ?? 0),
      }
      parts += 1
    }
  }
  if (parts < step / fine) bars.pop()
  return bars
}

export type History = { traded: readonly Candle[]; reference: readonly Candle[]; funding: readonly FundingRate[] }

const TIMEFRAMES = ['30m', '1h', '4h', '1d'] as const

const tables = (bars: readonly Candle[]): Map<Timeframe, readonly Candle[]> =>
  new Map(
    TIMEFRAMES.map((timeframe) => [timeframe, timeframe === '30m' ? bars : coarsen(bars, timeframeMs(timeframe))]),
  )

/** A market made of arrays. `leaky` answers beyond the instant and beyond the limit, as no source may. */
export function arrayMarket(
  history: History,
  { symbol, leaky = false }: { symbol: string; leaky?: boolean },
): MarketData {
  const traded = tables(history.traded)
  const reference = tables(history.reference)
  return {
    name: 'arrays',
    baseTimeframe: '30m',
    span: null,
    async candles(query) {
      const bars = (query.symbol === symbol ? traded : reference).get(query.timeframe) ?? []
      if (leaky) return { candles: bars, issues: [] }
      const end = 1 + bars.findLastIndex(({ time }) => time + timeframeMs(query.timeframe) <= query.asOf)
      return { candles: bars.slice(Math.max(0, end - query.limit), end), issues: [] }
    },
    async quote(_symbol, at) {
      // The bar that contains the instant has begun: its open is known. Without it, the last close.
      const bar = history.traded.findLast(({ time }) => time <= at)
      const value = price(bar === undefined ? 2_000 : at < bar.time + BASE_STEP ? bar.open : bar.close)
      return { at: toIso(at), bid: value, ask: value, last: value, mark: value }
    },
    async fundingRates(_symbol, from, to) {
      return leaky ? history.funding : history.funding.filter(({ time }) => time > from && time <= to)
    },
    async openInterest() {
      return 1_234_567.891
    },
  }
}

export const START = Date.UTC(2025, 0, 1)

/** A year and a bit, so that the daily window is full at the end. */
export const HISTORY: History = (() => {
  const count = (330 * DAY_MS) / BASE_STEP
  const reference = walk(2, START, count, BASE_STEP, 60_000)
  return {
    traded: walk(1, START, count),
    reference,
    funding: Array.from({ length: 330 * 24 }, (_, hour) => ({
      time: START + hour * HOUR_MS + (hour % 7),
      rate: ((hour % 11) - 4) * 1e-6,
    })),
  }
})()

/** The history as somebody at `asOf` could have recorded it: closed bars, and of the running bar only its open. */
export function truncate(history: History, asOf: EpochMs): History {
  const cut = (bars: readonly Candle[]) =>
    bars.flatMap((bar) =>
      bar.time > asOf
        ? []
        : bar.time + BASE_STEP <= asOf
          ? [bar]
          : [{ ...bar, high: bar.open, low: bar.open, close: bar.open, volume: 0 }],
    )
  return {
    traded: cut(history.traded),
    reference: cut(history.reference),
    funding: history.funding.filter(({ time }) => time <= asOf),
  }
}

export const CONFIG = configOf({ id: 'eth-perp' })

/** {@link HISTORY}, honestly told. */
export const MARKET = arrayMarket(HISTORY, { symbol: CONFIG.market.symbol })

export const quietNews: NewsSource = { headlines: async () => ({ headlines: [], feeds: [] }) }

export function flatState(at: EpochMs): StrategyState {
  return {
    ...CURRENT_VERSION,
    strategyId: CONFIG.id,
    instrument: CONFIG.instrument,
    version: 0,
    phase: { kind: 'flat', abandoned: null },
    accounting: openBooks(money('10000'), toIso(at), 'always-open'),
    halt: null,
    lastSlot: null,
    deciderStreak: null,
    watchedUntil: null,
    cursor: { since: toIso(at), seenIds: [] },
    memory: { decisions: [], trades: [] },
    incidents: [],
    suspicions: [],
    expectedTransfers: [],
    reminders: [],
    outbox: null,
    updatedAt: toIso(at),
  }
}

const sentence = (index: number) =>
  `${index} support held twice, funding is mild and the four hour trend still points up while volatility falls back to its usual size `

export function openPosition(openedAt: EpochMs, over: Partial<Position> = {}): Position {
  const bracket = { stopLossPrice: price('1805.5'), takeProfitPrice: price('1990.5') }
  return {
    tradeId: 'eth-perp-20251101T0000Z-trade',
    side: 'long',
    quantity: quantity('37'),
    peakQuantity: quantity('37'),
    multiplier: quantity('0.1'),
    costBasis: money('6845.925'),
    entryNotional: money('6845.925'),
    entryBase: quantity('3.7'),
    exitNotional: money('0'),
    exitBase: quantity('0'),
    openedAt: toIso(openedAt),
    bracket,
    liquidationPrice: price('1298.33333333'),
    riskAtEntry: money('165.575'),
    gross: money('0'),
    fees: money('7.6'),
    funding: money('-0.41'),
    slippage: money('0.2'),
    fillIds: ['fill-1'],
    protection: { status: 'live', orderId: 'order-1', quantity: quantity('37'), bracket, confirmedAt: toIso(openedAt) },
    protectAttempts: 1,
    protectFailures: 0,
    closeAttempts: 0,
    isCloseUnheard: false,
    thesis: {
      cycleId: 'eth-perp-20251101T0000Z',
      confidence: 0.62,
      rationale: sentence(1).repeat(5).trim(),
      invalidation: sentence(2).repeat(3).trim(),
      regime: 'high_volatility',
    },
    ...over,
  }
}

/** Everything at once: open position with long thesis, full memories. */
export function busyState(at: EpochMs): StrategyState {
  const flat = flatState(at)
  const regimes = ['trend', 'range', 'breakout', 'high_volatility', 'unknown']
  const trades: TradeSummary[] = Array.from({ length: 30 }, (_, index) => ({
    id: `eth-perp-${index}-trade`,
    side: index % 2 === 0 ? 'long' : 'short',
    regime: regimes[index % 5] ?? null,
    pnl: money(index % 3 === 0 ? '183.27654321' : '-97.12345678'),
    rMultiple: index % 3 === 0 ? 1.8437 : -1.0213,
    exitReason: 'stop_loss',
    exitTime: toIso(at - (30 - index) * DAY_MS),
    holdingMinutes: 300,
  }))
  const decisions = Array.from({ length: 6 }, (_, index) => ({
    cycleId: `eth-perp-${index}`,
    at: toIso(at - (6 - index) * BASE_STEP),
    action: 'open_short',
    outcome: 'refused',
    confidence: 0.55,
    note: sentence(index).repeat(2).trim(),
  }))
  return { ...flat, phase: { kind: 'open', position: openPosition(at - 3 * HOUR_MS) }, memory: { decisions, trades } }
}

/** Twelve headlines of 140 characters, in words of ordinary length. */
export function busyHeadlines(at: EpochMs): Headline[] {
  const words =
    'Ethereum exchange-traded funds see $1.2B outflows as Solana validators approve SIMD-0411; Kraken’s Arjun Sethi warns of “liquidity cliff” in 2026 amid ETF rotation, tariffs'
  return Array.from({ length: 12 }, (_, index) => ({
    title: `${index + 1} ${words}`.slice(0, 140),
    source: 'Cointelegraph',
    publishedAt: toIso(at - (index + 1) * 47 * MINUTE_MS),
    ageMinutes: (index + 1) * 47,
  }))
}

export async function snapshotAt(
  asOf: EpochMs,
  over: Partial<SnapshotInputs> & { market?: MarketData; news?: NewsSource } = {},
): Promise<Snapshot> {
  const { market = MARKET, news = quietNews, ...inputs } = over
  const config = inputs.config ?? CONFIG
  const facts = inputs.facts ?? (await gatherMarketFacts({ market, news, config, asOf }))
  return buildSnapshot({
    config,
    cycleId: 'eth-perp-test',
    slot: asOf,
    asOf,
    facts,
    instrument: config.instrument,
    state: flatState(asOf),
    ...inputs,
  })
}
