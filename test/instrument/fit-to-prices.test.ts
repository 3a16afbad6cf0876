import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { CATALOGUE, findInstrument } from '../../lib/instrument/catalogue.ts'
import { fitting, misfitsOf, typicalOf } from '../../lib/instrument/fit-to-prices.ts'
import { inferInstrument } from '../../lib/instrument/infer-instrument.ts'
import { changed, ETH } from '../support/instruments.ts'

const MEANS = { equity: '10000', maxLeverage: 3, maxNotional: '50000', maxRiskPerTrade: 0.02, minStopRanges: 0.5 }
const BTC = findInstrument('BIP-20DEC30-CDE') ?? ETH

describe('an instrument held against prices', () => {
  it('of its own market it fits, a dear and a cheap year alike', () => {
    expect(misfitsOf(ETH, { price: 2_000, range: 9 }, MEANS)).toEqual([])
    expect(misfitsOf(ETH, { price: 4_800, range: 30 }, MEANS)).toEqual([])
    expect(misfitsOf(BTC, { price: 60_000, range: 300 }, MEANS)).toEqual([])
  })

  it('SOL at 25 dollars in contracts of a tenth and steps of half a dollar fits neither by its step nor by its fees', () => {
    const [step, fees, ...more] = misfitsOf(ETH, { price: 25, range: 0.15 }, MEANS)
    expect(step).toContain('steps of 0.5')
    expect(step).toContain('about 0.15 a bar')
    expect(fees).toContain('12.06 %')
    expect(more).toEqual([])
  })

  it('a contract that the equity can never afford is named with the equity that it takes', () => {
    const ES = changed(ETH, {
      unit: 'index point',
      multiplier: '50' as never,
      tickSize: '0.25' as never,
      margin: { perContract: { initial: '20000' as never, maintenance: '18000' as never } },
    })
    const [sentence] = misfitsOf(ES, { price: 5_000, range: 8 }, { ...MEANS, maxNotional: '1000000' })
    // A third of 250,000 is more than the 20,000 of margin, and more than half a range of 8 x 50 over 2 %.
    expect(sentence).toContain('an equity of 83,333.33')
    expect(sentence).toContain('there are 10,000')
    expect(misfitsOf(ES, { price: 5_000, range: 8 }, { ...MEANS, equity: '83334', maxNotional: '1000000' })).toEqual([])
    expect(misfitsOf(ES, { price: 5_000, range: 8 }, { ...MEANS, equity: '83334' })).toEqual([
      expect.stringContaining('above guard.maxNotional of 50,000'),
    ])
  })

  it('a venue that asks for more margin than the leverage allowed needs more equity', () => {
    const strict = changed(ETH, { initialMarginRate: { long: '0.5', short: '0.6' }, minQuantity: '100' as never })
    // Ten ether at 2,000; the side that asks for less asks for half of it.
    expect(misfitsOf(strict, { price: 2_000, range: 9 }, { ...MEANS, equity: '10000' })).toEqual([])
    expect(misfitsOf(strict, { price: 2_000, range: 9 }, { ...MEANS, equity: '9999' })).toEqual([
      expect.stringContaining('an equity of 10,000 under these limits'),
    ])
  })

  it('prices at or below zero are judged by the step alone', () => {
    expect(misfitsOf(ETH, { price: -37.63, range: 12 }, MEANS)).toEqual([])
    expect(misfitsOf(ETH, { price: 0, range: 0.1 }, MEANS)).toHaveLength(1)
  })

  it('more equity never makes an instrument fit worse', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 100_000, noNaN: true }),
        fc.double({ min: 0.01, max: 500, noNaN: true }),
        fc.integer({ min: 100, max: 1_000_000 }),
        (price, range, equity) => {
          const few = misfitsOf(ETH, { price, range }, { ...MEANS, equity: String(equity) })
          const more = misfitsOf(ETH, { price, range }, { ...MEANS, equity: String(equity * 2) })
          expect(more.length).toBeLessThanOrEqual(few.length)
        },
      ),
      { seed: 19, numRuns: 300 },
    )
  })

  it('the catalogue offers what fits, of the same underlying first', () => {
    expect(fitting(CATALOGUE, ETH, { price: 60_000, range: 300 }, MEANS).map(({ underlying }) => underlying)).toEqual([
      'BTC',
    ])
    expect(fitting(CATALOGUE, ETH, { price: 25, range: 0.15 }, MEANS)).toEqual([])
  })

  it('the range of a longer bar grows with the root of time', () => {
    const bars = Array.from({ length: 900 }, (_, index) => ({
      high: 101 + index,
      low: 100 + index,
      close: 100 + index,
    }))
    expect(typicalOf(bars, MINUTE_MS, MINUTE_MS)).toEqual({ price: 550, range: 1 })
    expect(typicalOf(bars, MINUTE_MS, 25 * MINUTE_MS).range).toBe(5)
    expect(typicalOf(bars, HOUR_MS, 30 * MINUTE_MS).range).toBe(1)
  })
})

describe('the instrument that the name of a candle file speaks of', () => {
  it.each([
    ['/data/ETH-perp-1h-20200101.csv.gz', 'ETH'],
    ['btcusdt_5m.csv', 'BTC'],
    ['BIP-20DEC30-CDE.json', 'BTC'],
    ['BTC-PERP.csv', 'BTC'],
  ])('%s: %s', (file, underlying) => {
    expect(inferInstrument(file, CATALOGUE)?.underlying).toBe(underlying)
  })

  it.each(['SOL-perp-1h.csv', 'candles.csv', 'ETH-BTC-1h.csv', 'together.csv', 'ETHICS.csv'])('%s: none', (file) => {
    expect(inferInstrument(file, CATALOGUE)).toBeNull()
  })
})
