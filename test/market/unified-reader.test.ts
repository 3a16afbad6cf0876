import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { floorTime, HOUR_MS } from '../../lib/core/time.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { openVenueReader } from '../../lib/compose/open-market.ts'
import { createCcxtMarket } from '../../lib/market/ccxt-source.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { Candle } from '../../schemas/market.ts'
import { MarketConfig } from '../../schemas/strategy-config.ts'

/** Binance's futures stand for every exchange read through ccxt's unified methods: its wire shapes, on loopback. */
const NOW = Date.UTC(2026, 10, 21, 10, 7, 30)
const SYMBOL = 'ETH/USDT:USDT'
const HOURS: Candle[] = Array.from({ length: 500 }, (_, index) => {
  const open = 3_000 + ((index * 37) % 101)
  return {
    time: floorTime(NOW, HOUR_MS) - (499 - index) * HOUR_MS,
    open,
    high: open + 9,
    low: open - 9,
    close: open + 4,
    volume: 1 + (index % 5),
  }
})
const FUNDING = Array.from({ length: 120 }, (_, index) => ({
  time: floorTime(NOW, 8 * HOUR_MS) - (119 - index) * 8 * HOUR_MS,
  rate: (index - 60) / 1e6,
}))
const CONTRACT = {
  symbol: 'ETHUSDT',
  pair: 'ETHUSDT',
  contractType: 'PERPETUAL',
  deliveryDate: 4_133_404_800_000,
  onboardDate: 1_574_840_700_000,
  status: 'TRADING',
  baseAsset: 'ETH',
  quoteAsset: 'USDT',
  marginAsset: 'USDT',
  pricePrecision: 2,
  quantityPrecision: 3,
  baseAssetPrecision: 8,
  quotePrecision: 8,
  filters: [
    { filterType: 'PRICE_FILTER', minPrice: '1', maxPrice: '100000', tickSize: '0.01' },
    { filterType: 'LOT_SIZE', minQty: '0.001', maxQty: '10000', stepSize: '0.001' },
  ],
}

let server: Server | undefined
afterEach(() => {
  server?.close()
  server?.closeAllConnections()
})

/** Gives at most `cap` rows a request, as some exchanges give fewer than they are asked for. */
async function start(cap: number, ticker: object): Promise<{ market: MarketData; paths: string[] }> {
  const paths: string[] = []
  const made = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const endpoint = url.pathname.split('/').at(-1) ?? ''
    paths.push(endpoint)
    const from = Number(url.searchParams.get('startTime'))
    const limit = Math.min(cap, Number(url.searchParams.get('limit') ?? 500))
    const interval = url.searchParams.get('interval') === '4h' ? '4h' : '1h'
    const bars = aggregateCandles(HOURS, '1h', interval, Number.POSITIVE_INFINITY)
      .filter(({ time }) => time >= from)
      .slice(0, limit)
    const results: Readonly<Record<string, unknown>> = {
      exchangeInfo: { timezone: 'UTC', serverTime: NOW, rateLimits: [], assets: [], symbols: [CONTRACT] },
      klines: bars.map((bar) => [
        bar.time,
        `${bar.open}`,
        `${bar.high}`,
        `${bar.low}`,
        `${bar.close}`,
        `${bar.volume}`,
        bar.time + HOUR_MS - 1,
        '0',
        3,
        '0',
        '0',
        '0',
      ]),
      '24hr': {
        symbol: 'ETHUSDT',
        lastPrice: '3000.15',
        openPrice: '3000',
        highPrice: '3010',
        lowPrice: '2990',
        volume: '1',
        quoteVolume: '1',
        openTime: 1,
        closeTime: NOW,
        ...ticker,
      },
      depth: { lastUpdateId: 1, E: NOW, T: NOW, bids: [['3000.10', '1']], asks: [['3000.30', '1']] },
      fundingRate: FUNDING.filter(({ time }) => time >= from)
        .slice(0, limit)
        .map(({ time, rate }) => ({
          symbol: 'ETHUSDT',
          fundingTime: time,
          fundingRate: rate.toFixed(8),
          markPrice: '3000',
        })),
      openInterest: { symbol: 'ETHUSDT', openInterest: '1234.5', time: NOW },
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(results[endpoint] ?? {}))
  })
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(made.address() as AddressInfo).port}`
  const config = MarketConfig.parse({
    source: 'live',
    exchange: 'binanceusdm',
    symbol: SYMBOL,
    baseUrl,
    timeoutMs: 8_000,
  })
  return { market: await createCcxtMarket({ config, clock: () => NOW, openVenueReader }), paths }
}

it('bars come closed, paged however few the exchange gives, and whole', async () => {
  const { market, paths } = await start(150, {})
  const closed = HOURS.slice(0, -1)
  expect(await market.candles({ symbol: SYMBOL, timeframe: '1h', asOf: NOW, limit: 400 })).toEqual({
    candles: closed.slice(-400),
    issues: [],
  })
  expect(paths.filter((each) => each === 'klines')).toHaveLength(3)
  const four = await market.candles({ symbol: SYMBOL, timeframe: '4h', asOf: NOW, limit: 10 })
  expect(four).toEqual({ candles: aggregateCandles(closed, '1h', '4h', NOW).slice(-10), issues: [] })
})

it('prices come from the ticker, or from the book where the ticker lacks a side', async () => {
  const { market } = await start(720, { bidPrice: '3000.00', askPrice: '3000.20' })
  expect(await market.quote(SYMBOL, NOW)).toMatchObject({ bid: '3000', ask: '3000.2', last: '3000.15', mark: '3000.1' })
  server?.close()
  server?.closeAllConnections()
  const lame = await start(720, {})
  expect(await lame.market.quote(SYMBOL, NOW)).toMatchObject({
    bid: '3000.1',
    ask: '3000.3',
    last: '3000.15',
    mark: '3000.2',
  })
})

it('funding and open interest come where the exchange has them', async () => {
  const { market } = await start(40, {})
  const from = FUNDING[9]?.time ?? 0
  expect(await market.fundingRates(SYMBOL, from, NOW)).toEqual(FUNDING.slice(10))
  expect(await market.openInterest(SYMBOL, NOW)).toBe(1234.5)
})

it('a symbol the exchange does not list is an error that says so', async () => {
  const { market } = await start(720, {})
  await expect(market.candles({ symbol: 'NO/SUCH', timeframe: '1h', asOf: NOW, limit: 1 })).rejects.toThrow(
    /binanceusdm fetchOHLCV of NO\/SUCH: .*does not have market symbol/,
  )
})
