import { type Decimal, dec } from '../core/decimal.ts'
import { directionOf, liquidationPrice, type PositionSide } from '../core/margin.ts'
import type { Instrument } from '../../schemas/instrument.ts'

/**
 * The fraction of the notional at `price` that the venue asks for to open. Throws where a contract at that price is
 * worth nothing.
 */
export function initialMarginRate({ margin, multiplier }: Instrument, side: PositionSide, price: Decimal): Decimal {
  return 'perNotional' in margin
    ? dec(margin.perNotional.initial[side])
    : dec(margin.perContract.initial).div(price.abs().times(multiplier))
}

/**
 * The price at which a position opened at `entry` is liquidated, where `leverage` is entry notional over the margin set
 * aside: margin plus unrealised PnL equals the maintenance margin there. Never negative. Null where the facts leave no
 * margin at all: it would be liquidated at its entry.
 *
 *   per contract, for one unit:  entry/L + d (P - entry) = maintenance / multiplier
 */
export function liquidationPriceOf(
  { margin, multiplier }: Instrument,
  side: PositionSide,
  entry: Decimal,
  leverage: Decimal,
): Decimal | null {
  if (leverage.lte(0)) return null
  if ('perNotional' in margin) {
    const maintenance = dec(margin.perNotional.maintenance)
    return maintenance.lt(1) ? liquidationPrice(side, entry, leverage, maintenance) : null
  }
  const cushion = entry.div(leverage).minus(dec(margin.perContract.maintenance).div(multiplier))
  const level = entry.minus(cushion.times(directionOf(side)))
  return level.lt(0) ? dec(0) : level
}
