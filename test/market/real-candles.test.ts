import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { readCandleFile } from '../../lib/market/candle-file.ts'
import { createFileMarket } from '../../lib/market/file-source.ts'
import { inspectCandles } from '../../lib/market/inspect-candles.ts'
import type { Candle } from '../../schemas/market.ts'

/** A clock after all the data. */
const NOW = Date.UTC(2026, 10, 1)
const folder = path.resolve(import.meta.dirname, '../../../shared/data')
const file = (name: string) => path.join(folder, name)
const load = async (name: string) => {
  const { timeframe, rows } = readCandleFile([file(`candles/${name}.csv.gz`)], {
    now: NOW,
    timeZone: null,
    dateOrder: null,
    symbol: null,
  })
  return inspectCandles(rows, timeframe, Number.POSITIVE_INFINITY)
}

/**
 * Prices to the digit; volumes to 1e-12 of themselves: the venue adds decimals, we add doubles.
 * Gives the opens of the bars whose volume differs by more.
 */
function compare(made: readonly Candle[], theirs: readonly Candle[]): string[] {
  expect(made.map((bar) => ({ ...bar, volume: 0 }))).toEqual(theirs.map((bar) => ({ ...bar, volume: 0 })))
  return made
    .filter((bar, index) => Math.abs((bar.volume ?? 0) / (theirs[index]?.volume ?? 0) - 1) > 1e-12)
    .map(({ time }) => toIso(time))
}

describe.skipIf(!existsSync(folder))('real candles (skipped: ../shared/data is absent)', () => {
  it('the dirty file: 28 outages of 128 hours, a backward jump with duplicates, all named', async () => {
    const { candles, issues } = await load('ETH-spot-1h-20170817-20230618-dirty')
    const of = (kind: string) => issues.filter((issue) => issue.kind === kind)
    expect(of('gap')).toHaveLength(28)
    expect(of('gap').reduce((sum, { count }) => sum + count, 0)).toBe(128)
    expect(of('gap')[0]).toMatchObject({ at: '2017-09-06T17:00:00Z', count: 6 })
    expect(of('disorder').map(({ at, count }) => [at, count])).toEqual([['2023-06-14T10:00:00Z', 1]])
    expect(of('duplicate').map(({ at, count }) => [at, count])).toEqual([
      ['2023-06-14T10:00:00Z', 1],
      ['2023-06-14T11:00:00Z', 1],
    ])
    expect(issues).toHaveLength(31)
    expect(candles).toHaveLength(51_021 - 2)
    expect(candles.every((bar, index) => index === 0 || bar.time > (candles[index - 1]?.time ?? 0))).toBe(true)
    // The first copy of 11:00 was taken while the bar formed.
    expect(candles.find(({ time }) => toIso(time) === '2023-06-14T11:00:00Z')).toMatchObject({
      close: 1745.96,
      volume: 6687.4737,
    })
  })

  it('1-minute bars make the venue’s own 5-minute bars', async () => {
    const minutes = await load('ETH-perp-1m-20230703-20230817')
    const five = await load('ETH-perp-5m-20230703-20230817')
    expect([minutes.issues, five.issues]).toEqual([[], []])
    const first = five.candles[0]?.time ?? 0
    const made = aggregateCandles(
      minutes.candles.filter(({ time }) => time >= first),
      '1m',
      '5m',
    )
    // One minute of the finer file had its volume revised after the coarser ones were taken; the hourly file sides with
    // the 5-minute one.
    expect(compare(made, five.candles)).toEqual(['2023-08-16T15:40:00Z'])
  })

  it('1-hour bars make the venue’s own daily bars; its last one is partial and is not made', async () => {
    const hours = await load('ETH-perp-1h-20200101-20240418')
    const days = await load('ETH-perp-1d-20200101-20240418')
    const made = aggregateCandles(hours.candles, '1h', '1d')
    // On two days the venue's daily volume is not the sum of its own hours.
    expect(compare(made, days.candles.slice(0, -1))).toEqual(['2022-07-16T00:00:00Z', '2023-08-16T00:00:00Z'])
  })

  it('thousands of questions to a file cost microseconds each', async () => {
    const symbol = 'ETH'
    const market = await createFileMarket({
      files: [file('candles/ETH-perp-1m-20230703-20230817.csv.gz')],
      now: NOW,
      symbol,
      fundingFile: file('funding/ETH-perp-funding-8h.csv.gz'),
    })
    const start = Date.UTC(2023, 6, 24)
    await market.candles({ symbol, timeframe: '30m', asOf: start, limit: 800 })
    const began = process.cpuUsage()
    for (let turn = 0; turn < 5_000; turn += 1)
      await market.candles({ symbol, timeframe: '30m', asOf: start + turn * MINUTE_MS, limit: 800 })
    // This process's own time, in milliseconds a question.
    expect(process.cpuUsage(began).user / 1_000 / 5_000).toBeLessThan(0.1)
    expect(await market.fundingRates(symbol, start - DAY_MS, start)).toHaveLength(3)
    expect((await market.fundingRates(symbol, start - DAY_MS, start)).at(-1)?.time).toBe(start)
    expect((await market.quote(symbol, start + HOUR_MS)).last).toMatch(/^18\d\d/)
  })
})
