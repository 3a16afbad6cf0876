import { describe, expect, it } from 'vitest'
import type { Quantity } from '../../../lib/core/decimal.ts'
import {
  apiError,
  brokerOn,
  close,
  DEADLINE,
  entry,
  idOf,
  noAnswer,
  NOW,
  PLACED,
  PREVIEW,
  protect,
  REFUSED,
  type Script,
  type Scripted,
  status,
  SYMBOL,
} from './support.ts'

const errorResponse = (given: object) => ({ success: false, error_response: given })

/** What an answer to a placement means, whichever endpoint gave it. */
const OUTCOMES: { what: string; answer: Scripted; outcome: object }[] = [
  {
    what: 'a good answer',
    answer: PLACED('venue-1', idOf('protect')),
    outcome: { outcome: 'accepted', orderId: 'venue-1' },
  },
  {
    what: 'a good answer without our id',
    answer: { success: true, success_response: { order_id: 'venue-1' } },
    outcome: { outcome: 'accepted', orderId: 'venue-1' },
  },
  {
    what: 'a good answer about another order',
    answer: PLACED('venue-1', 'other'),
    outcome: { outcome: 'unknown', reason: 'answer_about_another_order' },
  },
  {
    what: 'success without an id',
    answer: { success: true, success_response: { order_id: '' } },
    outcome: { outcome: 'unknown', reason: 'accepted_without_order_id' },
  },
  {
    what: 'success without anything',
    answer: { success: true },
    outcome: { outcome: 'unknown', reason: 'accepted_without_order_id' },
  },
  {
    what: 'the old form of success',
    answer: { success: true, order_id: 'venue-1', failure_reason: '' },
    outcome: { outcome: 'unknown', reason: 'accepted_without_order_id' },
  },
  {
    what: 'a refusal in the new member',
    answer: REFUSED('INSUFFICIENT_FUNDS'),
    outcome: { outcome: 'rejected', reason: 'insufficient_funds' },
  },
  {
    what: 'a refusal in the preview member',
    answer: errorResponse({
      new_order_failure_reason: 'UNKNOWN_FAILURE_REASON',
      preview_failure_reason: 'PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE',
      error: 'UNKNOWN_FAILURE_REASON',
    }),
    outcome: { outcome: 'rejected', reason: 'stop_price_above_last_trade_price' },
  },
  {
    what: 'a refusal in the oldest member',
    answer: errorResponse({ error: 'STOP_ALREADY_TRIGGERED', message: 'words' }),
    outcome: { outcome: 'rejected', reason: 'stop_already_triggered' },
  },
  {
    what: 'members that disagree: the first that speaks',
    answer: errorResponse({
      new_order_failure_reason: 'OPEN_BRACKET_ORDERS',
      preview_failure_reason: 'PREVIEW_IN_LIQUIDATION',
      error: 'INVALID_REQUEST',
    }),
    outcome: { outcome: 'rejected', reason: 'open_bracket_orders' },
  },
  {
    what: 'a refusal for unknown reasons',
    answer: REFUSED('UNKNOWN_FAILURE_REASON'),
    outcome: { outcome: 'rejected', reason: 'unknown_failure_reason' },
  },
  {
    what: 'a refusal without reasons',
    answer: errorResponse({}),
    outcome: { outcome: 'rejected', reason: 'unknown_failure_reason' },
  },
  {
    what: 'an unknown preview reason',
    answer: errorResponse({ preview_failure_reason: 'UNKNOWN_PREVIEW_FAILURE_REASON' }),
    outcome: { outcome: 'rejected', reason: 'unknown_failure_reason' },
  },
  {
    what: 'failure without a refusal',
    answer: { success: false },
    outcome: { outcome: 'unknown', reason: 'refused_without_reason' },
  },
  {
    what: 'our id taken already',
    answer: REFUSED('DUPLICATE_CLIENT_ORDER_ID'),
    outcome: { outcome: 'unknown', reason: 'duplicate_client_order_id' },
  },
  {
    what: 'an invalid body',
    answer: apiError(400, 'INVALID_ARGUMENT', 'proto: unknown field "x"'),
    outcome: { outcome: 'rejected', reason: expect.stringMatching(/^invalid_argument: .*unknown field/) },
  },
  {
    what: 'a 400 of unknown kind',
    answer: apiError(400, 'unknown'),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 400') },
  },
  {
    what: 'a 400 in HTML',
    answer: status(400, '<html>'),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 400') },
  },
  {
    what: 'not authorised',
    answer: status(401, 'Unauthorized'),
    outcome: { outcome: 'rejected', reason: expect.stringMatching(/^unauthorised: .*API key/) },
  },
  {
    what: 'forbidden',
    answer: apiError(403, 'PERMISSION_DENIED'),
    outcome: { outcome: 'rejected', reason: expect.stringMatching(/^permission_denied: .*permissions/) },
  },
  {
    what: 'too many requests',
    answer: apiError(429, 'RESOURCE_EXHAUSTED'),
    outcome: { outcome: 'rejected', reason: 'rate_limited' },
  },
  {
    what: 'a 401 in JSON',
    answer: apiError(401, 'UNAUTHENTICATED'),
    outcome: { outcome: 'rejected', reason: expect.stringMatching(/^unauthorised: /) },
  },
  {
    what: 'a 401 page of a gateway',
    answer: status(401, '<html>Unauthorized</html>'),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 401') },
  },
  {
    what: 'a 403 page of a gateway',
    answer: status(403, '<html>blocked</html>'),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 403') },
  },
  { what: 'a 429 without a word', answer: status(429), outcome: { outcome: 'unknown', reason: 'HTTP 429' } },
  {
    what: 'not found',
    answer: apiError(404, 'NOT_FOUND'),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 404') },
  },
  { what: 'a conflict', answer: status(409), outcome: { outcome: 'unknown', reason: 'HTTP 409' } },
  { what: 'a redirect', answer: status(307), outcome: { outcome: 'unknown', reason: 'HTTP 307' } },
  { what: 'no content', answer: status(204), outcome: { outcome: 'unknown', reason: 'HTTP 204' } },
  { what: 'an outage', answer: status(503, 'upstream'), outcome: { outcome: 'unknown', reason: 'HTTP 503: upstream' } },
  {
    what: 'a refusal with a status of an outage',
    answer: status(500, REFUSED('INSUFFICIENT_FUNDS')),
    outcome: { outcome: 'unknown', reason: expect.stringContaining('HTTP 500') },
  },
  {
    what: 'a body cut off',
    answer: status(200, '{"success": true, "success_resp'),
    outcome: { outcome: 'unknown', reason: 'unreadable_answer' },
  },
  { what: 'another shape', answer: [{ ok: 1 }], outcome: { outcome: 'unknown', reason: 'unreadable_answer' } },
  {
    what: 'no answer',
    answer: noAnswer(true),
    outcome: { outcome: 'unknown', reason: 'no_answer: the connection was cut' },
  },
  {
    what: 'nothing sent',
    answer: noAnswer(false),
    outcome: { outcome: 'rejected', reason: 'not_sent: connection refused' },
  },
  {
    what: 'a fault of our own',
    answer: new TypeError('a bug'),
    outcome: { outcome: 'unknown', reason: 'no_answer: a bug' },
  },
]

describe('a placement', () => {
  it.each(OUTCOMES)('is read from one request: $what', async ({ answer, outcome }) => {
    const { broker, sent } = brokerOn({ 'POST orders': answer })
    expect(await broker.place(protect(), DEADLINE)).toMatchObject(outcome)
    expect(sent).toHaveLength(1)
  })

  it('of protection is one order with a stop and a target, to leave by the deadline', async () => {
    const { broker, sent } = brokerOn(
      { 'POST orders': PLACED('venue-1', idOf('protect')) },
      { live: { timeoutMs: 3_000 } },
    )
    await broker.place(protect(), DEADLINE)
    expect(sent).toMatchObject([
      {
        method: 'POST',
        path: 'orders',
        isSigned: true,
        timeoutMs: 3_000,
        sendBy: DEADLINE,
        body: {
          client_order_id: idOf('protect'),
          product_id: SYMBOL,
          side: 'SELL',
          order_configuration: {
            trigger_bracket_gtc: { base_size: '2', limit_price: '3300', stop_trigger_price: '2850' },
          },
        },
      },
    ])
    expect(Object.keys(sent[0]?.body ?? {})).toEqual(['client_order_id', 'product_id', 'side', 'order_configuration'])
  })

  it('of a close names product and size and nothing else', async () => {
    const { broker, sent } = brokerOn({ 'POST orders/close_position': PLACED('venue-1', idOf('close')) })
    expect(await broker.place(close(), DEADLINE)).toEqual({ outcome: 'accepted', orderId: 'venue-1' })
    expect(sent.map(({ path, body, sendBy }) => ({ path, body, sendBy }))).toEqual([
      {
        path: 'orders/close_position',
        body: { client_order_id: idOf('close'), product_id: SYMBOL, size: '2' },
        sendBy: DEADLINE,
      },
    ])
  })

  it('that is too late is not sent', async () => {
    for (const order of [entry(), protect(), close()]) {
      const { broker, sent } = brokerOn({})
      expect(await broker.place(order, NOW - 1)).toMatchObject({ outcome: 'rejected', reason: 'deadline_passed' })
      expect(sent).toEqual([])
    }
  })
})

describe('a cancel', () => {
  const result = (more: object = {}) => ({
    results: [
      { success: true, failure_reason: 'UNKNOWN_CANCEL_FAILURE_REASON', order_id: 'other' },
      { success: true, failure_reason: 'UNKNOWN_CANCEL_FAILURE_REASON', order_id: 'o-1', ...more },
    ],
  })
  it.each([
    { what: 'taken', answer: result(), outcome: { outcome: 'accepted', orderId: 'o-1' } },
    {
      what: 'too late',
      answer: result({ success: false, failure_reason: 'ORDER_IS_FULLY_FILLED' }),
      outcome: { outcome: 'rejected', reason: 'order_is_fully_filled' },
    },
    {
      what: 'refused without a reason',
      answer: result({ success: false, failure_reason: '' }),
      outcome: { outcome: 'rejected', reason: 'unknown_cancel_failure_reason' },
    },
    {
      what: 'answered about another order',
      answer: { results: [{ success: true, failure_reason: '', order_id: 'other' }] },
      outcome: { outcome: 'unknown', reason: 'unreadable_answer' },
    },
    {
      what: 'answered with nothing',
      answer: { results: [] },
      outcome: { outcome: 'unknown', reason: 'unreadable_answer' },
    },
    { what: 'lost', answer: noAnswer(), outcome: { outcome: 'unknown', reason: expect.stringContaining('no_answer') } },
    {
      what: 'not sent',
      answer: noAnswer(false),
      outcome: { outcome: 'rejected', reason: expect.stringContaining('not_sent') },
    },
    { what: 'met by an outage', answer: status(502), outcome: { outcome: 'unknown', reason: 'HTTP 502' } },
  ])('is read from one request: $what', async ({ answer, outcome }) => {
    const { broker, sent } = brokerOn({ 'POST orders/batch_cancel': answer })
    expect(await broker.cancel(SYMBOL, 'o-1')).toMatchObject(outcome)
    expect(sent.map(({ body }) => body)).toEqual([{ order_ids: ['o-1'] }])
  })
})

describe('an entry', () => {
  const taken = { 'POST orders': PLACED('venue-1', idOf('entry')) }
  const errs = (...names: string[]) => ({ ...PREVIEW, errs: names })
  const posted = (sent: readonly { method: string; path: string; body: unknown }[]) =>
    sent.filter(({ method }) => method === 'POST')

  it('asks time and preview, then sends what was previewed under its id, once', async () => {
    const { broker, sent } = brokerOn(taken)
    expect(await broker.place(entry(), DEADLINE)).toEqual({ outcome: 'accepted', orderId: 'venue-1' })
    expect(sent.map(({ endpoint }) => endpoint)).toEqual([
      'products/{product_id}',
      'transaction_summary',
      'time',
      'orders/preview',
      'orders',
    ])
    const shape = {
      product_id: SYMBOL,
      side: 'BUY',
      order_configuration: { sor_limit_ioc: { base_size: '2', limit_price: '3003' } },
      attached_order_configuration: { trigger_bracket_gtc: { limit_price: '3300', stop_trigger_price: '2850' } },
    }
    expect(posted(sent).map(({ body }) => body)).toEqual([shape, { client_order_id: idOf('entry'), ...shape }])
    expect(sent.at(-1)).toMatchObject({ sendBy: DEADLINE })
  })

  const SHAPES = ['sor_limit_ioc attached', 'sor_limit_ioc', 'market_market_ioc attached', 'market_market_ioc']
  const shapeOf = (body: unknown): string => {
    const { order_configuration: configuration, attached_order_configuration: attached } = body as {
      order_configuration: object
      attached_order_configuration?: object
    }
    return `${Object.keys(configuration).join()}${attached === undefined ? '' : ' attached'}`
  }
  const takesFrom = (accepted: number, refusal: object): Script => ({
    ...taken,
    'POST orders/preview': ({ body }) => (SHAPES.indexOf(shapeOf(body)) < accepted ? refusal : PREVIEW),
  })

  it.each(SHAPES.map((shape, index) => ({ shape, index })))('falls back to $shape', async ({ shape, index }) => {
    for (const refusal of [
      errs('PREVIEW_BRACKET_ORDER_NOT_SUPPORTED'),
      apiError(400, 'INVALID_ARGUMENT', 'proto: unknown field'),
      REFUSED('UNSUPPORTED_ORDER_CONFIGURATION'),
      errs('UNKNOWN_PREVIEW_FAILURE_REASON'),
    ]) {
      const { broker, sent } = brokerOn(takesFrom(index, refusal))
      expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'accepted' })
      expect(posted(sent).map(({ body }) => shapeOf(body))).toEqual([...SHAPES.slice(0, index + 1), shape])
    }
  })

  it('without attached exits, where configured so, tries the plain shapes only', async () => {
    const { broker, sent } = brokerOn(takesFrom(4, errs('PREVIEW_INVALID_ORDER_CONFIG')), {
      live: { attachBracket: false },
    })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'rejected', reason: 'invalid_order_config' })
    expect(posted(sent).map(({ body }) => shapeOf(body))).toEqual(['sor_limit_ioc', 'market_market_ioc'])
  })

  it.each([
    'INSUFFICIENT_FUND',
    'INSUFFICIENT_FUNDS_FOR_FUTURES',
    'INVALID_FCM_TRADING_SESSION',
    'IN_LIQUIDATION',
    'INVALID_SIZE_PRECISION',
    'INVALID_PRICE_PRECISION',
    'FUTURES_AFTER_HOUR_INVALID_ORDER_TYPE',
    'INVALID_ATTACHED_STOP_LOSS_PRICE_OUT_OF_BOUNDS',
    'LIMIT_PRICE_TOO_FAR_FROM_MARKET',
    'UNTRADABLE_FCM_ACCOUNT_STATUS',
    'A_BRAND_NEW_REASON',
  ])('refused for %s in preview is not sent, in no shape', async (reason) => {
    const { broker, sent } = brokerOn({
      ...taken,
      'POST orders/preview': errs('PREVIEW_BRACKET_ORDER_NOT_SUPPORTED', `PREVIEW_${reason}`),
    })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'rejected', reason: reason.toLowerCase() })
    expect(posted(sent)).toHaveLength(1)
  })

  it.each([
    { what: 'a clock ahead', time: { epochMillis: String(NOW + 5_001) }, isRight: false },
    { what: 'a clock behind', time: { epochMillis: String(NOW - 5_001) }, isRight: false },
    { what: 'a clock just near enough', time: { epochMillis: NOW - 5_000 }, isRight: true },
    { what: 'seconds only', time: { epochSeconds: String(NOW / 1_000) }, isRight: true },
    { what: 'text only', time: { iso: '2026-11-21T12:00:01Z', epochMillis: '' }, isRight: true },
    { what: 'no time', time: {}, isRight: false },
    { what: 'no answer', time: noAnswer(), isRight: false },
    { what: 'an outage', time: status(503), isRight: false },
  ])('needs a right clock: $what', async ({ time, isRight }) => {
    const { broker, sent } = brokerOn({ ...taken, 'GET time': time })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject(
      isRight ? { outcome: 'accepted', orderId: 'venue-1' } : { outcome: 'rejected', reason: 'clock_skew' },
    )
    expect(posted(sent)).toHaveLength(isRight ? 2 : 0)
  })

  it.each([100, 6_900])('takes a slow answer for no skew, whether it was told %s ms into the question', async (ms) => {
    const { broker, time } = brokerOn({
      ...taken,
      'GET time': () => {
        time.now += 7_000
        return { epochMillis: String(NOW + ms) }
      },
    })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'accepted' })
  })

  const short = () =>
    entry({
      side: 'sell',
      priceLimit: '2997' as never,
      bracket: { stopLossPrice: '3150', takeProfitPrice: '2700' } as never,
    })
  it.each([
    {
      what: 'a long liquidated before its stop',
      order: entry(),
      preview: { predicted_liquidation_price: '2850' },
      reason: 'liquidation_before_stop',
    },
    {
      what: 'a long liquidated beyond its stop',
      order: entry(),
      preview: { predicted_liquidation_price: '2849.5' },
      reason: null,
    },
    {
      what: 'a short liquidated before its stop',
      order: short(),
      preview: { predicted_liquidation_price: '3150' },
      reason: 'liquidation_before_stop',
    },
    {
      what: 'a short liquidated beyond its stop',
      order: short(),
      preview: { predicted_liquidation_price: '3150.5' },
      reason: null,
    },
    { what: 'a short never liquidated', order: short(), preview: { predicted_liquidation_price: '0' }, reason: null },
    {
      what: 'a liquidation price not told',
      order: entry(),
      preview: { predicted_liquidation_price: '' },
      reason: null,
    },
    // Assumed: 2 x (3003 x 0.1 x 0.0003 + 0.15) = 0.48018; twice that and a dollar is 1.96036.
    {
      what: 'a commission far above',
      order: entry(),
      preview: { commission_total: '1.9604' },
      reason: 'commission_above_assumed',
    },
    { what: 'a commission at the bound', order: entry(), preview: { commission_total: '1.96036' }, reason: null },
    { what: 'no commission told', order: entry(), preview: { commission_total: '' }, reason: null },
  ])('is judged by its preview: $what', async ({ order, preview, reason }) => {
    const { broker, sent } = brokerOn({
      ...taken,
      'POST orders/preview': { ...PREVIEW, predicted_liquidation_price: '', ...preview },
    })
    expect(await broker.place(order, DEADLINE)).toMatchObject(
      reason === null ? { outcome: 'accepted', orderId: 'venue-1' } : { outcome: 'rejected', reason },
    )
    expect(posted(sent)).toHaveLength(reason === null ? 2 : 1)
  })

  it.each([
    {
      what: 'an expected price within the limit',
      order: entry(),
      preview: { est_average_filled_price: '3003' },
      reason: null,
    },
    {
      what: 'an expected price beyond it',
      order: entry(),
      preview: { est_average_filled_price: '3003.5' },
      reason: 'price_beyond_limit',
    },
    {
      what: 'the best ask in its place',
      order: entry(),
      preview: { est_average_filled_price: '', best_ask: '3004' },
      reason: 'price_beyond_limit',
    },
    { what: 'a short within', order: short(), preview: { est_average_filled_price: '2997' }, reason: null },
    {
      what: 'a short beyond',
      order: short(),
      preview: { est_average_filled_price: '', best_bid: '2996.5' },
      reason: 'price_beyond_limit',
    },
    {
      what: 'no price at all',
      order: entry(),
      preview: { est_average_filled_price: '0', best_ask: '' },
      reason: 'price_unknown',
    },
  ])('goes to market only within its limit: $what', async ({ order, preview, reason }) => {
    const { broker } = brokerOn({
      ...taken,
      'POST orders/preview': ({ body }) =>
        shapeOf(body).startsWith('market')
          ? { ...PREVIEW, predicted_liquidation_price: '', ...preview }
          : errs('PREVIEW_INVALID_ORDER_CONFIG'),
    })
    expect(await broker.place(order, DEADLINE)).toMatchObject(
      reason === null ? { outcome: 'accepted', orderId: 'venue-1' } : { outcome: 'rejected', reason },
    )
  })

  it.each([
    { what: 'preview', script: { 'POST orders/preview': status(503) } },
    { what: 'preview is forbidden', script: { 'POST orders/preview': apiError(403, 'PERMISSION_DENIED') } },
    { what: 'the product', script: { 'GET products/{product_id}': status(500) } },
  ])('is not sent where a question fails: $what', async ({ script }) => {
    const { broker, sent } = brokerOn({ ...taken, ...script })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject({
      outcome: 'rejected',
      reason: expect.stringMatching(/^not_sent: /),
    })
    expect(sent.some(({ path }) => path === 'orders')).toBe(false)
  })

  it('is not sent once its deadline has passed under the questions', async () => {
    for (const slow of ['GET time', 'POST orders/preview']) {
      const { broker, sent, time } = brokerOn({
        ...taken,
        [slow]: () => {
          time.now = DEADLINE + 1
          return slow === 'GET time' ? { epochMillis: String(time.now) } : PREVIEW
        },
      })
      expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'rejected' })
      expect(posted(sent).map(({ path }) => path)).toEqual(slow === 'GET time' ? [] : ['orders/preview'])
    }
  })

  it.each(
    OUTCOMES.filter(({ what }) => ['no answer', 'an outage', 'a body cut off', 'our id taken already'].includes(what)),
  )('is sent once whatever comes: $what', async ({ answer }) => {
    const { broker, sent } = brokerOn({ 'POST orders': answer })
    expect(await broker.place(entry({ quantity: '3' as Quantity }), DEADLINE)).toMatchObject({ outcome: 'unknown' })
    expect(sent.filter(({ path }) => path === 'orders')).toHaveLength(1)
  })
})
