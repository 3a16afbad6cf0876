import { configOf } from '../support/instruments.ts'
import { describe, expect, it } from 'vitest'
import { InvariantError, UsageError } from '../../lib/core/invariant.ts'
import { DAY_MS, HOUR_MS } from '../../lib/core/time.ts'
import { lookback } from '../../lib/indicators/lookback.ts'
import { type CandleQuery, type MarketData, MarketDataError } from '../../lib/market/market-data.ts'
import { gatherMarketFacts } from '../../lib/snapshot/gather.ts'
import { arrayMarket, CONFIG, HISTORY, quietNews, START } from './fixtures.ts'

const asOf = START + 320 * DAY_MS + 9.5 * HOUR_MS
const { symbol, referenceSymbol } = CONFIG.market
const good = arrayMarket(HISTORY, { symbol })
const gather = (over: Partial<MarketData>, config = CONFIG) =>
  gatherMarketFacts({ market: { ...good, ...over }, news: quietNews, config, asOf })

const failing = (fails: (query: CandleQuery) => boolean, error: Error): Pick<MarketData, 'candles'> => ({
  candles: (query) => (fails(query) ? Promise.reject(error) : good.candles(query)),
})

describe('what it asks for', () => {
  it('each series from its anchor, funding over three days', async () => {
    const queries: CandleQuery[] = []
    let funding: unknown = null
    await gather({
      candles: (query) => {
        queries.push(query)
        return good.candles(query)
      },
      fundingRates: async (...args) => {
        funding = args
        return []
      },
    })
    const expected = [
      [symbol, '30m'],
      [symbol, '4h'],
      [symbol, '1d'],
      [referenceSymbol, '1h'],
    ] as const
    expect(queries).toEqual(
      expected.map(([of, timeframe]) => ({ symbol: of, timeframe, asOf, limit: lookback(timeframe, asOf).limit })),
    )
    expect(funding).toEqual([symbol, asOf - 3 * DAY_MS, asOf])
  })

  it('all of it at once', async () => {
    let waiting = 0
    let most = 0
    const slow = async <T>(answer: T): Promise<T> => {
      waiting += 1
      most = Math.max(most, waiting)
      await new Promise((resolve) => setTimeout(resolve, 5))
      waiting -= 1
      return answer
    }
    await gather({
      candles: async () => slow({ candles: [], issues: [] }),
      quote: async (...args) => slow(await good.quote(...args)),
      fundingRates: async () => slow([]),
      openInterest: async () => slow(null),
    })
    expect(most).toBe(7)
  })

  it('no reference where none is configured', async () => {
    const config = configOf({ id: 'solo', market: { referenceSymbol: null } })
    const facts = await gather(
      failing(({ symbol: of }) => of !== symbol, new Error('must not be asked')),
      config,
    )
    expect(facts).toMatchObject({ reference: null, issues: [] })
  })
})

describe('failures', () => {
  it.each(['30m', '4h', '1d'])('without the traded market’s %s bars there are no facts', async (timeframe) => {
    const broken = new MarketDataError('exchange is down')
    await expect(
      gather(failing((query) => query.symbol === symbol && query.timeframe === timeframe, broken)),
    ).rejects.toBe(broken)
  })

  it('whatever the source throws for the traded market becomes a MarketDataError that names the reading', async () => {
    const cause = new TypeError('fetch failed')
    await expect(gather({ quote: () => Promise.reject(cause) })).rejects.toMatchObject({
      name: 'MarketDataError',
      message: `${symbol} quote: fetch failed`,
      cause,
    })
  })

  it('reference, funding and open interest cost only themselves, each with its name, in one order', async () => {
    const error = new MarketDataError('no answer')
    const facts = await gather({
      ...failing(({ symbol: of }) => of === referenceSymbol, error),
      fundingRates: () => Promise.reject(error),
      openInterest: () => Promise.reject(error),
    })
    expect(facts).toMatchObject({ funding: null, openInterest: null, reference: null })
    expect(facts.issues).toEqual(
      ['funding', 'open interest', `reference ${referenceSymbol}`].map((what) => ({
        kind: 'missing',
        at: null,
        count: 1,
        detail: `${what}: no answer`,
      })),
    )
  })

  it('a broken invariant is never taken for a missing reading', async () => {
    await expect(gather({ openInterest: () => Promise.reject(new InvariantError('bug')) })).rejects.toThrow(
      InvariantError,
    )
  })
})

describe('bars too coarse', () => {
  it('hourly bars for half-hourly decisions: says so and how to mend it', async () => {
    const refused = gather({ baseTimeframe: '1h' })
    await expect(refused).rejects.toThrow(UsageError)
    await expect(refused).rejects.toThrow(
      /interval is 30m.*finest bars of arrays are 1h.*set interval to "1h" or bring finer candles/,
    )
  })

  it('daily bars are too coarse for either: only finer candles help', async () => {
    const refused = gather({ baseTimeframe: '1d' }, configOf({ id: 'hourly', interval: '1h' }))
    await expect(refused).rejects.toThrow(/finest bars of arrays are 1d: bring finer candles/)
  })

  it('hourly bars do for hourly decisions', async () => {
    const config = configOf({ id: 'hourly', interval: '1h' })
    expect((await gather({ baseTimeframe: '1h' }, config)).primary.candles).toHaveLength(lookback('1h', asOf).limit)
  })
})
