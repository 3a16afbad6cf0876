import { dec, minus, money, price, quantity, sum } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { type EpochMs, toIso } from '../../core/time.ts'
import { VenueAccount, VenuePosition } from '../../../schemas/order.ts'
import { BrokerError } from '../broker.ts'
import type { BalanceSummary } from './endpoints/balance-summary.ts'
import type { PositionAnswer } from './endpoints/position.ts'
import { positive } from './fields.ts'
import { ours } from './ours.ts'

/**
 * Available margin is, as published, spot USD + futures USD + futures PnL less holds. With the orders' holds put back
 * it is what the account is worth, however settlement and sweeps move money between the parts.
 */
export function toAccount(balance: BalanceSummary, now: EpochMs): VenueAccount {
  const availableMargin = money(balance.available_margin)
  const equity = sum(availableMargin, money(balance.total_open_orders_hold_amount))
  return ours(
    VenueAccount,
    { at: toIso(now), cash: minus(equity, money(balance.unrealized_pnl)), equity, availableMargin },
    'the balance summary',
  )
}

/**
 * Flat is no position, zero contracts, or side UNKNOWN without a number of them. A side without a number is not flat.
 */
export const isFlat = (
  answer: PositionAnswer | null,
): answer is null | (PositionAnswer & { number_of_contracts: '0' | null }) =>
  answer === null ||
  answer.number_of_contracts === '0' ||
  (answer.number_of_contracts === null && answer.side === 'UNKNOWN')

type PositionFacts = {
  balance: BalanceSummary
  multiplier: string
  /** The product's, for a position that names no price; null where unknown. */
  lastPrice: string | null
}

/**
 * Null when flat. A price that is unset is replaced by the position's other one, then by the last price: what cannot
 * be priced well still has to be closed. Throws {@link BrokerError} for a position without side, size or any price.
 */
export function toPosition(
  symbol: string,
  answer: PositionAnswer | null,
  { balance, multiplier, lastPrice }: PositionFacts,
): VenuePosition | null {
  if (isFlat(answer)) return null
  const { number_of_contracts: contracts } = answer
  if (contracts === null)
    throw new BrokerError(`the position in ${symbol} has side ${answer.side || 'none'} and no number of contracts`)
  if (answer.product_id !== symbol)
    throw new BrokerError(`asked for the position in ${symbol}, got ${answer.product_id}`)
  if (answer.side !== 'LONG' && answer.side !== 'SHORT')
    throw new BrokerError(`the position in ${symbol} has ${contracts} contracts and side ${answer.side || 'none'}`)
  const side = answer.side === 'LONG' ? 'long' : 'short'
  const [mark, entered] = [positive(answer.current_price), positive(answer.avg_entry_price)]
  const anyPrice = mark ?? entered ?? positive(lastPrice)
  if (anyPrice === null) throw new BrokerError(`the position in ${symbol} has no price, and neither has the product`)
  return ours(
    VenuePosition,
    {
      symbol,
      side,
      quantity: quantity(contracts),
      averageEntryPrice: entered ?? anyPrice,
      markPrice: anyPrice,
      unrealisedPnl: money(answer.unrealized_pnl),
      // The buffer counts from the mark: from any other price it would tell a wrong level.
      liquidationPrice:
        mark === null
          ? null
          : liquidationPrice({ mark, side, contracts, multiplier, buffer: balance.liquidation_buffer_amount }),
    },
    `the position in ${symbol}`,
  )
}

type Exposure = { mark: string; side: 'long' | 'short'; contracts: string; multiplier: string; buffer: string | null }

const PRICE_PLACES = 8

/**
 * Cross margin: the buffer is used up by the position's loss, one for one, so it ends at
 * mark - direction x buffer / (contracts x contract size). Null where the buffer is unknown or outlasts a price of
 * zero.
 */
function liquidationPrice({ mark, side, contracts, multiplier, buffer }: Exposure): string | null {
  if (buffer === null) return null
  const distance = dec(buffer).div(dec(contracts).times(multiplier))
  const level = dec(mark)
    .minus(distance.times(directionOf(side)))
    .round(PRICE_PLACES)
  return level.gt(0) ? price(level) : null
}
