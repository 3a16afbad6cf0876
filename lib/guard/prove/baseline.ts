import { decisionTimeframeOf } from '../../core/interval.ts'
import { canonical, ceilToStep, dec, money, price, quantity } from '../../core/decimal.ts'
import { DAY_MS, type EpochMs, HOUR_MS, toIso } from '../../core/time.ts'
import { openBooks } from '../../ledger/accounting.ts'
import type { EntryDecision } from '../../../schemas/decision.ts'
import type { Quote } from '../../../schemas/market.ts'
import type { Snapshot, TimeframeView } from '../../../schemas/snapshot.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import type { ConditionContext, RuleContext } from '../rule.ts'
import { tradingHours } from '../rules/conditions.ts'

/** A Monday at midnight: the proof stands at a fixed instant, so that the same configuration gives the same text. */
const MONDAY: EpochMs = Date.UTC(2026, 10, 2)

/** A price of fewer ticks would round stop and target to something else than the case says. */
const LEAST_TICKS = 5_000

/** What a proof is made with: the owner's configuration, and how dear the market is. */
export type Scene = { config: StrategyConfig; side?: 'long' | 'short'; priceFactor?: number }

/**
 * An entry under the owner's configuration that every rule should let pass: equity of the paper account, the
 * configured instrument at a price where its smallest order is a hundredth of equity, ATR of one percent, stop and
 * target inside the configured limits, and an hour at which trading is allowed.
 */
export function baselineContext({ config, side = 'long', priceFactor = 1 }: Scene): RuleContext {
  const { guard, paper } = config
  const now = allowedInstant(config)
  const at = toIso(now)
  const { instrument } = config
  const tick = dec(instrument.tickSize)
  const smallest = dec(instrument.multiplier).times(instrument.minQuantity)
  const wanted = dec(paper.initialCash).times('0.01').div(smallest)
  const least = tick.times(LEAST_TICKS)
  const level = ceilToStep((wanted.gt(least) ? wanted : least).times(String(priceFactor)), tick)
  const quote: Quote = { at, bid: price(level), ask: price(level), last: price(level), mark: price(level) }
  const atr = Number(canonical(level.times('0.01')))
  const decision = entryOf(side, Number(canonical(level)), atr, guard)
  const accounting = openBooks(money(paper.initialCash), at, config.instrument.calendar)
  return {
    config,
    decision,
    snapshot: snapshotOf(config, quote, now, atr),
    facts: {
      now: at,
      quote,
      instrument,
      session: OPEN,
      accounting,
      phase: { kind: 'flat', abandoned: null },
      halt: null,
      trades: [],
      liveBarriers: [],
      sizeCap: config.mode === 'live' ? quantity(instrument.maxQuantity) : null,
      openIncidents: 0,
    },
  }
}

const OPEN = { isOpen: true, nextClose: null, reason: 'open' }

function entryOf(
  side: 'long' | 'short',
  level: number,
  atr: number,
  { minStopAtr, maxStopAtr, minRewardToRisk, minConfidence }: StrategyConfig['guard'],
): EntryDecision {
  const direction = side === 'long' ? 1 : -1
  const stopAtr = Math.min(Math.max(2, minStopAtr * 1.1), (minStopAtr + maxStopAtr) / 2)
  const distance = stopAtr * atr
  return {
    action: side === 'long' ? 'open_long' : 'open_short',
    stopLossPrice: level - direction * distance,
    takeProfitPrice: level + direction * distance * (minRewardToRisk * 1.25),
    confidence: Math.max(minConfidence, 0.6),
    invalidation: 'a case of the proof',
    rationale: 'a case of the proof',
  }
}

/** The first whole hour of the week at which the configuration allows entries, or Monday noon where it allows none. */
function allowedInstant(config: StrategyConfig): EpochMs {
  const hours = Array.from({ length: 168 }, (_, hour) => MONDAY + 12 * HOUR_MS + hour * HOUR_MS)
  return hours.find((instant) => isAllowed(config, instant)) ?? MONDAY + 12 * HOUR_MS
}

/** An hour of the week at which the configuration allows no entries; null where it allows all. */
export function forbiddenInstant(config: StrategyConfig): EpochMs | null {
  const hours = Array.from({ length: (7 * DAY_MS) / HOUR_MS }, (_, hour) => MONDAY + hour * HOUR_MS)
  return hours.find((instant) => !isAllowed(config, instant)) ?? null
}

const isAllowed = (config: StrategyConfig, instant: EpochMs): boolean =>
  // The rule looks at nothing but the configuration and the instant.
  tradingHours.check({ config, facts: { now: toIso(instant) } } as ConditionContext).passed

function snapshotOf(config: StrategyConfig, quote: Quote, now: EpochMs, atr14: number): Snapshot {
  const at = toIso(now)
  const regime = {
    label: 'unknown',
    direction: 0,
    adx14: null,
    volatilityPercentile: null,
    bandWidth: null,
    breakoutAtr: null,
  } as const
  const view = (timeframe: TimeframeView['timeframe']): TimeframeView => ({
    timeframe,
    barsUsed: 0,
    bars: [],
    indicators: {
      rsi14: null,
      ema12: null,
      ema26: null,
      ema50: null,
      ema200: null,
      atr14,
      bollinger20: null,
      macd: null,
      adx14: null,
    },
    realisedVolatility: null,
    volatilityPercentile: null,
    regime,
  })
  const nothing = { trades: 0, winRate: null, averageR: null, pnl: money('0') }
  const cash = config.paper.initialCash
  return {
    schemaVersion: 1,
    strategyId: config.id,
    cycleId: `${config.id}-proof`,
    slot: at,
    asOf: at,
    symbol: config.market.symbol,
    quote,
    views: { primary: view(decisionTimeframeOf(config)), fourHour: view('4h'), daily: view('1d') },
    funding: { rate: 0, intervalHours: 1, annualised: 0, averageRate: 0 },
    openInterest: null,
    reference: null,
    news: { headlines: [], feeds: [] },
    account: { equity: cash, cash, dayReturn: 0, drawdown: 0, entriesToday: 0, consecutiveLosses: 0 },
    position: null,
    decisions: [],
    performance: { ...nothing, bySide: { long: nothing, short: nothing }, byRegime: {} },
    issues: [],
    contextIssues: [],
  }
}
