import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import type { VenueOptions } from '../support/coinbase/options.ts'
import { pathOfSteps, type PricePath } from '../support/coinbase/prices.ts'
import {
  attached,
  bracketOrder,
  closeOrder,
  createBench,
  iocOrder,
  limitOrder,
  marketOrder,
  orderIdOf,
  PRODUCT,
  refusalOf,
  START,
} from './support.ts'

/** 3000, then these prices a minute apart. */
const then = (...prices: number[]): PricePath =>
  pathOfSteps([
    { from: 0, price: 3_000 },
    ...prices.map((price, index) => ({ from: START + (index + 1) * MINUTE_MS, price })),
  ])

const listed = (
  bench: ReturnType<typeof createBench>,
  query: Record<string, string | readonly string[]> = {},
): Record<string, unknown>[] => bench.get('orders/historical/batch', query).body['orders'] as Record<string, unknown>[]
const told = (bench: ReturnType<typeof createBench>, orderId: string): Record<string, unknown> =>
  bench.get(`orders/historical/${orderId}`).body['order'] as Record<string, unknown>

describe('taking orders', () => {
  const book: Partial<VenueOptions> = { halfSpreadBps: 1, slippageTicks: 1, depth: 4 }

  it.each([
    {
      name: 'market buy walks the book',
      body: marketOrder('BUY', 10),
      status: 'FILLED',
      prices: ['3001', '3001.5', '3002'],
    },
    { name: 'market sell walks the book', body: marketOrder('SELL', 5), status: 'FILLED', prices: ['2999', '2998.5'] },
    {
      name: 'IOC stops at its limit',
      body: iocOrder('BUY', 10, '3001.5'),
      status: 'CANCELLED',
      prices: ['3001', '3001.5'],
    },
    {
      name: 'IOC slips to its limit, not beyond',
      body: iocOrder('BUY', 2, '3000.5'),
      status: 'FILLED',
      prices: ['3000.5'],
    },
    { name: 'IOC below the ask takes nothing', body: iocOrder('BUY', 2, '3000'), status: 'CANCELLED', prices: [] },
    {
      name: 'a marketable limit takes what there is, and its rest is next at its price',
      body: limitOrder('BUY', 10, '3001'),
      status: 'FILLED',
      prices: ['3001', '3001'],
    },
    { name: 'a limit away from the market rests', body: limitOrder('BUY', 10, '2990'), status: 'OPEN', prices: [] },
    {
      name: 'FOK that the book cannot fill',
      body: {
        ...marketOrder('BUY', 10),
        order_configuration: { limit_limit_fok: { base_size: '10', limit_price: '3001' } },
      },
      status: 'CANCELLED',
      prices: [],
    },
  ])('$name', ({ body, status, prices }) => {
    const bench = createBench(book)
    const order = told(bench, orderIdOf(bench.post('orders', body)))
    const { fills } = bench.venue.truth()
    expect(fills.map(({ price }) => price)).toEqual(prices)
    expect(order).toMatchObject({
      status,
      filled_size: String(fills.reduce((total, fill) => total + fill.contracts, 0)),
      number_of_fills: String(prices.length),
      client_order_id: body.client_order_id,
    })
  })

  it('tells notional, fees and average with the contract size in them', () => {
    const bench = createBench({ fees: { taker: '0.0003', maker: '0', perContract: '0.15' } })
    const order = told(bench, orderIdOf(bench.post('orders', marketOrder('BUY', 10))))
    // 10 x 0.1 x 3000; 0.9 + 1.5.
    expect(order).toMatchObject({
      average_filled_price: '3000',
      filled_value: '3000',
      total_fees: '2.40',
      total_value_after_fees: '3002.4',
      completion_percentage: '100.00',
      settled: true,
      time_in_force: 'IMMEDIATE_OR_CANCEL',
      order_type: 'MARKET',
    })
  })

  it('a limit order that is good till a date expires on that date', () => {
    const bench = createBench()
    const body = {
      ...limitOrder('BUY', 1, '2990'),
      order_configuration: {
        limit_limit_gtd: { base_size: '1', limit_price: '2990', post_only: false, end_time: '2026-11-02T10:05:00Z' },
      },
    }
    const id = orderIdOf(bench.post('orders', body))
    bench.clock.set(START + 5 * MINUTE_MS - 1)
    expect(told(bench, id)['status']).toBe('OPEN')
    bench.clock.advance(1)
    expect(told(bench, id)['status']).toBe('EXPIRED')
  })

  it('a resting limit fills at its price when the market comes to it', () => {
    const bench = createBench({ price: then(2_990.5, 2_990) })
    bench.post('orders', limitOrder('BUY', 3, '2990'))
    bench.clock.advance(MINUTE_MS)
    expect(bench.venue.truth().fills).toEqual([])
    bench.clock.advance(MINUTE_MS)
    expect(bench.venue.truth().fills).toMatchObject([{ price: '2990', contracts: 3, isMaker: true }])
  })
})

describe('attached brackets', () => {
  it('the child is born on the first fill, on the other side, linked both ways, and grows', () => {
    const bench = createBench()
    const parentId = orderIdOf(bench.post('orders', limitOrder('BUY', 10, '2990', attached('3100', '2900'))))
    expect(told(bench, parentId)).toMatchObject({
      attached_order_id: '',
      attached_order_configuration: { trigger_bracket_gtc: { limit_price: '3100', stop_trigger_price: '2900' } },
    })
    bench.venue.hand.fillOrder(parentId, 3, '2990')
    const childId = String(told(bench, parentId)['attached_order_id'])
    const child = {
      side: 'SELL',
      status: 'OPEN',
      order_type: 'BRACKET',
      trigger_status: 'STOP_PENDING',
      originating_order_id: parentId,
    }
    expect(told(bench, childId)).toMatchObject({
      ...child,
      workable_size: '3',
      order_configuration: { trigger_bracket_gtc: { base_size: '3', limit_price: '3100', stop_trigger_price: '2900' } },
    })
    bench.venue.hand.fillOrder(parentId, 7, '2990')
    expect(told(bench, childId)).toMatchObject({ ...child, workable_size: '10' })
    expect(listed(bench)).toHaveLength(2)
  })

  it.each([
    { leg: 'stop', price: 2_899, filledAt: '2899', status: 'STOP_TRIGGERED', isMaker: false },
    { leg: 'target', price: 3_105, filledAt: '3100', status: 'STOP_PENDING', isMaker: true },
  ])('its $leg closes the position', ({ price, filledAt, status, isMaker }) => {
    const bench = createBench({ price: then(price) })
    const parentId = orderIdOf(bench.post('orders', marketOrder('BUY', 10, attached('3100', '2900'))))
    bench.clock.advance(MINUTE_MS)
    const truth = bench.venue.truth()
    expect(truth.position.contracts).toBe(0)
    expect(truth.fills.at(-1)).toMatchObject({ price: filledAt, contracts: 10, isMaker })
    expect(told(bench, String(told(bench, parentId)['attached_order_id']))).toMatchObject({
      status: 'FILLED',
      trigger_status: status,
    })
  })

  it.each([
    [
      'a size of its own',
      {
        attached_order_configuration: {
          trigger_bracket_gtc: { base_size: '1', limit_price: '3100', stop_trigger_price: '2900' },
        },
      },
      'ATTACHED_ORDER_SIZE_MUST_BE_NIL',
    ],
    [
      'another type',
      { attached_order_configuration: { limit_limit_gtc: { limit_price: '3100' } } },
      'INVALID_ORDER_TYPE_FOR_ATTACHED',
    ],
    ['a target on the wrong side', attached('2950', '2900'), 'INVALID_ATTACHED_TAKE_PROFIT_PRICE'],
    ['a stop on the wrong side', attached('3100', '3001'), 'INVALID_ATTACHED_STOP_LOSS_PRICE'],
    ['a stop off the tick', attached('3100', '2900.3'), 'INVALID_ATTACHED_STOP_LOSS_PRICE_PRECISION'],
    [
      'one leg',
      { attached_order_configuration: { trigger_bracket_gtc: { limit_price: '3100' } } },
      'SINGLE_LEGGED_TPSL_NOT_ALLOWED',
    ],
  ])('refused: %s', (_name, more, reason) => {
    const bench = createBench()
    expect(refusalOf(bench.post('orders', marketOrder('BUY', 10, more)))).toEqual({
      newOrder: reason,
      preview: `PREVIEW_${reason}`,
    })
    expect(bench.venue.truth().orders).toEqual([])
  })
})

describe('brackets', () => {
  it('a jump beyond 5 % leaves a fired stop open and unfilled, until the price comes back', () => {
    const bench = createBench({ price: then(2_754.5, 2_755) })
    bench.post('orders', marketOrder('BUY', 10))
    const id = orderIdOf(bench.post('orders', bracketOrder('SELL', 10, '3100', '2900')))
    bench.clock.advance(MINUTE_MS)
    expect(told(bench, id)).toMatchObject({ status: 'OPEN', trigger_status: 'STOP_TRIGGERED', filled_size: '0' })
    expect(bench.venue.truth().position.contracts).toBe(10)
    bench.clock.advance(MINUTE_MS)
    expect(told(bench, id)).toMatchObject({ status: 'FILLED', average_filled_price: '2755' })
  })

  it('a short is bracketed the other way round', () => {
    const bench = createBench({ price: then(3_101) })
    bench.post('orders', marketOrder('SELL', 10))
    bench.post('orders', bracketOrder('BUY', 10, '2900', '3100'))
    bench.clock.advance(MINUTE_MS)
    expect(bench.venue.truth()).toMatchObject({
      position: { contracts: 0 },
      fills: [{}, { side: 'BUY', price: '3101' }],
    })
  })

  it('stays as it was when the position is reduced, and reverses it when it fires', () => {
    const bench = createBench({ price: then(2_899) })
    bench.post('orders', marketOrder('BUY', 10))
    bench.post('orders', bracketOrder('SELL', 10, '3100', '2900'))
    bench.venue.hand.reduce(6)
    bench.clock.advance(MINUTE_MS)
    expect(bench.venue.truth().position).toEqual({ contracts: -6, averageEntryPrice: '2899' })
  })

  it('an orphan opens a position of its own', () => {
    const bench = createBench({ price: then(3_101) })
    bench.venue.hand.placeBracket({ side: 'SELL', contracts: 4, limitPrice: '3100', stopPrice: '2900' })
    bench.clock.advance(MINUTE_MS)
    expect(bench.venue.truth().position).toEqual({ contracts: -4, averageEntryPrice: '3100' })
  })

  it.each([
    [
      'larger than the position',
      bracketOrder('SELL', 11, '3100', '2900'),
      { newOrder: 'UNKNOWN_FAILURE_REASON', preview: 'PREVIEW_BRACKET_ORDER_SIZE_EXCEEDS_POSITION' },
    ],
    [
      'on the side of the position',
      bracketOrder('BUY', 10, '2900', '3100'),
      { newOrder: 'UNKNOWN_FAILURE_REASON', preview: 'PREVIEW_INVALID_BRACKET_ORDER_SIDE' },
    ],
    [
      'a stop that the price has passed',
      bracketOrder('SELL', 10, '3100', '3000'),
      { newOrder: 'INVALID_BRACKET_STOP_TRIGGER_PRICE', preview: 'PREVIEW_INVALID_BRACKET_STOP_TRIGGER_PRICE' },
    ],
    [
      'a target that the price has passed',
      bracketOrder('SELL', 10, '3000', '2900'),
      { newOrder: 'INVALID_BRACKET_LIMIT_PRICE', preview: 'PREVIEW_INVALID_BRACKET_LIMIT_PRICE' },
    ],
    [
      'a stop beyond its target',
      bracketOrder('SELL', 10, '2900', '3100'),
      { newOrder: 'INVALID_BRACKET_PRICES', preview: 'PREVIEW_INVALID_BRACKET_PRICES' },
    ],
  ])('refused: %s', (_name, body, expected) => {
    const bench = createBench()
    bench.post('orders', marketOrder('BUY', 10))
    expect(refusalOf(bench.post('orders', body))).toEqual(expected)
  })

  it.each([
    { refusesStackedBrackets: false, live: 2 },
    { refusesStackedBrackets: true, live: 1 },
  ])('a second one beside the first (refused %o)', ({ refusesStackedBrackets, live }) => {
    const bench = createBench({ switches: { refusesStackedBrackets } })
    bench.post('orders', marketOrder('BUY', 10))
    bench.post('orders', bracketOrder('SELL', 10, '3100', '2900'))
    bench.post('orders', bracketOrder('SELL', 10, '3100', '2900'))
    expect(bench.venue.truth().orders.filter(({ isLive }) => isLive)).toHaveLength(live)
  })

  it('an order against the position may not cross what is bracketed', () => {
    const bench = createBench()
    bench.post('orders', marketOrder('BUY', 10))
    bench.post('orders', bracketOrder('SELL', 6, '3100', '2900'))
    expect(refusalOf(bench.post('orders', marketOrder('SELL', 5))).preview).toBe(
      'PREVIEW_ORDER_SIZE_EXCEEDS_BRACKETED_POSITION',
    )
    expect(bench.post('orders', marketOrder('SELL', 4)).body['success']).toBe(true)
  })
})

describe('closing', () => {
  it.each([
    { size: undefined, left: 0 },
    { size: 10, left: 0 },
    { size: 3, left: 7 },
  ])('size $size of 10 leaves $left', ({ size, left }) => {
    const bench = createBench()
    bench.post('orders', marketOrder('BUY', 10))
    const id = orderIdOf(bench.post('orders/close_position', closeOrder(size)))
    expect(told(bench, id)).toMatchObject({
      side: 'SELL',
      status: 'FILLED',
      order_configuration: { market_market_ioc: { base_size: String(size ?? 10) } },
    })
    expect(bench.venue.truth().position.contracts).toBe(left)
  })

  it.each([
    { name: 'more than is held', held: 10, bracketed: 0, size: 11, reason: 'INVALID_REQUEST' },
    { name: 'nothing held', held: 0, bracketed: 0, size: 1, reason: 'CANNOT_CLOSE_ZERO_POSITION' },
    { name: 'a bracket rests', held: 10, bracketed: 2, size: 1, reason: 'OPEN_BRACKET_ORDERS' },
  ])('refused: $name', ({ held, bracketed, size, reason }) => {
    const bench = createBench()
    if (held > 0) bench.post('orders', marketOrder('BUY', held))
    if (bracketed > 0) bench.post('orders', bracketOrder('SELL', bracketed, '3100', '2900'))
    expect(refusalOf(bench.post('orders/close_position', closeOrder(size)))).toEqual({
      newOrder: reason,
      preview: 'UNKNOWN_PREVIEW_FAILURE_REASON',
    })
    expect(bench.venue.truth().position.contracts).toBe(held)
  })
})

describe('what is refused', () => {
  const gtc = (fields: Record<string, unknown>): Record<string, unknown> => ({
    ...marketOrder('BUY', 1),
    order_configuration: { limit_limit_gtc: fields },
  })

  it.each<[string, unknown, string]>([
    ['another product', { ...marketOrder('BUY', 1), product_id: 'ETH-USD' }, 'INVALID_PRODUCT_ID'],
    ['a leverage', { ...marketOrder('BUY', 1), leverage: '3' }, 'INVALID_LEVERAGE'],
    ['a margin type', { ...marketOrder('BUY', 1), margin_type: 'CROSS' }, 'INVALID_MARGIN_TYPE'],
    ['part of a contract', marketOrder('BUY', '1.5'), 'INVALID_SIZE_PRECISION'],
    [
      'a quote size',
      { ...marketOrder('BUY', 1), order_configuration: { market_market_ioc: { quote_size: '100' } } },
      'UNSUPPORTED_ORDER_CONFIGURATION',
    ],
    ['a price off the tick', iocOrder('BUY', 1, '3000.3'), 'INVALID_PRICE_PRECISION'],
    ['more than the margin carries', marketOrder('BUY', 500), 'INSUFFICIENT_FUND'],
    ['a reversal beyond it', marketOrder('SELL', 500), 'INSUFFICIENT_FUND'],
    [
      'post-only that would take',
      gtc({ base_size: '1', limit_price: '3000', post_only: true }),
      'INVALID_LIMIT_PRICE_POST_ONLY',
    ],
    [
      'a TWAP',
      { ...marketOrder('BUY', 1), order_configuration: { twap_limit_gtd: { base_size: '1' } } },
      'UNSUPPORTED_ORDER_CONFIGURATION',
    ],
  ])('%s', (_name, body, reason) => {
    const bench = createBench()
    const answer = bench.post('orders', body)
    expect({ status: answer.status, success: answer.body['success'] }).toEqual({ status: 200, success: false })
    expect(refusalOf(answer).newOrder).toBe(reason)
    expect(bench.venue.truth().orders).toEqual([])
  })

  it.each([
    ['no contract', '0', 'PREVIEW_INVALID_BASE_SIZE_TOO_SMALL'],
    ['too many', '5001', 'PREVIEW_INVALID_BASE_SIZE_TOO_LARGE'],
    ['no number', 'many', 'PREVIEW_NON_NUMERIC_ORDER_SIZE'],
  ])('%s: a reason that only previews know', (_name, size, preview) => {
    expect(refusalOf(createBench().post('orders', marketOrder('BUY', size)))).toEqual({
      newOrder: 'UNKNOWN_FAILURE_REASON',
      preview,
    })
  })

  it.each([
    ['full', { newOrder: 'INVALID_LEVERAGE', preview: 'PREVIEW_INVALID_LEVERAGE' }],
    ['preview', { newOrder: 'UNKNOWN_FAILURE_REASON', preview: 'PREVIEW_INVALID_LEVERAGE' }],
    ['none', { newOrder: 'UNKNOWN_FAILURE_REASON', preview: undefined }],
  ] as const)('reasons told: %s', (failureReasons, expected) => {
    expect(
      refusalOf(createBench({ switches: { failureReasons } }).post('orders', marketOrder('BUY', 1, { leverage: '2' }))),
    ).toEqual(expected)
  })

  it.each<[string, string, unknown, string]>([
    ['an unknown key', 'orders', { ...marketOrder('BUY', 1), reduce_only: true }, 'proto: unknown field "reduce_only"'],
    [
      'an unknown key inside',
      'orders',
      { ...marketOrder('BUY', 1), order_configuration: { market_market_ioc: { base_size: '1', post_only: false } } },
      'proto: unknown field "post_only"',
    ],
    [
      'an unknown configuration',
      'orders',
      { ...marketOrder('BUY', 1), order_configuration: { market: { base_size: '1' } } },
      'proto: unknown field "market"',
    ],
    ['a client id in a preview', 'orders/preview', marketOrder('BUY', 1), 'proto: unknown field "client_order_id"'],
    [
      'the field that ccxt sends',
      'orders/close_position',
      { ...closeOrder(), amount: '1' },
      'proto: unknown field "amount"',
    ],
    ['no client id', 'orders', { ...marketOrder('BUY', 1), client_order_id: '' }, 'client_order_id is required'],
    [
      'a number for a string',
      'orders',
      { ...marketOrder('BUY', 1), order_configuration: { market_market_ioc: { base_size: 1 } } },
      'proto: invalid value for string field base_size: 1',
    ],
    [
      'more of a cancel',
      'orders/batch_cancel',
      { order_ids: [], product_id: PRODUCT },
      'proto: unknown field "product_id"',
    ],
  ])('400 for %s', (_name, path, body, message) => {
    const answer = createBench().post(path, body)
    expect(answer).toMatchObject({ status: 400, body: { error: 'INVALID_ARGUMENT', message } })
  })

  it.each(['orders/edit', 'orders/edit_preview'])('%s: futures are never edited', (path) => {
    expect(createBench().post(path, { order_id: 'x', price: '1', size: '1' }).body).toMatchObject({
      success: false,
      errors: [{ edit_failure_reason: 'CANNOT_EDIT_FUTURES_ORDER' }],
    })
  })

  it('a path that does not exist', () => {
    expect(createBench().get('orders').status).toBe(404)
    expect(createBench().post('accounts', {}).status).toBe(404)
    expect(createBench().get('orders/historical/%zz').status).toBe(404)
  })

  it.each([
    [{ refusesAttachedBrackets: true }, marketOrder('BUY', 1, attached('3100', '2900')), 'BRACKET_ORDER_NOT_SUPPORTED'],
    [{ refusesBrackets: true }, bracketOrder('SELL', 1, '3100', '2900'), 'BRACKET_ORDER_NOT_SUPPORTED'],
    [{ refusesSorIoc: true }, iocOrder('BUY', 1, '3000'), 'UNSUPPORTED_ORDER_CONFIGURATION'],
    [
      { refusesFok: true },
      { ...marketOrder('BUY', 1), order_configuration: { market_market_fok: { base_size: '1' } } },
      'FOK_DISABLED',
    ],
  ] as const)('with the switch %o', (switches, body, reason) => {
    const bench = createBench({ switches })
    expect(refusalOf(bench.post('orders', body)).newOrder).toBe(reason)
    const { client_order_id: _, ...preview } = body
    const { errs } = bench.post('orders/preview', preview).body
    expect(errs).toHaveLength(1)
  })
})

describe('client ids', () => {
  it('a repeated one creates nothing: the first id with the new side', () => {
    const bench = createBench()
    const first = marketOrder('BUY', 10)
    const id = orderIdOf(bench.post('orders', first))
    const again = bench.post('orders', { ...marketOrder('SELL', 3), client_order_id: first.client_order_id })
    expect(again.body).toMatchObject({ success: true, success_response: { order_id: id, side: 'SELL' } })
    expect(
      bench.post('orders/close_position', { ...closeOrder(), client_order_id: first.client_order_id }).body,
    ).toMatchObject({ success_response: { order_id: id } })
    expect(bench.venue.truth()).toMatchObject({ position: { contracts: 10 }, orders: [{ orderId: id }] })
  })

  it('or it is refused, where told to', () => {
    const bench = createBench({ switches: { duplicateIds: 'refuse' } })
    const body = marketOrder('BUY', 10)
    bench.post('orders', body)
    expect(refusalOf(bench.post('orders', body)).newOrder).toBe('DUPLICATE_CLIENT_ORDER_ID')
  })

  it('one that was refused can be used again', () => {
    const bench = createBench()
    const body = marketOrder('BUY', 500)
    expect(bench.post('orders', body).body['success']).toBe(false)
    bench.venue.hand.deposit('100000')
    expect(bench.post('orders', body).body['success']).toBe(true)
  })
})

describe('previews', () => {
  it('foretell price and fee of the very order, and do nothing', () => {
    const bench = createBench({ halfSpreadBps: 1, fees: { taker: '0.0003', maker: '0', perContract: '0.15' } })
    const { client_order_id, ...preview } = marketOrder('BUY', 10)
    const foretold = bench.post('orders/preview', preview).body
    expect(bench.venue.truth().orders).toEqual([])
    const order = told(bench, orderIdOf(bench.post('orders', { client_order_id, ...preview })))
    expect(foretold).toMatchObject({
      errs: [],
      est_average_filled_price: order['average_filled_price'],
      commission_total: order['total_fees'],
      quote_size: order['filled_value'],
    })
  })
})

describe('cancelling', () => {
  it('is asked first and done then; results name each order', () => {
    const bench = createBench({ switches: { cancelMs: 2_000 } })
    const open = orderIdOf(bench.post('orders', limitOrder('BUY', 1, '2990')))
    const filled = orderIdOf(bench.post('orders', marketOrder('BUY', 1)))
    expect(bench.post('orders/batch_cancel', { order_ids: [filled, 'nobody', open, open] }).body['results']).toEqual([
      { success: false, failure_reason: 'ORDER_IS_FULLY_FILLED', order_id: filled },
      { success: false, failure_reason: 'UNKNOWN_CANCEL_ORDER', order_id: 'nobody' },
      { success: true, failure_reason: 'UNKNOWN_CANCEL_FAILURE_REASON', order_id: open },
      { success: false, failure_reason: 'DUPLICATE_CANCEL_REQUEST', order_id: open },
    ])
    expect(told(bench, open)).toMatchObject({ status: 'OPEN', pending_cancel: true })
    bench.clock.advance(2_000)
    expect(told(bench, open)).toMatchObject({ status: 'CANCELLED', pending_cancel: false })
    expect(bench.post('orders/batch_cancel', { order_ids: [open] }).body['results']).toMatchObject([
      { success: false, failure_reason: 'NOT_ALLOWED_TO_CANCEL' },
    ])
  })

  it('can lose the race against a fill', () => {
    const bench = createBench({ switches: { cancelMs: 90_000 }, price: then(2_990) })
    const id = orderIdOf(bench.post('orders', limitOrder('BUY', 1, '2990')))
    expect(bench.post('orders/batch_cancel', { order_ids: [id] }).body).toMatchObject({ results: [{ success: true }] })
    bench.clock.advance(2 * MINUTE_MS)
    expect(told(bench, id)['status']).toBe('FILLED')
  })
})

describe('sessions', () => {
  const closures = [{ from: START + HOUR_MS, to: START + 2 * HOUR_MS }]

  it('while closed nothing is taken, cancelled or filled, and the price stands; then it jumps', () => {
    const bench = createBench({
      closures,
      price: pathOfSteps([
        { from: 0, price: 3_000 },
        { from: START + HOUR_MS + MINUTE_MS, price: 2_890 },
      ]),
    })
    const session = (): unknown =>
      bench.get(`products/${PRODUCT}`).body['fcm_trading_session_details'] as Record<string, unknown>
    bench.post('orders', marketOrder('BUY', 10))
    const bracket = orderIdOf(bench.post('orders', bracketOrder('SELL', 10, '3100', '2900')))
    const maintenance = { start_time: '2026-11-02T11:00:00Z', end_time: '2026-11-02T12:00:00Z' }
    expect(session()).toMatchObject({
      is_session_open: true,
      session_state: 'FCM_TRADING_SESSION_STATE_OPEN',
      maintenance,
    })
    bench.clock.set(START + HOUR_MS + 30 * MINUTE_MS)
    expect(session()).toMatchObject({
      is_session_open: false,
      session_state: 'FCM_TRADING_SESSION_STATE_CLOSE',
      maintenance,
    })
    expect(refusalOf(bench.post('orders', marketOrder('BUY', 1))).newOrder).toBe('INVALID_FCM_TRADING_SESSION')
    expect(refusalOf(bench.post('orders/close_position', closeOrder())).newOrder).toBe('INVALID_FCM_TRADING_SESSION')
    expect(bench.post('orders/batch_cancel', { order_ids: [bracket] }).body).toMatchObject({
      results: [{ failure_reason: 'INVALID_CANCEL_FCM_TRADING_SESSION' }],
    })
    expect(bench.venue.truth()).toMatchObject({ lastPrice: '3000', position: { contracts: 10 }, isOpen: false })
    expect(bench.get(`products/${PRODUCT}`).body['price']).toBe('3000')
    bench.clock.set(START + 2 * HOUR_MS)
    expect(session()).toMatchObject({ is_session_open: true, maintenance: null })
    expect(bench.venue.truth()).toMatchObject({ lastPrice: '2890', position: { contracts: 0 } })
  })
})

describe('the first trade after a closure', () => {
  it('fires a stop at once, whenever somebody looks', () => {
    const minute = (count: number): number => START + count * MINUTE_MS
    const price = pathOfSteps([
      { from: 0, price: 3_000 },
      { from: minute(15), price: 2_890 },
      { from: minute(21), price: 3_000 },
    ])
    const bench = createBench({ closures: [{ from: minute(10), to: minute(20) }], price })
    bench.post('orders', marketOrder('BUY', 10))
    bench.post('orders', bracketOrder('SELL', 10, '3100', '2900'))
    bench.clock.set(minute(30))
    expect(bench.venue.truth().fills.at(-1)).toMatchObject({ side: 'SELL', price: '2890', at: minute(20) })
  })

  it('and nothing fires in it, though its minutes are played on', () => {
    const minute = (count: number): number => START + count * MINUTE_MS
    const price = pathOfSteps([
      { from: 0, price: 3_000 },
      { from: minute(15), price: 2_890 },
      { from: minute(19), price: 3_000 },
    ])
    const bench = createBench({ closures: [{ from: minute(10), to: minute(20) }], price })
    bench.post('orders', marketOrder('BUY', 10))
    bench.post('orders', bracketOrder('SELL', 10, '3100', '2900'))
    bench.clock.set(minute(16))
    bench.venue.hand.placeBracket({ side: 'SELL', contracts: 1, limitPrice: '3200', stopPrice: '3001' })
    bench.clock.set(minute(20) - 1)
    expect(bench.venue.truth().position.contracts).toBe(10)
    bench.clock.set(minute(30))
    expect(bench.venue.truth().position.contracts).toBe(9)
  })
})

describe('stop-limits', () => {
  const stopLimit = (
    side: 'BUY' | 'SELL',
    stop: string,
    limit: string,
    direction: string,
  ): Record<string, unknown> => ({
    ...marketOrder(side, 2),
    order_configuration: {
      stop_limit_stop_limit_gtc: {
        base_size: '2',
        limit_price: limit,
        stop_price: stop,
        stop_direction: `STOP_DIRECTION_STOP_${direction}`,
      },
    },
  })

  it.each([
    { side: 'SELL', stop: '2950', limit: '2940', direction: 'DOWN', price: 2_945, filledAt: '2945' },
    { side: 'SELL', stop: '2950', limit: '2940', direction: 'DOWN', price: 2_939, filledAt: null },
    { side: 'BUY', stop: '3050', limit: '3060', direction: 'UP', price: 3_055, filledAt: '3055' },
    { side: 'BUY', stop: '3050', limit: '3060', direction: 'UP', price: 3_049, filledAt: null },
  ] as const)(
    '$side at $stop to $limit, $direction, price $price: $filledAt',
    ({ side, stop, limit, direction, price, filledAt }) => {
      const bench = createBench({ price: then(price) })
      const id = orderIdOf(bench.post('orders', stopLimit(side, stop, limit, direction)))
      bench.clock.advance(MINUTE_MS)
      expect(bench.venue.truth().fills.map((fill) => fill.price)).toEqual(filledAt === null ? [] : [filledAt])
      expect(told(bench, id)).toMatchObject({
        order_type: 'STOP_LIMIT',
        trigger_status: price === 3_049 ? 'STOP_PENDING' : 'STOP_TRIGGERED',
      })
    },
  )

  it('a stop that the price has passed is refused', () => {
    expect(refusalOf(createBench().post('orders', stopLimit('SELL', '3000', '2990', 'DOWN'))).preview).toBe(
      'PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE',
    )
    expect(refusalOf(createBench().post('orders', stopLimit('BUY', '3000', '3010', 'UP'))).preview).toBe(
      'PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE',
    )
  })
})

describe('lists', () => {
  it('page newest first, whole and without repetition', () => {
    const bench = createBench()
    const ids = Array.from({ length: 7 }, () => orderIdOf(bench.post('orders', marketOrder('BUY', 1))))
    for (const [path, key, field] of [
      ['orders/historical/batch', 'orders', 'order_id'],
      ['orders/historical/fills', 'fills', 'order_id'],
    ] as const) {
      const seen: unknown[] = []
      const sizes: number[] = []
      let cursor = ''
      do {
        const { body } = bench.get(path, { limit: '3', ...(cursor === '' ? {} : { cursor }) })
        const rows = body[key] as Record<string, unknown>[]
        seen.push(...rows.map((row) => row[field]))
        sizes.push(rows.length)
        cursor = String(body['cursor'])
        if (key === 'orders') expect(body['has_next']).toBe(cursor !== '')
      } while (cursor !== '')
      expect(seen).toEqual(ids.toReversed())
      expect(sizes).toEqual([3, 3, 1])
    }
    expect(bench.get('orders/historical/batch', { cursor: 'bm93aGVyZQ==' }).status).toBe(400)
  })

  it('lists of orders hold what their filters name and nothing else', () => {
    const bench = createBench()
    const open = orderIdOf(bench.post('orders', limitOrder('BUY', 1, '2990')))
    bench.clock.advance(MINUTE_MS)
    const filled = orderIdOf(bench.post('orders', marketOrder('SELL', 1)))
    const hand = bench.venue.hand.openPosition('BUY', 1)
    const ids = (query: Record<string, string | readonly string[]>): unknown[] =>
      listed(bench, query).map((order) => order['order_id'])
    expect(ids({})).toEqual([filled, open])
    expect(ids({ order_status: 'OPEN' })).toEqual([open])
    expect(ids({ order_side: 'SELL' })).toEqual([filled])
    expect(ids({ order_placement_source: 'RETAIL_SIMPLE' })).toEqual([hand])
    expect(ids({ start_date: '2026-11-02T10:01:00Z' })).toEqual([filled])
    expect(ids({ end_date: '2026-11-02T10:01:00Z' })).toEqual([open])
    expect(ids({ contract_expiry_type: 'PERPETUAL' })).toEqual([])
    expect(ids({ product_ids: ['BIP-20DEC30-CDE'] })).toEqual([])
    expect(ids({ no_such_key: 'x' })).toEqual([filled, open])
    expect(bench.get('orders/historical/batch', { order_status: ['OPEN', 'PENDING'] }).status).toBe(400)
    expect(bench.get('orders/historical/fills', { order_ids: filled, product_ids: PRODUCT }).status).toBe(400)
    expect(bench.get('orders/historical/fills', { order_ids: filled }).body['fills']).toHaveLength(1)
    bench.venue.switches.refusesMixedStatus = false
    expect(ids({ order_status: ['OPEN', 'FILLED'] })).toEqual([filled, open])
  })

  it('lag: an order comes late, and with the state of then', () => {
    const bench = createBench({ switches: { listLagMs: 30_000 }, price: then(2_990) })
    const id = orderIdOf(bench.post('orders', limitOrder('BUY', 1, '2990')))
    expect(listed(bench)).toEqual([])
    expect(told(bench, id)['status']).toBe('OPEN')
    bench.clock.advance(MINUTE_MS)
    expect(told(bench, id)['status']).toBe('FILLED')
    expect(listed(bench)).toMatchObject([{ status: 'OPEN' }])
    expect(bench.get('orders/historical/fills').body['fills']).toEqual([])
    bench.clock.advance(30_000)
    expect(listed(bench)).toMatchObject([{ status: 'FILLED' }])
    expect(bench.get('orders/historical/fills').body['fills']).toHaveLength(1)
  })

  it('a record that is no fill is listed and moves nothing', () => {
    const bench = createBench()
    const orderId = orderIdOf(bench.post('orders', marketOrder('BUY', 1)))
    bench.venue.hand.addRecord({
      tradeType: 'CORRECTION',
      orderId,
      side: 'BUY',
      contracts: 1,
      price: '3000',
      commission: '0',
    })
    const fills = bench.get('orders/historical/fills').body['fills'] as Record<string, unknown>[]
    expect(fills.map((fill) => fill['trade_type'])).toEqual(['CORRECTION', 'FILL'])
    expect(new Set(fills.map((fill) => fill['trade_id'])).size).toBe(1)
    expect(bench.venue.truth().position.contracts).toBe(1)
  })
})

describe('positions', () => {
  it('a flat product has no row, and alone it is 404', () => {
    const bench = createBench()
    expect(bench.get('cfm/positions').body).toEqual({ positions: [] })
    expect(bench.get(`cfm/positions/${PRODUCT}`)).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
  })

  it.each([
    [false, '3000'],
    [true, { value: '3000.00', currency: 'USD' }],
  ])('amounts as objects: %s', (amountsAsObjects, price) => {
    const bench = createBench({ switches: { amountsAsObjects } })
    bench.post('orders', marketOrder('SELL', 2))
    const position = { side: 'SHORT', number_of_contracts: '2', avg_entry_price: price }
    expect(bench.get('cfm/positions').body).toMatchObject({ positions: [position] })
    expect(bench.get(`cfm/positions/${PRODUCT}`).body).toMatchObject({ position })
  })
})

describe('facts', () => {
  it('mirror the capture: perps are EXPIRING, the tick is in price_increment, funding_time has passed', () => {
    const bench = createBench({ reference: pathOfSteps([{ from: 0, price: 60_001 }]), fundingRate: () => '0.000013' })
    bench.clock.advance(29 * MINUTE_MS)
    const product = bench.get(`products/${PRODUCT}`).body
    expect(product).toMatchObject({
      product_venue: 'FCM',
      price_increment: '0.5',
      quote_increment: '0.01',
      status: '',
      future_product_details: {
        contract_size: '0.1',
        contract_expiry_type: 'EXPIRING',
        funding_interval: '3600s',
        funding_time: '2026-11-02T10:00:00Z',
        funding_rate: '0.000013',
        perpetual_details: { funding_rate: '', funding_time: null },
        overnight_margin_rate: { long_margin_rate: '0.25', short_margin_rate: '0.31' },
      },
    })
    expect(bench.get('market/products/BIP-20DEC30-CDE').body).toMatchObject({
      price: '60000',
      future_product_details: { contract_root_unit: 'BTC' },
    })
    expect(bench.get('products', { product_type: 'FUTURE' }).body['products']).toHaveLength(2)
    expect(bench.get('products').body['products']).toEqual([])
    expect(
      bench.get('products', { product_type: 'FUTURE', contract_expiry_type: 'PERPETUAL' }).body['products'],
    ).toEqual([])
    expect(bench.get('products/ETH-USD').status).toBe(404)
  })

  it('book and ticker lie around the last trade', () => {
    const bench = createBench({ halfSpreadBps: 1 })
    expect(bench.get(`market/products/${PRODUCT}/ticker`, { limit: '2' }).body).toMatchObject({
      trades: [{ price: '3000' }, { price: '3000' }],
      best_bid: '2999.5',
      best_ask: '3000.5',
    })
    expect(bench.get('market/product_book', { product_id: PRODUCT }).body).toMatchObject({
      pricebook: {
        bids: [{ price: '2999.5' }, { price: '2999' }, {}, {}, {}],
        asks: [{ price: '3000.5' }, { price: '3001' }, {}, {}, {}],
      },
    })
    expect(bench.get('best_bid_ask').body).toMatchObject({
      pricebooks: [{ product_id: PRODUCT, bids: [{ price: '2999.5' }] }],
    })
  })

  it('the fake venue tells permissions and its own time', () => {
    const bench = createBench({
      switches: { permissions: { view: true, trade: false, transfer: false }, clockSkewMs: -5_000 },
    })
    expect(bench.get('key_permissions').body).toMatchObject({ can_view: true, can_trade: false })
    expect(bench.post('orders', marketOrder('BUY', 1))).toMatchObject({
      status: 403,
      body: { error: 'PERMISSION_DENIED' },
    })
    expect(bench.get('time').body['epochMillis']).toBe(String(START - 5_000))
    expect(bench.get('transaction_summary').body).toMatchObject({
      fee_tier: { taker_fee_rate: '0', maker_fee_rate: '0' },
    })
    for (const path of ['accounts', 'cfm/sweeps', 'cfm/intraday/margin_setting', 'cfm/intraday/current_margin_window'])
      expect(bench.get(path).status).toBe(200)
  })
})
