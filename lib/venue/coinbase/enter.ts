import { type Decimal, dec } from '../../core/decimal.ts'
import { type Clock, type EpochMs, toIso } from '../../core/time.ts'
import type { Instrument } from '../../../schemas/instrument.ts'
import type { EntryOrder } from '../../../schemas/order.ts'
import type { LiveConfig } from '../../../schemas/strategy-config.ts'
import { BrokerError } from '../broker.ts'
import type { EntryShape } from './endpoints/create-order.ts'
import { askPreview, type Preview } from './endpoints/preview-order.ts'
import { askServerTime } from './endpoints/server-time.ts'
import { failureReason, plainReason } from './failure-reason.ts'
import { positive } from './fields.ts'
import type { InstrumentFacts } from './instrument.ts'
import { type Reader, RefusedQuestion } from './read.ts'

/**
 * Best first: a limit the venue keeps before one that only the preview kept, exits with the entry before exits after
 * it.
 */
const SHAPES: readonly EntryShape[] = [
  { configuration: 'sor_limit_ioc', isBracketAttached: true },
  { configuration: 'sor_limit_ioc', isBracketAttached: false },
  { configuration: 'market_market_ioc', isBracketAttached: true },
  { configuration: 'market_market_ioc', isBracketAttached: false },
]

/** Refusals of how the order is put, not of the order: a plainer shape may pass. Anything else no shape cures. */
const ABOUT_SHAPE: ReadonlySet<string> = new Set([
  'invalid_argument',
  'invalid_request',
  'invalid_order_config',
  'unsupported_order_configuration',
  'bracket_order_not_supported',
  'fok_disabled',
  'attached_order_size_must_be_nil',
  'attached_orders_only_allowed_on_market_limit',
  'invalid_order_type_for_attached',
  'single_legged_tpsl_not_allowed',
  'quote_size_not_allowed_for_bracket',
  'unknown_failure_reason',
  'unknown_preview_failure_reason',
])

/** Commission that preview may name beyond what was assumed: twice as much, and a dollar for rounding. */
const COMMISSION_FACTOR = 2
const COMMISSION_SLACK = 1

export type EntryPlan = { shape: EntryShape } | { refusal: string }

type Options = { reader: Reader; live: LiveConfig; clock: Clock; deadline: EpochMs; facts: InstrumentFacts }

/**
 * How the venue would take the entry, or why it must not be sent. Places nothing. Fails closed: what cannot be
 * checked by the deadline is refused.
 */
export async function planEntry(order: EntryOrder, options: Options): Promise<EntryPlan> {
  const { instrument, assumed } = options.facts
  const unknown = assumed[0]
  if (unknown !== undefined) return { refusal: `${unknown}_unknown` }
  if (!(await isClockRight(options))) return { refusal: 'clock_skew' }
  let refusal = 'unsupported_order_configuration'
  for (const shape of SHAPES) {
    if (shape.isBracketAttached && !options.live.attachBracket) continue
    const { preview, errors } = await previewEntry(order, shape, options)
    if (errors.length === 0) {
      const objection = objectionTo(preview, order, shape, instrument)
      return objection === null ? { shape } : { refusal: objection }
    }
    const final = errors.find((error) => !ABOUT_SHAPE.has(error))
    if (final !== undefined) return { refusal: final }
    refusal = errors[0] ?? refusal
  }
  return { refusal }
}

/**
 * Whether this clock is near the venue's: measured against the whole time the question took, so a slow answer alone is
 * no skew.
 */
async function isClockRight({ reader, live, clock, deadline }: Options): Promise<boolean> {
  const before = clock()
  try {
    const theirs = await reader.read(askServerTime(), deadline)
    return theirs >= before - live.maxClockSkewMs && theirs <= clock() + live.maxClockSkewMs
  } catch (error) {
    if (error instanceof BrokerError) return false
    throw error
  }
}

const NO_PREVIEW: Preview = {
  errs: [],
  commission_total: null,
  best_bid: null,
  best_ask: null,
  est_average_filled_price: null,
  predicted_liquidation_price: null,
}

async function previewEntry(
  order: EntryOrder,
  shape: EntryShape,
  { reader, clock, deadline }: Options,
): Promise<{ preview: Preview; errors: string[] }> {
  if (clock() > deadline)
    throw new BrokerError(`the entry's deadline ${toIso(deadline)} passed while it was being previewed`)
  try {
    const preview = await reader.read(askPreview(order, shape), deadline)
    const { error_response: refusal } = preview
    return {
      preview,
      errors: [
        ...preview.errs.map(plainReason),
        ...(refusal === null || refusal === undefined ? [] : [failureReason(refusal)]),
      ],
    }
  } catch (error) {
    // An unknown member, or a configuration this product does not have.
    if (error instanceof RefusedQuestion && error.status === 400 && error.code === 'INVALID_ARGUMENT')
      return { preview: NO_PREVIEW, errors: ['invalid_argument'] }
    throw error
  }
}

/** What the venue would do and the guard would not want. */
function objectionTo(
  preview: Preview,
  order: EntryOrder,
  { configuration }: EntryShape,
  instrument: Instrument,
): string | null {
  const isLong = order.side === 'buy'
  const isWorse = (price: string, limit: string): boolean => (isLong ? dec(price).gt(limit) : dec(price).lt(limit))
  if (configuration === 'market_market_ioc') {
    const expected =
      positive(preview.est_average_filled_price) ?? positive(isLong ? preview.best_ask : preview.best_bid)
    if (expected === null) return 'price_unknown'
    if (isWorse(expected, order.priceLimit)) return 'price_beyond_limit'
  }
  const liquidation = positive(preview.predicted_liquidation_price)
  const { stopLossPrice } = order.bracket
  if (liquidation !== null && (isLong ? dec(liquidation).gte(stopLossPrice) : dec(liquidation).lte(stopLossPrice)))
    return 'liquidation_before_stop'
  const highest = assumedCommission(order, instrument).times(COMMISSION_FACTOR).plus(COMMISSION_SLACK)
  return preview.commission_total !== null && dec(preview.commission_total).gt(highest)
    ? 'commission_above_assumed'
    : null
}

/** US dollars of the whole quantity at the worst price. */
function assumedCommission({ quantity, priceLimit }: EntryOrder, { multiplier, fees }: Instrument): Decimal {
  return dec(quantity).times(dec(priceLimit).times(multiplier).times(fees.taker).plus(fees.perContract))
}
