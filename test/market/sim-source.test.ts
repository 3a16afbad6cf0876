import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashOf } from '../../lib/core/canonical-json.ts'
import { DAY_MS, floorTime, HOUR_MS, MINUTE_MS, type Timeframe, TIMEFRAMES, timeframeMs } from '../../lib/core/time.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { inspectCandles } from '../../lib/market/inspect-candles.ts'
import { MarketDataError } from '../../lib/market/market-data.ts'
import { createPrng } from '../../lib/core/prng.ts'
import { createSimMarket } from '../../lib/market/sim/sim-source.ts'
import { SIM_EPOCH } from '../../lib/market/sim/sim-span.ts'
import { Candle, Quote } from '../../schemas/market.ts'

const NOW = Date.UTC(2026, 10, 21, 10, 7, 30)
const ETH = 'ETP-20DEC30-CDE'
const BTC = 'BIP-20DEC30-CDE'
const SEEDS = [1, 42]

const closes = async (seed: number, symbol: string, timeframe: Timeframe, limit: number): Promise<number[]> =>
  (await createSimMarket({ seed }).candles({ symbol, timeframe, asOf: NOW, limit })).candles.map(({ close }) => close)
const logReturns = (prices: readonly number[]): number[] =>
  prices.slice(1).map((price, index) => Math.log(price / (prices[index] ?? price)))
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const moment = (values: readonly number[], power: number): number =>
  mean(values.map((value) => (value - mean(values)) ** power))
function correlation(a: readonly number[], b: readonly number[]): number {
  const meanA = mean(a)
  const meanB = mean(b)
  const product = mean(a.map((value, index) => (value - meanA) * ((b[index] ?? meanB) - meanB)))
  return (
    product / Math.sqrt(mean(a.map((value) => (value - meanA) ** 2)) * mean(b.map((value) => (value - meanB) ** 2)))
  )
}

async function fingerprint(seed: number): Promise<string> {
  const market = createSimMarket({ seed })
  const query = { symbol: ETH, asOf: NOW, limit: 400 }
  return hashOf([
    await market.candles({ ...query, timeframe: '1m' }),
    await market.candles({ ...query, timeframe: '4h', limit: 40 }),
    await market.fundingRates(ETH, NOW - DAY_MS, NOW),
    await market.openInterest(ETH, NOW),
    await market.quote(BTC, NOW),
  ])
}

describe('the simulated market is a function of seed, symbol and time', () => {
  it('same seed, same bytes; the hash is pinned so that no change of the generator goes unseen', async () => {
    const hashes = await Promise.all([7, 7, 8].map(fingerprint))
    expect(hashes[0]).toBe(hashes[1])
    expect(hashes[0]).not.toBe(hashes[2])
    expect(hashes[0]).toBe('dfb42eeb95894e916ca153a87a6ed9b23a6567874b7e02340a86e23cbc50dee5')
  })

  it('any window asked in any order has the same bars', async () => {
    const shared = createSimMarket({ seed: 3 })
    const all = new Map<Timeframe, readonly Candle[]>()
    for (const timeframe of TIMEFRAMES) {
      const limit = (6 * DAY_MS) / timeframeMs(timeframe)
      all.set(
        timeframe,
        (await createSimMarket({ seed: 3 }).candles({ symbol: ETH, timeframe, asOf: NOW, limit })).candles,
      )
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TIMEFRAMES),
        fc.nat({ max: 3 * DAY_MS }),
        fc.integer({ min: 1, max: 200 }),
        async (timeframe, backMs, wanted) => {
          const asOf = NOW - backMs
          const limit = Math.min(wanted, (2 * DAY_MS) / timeframeMs(timeframe))
          const { candles } = await shared.candles({ symbol: ETH, timeframe, asOf, limit })
          expect(candles).toEqual(
            all
              .get(timeframe)
              ?.filter((bar) => bar.time + timeframeMs(timeframe) <= asOf)
              .slice(-limit),
          )
        },
      ),
      { seed: 41, numRuns: 25 },
    )
  })

  it('days forgotten are made again, the same', async () => {
    const market = createSimMarket({ seed: 5 })
    const ask = () => market.candles({ symbol: ETH, timeframe: '1m', asOf: NOW, limit: 2_000 })
    const before = await ask()
    await market.candles({ symbol: ETH, timeframe: '1d', asOf: NOW - 10 * DAY_MS, limit: 500 })
    expect(await ask()).toEqual(before)
  })

  it('coarser bars are those of its minutes, quotes the open of their minute', async () => {
    const market = createSimMarket({ seed: 9 })
    const from = floorTime(NOW, DAY_MS) - 2 * DAY_MS
    const minutes = (
      await market.candles({ symbol: 'SOL', timeframe: '1m', asOf: NOW, limit: (NOW - from) / MINUTE_MS })
    ).candles.filter((bar) => bar.time >= from)
    for (const timeframe of TIMEFRAMES.slice(1)) {
      const made = aggregateCandles(minutes, '1m', timeframe)
      const { candles } = await market.candles({ symbol: 'SOL', timeframe, asOf: NOW, limit: made.length })
      expect(candles).toEqual(made.map((bar) => ({ ...bar, volume: expect.closeTo(bar.volume ?? 0, 6) as number })))
    }
    const quote = await market.quote('SOL', from + 3 * HOUR_MS + 59_999)
    expect(Quote.parse(quote).mark).toBe(String(minutes.find((bar) => bar.time === from + 3 * HOUR_MS)?.open))
  })

  it('bars are valid, whole, contiguous and priced in cents', async () => {
    const { candles } = await createSimMarket({ seed: 2 }).candles({
      symbol: BTC,
      timeframe: '1m',
      asOf: NOW,
      limit: 5_000,
    })
    expect(inspectCandles(candles, '1m', NOW)).toEqual({ candles, issues: [] })
    expect(candles).toHaveLength(5_000)
    for (const [index, bar] of candles.entries()) {
      expect(Candle.safeParse(bar).success).toBe(true)
      expect(Math.round(bar.close * 100) / 100).toBe(bar.close)
      expect(bar.open).toBe(candles[index - 1]?.close ?? bar.open)
    }
  })

  it('begins at its epoch', async () => {
    const market = createSimMarket({ seed: 1 })
    expect(
      (await market.candles({ symbol: ETH, timeframe: '1h', asOf: SIM_EPOCH + 5 * HOUR_MS, limit: 100 })).candles,
    ).toHaveLength(5)
    expect((await market.quote('anything', SIM_EPOCH)).last).toBe('100')
    for (const [symbol, price] of [
      [ETH, '3000'],
      [BTC, '60000'],
      ['SOL-PERP', '150'],
    ] as const)
      expect((await market.quote(symbol, SIM_EPOCH)).last).toBe(price)
    await expect(market.quote(ETH, SIM_EPOCH - 1)).rejects.toThrow(MarketDataError)
  })

  it('a symbol can be told how to behave', async () => {
    const market = createSimMarket({ seed: 1, symbols: { X: { startPrice: 0.05 } } })
    expect((await market.quote('X', SIM_EPOCH)).last).toBe('0.05')
    const { candles } = await market.candles({ symbol: 'X', timeframe: '1h', asOf: NOW, limit: 200 })
    expect(new Set(candles.map(({ close }) => close)).size).toBeGreaterThan(150)
  })
})

describe('the simulated market behaves like one', () => {
  it.each(SEEDS)('returns have fat tails and volatility clusters (seed %i)', async (seed) => {
    const returns = logReturns(await closes(seed, ETH, '30m', 8_000))
    const kurtosis = moment(returns, 4) / moment(returns, 2) ** 2
    expect(kurtosis).toBeGreaterThan(5)
    const sizes = returns.map(Math.abs)
    // Two standard errors of an autocorrelation of 8,000 independent values are 0.022.
    expect(correlation(sizes.slice(1), sizes.slice(0, -1))).toBeGreaterThan(0.15)
    expect(correlation(sizes.slice(10), sizes.slice(0, -10))).toBeGreaterThan(0.03)
    expect(Math.abs(correlation(returns.slice(1), returns.slice(0, -1)))).toBeLessThan(0.08)
    const annual = Math.sqrt(moment(returns, 2) * 48 * 365)
    expect(annual).toBeGreaterThan(0.4)
    expect(annual).toBeLessThan(1.5)
  })

  it('has jumps: single minutes of more than eight deviations, some every week', async () => {
    const returns = logReturns(await closes(7, ETH, '1m', 14 * 1_440))
    const deviation = Math.sqrt(moment(returns, 2))
    const jumps = returns.filter((value) => Math.abs(value) > 8 * deviation).length
    expect(jumps).toBeGreaterThan(3)
    expect(jumps).toBeLessThan(80)
  })

  it('has a day: the American open is livelier than the small hours, in range and in volume', async () => {
    const { candles } = await createSimMarket({ seed: 7 }).candles({
      symbol: ETH,
      timeframe: '1h',
      asOf: NOW,
      limit: 24 * 200,
    })
    const at = (hour: number) => candles.filter(({ time }) => new Date(time).getUTCHours() === hour)
    const range = (hour: number) => mean(at(hour).map(({ high, low }) => Math.log(high / low)))
    expect(range(14) / range(4)).toBeGreaterThan(1.4)
    expect(
      mean(at(14).map(({ volume }) => volume ?? 0)) / mean(at(4).map(({ volume }) => volume ?? 0)),
    ).toBeGreaterThan(1.3)
  })

  it('symbols move together, not in lockstep, and seeds do not', async () => {
    const eth = logReturns(await closes(7, ETH, '1h', 1_500))
    const together = correlation(eth, logReturns(await closes(7, BTC, '1h', 1_500)))
    expect(together).toBeGreaterThan(0.5)
    expect(together).toBeLessThan(0.97)
    expect(Math.abs(correlation(eth, logReturns(await closes(8, ETH, '1h', 1_500))))).toBeLessThan(0.1)
  })

  it.each(SEEDS)('prices stay within sight of their start (seed %i)', async (seed) => {
    const prices = await closes(seed, ETH, '1d', 300)
    expect(Math.min(...prices)).toBeGreaterThan(100)
    expect(Math.max(...prices)).toBeLessThan(60_000)
  })

  it.each(SEEDS)('trends last long enough for an EMA 12/26 rule to trade, and end (seed %i)', async (seed) => {
    let fast = Number.NaN
    let slow = Number.NaN
    let side = 0
    let crossings = 0
    for (const close of await closes(seed, ETH, '30m', 30 * 48)) {
      fast = Number.isNaN(fast) ? close : fast + ((close - fast) * 2) / 13
      slow = Number.isNaN(slow) ? close : slow + ((close - slow) * 2) / 27
      const now = Math.sign(fast - slow)
      if (now !== 0 && side !== 0 && now !== side) crossings += 1
      if (now !== 0) side = now
    }
    expect(crossings).toBeGreaterThan(20)
    expect(crossings).toBeLessThan(150)
  })

  it('funding is hourly, small, and leans with momentum', async () => {
    const market = createSimMarket({ seed: 7 })
    const from = floorTime(NOW, HOUR_MS) - 60 * DAY_MS
    const rates = await market.fundingRates(ETH, from, NOW)
    expect(rates.map(({ time }) => time)).toEqual(
      Array.from({ length: 60 * 24 }, (_, index) => from + (index + 1) * HOUR_MS),
    )
    expect(Math.max(...rates.map(({ rate }) => Math.abs(rate)))).toBeLessThanOrEqual(0.0005)
    const { candles } = await market.candles({ symbol: ETH, timeframe: '1h', asOf: NOW, limit: 61 * 24 + 1 })
    const openAt = new Map(candles.map((bar) => [bar.time + HOUR_MS, bar.close]))
    const momentum = rates.map(({ time }) => Math.log((openAt.get(time) ?? 1) / (openAt.get(time - DAY_MS) ?? 1)))
    expect(
      correlation(
        rates.map(({ rate }) => rate),
        momentum,
      ),
    ).toBeGreaterThan(0.7)
    expect(await market.fundingRates(ETH, from, from + HOUR_MS - 1)).toEqual([])
  })

  it('answers a snapshot from memory in milliseconds', async () => {
    const market = createSimMarket({ seed: 7 })
    const ask = async () => {
      for (const [timeframe, limit] of [
        ['30m', 500],
        ['4h', 360],
        ['1d', 300],
      ] as const)
        await market.candles({ symbol: ETH, timeframe, asOf: NOW, limit })
    }
    await ask()
    const began = process.cpuUsage()
    for (let turn = 0; turn < 10; turn += 1) await ask()
    expect(process.cpuUsage(began).user / 1_000 / 10).toBeLessThan(10)
  })
})

describe('createPrng', () => {
  it('is uniform and normal enough, and its own for each name', () => {
    const prng = createPrng('a', 1)
    const uniforms = Array.from({ length: 20_000 }, () => prng.uniform())
    expect(mean(uniforms)).toBeCloseTo(0.5, 2)
    expect(Math.min(...uniforms)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniforms)).toBeLessThan(1)
    const normals = Array.from({ length: 20_000 }, () => prng.normal())
    expect(mean(normals)).toBeCloseTo(0, 1)
    expect(moment(normals, 2)).toBeCloseTo(1, 1)
    expect(moment(normals, 4)).toBeCloseTo(3, 0)
    expect(createPrng('a', 1).uniform()).toBe(createPrng('a', 1).uniform())
    expect(createPrng('a', 1).uniform()).not.toBe(createPrng('a', 2).uniform())
  })
})
