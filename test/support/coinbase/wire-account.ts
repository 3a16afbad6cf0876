import { canonical, money } from '../../../lib/core/decimal.ts'
import { DAY_MS, toIso } from '../../../lib/core/time.ts'
import { averageEntry } from './account.ts'
import { amount, plain } from './amounts.ts'
import { atWindow, marginAt } from './margin.ts'
import { answer, notFound, type VenueAnswer } from './request.ts'
import type { VenueState } from './state.ts'

export const CONTRACT_EXPIRY = '2030-12-20T16:00:00Z'

/** `GET cfm/balance_summary`. */
export function balanceSummary(state: VenueState): VenueAnswer {
  const { account, switches } = state
  const margin = marginAt(state)
  const percentage = margin.threshold.gt(0)
    ? ((Number(margin.buffer) / Number(margin.threshold)) * 100).toFixed(2)
    : '1000'
  const measure = (window: 'overnight' | 'intraday'): Record<string, unknown> => {
    const here = window === 'overnight' ? margin : atWindow(state, margin, window)
    return {
      margin_window_type: `FCM_MARGIN_WINDOW_TYPE_${window.toUpperCase()}`,
      margin_level: 'MARGIN_LEVEL_TYPE_BASE',
      initial_margin: plain(here.initial, switches.amountsAsObjects),
      maintenance_margin: plain(here.threshold, switches.amountsAsObjects),
      liquidation_buffer: plain(here.buffer, switches.amountsAsObjects),
      total_hold: plain(here.holds, switches.amountsAsObjects),
      futures_buying_power: plain(here.buyingPower, switches.amountsAsObjects),
    }
  }
  return answer({
    balance_summary: {
      futures_buying_power: amount(margin.buyingPower),
      total_usd_balance: amount(account.spot.plus(account.futures)),
      cbi_usd_balance: amount(account.spot),
      cfm_usd_balance: amount(account.futures),
      total_open_orders_hold_amount: amount(margin.holds),
      unrealized_pnl: amount(margin.unrealised),
      daily_realized_pnl: amount(account.dailyRealised),
      initial_margin: amount(margin.initial),
      available_margin: amount(margin.available),
      liquidation_threshold: amount(margin.threshold),
      liquidation_buffer_amount: amount(margin.buffer),
      liquidation_buffer_percentage: percentage,
      intraday_margin_window_measure: measure('intraday'),
      overnight_margin_window_measure: measure('overnight'),
      total_pending_transfers_amount: amount('0'),
      funding_pnl: amount(account.unsettledFunding),
    },
  })
}

function renderPosition(state: VenueState): Record<string, unknown> {
  const { account, switches } = state
  const margin = marginAt(state)
  return {
    product_id: state.facts.productId,
    expiration_time: CONTRACT_EXPIRY,
    side: account.contracts > 0 ? 'LONG' : 'SHORT',
    number_of_contracts: String(Math.abs(account.contracts)),
    current_price: plain(margin.mark, switches.amountsAsObjects),
    avg_entry_price: plain(averageEntry(account, state.multiplier) ?? '0', switches.amountsAsObjects),
    unrealized_pnl: plain(margin.unrealised, switches.amountsAsObjects),
    daily_realized_pnl: plain(account.dailyRealised, switches.amountsAsObjects),
  }
}

/** `GET cfm/positions`: a flat product has no row. */
export const listPositions = (state: VenueState): VenueAnswer =>
  answer({ positions: state.account.contracts === 0 ? [] : [renderPosition(state)] })

/** `GET cfm/positions/{product_id}`: 404 when flat. */
export function getPosition(state: VenueState, productId: string): VenueAnswer {
  if (productId !== state.facts.productId || state.account.contracts === 0) return notFound('position not found')
  return answer({ position: renderPosition(state) })
}

/** `GET transaction_summary`. */
export function transactionSummary(state: VenueState): VenueAnswer {
  const traded = state.orders.reduce((total, order) => total + Number(order.value), 0)
  const fees = state.orders.reduce((total, order) => total + Number(order.fees), 0)
  return answer({
    total_volume: traded,
    total_fees: fees,
    fee_tier: {
      pricing_tier: 'Advanced 1',
      usd_from: '0',
      usd_to: '1000',
      taker_fee_rate: state.fees.taker,
      maker_fee_rate: state.fees.maker,
      aop_from: '',
      aop_to: '',
    },
    margin_rate: null,
    goods_and_services_tax: null,
    advanced_trade_only_volume: traded,
    advanced_trade_only_fees: fees,
    coinbase_pro_volume: 0,
    coinbase_pro_fees: 0,
    total_balance: canonical(state.account.spot.plus(state.account.futures)),
    has_promo_fee: false,
  })
}

/** `GET key_permissions`. */
export const keyPermissions = (state: VenueState): VenueAnswer =>
  answer({
    can_view: state.switches.permissions.view,
    can_trade: state.switches.permissions.trade,
    can_transfer: state.switches.permissions.transfer,
    portfolio_uuid: '0d0d0d0d-0000-4000-8000-000000000001',
    portfolio_type: 'DEFAULT',
  })

/** `GET cfm/intraday/margin_setting`, `GET cfm/intraday/current_margin_window`, `GET cfm/sweeps`, `GET accounts`. */
export const marginSetting = (): VenueAnswer => answer({ setting: 'INTRADAY_MARGIN_SETTING_STANDARD' })

export const marginWindow = (state: VenueState): VenueAnswer =>
  answer({
    margin_window: { margin_window_type: 'MARGIN_WINDOW_TYPE_OVERNIGHT', end_time: toIso(state.now + DAY_MS) },
    is_intraday_margin_killswitch_enabled: false,
    is_intraday_margin_enrollment_killswitch_enabled: false,
  })

export const listSweeps = (): VenueAnswer => answer({ sweeps: [] })

export function listAccounts(state: VenueState): VenueAnswer {
  const account = {
    uuid: '0d0d0d0d-0000-4000-8000-000000000002',
    name: 'USD Wallet',
    currency: 'USD',
    available_balance: amount(money(state.account.spot)),
    default: true,
    active: true,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
    deleted_at: null,
    type: 'ACCOUNT_TYPE_FIAT',
    ready: true,
    hold: amount('0'),
    retail_portfolio_id: '',
    platform: 'ACCOUNT_PLATFORM_CONSUMER',
  }
  return answer({ accounts: [account], has_next: false, cursor: '', size: 1 })
}
