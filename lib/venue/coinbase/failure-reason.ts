import type { Placement } from '../../../schemas/order.ts'
import { readVocabulary, refused } from '../refusal.ts'
import type { ErrorResponse } from './endpoints/create-order.ts'

const isSaid = (reason: string): boolean =>
  reason !== '' && !reason.startsWith('UNKNOWN') && !reason.startsWith('PREVIEW_UNKNOWN')

/** `PREVIEW_INSUFFICIENT_FUND` as `insufficient_fund`. */
export const plainReason = (reason: string): string => reason.replace(/^PREVIEW_/, '').toLowerCase()

/** Why an order was refused: the first member that says anything. An order refused for unknown reasons is refused. */
export function failureReason({
  new_order_failure_reason: first,
  preview_failure_reason: second,
  error: third,
}: ErrorResponse): string {
  return plainReason([first, second, third].find(isSaid) ?? 'UNKNOWN_FAILURE_REASON')
}

/** The venue's reasons, without their prefix and in lower case, in venue-neutral words; every other one is `other`. */
export const refusalOf = readVocabulary({
  // A stop that rests by itself is closed at market for these: none stands here that may mean another fault of the
  // price.
  stop_beyond_price: [
    'stop_already_triggered',
    'stop_triggered',
    'stop_price_above_last_trade_price',
    'stop_price_below_last_trade_price',
    'invalid_bracket_stop_trigger_price',
    'stop_trigger_price_out_of_bounds',
  ],
  exit_exists: ['bracket_order_size_exceeds_position', 'order_size_exceeds_bracketed_position', 'open_bracket_orders'],
  duplicate_id: ['duplicate_client_order_id'],
  venue_closed: [
    'invalid_fcm_trading_session',
    'trading_disabled',
    'product_trading_halted',
    'untradable_product',
    'order_entry_disabled',
    'not_allowed_by_market_state',
    'futures_after_hour_invalid_order_type',
    'futures_after_hour_invalid_time_in_force',
  ],
  no_margin: [
    'insufficient_fund',
    'insufficient_funds',
    'insufficient_funds_for_futures',
    'insufficient_ledger_balance',
    'invalid_ledger_balance',
    'invalid_margin_health',
    'in_liquidation',
  ],
  unknown_instrument: ['invalid_product_id', 'ineligible_pair', 'invalid_unsupported_instrument'],
  rate_limited: ['rate_limited', 'rfq_rate_limited'],
  price_out_of_bounds: [
    'invalid_bracket_limit_price',
    'bracket_limit_price_out_of_bounds',
    'invalid_bracket_prices',
    'invalid_limit_price',
    'invalid_price_precision',
    'invalid_limit_price_precision',
    'invalid_stop_price',
    'invalid_stop_price_precision',
    'invalid_stop_trigger_price_precision',
    'invalid_bracket_limit_price_precision',
    'limit_price_too_far_from_market',
    'limit_order_price_exceeds_price_band_on_buy',
    'limit_order_price_exceeds_price_band_on_sell',
    'breached_price_limit',
    'invalid_price_too_large',
    'invalid_attached_take_profit_price',
    'invalid_attached_take_profit_price_precision',
    'invalid_attached_take_profit_price_out_of_bounds',
    'invalid_attached_stop_loss_price',
    'invalid_attached_stop_loss_price_precision',
    'invalid_attached_stop_loss_price_out_of_bounds',
    'price_beyond_limit',
  ],
  size_out_of_bounds: [
    'invalid_size_precision',
    'invalid_base_size_too_large',
    'invalid_base_size_too_small',
    'non_numeric_order_size',
    'breached_account_position_limit',
    'breached_company_position_limit',
    'breached_open_interest_limit',
  ],
  credentials_rejected: ['unauthorised', 'permission_denied'],
})

/** An order that was refused for a reason of the venue's, or not sent for one of the broker's own. */
export const refusedAs = (reason: string): Placement => refused(reason, refusalOf(reason))
