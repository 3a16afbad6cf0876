import { canonical, dec, money } from '../../../lib/core/decimal.ts'
import { valueOf } from './account.ts'
import { dollars } from './amounts.ts'
import { addOrder, cancel, fail, feeOf, matchNow, open, probe, touched } from './engine.ts'
import { initialRate, liquidationTicks, marginAt } from './margin.ts'
import { isDone, type Order, type Side, signOf } from './orders.ts'
import { parseOrder, type ParsedOrder } from './parse-order.ts'
import { reasonFields, refusal } from './refusals.ts'
import { answer, invalidArgument, isRecord, type VenueAnswer } from './request.ts'
import { closureAt, lastTicks, makeId, priceOf, schedule, touchOf, type VenueState } from './state.ts'

/** What a fault changes about an order that is placed. */
export type PlacementQuirk = {
  /** Refused with this reason instead. */
  reason?: string
  fillFraction?: number
  /** Its attached bracket is echoed and never born. */
  isChildless?: boolean
  /**
   * Its bracket, or the one attached to it, is put elsewhere: prices times a factor, then whole steps of ticks; its own
   * size cut.
   */
  bracket?: { stopFactor?: number; targetFactor?: number; roundsToTicks?: number; sizeFactor?: number }
  /** Not shown in lists, and not by its id, for so long. */
  hiddenInListsMs?: number
  hiddenMs?: number
  /** Accepted, PENDING, and FAILED after so long. */
  fails?: { afterMs: number; reason: string }
}

type Taken = Extract<ParsedOrder, { outcome: 'passed' }>

/** `POST orders`. */
export function placeOrder(state: VenueState, body: unknown, quirk: PlacementQuirk | null): VenueAnswer {
  const repeated = repeatedOrder(state, body)
  if (repeated !== null) return repeated
  const parsed = parseOrder(state, body, 'place')
  if (parsed.outcome === 'malformed') return invalidArgument(parsed.message)
  const configuration = parsed.configuration
  if (quirk?.reason !== undefined) return refusal(quirk.reason, configuration, state.switches.failureReasons)
  if (parsed.outcome === 'refused') return refusal(parsed.reason, configuration, state.switches.failureReasons)
  return accept(state, parsed, clientIdOf(body), quirk)
}

const CLOSE_KEYS = new Set(['client_order_id', 'product_id', 'size'])

/**
 * `POST orders/close_position`: at market, all of it or `size` contracts. Never past the position, never beside a
 * bracket.
 */
export function closePosition(state: VenueState, body: unknown, quirk: PlacementQuirk | null): VenueAnswer {
  if (!isRecord(body)) return invalidArgument('proto: syntax error (line 1:1): unexpected token')
  for (const key of Object.keys(body)) if (!CLOSE_KEYS.has(key)) return invalidArgument(`proto: unknown field "${key}"`)
  const size = body['size'] ?? ''
  if (typeof size !== 'string') return invalidArgument('proto: invalid value for string field size')
  if (clientIdOf(body) === '') return invalidArgument('client_order_id is required')
  const repeated = repeatedOrder(state, body)
  if (repeated !== null) return repeated
  const { contracts } = state.account
  const held = Math.abs(contracts)
  const refuse = (reason: string): VenueAnswer => refusal(reason, null, state.switches.failureReasons)
  if (quirk?.reason !== undefined) return refuse(quirk.reason)
  if (body['product_id'] !== state.facts.productId) return refuse('INVALID_PRODUCT_ID')
  if (closureAt(state, state.now) !== null) return refuse('INVALID_FCM_TRADING_SESSION')
  if (held === 0) return refuse('CANNOT_CLOSE_ZERO_POSITION')
  if (size !== '' && !/^\d+(\.\d+)?$/.test(size)) return refuse('INVALID_REQUEST')
  const wanted = size === '' ? dec(held) : dec(size)
  if (!wanted.mod(state.facts.lot).eq(0)) return refuse('INVALID_SIZE_PRECISION')
  if (wanted.lte(0) || wanted.gt(held)) return refuse('INVALID_REQUEST')
  if ([...state.working].some((order) => order.work.kind === 'bracket')) return refuse('OPEN_BRACKET_ORDERS')
  const taken: Taken = {
    outcome: 'passed',
    side: contracts > 0 ? 'SELL' : 'BUY',
    size: Number(wanted),
    work: { kind: 'market', isFillOrKill: false },
    configuration: { market_market_ioc: { base_size: canonical(wanted) } },
    attached: null,
    attachedConfiguration: null,
  }
  return accept(state, taken, clientIdOf(body), quirk)
}

const clientIdOf = (body: unknown): string => {
  const id = isRecord(body) ? body['client_order_id'] : null
  return typeof id === 'string' ? id : ''
}

/** The answer to a client id that was used before: the first order's id, the new request's words; nothing happens. */
function repeatedOrder(state: VenueState, body: unknown): VenueAnswer | null {
  const first = state.byClientId.get(clientIdOf(body))
  if (first === undefined || !isRecord(body)) return null
  if (state.switches.duplicateIds === 'refuse')
    return refusal('DUPLICATE_CLIENT_ORDER_ID', body['order_configuration'] ?? null, state.switches.failureReasons)
  return answer({
    success: true,
    success_response: {
      order_id: first.orderId,
      product_id: body['product_id'] ?? '',
      side: body['side'] ?? first.side,
      client_order_id: first.clientOrderId,
      attached_order_id: '',
    },
    order_configuration: body['order_configuration'] ?? first.configuration,
  })
}

/** The order as the venue takes it where it takes a bracket other than asked. */
function misplaced(state: VenueState, taken: Taken, quirk: PlacementQuirk['bracket']): Taken {
  if (quirk === undefined) return taken
  const { stopFactor = 1, targetFactor = 1, roundsToTicks = 1, sizeFactor = 1 } = quirk
  const moved = (ticks: number, factor: number): number => Math.round((ticks * factor) / roundsToTicks) * roundsToTicks
  const elsewhere = <B extends { stop: number; target: number }>(bracket: B): B => ({
    ...bracket,
    stop: moved(bracket.stop, stopFactor),
    target: moved(bracket.target, targetFactor),
  })
  if (taken.work.kind !== 'bracket')
    return { ...taken, attached: taken.attached === null ? null : elsewhere(taken.attached) }
  const work = elsewhere(taken.work)
  const size = Math.max(1, Math.floor(taken.size * sizeFactor))
  const configuration = {
    trigger_bracket_gtc: {
      base_size: String(size),
      limit_price: money(priceOf(state, work.target)),
      stop_trigger_price: money(priceOf(state, work.stop)),
    },
  }
  return { ...taken, size, work, configuration }
}

function accept(state: VenueState, asked: Taken, clientOrderId: string, quirk: PlacementQuirk | null): VenueAnswer {
  const taken = misplaced(state, asked, quirk?.bracket)
  const order = addOrder(state, {
    clientOrderId,
    side: taken.side,
    size: taken.size,
    work: taken.work,
    configuration: taken.configuration,
    attached: quirk?.isChildless === true ? null : taken.attached,
    attachedConfiguration: taken.attachedConfiguration,
    fillCap: quirk?.fillFraction === undefined ? null : Math.floor(taken.size * quirk.fillFraction),
    hiddenInListsUntil: state.now + (quirk?.hiddenInListsMs ?? 0),
    hiddenUntil: state.now + (quirk?.hiddenMs ?? 0),
  })
  start(state, order, quirk)
  return answer({
    success: true,
    success_response: {
      order_id: order.orderId,
      product_id: order.productId,
      side: order.side,
      client_order_id: order.clientOrderId,
      attached_order_id: '',
    },
    order_configuration: order.configuration,
  })
}

function start(state: VenueState, order: Order, quirk: PlacementQuirk | null): void {
  const fails = quirk?.fails
  if (fails !== undefined) {
    schedule(state, state.now + fails.afterMs, () => fail(state, order, fails.reason))
    return
  }
  if (state.switches.pendingMs > 0) {
    schedule(state, state.now + state.switches.pendingMs, () => open(state, order))
    return
  }
  open(state, order)
  matchNow(state)
}

/** `POST orders/preview`: what would become of an order; nothing happens. */
export function previewOrder(state: VenueState, body: unknown, quirk: PlacementQuirk | null): VenueAnswer {
  const parsed = parseOrder(state, body, 'preview')
  if (parsed.outcome === 'malformed') return invalidArgument(parsed.message)
  const touch = touchOf(state, lastTicks(state))
  const margin = marginAt(state)
  const reason = quirk?.reason ?? (parsed.outcome === 'refused' ? parsed.reason : null)
  const common = {
    best_bid: canonical(priceOf(state, touch.bid)),
    best_ask: canonical(priceOf(state, touch.ask)),
    is_max: false,
    warning: [],
    leverage: '',
    preview_id: reason === null ? makeId(state, 'trade') : '',
    available_buying_power: dollars(margin.buyingPower),
    current_liquidation_buffer: dollars(margin.buffer),
  }
  if (reason !== null || parsed.outcome === 'refused') {
    const { preview, newOrder } = reasonFields(reason ?? 'UNKNOWN_FAILURE_REASON')
    const told =
      preview === 'UNKNOWN_PREVIEW_FAILURE_REASON' && newOrder === 'UNSUPPORTED_ORDER_CONFIGURATION'
        ? 'PREVIEW_INVALID_ORDER_CONFIG'
        : preview
    return answer({
      ...common,
      errs: [told],
      order_total: '0',
      commission_total: '0',
      quote_size: '0',
      base_size: '0',
      slippage: '0',
    })
  }
  return answer({ ...common, errs: [], ...estimate(state, parsed) })
}

/** What an order would fill at and leave behind, were it to fill now. */
function estimate(state: VenueState, { side, size, work }: Taken): Record<string, unknown> {
  const touch = touchOf(state, lastTicks(state))
  const ownLimit =
    work.kind === 'market' || work.kind === 'liquidation' ? null : work.kind === 'bracket' ? work.target : work.limit
  const found =
    work.kind === 'market' || work.kind === 'limit_ioc'
      ? probe(state, side, size, ownLimit)
      : { contracts: 0, ticks: 0 }
  const ticks =
    found.contracts > 0 ? found.ticks / found.contracts : (ownLimit ?? (side === 'BUY' ? touch.ask : touch.bid))
  const price = state.tick.times(ticks).round(8)
  const value = valueOf(size, price, state.multiplier)
  const commission = dec(feeOf(state, size, ticks, false))
  const after = afterFill(state, side, size, ticks)
  return {
    order_total: money(side === 'BUY' ? value.plus(commission) : value.minus(commission)),
    commission_total: money(commission),
    quote_size: money(value),
    base_size: String(size),
    order_margin_total: dollars(value.times(initialRate(state, side))),
    est_average_filled_price: canonical(price),
    slippage: '0',
    projected_liquidation_buffer: dollars(marginAt(state).buffer.minus(commission)),
    predicted_liquidation_price: after === null ? '0' : canonical(priceOf(state, Math.round(after))),
    commission_detail_total: {
      total_commission: money(commission),
      gst_commission: '0',
      withholding_commission: '0',
      client_commission: money(commission),
      venue_commission: '0',
      regulatory_commission: '0',
      clearing_commission: '0',
    },
  }
}

/** Liquidation price in ticks, were the order to fill at `ticks` as a whole. */
function afterFill(state: VenueState, side: Side, size: number, ticks: number): number | null {
  const { account } = state
  const price = state.tick.times(ticks)
  const signed = signOf(side) * size
  // Cash less basis is all that the price depends on, and a fill moves both alike whether it opens or closes.
  const basis = account.basis.plus(valueOf(signed, price, state.multiplier))
  return liquidationTicks(
    state,
    account.contracts + signed,
    basis,
    marginAt(state).cash.minus(feeOf(state, size, ticks, false)),
  )
}

/** `POST orders/batch_cancel`: asked for now (`pending_cancel`), done when the venue gets to it. */
export function cancelOrders(state: VenueState, body: unknown, quirk: PlacementQuirk | null): VenueAnswer {
  if (!isRecord(body)) return invalidArgument('proto: syntax error (line 1:1): unexpected token')
  for (const key of Object.keys(body)) if (key !== 'order_ids') return invalidArgument(`proto: unknown field "${key}"`)
  const ids: unknown = body['order_ids']
  if (!Array.isArray(ids)) return invalidArgument('order_ids is required')
  return answer({
    results: ids.map((id: unknown) => {
      const failure = quirk?.reason ?? cancelLater(state, String(id))
      return {
        success: failure === null,
        failure_reason: failure ?? 'UNKNOWN_CANCEL_FAILURE_REASON',
        order_id: String(id),
      }
    }),
  })
}

function cancelLater(state: VenueState, orderId: string): string | null {
  const order = state.byId.get(orderId)
  if (order === undefined) return 'UNKNOWN_CANCEL_ORDER'
  if (order.status === 'FILLED') return 'ORDER_IS_FULLY_FILLED'
  if (isDone(order)) return 'NOT_ALLOWED_TO_CANCEL'
  if (order.pendingCancel) return 'DUPLICATE_CANCEL_REQUEST'
  if (state.switches.refusesCancelsWhileClosed && closureAt(state, state.now) !== null)
    return 'INVALID_CANCEL_FCM_TRADING_SESSION'
  order.pendingCancel = true
  touched(state, order)
  schedule(state, state.now + state.switches.cancelMs, () => cancel(state, order, 'User requested cancel'))
  return null
}

/** `POST orders/edit` and `POST orders/edit_preview`: never for futures. */
export const editOrder = (): VenueAnswer =>
  answer({
    success: false,
    errors: [
      { edit_failure_reason: 'CANNOT_EDIT_FUTURES_ORDER', preview_failure_reason: 'UNKNOWN_PREVIEW_FAILURE_REASON' },
    ],
  })
