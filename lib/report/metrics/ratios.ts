import { canonical, dec, type Money, toNumber } from '../../core/decimal.ts'
import { deviation, divide, mean } from './moments.ts'
import { OBSERVATIONS_PER_YEAR } from './returns.ts'

/** Shortest span that is compounded to a year. */
export const MIN_ANNUALISED_DAYS = 30

/** (end - start) / start; the difference is exact. */
export const totalReturn = (start: Money, end: Money): number => toNumber(canonical(dec(end).minus(start).div(start)))

/**
 * Geometric return a year, (1 + total)^(365 / days) - 1. Null below {@link MIN_ANNUALISED_DAYS}: a few days compounded
 * to a year say nothing (the GIPS standards annualise nothing below a year). Null too where more than all is lost.
 */
export function annualisedReturn(total: number, days: number): number | null {
  if (days < MIN_ANNUALISED_DAYS || total < -1) return null
  const annual = (1 + total) ** (OBSERVATIONS_PER_YEAR / days) - 1
  return Number.isFinite(annual) ? annual : null
}

/** Sample standard deviation of returns, times √(observations a year). Null of fewer than two returns. */
export function volatility(returns: ArrayLike<number>, perYear: number = OBSERVATIONS_PER_YEAR): number | null {
  const spread = deviation(returns)
  return spread === null ? null : spread * Math.sqrt(perYear)
}

/**
 * Sharpe ratio, mean / sample standard deviation of returns, times √(observations a year); `perYear` 1 gives it per
 * observation. The risk-free rate is taken as zero: the account earns no interest. Null of fewer than two returns or
 * without spread. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management (1994).
 */
export function sharpeRatio(returns: ArrayLike<number>, perYear: number = OBSERVATIONS_PER_YEAR): number | null {
  const average = mean(returns)
  const spread = deviation(returns)
  if (average === null || spread === null) return null
  const ratio = divide(average, spread)
  return ratio === null ? null : ratio * Math.sqrt(perYear)
}

/** √(Σ min(r, 0)² / n) over all n returns, those above zero counting as zero; null of no returns. */
export function downsideDeviation(returns: ArrayLike<number>): number | null {
  const square = mean(Array.from(returns, (value) => Math.min(value, 0) ** 2))
  return square === null ? null : Math.sqrt(square)
}

/**
 * Sortino ratio with target zero, mean / {@link downsideDeviation}, times √(observations a year). Null of fewer than
 * two returns or without a fall. Sortino and Price (1994); Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio" (2013).
 */
export function sortinoRatio(returns: ArrayLike<number>, perYear: number = OBSERVATIONS_PER_YEAR): number | null {
  const average = mean(returns)
  const downside = downsideDeviation(returns)
  if (returns.length < 2 || average === null || downside === null) return null
  const ratio = divide(average, downside)
  return ratio === null ? null : ratio * Math.sqrt(perYear)
}

/** Calmar ratio, annualised return / maximum drawdown, over the whole span; null without either. Young (1991). */
export const calmarRatio = (annualised: number | null, maxDrawdown: number): number | null =>
  annualised === null ? null : divide(annualised, maxDrawdown)
