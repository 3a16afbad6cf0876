import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../../lib/venue/broker.ts'
import { NoAnswerError } from '../../../lib/venue/coinbase/wire.ts'
import {
  apiError,
  BALANCE,
  brokerOn,
  idOf,
  noAnswer,
  NOT_FOUND,
  NOW,
  PRODUCT,
  type Script,
  status,
  SYMBOL,
  wireOrder,
} from './support.ts'

const endpoints = (sent: readonly { endpoint: string }[]): string[] => sent.map(({ endpoint }) => endpoint)

describe('a question', () => {
  const cases = [
    { fault: 'no answer', first: noAnswer() },
    { fault: 'a refused connection', first: noAnswer(false) },
    { fault: 'too many requests', first: status(429, 'slow down') },
    { fault: '500', first: status(500) },
    { fault: '503 in HTML', first: status(503, '<html>down</html>') },
    { fault: 'a body cut off', first: status(200, '{"balance_summary": {"avail') },
    { fault: 'another shape', first: { hello: 'there' } },
    { fault: 'an amount that is none', first: { balance_summary: { available_margin: 'lots' } } },
    { fault: 'a foreign currency', first: { balance_summary: { available_margin: { value: '1', currency: 'EUR' } } } },
  ]
  it.each(cases)('is asked again after $fault', async ({ first }) => {
    const { broker, sent, waits } = brokerOn({ 'GET cfm/balance_summary': [first, first, BALANCE] })
    expect(await broker.account()).toMatchObject({ availableMargin: '9000' })
    expect(sent).toHaveLength(3)
    expect(waits).toEqual([250, 750])
  })

  it.each(cases)('fails after three tries with $fault, naming endpoint and cause', async ({ first }) => {
    const { broker, sent } = brokerOn({ 'GET cfm/balance_summary': first })
    const error: unknown = await broker.account().catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(BrokerError)
    expect(String(error)).toMatch(/GET cfm\/balance_summary: .+\(after 3 tries\)/)
    expect(sent).toHaveLength(3)
  })

  it.each([
    { answer: status(401, 'Unauthorized'), says: /HTTP 401: Unauthorized \(check that the API key/ },
    {
      answer: apiError(403, 'PERMISSION_DENIED', 'Missing required scopes'),
      says: /HTTP 403: PERMISSION_DENIED: Missing required scopes.*permissions to view and trade/,
    },
    { answer: apiError(400, 'INVALID_ARGUMENT'), says: /HTTP 400: INVALID_ARGUMENT/ },
    { answer: status(404, 'page not found'), says: /HTTP 404: page not found/ },
    { answer: status(302), says: /HTTP 302/ },
    { answer: NOT_FOUND, says: /HTTP 404: NOT_FOUND/ },
  ])('refused with $answer.status is not asked again', async ({ answer, says }) => {
    const { broker, sent } = brokerOn({ 'GET cfm/balance_summary': answer })
    await expect(broker.account()).rejects.toThrow(says)
    await expect(broker.account()).rejects.toBeInstanceOf(BrokerError)
    expect(sent).toHaveLength(2)
  })

  it('ends at twice the deadline of one request, whatever the number of tries', async () => {
    const { broker, sent, time } = brokerOn(
      {
        'GET cfm/balance_summary': () => {
          time.now += 1_900
          return noAnswer()
        },
      },
      { live: { timeoutMs: 1_000 } },
    )
    await expect(broker.account()).rejects.toThrow(/cut$/)
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000])
  })

  it('gets what is left of the time', async () => {
    const { broker, sent, time } = brokerOn(
      {
        'GET cfm/balance_summary': [
          () => {
            time.now += 1_300
            return noAnswer()
          },
          BALANCE,
        ],
      },
      { live: { timeoutMs: 1_000 } },
    )
    await broker.account()
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 450])
  })

  it("carries a fault that is nobody's answer out as BrokerError", async () => {
    const { broker, sent } = brokerOn({ 'GET cfm/balance_summary': new TypeError('a bug') })
    await expect(broker.account()).rejects.toThrow(BrokerError)
    expect(sent).toHaveLength(1)
  })
})

describe('product', () => {
  it('takes tick, lot, sizes, margin and fees from where they are', async () => {
    const { broker, sent } = brokerOn({})
    expect(await broker.instrument(SYMBOL)).toEqual({
      instrument: {
        kind: 'perp',
        id: `coinbase:${SYMBOL}`,
        venue: 'coinbase',
        venueSymbol: SYMBOL,
        underlying: 'ETH',
        unit: 'ETH',
        quoteCurrency: 'USD',
        multiplier: '0.1',
        tickSize: '0.5',
        lotSize: '1',
        minQuantity: '1',
        maxQuantity: '4000',
        margin: { perNotional: { initial: { long: '0.22', short: '0.275' }, maintenance: '0.25' } },
        fees: { maker: '0', taker: '0.0003', perContract: '0.15' },
        calendar: 'always-open',
        fundingIntervalMs: 3_600_000,
      },
      session: { isOpen: true, nextClose: '2026-11-28T15:00:00Z', reason: 'open' },
    })
    expect(endpoints(sent)).toEqual(['products/{product_id}', 'transaction_summary'])
    expect(sent[1]?.query).toEqual({ product_type: 'FUTURE', product_venue: 'FCM' })
  })

  it('takes the stricter window where it is by day', async () => {
    const { broker } = brokerOn({
      'GET products/{product_id}': withDetails({
        intraday_margin_rate: { long_margin_rate: '0.3', short_margin_rate: '' },
      }),
    })
    expect((await broker.instrument(SYMBOL)).instrument.margin).toMatchObject({
      perNotional: { initial: { long: '0.3', short: '0.275' } },
    })
  })

  it('is kept for two seconds, the fee tier for ten minutes, a failure not at all', async () => {
    const { broker, sent, time } = brokerOn({ 'GET products/{product_id}': [status(400), PRODUCT] })
    await expect(broker.instrument(SYMBOL)).rejects.toThrow(BrokerError)
    await Promise.all([broker.instrument(SYMBOL), broker.instrument(SYMBOL)])
    time.now += 1_999
    await broker.instrument(SYMBOL)
    expect(endpoints(sent)).toEqual(['products/{product_id}', 'transaction_summary', 'products/{product_id}'])
    time.now += 1
    await broker.instrument(SYMBOL)
    expect(sent).toHaveLength(4)
    time.now += 600_000
    await broker.instrument(SYMBOL)
    expect(endpoints(sent).slice(4)).toEqual(['products/{product_id}', 'transaction_summary'])
  })

  const withDetails = (details: object, more: object = {}) => ({
    ...PRODUCT,
    ...more,
    future_product_details: { ...PRODUCT.future_product_details, ...details },
  })
  const withSession = (session: object, details: object = {}, more: object = {}) => ({
    ...withDetails(details, more),
    fcm_trading_session_details: { ...PRODUCT.fcm_trading_session_details, ...session },
  })

  it.each([
    {
      what: 'a dated future',
      answer: withDetails({ funding_interval: null }),
      says: /not a US perp-style future.*no funding interval/,
    },
    { what: 'another venue', answer: withDetails({}, { product_venue: 'CBE' }), says: /venue CBE/ },
    {
      what: 'a spot product',
      answer: { ...PRODUCT, product_venue: 'CBE', future_product_details: null, fcm_trading_session_details: null },
      says: /not a US perp-style future/,
    },
    {
      what: 'a strange interval',
      answer: withDetails({ funding_interval: '1h' }),
      says: /"1h" is not a funding interval/,
    },
    { what: 'no contract size', answer: withDetails({ contract_size: '' }), says: /multiplier/ },
  ])('refuses $what', async ({ answer, says }) => {
    const { broker } = brokerOn({ 'GET products/{product_id}': answer })
    const error: unknown = await broker.instrument(SYMBOL).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(BrokerError)
    expect(String(error)).toMatch(says)
  })

  it('counts on no rebate', async () => {
    const { broker } = brokerOn({
      'GET transaction_summary': { fee_tier: { taker_fee_rate: 0.0005, maker_fee_rate: '-0.0001' } },
    })
    expect((await broker.instrument(SYMBOL)).instrument.fees).toEqual({
      maker: '0',
      taker: '0.0005',
      perContract: '0.15',
    })
  })

  it.each([
    { session: { is_session_open: false }, reason: 'session closed: exchange_maintenance' },
    { session: { session_state: 'FCM_TRADING_SESSION_STATE_HALTED' }, reason: 'session state halted' },
    { session: { session_state: '' }, reason: 'session state unknown' },
    {
      session: { maintenance: { start_time: '2026-11-21T11:59:00Z', end_time: '2026-11-21T12:00:01Z' } },
      reason: 'maintenance',
    },
  ])('is closed: $reason', async ({ session, reason }) => {
    const { broker } = brokerOn({ 'GET products/{product_id}': withSession(session) })
    expect((await broker.instrument(SYMBOL)).session).toMatchObject({ isOpen: false, reason })
  })

  it.each(['is_disabled', 'trading_disabled', 'cancel_only', 'limit_only', 'post_only', 'auction_mode', 'view_only'])(
    'is closed by %s',
    async (name) => {
      const { broker } = brokerOn({ 'GET products/{product_id}': { ...PRODUCT, [name]: true } })
      expect((await broker.instrument(SYMBOL)).session).toMatchObject({ isOpen: false, reason: name })
    },
  )

  it('is closed where no session is told', async () => {
    const { broker } = brokerOn({ 'GET products/{product_id}': { ...PRODUCT, fcm_trading_session_details: null } })
    expect((await broker.instrument(SYMBOL)).session).toMatchObject({
      isOpen: false,
      nextClose: '2030-12-20T16:00:00Z',
    })
  })

  it.each([
    {
      what: 'around the clock: maintenance, not the daily boundary',
      session: {},
      details: {},
      nextClose: '2026-11-28T15:00:00Z',
    },
    {
      what: 'by sessions: the close',
      session: {},
      details: { twenty_four_by_seven: false },
      nextClose: '2026-11-21T22:00:00Z',
    },
    {
      what: 'by sessions, maintenance first',
      session: { maintenance: { start_time: '2026-11-21T13:00:00Z', end_time: null } },
      details: { twenty_four_by_seven: false },
      nextClose: '2026-11-21T13:00:00Z',
    },
    {
      what: 'the past is no close',
      session: { close_time: '2026-11-21T11:00:00Z', maintenance: null },
      details: { twenty_four_by_seven: false, contract_expiry: null },
      nextClose: null,
    },
    {
      what: 'the end of the contract',
      session: { maintenance: null },
      details: { contract_expiry: '2026-11-22T00:00:00Z' },
      nextClose: '2026-11-22T00:00:00Z',
    },
  ])('closes next: $what', async ({ session, details, nextClose }) => {
    const { broker } = brokerOn({ 'GET products/{product_id}': withSession(session, details) })
    expect((await broker.instrument(SYMBOL)).session.nextClose).toBe(nextClose)
  })
})

describe('account', () => {
  it('is available margin with the holds put back; cash is that without the open gain', async () => {
    const { broker } = brokerOn({})
    expect(await broker.account()).toEqual({
      at: '2026-11-21T12:00:00Z',
      equity: '9500',
      cash: '9540.25',
      availableMargin: '9000',
    })
  })

  it('takes plain decimals and numbers as well, and unset amounts as none', async () => {
    const { broker } = brokerOn({
      'GET cfm/balance_summary': {
        balance_summary: { available_margin: 12.5, total_open_orders_hold_amount: '', unrealized_pnl: null },
      },
    })
    expect(await broker.account()).toMatchObject({ equity: '12.5', cash: '12.5' })
  })

  it('without an available margin is no account', async () => {
    const { broker } = brokerOn({ 'GET cfm/balance_summary': { balance_summary: { available_margin: '' } } })
    await expect(broker.account()).rejects.toThrow(/available_margin: expected an amount/)
  })

  it('and position asked in one breath share one request; asked later they do not', async () => {
    const { broker, sent } = brokerOn({})
    await broker.instrument(SYMBOL)
    await Promise.all([broker.position(SYMBOL), broker.account()])
    expect(endpoints(sent).slice(2).sort()).toEqual(['cfm/balance_summary', 'cfm/positions/{product_id}'])
    await broker.account()
    expect(endpoints(sent).filter((endpoint) => endpoint === 'cfm/balance_summary')).toHaveLength(2)
  })
})

describe('position', () => {
  const held = (more: object = {}) => ({
    position: {
      product_id: SYMBOL,
      expiration_time: '',
      side: 'LONG',
      number_of_contracts: '2',
      current_price: '3000.0',
      avg_entry_price: '2990.5',
      unrealized_pnl: '1.9',
      ...more,
    },
  })
  const of = async (answer: Script[string], balance: object = BALANCE) =>
    brokerOn({ 'GET cfm/positions/{product_id}': answer, 'GET cfm/balance_summary': balance }).broker.position(SYMBOL)

  it('is what the venue holds, liquidated where its loss has used up the buffer', async () => {
    // 600 USD over 2 x 0.1 ETH is a fall of 3000.
    expect(await of(held(), { balance_summary: { available_margin: '1', liquidation_buffer_amount: '60' } })).toEqual({
      symbol: SYMBOL,
      side: 'long',
      quantity: '2',
      averageEntryPrice: '2990.5',
      markPrice: '3000',
      unrealisedPnl: '1.9',
      liquidationPrice: '2700',
    })
    expect(
      await of(held({ side: 'SHORT' }), {
        balance_summary: { available_margin: '1', liquidation_buffer_amount: '60' },
      }),
    ).toMatchObject({ side: 'short', liquidationPrice: '3300' })
  })

  it('has no liquidation price where the buffer outlasts everything or is not told', async () => {
    expect(await of(held())).toMatchObject({ liquidationPrice: null })
    expect(await of(held(), { balance_summary: { available_margin: '1' } })).toMatchObject({ liquidationPrice: null })
  })

  it('reads objects with a currency like plain decimals', async () => {
    const usd = (value: string) => ({ value, currency: 'USD' })
    expect(
      await of(held({ current_price: usd('3000.00'), avg_entry_price: usd('2990.50'), unrealized_pnl: usd('1.90') })),
    ).toEqual(await of(held()))
  })

  it.each([
    { what: 'NOT_FOUND', answer: NOT_FOUND },
    { what: 'null', answer: { position: null } },
    {
      what: 'zero contracts',
      answer: held({ number_of_contracts: '0', side: 'UNKNOWN', avg_entry_price: '', current_price: '' }),
    },
    { what: 'unset contracts', answer: held({ number_of_contracts: '', side: 'UNKNOWN' }) },
  ])('is flat by $what', async ({ answer }) => {
    expect(await of(answer)).toBeNull()
  })

  it.each([
    { what: 'a 404 of somebody else', answer: status(404, '<html>') },
    { what: 'a 404 with another code', answer: apiError(404, 'UNIMPLEMENTED') },
    { what: 'an empty object', answer: {} },
    { what: 'an outage', answer: status(503) },
    { what: 'no answer', answer: new NoAnswerError('cut', { wasSent: true }) },
    { what: 'a position without a side', answer: held({ side: 'UNKNOWN' }) },
    { what: 'a position elsewhere', answer: held({ product_id: 'BIP-20DEC30-CDE' }) },
    { what: 'a negative number of contracts', answer: held({ number_of_contracts: '-2' }) },
  ])('is not flat by $what', async ({ answer }) => {
    await expect(of(answer)).rejects.toThrow(BrokerError)
  })
})

describe('open orders', () => {
  /** Answers the four lists from one set of orders, exactly by status. */
  const listing = (orders: ReturnType<typeof wireOrder>[]): Script => ({
    'GET orders/historical/batch': ({ query }) => {
      const statuses = query['order_status']
      const source = query['order_placement_source']
      return {
        orders: orders.filter(
          (order) =>
            (statuses === undefined || [statuses].flat().includes(order.status)) &&
            ((order as { order_placement_source?: string }).order_placement_source ?? 'RETAIL_ADVANCED') === source,
        ),
        has_next: false,
        cursor: '',
      }
    },
    'GET orders/historical/{order_id}': ({ variables }) => {
      const found = orders.find((order) => order.order_id === variables['order_id'])
      return found === undefined ? NOT_FOUND : { order: found }
    },
  })

  it('are all that is not over, from both sources, each once', async () => {
    const pending = wireOrder({
      status: 'PENDING',
      client_order_id: idOf('close'),
      order_configuration: { market_market_ioc: { base_size: '2' } },
    })
    const queued = wireOrder({ status: 'CANCEL_QUEUED', client_order_id: idOf('protect') })
    const open = wireOrder({ client_order_id: idOf('protect', 1) })
    const app = wireOrder({
      order_placement_source: 'RETAIL_SIMPLE',
      client_order_id: 'from-the-app',
      order_configuration: { limit_limit_gtc: { base_size: '1', limit_price: '2000' } },
    })
    const { broker, sent } = brokerOn(listing([pending, queued, open, app, wireOrder({ status: 'FILLED' })]))
    const found = await broker.openOrders(SYMBOL)
    expect(found.map(({ orderId, kind, status }) => ({ orderId, kind, status }))).toEqual([
      { orderId: pending.order_id, kind: 'close', status: 'pending' },
      { orderId: queued.order_id, kind: 'protect', status: 'pending' },
      { orderId: open.order_id, kind: 'protect', status: 'open' },
      { orderId: app.order_id, kind: 'foreign', status: 'open' },
    ])
    const lists = sent.filter(({ endpoint }) => endpoint === 'orders/historical/batch')
    expect(lists).toHaveLength(4)
    // OPEN is never mixed with others.
    expect(lists.map(({ query }) => query['order_status'])).toEqual([
      ['PENDING', 'QUEUED', 'CANCEL_QUEUED', 'EDIT_QUEUED'],
      ['PENDING', 'QUEUED', 'CANCEL_QUEUED', 'EDIT_QUEUED'],
      ['OPEN'],
      ['OPEN'],
    ])
    expect(lists.every(({ query }) => Array.isArray(query['product_ids']) && !('product_id' in query))).toBe(true)
  })

  it('of other products and over already, should the venue send them, are left out', async () => {
    const { broker } = brokerOn({
      'GET orders/historical/batch': {
        orders: [wireOrder({ product_id: 'BIP-20DEC30-CDE' }), wireOrder({ status: 'CANCELLED' })],
        has_next: false,
        cursor: '',
      },
    })
    expect(await broker.openOrders(SYMBOL)).toEqual([])
  })

  it('tell size, exits, and whether the stop has fired', async () => {
    const order = wireOrder({
      client_order_id: idOf('protect'),
      trigger_status: 'STOP_TRIGGERED',
      filled_size: '1',
      average_filled_price: '2849.50',
    })
    const { broker } = brokerOn(listing([order]))
    expect(await broker.openOrders(SYMBOL)).toEqual([
      {
        orderId: order.order_id,
        clientOrderId: idOf('protect'),
        symbol: SYMBOL,
        kind: 'protect',
        side: 'sell',
        status: 'open',
        quantity: '2',
        filledQuantity: '1',
        averagePrice: '2849.5',
        bracket: { stopLossPrice: '2850', takeProfitPrice: '3300' },
        isTriggered: true,
        createdAt: '2026-11-21T11:00:00.123Z',
        reason: null,
      },
    ])
  })

  const parent = wireOrder({
    status: 'FILLED',
    client_order_id: idOf('entry'),
    side: 'BUY',
    order_configuration: { sor_limit_ioc: { base_size: '2', limit_price: '3003' } },
    filled_size: '2',
  })

  it("attached to an entry of ours protect: by the child's link", async () => {
    const child = wireOrder({
      originating_order_id: parent.order_id,
      client_order_id: 'venue-made',
      workable_size: '1',
    })
    const { broker, sent } = brokerOn(listing([parent, child]))
    expect(await broker.openOrders(SYMBOL)).toMatchObject([
      { kind: 'protect', quantity: '1', clientOrderId: 'venue-made' },
    ])
    await broker.openOrders(SYMBOL)
    // The parent is over: it is fetched once.
    expect(sent.filter(({ endpoint }) => endpoint === 'orders/historical/{order_id}')).toHaveLength(1)
  })

  it("attached to an entry of ours protect: by the parent's link alone", async () => {
    const child = wireOrder({})
    const linked = { ...parent, attached_order_id: child.order_id }
    const { broker, sent } = brokerOn(listing([linked, child]))
    expect(await broker.openOrders(SYMBOL)).toMatchObject([{ kind: 'protect', quantity: '2' }])
    const search = sent.find(({ query }) => query['start_date'] !== undefined)
    expect(search?.query).toMatchObject({
      start_date: '2026-11-21T10:50:00.123Z',
      end_date: '2026-11-21T11:01:00.123Z',
    })
  })

  it("attached to somebody else's order are foreign, and asked about once", async () => {
    const child = wireOrder({ originating_order_id: parent.order_id })
    const orphan = wireOrder({})
    const { broker, sent } = brokerOn(listing([{ ...parent, client_order_id: 'theirs' }, child, orphan]))
    expect((await broker.openOrders(SYMBOL)).map(({ kind }) => kind)).toEqual(['foreign', 'foreign'])
    const asked = sent.length
    await broker.openOrders(SYMBOL)
    expect(sent.length - asked).toBe(4)
  })

  it('whose parent is unknown are foreign, and a circle of parents ends', async () => {
    const orphan = wireOrder({ originating_order_id: 'nowhere' })
    const circle = wireOrder({ order_id: 'circle', originating_order_id: 'circle' })
    const { broker } = brokerOn(listing([orphan, circle]))
    expect((await broker.openOrders(SYMBOL)).map(({ kind }) => kind)).toEqual(['foreign', 'foreign'])
  })

  it('open orders are read over all pages', async () => {
    const [first, second] = [wireOrder({}), wireOrder({})]
    const { broker } = brokerOn({
      'GET orders/historical/batch': ({ query }) => {
        if (
          query['order_placement_source'] === 'RETAIL_SIMPLE' ||
          query['start_date'] !== undefined ||
          ![query['order_status']].flat().includes('OPEN')
        )
          return { orders: [], has_next: false, cursor: '' }
        return query['cursor'] === 'next'
          ? { orders: [first, second], has_next: false, cursor: '' }
          : { orders: [first], has_next: true, cursor: 'next' }
      },
    })
    expect((await broker.openOrders(SYMBOL)).map(({ orderId }) => orderId)).toEqual([first.order_id, second.order_id])
  })

  it.each([
    { what: 'no cursor', page: { orders: [], has_next: true, cursor: '' }, says: /no way to them/ },
    { what: 'the same cursor', page: { orders: [], has_next: true, cursor: 'same' }, says: /no way to them/ },
  ])('in pages with $what are an error, not a part', async ({ page, says }) => {
    const { broker } = brokerOn({ 'GET orders/historical/batch': page })
    await expect(broker.openOrders(SYMBOL)).rejects.toThrow(says)
  })

  it('without end are an error', async () => {
    let page = 0
    const { broker, sent } = brokerOn({
      'GET orders/historical/batch': () => ({ orders: [], has_next: true, cursor: `page-${(page += 1)}` }),
    })
    await expect(broker.openOrders(SYMBOL)).rejects.toThrow(/more than 20 pages/)
    expect(sent.length).toBeLessThanOrEqual(40)
  })
})

describe('an order', () => {
  const SINCE = NOW - 60_000
  const found = wireOrder({
    client_order_id: idOf('entry'),
    status: 'CANCELLED',
    filled_size: '1',
    average_filled_price: '3000',
    cancel_message: 'IOC rest',
    side: 'BUY',
    order_configuration: { sor_limit_ioc: { base_size: '2', limit_price: '3003' } },
  })

  it('is asked for by its id', async () => {
    const { broker, sent } = brokerOn({ 'GET orders/historical/{order_id}': { order: found } })
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: found.order_id, since: SINCE }),
    ).toMatchObject({
      kind: 'entry',
      status: 'cancelled',
      filledQuantity: '1',
      averagePrice: '3000',
      reason: 'IOC rest',
      bracket: null,
    })
    expect(endpoints(sent)).toEqual(['orders/historical/{order_id}'])
  })

  it('not found by its id is looked for in the list; so is one without', async () => {
    for (const orderId of [null, 'gone']) {
      const { broker, sent } = brokerOn({
        'GET orders/historical/batch': {
          orders: [wireOrder({ client_order_id: idOf('entry', 1) }), found],
          has_next: false,
          cursor: '',
        },
      })
      expect(await broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId, since: SINCE })).toMatchObject({
        orderId: found.order_id,
      })
      expect(sent.at(-1)?.query).toMatchObject({
        product_ids: [SYMBOL],
        start_date: '2026-11-21T11:54:00Z',
        order_placement_source: 'RETAIL_ADVANCED',
      })
      expect(sent.at(-1)?.query).not.toHaveProperty('order_status')
    }
  })

  it('in no list is null; a list that cannot be read is an error', async () => {
    const ref = { clientOrderId: idOf('entry'), orderId: null, since: SINCE }
    expect(await brokerOn({}).broker.order(SYMBOL, ref)).toBeNull()
    await expect(brokerOn({ 'GET orders/historical/batch': status(500) }).broker.order(SYMBOL, ref)).rejects.toThrow(
      BrokerError,
    )
    await expect(
      brokerOn({ 'GET orders/historical/{order_id}': status(404, 'nginx') }).broker.order(SYMBOL, {
        ...ref,
        orderId: 'x',
      }),
    ).rejects.toThrow(BrokerError)
  })

  it('of which the id cannot be put into a path is not asked for', async () => {
    const { broker, sent } = brokerOn({})
    await expect(
      broker.order(SYMBOL, { clientOrderId: idOf('entry'), orderId: '../../v2/accounts', since: SINCE }),
    ).rejects.toThrow(BrokerError)
    expect(sent).toEqual([])
  })

  it.each([
    ['PENDING', 'pending'],
    ['QUEUED', 'pending'],
    ['OPEN', 'open'],
    ['CANCEL_QUEUED', 'pending'],
    ['EDIT_QUEUED', 'open'],
    ['FILLED', 'filled'],
    ['CANCELLED', 'cancelled'],
    ['EXPIRED', 'expired'],
    ['FAILED', 'rejected'],
    ['UNKNOWN_ORDER_STATUS', 'unknown'],
    ['BRAND_NEW', 'unknown'],
  ])('with status %s is %s', async (theirs, ours) => {
    const { broker } = brokerOn({ 'GET orders/historical/{order_id}': { order: { ...found, status: theirs } } })
    expect(await broker.order(SYMBOL, { clientOrderId: '', orderId: found.order_id, since: SINCE })).toMatchObject({
      status: ours,
    })
  })

  it.each([
    [true, 'OPEN', 'pending'],
    [false, 'OPEN', 'open'],
    [true, 'FILLED', 'filled'],
  ])(
    'whose cancel is asked for (%s), with status %s, is %s: it covers nothing for long',
    async (pendingCancel, theirs, ours) => {
      const { broker } = brokerOn({
        'GET orders/historical/{order_id}': { order: { ...found, status: theirs, pending_cancel: pendingCancel } },
      })
      expect(await broker.order(SYMBOL, { clientOrderId: '', orderId: found.order_id, since: SINCE })).toMatchObject({
        status: ours,
      })
    },
  )

  it('that is over has no stop still to fill', async () => {
    const fired = wireOrder({
      client_order_id: idOf('protect'),
      trigger_status: 'STOP_TRIGGERED',
      status: 'FILLED',
      filled_size: '2',
    })
    const { broker } = brokerOn({ 'GET orders/historical/{order_id}': { order: fired } })
    expect(
      await broker.order(SYMBOL, { clientOrderId: idOf('protect'), orderId: fired.order_id, since: SINCE }),
    ).toMatchObject({ kind: 'protect', status: 'filled', isTriggered: false })
  })

  it('that failed later says why', async () => {
    const { broker } = brokerOn({
      'GET orders/historical/{order_id}': {
        order: { ...found, status: 'FAILED', reject_reason: 'REJECT_REASON_INSUFFICIENT_FUNDS', cancel_message: '' },
      },
    })
    expect(await broker.order(SYMBOL, { clientOrderId: '', orderId: found.order_id, since: SINCE })).toMatchObject({
      status: 'rejected',
      reason: 'insufficient_funds',
    })
  })
})

describe('fills', () => {
  let serial = 0
  const wireFill = (more: Record<string, unknown> = {}) => {
    serial += 1
    return {
      entry_id: `entry-${serial}`,
      trade_id: `trade-${serial}`,
      order_id: 'o-entry',
      trade_time: '2026-11-21T11:30:00.123456789Z',
      trade_type: 'FILL',
      price: '3000.50',
      size: '1',
      commission: '0.24',
      product_id: SYMBOL,
      sequence_timestamp: '2026-11-21T11:30:01Z',
      liquidity_indicator: 'TAKER',
      size_in_quote: false,
      user_id: 'u',
      side: 'BUY',
      ...more,
    }
  }
  const ORDERS: Record<string, object> = {
    'o-entry': wireOrder({ order_id: 'o-entry', client_order_id: idOf('entry'), status: 'FILLED', side: 'BUY' }),
    'o-close': wireOrder({ order_id: 'o-close', client_order_id: idOf('close'), status: 'FILLED' }),
    'o-target': wireOrder({ order_id: 'o-target', client_order_id: idOf('protect'), status: 'FILLED' }),
    'o-stop': wireOrder({
      order_id: 'o-stop',
      client_order_id: idOf('protect', 1),
      status: 'FILLED',
      trigger_status: 'STOP_TRIGGERED',
    }),
    'o-child': wireOrder({
      order_id: 'o-child',
      originating_order_id: 'o-entry',
      status: 'FILLED',
      trigger_status: 'STOP_TRIGGERED',
    }),
    'o-liquidation': wireOrder({ order_id: 'o-liquidation', order_type: 'LIQUIDATION', status: 'FILLED' }),
    'o-forced': wireOrder({
      order_id: 'o-forced',
      client_order_id: idOf('close', 1),
      is_liquidation: true,
      status: 'FILLED',
    }),
    'o-theirs': wireOrder({
      order_id: 'o-theirs',
      client_order_id: 'app',
      status: 'FILLED',
      order_configuration: { market_market_ioc: { base_size: '1' } },
    }),
  }
  const withFills = (answer: Script[string]) =>
    brokerOn({
      'GET orders/historical/fills': answer,
      'GET orders/historical/{order_id}': ({ variables }) => {
        const order = ORDERS[variables['order_id'] ?? '']
        return order === undefined ? NOT_FOUND : { order }
      },
    })
  const SINCE = Date.parse('2026-11-21T11:00:00Z')

  it('are what was executed, at prices of one base unit and sizes in contracts', async () => {
    const entry = wireFill()
    const { broker, sent } = withFills({ fills: [entry], cursor: '' })
    expect(await broker.fills(SYMBOL, SINCE)).toEqual([
      {
        fillId: entry.entry_id,
        orderId: 'o-entry',
        clientOrderId: idOf('entry'),
        symbol: SYMBOL,
        side: 'buy',
        price: '3000.5',
        quantity: '1',
        fee: '0.24',
        slippage: null,
        liquidity: 'taker',
        reason: 'entry',
        at: '2026-11-21T11:30:00.123Z',
      },
    ])
    expect(sent[0]?.query).toEqual({
      product_ids: [SYMBOL],
      start_sequence_timestamp: '2026-11-21T10:55:00Z',
      limit: '100',
    })
  })

  it.each([
    ['o-entry', {}, 'entry'],
    ['o-close', { side: 'SELL' }, 'close'],
    ['o-target', { side: 'SELL', price: '3300' }, 'take_profit'],
    ['o-stop', { side: 'SELL', price: '2849' }, 'stop_loss'],
    ['o-stop', { side: 'SELL', price: '3300' }, 'take_profit'],
    ['o-child', { side: 'SELL', price: '2849' }, 'stop_loss'],
    ['o-liquidation', { side: 'SELL' }, 'liquidation'],
    ['o-forced', { side: 'SELL' }, 'liquidation'],
    ['o-theirs', {}, 'external'],
    ['o-nobody', {}, 'external'],
  ])('of %s %o happened because of: %s', async (orderId, more, reason) => {
    const { broker } = withFills({ fills: [wireFill({ order_id: orderId, ...more })], cursor: '' })
    expect(await broker.fills(SYMBOL, SINCE)).toMatchObject([{ reason }])
  })

  it('come oldest first, each once, none of before or of other products', async () => {
    const late = wireFill({ trade_time: '2026-11-21T11:40:00Z' })
    const early = wireFill({ trade_time: '2026-11-21T11:20:00Z' })
    const before = wireFill({ trade_time: '2026-11-21T10:59:59.999Z' })
    const { broker, sent } = withFills([
      { fills: [late, wireFill({ product_id: 'BIP-20DEC30-CDE' })], cursor: 'a' },
      { fills: [late, early, before], cursor: 'b' },
      { fills: [early], cursor: 'c' },
    ])
    expect((await broker.fills(SYMBOL, SINCE)).map(({ fillId }) => fillId)).toEqual([early.entry_id, late.entry_id])
    // The third page brought nothing new.
    expect(sent.filter(({ endpoint }) => endpoint.endsWith('fills')).map(({ query }) => query['cursor'])).toEqual([
      undefined,
      'a',
      'b',
    ])
  })

  it('stop at an empty page', async () => {
    const { broker, sent } = withFills([
      { fills: [wireFill()], cursor: 'a' },
      { fills: [], cursor: 'b' },
    ])
    expect(await broker.fills(SYMBOL, SINCE)).toHaveLength(1)
    expect(sent.filter(({ endpoint }) => endpoint.endsWith('fills'))).toHaveLength(2)
  })

  it('without end are an error', async () => {
    let page = 0
    const { broker } = withFills(() => ({ fills: [wireFill()], cursor: `p${(page += 1)}` }))
    await expect(broker.fills(SYMBOL, SINCE)).rejects.toThrow(/more than 50 pages/)
  })

  it.each([
    { trade_type: 'REVERSAL' },
    { trade_type: 'CORRECTION' },
    { trade_type: 'SYNTHETIC' },
    { trade_type: '' },
    { size_in_quote: true },
  ])('with %o are told of and left out', async (more) => {
    const entry = wireFill(more)
    const { broker, warnings } = withFills({ fills: [entry, wireFill()], cursor: '' })
    expect(await broker.fills(SYMBOL, SINCE)).toHaveLength(1)
    expect(warnings).toMatchObject([{ fields: { entryId: entry.entry_id } }])
  })

  it('ask for each finished order once', async () => {
    const { broker, sent } = withFills({
      fills: [wireFill(), wireFill(), wireFill({ order_id: 'o-close' })],
      cursor: '',
    })
    await broker.fills(SYMBOL, SINCE)
    await broker.fills(SYMBOL, SINCE)
    expect(sent.filter(({ endpoint }) => endpoint === 'orders/historical/{order_id}')).toHaveLength(2)
  })

  it('whose order cannot be read are an error: a reason is not guessed', async () => {
    const { broker } = brokerOn({
      'GET orders/historical/fills': { fills: [wireFill()], cursor: '' },
      'GET orders/historical/{order_id}': status(500),
    })
    await expect(broker.fills(SYMBOL, SINCE)).rejects.toThrow(BrokerError)
  })

  it("of an order that is not there yet are not there yet either, the others are; later they are somebody else's", async () => {
    const fill = wireFill({ order_id: 'o-nobody', trade_time: '2026-11-21T11:58:00.001Z' })
    const known = wireFill({ entry_id: 'known', order_id: 'o-close' })
    const early = withFills({ fills: [fill, known], cursor: '' })
    expect((await early.broker.fills(SYMBOL, SINCE)).map(({ fillId }) => fillId)).toEqual(['known'])
    expect(early.warnings).toMatchObject([
      { message: expect.stringContaining('not there yet'), fields: { orderId: 'o-nobody' } },
    ])
    const { broker } = withFills({ fills: [{ ...fill, trade_time: '2026-11-21T11:58:00Z' }], cursor: '' })
    expect(await broker.fills(SYMBOL, SINCE)).toMatchObject([{ reason: 'external', clientOrderId: null }])
  })

  it('are all there is: funding is not listed', async () => {
    const { broker, sent } = brokerOn({})
    expect(broker.capabilities.listsFunding).toBe(false)
    expect(await broker.fundingPayments(SYMBOL, SINCE)).toEqual([])
    expect(sent).toEqual([])
  })
})
