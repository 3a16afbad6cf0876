import { dec, minus, money, price, quantity, sum } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { type EpochMs, toIso } from '../../core/time.ts'
import { VenueAccount, VenuePosition } from '../../../schemas/order.ts'
import { BrokerError } from '../broker.ts'
import type { BalanceSummary } from './endpoints/balance-summary.ts'
import type { PositionAnswer } from './endpoints/position.ts'
import { ours } from './ours.ts'

/**
 * Available margin is, as published, spot USD + futures USD + futures PnL less holds. With the orders' holds put back
 * it is what the account is worth, however settlement and sweeps move money between the parts.
 */
export function toAccount(balance: BalanceSummary, now: EpochMs): VenueAccount {
  const availableMargin = money(balance.available_margin)
  const equity = sum(availableMargin, money(balance.total_open_orders_hold_amount))
  return ours(VenueAccount, { at: toIso(now), cash: minus(equity, money(balance.unrealized_pnl)), equity, availableMargin }, 'the balance summary')
}

/** Null when flat. Throws {@link BrokerError} for a position that is not told in full. */
export function toPosition(symbol: string, answer: PositionAnswer | null, { balance, contractSize }: { balance: BalanceSummary; contractSize: string }): VenuePosition | null {
  if (answer === null || answer.number_of_contracts === '0') return null
  if (answer.product_id !== symbol) throw new BrokerError(`asked for the position in ${symbol}, got ${answer.product_id}`)
  if (answer.side !== 'LONG' && answer.side !== 'SHORT') throw new BrokerError(`the position in ${symbol} has ${answer.number_of_contracts} contracts and side ${answer.side || 'none'}`)
  const side = answer.side === 'LONG' ? 'long' : 'short'
  const { number_of_contracts: contracts, current_price: mark } = answer
  return ours(VenuePosition, {
    symbol,
    side,
    quantity: quantity(contracts),
    averageEntryPrice: answer.avg_entry_price,
    markPrice: mark,
    unrealisedPnl: money(answer.unrealized_pnl),
    liquidationPrice: mark === null ? null : liquidationPrice({ mark, side, contracts, contractSize, buffer: balance.liquidation_buffer_amount }),
  }, `the position in ${symbol}`)
}

type Exposure = { mark: string; side: 'long' | 'short'; contracts: string; contractSize: string; buffer: string | null }

const PRICE_PLACES = 8

/**
 * Cross margin: the buffer is used up by the position's loss, one for one, so it ends at
 * mark - direction x buffer / (contracts x contract size). Null where the buffer is unknown or outlasts a price of zero.
 */
function liquidationPrice({ mark, side, contracts, contractSize, buffer }: Exposure): string | null {
  if (buffer === null) return null
  const distance = dec(buffer).div(dec(contracts).times(contractSize))
  const level = dec(mark).minus(distance.times(directionOf(side))).round(PRICE_PLACES)
  return level.gt(0) ? price(level) : null
}
