import { type Decimal, dec, floorToStep } from '../core/decimal.ts'
import type { TradeSummary } from '../../schemas/state.ts'
import type { SizingConfig } from '../../schemas/strategy-config.ts'

/** What a record of closed trades shows: how many were won and lost, and average win over average loss, in R. */
export type Edge = {
  wins: number
  losses: number
  winRate: number
  /** Infinite while nothing was lost, zero while nothing was won. */
  payoff: number
  /** How far the record is believed, in [0, 1). */
  weight: number
}

/**
 * The edge of the strategy's own record: `evidence` from a replay or paper run of the same settings, where there is
 * some, and the trades closed since. Nothing is assumed: without a record there is no edge. Its weight is n / (n +
 * shrinkage), n trades won or lost; what neither won nor lost, or had no stop, does not count.
 */
export function estimateEdge(
  trades: readonly Pick<TradeSummary, 'rMultiple'>[],
  { evidence, shrinkageTrades }: Pick<SizingConfig, 'evidence' | 'shrinkageTrades'>,
): Edge {
  const record = {
    wins: evidence?.wins ?? 0,
    losses: evidence?.losses ?? 0,
    won: (evidence?.wins ?? 0) * (evidence?.averageWinR ?? 0),
    lost: (evidence?.losses ?? 0) * (evidence?.averageLossR ?? 0),
  }
  for (const { rMultiple } of trades) {
    if (rMultiple === null || rMultiple === 0) continue
    if (rMultiple > 0) {
      record.wins += 1
      record.won += rMultiple
    } else {
      record.losses += 1
      record.lost -= rMultiple
    }
  }
  const { wins, losses, won, lost } = record
  const count = wins + losses
  const averageWin = wins === 0 ? 0 : won / wins
  const averageLoss = losses === 0 ? 0 : lost / losses
  const payoff = averageWin === 0 ? 0 : averageWin / averageLoss
  return { wins, losses, winRate: count === 0 ? 0 : wins / count, payoff, weight: count / (count + shrinkageTrades) }
}

/**
 * Kelly's fraction of equity to risk on a bet that wins `payoff` with probability `winRate`, p - (1 - p) / b (Kelly
 * 1956), shrunk toward nothing by how little the record is believed. Negative where the record loses.
 */
export function kelly({ winRate, payoff, weight }: Pick<Edge, 'winRate' | 'payoff' | 'weight'>): number {
  const full = payoff > 0 ? winRate - (1 - winRate) / payoff : -1
  return full * weight
}

/**
 * Fraction of equity to risk: Kelly, halved by configuration, scaled by confidence, never above the
 * guard's risk per trade, never below the floor that keeps evidence coming.
 */
export function riskFraction(edge: Edge, confidence: number, sizing: SizingConfig, maxRisk: number): number {
  const wanted = Math.max(0, kelly(edge)) * sizing.kellyFraction * confidence
  return Math.min(maxRisk, Math.max(sizing.minRisk, wanted))
}

/** Money that may be used up, and what one contract uses of it. */
export type Budget = { money: Decimal; perContract: Decimal }

/**
 * The largest quantity within all budgets and the venue's maximum, rounded down to the lot; zero when there is none.
 */
export function largestQuantity(
  budgets: readonly [Budget, ...Budget[]],
  { maxQuantity, lotSize }: { maxQuantity: Decimal; lotSize: Decimal },
): Decimal {
  if (budgets.some(({ money, perContract }) => money.lte(0) || perContract.lte(0))) return dec(0)
  // Quotients compared crosswise: only the smallest is divided out.
  const tightest = budgets.reduce((least, next) =>
    next.money.times(least.perContract).lt(least.money.times(next.perContract)) ? next : least,
  )
  const affordable = tightest.money.div(tightest.perContract)
  return floorToStep(affordable.lt(maxQuantity) ? affordable : maxQuantity, lotSize)
}
