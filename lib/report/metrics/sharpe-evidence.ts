import { invariant } from '../../core/invariant.ts'
import { normalCdf, normalQuantile } from './normal.ts'

const EULER_MASCHERONI = 0.5772156649015329

/**
 * A Sharpe ratio and what its error depends on. All per observation, never annualised; kurtosis plain, not in excess.
 */
export type SharpeEstimate = { sharpe: number; observations: number; skewness: number; kurtosis: number }

/**
 * Standard error of an estimated Sharpe ratio, √((1 - γ₃ SR + (γ₄ - 1)/4 SR²) / (T - 1)), for independent returns of
 * any distribution. Null of fewer than two observations, or where the returns take only two values, just so that it is
 * zero. Mertens (2002); Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk (2012).
 */
export function sharpeError({ sharpe, observations, skewness, kurtosis }: SharpeEstimate): number | null {
  const variance = (1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe ** 2) / (observations - 1)
  return observations > 1 && variance > 0 ? Math.sqrt(variance) : null
}

/**
 * Probabilistic Sharpe ratio: the probability that the true ratio is above `benchmark`, Φ((SR - benchmark) / error)
 * with the error of {@link sharpeError}. Bailey and López de Prado (2012).
 */
export function probabilisticSharpe(estimate: SharpeEstimate, benchmark = 0): number | null {
  const error = sharpeError(estimate)
  return error === null ? null : normalCdf((estimate.sharpe - benchmark) / error)
}

/**
 * Expected maximum of `trials` independent standard normal draws, (1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e)), γ being
 * Euler's constant; 0 for one. Bailey and López de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management
 * (2014).
 */
export function expectedMaximum(trials: number): number {
  invariant(Number.isInteger(trials) && trials >= 1, `trials are counted from one, got ${trials}`)
  if (trials === 1) return 0
  return -(1 - EULER_MASCHERONI) * normalQuantile(1 / trials) - EULER_MASCHERONI * normalQuantile(1 / (trials * Math.E))
}

/**
 * Standard deviation of estimated Sharpe ratios per observation when none has any skill, 1 / √(T - 1): their sampling
 * error at a true ratio of zero.
 */
export const noSkillDeviation = (observations: number): number | null =>
  observations > 1 ? 1 / Math.sqrt(observations - 1) : null

/**
 * The Sharpe ratio per observation that the best of so many trials without skill is expected to show: the
 * {@link expectedMaximum} times the deviation of their ratios. Bailey and López de Prado (2014), SR₀.
 */
export function luckySharpe(trials: number, deviation: number): number {
  invariant(deviation >= 0, `a standard deviation is not negative, got ${deviation}`)
  return expectedMaximum(trials) * deviation
}

/**
 * Deflated Sharpe ratio: the {@link probabilisticSharpe} against {@link luckySharpe}. `deviation` is that of the
 * trials' ratios per observation. With one trial it is the probabilistic ratio against zero. Bailey and López de Prado
 * (2014).
 */
export const deflatedSharpe = (estimate: SharpeEstimate, trials: number, deviation: number): number | null =>
  probabilisticSharpe(estimate, luckySharpe(trials, deviation))
