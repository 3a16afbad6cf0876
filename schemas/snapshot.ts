import { z } from 'zod'
import { Candle, DataIssue, Quote } from './market.ts'
import { Bracket } from './order.ts'
import { IsoTime, MoneyText, PositionSide, PriceText, QuantityText, StrategyId, TimeframeName } from './primitives.ts'
import { DecisionSummary, Thesis } from './state.ts'

/** A reading, or null while its indicator is still warming up. */
const reading = z.number().nullable()

/** Indicators at the last closed bar of a timeframe. Sources are in `lib/indicators`. */
export const Indicators = z.strictObject({
  rsi14: reading,
  ema12: reading,
  ema26: reading,
  ema50: reading,
  ema200: reading,
  atr14: reading,
  bollinger20: z.strictObject({ upper: z.number(), middle: z.number(), lower: z.number() }).nullable(),
  macd: z.strictObject({ macd: z.number(), signal: z.number(), histogram: z.number() }).nullable(),
  adx14: reading,
})
export type Indicators = z.infer<typeof Indicators>

export const RegimeLabel = z.enum(['trend', 'range', 'breakout', 'high_volatility', 'unknown'])

/** What kind of market it is, with the numbers behind the label. */
export const Regime = z.strictObject({
  label: RegimeLabel,
  /** +1 up, -1 down, 0 neither. */
  direction: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
  adx14: reading,
  volatilityPercentile: reading,
  /** Width of the Bollinger bands over their middle, as a fraction. */
  bandWidth: reading,
  /**
   * Distance of the close beyond the highest high (positive) or lowest low (negative) of the 20 bars before, in ATR; 0
   * inside.
   */
  breakoutAtr: reading,
})
export type Regime = z.infer<typeof Regime>

/** One timeframe as of the instant: closed bars only, oldest first. */
export const TimeframeView = z.strictObject({
  timeframe: TimeframeName,
  /** Bars the indicators were computed over. */
  barsUsed: z.int().nonnegative(),
  /** The last few bars, for the reader. */
  bars: z.array(Candle),
  indicators: Indicators,
  /** Standard deviation of log returns over 20 bars, annualised; fraction. */
  realisedVolatility: reading,
  /** Share of the look-back's values at or below the present one, in [0, 1]. */
  volatilityPercentile: reading,
  regime: Regime,
})
export type TimeframeView = z.infer<typeof TimeframeView>

export const Headline = z.strictObject({
  title: z.string(),
  source: z.string(),
  publishedAt: IsoTime.nullable(),
  ageMinutes: z.number().nonnegative().nullable(),
})
export type Headline = z.infer<typeof Headline>

/** What became of one feed in this fetch. */
export const FeedReport = z.strictObject({
  source: z.string(),
  ok: z.boolean(),
  items: z.int().nonnegative(),
  problem: z.string().nullable(),
})
export type FeedReport = z.infer<typeof FeedReport>

export const NewsDigest = z.strictObject({ headlines: z.array(Headline), feeds: z.array(FeedReport) })
export type NewsDigest = z.infer<typeof NewsDigest>

const performanceGroup = z.strictObject({
  trades: z.int().nonnegative(),
  winRate: z.number().nullable(),
  averageR: z.number().nullable(),
  pnl: MoneyText,
})

/** How the strategy's own recent trades went; the same in replay and live. */
export const RecentPerformance = z.strictObject({
  ...performanceGroup.shape,
  bySide: z.strictObject({ long: performanceGroup, short: performanceGroup }),
  byRegime: z.record(z.string(), performanceGroup),
})
export type RecentPerformance = z.infer<typeof RecentPerformance>

/** Everything a decision may be based on, as of one instant. Nothing after `asOf` is in it. */
export const Snapshot = z.strictObject({
  schemaVersion: z.literal(1),
  strategyId: StrategyId,
  cycleId: z.string(),
  slot: IsoTime,
  asOf: IsoTime,
  symbol: z.string(),
  quote: Quote,
  /** The decision timeframe (30 minutes or 1 hour), four hours, one day. */
  views: z.strictObject({ primary: TimeframeView, fourHour: TimeframeView, daily: TimeframeView }),
  funding: z
    .strictObject({
      /** Last known rate per interval, fraction of notional, longs pay when positive. */
      rate: z.number(),
      intervalHours: z.number().positive(),
      /** rate x intervals a year. */
      annualised: z.number(),
      averageRate: z.number(),
    })
    .nullable(),
  /** In contracts or base units as the venue gives it; null where it does not. */
  openInterest: z.number().nullable(),
  reference: z
    .strictObject({
      symbol: z.string(),
      price: z.number().positive(),
      /** Fractional changes over the last hour, day and week; null where history is too short. */
      change1h: reading,
      change24h: reading,
      change7d: reading,
      rsi14: reading,
      regime: Regime,
      /** Correlation of hourly log returns with the traded market over the last 7 days. */
      correlation: reading,
    })
    .nullable(),
  news: NewsDigest,
  account: z.strictObject({
    equity: MoneyText,
    cash: MoneyText,
    /** Fractions of day-start and of peak equity; a loss is negative, a drawdown positive. */
    dayReturn: z.number(),
    drawdown: z.number(),
    entriesToday: z.int().nonnegative(),
    consecutiveLosses: z.int().nonnegative(),
  }),
  position: z
    .strictObject({
      side: PositionSide,
      quantity: QuantityText,
      entryPrice: PriceText,
      openedAt: IsoTime,
      heldMinutes: z.number().nonnegative(),
      bracket: Bracket.nullable(),
      liquidationPrice: PriceText.nullable(),
      unrealisedPnl: MoneyText,
      /** Unrealised PnL over the money at risk at entry. */
      unrealisedR: reading,
      thesis: Thesis.nullable(),
    })
    .nullable(),
  decisions: z.array(DecisionSummary),
  performance: RecentPerformance,
  /** What is wrong with the bars of the traded market; anything here keeps entries out. */
  issues: z.array(DataIssue),
  /** What could not be had besides: reference market, funding, open interest. Costs only itself. */
  contextIssues: z.array(DataIssue),
})
export type Snapshot = z.infer<typeof Snapshot>
