import { type Decimal, dec } from '../../../lib/core/decimal.ts'
import type { EpochMs } from '../../../lib/core/time.ts'
import { valueOf } from './account.ts'
import { feeOf, probe } from './engine.ts'
import { initialRate, marginAt } from './margin.ts'
import { type AttachedBracket, oppositeOf, type OrderWork, type Side, signOf } from './orders.ts'
import { isRecord } from './request.ts'
import { closureAt, lastTicks, priceOf, touchOf, type VenueState } from './state.ts'
import { bracketedContracts } from './wire-orders.ts'

/** An order that passed, or why not: `malformed` is a 400 with that message, `refused` a failure reason. */
export type ParsedOrder =
  | {
      outcome: 'passed'
      side: Side
      size: number
      work: OrderWork
      configuration: Record<string, unknown>
      attached: AttachedBracket | null
      attachedConfiguration: Record<string, unknown> | null
    }
  | { outcome: 'malformed'; message: string }
  | { outcome: 'refused'; reason: string; configuration: unknown }

const ORDER_KEYS = [
  'product_id',
  'side',
  'order_configuration',
  'leverage',
  'margin_type',
  'attached_order_configuration',
  'retail_portfolio_id',
  'cost_basis_method',
  'equity_order_metadata',
  'prediction_metadata',
]
const PLACE_KEYS = new Set([...ORDER_KEYS, 'client_order_id', 'preview_id', 'sor_preference'])
const PREVIEW_KEYS = new Set(ORDER_KEYS)

const SIZES = ['base_size', 'quote_size']
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  market_market_ioc: SIZES,
  market_market_fok: SIZES,
  sor_limit_ioc: [...SIZES, 'limit_price'],
  limit_limit_fok: [...SIZES, 'limit_price'],
  limit_limit_gtc: [...SIZES, 'limit_price', 'post_only'],
  limit_limit_gtd: [...SIZES, 'limit_price', 'post_only', 'end_time'],
  stop_limit_stop_limit_gtc: ['base_size', 'limit_price', 'stop_price', 'stop_direction'],
  stop_limit_stop_limit_gtd: ['base_size', 'limit_price', 'stop_price', 'stop_direction', 'end_time'],
  trigger_bracket_gtc: ['base_size', 'limit_price', 'stop_trigger_price'],
  trigger_bracket_gtd: ['base_size', 'limit_price', 'stop_trigger_price', 'end_time'],
  twap_limit_gtd: [
    ...SIZES,
    'limit_price',
    'start_time',
    'end_time',
    'number_buckets',
    'bucket_size',
    'bucket_duration',
  ],
  scaled_limit_gtc: [
    'orders',
    ...SIZES,
    'num_orders',
    'min_price',
    'max_price',
    'price_distribution',
    'size_distribution',
    'size_diff',
    'size_ratio',
  ],
}

/** A body that is not one the venue decodes; the message is the answer's. */
class Malformed extends Error {}
/** An order that the venue decodes and does not take. */
class Refused extends Error {}

const refuse = (reason: string): never => {
  throw new Refused(reason)
}

/** Decodes and judges an order of `POST orders` or `POST orders/preview`. */
export function parseOrder(state: VenueState, body: unknown, purpose: 'place' | 'preview'): ParsedOrder {
  let configuration: unknown = null
  try {
    const keys = purpose === 'place' ? PLACE_KEYS : PREVIEW_KEYS
    const record = recordOf(body)
    for (const key of Object.keys(record)) if (!keys.has(key)) throw new Malformed(`proto: unknown field "${key}"`)
    for (const key of [
      'client_order_id',
      'leverage',
      'margin_type',
      'preview_id',
      'retail_portfolio_id',
      'sor_preference',
    ])
      textOf(record, key)
    if (purpose === 'place' && textOf(record, 'client_order_id') === '')
      throw new Malformed('client_order_id is required')
    configuration = record['order_configuration'] ?? null
    const variant = variantOf(configuration)
    const attachedVariant =
      record['attached_order_configuration'] === undefined || record['attached_order_configuration'] === null
        ? null
        : variantOf(record['attached_order_configuration'])
    const side = textOf(record, 'side')
    if (side !== 'BUY' && side !== 'SELL')
      throw new Malformed(`proto: invalid value for enum field side: ${JSON.stringify(side)}`)
    if (textOf(record, 'product_id') !== state.facts.productId) refuse('INVALID_PRODUCT_ID')
    if (textOf(record, 'margin_type') !== '') refuse('INVALID_MARGIN_TYPE')
    if (textOf(record, 'leverage') !== '') refuse('INVALID_LEVERAGE')
    if (closureAt(state, state.now) !== null) refuse('INVALID_FCM_TRADING_SESSION')
    const size = sizeOf(state, variant.fields)
    const work = workOf(state, side, variant)
    const attached = attachedVariant === null ? null : attachedOf(state, side, work, attachedVariant)
    judgePosition(state, side, size, work, attached)
    return {
      outcome: 'passed',
      side,
      size,
      work,
      configuration: { [variant.name]: variant.fields },
      attached,
      attachedConfiguration: attachedVariant === null ? null : { [attachedVariant.name]: attachedVariant.fields },
    }
  } catch (error) {
    if (error instanceof Malformed) return { outcome: 'malformed', message: error.message }
    if (error instanceof Refused) return { outcome: 'refused', reason: error.message, configuration }
    throw error
  }
}

type Variant = { name: string; fields: Record<string, unknown> }

function recordOf(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Malformed('proto: syntax error (line 1:1): unexpected token')
  return value
}

/** A string member, "" where it is missing. */
export function textOf(record: Record<string, unknown>, key: string): string {
  const value = record[key]
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string')
    throw new Malformed(`proto: invalid value for string field ${key}: ${JSON.stringify(value)}`)
  return value
}

function variantOf(value: unknown): Variant {
  const record = recordOf(value)
  const [name, ...others] = Object.keys(record)
  if (name === undefined) throw new Malformed('order_configuration is required')
  if (others.length > 0) throw new Malformed(`proto: field "${others[0] ?? ''}" sets oneof that is already set`)
  const known = VARIANTS[name]
  if (known === undefined) throw new Malformed(`proto: unknown field "${name}"`)
  const fields = recordOf(record[name])
  for (const key of Object.keys(fields)) if (!known.includes(key)) throw new Malformed(`proto: unknown field "${key}"`)
  return { name, fields }
}

function decimalOf(fields: Record<string, unknown>, key: string, reason: string): Decimal {
  const text = textOf(fields, key)
  if (!/^\d+(\.\d+)?$/.test(text)) return refuse(reason)
  return dec(text)
}

function sizeOf(state: VenueState, fields: Record<string, unknown>): number {
  if (textOf(fields, 'quote_size') !== '') refuse('UNSUPPORTED_ORDER_CONFIGURATION')
  const size = decimalOf(fields, 'base_size', 'PREVIEW_NON_NUMERIC_ORDER_SIZE')
  if (!size.mod(state.facts.lot).eq(0)) refuse('INVALID_SIZE_PRECISION')
  if (size.lt(state.facts.minSize)) refuse('PREVIEW_INVALID_BASE_SIZE_TOO_SMALL')
  if (size.gt(state.facts.maxSize)) refuse('PREVIEW_INVALID_BASE_SIZE_TOO_LARGE')
  return Number(size)
}

/** A price in whole ticks. */
function ticksField(
  state: VenueState,
  fields: Record<string, unknown>,
  key: string,
  missing: string,
  imprecise = 'INVALID_PRICE_PRECISION',
): number {
  const price = decimalOf(fields, key, missing)
  if (!price.mod(state.tick).eq(0)) refuse(imprecise)
  if (price.lte(0)) refuse(missing)
  return Number(price.div(state.tick))
}

function endOf(state: VenueState, { name, fields }: Variant): EpochMs | null {
  if (!name.endsWith('_gtd')) return null
  const end = Date.parse(textOf(fields, 'end_time'))
  if (Number.isNaN(end)) refuse('GTD_ORDERS_MUST_HAVE_END_TIME')
  if (end <= state.now) refuse('END_TIME_IS_IN_THE_PAST')
  return end
}

function workOf(state: VenueState, side: Side, variant: Variant): OrderWork {
  const { name, fields } = variant
  const { switches } = state
  if (name.endsWith('_fok') && switches.refusesFok) refuse('FOK_DISABLED')
  switch (name) {
    case 'market_market_ioc':
    case 'market_market_fok':
      return { kind: 'market', isFillOrKill: name.endsWith('_fok') }
    case 'sor_limit_ioc':
      if (switches.refusesSorIoc) refuse('UNSUPPORTED_ORDER_CONFIGURATION')
      return {
        kind: 'limit_ioc',
        limit: ticksField(state, fields, 'limit_price', 'INVALID_LIMIT_PRICE'),
        isFillOrKill: false,
      }
    case 'limit_limit_fok':
      return {
        kind: 'limit_ioc',
        limit: ticksField(state, fields, 'limit_price', 'INVALID_LIMIT_PRICE'),
        isFillOrKill: true,
      }
    case 'limit_limit_gtc':
    case 'limit_limit_gtd': {
      const limit = ticksField(state, fields, 'limit_price', 'INVALID_LIMIT_PRICE')
      const isPostOnly = fields['post_only'] === true
      const touch = touchOf(state, lastTicks(state))
      if (isPostOnly && (side === 'BUY' ? limit >= touch.ask : limit <= touch.bid))
        refuse('INVALID_LIMIT_PRICE_POST_ONLY')
      return { kind: 'limit', limit, isPostOnly, endMs: endOf(state, variant) }
    }
    case 'stop_limit_stop_limit_gtc':
    case 'stop_limit_stop_limit_gtd': {
      const direction = textOf(fields, 'stop_direction')
      if (direction !== 'STOP_DIRECTION_STOP_UP' && direction !== 'STOP_DIRECTION_STOP_DOWN')
        throw new Malformed('stop_direction is invalid')
      const firesUp = direction === 'STOP_DIRECTION_STOP_UP'
      const stop = ticksField(
        state,
        fields,
        'stop_price',
        'PREVIEW_INVALID_STOP_PRICE',
        'PREVIEW_INVALID_STOP_PRICE_PRECISION',
      )
      const last = lastTicks(state)
      if (firesUp && stop <= last) refuse('PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE')
      if (!firesUp && stop >= last) refuse('PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE')
      return {
        kind: 'stop_limit',
        stop,
        firesUp,
        limit: ticksField(state, fields, 'limit_price', 'INVALID_LIMIT_PRICE'),
        endMs: endOf(state, variant),
      }
    }
    case 'trigger_bracket_gtc':
    case 'trigger_bracket_gtd': {
      if (switches.refusesBrackets) refuse('BRACKET_ORDER_NOT_SUPPORTED')
      const target = ticksField(
        state,
        fields,
        'limit_price',
        'INVALID_BRACKET_LIMIT_PRICE',
        'PREVIEW_INVALID_BRACKET_LIMIT_PRICE_PRECISION',
      )
      const stop = ticksField(
        state,
        fields,
        'stop_trigger_price',
        'INVALID_BRACKET_STOP_TRIGGER_PRICE',
        'PREVIEW_INVALID_STOP_TRIGGER_PRICE_PRECISION',
      )
      const last = lastTicks(state)
      const sign = signOf(side)
      // A sell's target lies above the market and its stop below.
      if ((target - stop) * sign >= 0) refuse('INVALID_BRACKET_PRICES')
      if ((stop - last) * sign <= 0) refuse('INVALID_BRACKET_STOP_TRIGGER_PRICE')
      if ((last - target) * sign <= 0) refuse('INVALID_BRACKET_LIMIT_PRICE')
      return { kind: 'bracket', target, stop, endMs: endOf(state, variant) }
    }
    default:
      return refuse('UNSUPPORTED_ORDER_CONFIGURATION')
  }
}

function attachedOf(state: VenueState, side: Side, work: OrderWork, { name, fields }: Variant): AttachedBracket {
  if (name !== 'trigger_bracket_gtc') refuse('INVALID_ORDER_TYPE_FOR_ATTACHED')
  if (work.kind !== 'market' && work.kind !== 'limit' && work.kind !== 'limit_ioc')
    refuse('ATTACHED_ORDERS_ONLY_ALLOWED_ON_MARKET_LIMIT')
  if (state.switches.refusesAttachedBrackets) refuse('BRACKET_ORDER_NOT_SUPPORTED')
  if (textOf(fields, 'base_size') !== '') refuse('ATTACHED_ORDER_SIZE_MUST_BE_NIL')
  if (textOf(fields, 'limit_price') === '' || textOf(fields, 'stop_trigger_price') === '')
    refuse('SINGLE_LEGGED_TPSL_NOT_ALLOWED')
  const target = ticksField(
    state,
    fields,
    'limit_price',
    'ATTACHED_ORDER_MUST_HAVE_POSITIVE_PRICES',
    'INVALID_ATTACHED_TAKE_PROFIT_PRICE_PRECISION',
  )
  const stop = ticksField(
    state,
    fields,
    'stop_trigger_price',
    'ATTACHED_ORDER_MUST_HAVE_POSITIVE_PRICES',
    'INVALID_ATTACHED_STOP_LOSS_PRICE_PRECISION',
  )
  const reference = work.kind === 'limit' ? work.limit : lastTicks(state)
  const sign = signOf(side)
  if ((target - reference) * sign <= 0) refuse('INVALID_ATTACHED_TAKE_PROFIT_PRICE')
  if ((reference - stop) * sign <= 0) refuse('INVALID_ATTACHED_STOP_LOSS_PRICE')
  return { target, stop }
}

/** Judges an order against the position: what only closes needs no margin, but may not cross a resting bracket. */
function judgePosition(
  state: VenueState,
  side: Side,
  size: number,
  work: OrderWork,
  attached: AttachedBracket | null,
): void {
  const { contracts } = state.account
  const held = Math.abs(contracts)
  const closing: Side | null = contracts === 0 ? null : oppositeOf(contracts > 0 ? 'BUY' : 'SELL')
  const bracketed = bracketedContracts(state)
  if (work.kind === 'bracket') {
    if (closing !== null && side !== closing) refuse('PREVIEW_INVALID_BRACKET_ORDER_SIDE')
    if (size + (state.switches.refusesStackedBrackets ? bracketed : 0) > held)
      refuse('PREVIEW_BRACKET_ORDER_SIZE_EXCEEDS_POSITION')
    return
  }
  if (side === closing) {
    if (attached !== null) refuse('INVALID_ORDER_SIDE_FOR_ATTACHED_TPSL')
    if (bracketed > 0 && size > held - bracketed) refuse('PREVIEW_ORDER_SIZE_EXCEEDS_BRACKETED_POSITION')
    if (size <= held) return
  }
  const opening = side === closing ? size - held : size
  const limit = work.kind === 'market' || work.kind === 'liquidation' ? null : work.limit
  const touch = touchOf(state, lastTicks(state))
  const ticks = limit ?? (side === 'BUY' ? touch.ask : touch.bid)
  const needed = valueOf(opening, priceOf(state, ticks), state.multiplier)
    .times(initialRate(state, side))
    .plus(feeOf(state, size, ticks, false))
  if (needed.gt(marginAt(state).buyingPower)) refuse('INSUFFICIENT_FUND')
  if (work.kind === 'market' && probe(state, side, size, null).contracts < size) refuse('INVALID_NO_LIQUIDITY')
}
