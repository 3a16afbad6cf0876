import { type Decimal, dec } from './decimal.ts'

/** Direction of a position. */
export type PositionSide = 'long' | 'short'

/** +1 for a long, -1 for a short: the sign of its gain when the price rises. */
export const directionOf = (side: PositionSide): 1 | -1 => (side === 'long' ? 1 : -1)

/**
 * Mark price at which an isolated-margin position is liquidated: where margin plus unrealised PnL equals
 * maintenance margin.
 *
 *   long:  entry x (leverage - 1) / (leverage x (1 - maintenance))
 *   short: entry x (leverage + 1) / (leverage x (1 + maintenance))
 *
 * from  entry/L + d(P - entry) = m P  with d = +1 (long) or -1 (short); divided once, so that a level on a tick is that
 * tick. `leverage` is entry notional over the margin set aside; `maintenanceRate` is a fraction of the notional at
 * mark. Fees and funding are not in it. Never negative.
 */
export function liquidationPrice(
  side: PositionSide,
  entryPrice: Decimal,
  leverage: Decimal,
  maintenanceRate: Decimal,
): Decimal {
  const direction = directionOf(side)
  const numerator = entryPrice.times(leverage.minus(direction))
  const denominator = leverage.times(dec(1).minus(maintenanceRate.times(direction)))
  const level = numerator.div(denominator)
  return level.lt(0) ? dec(0) : level
}
