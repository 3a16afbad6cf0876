import { type Money, type Quantity, sumAll, toNumber, ZERO_MONEY } from '../../core/decimal.ts'
import { invariant } from '../../core/invariant.ts'
import { DAY_MS, type EpochMs, toIso } from '../../core/time.ts'
import type { EquityPoint } from '../../../schemas/equity.ts'
import type { Metrics } from '../../../schemas/metrics.ts'
import type { Trade } from '../../../schemas/trade.ts'
import { bootstrapSeries, bootstrapValues } from './bootstrap.ts'
import { type CurvePoint, toCurve } from './curve.ts'
import { deepestDrawdown, findFalls, longestDrawdown, maxDrawdown } from './drawdowns.ts'
import { divide, kurtosis, mean, skewness } from './moments.ts'
import { annualisedReturn, calmarRatio, sharpeRatio, sortinoRatio, totalReturn, volatility } from './ratios.ts'
import { dailyReturns, OBSERVATION_HOURS, OBSERVATIONS_PER_YEAR } from './returns.ts'
import { deflatedSharpe, luckySharpe, noSkillDeviation, probabilisticSharpe } from './sharpe-evidence.ts'
import {
  exitReasonOf,
  groupTrades,
  hourOf,
  multiplesOf,
  regimeOf,
  sideOf,
  tradedNotional,
  tradeStatistics,
} from './trade-statistics.ts'
import { exposure, turnover } from './use-of-capital.ts'

export type MetricsInput = {
  /** One a slot, in order of time, from `from` on; slots may be missing. */
  equity: readonly EquityPoint[]
  /** Equity at `from`, above zero. */
  startEquity: Money
  from: EpochMs
  to: EpochMs
  /** Closed trades, in any order. */
  trades: readonly Trade[]
  /** Units of the base asset in one contract. */
  multiplier: Quantity
  tokens: { input: number; output: number }
  /** Null where the model's price is unknown. */
  tokenCostUsd: number | null
  /** Deposits less withdrawals before `from`; none unless said otherwise. */
  transferredAtStart?: Money
  /** Different settings tried on this market, this one among them. */
  trials?: number
  /**
   * Standard deviation over the trials of the Sharpe ratio per observation ({@link sharpePerObservation}); null where
   * it is not known.
   */
  trialDeviation?: number | null
  /** Of every bootstrap; 0 for no intervals. */
  resamples?: number
  /** Share of the resamples inside an interval. */
  confidence?: number
  seed?: number | string
}

/** What a result amounts to. Pure: equal inputs give equal bytes, in whatever order the trades come. */
export function computeMetrics(input: MetricsInput): Metrics {
  const {
    equity,
    startEquity,
    from,
    to,
    multiplier,
    tokens,
    tokenCostUsd,
    transferredAtStart = ZERO_MONEY,
    trials = 1,
    trialDeviation = null,
    resamples = 2_000,
    confidence = 0.95,
    seed = 1,
  } = input
  invariant(to >= from, `a record ends after it begins: ${from} to ${to}`)
  // Sums of floating-point numbers and resamples depend on the order.
  const trades = input.trades.toSorted((a, b) =>
    a.entryTime === b.entryTime ? compare(a.id, b.id) : compare(a.entryTime, b.entryTime),
  )
  const endEquity = equity.at(-1)?.equity ?? startEquity
  const curve = toCurve(equity, startEquity, from, transferredAtStart)
  const returns = dailyReturns(curve)
  const falls = findFalls(curve, to)
  const days = (to - from) / DAY_MS
  const hasTransfers = equity.some(({ transferred = ZERO_MONEY }) => transferred !== transferredAtStart)
  const total = hasTransfers
    ? (curve.at(-1)?.value ?? toNumber(startEquity)) / toNumber(startEquity) - 1
    : totalReturn(startEquity, endEquity)
  const annualised = annualisedReturn(total, days)
  const deepest = maxDrawdown(curve)
  const [returnInterval = null, sharpeInterval = null] = bootstrapSeries(returns, [compound, sharpeRatio], {
    resamples,
    confidence,
    seed,
  })
  return {
    schemaVersion: 1,
    from: toIso(from),
    to: toIso(to),
    days,
    observations: returns.length,
    observationHours: OBSERVATION_HOURS,
    observationsPerYear: OBSERVATIONS_PER_YEAR,
    startEquity,
    endEquity,
    totalReturn: total,
    annualisedReturn: annualised,
    volatility: volatility(returns),
    sharpe: sharpeRatio(returns),
    sortino: sortinoRatio(returns),
    calmar: calmarRatio(annualised, deepest),
    skewness: skewness(returns),
    kurtosis: kurtosis(returns),
    maxDrawdown: deepest,
    deepestDrawdown: deepestDrawdown(falls),
    longestDrawdown: longestDrawdown(falls),
    exposure: exposure(equity),
    turnover: turnover(tradedNotional(trades, multiplier), mean(curve.map(({ value }) => value)), to - from),
    ...tradeStatistics(trades),
    gross: sumAll(trades.map(({ gross }) => gross)),
    tokenCostUsd,
    tokens,
    bySide: groupTrades(trades, sideOf),
    byRegime: groupTrades(trades, regimeOf),
    byHour: groupTrades(trades, hourOf),
    byExitReason: groupTrades(trades, exitReasonOf),
    evidence: {
      ...sharpeEvidence(returns, trials, trialDeviation),
      confidence,
      resamples,
      intervals: {
        totalReturn: returnInterval,
        sharpe: sharpeInterval,
        averageR: bootstrapValues(multiplesOf(trades), mean, { resamples, confidence, seed }),
      },
    },
  }
}

/**
 * The few numbers that a baseline is compared by, of its curve alone; the first point is what it starts from, above
 * zero.
 */
export function measureCurve(curve: readonly CurvePoint[]): {
  totalReturn: number
  sharpe: number | null
  maxDrawdown: number
} {
  const [first, last] = [curve[0]?.value ?? 0, curve.at(-1)?.value ?? 0]
  return {
    totalReturn: divide(last - first, first) ?? 0,
    sharpe: sharpeRatio(dailyReturns(curve)),
    maxDrawdown: maxDrawdown(curve),
  }
}

/** The Sharpe ratio as deflation takes it and as trials are compared by: not annualised. */
export const sharpePerObservation = ({
  sharpe,
  observationsPerYear,
}: Pick<Metrics, 'sharpe' | 'observationsPerYear'>): number | null =>
  sharpe === null ? null : sharpe / Math.sqrt(observationsPerYear)

type Evidence = Pick<
  Metrics['evidence'],
  'trials' | 'trialDeviation' | 'trialDeviationSource' | 'luckySharpe' | 'probabilisticSharpe' | 'deflatedSharpe'
>

/** Where the trials' deviation is not known, they are taken to differ by sampling error alone, as without any skill. */
function sharpeEvidence(returns: readonly number[], trials: number, measured: number | null): Evidence {
  const deviation = trials === 1 ? 0 : (measured ?? noSkillDeviation(returns.length))
  const lucky = deviation === null ? null : luckySharpe(trials, deviation)
  const [sharpe, skew, kurt] = [sharpeRatio(returns, 1), skewness(returns), kurtosis(returns)]
  const estimate =
    sharpe === null || skew === null || kurt === null
      ? null
      : { sharpe, observations: returns.length, skewness: skew, kurtosis: kurt }
  return {
    trials,
    trialDeviation: trials === 1 ? null : deviation,
    trialDeviationSource: trials === 1 || deviation === null ? null : measured === null ? 'sampling_error' : 'trials',
    luckySharpe: lucky === null ? null : lucky * Math.sqrt(OBSERVATIONS_PER_YEAR),
    probabilisticSharpe: estimate === null ? null : probabilisticSharpe(estimate),
    deflatedSharpe: estimate === null || deviation === null ? null : deflatedSharpe(estimate, trials, deviation),
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compound(returns: Float64Array): number {
  let wealth = 1
  for (let index = 0; index < returns.length; index += 1) wealth *= 1 + (returns[index] ?? 0)
  return wealth - 1
}
