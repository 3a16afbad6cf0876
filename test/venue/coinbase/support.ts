import { configOf } from '../../support/instruments.ts'
import type { Approved } from '../../../lib/guard/approval.ts'
import { createCoinbaseBroker } from '../../../lib/venue/coinbase/coinbase-broker.ts'
import { NoAnswerError, type Transport, type WireAnswer, type WireRequest } from '../../../lib/venue/coinbase/wire.ts'
import { type Leg, clientOrderIdOf } from '../../../lib/core/ids.ts'
import type { Price, Quantity } from '../../../lib/core/decimal.ts'
import { toIso } from '../../../lib/core/time.ts'
import type { CloseOrder, EntryOrder, ProtectOrder } from '../../../schemas/order.ts'
import { StrategyConfig } from '../../../schemas/strategy-config.ts'

export const SYMBOL = 'ETP-20DEC30-CDE'
export const NOW = Date.parse('2026-11-21T12:00:00Z')
export const STRATEGY = 'eth-live'

/** A body to be sent with 200, a whole answer, or what the transport rejects with. */
export type Scripted = object | WireAnswer | Error | ((request: WireRequest) => object)
export type Script = Record<string, Scripted | Scripted[]>

export const status = (code: number, body: unknown = ''): WireAnswer => ({
  status: code,
  text: typeof body === 'string' ? body : JSON.stringify(body),
})
export const apiError = (code: number, error: string, message = 'words'): WireAnswer =>
  status(code, { error, error_details: message, message })
export const noAnswer = (wasSent = true): NoAnswerError =>
  new NoAnswerError(wasSent ? 'the connection was cut' : 'connection refused', { wasSent })
export const NOT_FOUND = apiError(404, 'NOT_FOUND')

/** Answers by `METHOD endpoint`: an array answers one request each, its last every further one. */
export function scriptTransport(script: Script): {
  transport: Transport
  sent: (WireRequest & { timeoutMs: number; sendBy: number | undefined })[]
} {
  const sent: (WireRequest & { timeoutMs: number; sendBy: number | undefined })[] = []
  const counts = new Map<string, number>()
  const transport: Transport = async (request, timeoutMs, sendBy) => {
    sent.push({ ...request, timeoutMs, sendBy })
    const key = `${request.method} ${request.endpoint}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const given = script[key]
    if (given === undefined) throw new Error(`the script has no ${key}`)
    const one = Array.isArray(given) ? given[Math.min(count, given.length - 1)] : given
    const answer = typeof one === 'function' ? one(request) : one
    if (answer instanceof Error) throw answer
    if (answer === undefined) throw new Error(`the script of ${key} is empty`)
    return 'status' in answer && 'text' in answer
      ? (answer as WireAnswer)
      : { status: 200, text: JSON.stringify(answer) }
  }
  return { transport, sent }
}

export const PRODUCT = {
  product_id: SYMBOL,
  product_venue: 'FCM',
  price: '3000',
  price_increment: '0.50',
  quote_increment: '0.01',
  base_increment: '1',
  base_min_size: '1',
  base_max_size: '4000',
  quote_currency_id: 'USD',
  base_currency_id: '',
  status: '',
  is_disabled: false,
  trading_disabled: false,
  cancel_only: false,
  limit_only: false,
  post_only: false,
  auction_mode: false,
  view_only: false,
  fcm_trading_session_details: {
    is_session_open: true,
    open_time: '2026-11-20T22:00:00Z',
    close_time: '2026-11-21T22:00:00Z',
    session_state: 'FCM_TRADING_SESSION_STATE_OPEN',
    closed_reason: 'FCM_TRADING_SESSION_CLOSED_REASON_EXCHANGE_MAINTENANCE',
    maintenance: { start_time: '2026-11-28T15:00:00Z', end_time: '2026-11-28T18:00:00Z' },
  },
  future_product_details: {
    contract_root_unit: 'ETH',
    contract_size: '0.10',
    contract_expiry: '2030-12-20T16:00:00Z',
    contract_expiry_type: 'EXPIRING',
    funding_interval: '3600s',
    funding_rate: '0.00001',
    intraday_margin_rate: { long_margin_rate: '0.1', short_margin_rate: '0.1' },
    overnight_margin_rate: { long_margin_rate: '0.22', short_margin_rate: '0.275' },
    twenty_four_by_seven: true,
    perpetual_details: { open_interest: '1', funding_rate: '', funding_time: null, max_leverage: '' },
  },
}
export const FEES = {
  total_fees: 0,
  fee_tier: { pricing_tier: 'Advanced 1', taker_fee_rate: '0.0003', maker_fee_rate: '0' },
}
const usd = (value: string) => ({ value, currency: 'USD' })
export const BALANCE = {
  balance_summary: {
    available_margin: usd('9000.00'),
    total_open_orders_hold_amount: usd('500'),
    unrealized_pnl: usd('-40.25'),
    futures_buying_power: usd('8000'),
    liquidation_buffer_amount: usd('600'),
  },
}
export const TIME = { iso: toIso(NOW), epochSeconds: String(NOW / 1_000), epochMillis: String(NOW) }
export const NO_ORDERS = { orders: [], has_next: false, cursor: '', sequence: '0' }
export const PREVIEW = {
  errs: [],
  warning: [],
  order_total: '600',
  commission_total: '0.5',
  best_bid: '2999.5',
  best_ask: '3000',
  est_average_filled_price: '3000',
  predicted_liquidation_price: '2000',
}
export const PLACED = (orderId: string, clientOrderId: string) => ({
  success: true,
  success_response: {
    order_id: orderId,
    product_id: SYMBOL,
    side: 'BUY',
    client_order_id: clientOrderId,
    attached_order_id: '',
  },
  order_configuration: {},
})
export const REFUSED = (reason: string) => ({
  success: false,
  error_response: {
    error: 'UNKNOWN_FAILURE_REASON',
    message: '',
    error_details: '',
    preview_failure_reason: 'UNKNOWN_PREVIEW_FAILURE_REASON',
    new_order_failure_reason: reason,
  },
})

/** The venue with nothing in it and everything well. */
export const QUIET: Script = {
  'GET time': TIME,
  'GET key_permissions': {
    can_view: true,
    can_trade: true,
    can_transfer: false,
    portfolio_uuid: 'p-1',
    portfolio_type: 'DEFAULT',
  },
  'GET products/{product_id}': PRODUCT,
  'GET transaction_summary': FEES,
  'GET cfm/balance_summary': BALANCE,
  'GET cfm/positions': { positions: [] },
  'GET cfm/positions/{product_id}': NOT_FOUND,
  'GET orders/historical/batch': NO_ORDERS,
  'GET orders/historical/fills': { fills: [], cursor: '' },
  'GET orders/historical/{order_id}': NOT_FOUND,
  'POST orders/preview': PREVIEW,
}

export const idOf = (leg: Leg, attempt = 0): string => clientOrderIdOf(STRATEGY, NOW - 3_600_000, leg, attempt)

let serial = 0
/** An order as the list tells it. */
export function wireOrder(more: Record<string, unknown> = {}) {
  serial += 1
  return {
    order_id: `order-${serial}`,
    client_order_id: '',
    product_id: SYMBOL,
    user_id: 'u',
    side: 'SELL',
    status: 'OPEN',
    order_configuration: {
      trigger_bracket_gtc: { base_size: '2', limit_price: '3300.0', stop_trigger_price: '2850.00' },
    },
    attached_order_configuration: null,
    originating_order_id: '',
    attached_order_id: '',
    filled_size: '0',
    average_filled_price: '0',
    workable_size: '',
    created_time: '2026-11-21T11:00:00.123456Z',
    trigger_status: 'STOP_PENDING',
    order_type: 'BRACKET',
    is_liquidation: false,
    reject_reason: 'REJECT_REASON_UNSPECIFIED',
    reject_message: '',
    cancel_message: '',
    ...more,
  }
}

export function configWith(
  live: Partial<StrategyConfig['live']> = {},
  guard: Partial<StrategyConfig['guard']> = {},
): StrategyConfig {
  return configOf({ id: STRATEGY, mode: 'live', live, guard, market: { source: 'live', symbol: SYMBOL } })
}

/** A broker on a scripted venue, with a clock of its own that stands still unless moved. */
export function brokerOn(script: Script, { live = {} }: { live?: Partial<StrategyConfig['live']> } = {}) {
  const { transport, sent } = scriptTransport({ ...QUIET, ...script })
  const time = { now: NOW }
  const waits: number[] = []
  const warnings: { message: string; fields: unknown }[] = []
  const broker = createCoinbaseBroker({
    transport: (request, timeoutMs, sendBy) => transport(request, timeoutMs, sendBy),
    config: configWith(live),
    clock: () => time.now,
    sleep: async (ms) => {
      waits.push(ms)
      time.now += ms
    },
    telemetry: { log: (_level, message, fields) => warnings.push({ message, fields }) },
  })
  return { broker, sent, time, waits, warnings }
}

export const entry = (more: Partial<Omit<EntryOrder, 'kind'>> = {}): Approved<EntryOrder> =>
  ({
    kind: 'entry',
    clientOrderId: idOf('entry'),
    symbol: SYMBOL,
    side: 'buy',
    quantity: '2' as Quantity,
    priceLimit: '3003' as Price,
    bracket: { stopLossPrice: '2850' as Price, takeProfitPrice: '3300' as Price },
    leverage: '2' as Quantity,
    ...more,
  }) as Approved<EntryOrder>
export const protect = (more: Partial<Omit<ProtectOrder, 'kind'>> = {}): ProtectOrder => ({
  kind: 'protect',
  clientOrderId: idOf('protect'),
  symbol: SYMBOL,
  side: 'sell',
  quantity: '2' as Quantity,
  bracket: { stopLossPrice: '2850' as Price, takeProfitPrice: '3300' as Price },
  ...more,
})
export const close = (more: Partial<Omit<CloseOrder, 'kind'>> = {}): CloseOrder => ({
  kind: 'close',
  clientOrderId: idOf('close'),
  symbol: SYMBOL,
  side: 'sell',
  quantity: '2' as Quantity,
  ...more,
})
export const DEADLINE = NOW + 20_000
