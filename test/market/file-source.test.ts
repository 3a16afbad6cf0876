import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { HOUR_MS, MINUTE_MS, TIMEFRAMES, timeframeMs, toIso } from '../../lib/core/time.ts'
import { aggregateCandles } from '../../lib/market/aggregate.ts'
import { readCandleFile as readFiles } from '../../lib/market/candle-file.ts'
import { readFundingFile as readRates } from '../../lib/market/funding-file.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { inspectCandles } from '../../lib/market/inspect-candles.ts'
import { createFileMarket } from '../../lib/market/file-source.ts'
import { type RawCandle, scanCandles } from '../../lib/market/inspect-candles.ts'
import { MarketDataError } from '../../lib/market/market-data.ts'
import { Quote } from '../../schemas/market.ts'

const T0 = Date.UTC(2026, 0, 5)
const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-market-'))
afterAll(() => rmSync(folder, { recursive: true }))

const AS_IS = { now: T0 + 400 * 86_400_000, timeZone: null, dateOrder: null }
const readCandleFile = async (file: string) => {
  const { timeframe, rows } = readFiles([file], { ...AS_IS, symbol: null })
  return { timeframe, rows }
}
const readFundingFile = async (file: string) => readRates([file], { ...AS_IS, fundingUnit: null }).rates

let files = 0
function write(content: string | Uint8Array, extension = 'csv'): string {
  files += 1
  const file = path.join(folder, `${files}.${extension}`)
  writeFileSync(file, content)
  return file
}

const HEADER = 'timestamp,open,high,low,close,volume'
const bar = (index: number): RawCandle => ({
  time: T0 + index * MINUTE_MS,
  open: 100 + (index % 7),
  high: 110,
  low: 90,
  close: 100 + ((index + 1) % 7),
  volume: index % 3,
})
const row = (bar: RawCandle, time: string | number = bar.time) =>
  [time, bar.open, bar.high, bar.low, bar.close, bar.volume].join(',')
const csvOf = (bars: readonly RawCandle[]) => [HEADER, ...bars.map((each) => row(each))].join('\n')
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => bar(from + index))

describe('readCandleFile', () => {
  const expected = { timeframe: '1m', rows: range(0, 3) }
  it.each([
    ['epoch milliseconds', csvOf(range(0, 3))],
    ['timestamp_ms', csvOf(range(0, 3)).replace('timestamp', 'timestamp_ms')],
    ['ISO 8601', [HEADER, ...range(0, 3).map((each) => row(each, toIso(each.time)))].join('\n')],
    [
      'ISO 8601 with milliseconds and +00:00',
      [HEADER, ...range(0, 3).map((each) => row(each, new Date(each.time).toISOString().replace('Z', '+00:00')))].join(
        '\n',
      ),
    ],
    ['CRLF, a byte order mark, blank lines', `\uFEFF${csvOf(range(0, 3)).replaceAll('\n', '\r\n')}\r\n\r\n`],
    [
      'columns in another order and more of them',
      [
        'note,close,low,high,open,volume,timestamp,x',
        ...range(0, 3).map((each) =>
          ['n', each.close, each.low, each.high, each.open, each.volume, each.time, ''].join(','),
        ),
      ].join('\n'),
    ],
    [
      'quotes',
      [
        HEADER,
        ...range(0, 3).map((each) =>
          row(each)
            .split(',')
            .map((cell) => `"${cell}"`)
            .join(','),
        ),
      ].join('\n'),
    ],
    ['capitals and spaces in the header', csvOf(range(0, 3)).replace('open,high', ' Open, HIGH ')],
  ])('reads %s', async (_name, text) => {
    expect(await readCandleFile(write(text))).toEqual(expected)
    expect(await readCandleFile(write(gzipSync(text), 'csv.gz'))).toEqual(expected)
  })

  it.each([
    ['no such file', () => path.join(folder, 'absent.csv'), /absent\.csv: there is no such file/],
    ['a folder without data', () => mkdtempSync(path.join(folder, 'empty-')), /the folder holds no data file/],
    ['an empty file', () => write('\n'), /is empty/],
    ['damaged gzip', () => write(gzipSync(csvOf(range(0, 3))).subarray(0, 40), 'csv.gz'), /damaged gzip/],
    ['no time column', () => write('note,open,high,low,close\nx,1,2,1,1\ny,1,2,1,1'), /no column holds times/],
    ['no price column', () => write('timestamp,open,high,close\n1,1,2,1'), /line 1: no column low in the header/],
    ['a header alone', () => write(HEADER), /0 rows below the header/],
    [
      'a word for a number',
      () => write(`${csvOf(range(0, 2))}\n${T0 + 120_000},1,2,one,1,1`),
      /line 4, column low: "one" is not a number/,
    ],
    [
      'a time of day alone',
      () => write(`${HEADER}\n09:30,1,2,1,1,1`),
      /line 2, column timestamp: "09:30" is not a time; write an epoch/,
    ],
    [
      'a step that is no timeframe',
      () => write([HEADER, row(bar(0)), row(bar(7)), row(bar(14))].join('\n')),
      /bars of 7 minutes.*1m, 5m/,
    ],
    ['an unbalanced quote', () => write(`${HEADER}\n"1,2,3`), /line 2, column timestamp: .* is not a time/],
  ])('refuses %s', async (_name, file, message) => {
    const error: unknown = await readCandleFile(file()).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toMatch(message)
  })

  it.each([
    ['NaN', 'NaN'],
    ['a blank', ''],
    ['infinity', '1e400'],
    ['a word for nothing', 'null'],
  ])('drops a bar with %s for a price, and names it', async (_name, cell) => {
    const lines = range(0, 10).map((each) => row(each))
    lines[4] = (lines[4] ?? '').replace(/^(\d+),[^,]*/, `$1,${cell}`)
    const { timeframe, rows } = await readCandleFile(write([HEADER, ...lines].join('\n')))
    const { candles, issues } = inspectCandles(rows, timeframe, Number.MAX_SAFE_INTEGER)
    expect(candles).toHaveLength(9)
    expect(issues.map(({ kind }) => kind)).toContain('not_a_number')
  })

  it('newest first is a file like any other', async () => {
    const { timeframe, rows } = await readCandleFile(write(csvOf(range(0, 50).toReversed())))
    expect(timeframe).toBe('1m')
    expect(inspectCandles(rows, timeframe, Number.MAX_SAFE_INTEGER).candles).toEqual(range(0, 50))
  })

  it('takes the most common step, so gaps do not mislead it', async () => {
    expect((await readCandleFile(write(csvOf([...range(0, 3), ...range(60, 62), ...range(120, 122)])))).timeframe).toBe(
      '1m',
    )
  })
})

describe('readFundingFile', () => {
  it('reads rates in order, the first of two for one instant', async () => {
    const file = write(
      `timestamp_ms,exchange_ts_ms,funding_rate,mark_price\n${T0 + HOUR_MS},1,-0.0002,\n${T0},2,0.0001,\n${T0},3,0.0003,`,
    )
    expect(await readFundingFile(file)).toEqual([
      { time: T0, rate: 0.0001 },
      { time: T0 + HOUR_MS, rate: -0.0002 },
    ])
  })
  it('refuses a file without rates', async () => {
    await expect(readFundingFile(write('timestamp,price\n1767571200000,1'))).rejects.toThrow(/no column funding_rate/)
  })
})

describe('createFileMarket', () => {
  const all = [...range(0, 200), ...range(230, 400)]
  const open = (extra = {}) => createFileMarket({ files: [write(csvOf(all))], now: AS_IS.now, symbol: 'ETH', ...extra })

  it('answers any coarser timeframe as of an instant', async () => {
    const market = await open()
    expect(market).toMatchObject({
      name: expect.stringMatching(/\.csv$/),
      baseTimeframe: '1m',
      span: { from: T0, to: T0 + 400 * MINUTE_MS },
    })
    const { candles, issues } = await market.candles({
      symbol: 'ETH',
      timeframe: '5m',
      asOf: T0 + 101.5 * MINUTE_MS,
      limit: 3,
    })
    expect(candles).toEqual(aggregateCandles(range(85, 100), '1m', '5m'))
    expect(issues).toEqual([])
  })

  it('tells of a gap only in the windows that hold it, and only once a bar has closed behind it', async () => {
    const market = await open()
    const issuesAt = async (minute: number, limit = 20) =>
      (await market.candles({ symbol: 'ETH', timeframe: '1m', asOf: T0 + minute * MINUTE_MS, limit })).issues.map(
        ({ kind, count }) => [kind, count],
      )
    expect(await issuesAt(200)).toEqual([])
    // For a quarter of an hour nobody may have traded.
    expect(await issuesAt(215)).toEqual([])
    expect(await issuesAt(216)).toEqual([
      ['missing', 16],
      ['stale', 16],
    ])
    expect(await issuesAt(230)).toEqual([
      ['missing', 30],
      ['stale', 30],
    ])
    expect(await issuesAt(231)).toEqual([['gap', 30]])
    expect(await issuesAt(240, 10)).toEqual([])
    expect(await issuesAt(240, 11)).toEqual([['gap', 30]])
    expect(await issuesAt(260, 40)).toEqual([['gap', 30]])
  })

  it.each([
    ['of more than a quarter of an hour', 190, [{ kind: 'missing', at: 190, count: 20 }, { kind: 'stale' }]],
    ['in which nobody may have traded', 200, []],
  ])('tells of the tail missing from the last bucket of a coarser timeframe: one %s', async (_name, stop, expected) => {
    const market = await createFileMarket({
      files: [write(csvOf([...range(0, stop), ...range(230, 400)]))],
      now: AS_IS.now,
      symbol: 'ETH',
    })
    const { candles, issues } = await market.candles({
      symbol: 'ETH',
      timeframe: '30m',
      asOf: T0 + 210 * MINUTE_MS,
      limit: 2,
    })
    expect(candles.map(({ time }) => (time - T0) / MINUTE_MS)).toEqual([150, 180])
    expect(issues).toMatchObject(
      expected.map((issue) => ('at' in issue ? { ...issue, at: toIso(T0 + Number(issue.at) * MINUTE_MS) } : issue)),
    )
    expect(issues).toHaveLength(expected.length)
  })

  it('knows nothing after the instant: a history cut off there answers the same', () => {
    const dirty = [
      ...all,
      bar(150),
      bar(149),
      { ...bar(151), volume: 99 },
      ...range(500, 520),
      { ...bar(505), low: -1 },
    ]
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 540 }),
        fc.constantFrom(...TIMEFRAMES.slice(0, 5)),
        fc.integer({ min: 1, max: 300 }),
        fc.nat({ max: MINUTE_MS - 1 }),
        (minute, timeframe, limit, extraMs) => {
          const asOf = T0 + minute * MINUTE_MS + extraMs
          const whole = createCandleHistory(scanCandles(dirty, '1m', Number.POSITIVE_INFINITY), '1m')
          const cut = createCandleHistory(
            scanCandles(
              dirty.filter(({ time }) => time + MINUTE_MS <= asOf),
              '1m',
              Number.POSITIVE_INFINITY,
            ),
            '1m',
          )
          expect(whole.query(timeframe, asOf, limit)).toEqual(cut.query(timeframe, asOf, limit))
          for (const { time } of whole.query(timeframe, asOf, limit).candles)
            expect(time + timeframeMs(timeframe)).toBeLessThanOrEqual(asOf)
        },
      ),
      { seed: 31, numRuns: 300 },
    )
  })

  it('quotes the open of the bar that contains the instant', async () => {
    const market = await open()
    const quote = await market.quote('ETH', T0 + 3 * MINUTE_MS + 1)
    expect(Quote.parse(quote)).toEqual({
      at: '2026-01-05T00:03:00.001Z',
      bid: '103',
      ask: '103',
      last: '103',
      mark: '103',
    })
    expect((await market.quote('ETH', T0 + 400 * MINUTE_MS)).last).toBe(String(bar(399).close))
  })

  it.each([
    ['before the file', -1],
    ['long after it', 415],
    ['inside a hole, once it is longer than a price is carried', 215],
  ])('has no price %s', async (_name, minute) => {
    const market = await open()
    await expect(market.quote('ETH', T0 + minute * MINUTE_MS)).rejects.toThrow(
      /no price of ETH at .*covers 1m bars from 2026-01-05T00:00:00Z to 2026-01-05T06:40:00Z/,
    )
  })

  it('refuses finer bars and other symbols, saying what it has', async () => {
    const hourly = [HEADER, ...[0, 60, 120].map((index) => row(bar(index)))].join('\n')
    const market = await createFileMarket({
      files: [write(hourly)],
      now: AS_IS.now,
      symbol: 'ETH',
      referenceSymbol: 'BTC',
    })
    await expect(market.candles({ symbol: 'ETH', timeframe: '30m', asOf: T0 + HOUR_MS, limit: 1 })).rejects.toThrow(
      /30m bars of ETH were asked for, but its file has bars of 1h/,
    )
    await expect(market.quote('BTC', T0)).rejects.toThrow(/no candles of BTC, only of ETH; give market.referenceFile/)
    await expect(market.quote('BTC', T0)).rejects.toThrow(MarketDataError)
  })

  it('has the reference market and the funding it was given', async () => {
    const market = await open({
      referenceFile: write(csvOf(range(0, 10))),
      referenceSymbol: 'BTC',
      fundingFile: write(`timestamp,funding_rate\n${T0},0.00001\n${T0 + HOUR_MS},0.00002\n${T0 + 2 * HOUR_MS},0.00003`),
    })
    expect((await market.quote('BTC', T0)).last).toBe('100')
    expect(await market.fundingRates('ETH', T0, T0 + HOUR_MS)).toEqual([{ time: T0 + HOUR_MS, rate: 0.00002 }])
    expect(await market.fundingRates('BTC', 0, T0 + HOUR_MS)).toEqual([])
    expect(await market.openInterest('ETH', T0)).toBeNull()
  })

  it('refuses a reference file without a name, and a file with no usable bar', async () => {
    await expect(open({ referenceFile: 'x.csv', referenceSymbol: null })).rejects.toThrow(/referenceSymbol is null/)
    const bad = [HEADER, ...range(0, 3).map((each) => row({ ...each, low: 0 }))].join('\n')
    await expect(createFileMarket({ files: [write(bad)], now: AS_IS.now, symbol: 'ETH' })).rejects.toThrow(
      /none of its 3 bars is usable; the first: not_positive/,
    )
  })
})
