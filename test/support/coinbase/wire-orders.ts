import { dec, money } from '../../../lib/core/decimal.ts'
import { type EpochMs, toIso } from '../../../lib/core/time.ts'
import { dollars } from './amounts.ts'
import { isDone, type Order, remainingOf, type VenueFill } from './orders.ts'
import { answer, invalidArgument, manyOf, notFound, oneOf, type VenueAnswer, type VenueRequest } from './request.ts'
import type { VenueState } from './state.ts'

const USER_ID = '0b0b0b0b-0000-4000-8000-000000000001'

const ORDER_TYPE = {
  market: 'MARKET',
  limit_ioc: 'LIMIT',
  limit: 'LIMIT',
  stop_limit: 'STOP_LIMIT',
  bracket: 'BRACKET',
  liquidation: 'LIQUIDATION',
} as const

/** An order as the venue tells it. */
export function renderOrder(state: VenueState, order: Order): Readonly<Record<string, unknown>> {
  const average = order.filled === 0 ? '0' : money(order.value.div(state.multiplier.times(order.filled)))
  const totalAfterFees = order.side === 'BUY' ? order.value.plus(order.fees) : order.value.minus(order.fees)
  const commission = dollars(order.fees)
  return {
    order_id: order.orderId,
    product_id: order.productId,
    user_id: USER_ID,
    order_configuration: order.configuration,
    side: order.side,
    client_order_id: order.clientOrderId,
    status: order.status,
    time_in_force: timeInForceOf(order),
    created_time: toIso(order.createdAt),
    completion_percentage: order.filled === 0 ? '0' : dec(order.filled).times(100).div(order.size).toFixed(2),
    filled_size: String(order.filled),
    average_filled_price: average,
    fee: '',
    number_of_fills: String(order.fillCount),
    filled_value: money(order.value),
    pending_cancel: order.pendingCancel,
    size_in_quote: false,
    total_fees: commission,
    size_inclusive_of_fees: false,
    total_value_after_fees: money(totalAfterFees),
    trigger_status: triggerStatusOf(order),
    order_type: ORDER_TYPE[order.work.kind],
    reject_reason: order.rejectReason,
    settled: order.status === 'FILLED',
    product_type: 'FUTURE',
    reject_message: order.rejectMessage,
    cancel_message: order.cancelMessage,
    order_placement_source: order.source,
    outstanding_hold_amount: '0',
    is_liquidation: order.isLiquidation,
    last_fill_time: order.lastFillAt === null ? null : toIso(order.lastFillAt),
    last_update_time: toIso(order.lastFillAt ?? order.createdAt),
    edit_history: [],
    leverage: '',
    margin_type: 'UNKNOWN_MARGIN_TYPE',
    retail_portfolio_id: '',
    originating_order_id: order.parentId,
    attached_order_id: order.childId,
    attached_order_configuration: order.attachedConfiguration,
    current_pending_replace: null,
    commission_detail_total: {
      total_commission: commission,
      gst_commission: '0',
      withholding_commission: '0',
      client_commission: commission,
      venue_commission: '0',
      regulatory_commission: '0',
      clearing_commission: '0',
    },
    workable_size: String(order.size),
    workable_size_completion_pct: order.filled === 0 ? '0' : '100',
  }
}

function timeInForceOf({ work }: Order): string {
  switch (work.kind) {
    case 'market':
    case 'limit_ioc':
      return work.isFillOrKill ? 'FILL_OR_KILL' : 'IMMEDIATE_OR_CANCEL'
    case 'liquidation':
      return 'IMMEDIATE_OR_CANCEL'
    default:
      return work.endMs === null ? 'GOOD_UNTIL_CANCELLED' : 'GOOD_UNTIL_DATE_TIME'
  }
}

function triggerStatusOf(order: Order): string {
  if (order.work.kind !== 'bracket' && order.work.kind !== 'stop_limit') return 'INVALID_ORDER_TYPE'
  return order.triggeredLimit === null ? 'STOP_PENDING' : 'STOP_TRIGGERED'
}

/** `GET orders/historical/{order_id}`. */
export function getOrder(state: VenueState, orderId: string): VenueAnswer {
  const order = state.byId.get(orderId)
  if (order === undefined || state.now < order.hiddenUntil) return notFound('order with this orderID was not found')
  return answer({ order: renderOrder(state, order) })
}

const SORTS: Readonly<Record<string, (order: Order) => number>> = {
  LAST_FILL_TIME: (order) => order.lastFillAt ?? 0,
  LAST_UPDATE_TIME: (order) => order.lastFillAt ?? order.createdAt,
}

/** `GET orders/historical/batch`, newest first. */
export function listOrders(state: VenueState, query: VenueRequest['query']): VenueAnswer {
  const statuses = manyOf(query, 'order_status')
  if (state.switches.refusesMixedStatus && statuses.includes('OPEN') && statuses.length > 1)
    return invalidArgument('order_status OPEN cannot be combined with other statuses')
  const range = rangeOf(query, 'start_date', 'end_date')
  if (range === null) return invalidArgument('invalid date')
  const source = oneOf(query, 'order_placement_source') ?? 'RETAIL_ADVANCED'
  const isMember = (key: string, value: string): boolean => {
    const wanted = manyOf(query, key)
    return wanted.length === 0 || wanted.includes(value)
  }
  const seen: { order: Order; view: Readonly<Record<string, unknown>> | null }[] = []
  for (let index = state.orders.length - 1; index >= 0; index -= 1) {
    const order = state.orders[index]
    if (order === undefined || order.createdAt >= range.end) continue
    if (order.createdAt < range.start) break
    if (order.source !== source || state.now < order.hiddenInListsUntil || state.now < order.hiddenUntil) continue
    if (
      !isMember('order_ids', order.orderId) ||
      !isMember('product_ids', order.productId) ||
      !isMember('order_side', order.side)
    )
      continue
    if (!isMember('product_type', 'FUTURE') || !isMember('contract_expiry_type', 'EXPIRING')) continue
    if (!isMember('order_types', ORDER_TYPE[order.work.kind]) || !isMember('time_in_forces', timeInForceOf(order)))
      continue
    const view = laggingView(state, order)
    if (view === undefined) continue
    const status = view === null ? order.status : view['status']
    if (statuses.length > 0 && (typeof status !== 'string' || !statuses.includes(status))) continue
    seen.push({ order, view })
  }
  const sortKey = SORTS[oneOf(query, 'sort_by') ?? '']
  if (sortKey !== undefined) seen.sort((a, b) => sortKey(b.order) - sortKey(a.order))
  const page = pageOf(seen, query, ({ order }) => order.orderId, null)
  if (page === null) return invalidArgument('invalid cursor')
  return answer({
    orders: page.rows.map(({ order, view }) => view ?? renderOrder(state, order)),
    sequence: '0',
    has_next: page.cursor !== '',
    cursor: page.cursor,
    proof_token_required: false,
  })
}

/** The order as lists know it: null is as it is, undefined not yet. */
function laggingView(state: VenueState, order: Order): Readonly<Record<string, unknown>> | null | undefined {
  const { listLagMs } = state.switches
  if (listLagMs <= 0) return null
  const then = state.now - listLagMs
  // Without a version of then, the lag was switched on later than the order's last change.
  return order.createdAt > then ? undefined : (order.versions.findLast((version) => version.at <= then)?.view ?? null)
}

/** `GET orders/historical/fills`, newest first. */
export function listFills(state: VenueState, query: VenueRequest['query']): VenueAnswer {
  const OTHERS = [
    'trade_ids',
    'product_ids',
    'start_sequence_timestamp',
    'end_sequence_timestamp',
    'order_types',
    'order_side',
    'product_types',
    'asset_filters',
  ]
  const orderIds = manyOf(query, 'order_ids')
  if (state.switches.refusesMixedFillFilters && orderIds.length > 0 && OTHERS.some((key) => query[key] !== undefined)) {
    return invalidArgument('order_ids cannot be combined with other filters')
  }
  const range = rangeOf(query, 'start_sequence_timestamp', 'end_sequence_timestamp')
  if (range === null) return invalidArgument('invalid timestamp')
  const isMember = (key: string, value: string): boolean => {
    const wanted = manyOf(query, key)
    return wanted.length === 0 || wanted.includes(value)
  }
  const newest = Math.min(range.end, state.now - state.switches.listLagMs + 1)
  const seen: VenueFill[] = []
  for (let index = state.fills.length - 1; index >= 0; index -= 1) {
    const fill = state.fills[index]
    if (fill === undefined || fill.at >= newest) continue
    if (fill.at < range.start) break
    if (orderIds.length > 0 && !orderIds.includes(fill.orderId)) continue
    if (
      !isMember('trade_ids', fill.tradeId) ||
      !isMember('product_ids', fill.productId) ||
      !isMember('order_side', fill.side)
    )
      continue
    if (!isMember('product_types', 'FUTURE')) continue
    const order = state.byId.get(fill.orderId)
    if (order !== undefined && state.now < order.hiddenInListsUntil) continue
    seen.push(fill)
  }
  const page = pageOf(seen, query, (fill) => fill.entryId, 100)
  if (page === null) return invalidArgument('invalid cursor')
  return answer({ fills: page.rows.map((fill) => renderFill(fill)), cursor: page.cursor, proof_token_required: false })
}

function renderFill(fill: VenueFill): Readonly<Record<string, unknown>> {
  return {
    entry_id: fill.entryId,
    trade_id: fill.tradeId,
    order_id: fill.orderId,
    // Nanoseconds, as the venue sometimes writes them.
    trade_time: new Date(fill.at).toISOString().replace('Z', '000000Z'),
    trade_type: fill.tradeType,
    price: fill.price,
    size: String(fill.contracts),
    commission: fill.commission,
    product_id: fill.productId,
    sequence_timestamp: new Date(fill.at).toISOString().replace('Z', '000Z'),
    liquidity_indicator: fill.isMaker ? 'MAKER' : 'TAKER',
    size_in_quote: false,
    user_id: USER_ID,
    side: fill.side,
    retail_portfolio_id: '',
    fillSource: 'FILL_SOURCE_CLOB',
    commission_detail_total: {
      total_commission: fill.commission,
      gst_commission: '0',
      withholding_commission: '0',
      client_commission: fill.commission,
      venue_commission: '0',
      regulatory_commission: '0',
      clearing_commission: '0',
    },
    order_data_source: 'ORDER_DATA_SOURCE_TRADING_PROXY',
    future_legs: [],
  }
}

/** Bounds of a listing, start inclusive and end exclusive; null where one is not a time. */
function rangeOf(
  query: VenueRequest['query'],
  startKey: string,
  endKey: string,
): { start: EpochMs; end: EpochMs } | null {
  const start = oneOf(query, startKey)
  const end = oneOf(query, endKey)
  const range = {
    start: start === null ? Number.NEGATIVE_INFINITY : Date.parse(start),
    end: end === null ? Number.POSITIVE_INFINITY : Date.parse(end),
  }
  return Number.isNaN(range.start) || Number.isNaN(range.end) ? null : range
}

/**
 * One page after the cursor, which is the last id of the page before in base64; null for a cursor that leads nowhere.
 */
function pageOf<Row>(
  rows: readonly Row[],
  query: VenueRequest['query'],
  idOf: (row: Row) => string,
  defaultLimit: number | null,
): { rows: readonly Row[]; cursor: string } | null {
  const limit = Number(oneOf(query, 'limit') ?? defaultLimit ?? rows.length)
  const cursor = oneOf(query, 'cursor') ?? ''
  if (!Number.isInteger(limit) || limit < 0) return null
  let from = 0
  if (cursor !== '') {
    const id = Buffer.from(cursor, 'base64').toString('utf8')
    const index = rows.findIndex((row) => idOf(row) === id)
    if (index === -1) return null
    from = index + 1
  }
  const page = rows.slice(from, from + limit)
  const last = page.at(-1)
  return {
    rows: page,
    cursor: last !== undefined && from + limit < rows.length ? Buffer.from(idOf(last)).toString('base64') : '',
  }
}

/** Contracts that resting brackets could still close. */
export const bracketedContracts = (state: VenueState): number =>
  [...state.working].reduce(
    (total, order) => (order.work.kind === 'bracket' && !isDone(order) ? total + remainingOf(order) : total),
    0,
  )
