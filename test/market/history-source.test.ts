import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS, TIMEFRAMES, timeframeMs, type Timeframe } from '../../lib/core/time.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { createHistoryMarket, type HistoryMarket } from '../../lib/market/history-source.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { MarketDataError } from '../../lib/market/market-data.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import { randomWalkBars } from '../support/random-walk.ts'

const T0 = Date.UTC(2026, 0, 5)
const COUNT = 400
const RUNS = { seed: 20261102, numRuns: 300 }

const marketOf = (
  bars: readonly Candle[],
  reference: readonly Candle[],
  timeframe: Timeframe,
  funding: readonly FundingRate[],
): HistoryMarket => {
  const historyOf = (of: readonly Candle[]) =>
    createCandleHistory(scanCandles(of, timeframe, Number.POSITIVE_INFINITY), timeframe)
  return createHistoryMarket({
    name: 'history',
    symbol: 'ETH',
    histories: new Map([
      ['ETH', historyOf(bars)],
      ['BTC', historyOf(reference)],
    ]),
    funding,
  })
}

/** Bars of a timeframe with hours cut out of them, two markets, and rates every so often, a little late. */
const worlds = fc
  .record({
    timeframe: fc.constantFrom<Timeframe>('1m', '5m', '1h'),
    seed: fc.integer({ min: 1, max: 5 }),
    holes: fc.array(fc.record({ at: fc.nat({ max: COUNT }), length: fc.integer({ min: 1, max: 20 }) }), {
      maxLength: 4,
    }),
    everyHours: fc.constantFrom(1, 8),
  })
  .map(({ timeframe, seed, holes, everyHours }) => {
    const step = timeframeMs(timeframe)
    const walk = (of: number) =>
      randomWalkBars(T0, COUNT, { seed: of }).map((bar, index) => ({ ...bar, time: T0 + index * step }))
    const isThere = (_: Candle, index: number) =>
      index === 0 || !holes.some(({ at, length }) => index >= at && index < at + length)
    const funding = Array.from({ length: Math.ceil((COUNT * step) / (everyHours * HOUR_MS)) }, (_, index) => ({
      time: T0 + index * everyHours * HOUR_MS + ((index * 7_919) % MINUTE_MS),
      rate: index / 1e6,
    }))
    return { timeframe, step, bars: walk(seed).filter(isThere), reference: walk(seed + 10).filter(isThere), funding }
  })

/** On bars' edges, a millisecond to either side, and anywhere. */
const places = fc
  .tuple(
    fc.integer({ min: 1, max: COUNT - 1 }),
    fc.oneof(fc.constantFrom(0, 0.5), fc.double({ min: 0, max: 0.999, noNaN: true })),
    fc.constantFrom(-1, 0, 1),
  )
  .map(
    ([index, share, ms]) =>
      (step: number) =>
        T0 + index * step + Math.floor(share * step) + ms,
  )

/** As known at an instant: of the bar that is under way its open, of later ones nothing. */
const knownAt = (bars: readonly Candle[], asOf: number, step: number): Candle[] =>
  bars
    .filter(({ time }) => time <= asOf)
    .map((bar) =>
      bar.time + step <= asOf ? bar : { ...bar, high: bar.open, low: bar.open, close: bar.open, volume: 0 },
    )

/** The answer, or what it was refused with. */
const answerOf = async <T>(question: Promise<T>): Promise<unknown> =>
  question.catch((error: unknown) => (error instanceof MarketDataError ? 'refused' : Promise.reject(error)))

describe('a market of history', () => {
  it('answers for an instant what it answers when nothing after it is there, but the open of the bar under way', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        places,
        fc.constantFrom('ETH', 'BTC'),
        fc.constantFrom(...TIMEFRAMES.slice(0, 6)),
        fc.integer({ min: 1, max: 60 }),
        async ({ timeframe: base, step, bars, reference, funding }, place, symbol, timeframe, limit) => {
          const asOf = place(step)
          const whole = marketOf(bars, reference, base, funding)
          const cut = marketOf(
            knownAt(bars, asOf, step),
            knownAt(reference, asOf, step),
            base,
            funding.filter(({ time }) => time <= asOf),
          )
          expect(await answerOf(cut.candles({ symbol, timeframe, asOf, limit }))).toEqual(
            await answerOf(whole.candles({ symbol, timeframe, asOf, limit })),
          )
          expect(await cut.fundingRates(symbol, asOf - 20 * HOUR_MS, asOf)).toEqual(
            await whole.fundingRates(symbol, asOf - 20 * HOUR_MS, asOf),
          )
          // Where the bar is missing the whole refuses; cut off there, the price at the close of the last bar is its
          // close.
          const quote = await answerOf(whole.quote(symbol, asOf))
          if (quote !== 'refused') expect(await cut.quote(symbol, asOf)).toEqual(quote)
        },
      ),
      RUNS,
    )
  })

  it('does not let what comes after an instant change its answers, however it is asked before', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        places,
        places,
        fc.integer({ min: 1, max: 60 }),
        async ({ timeframe, step, bars, reference, funding }, place, elsewhere, limit) => {
          const asOf = place(step)
          const later = bars.map((bar) =>
            bar.time > asOf
              ? { ...bar, open: bar.open * 2, high: bar.high * 2, low: bar.low * 2, close: bar.close * 2 }
              : bar,
          )
          const [one, other] = [
            marketOf(bars, reference, timeframe, funding),
            marketOf(later, reference, timeframe, funding),
          ]
          // A quote or a series asked for before is not remembered for another instant.
          await answerOf(other.quote('ETH', elsewhere(step)))
          await answerOf(other.quote('BTC', asOf))
          await answerOf(other.candles({ symbol: 'ETH', timeframe, asOf: elsewhere(step), limit }))
          expect(await answerOf(other.quote('ETH', asOf))).toEqual(await answerOf(one.quote('ETH', asOf)))
          expect(await answerOf(other.candles({ symbol: 'ETH', timeframe, asOf, limit }))).toEqual(
            await answerOf(one.candles({ symbol: 'ETH', timeframe, asOf, limit })),
          )
        },
      ),
      RUNS,
    )
  })

  it('tells of a drift by the bars it lies in, and of none that opens after its end', async () => {
    let moved = 0
    await fc.assert(
      fc.asyncProperty(
        worlds,
        places,
        fc.constantFrom(0, 2_000, 20_000, MINUTE_MS),
        async ({ timeframe, step, bars, reference, funding }, place, afterMs) => {
          const at = place(step)
          const later = bars.map((bar) =>
            bar.time > at + afterMs
              ? { ...bar, open: bar.open * 2, high: bar.high * 2, low: bar.low * 2, close: bar.close * 2 }
              : bar,
          )
          const drift = await marketOf(bars, reference, timeframe, funding).driftAfter?.('ETH', at, afterMs)
          expect(await marketOf(later, reference, timeframe, funding).driftAfter?.('ETH', at, afterMs)).toBe(drift)
          // Along straight lines: from the share of the bar gone by at the one instant to that at the other.
          const levelAt = (instant: number): number => {
            const bar = bars.findLast(({ time }) => time <= instant && instant < time + step)
            return bar === undefined
              ? Number.NaN
              : bar.open * (1 - (instant - bar.time) / step) + bar.close * ((instant - bar.time) / step)
          }
          const expected = levelAt(at + afterMs) / levelAt(at) - 1
          if (Number.isNaN(expected)) expect(drift).toBe(0)
          else expect(drift).toBeCloseTo(expected, 12)
          if (drift !== 0) moved += 1
        },
      ),
      RUNS,
    )
    expect(moved).toBeGreaterThan(100)
  })

  it('gives rates after one instant and up to another, of the traded market alone', async () => {
    const funding = [0, 1, 2, 3].map((hour) => ({ time: T0 + hour * HOUR_MS, rate: hour }))
    const bars = randomWalkBars(T0, 10)
    const market = marketOf(bars, bars, '1m', funding)
    const told = async (from: number, to: number, symbol = 'ETH') =>
      (await market.fundingRates(symbol, T0 + from, T0 + to)).map(({ rate }) => rate)
    expect([
      await told(0, 2 * HOUR_MS),
      await told(-1, 2 * HOUR_MS - 1),
      await told(2 * HOUR_MS, 2 * HOUR_MS),
      await told(-1, 9 * HOUR_MS, 'BTC'),
    ]).toEqual([[1, 2], [0, 1], [], []])
  })

  it('has the close of the last bar for a price when that closes, and refuses before the first', async () => {
    const bars = randomWalkBars(T0, 10)
    const market = marketOf(bars, bars, '1m', [])
    expect(await market.quote('ETH', T0 + 10 * MINUTE_MS)).toMatchObject({
      bid: `${bars.at(-1)?.close}`,
      ask: `${bars.at(-1)?.close}`,
    })
    expect(await market.quote('ETH', T0)).toMatchObject({ last: `${bars[0]?.open}`, mark: `${bars[0]?.open}` })
    await expect(market.quote('ETH', T0 - 1)).rejects.toThrow(MarketDataError)
    await expect(market.quote('ETH', T0 + 25 * MINUTE_MS)).rejects.toThrow(MarketDataError)
  })
})
