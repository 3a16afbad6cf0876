import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { runCli } from '../../lib/cli/run-cli.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { createRulesDecider } from '../../lib/decision/rules-decider.ts'
import { readCandles } from '../../lib/market/candle-file.ts'
import { createFileMarket } from '../../lib/market/file-source.ts'
import { readFunding } from '../../lib/market/funding-file.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'

const NOW = Date.UTC(2026, 10, 2)
const T0 = Date.UTC(2026, 0, 5)
const OPTIONS = { now: NOW, timeZone: null, dateOrder: null, symbol: null }
const H = 'timestamp,open,high,low,close,volume'
const candles = (stamps: readonly (string | number)[]) =>
  readCandles(
    [{ name: 'x.csv', bytes: Buffer.from([H, ...stamps.map((stamp) => `${stamp},1,2,1,1,1`)].join('\n')) }],
    OPTIONS,
  )
const hours = (count: number, from = T0): number[] =>
  Array.from({ length: count }, (_, index) => from + index * HOUR_MS)

describe('an instant is what its magnitude says, row by row', () => {
  const UNITS: Record<string, (time: number) => string> = {
    seconds: (time) => String(time / 1e3),
    milliseconds: (time) => String(time),
    microseconds: (time) => `${time}000`,
    nanoseconds: (time) => `${time}000000`,
    ISO: (time) => toIso(time),
  }

  it('files joined of several units are one history, and the change of unit is named with its line', () => {
    const names = Object.keys(UNITS)
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { minLength: 6, maxLength: 40 }), (units) => {
        const times = hours(units.length)
        const { rows, notes } = candles(times.map((time, index) => UNITS[units[index] ?? '']?.(time) ?? ''))
        expect(rows.map(({ time }) => time)).toEqual(times)
        for (const unit of ['seconds', 'microseconds', 'nanoseconds'])
          if (units.includes(unit)) expect(notes.join()).toContain(unit)
      }),
      { seed: 10, numRuns: 200 },
    )
    const joined = [...hours(3).map(String), ...hours(3, T0 + 3 * HOUR_MS).map((time) => `${time}000`)]
    expect(candles(joined).notes.join()).toMatch(/times in milliseconds, from line 5 on in microseconds/)
  })

  it.each<[string, (string | number)[], RegExp]>([
    [
      'a year from now',
      [...hours(5), NOW + 365 * DAY_MS],
      /x\.csv, line 7, column timestamp: 2027-\d\d-\d\dT.* lies after now/,
    ],
    ['to five digits only', [...hours(5), '1.7361E+15'], /line 7, .*is not the time/],
    ['beyond every calendar', [...hours(5), '9'.repeat(17)], /line 7/],
    ['zero', [0, ...hours(5)], /line 2, column timestamp: "0" is not the time/],
    ['before 1970', ['1969-12-31T23:00:00Z', ...hours(5)], /line 2, .*before 1970/],
    [
      'ten years before all others',
      [T0 - 3_650 * DAY_MS, ...hours(9)],
      /line 2: 2016-.* lies far before all other rows/,
    ],
    [
      'ten years after all others',
      [...hours(9, T0 - 3_650 * DAY_MS), T0],
      /line 11: 2026-.* lies far after all other rows/,
    ],
    [
      'alone in the middle of the file',
      [...hours(5), T0 - 9_000 * DAY_MS, ...hours(5, T0 + 5 * HOUR_MS)],
      /line 7: 2001/,
    ],
  ])('a row dated %s is refused with file and line', (_name, stamps, message) => {
    expect(() => candles(stamps)).toThrow(UsageError)
    expect(() => candles(stamps)).toThrow(message)
  })

  it('a bar of today is read, the one that has not closed is left out', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-now-'))
    const file = path.join(folder, 'x.csv')
    writeFileSync(file, [H, ...hours(6, NOW - 5 * HOUR_MS).map((time) => `${time},1,2,1,1,1`)].join('\n'))
    const market = await createFileMarket({ files: [file], symbol: 'ETH', now: NOW + 10 * MINUTE_MS })
    expect(market.span?.to).toBe(NOW)
    expect(market.history.findings.map(({ kind }) => kind)).toEqual(['forming'])
    rmSync(folder, { recursive: true })
  })
})

describe('funding rates are in the unit that the file names, or the file is refused until somebody says it', () => {
  const RATES = Array.from({ length: 90 }, (_, index) => (index % 3 === 0 ? 0.00007 + (index % 7) * 0.00002 : 0.0001))
  const funding = (
    rows: readonly (string | number)[],
    {
      header = 'funding_rate',
      unit = null,
      stepHours = 8,
    }: { header?: string; unit?: string | null; stepHours?: number } = {},
  ) =>
    readFunding(
      [
        {
          name: 'f.csv',
          bytes: Buffer.from(
            [`timestamp,${header}`, ...rows.map((rate, index) => `${T0 + index * stepHours * HOUR_MS},${rate}`)].join(
              '\n',
            ),
          ),
        },
      ],
      { now: NOW, timeZone: null, dateOrder: null, fundingUnit: unit },
    )
  const times = (factor: number, digits = 12): string[] => RATES.map((rate) => (rate * factor).toFixed(digits))

  it.each<[string, number, string, RegExp]>([
    ['percent', 100, 'percent', /--funding-unit percent,/],
    ['basis points', 1e4, 'bps', /as bps/],
    ['a fraction per year', 1_095, 'fraction/year', /as fraction\/year/],
    ['percent per year', 109_500, 'percent/year', /percent\/year/],
    ['a fraction per hour', 1 / 8, 'fraction/hour', /fraction\/hour/],
    ['percent per hour', 100 / 8, 'percent/hour', /percent\/hour/],
  ])('%s is refused, and right once it is said', (_name, factor, unit, remedy) => {
    expect(() => funding(times(factor))).toThrow(UsageError)
    expect(() => funding(times(factor))).toThrow(remedy)
    for (const [index, { rate }] of funding(times(factor), { unit }).rates.entries())
      expect(rate).toBeCloseTo(RATES[index] ?? 0, 10)
  })

  it.each<[string, string, (rate: number) => string]>([
    ['a percent sign in each cell', 'fundingRate', (rate) => `${(rate * 100).toFixed(6)}%`],
    ['a percent sign in the header', 'Funding Rate (%)', (rate) => (rate * 100).toFixed(6)],
    ['a word in the header', 'funding_rate_bps', (rate) => (rate * 1e4).toFixed(6)],
    ['a year in the header', 'funding_rate_annualized', (rate) => (rate * 1_095).toFixed(9)],
  ])('%s says the unit, and the line about the file repeats it', (_name, header, write) => {
    const { rates, notes } = funding(RATES.map(write), { header })
    for (const [index, { rate }] of rates.entries()) expect(rate).toBeCloseTo(RATES[index] ?? 0, 9)
    expect(notes.join()).toMatch(/rates as (?:percent|bps|a fraction) per (?:8 hours|year) \(/)
  })

  it('eight-hour rates in hourly rows are refused: they would be paid eight times', () => {
    expect(() => funding(times(1), { stepHours: 1 })).toThrow(/fraction\/8h/)
    expect(funding(times(1), { stepHours: 1, unit: 'fraction/8h' }).rates[1]?.rate).toBeCloseTo(0.0001 / 8, 12)
  })

  it('plain fractions are believed in quiet and in wild markets', () => {
    for (const factor of [1, 0.3, 3, 8]) {
      const rows = RATES.map((rate, index) =>
        ((rate + (index % 5) * 1e-6) * factor * (index % 2 === 0 ? -1 : 1)).toFixed(9),
      )
      expect(funding(rows).rates).toHaveLength(90)
    }
  })
})

describe('on the command line', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-units-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const bars = (from: number, count: number, stepMs: number): string[] =>
    Array.from({ length: count }, (_, index) => {
      const [open, close] = [3_000 + 60 * Math.sin(index / 9), 3_000 + 60 * Math.sin((index + 1) / 9)]
      return [
        from + index * stepMs,
        open.toFixed(1),
        (Math.max(open, close) + 2).toFixed(1),
        (Math.min(open, close) - 2).toFixed(1),
        close.toFixed(1),
        5,
      ].join(',')
    })
  const write = (name: string, lines: readonly string[]): string => {
    const file = path.join(folder, name)
    writeFileSync(file, lines.join('\n'))
    return file
  }
  const candleFile = write('candles.csv', [H, ...bars(T0, 400, HOUR_MS)])
  const run = async (...args: string[]) => {
    const output = { stdout: '', stderr: '' }
    const code = await runCli([...args, '--data-dir', path.join(folder, 'data')], {
      stdout: (text) => (output.stdout += text),
      stderr: (text) => (output.stderr += text),
      env: {},
      clock: () => NOW,
      newId: () => 'id',
      isInteractive: false,
      sleep: async () => {},
    })
    return { code, ...output }
  }
  const fundingFile = (name: string, from: number, factor: number): string =>
    write(name, [
      'timestamp,funding_rate',
      ...Array.from({ length: 50 }, (_, index) => `${from + index * 8 * HOUR_MS},${(0.0001 * factor).toFixed(8)}`),
    ])

  it('a replay says what it read of each file, in its text and in its JSON', async () => {
    const args = ['replay', '--candles', candleFile, '--funding', fundingFile('f.csv', T0, 1), '--random', '0']
    const { code, stdout } = await run(...args)
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /Read {6}coinbase:ETP-20DEC30-CDE: 0\.1 ETH a contract.*\n +\S+candles\.csv: 400 bars of 1h, 2026-01-05T00:00:00Z to 2026-01-21T16:00:00Z\n +\S+f\.csv: 50 rates.*rates as a fraction per 8 hours/,
    )
    expect((JSON.parse((await run(...args, '--json')).stdout) as { notes: string[] }).notes).toHaveLength(3)
  })

  it('funding that looks like percent ends with exit code 2, and goes on with --funding-unit', async () => {
    const file = fundingFile('percent.csv', T0, 100)
    const refused = await run('replay', '--candles', candleFile, '--funding', file)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(/median is 1095\.00 % a year.*--funding-unit percent/)
    expect(
      (await run('replay', '--candles', candleFile, '--funding', file, '--funding-unit', 'percent', '--random', '0'))
        .code,
    ).toBe(0)
    expect((await run('replay', '--candles', candleFile, '--funding', file, '--funding-unit', 'furlongs')).code).toBe(2)
  })

  it.each([
    ['funding', '--funding', () => fundingFile('old.csv', T0 - 400 * DAY_MS, 1)],
    ['reference', '--reference', () => write('old-ref.csv', [H, ...bars(T0 - 400 * DAY_MS, 50, HOUR_MS)])],
    [
      'headlines',
      '--news',
      () => write('old.jsonl', ['{"title":"Ether rises","source":"a","published_at":"2024-01-09T10:00:00Z"}']),
    ],
  ])('a file of %s that says nothing of the time replayed is an error', async (_name, option, file) => {
    const { code, stderr } = await run('replay', '--candles', candleFile, option, file())
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /none of its rows lies between 2026-01-05T00:00:00Z and 2026-01-21T16:00:00Z, which is replayed; it covers 202[45]-/,
    )
  })

  it('headlines dated after now are refused with their line', async () => {
    const file = write('late.jsonl', ['{"title":"Ether rises","source":"a","published_at":"2027-01-09T10:00:00Z"}'])
    const { code, stderr } = await run('replay', '--candles', candleFile, '--news', file)
    expect([code, stderr]).toEqual([2, expect.stringMatching(/late\.jsonl, line 1: 2027-.* lies after now/)])
  })

  it('a hole of ten years is named and jumped over: one slot meets it, the next is the first behind it', async () => {
    const [before, behind] = [Date.UTC(2014, 0, 1), Date.UTC(2024, 0, 1)]
    const file = write('hole.csv', [H, ...bars(before, 300, 15 * MINUTE_MS), ...bars(behind, 300, 15 * MINUTE_MS)])
    const config = loadConfig({ overrides: { market: { source: file } } })
    if (config.decider.kind !== 'rules') throw new Error('the default decider is rules')
    const market = await createFileMarket({ files: [file], symbol: config.market.symbol, now: NOW })
    expect(market.notes.join('\n')).toMatch(/no bars from 2014-01-04T03:00:00Z to 2024-01-01T00:00:00Z \(3649 days\)/)
    for (const isFast of [true, false]) {
      const { from, to } = market.span ?? { from: 0, to: 0 }
      const { lines } = await runReplay({
        config,
        market,
        decider: createRulesDecider(config.decider),
        from,
        to,
        isFast,
      })
      expect(lines).toHaveLength(150 + 1 + 150)
      expect(lines[150]).toMatchObject({
        slot: '2014-01-04T03:00:00Z',
        // Its first minutes are carried; that it is long is not known yet.
        outcome: 'held',
        failure: null,
      })
      expect(lines[151]).toMatchObject({ slot: '2024-01-01T00:00:00Z' })
    }
  })
})

describe('Funding of several symbols in one file', () => {
  const rates = (symbols: readonly string[]): string =>
    `timestamp,symbol,funding_rate\n${Array.from({ length: 12 }, (_, index) =>
      symbols.map((each) => `${T0 + index * 8 * HOUR_MS},${each},${each === 'ETH-PERP' ? 0.0001 : -0.0003}`).join('\n'),
    ).join('\n')}`
  const readRates = (text: string, symbol?: string) =>
    readFunding([{ name: 'f.csv', bytes: Buffer.from(text) }], {
      ...OPTIONS,
      fundingUnit: null,
      ...(symbol === undefined ? {} : { symbol }),
    }).rates.map(({ rate }) => rate)

  it('is that of the symbol that is traded, whichever stands first', () => {
    for (const symbols of [
      ['ETH-PERP', 'BTC-PERP'],
      ['BTC-PERP', 'ETH-PERP'],
    ])
      expect(readRates(rates(symbols), 'ETHPERP')).toEqual(Array.from({ length: 12 }, () => 0.0001))
  })
  it('is refused where none of them is traded, and taken where there is only one', () => {
    expect(() => readRates(rates(['BTC-PERP', 'SOL-PERP']), 'ETH-PERP')).toThrow(/rows of 2 symbols, "BTC-PERP"/)
    expect(readRates(rates(['BTC-PERP']), 'ETH-PERP')).toHaveLength(12)
  })
  it('is told apart by the keys of a document, too', () => {
    const list = (rate: number) => Array.from({ length: 12 }, (_, index) => ({ time: T0 + index * 8 * HOUR_MS, rate }))
    const text = JSON.stringify({ BTC: list(-0.0003), ETH: list(0.0001) })
    expect(readRates(text, 'ETH')).toEqual(Array.from({ length: 12 }, () => 0.0001))
  })
})

describe('A rate whose column names its unit or its kind', () => {
  it.each<[string, string, (rate: number) => string]>([
    ['rate_bps', 'rate_bps', (rate) => String(rate * 1e4)],
    ['funding_rate_pct', 'funding_rate_pct', (rate) => String(rate * 100)],
    ["Kraken's relative rate beside one in money", 'fundingRate,relativeFundingRate', (rate) => `0.18,${rate}`],
  ])('%s is read in it', (_name, header, write) => {
    const text = `timestamp,${header}\n${Array.from({ length: 12 }, (_, index) => `${T0 + index * 8 * HOUR_MS},${write(0.0001 + index / 1e6)}`).join('\n')}`
    const { rates } = readFunding([{ name: 'f.csv', bytes: Buffer.from(text) }], { ...OPTIONS, fundingUnit: null })
    expect(rates[11]?.rate).toBeCloseTo(0.000111, 9)
  })
})
