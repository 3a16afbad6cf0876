import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { askBalanceSummary } from '../../../lib/venue/coinbase/endpoints/balance-summary.ts'
import { askFills } from '../../../lib/venue/coinbase/endpoints/fills.ts'
import { askOrder } from '../../../lib/venue/coinbase/endpoints/order.ts'
import { askOrders, isUnreadable } from '../../../lib/venue/coinbase/endpoints/orders.ts'
import { askPosition } from '../../../lib/venue/coinbase/endpoints/position.ts'
import { askProduct } from '../../../lib/venue/coinbase/endpoints/product.ts'
import { toInstrument } from '../../../lib/venue/coinbase/instrument.ts'
import { BrokerError } from '../../../lib/venue/broker.ts'
import { Instrument } from '../../../schemas/instrument.ts'

const SAMPLES = path.resolve(import.meta.dirname, '../../../../shared/data/coinbase/nautilus_fixtures')
const isThere = existsSync(SAMPLES)

const load = (name: string): unknown => JSON.parse(readFileSync(path.join(SAMPLES, `${name}.json`), 'utf8'))
const parse = <T>(question: { answer: z.ZodType<T> }, name: string): T => question.answer.parse(load(name))

describe.skipIf(!isThere)('recorded answers (skipped: ../shared/data is absent)', () => {
  const FEES = { fee_tier: { taker_fee_rate: '0.0003', maker_fee_rate: '0' } }
  // When it was recorded.
  const AT = Date.parse('2026-04-07T00:28:59Z')

  it('a US perp-style future, captured live', () => {
    const [perp, dated] = (load('http_products_future') as { products: unknown[] }).products
    const { instrument, session, assumed } = toInstrument({
      listing: askProduct('BIP-20DEC30-CDE').answer.parse(perp),
      fees: FEES,
      feePerContract: '0.15',
      now: AT,
    })
    expect(assumed).toEqual([])
    expect(Instrument.parse(instrument)).toMatchObject({
      underlying: 'BTC',
      multiplier: '0.01',
      tickSize: '5',
      lotSize: '1',
      margin: { perNotional: { initial: { long: '0.245625', short: '0.306375' }, maintenance: '0.27852273' } },
      fundingIntervalMs: 3_600_000,
    })
    // Not the daily boundary at 21:00, though it is called close_time.
    expect(session).toMatchObject({ isOpen: true, nextClose: '2026-04-18T14:00:00Z' })
    expect(() =>
      toInstrument({
        listing: askProduct('BIT-24APR26-CDE').answer.parse(dated),
        fees: FEES,
        feePerContract: '0.15',
        now: AT,
      }),
    ).toThrow(BrokerError)
  })

  it('a spot product is told from a future', () => {
    expect(() =>
      toInstrument({ listing: parse(askProduct('BTC-USD'), 'http_product'), fees: FEES, feePerContract: '0', now: AT }),
    ).toThrow(/not a US perp-style future/)
  })

  it('orders, fills, balances and positions have the shape that is read', () => {
    expect(parse(askOrder('x'), 'http_order')).toMatchObject({
      order_id: '0000-000000-000000',
      order_configuration: { kind: 'limit_limit_gtc', base_size: '0.001' },
    })
    const { orders } = parse(askOrders({ symbol: 'x', source: 'RETAIL_ADVANCED' }, ''), 'http_orders_list')
    expect(orders.length).toBeGreaterThan(0)
    expect(orders.filter(isUnreadable)).toEqual([])
    expect(parse(askFills('x', AT, ''), 'http_fills').fills).toMatchObject([{ issue: null }, { issue: null }])
    expect(parse(askBalanceSummary(), 'http_cfm_balance_summary')).toMatchObject({
      available_margin: '7500',
      liquidation_buffer_amount: '7200',
    })
    expect(parse(askPosition('x'), 'http_cfm_position')).toMatchObject({
      side: 'SHORT',
      number_of_contracts: '3',
      current_price: '50000',
    })
  })
})
