import { canonical, dec, type Quantity } from '../core/decimal.ts'

/** Doublings counted: the smallest order times 2^40 is beyond any venue's largest. */
const MAX_DOUBLINGS = 40

/**
 * The largest live entry, in contracts: minQuantity x 2^floor(closed live trades / trades per step). The first live
 * entries are the smallest that the venue takes; the ceiling doubles after each step. It says nothing of how good the
 * trades were: that is what daily loss, drawdown and Kelly are for.
 */
export function liveSizeCap(minQuantity: Quantity, closedTrades: number, tradesPerSizeStep: number): Quantity {
  const doublings = Math.min(MAX_DOUBLINGS, Math.floor(closedTrades / tradesPerSizeStep))
  return canonical(dec(minQuantity).times(2 ** doublings)) as Quantity
}
