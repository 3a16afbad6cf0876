import { describe, expect, it } from 'vitest'
import type { Indicators } from '../../schemas/snapshot.ts'
import { createIndicatorStream } from '../../lib/indicators/indicator-stream.ts'
import { hasVectors, readQuotes, readResults, WHY_SKIPPED } from './published-vectors.ts'

/** Relative to the value, or to one where the value is smaller: MACD crosses zero. */
const TOLERANCE = 1e-9

type Reading = (at: Indicators) => number | null
const COLUMNS: [result: string, column: string, reading: Reading][] = [
  ['rsi', 'rsi', (at) => at.rsi14],
  ['atr', 'atr', (at) => at.atr14],
  ['bb', 'sma', (at) => at.bollinger20?.middle ?? null],
  ['bb', 'upperBand', (at) => at.bollinger20?.upper ?? null],
  ['bb', 'lowerBand', (at) => at.bollinger20?.lower ?? null],
  ['macd', 'fastEma', (at) => at.ema12],
  ['macd', 'slowEma', (at) => at.ema26],
  ['macd', 'signal', (at) => at.macd?.signal ?? null],
  ['macd', 'histogram', (at) => at.macd?.histogram ?? null],
  ['adx', 'adx', (at) => at.adx14],
]

describe.skipIf(!hasVectors)(
  `indicators agree with the published vectors${hasVectors ? '' : ` (skipped: ${WHY_SKIPPED})`}`,
  () => {
    const readings = hasVectors ? everyReading('default') : []

    it.each(COLUMNS)('%s %s on every bar, warm-up included', (result, column, reading) => {
      const expected = readResults(result)
      expect(expected).toHaveLength(readings.length)
      let worst = 0
      readings.forEach((indicators, index) => {
        const want = expected[index]?.[column] ?? null
        const got = reading(indicators)
        expect(got === null, `bar ${index}: got ${got}, want ${want}`).toBe(want === null)
        if (got !== null && want !== null) worst = Math.max(worst, Math.abs(got - want) / Math.max(1, Math.abs(want)))
      })
      console.info(`  ${result}.${column}: largest relative error ${worst.toExponential(1)}`)
      expect(worst).toBeLessThan(TOLERANCE)
    })

    it('macd wherever its signal has begun too', () => {
      const expected = readResults('macd')
      const compared = readings.flatMap(({ macd }, index) =>
        macd === null ? [] : [Math.abs(macd.macd - Number(expected[index]?.['macd']))],
      )
      expect(compared).toHaveLength(502 - 33)
      expect(Math.max(...compared)).toBeLessThan(TOLERANCE)
    })

    it.each(['bad', 'zeros', 'mismatch', 'penny', 'bitcoin', 'intraday', '_issue0859.adx.nan'])(
      'quotes "%s": every reading is finite or null, on every bar',
      (quotes) => {
        for (const indicators of everyReading(quotes)) expect(numbersIn(indicators).every(Number.isFinite)).toBe(true)
      },
    )

    it('quotes of zero alone: no RSI, no movement, no direction', () => {
      const last = everyReading('zeros').at(-1)
      expect(last).toMatchObject({
        rsi14: null,
        atr14: 0,
        adx14: 0,
        ema200: 0,
        macd: { macd: 0, signal: 0, histogram: 0 },
      })
    })
  },
)

function everyReading(quotes: string): Indicators[] {
  const stream = createIndicatorStream()
  return readQuotes(quotes).map((quote) => {
    stream.push(quote)
    return stream.read()
  })
}

const numbersIn = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : value !== null && typeof value === 'object'
      ? Object.values(value).flatMap(numbersIn)
      : []
