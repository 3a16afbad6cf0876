import { type Decimal, dec, floorToStep } from '../core/decimal.ts'
import type { TradeSummary } from '../../schemas/state.ts'
import type { GuardConfig, SizingConfig } from '../../schemas/strategy-config.ts'

/** Win rate and payoff (average win over average loss, in R) that sizing believes in. */
export type Edge = { winRate: number; payoff: number; trades: number }

/**
 * The edge from the strategy's own closed trades, shrunk toward the prior as if the prior were that many
 * trades more: few trades say little. Payoff is shrunk the same way, on wins and losses of the record.
 */
export function estimateEdge(trades: readonly TradeSummary[], prior: SizingConfig['prior']): Edge {
  const multiples = trades.flatMap((trade) => (trade.rMultiple === null ? [] : [trade.rMultiple]))
  const wins = multiples.filter((r) => r > 0)
  const losses = multiples.filter((r) => r < 0)
  const winRate = (prior.winRate * prior.trades + wins.length) / (prior.trades + wins.length + losses.length)
  const priorLosses = (1 - prior.winRate) * prior.trades
  const priorWins = prior.winRate * prior.trades
  const averageWin = (prior.payoff * priorWins + sumOf(wins)) / (priorWins + wins.length || 1)
  const averageLoss = (priorLosses - sumOf(losses)) / (priorLosses + losses.length || 1)
  return { winRate, payoff: averageLoss > 0 ? averageWin / averageLoss : prior.payoff, trades: multiples.length }
}

const sumOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Kelly's fraction of equity to risk on a bet that wins `payoff` with probability `winRate`: p - (1 - p) / b. */
export const kelly = ({ winRate, payoff }: Edge): number => (payoff > 0 ? winRate - (1 - winRate) / payoff : -1)

/**
 * Fraction of equity to risk: Kelly, halved by configuration, scaled by confidence, never above the
 * guard's risk per trade, never below the floor that keeps evidence coming.
 */
export function riskFraction(edge: Edge, confidence: number, sizing: SizingConfig, guard: GuardConfig): number {
  const wanted = Math.max(0, kelly(edge)) * sizing.kellyFraction * confidence
  return Math.min(guard.riskPerTrade, guard.maxRiskPerTrade, Math.max(sizing.minRisk, wanted))
}

/** Money that may be used up, and what one contract uses of it. */
export type Budget = { money: Decimal; perContract: Decimal }

/** The largest quantity within all budgets and the venue's maximum, rounded down to the lot; zero when there is none. */
export function largestQuantity(budgets: readonly [Budget, ...Budget[]], { maxQuantity, lotSize }: { maxQuantity: Decimal; lotSize: Decimal }): Decimal {
  if (budgets.some(({ money, perContract }) => money.lte(0) || perContract.lte(0))) return dec(0)
  // Quotients compared crosswise: only the smallest is divided out.
  const tightest = budgets.reduce((least, next) => (next.money.times(least.perContract).lt(least.money.times(next.perContract)) ? next : least))
  const affordable = tightest.money.div(tightest.perContract)
  return floorToStep(affordable.lt(maxQuantity) ? affordable : maxQuantity, lotSize)
}
