import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../../lib/venue/broker.ts'
import {
  brokerOn,
  close,
  DEADLINE,
  entry,
  idOf,
  NO_ORDERS,
  NOT_FOUND,
  NOW,
  PLACED,
  PRODUCT,
  type Script,
  status,
  SYMBOL,
  wireOrder,
} from './support.ts'

// What the venue may leave out or say oddly. The law: nothing odd keeps a position from being seen and closed, and
// nothing odd lets an entry through.

const held = {
  product_id: SYMBOL,
  side: 'LONG',
  number_of_contracts: '2',
  current_price: '3000',
  avg_entry_price: '2990',
  unrealized_pnl: '2',
  expiration_time: null,
}
const BUFFER = { balance_summary: { available_margin: '1', liquidation_buffer_amount: '60' } }
const at = (change: object, more: Script = {}) =>
  brokerOn({
    'GET cfm/positions/{product_id}': { position: { ...held, ...change } },
    'GET cfm/balance_summary': BUFFER,
    ...more,
  }).broker.position(SYMBOL)
const withDetails = (details: object, more: object = {}) => ({
  ...PRODUCT,
  ...more,
  future_product_details: { ...PRODUCT.future_product_details, ...details },
})

describe('a position', () => {
  it('with a side and no number of contracts is not flat', async () => {
    for (const side of ['LONG', 'SHORT', ''])
      for (const size of ['', null]) await expect(at({ side, number_of_contracts: size })).rejects.toThrow(BrokerError)
  })

  it('of zero contracts is flat whatever its side, and so is an unknown side without a number', async () => {
    for (const side of ['LONG', 'UNKNOWN', '']) expect(await at({ side, number_of_contracts: '0' })).toBeNull()
    for (const size of ['', null, '0']) expect(await at({ side: 'UNKNOWN', number_of_contracts: size })).toBeNull()
  })

  it('without a current price is marked at its entry price, and its liquidation price is unknown', async () => {
    expect(await at({})).toMatchObject({ markPrice: '3000', liquidationPrice: '2700' })
    for (const current of ['', '0', null]) {
      expect(await at({ current_price: current })).toMatchObject({
        side: 'long',
        quantity: '2',
        markPrice: '2990',
        averageEntryPrice: '2990',
        liquidationPrice: null,
      })
    }
  })

  it('without an entry price was entered at its current price', async () => {
    for (const entered of ['', '0', null])
      expect(await at({ avg_entry_price: entered })).toMatchObject({
        markPrice: '3000',
        averageEntryPrice: '3000',
        liquidationPrice: '2700',
      })
  })

  it('without either has the last price, and without that is an error', async () => {
    const priceless = { current_price: '0', avg_entry_price: '' }
    expect(await at(priceless, { 'GET products/{product_id}': { ...PRODUCT, price: '3010' } })).toMatchObject({
      markPrice: '3010',
      averageEntryPrice: '3010',
      liquidationPrice: null,
    })
    for (const last of ['', '0', 'odd'])
      await expect(at(priceless, { 'GET products/{product_id}': { ...PRODUCT, price: last } })).rejects.toThrow(
        /has no price/,
      )
  })

  it.each([
    { what: 'fees', script: { 'GET transaction_summary': status(503, 'down') } },
    { what: 'margin rates', script: { 'GET products/{product_id}': withDetails({ overnight_margin_rate: null }) } },
    {
      what: 'tick, sizes and funding interval',
      script: {
        'GET products/{product_id}': withDetails(
          { funding_interval: 'odd' },
          { price_increment: '', base_max_size: null },
        ),
      },
    },
  ])('is seen without $what', async ({ script }) => {
    expect(await at({}, script)).toMatchObject({ quantity: '2', liquidationPrice: '2700' })
  })

  it('needs a contract size', async () => {
    for (const size of ['', '0', null])
      await expect(at({}, { 'GET products/{product_id}': withDetails({ contract_size: size }) })).rejects.toThrow(
        /contract size of/,
      )
  })
})

describe('facts that only an entry needs', () => {
  const cases = [
    {
      what: 'fees that cannot be read',
      script: { 'GET transaction_summary': { fee_tier: {} } },
      reason: 'fees_unknown',
      instrument: { fees: { maker: '0.01', taker: '0.01', perContract: '0.15' } },
    },
    {
      what: 'fees refused',
      script: { 'GET transaction_summary': status(403, 'no') },
      reason: 'fees_unknown',
      instrument: { fees: { taker: '0.01' } },
    },
    ...[
      null,
      { long_margin_rate: '0.22' },
      { long_margin_rate: '0.22', short_margin_rate: 'odd' },
      { long_margin_rate: '0.22', short_margin_rate: '27' },
      'odd',
    ].map((rate) => ({
      what: `margin rates ${JSON.stringify(rate)}`,
      script: { 'GET products/{product_id}': withDetails({ overnight_margin_rate: rate }) },
      reason: 'margin_unknown',
      instrument: { margin: { perNotional: { initial: { short: '1' } } } },
    })),
  ]
  it.each(cases)('are replaced by pessimistic ones and told of: $what', async ({ script, instrument }) => {
    const { broker, warnings } = brokerOn(script)
    expect(await broker.instrument(SYMBOL)).toMatchObject({ instrument })
    expect(warnings).toHaveLength(1)
  })

  it.each(cases)('keep an entry from being sent, and no close: $what', async ({ script, reason }) => {
    const { broker, sent } = brokerOn({
      ...script,
      'POST orders': PLACED('v-1', idOf('entry')),
      'POST orders/close_position': PLACED('v-2', idOf('close')),
    })
    expect(await broker.place(entry(), DEADLINE)).toMatchObject({ outcome: 'rejected', reason })
    expect(sent.some(({ method }) => method === 'POST')).toBe(false)
    expect(await broker.place(close(), DEADLINE)).toEqual({ outcome: 'accepted', orderId: 'v-2' })
  })

  it('are asked for again half a minute after they failed', async () => {
    const { broker, time } = brokerOn({
      'GET transaction_summary': [status(400), { fee_tier: { taker_fee_rate: '0.0003', maker_fee_rate: '0' } }],
    })
    const taker = async () => (await broker.instrument(SYMBOL)).instrument.fees.taker
    expect(await taker()).toBe('0.01')
    time.now += 29_999
    expect(await taker()).toBe('0.01')
    time.now += 2_000
    expect(await taker()).toBe('0.0003')
  })
})

describe('a row among the fills', () => {
  const fill = {
    entry_id: 'e-1',
    trade_id: 't-1',
    order_id: 'o-1',
    product_id: SYMBOL,
    side: 'BUY',
    trade_type: 'FILL',
    price: '3000',
    size: '2',
    commission: '0.3',
    size_in_quote: false,
    trade_time: '2026-11-21T11:00:00Z',
    liquidity_indicator: 'TAKER',
  }
  const SINCE = NOW - 3 * 3_600_000
  const read = async (row: unknown) => {
    const { broker, warnings } = brokerOn({ 'GET orders/historical/fills': { fills: [row, fill], cursor: '' } })
    const ids = (await broker.fills(SYMBOL, SINCE)).map(({ fillId }) => fillId)
    return { ids, warnings }
  }

  it.each([{ price: '' }, { order_id: '' }, { trade_time: 'soon' }, { side: 'NONE' }, {}])(
    'that is no fill does not hide the rest: %o',
    async (odd) => {
      expect(await read({ ...fill, entry_id: 'e-2', trade_type: 'SYNTHETIC', ...odd })).toMatchObject({
        ids: ['e-1'],
        warnings: [{ message: expect.stringContaining('is no fill'), fields: { entryId: 'e-2', type: 'SYNTHETIC' } }],
      })
    },
  )

  it.each([
    { odd: { price: '' }, issue: /price/ },
    { odd: { price: '0' }, issue: /price/ },
    { odd: { size: '-1' }, issue: /quantity/ },
    { odd: { order_id: '' }, issue: /order_id/ },
    { odd: { order_id: 'a/b' }, issue: /order_id/ },
    { odd: { trade_time: 'soon' }, issue: /trade_time/ },
    { odd: { product_id: '' }, issue: /product_id/ },
  ])('that is a fill and cannot be read is told of and left out: %o', async ({ odd, issue }) => {
    expect(await read({ ...fill, entry_id: 'e-2', ...odd })).toMatchObject({
      ids: ['e-1'],
      warnings: [
        {
          message: expect.stringContaining('cannot be read'),
          fields: { entryId: 'e-2', issue: expect.stringMatching(issue) },
        },
      ],
    })
  })

  it.each([null, 'odd', 7, {}])('that is nothing at all is told of: %o', async (row) => {
    expect(await read(row)).toMatchObject({ ids: ['e-1'], warnings: [{ fields: { entryId: '' } }] })
  })

  it("of another product or of before is nobody's concern", async () => {
    for (const other of [
      { product_id: 'BIP-20DEC30-CDE', price: '' },
      { trade_time: '2026-11-20T11:00:00Z', price: '' },
    ]) {
      expect(await read({ ...fill, entry_id: 'e-2', ...other })).toEqual({ ids: ['e-1'], warnings: [] })
    }
  })
})

describe('a row among the orders', () => {
  const list = (...orders: unknown[]): Script => ({ 'GET orders/historical/batch': { ...NO_ORDERS, orders } })

  it.each(['FILLED', 'CANCELLED', 'EXPIRED', 'FAILED'])(
    'that is over (%s) and cannot be read is told of and left out',
    async (over) => {
      const good = wireOrder({ client_order_id: idOf('protect') })
      const { broker, warnings } = brokerOn(
        list(wireOrder({ order_id: 'o-odd', status: over, created_time: '' }), good),
      )
      expect((await broker.openOrders(SYMBOL)).map(({ orderId }) => orderId)).toEqual([good.order_id])
      expect(warnings[0]).toMatchObject({
        fields: { orderId: 'o-odd', status: over, issue: expect.stringContaining('created_time') },
      })
    },
  )

  it.each([
    wireOrder({ side: 'NONE' }),
    wireOrder({ status: 'BRAND_NEW', created_time: '' }),
    wireOrder({ status: null }),
    wireOrder({ product_id: null }),
    null,
    'odd',
  ])('that may be live and cannot be read is an error: %o', async (odd) => {
    await expect(brokerOn(list(odd)).broker.openOrders(SYMBOL)).rejects.toThrow(BrokerError)
  })

  it("of another product is nobody's concern", async () => {
    const { broker, warnings } = brokerOn(list(wireOrder({ side: 'NONE', product_id: 'BIP-20DEC30-CDE' })))
    expect(await broker.openOrders(SYMBOL)).toEqual([])
    expect(warnings).toEqual([])
  })

  it('that is looked for and cannot be read is not "unheard of"', async () => {
    const ref = { clientOrderId: idOf('entry'), orderId: null, since: NOW }
    await expect(
      brokerOn(list(wireOrder({ client_order_id: idOf('entry'), status: 'FILLED', created_time: '' }))).broker.order(
        SYMBOL,
        ref,
      ),
    ).rejects.toThrow(BrokerError)
    expect(await brokerOn(list(wireOrder({ status: 'FILLED', created_time: '' }))).broker.order(SYMBOL, ref)).toBeNull()
  })
})

describe('the size of an order that closes', () => {
  const of = async (more: object) => {
    const order = wireOrder({
      order_id: 'o-1',
      client_order_id: idOf('close'),
      order_type: 'MARKET',
      order_configuration: null,
      ...more,
    })
    const { broker } = brokerOn({
      'GET orders/historical/{order_id}': ({ variables }) => (variables['order_id'] === 'o-1' ? { order } : NOT_FOUND),
    })
    return broker.order(SYMBOL, { clientOrderId: idOf('close'), orderId: 'o-1', since: NOW })
  }

  it.each([
    { what: 'live and not told: unknown', more: { status: 'OPEN', filled_size: '1' }, quantity: '0' },
    {
      what: 'pending and told as zero: unknown',
      more: { status: 'PENDING', order_configuration: { market_market_ioc: { base_size: '0' } } },
      quantity: '0',
    },
    { what: 'cancelled in part: unknown', more: { status: 'CANCELLED', filled_size: '1' }, quantity: '0' },
    { what: 'filled: what was filled', more: { status: 'FILLED', filled_size: '2' }, quantity: '2' },
    {
      what: 'in a configuration of another kind',
      more: { status: 'OPEN', order_configuration: { market_market_fok: { base_size: '3' } }, filled_size: '1' },
      quantity: '3',
    },
    {
      what: 'in the second configuration',
      more: { status: 'OPEN', order_configuration: { market_market_ioc: {}, market_market_fok: { base_size: '3' } } },
      quantity: '3',
    },
    { what: 'what can still work', more: { status: 'OPEN', workable_size: '2', filled_size: '0' }, quantity: '2' },
  ])('is $what', async ({ more, quantity }) => {
    expect(await of(more)).toMatchObject({ kind: 'close', quantity })
  })
})
