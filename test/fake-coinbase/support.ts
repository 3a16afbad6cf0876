import fc from 'fast-check'
import { fromIso, MINUTE_MS } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import { createFakeVenue, type FakeVenue } from '../support/coinbase/fake-venue.ts'
import { createManualClock, type ManualClock } from '../support/coinbase/manual-clock.ts'
import type { VenueOptions } from '../support/coinbase/options.ts'
import { constantPath } from '../support/coinbase/prices.ts'

export const START = fromIso('2026-11-02T10:00:00Z')
export const PRODUCT = 'ETP-20DEC30-CDE'

export type Bench = {
  venue: FakeVenue
  clock: ManualClock
  get(
    path: string,
    query?: Record<string, string | readonly string[]>,
  ): { status: number; body: Record<string, unknown> }
  post(path: string, body: unknown): { status: number; body: Record<string, unknown> }
}

/** A venue at 3000.0 on a clock that stands, with frictionless prices unless told otherwise. */
export function createBench(options: Partial<VenueOptions> = {}): Bench {
  const clock = createManualClock(START)
  const venue = createFakeVenue({
    clock: clock.now,
    price: constantPath(3_000),
    halfSpreadBps: 0,
    fees: { taker: '0', maker: '0', perContract: '0' },
    fundingRate: () => '0',
    ...options,
  })
  const ask = (
    method: 'GET' | 'POST',
    path: string,
    query: Record<string, string | readonly string[]>,
    body: unknown,
  ): { status: number; body: Record<string, unknown> } => {
    const reply = venue.handle({ method, path, query, body })
    if (reply.kind !== 'answer') throw new Error(`no answer: ${reply.kind}`)
    return { status: reply.status, body: JSON.parse(reply.text) as Record<string, unknown> }
  }
  return {
    venue,
    clock,
    get: (path, query = {}) => ask('GET', path, query, null),
    post: (path, body) => ask('POST', path, {}, body),
  }
}

let counter = 0
/** A client id that no other order of this file has. */
export function freshId(): string {
  counter += 1
  return `00000000-0000-8000-8000-${String(counter).padStart(12, '0')}`
}

type OrderBody = Record<string, unknown> & { client_order_id: string }

const order = (
  side: 'BUY' | 'SELL',
  configuration: Record<string, unknown>,
  more: Record<string, unknown> = {},
): OrderBody => ({
  client_order_id: freshId(),
  product_id: PRODUCT,
  side,
  order_configuration: configuration,
  ...more,
})

export const marketOrder = (
  side: 'BUY' | 'SELL',
  size: number | string,
  more: Record<string, unknown> = {},
): OrderBody => order(side, { market_market_ioc: { base_size: String(size) } }, more)
export const iocOrder = (
  side: 'BUY' | 'SELL',
  size: number,
  price: string,
  more: Record<string, unknown> = {},
): OrderBody => order(side, { sor_limit_ioc: { base_size: String(size), limit_price: price } }, more)
export const limitOrder = (
  side: 'BUY' | 'SELL',
  size: number,
  price: string,
  more: Record<string, unknown> = {},
): OrderBody =>
  order(side, { limit_limit_gtc: { base_size: String(size), limit_price: price, post_only: false } }, more)
export const bracketOrder = (side: 'BUY' | 'SELL', size: number, target: string, stop: string): OrderBody =>
  order(side, { trigger_bracket_gtc: { base_size: String(size), limit_price: target, stop_trigger_price: stop } })
export const attached = (target: string, stop: string): Record<string, unknown> => ({
  attached_order_configuration: { trigger_bracket_gtc: { limit_price: target, stop_trigger_price: stop } },
})
export const closeOrder = (size?: number): Record<string, unknown> => ({
  client_order_id: freshId(),
  product_id: PRODUCT,
  ...(size === undefined ? {} : { size: String(size) }),
})

/** The refusal of an order: new-order reason and preview reason. */
export function refusalOf({ body }: { body: Record<string, unknown> }): { newOrder: unknown; preview: unknown } {
  const response = body['error_response'] as Record<string, unknown> | undefined
  return { newOrder: response?.['new_order_failure_reason'], preview: response?.['preview_failure_reason'] }
}

/** The id of an accepted order. */
export function orderIdOf({ body }: { body: Record<string, unknown> }): string {
  const response = body['success_response'] as Record<string, unknown> | undefined
  return String(response?.['order_id'])
}

/** Minutes of a walk, some of them missing, the first one always there. */
export const minutes = (count: number, startAt: number): fc.Arbitrary<Candle[]> =>
  fc
    .array(
      fc.record({
        open: fc.integer({ min: -40, max: 40 }),
        close: fc.integer({ min: -40, max: 40 }),
        up: fc.nat(30),
        down: fc.nat(30),
        isMissing: fc.boolean(),
      }),
      { minLength: count, maxLength: count },
    )
    .map((steps) => {
      let last = 3_000
      return steps.flatMap((step, index) => {
        const open = last + step.open / 4
        const close = open + step.close
        last = close
        const bar = {
          time: startAt + index * MINUTE_MS,
          open,
          close,
          high: Math.max(open, close) + step.up,
          low: Math.min(open, close) - step.down,
          volume: 5,
        }
        return index > 0 && step.isMissing && index % 3 === 0 ? [] : [bar]
      })
    })
