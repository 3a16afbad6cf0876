import { describe, expect, it } from 'vitest'
import { inspectVenue } from '../../../lib/venue/coinbase/inspect.ts'
import {
  apiError,
  BALANCE,
  configWith,
  idOf,
  NOW,
  PRODUCT,
  QUIET,
  type Script,
  scriptTransport,
  status,
  SYMBOL,
  wireOrder,
} from './support.ts'

async function look(script: Script, config = configWith()) {
  const { transport, sent } = scriptTransport({ ...QUIET, ...script })
  const { checks, portfolioUuid } = await inspectVenue({ transport, symbol: SYMBOL, config, clock: () => NOW })
  return { checks, portfolioUuid, sent, failed: checks.filter(({ ok }) => !ok) }
}

describe('an inspection', () => {
  it('of a venue ready to trade finds nothing to do, and sends nothing that changes anything', async () => {
    const { checks, portfolioUuid, sent, failed } = await look({})
    expect(failed).toEqual([])
    expect(checks.map(({ check }) => check)).toEqual([
      'clock',
      'key permissions',
      'key cannot transfer',
      'portfolio',
      'product',
      'session',
      'margin rates',
      'futures account',
      'buying power',
      'no position',
      'no other position',
      'no foreign orders',
    ])
    expect(checks.every(({ detail, remedy }) => detail !== '' && remedy === '')).toBe(true)
    expect(portfolioUuid).toBe('p-1')
    expect(sent.every(({ method }) => method === 'GET')).toBe(true)
    expect(sent).toHaveLength(11)
  })

  const permissions = (more: object) => ({
    'GET key_permissions': {
      can_view: true,
      can_trade: true,
      can_transfer: false,
      portfolio_uuid: 'p-1',
      portfolio_type: 'DEFAULT',
      ...more,
    },
  })
  it.each([
    {
      check: 'clock',
      what: 'a clock that is off',
      script: { 'GET time': { epochMillis: String(NOW + 6_000) } },
      remedy: /NTP/,
    },
    {
      check: 'key permissions',
      what: 'a key that may not trade',
      script: permissions({ can_trade: false }),
      remedy: /view and trade/,
    },
    {
      check: 'key permissions',
      what: 'a key that may not view',
      script: permissions({ can_view: false }),
      remedy: /view and trade/,
    },
    {
      check: 'key cannot transfer',
      what: 'a key that may transfer',
      script: permissions({ can_transfer: true }),
      remedy: /without the transfer permission/,
    },
    {
      check: 'portfolio',
      what: 'a key without a portfolio',
      script: permissions({ portfolio_uuid: '' }),
      remedy: /portfolio/,
    },
    {
      check: 'session',
      what: 'a closed venue',
      script: { 'GET products/{product_id}': { ...PRODUCT, cancel_only: true } },
      remedy: /wait/,
    },
    {
      check: 'buying power',
      what: 'too little for one contract',
      script: {
        'GET cfm/balance_summary': { balance_summary: { ...BALANCE.balance_summary, futures_buying_power: '82.49' } },
      },
      remedy: /transfer/,
    },
    {
      check: 'no position',
      what: 'a position',
      script: {
        'GET cfm/positions/{product_id}': { position: { product_id: SYMBOL, side: 'SHORT', number_of_contracts: '3' } },
      },
      remedy: /close it/,
    },
    {
      check: 'no other position',
      what: 'a position in another product',
      script: {
        'GET cfm/positions': {
          positions: [
            { product_id: SYMBOL, side: 'SHORT', number_of_contracts: '0' },
            { product_id: 'BIP-20DEC30-CDE', side: 'LONG', number_of_contracts: '1' },
          ],
        },
      },
      remedy: /portfolio of its own/,
    },
    {
      check: 'no foreign orders',
      what: 'an order from the app',
      script: {
        'GET orders/historical/batch': {
          orders: [
            wireOrder({
              client_order_id: 'app',
              order_configuration: { limit_limit_gtc: { base_size: '1', limit_price: '1' } },
            }),
          ],
          has_next: false,
          cursor: '',
        },
      },
      remedy: /cancel/,
    },
  ])('finds $what', async ({ check, script, remedy }) => {
    const { failed } = await look(script)
    expect(failed).toMatchObject([{ check, remedy: expect.stringMatching(remedy) }])
  })

  it('knows what one contract needs: 0.1 x 3000 x 0.275', async () => {
    const { failed } = await look({
      'GET cfm/balance_summary': { balance_summary: { ...BALANCE.balance_summary, futures_buying_power: '82.5' } },
    })
    expect(failed).toEqual([])
  })

  it('compares leverage with the margin rates', async () => {
    expect((await look({}, configWith({}, { maxLeverage: 3.6 }))).failed).toEqual([])
    expect((await look({}, configWith({}, { maxLeverage: 3.7 }))).failed).toMatchObject([
      { check: 'margin rates', remedy: 'lower guard.maxLeverage to 3.63 or less' },
    ])
  })

  it('does not mind the strategy’s own product among the positions, nor others that are flat', async () => {
    const { failed } = await look({
      'GET cfm/positions': {
        positions: [
          { product_id: SYMBOL, side: 'LONG', number_of_contracts: '2' },
          { product_id: 'BIP-20DEC30-CDE', side: 'UNKNOWN', number_of_contracts: '0' },
        ],
      },
    })
    expect(failed).toEqual([])
  })

  it('does not mind orders of the strategy', async () => {
    const { failed } = await look({
      'GET orders/historical/batch': {
        orders: [wireOrder({ client_order_id: idOf('protect') })],
        has_next: false,
        cursor: '',
      },
    })
    expect(failed).toEqual([])
  })

  it('of a venue that refuses the key says so of each question, and goes on', async () => {
    const refused = status(401, 'Unauthorized')
    const { failed, portfolioUuid } = await look(
      Object.fromEntries(
        Object.keys(QUIET)
          .filter((key) => key !== 'GET time')
          .map((key) => [key, refused]),
      ),
    )
    expect(failed.map(({ check }) => check)).toEqual([
      'key permissions',
      'product',
      'futures account',
      'no position',
      'no other position',
      'no foreign orders',
    ])
    expect(failed.every(({ detail }) => detail.includes('401') && detail.includes('API key'))).toBe(true)
    expect(portfolioUuid).toBeNull()
  })

  it('of an account without futures says what is missing', async () => {
    const { failed } = await look({
      'GET cfm/balance_summary': apiError(403, 'PERMISSION_DENIED', 'no futures account'),
    })
    expect(failed).toMatchObject([{ check: 'futures account', detail: expect.stringContaining('no futures account') }])
  })
})
