import { readVocabulary } from '../refusal.ts'

/** The paper venue's reasons in venue-neutral words. */
export const paperRefusalOf = readVocabulary({
  stop_beyond_price: ['stop_already_triggered'],
  exit_exists: ['order_size_exceeds_bracketed_position'],
  duplicate_id: ['duplicate_client_order_id'],
  venue_closed: ['session_closed', 'no_trades'],
  no_margin: ['insufficient_margin', 'invalid_leverage'],
  unknown_instrument: ['invalid_product_id'],
  rate_limited: [],
  price_out_of_bounds: ['invalid_price_precision', 'invalid_bracket_prices', 'invalid_bracket_limit_price'],
  size_out_of_bounds: [
    'invalid_size_precision',
    'below_minimum_size',
    'above_maximum_size',
    'order_size_exceeds_position',
  ],
  credentials_rejected: [],
})
