import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { DAY_MS, floorTime, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { openVenueReader } from '../../lib/compose/open-market.ts'
import { createCcxtMarket } from '../../lib/market/ccxt-source.ts'
import { loadExchange } from '../../lib/market/load-exchange.ts'
import { type MarketData, MarketDataError } from '../../lib/market/market-data.ts'
import { Candle, Quote } from '../../schemas/market.ts'
import { MarketConfig } from '../../schemas/strategy-config.ts'
import {
  type FakeBar,
  type FakeCandleExchange,
  type FakeCandleExchangeOptions,
  startFakeCandleExchange,
} from '../support/fake-candle-exchange.ts'

const NOW = Date.UTC(2026, 10, 21, 10, 7, 30)
const SYMBOL = 'ETP-20DEC30-CDE'
const STEP_MS: Readonly<Record<string, number>> = {
  ONE_MINUTE: MINUTE_MS,
  THIRTY_MINUTE: 30 * MINUTE_MS,
  ONE_HOUR: HOUR_MS,
  ONE_DAY: DAY_MS,
}

/** 1,700 bars up to and with the forming one. */
function madeBars(_product: string, granularity: string): FakeBar[] {
  const stepMs = STEP_MS[granularity] ?? MINUTE_MS
  const last = floorTime(NOW, stepMs)
  return Array.from({ length: 1_700 }, (_, index) => {
    const open = 3_000 + ((index * 37) % 101)
    const close = 3_000 + (((index + 1) * 37) % 101)
    return {
      time: last - (1_699 - index) * stepMs,
      open,
      high: Math.max(open, close) + 1,
      low: Math.min(open, close) - 1,
      close,
      volume: index % 7,
    }
  })
}

let server: FakeCandleExchange | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function start(
  options: FakeCandleExchangeOptions = {},
  timeoutMs = 3_000,
): Promise<{ server: FakeCandleExchange; market: MarketData }> {
  server = await startFakeCandleExchange({ bars: madeBars, ...options })
  const config = MarketConfig.parse({ source: 'live', symbol: SYMBOL, baseUrl: server.baseUrl, timeoutMs })
  return { server, market: await createCcxtMarket({ config, clock: () => NOW, openVenueReader }) }
}
const askHours = (market: MarketData, limit = 5) =>
  market.candles({ symbol: SYMBOL, timeframe: '1h', asOf: NOW, limit })

describe('candles from Coinbase', () => {
  it('are closed bars, oldest first, numbers, paged below the cap', async () => {
    const { server, market } = await start()
    const series = await market.candles({ symbol: SYMBOL, timeframe: '30m', asOf: NOW, limit: 500 })
    expect(series.issues).toEqual([])
    expect(series.candles).toHaveLength(500)
    expect(series.candles.every((bar) => Candle.safeParse(bar).success)).toBe(true)
    expect(series.candles.at(-1)?.time).toBe(floorTime(NOW, 30 * MINUTE_MS) - 30 * MINUTE_MS)
    expect(server.requests).toHaveLength(2)
  })

  it('of four hours are made of hours', async () => {
    const { server, market } = await start()
    const series = await market.candles({ symbol: SYMBOL, timeframe: '4h', asOf: NOW, limit: 360 })
    const hours = madeBars(SYMBOL, 'ONE_HOUR').filter((bar) => bar.time + HOUR_MS <= NOW)
    expect(series).toEqual({ candles: aggregateCandles(hours, '1h', '4h', NOW).slice(-360), issues: [] })
    expect(server.requests).toHaveLength(5)
    expect(server.requests.every((url) => url.includes('granularity=ONE_HOUR'))).toBe(true)
  })

  it('know nothing after the instant asked for', async () => {
    const { market } = await start()
    const asOf = NOW - 30 * HOUR_MS
    const { candles } = await market.candles({ symbol: SYMBOL, timeframe: '1h', asOf, limit: 5 })
    expect(candles.at(-1)?.time).toBe(floorTime(asOf, HOUR_MS) - HOUR_MS)
  })

  it('report the forming bar and duplicates a venue hands over, and drop them', async () => {
    const forming = {
      start: String(floorTime(NOW, HOUR_MS) / 1_000),
      low: '1',
      high: '9',
      open: '5',
      close: '6',
      volume: '1',
    }
    const { market } = await start({ tamper: (candles) => [forming, ...candles.slice(0, 2), ...candles.slice(1)] })
    const series = await askHours(market)
    expect(series.candles).toHaveLength(5)
    expect(series.issues.map(({ kind, count }) => ({ kind, count }))).toEqual([
      { kind: 'duplicate', count: 1 },
      { kind: 'forming', count: 1 },
    ])
  })

  it('that are not there are missing, not invented', async () => {
    const { market } = await start({ bars: () => [] })
    const series = await askHours(market)
    expect(series.candles).toEqual([])
    expect(series.issues.map(({ kind }) => kind)).toEqual(['missing'])
  })

  it('with a broken value lose the bar and name it', async () => {
    const { market } = await start({
      tamper: (candles) => candles.map((bar, index) => (index === 2 ? { ...bar, close: '' } : bar)),
    })
    const { candles, issues } = await askHours(market)
    expect(candles).toHaveLength(4)
    expect(issues.map(({ kind }) => kind)).toEqual(['gap', 'not_a_number'])
  })
})

describe('a venue that fails', () => {
  it.each([
    ['429 then good', [{ kind: 'status', status: 429 }], 2],
    [
      '500 twice then good',
      [
        { kind: 'status', status: 500 },
        { kind: 'status', status: 503 },
      ],
      3,
    ],
    ['a page of HTML for an error', [{ kind: 'status', status: 502, body: '<html>bad gateway</html>' }], 2],
    ['JSON cut short', [{ kind: 'truncated' }], 2],
    ['a connection reset', [{ kind: 'reset' }], 2],
    ['a connection lost in the body', [{ kind: 'cut' }], 2],
  ] as const)('%s: asked again', async (_name, failures, requests) => {
    const { server, market } = await start()
    server.misbehave(...failures)
    expect((await askHours(market)).candles).toHaveLength(5)
    expect(server.requests).toHaveLength(requests)
  })

  it('three times is an error that keeps its cause', async () => {
    const { server, market } = await start()
    server.misbehave({ kind: 'status', status: 500 }, { kind: 'status', status: 500 }, { kind: 'status', status: 500 })
    const error: unknown = await askHours(market).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(MarketDataError)
    expect((error as MarketDataError).message).toMatch(/coinbase candles of ETP-20DEC30-CDE: HTTP 500.*after 3 tries/)
    expect((error as MarketDataError).cause).toBeDefined()
    expect(server.requests).toHaveLength(3)
  })

  it.each([400, 403, 404])('with %i is not asked again', async (status) => {
    const { server, market } = await start()
    server.misbehave({ kind: 'status', status })
    await expect(askHours(market)).rejects.toThrow(new RegExp(`HTTP ${status}`))
    expect(server.requests).toHaveLength(1)
  })

  it('by stalling within the body ends at the deadline', async () => {
    const { server, market } = await start({}, 400)
    server.misbehave({ kind: 'stall' })
    const began = performance.now()
    await expect(askHours(market)).rejects.toThrow(/no complete answer within 400 ms/)
    expect(performance.now() - began).toBeLessThan(1_500)
    expect((await askHours(market)).candles).toHaveLength(5)
  })
})

describe('prices from Coinbase', () => {
  const trades = [
    { trade_id: '1', product_id: SYMBOL, price: '3001.5', size: '2', time: toIso(NOW), side: 'BUY', bid: '', ask: '' },
  ]

  it('come from the ticker', async () => {
    const { server, market } = await start({ ticker: { trades, best_bid: '3001', best_ask: '3002.5' } })
    const quote = await market.quote(SYMBOL, NOW)
    expect(Quote.parse(quote)).toEqual({ at: toIso(NOW), bid: '3001', ask: '3002.5', last: '3001.5', mark: '3001.75' })
    expect(server.requests).toHaveLength(1)
  })

  it('come from the book where the ticker has none', async () => {
    const book = {
      pricebook: { product_id: SYMBOL, bids: [{ price: '3000', size: '1' }], asks: [{ price: '3001', size: '4' }] },
    }
    const { market } = await start({ ticker: { trades, best_bid: '', best_ask: '' }, book })
    expect(await market.quote(SYMBOL, NOW)).toMatchObject({ bid: '3000', ask: '3001', last: '3001.5', mark: '3000.5' })
  })

  it.each([
    ['an empty book', { trades, best_bid: '', best_ask: '' }],
    ['a crossed one', { trades, best_bid: '3002', best_ask: '3001' }],
    ['zeros', { trades, best_bid: '0', best_ask: '0' }],
  ])('%s is no price', async (_name, ticker) => {
    const { market } = await start({ ticker })
    await expect(market.quote(SYMBOL, NOW)).rejects.toThrow(/no two-sided price/)
  })

  it('are refused for the past', async () => {
    const { market } = await start({ ticker: { trades, best_bid: '3001', best_ask: '3002.5' } })
    await expect(market.quote(SYMBOL, NOW - HOUR_MS)).rejects.toThrow(MarketDataError)
    expect(await market.openInterest(SYMBOL, NOW - HOUR_MS)).toBeNull()
  })
})

describe('funding and open interest from Coinbase', () => {
  const boundary = floorTime(NOW, HOUR_MS)
  const product = (id: string) => ({
    product_id: id,
    price: '3000',
    future_product_details: {
      funding_rate: '0.000013',
      funding_time: toIso(boundary),
      funding_interval: '3600s',
      open_interest: '183283',
    },
  })

  it('are read with one request as of one instant', async () => {
    const { server, market } = await start({ product })
    expect(await market.fundingRates(SYMBOL, NOW - DAY_MS, NOW)).toEqual([{ time: boundary, rate: 0.000013 }])
    expect(await market.openInterest(SYMBOL, NOW)).toBe(183_283)
    expect(server.requests).toHaveLength(1)
  })

  it('give a rate only to the window that holds its boundary', async () => {
    const { market } = await start({ product })
    expect(await market.fundingRates(SYMBOL, boundary, NOW)).toEqual([])
    expect(await market.fundingRates(SYMBOL, boundary - DAY_MS, boundary - 1)).toEqual([])
  })

  it('are absent where the product has none', async () => {
    const { market } = await start({
      product: (id) => ({
        product_id: id,
        price: '3000',
        future_product_details: { funding_rate: '', funding_time: null, funding_interval: null, open_interest: '' },
      }),
    })
    expect(await market.fundingRates(SYMBOL, NOW - DAY_MS, NOW)).toEqual([])
    expect(await market.openInterest(SYMBOL, NOW)).toBeNull()
  })
})

const readCapture = (name: string) => JSON.parse(readFileSync(path.join(captures, name), 'utf8'))
const captures = path.resolve(import.meta.dirname, '../../../shared/data/coinbase/nautilus_fixtures')
describe.skipIf(!existsSync(captures))('answers captured from Coinbase (skipped: ../shared/data is absent)', () => {
  it('captured answers become quotes and funding rates', async () => {
    const [bip] = readCapture('http_products_future.json').products
    const { market } = await start({ ticker: readCapture('http_ticker.json'), product: () => bip })
    expect(await market.quote('BIP-20DEC30-CDE', NOW)).toMatchObject({
      bid: '68923.66',
      ask: '68923.67',
      last: '68923.67',
      mark: '68923.665',
    })
    const funding = Date.UTC(2026, 3, 7)
    expect(await market.fundingRates('BIP-20DEC30-CDE', funding - 1, funding)).toEqual([
      { time: funding, rate: 0.000013 },
    ])
    expect(await market.openInterest('BIP-20DEC30-CDE', NOW)).toBe(183_283)
  })

  it('of candles are put in order', async () => {
    const wire = readCapture('http_candles.json').candles
    const { market } = await start({ tamper: () => wire })
    const { candles, issues } = await market.candles({
      symbol: 'BTC-USD',
      timeframe: '1h',
      asOf: 1_712_196_000_000,
      limit: 2,
    })
    expect(candles).toEqual([
      {
        time: 1_712_188_800_000,
        open: 65_984.18,
        high: 66_387.77,
        low: 65_857.35,
        close: 66_314.59,
        volume: 358.74851052,
      },
      {
        time: 1_712_192_400_000,
        open: 66_312.4,
        high: 66_331.99,
        low: 66_055.14,
        close: 66_181.6,
        volume: 355.82896243,
      },
    ])
    expect(issues).toEqual([])
  })
})

describe('exchanges', () => {
  it('that ccxt does not have are a usage error', async () => {
    await expect(loadExchange('nosuchexchange')).rejects.toThrow(/ccxt has no exchange "nosuchexchange"/)
    await expect(loadExchange('constructor')).rejects.toThrow(/ccxt has no exchange/)
  })
})
