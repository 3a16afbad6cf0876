import { z } from 'zod'
import { IsoTime, MoneyText } from './primitives.ts'

/** A number that may have no value: a ratio without a denominator, a statistic of too few observations. */
const statistic = z.number().nullable()

/**
 * How a set of closed trades went. Ratios are fractions; money is after all costs. Formulas in `lib/report/metrics`.
 */
export const TradeStatistics = z.strictObject({
  trades: z.int().nonnegative(),
  winRate: statistic,
  /** Sum of wins over sum of losses without its sign; null without a loss. */
  profitFactor: statistic,
  /** Average PnL of a trade. */
  expectancy: MoneyText.nullable(),
  /** Average of PnL over money at risk at entry, over the trades that had a stop. */
  averageR: statistic,
  averageWinR: statistic,
  averageLossR: statistic,
  averageHoldingMinutes: statistic,
  pnl: MoneyText,
  fees: MoneyText,
  funding: MoneyText,
  slippage: MoneyText,
})
export type TradeStatistics = z.infer<typeof TradeStatistics>

/** A confidence interval by bootstrap. */
export const Interval = z.strictObject({ low: z.number(), high: z.number() })
export type Interval = z.infer<typeof Interval>

/** A fall of equity from a peak: its depth as a fraction of the peak, and its dates. `recoveredAt` null: not yet. */
export const Drawdown = z.strictObject({
  depth: z.number(),
  peakAt: IsoTime,
  troughAt: IsoTime,
  recoveredAt: IsoTime.nullable(),
  days: z.number(),
})
export type Drawdown = z.infer<typeof Drawdown>

/** What a replay or a stored record amounts to; `metrics.json`. Ratios are fractions, never percents. */
export const Metrics = z.strictObject({
  schemaVersion: z.literal(1),
  from: IsoTime,
  to: IsoTime,
  days: z.number(),
  /** Returns the ratios are made of: how many, how long each, and how many go into a year. */
  observations: z.int().nonnegative(),
  observationHours: z.number().positive(),
  observationsPerYear: z.number().positive(),
  startEquity: MoneyText,
  endEquity: MoneyText,
  totalReturn: z.number(),
  annualisedReturn: statistic,
  volatility: statistic,
  sharpe: statistic,
  sortino: statistic,
  calmar: statistic,
  skewness: statistic,
  /** Plain, not in excess: 3 for a normal distribution. */
  kurtosis: statistic,
  maxDrawdown: z.number().nonnegative(),
  /** The deepest and the longest; null when equity never fell. */
  deepestDrawdown: Drawdown.nullable(),
  longestDrawdown: Drawdown.nullable(),
  /** Share of the slots that were not flat. */
  exposure: z.number().nonnegative(),
  /** Notional traded, both ways, over average equity, a year. */
  turnover: statistic,
  ...TradeStatistics.shape,
  /** Gain before fees and funding, slippage inside. */
  gross: MoneyText,
  /** What the model cost; null where its price is unknown. Not inside pnl: it is paid elsewhere. */
  tokenCostUsd: z.number().nonnegative().nullable(),
  tokens: z.strictObject({ input: z.int().nonnegative(), output: z.int().nonnegative() }),
  bySide: z.record(z.string(), TradeStatistics),
  byRegime: z.record(z.string(), TradeStatistics),
  /** By UTC hour of the entry, "00" to "23". To be sorted by whoever lists them: JavaScript puts "10" before "09". */
  byHour: z.record(z.string(), TradeStatistics),
  byExitReason: z.record(z.string(), TradeStatistics),
  evidence: z.strictObject({
    /** Different settings tried on this market, this one among them. */
    trials: z.int().positive(),
    /** Standard deviation over the trials of the Sharpe ratio per observation; null with one trial. */
    trialDeviation: statistic,
    /**
     * Where it comes from: measured over the trials, or the sampling error of ratios without skill; null where there is
     * none.
     */
    trialDeviationSource: z.enum(['trials', 'sampling_error']).nullable(),
    /** Annualised Sharpe ratio that the best of so many trials without skill would be expected to show; 0 with one. */
    luckySharpe: statistic,
    /** Probability that the true Sharpe ratio is above zero, given length, skewness and kurtosis. */
    probabilisticSharpe: statistic,
    /** The same against the best that so many trials without skill would be expected to show. */
    deflatedSharpe: statistic,
    confidence: z.number(),
    resamples: z.int().nonnegative(),
    intervals: z.strictObject({
      totalReturn: Interval.nullable(),
      sharpe: Interval.nullable(),
      averageR: Interval.nullable(),
    }),
  }),
})
export type Metrics = z.infer<typeof Metrics>

export const GATE_NAMES = ['sharpe', 'max_drawdown', 'trades', 'deflated_sharpe', 'beats_holding'] as const

/** One gate: what was asked, what was found, and what came of it. */
export const Gate = z.strictObject({
  gate: z.enum(GATE_NAMES),
  result: z.enum(['pass', 'fail', 'not_enough_evidence']),
  limit: z.number(),
  /** The number that decided; null where there is none yet. */
  actual: statistic,
  reason: z.string(),
})
export type Gate = z.infer<typeof Gate>
