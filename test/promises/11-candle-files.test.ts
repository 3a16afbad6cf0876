import { gzipSync, strToU8, zipSync } from 'fflate'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { CandleOptions } from '../../lib/market/candle-file/read-candles.ts'
import { type CandleFile, readCandles } from '../../lib/market/candle-file.ts'
import { type RawCandle, scanCandles } from '../../lib/market/inspect-candles.ts'

const T0 = Date.UTC(2026, 0, 5)
const NOW = Date.UTC(2026, 10, 2)
const OPTIONS: CandleOptions = { now: NOW, timeZone: null, dateOrder: null, symbol: null }
type Bar = RawCandle & { volume: number }
const round = (value: number): number => Math.round(value * 100) / 100
const BARS: readonly Bar[] = Array.from({ length: 40 }, (_, index) => {
  const open = round(1_800 + 40 * Math.sin(index / 3))
  const close = round(1_800 + 40 * Math.sin((index + 1) / 3))
  return {
    time: T0 + index * HOUR_MS,
    open,
    high: round(Math.max(open, close) + 3.25),
    low: round(Math.min(open, close) - 2.5),
    close,
    volume: 1_000 + index * 7.125,
  }
})

const read = (text: string | Uint8Array, more: Partial<CandleOptions> = {}, name = 'x.csv'): CandleFile =>
  readCandles([{ name, bytes: typeof text === 'string' ? Buffer.from(text) : text }], { ...OPTIONS, ...more })
const rowsOf = (write: (bar: Bar, index: number) => unknown[], separator = ','): string =>
  BARS.map((bar, index) => write(bar, index).join(separator)).join('\n')
const ohlcv = ({ open, high, low, close, volume }: Bar): number[] => [open, high, low, close, volume]
const iso = (time: number): string => toIso(time).replace('T', ' ').replace('Z', '')
const pad = (value: number): string => String(value).padStart(2, '0')
const parts = (time: number) => {
  const date = new Date(time)
  return { y: date.getUTCFullYear(), m: date.getUTCMonth() + 1, d: date.getUTCDate(), h: date.getUTCHours() }
}
const comma = (value: number): string => String(value).replace('.', ',')
const grouped = (value: number): string => value.toLocaleString('en-US', { minimumFractionDigits: 2 })
const H = 'timestamp,open,high,low,close,volume'
const objects = BARS.map(({ time, ...bar }) => ({
  t: time,
  o: bar.open,
  h: bar.high,
  l: bar.low,
  c: bar.close,
  v: bar.volume,
}))
const strings = (bar: Bar): string[] => [String(bar.time), ...ohlcv(bar).map(String)]

/**
 * Each is the same forty bars, as some site, program or person writes them. `says` stands in the line about the file.
 */
const FORMS: readonly [name: string, text: string | Uint8Array, says?: RegExp, options?: Partial<CandleOptions>][] = [
  ['plain milliseconds', `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}`],
  ['seconds', `${H}\n${rowsOf((bar) => [bar.time / 1e3, ...ohlcv(bar)])}`, /times in seconds/],
  ['seconds with a fraction', `${H}\n${rowsOf((bar) => [`${bar.time / 1e3}.0`, ...ohlcv(bar)])}`, /times in seconds/],
  ['microseconds', `${H}\n${rowsOf((bar) => [`${bar.time}000`, ...ohlcv(bar)])}`, /times in microseconds/],
  ['nanoseconds', `${H}\n${rowsOf((bar) => [`${bar.time}000000`, ...ohlcv(bar)])}`, /times in nanoseconds/],
  [
    'Binance Vision: no header, close times behind',
    rowsOf((bar) => [`${bar.time}000`, ...ohlcv(bar), `${bar.time + HOUR_MS - 1}999`, 0, 0, 0, 0, 0]),
    /no header: columns taken as time, open, high, low, close, volume; .*microseconds/,
  ],
  [
    'CryptoDataDownload: an address above the header, newest first',
    `https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume ETH,Volume USDT\n${BARS.toReversed()
      .map((bar) => [bar.time, iso(bar.time), 'ETHUSDT', ...ohlcv(bar), 5].join(','))
      .join('\n')}`,
    /1 line of preamble left out.*newest first.*of "ETHUSDT"/,
  ],
  [
    'TradingView: time with an offset',
    `time,open,high,low,close,Volume\n${rowsOf((bar) => [`${iso(bar.time - 5 * HOUR_MS).replace(' ', 'T')}-05:00`, ...ohlcv(bar)])}`,
  ],
  [
    'Kraken: no header, seconds, count of trades behind',
    rowsOf((bar) => [bar.time / 1e3, ...ohlcv(bar), 12]),
    /no header.*times in seconds/,
  ],
  [
    'Coinbase Exchange: time, low, high, open, close',
    rowsOf(({ time, open, high, low, close, volume }) => [time / 1e3, low, high, open, close, volume]),
    /columns taken as time, low, high, open, close, volume/,
  ],
  [
    'Bitfinex: time, open, close, high, low',
    rowsOf(({ time, open, high, low, close, volume }) => [time, open, close, high, low, volume]),
    /columns taken as time, open, close, high, low, volume/,
  ],
  [
    'MetaTrader: brackets, tabs, date and time apart',
    `<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n${rowsOf(
      ({ time, open, high, low, close, volume }) => [
        toIso(time).slice(0, 10).replaceAll('-', '.'),
        toIso(time).slice(11, 19),
        open,
        high,
        low,
        close,
        9,
        volume,
        2,
      ],
      '\t',
    )}`,
    /separated by tabs; .*taken as UTC/,
  ],
  [
    'Stooq: ticker and period first, clock as digits',
    `<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n${rowsOf((bar) => ['ETH.V', 60, toIso(bar.time).slice(0, 10).replaceAll('-', ''), toIso(bar.time).slice(11, 19).replaceAll(':', ''), ...ohlcv(bar), 0])}`,
    /of "ETH\.V"/,
  ],
  [
    'HistData: no header, semicolons, 20260105 000000',
    rowsOf((bar) => [toIso(bar.time).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', ' '), ...ohlcv(bar)], ';'),
    /separated by semicolons; no header/,
  ],
  [
    'Yahoo through pandas: three lines of names',
    `Price,Close,High,Low,Open,Volume\nTicker,ETH-USD,ETH-USD,ETH-USD,ETH-USD,ETH-USD\nDatetime,,,,,\n${rowsOf(({ time, open, high, low, close, volume }) => [`${iso(time)}+00:00`, close, high, low, open, volume])}`,
    /time in column 1/,
  ],
  [
    'pandas: an index without a name',
    `,open,high,low,close,volume\n${rowsOf((bar) => [iso(bar.time), ...ohlcv(bar)])}`,
  ],
  [
    'a Swiss spreadsheet: semicolons, decimal commas, day first',
    `Datum;Open;High;Low;Close;Volume\n${rowsOf((bar) => {
      const { y, m, d, h } = parts(bar.time)
      return [`${pad(d)}.${pad(m)}.${y} ${pad(h)}:00`, ...ohlcv(bar).map(comma)]
    }, ';')}`,
    /day first.*decimal commas/,
  ],
  [
    'an American spreadsheet: quotes, thousands, AM and PM',
    `"Date","Open","High","Low","Close","Vol."\n${BARS.map((bar) => {
      const { y, m, d, h } = parts(bar.time)
      const half = `${h % 12 === 0 ? 12 : h % 12}:00 ${h < 12 ? 'AM' : 'PM'}`
      return [`${m}/${d}/${y} ${half}`, ...ohlcv(bar).slice(0, 4).map(grouped), `${bar.volume / 1_000}K`]
        .map((cell) => `"${cell}"`)
        .join(',')
    }).join('\n')}`,
    /month first, by their step/,
  ],
  [
    'Excel: serial days',
    `Date,Open,High,Low,Close,Volume\n${rowsOf((bar) => [bar.time / 86_400_000 + 25_569 + 1e-9, ...ohlcv(bar)])}`,
    /serial days/,
  ],
  [
    'names of months',
    `Date;Open;High;Low;Close;Volume\n${rowsOf((bar) => [`${parts(bar.time).d} Jan 2026 ${pad(parts(bar.time).h)}:00`, ...ohlcv(bar)], ';')}`,
  ],
  [
    'compact dates',
    `date,open,high,low,close,volume\n${rowsOf((bar) => [toIso(bar.time).slice(0, 16).replaceAll(/[-:T]/g, ''), ...ohlcv(bar)])}`,
  ],
  [
    'bars between cells',
    `${H.replaceAll(',', '|')}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)], '|')}`,
    /bars \(\|\)/,
  ],
  [
    'a line that names the separator',
    `sep=;\n${H.replaceAll(',', ';')}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)], ';')}`,
  ],
  [
    'remarks, blank lines, CRLF',
    `# from somewhere\r\n\r\n${H}\r\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)]).replaceAll('\n', '\r\n\r\n')}\r\n`,
  ],
  [
    'lines that end as on an old Macintosh',
    `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}`.replaceAll('\n', '\r'),
  ],
  ['UTF-16', Buffer.from(`\uFEFF${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}`, 'utf16le'), /UTF-16 LE/],
  [
    'names with currencies',
    `Date,Open (USD),High (USD),Low (USD),Close (USD),Volume (ETH)\n${rowsOf((bar) => [iso(bar.time), ...ohlcv(bar)])}`,
  ],
  [
    'a footer',
    `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}\n"Downloaded from somewhere"`,
    /what follows the last whole bar, from line 42 on, left out/,
  ],
  [
    'a last line cut off',
    `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}\n${T0 + 40 * HOUR_MS},1800.1,18`,
    /from line 42 on, left out/,
  ],
  [
    'the header again in the middle',
    `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)]).replace(/\n/, `\n${H}\n`)}`,
    /1 repeated header left out/,
  ],
  [
    'stamps of closes by name',
    `close_time,open,high,low,close,volume\n${rowsOf((bar) => [bar.time + HOUR_MS, ...ohlcv(bar)])}`,
    /moved to the opens/,
  ],
  [
    'stamps a millisecond before the close',
    `${H}\n${rowsOf((bar) => [bar.time + HOUR_MS - 1, ...ohlcv(bar)])}`,
    /moved to the opens/,
  ],
  [
    'an unfinished last bar that says so',
    `ts,o,h,l,c,vol,confirm\n${rowsOf((bar) => [...strings(bar), 1])}\n${T0 + 40 * HOUR_MS},1,2,1,1,5,0`,
    /1 unfinished bar left out/,
  ],
  ['ccxt: a list of lists', JSON.stringify(BARS.map((bar) => [bar.time, ...ohlcv(bar)])), /JSON/],
  ['a list of objects', JSON.stringify(objects), /JSON/],
  ['JSON Lines', objects.map((each) => JSON.stringify(each)).join('\n'), /JSON Lines/],
  [
    'Bybit: texts in a list in an answer, newest first',
    JSON.stringify({ retCode: 0, result: { category: 'linear', list: BARS.map(strings).toReversed() } }),
    /newest first/,
  ],
  [
    'OKX: an answer with confirm',
    JSON.stringify({ code: '0', data: BARS.map((bar) => [...strings(bar), '0', '0', '1']) }),
  ],
  [
    'Kraken: an answer by pair',
    JSON.stringify({
      error: [],
      result: {
        XETHZUSD: BARS.map(({ time, open, high, low, close, volume }) => [
          time / 1e3,
          String(open),
          String(high),
          String(low),
          String(close),
          String(volume),
        ]),
        last: 1,
      },
    }),
  ],
  [
    'Coinbase Advanced: candles by name',
    JSON.stringify({
      candles: BARS.map(({ time, ...bar }) => ({
        start: String(time / 1e3),
        ...Object.fromEntries(Object.entries(bar).map(([key, value]) => [key, String(value)])),
      })),
    }),
  ],
  [
    'Yahoo: columns, times apart from prices',
    JSON.stringify({
      chart: {
        result: [
          {
            meta: { symbol: 'ETH-USD' },
            timestamp: BARS.map(({ time }) => time / 1e3),
            indicators: {
              quote: [
                {
                  open: BARS.map(({ open }) => open),
                  high: BARS.map(({ high }) => high),
                  low: BARS.map(({ low }) => low),
                  close: BARS.map(({ close }) => close),
                  volume: BARS.map(({ volume }) => volume),
                },
              ],
            },
          },
        ],
        error: null,
      },
    }),
  ],
  [
    'columns of one letter',
    JSON.stringify({
      s: 'ok',
      t: BARS.map(({ time }) => time / 1e3),
      o: BARS.map(({ open }) => open),
      h: BARS.map(({ high }) => high),
      l: BARS.map(({ low }) => low),
      c: BARS.map(({ close }) => close),
      v: BARS.map(({ volume }) => volume),
    }),
  ],
  [
    'an object with an entry for each time',
    JSON.stringify({
      'Meta Data': { '2. Symbol': 'ETH' },
      'Time Series (60min)': Object.fromEntries(
        BARS.map((bar) => [
          iso(bar.time),
          {
            '1. open': bar.open,
            '2. high': bar.high,
            '3. low': bar.low,
            '4. close': bar.close,
            '5. volume': bar.volume,
          },
        ]),
      ),
    }),
  ],
  ['gzip', gzipSync(strToU8(`${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])}`))],
  [
    'zip',
    zipSync({ 'ETHUSDT-1h.csv': strToU8(rowsOf((bar) => [bar.time, ...ohlcv(bar)])), '__MACOSX/._x': strToU8('x') }),
    /ETHUSDT-1h\.csv/,
  ],
  [
    'a zip of several months',
    zipSync({
      'b.csv': strToU8(
        `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])
          .split('\n')
          .slice(20)
          .join('\n')}`,
      ),
      'a.csv': strToU8(
        `${H}\n${rowsOf((bar) => [bar.time, ...ohlcv(bar)])
          .split('\n')
          .slice(0, 20)
          .join('\n')}`,
      ),
    }),
  ],
  [
    'local times of a zone that is given',
    `Local time,Open,High,Low,Close,Volume\n${rowsOf((bar) => [iso(bar.time - 5 * HOUR_MS), ...ohlcv(bar)])}`,
    /taken in America\/New_York/,
    { timeZone: 'America/New_York' },
  ],
  [
    'one symbol of several',
    `timestamp,symbol,open,high,low,close,volume\n${rowsOf((bar) => [`${bar.time},BTC,1,2,1,1,1\n${bar.time}`, 'ETH', ...ohlcv(bar)])}`,
    /only the rows of "ETH", of 2 symbols/,
    { symbol: 'eth' },
  ],
]

describe('a candle file is read as people have it, and each guess is said', () => {
  it.each(FORMS)('%s', (_name, text, says, options) => {
    const { timeframe, rows, notes } = read(text, options)
    expect(timeframe).toBe('1h')
    const { candles, findings } = scanCandles(rows, timeframe, NOW)
    expect(findings).toEqual([])
    expect(candles.map(({ time }) => toIso(time))).toEqual(BARS.map(({ time }) => toIso(time)))
    for (const [index, bar] of candles.entries())
      for (const key of ['open', 'high', 'low', 'close', 'volume'] as const)
        expect(bar[key]).toBeCloseTo(BARS[index]?.[key] ?? Number.NaN, 6)
    for (const note of notes) expect(note).not.toContain('\n')
    if (says !== undefined) expect(notes.join('\n')).toMatch(says)
  })

  it('every form is worth the same bars, whichever way its numbers are written', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('s', 'ms', 'us', 'ns', 'iso', 'naive'),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(0, 1, 5),
        fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 }),
        (separator, unit, newestFirst, hasQuotes, preamble, order) => {
          const stamp = ({ time }: Bar): string =>
            ({
              s: `${time / 1e3}`,
              ms: `${time}`,
              us: `${time}000`,
              ns: `${time}000000`,
              iso: toIso(time),
              naive: iso(time),
            })[unit] ?? ''
          const cells = (bar: Bar): unknown[] => {
            const all = [stamp(bar), ...ohlcv(bar)]
            return [all[0], ...order.map((column) => all[column])]
          }
          const quote = (cell: unknown): string => (hasQuotes ? `"${String(cell)}"` : String(cell))
          const names = ['time', ...order.map((column) => ['', 'Open', 'HIGH', 'low', 'Close', 'Volume'][column])]
          const lines = BARS.map((bar) => cells(bar).map(quote).join(separator))
          const text = [
            ...Array.from({ length: preamble }, (_, index) => `about line ${index}`),
            names.map(quote).join(separator),
            ...(newestFirst ? lines.toReversed() : lines),
          ].join('\n')
          expect(read(text).rows).toEqual(BARS)
        },
      ),
      { seed: 11, numRuns: 300 },
    )
  })
})

describe('what a candle file leaves open is asked for, and what it is not is refused with the remedy', () => {
  const refusal = (text: string | Uint8Array, options: Partial<CandleOptions> = {}, name?: string): string => {
    try {
      read(text, options, name)
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      return (error as UsageError).message
    }
    return 'read'
  }
  const ambiguous = `date,open,high,low,close\n${[1, 2, 3].map((hour) => `01/02/2026 0${hour}:00,1,2,1,1`).join('\n')}`
  const twoSymbols = `time,ticker,open,high,low,close\n${[0, 1, 2].map((hour) => `${T0 + hour * HOUR_MS},ETH,1,2,1,1\n${T0 + hour * HOUR_MS},BTC,1,2,1,1`).join('\n')}`
  it.each<[string, string | Uint8Array, RegExp]>([
    [
      'dates whose day and month could change places',
      ambiguous,
      /"01\/02\/2026 01:00" leave open.*--date-order day-first/,
    ],
    [
      'dates in both orders',
      'date,open,high,low,close\n13/02/2026,1,2,1,1\n02/14/2026,1,2,1,1',
      /write dates as 2026-11-02/,
    ],
    ['several symbols', twoSymbols, /rows of 2 symbols, "ETH", "BTC"; choose with --symbol ETH/],
    [
      'prices that may be thousands',
      `${H}\n1767571200000;1,234;1,235;1,233;1,234;5`
        .replaceAll(',open', ';open')
        .replaceAll(/,(?=high|low|close|volume)/g, ';') + `\n1767574800000;1,234;1,235;1,233;1,234;5`,
      /"1,234" may be thousands or thousandths/,
    ],
    [
      'times that a spreadsheet has rounded',
      `${H}\n1.76757E+12,1,2,1,1,1\n1.76757E+12,1,2,1,1,1`,
      /"1\.76757E\+12" is not a time/,
    ],
    [
      'a spreadsheet',
      zipSync({ '[Content_Types].xml': strToU8('x'), 'xl/workbook.xml': strToU8('x') }),
      /spreadsheet.*save the sheet as CSV/,
    ],
    ['Parquet', Buffer.from('PAR1....PAR1'), /Parquet file, not text; export the table as CSV/],
    [
      'an encrypted or damaged zip',
      zipSync({ a: strToU8('x'.repeat(90)) }).subarray(0, 60),
      /damaged or encrypted zip/,
    ],
    ['an archive in archives', gzipSync(gzipSync(gzipSync(gzipSync(strToU8(H))))), /archives within archives/],
    ['a web page', '<!DOCTYPE html><html><body>Login</body></html>', /web page or XML, not data/],
    ['no prices of the day', 'date,open,close\n2026-01-05,1,2\n2026-01-06,1,2', /no column high, no column low/],
    ['a JSON answer without bars', '{"retCode":10001,"retMsg":"params error"}', /holds no list of bars/],
    ['JSON that was cut off', `${JSON.stringify(objects).slice(0, 500)}`, /begins as JSON and is not JSON to its end/],
    [
      'bars of an unknown length',
      `${H}\n${BARS.map((bar, index) => [T0 + index * 7 * MINUTE_MS, ...ohlcv(bar)].join(',')).join('\n')}`,
      /bars of 7 minutes; .*1m, 5m/,
    ],
    [
      'a word among the prices',
      `${H}\n${rowsOf((bar, index) => [bar.time, index === 3 ? 'up' : bar.open, bar.high, bar.low, bar.close, 1])}`,
      /line 5, column open: "up" is not a number/,
    ],
    [
      'a broken line in the middle',
      `${H}\n${rowsOf((bar, index) => (index === 3 ? ['oops'] : [bar.time, ...ohlcv(bar)]))}`,
      /line 5, column timestamp: "oops" is not the time/,
    ],
  ])('%s', (_name, text, message) => {
    expect(refusal(text)).toMatch(message)
  })

  it('what is refused shows nothing that a terminal would take for a command', () => {
    const bytes = Array.from({ length: 3_000 }, (_, index) => (index * 1_103_515_245 + 12_345) % 251)
    for (const start of [[], [0x50, 0x41], [0x1b, 0x5b], [0x7b], [0x5b]])
      // oxlint-disable-next-line no-control-regex
      expect(refusal(Buffer.from([...start, ...bytes]))).toMatch(/^[^\u0000-\u001f\u007f-\u009f]+$/)
  })

  it('files of two symbols, or of two lengths of bars, are not one history', () => {
    const file = (symbol: string, step: number) => ({
      name: `${symbol}.csv`,
      bytes: Buffer.from(
        `time,symbol,open,high,low,close\n${[0, 1, 2].map((index) => `${T0 + index * step},${symbol},1,2,1,1`).join('\n')}`,
      ),
    })
    expect(() => readCandles([file('ETH', HOUR_MS), file('BTC', HOUR_MS)], OPTIONS)).toThrow(
      /holds "ETH" and .*holds "BTC"/,
    )
    expect(() => readCandles([file('ETH', HOUR_MS), file('ETH', MINUTE_MS)], OPTIONS)).toThrow(/bars of 1h and .*of 1m/)
  })

  it('a volume that is not there is unknown, not zero', () => {
    const none = read(
      `time,open,high,low,close\n${rowsOf(({ time, open, high, low, close }) => [time, open, high, low, close])}`,
    )
    expect(none.rows.every(({ volume }) => volume === null)).toBe(true)
    expect(none.notes.join()).toMatch(/no volume/)
    const zeros = read(`${H}\n${rowsOf(({ time, open, high, low, close }) => [time, open, high, low, close, 0])}`)
    expect(zeros.rows.every(({ volume }) => volume === null)).toBe(true)
    expect(zeros.notes.join()).toMatch(/0 in every row: taken as unknown/)
    const some = read(
      `${H}\n${rowsOf((bar, index) => [...[bar.time, ...ohlcv(bar)].slice(0, 5), index === 3 ? '' : bar.volume])}`,
    )
    expect(some.rows[3]?.volume).toBeNull()
    expect(some.notes.join()).toMatch(/volume unknown in 1 rows/)
  })

  it('the hour that autumn repeats is read twice, one after the other, in either order of the file', () => {
    const hours = Array.from({ length: 8 }, (_, index) => Date.UTC(2025, 10, 2, 3) + index * HOUR_MS)
    // New York: EDT is four hours behind, EST five; clocks go back at 06:00 UTC.
    const local = (time: number): string => iso(time - (time < Date.UTC(2025, 10, 2, 6) ? 4 : 5) * HOUR_MS)
    const lines = hours.map((time) => `${local(time)},1,2,1,1,1`)
    for (const each of [lines, lines.toReversed()])
      expect(read([H, ...each].join('\n'), { timeZone: 'America/New_York' }).rows.map(({ time }) => time)).toEqual(
        hours,
      )
    expect(() =>
      read(`${H}\n2026-03-08 02:30:00,1,2,1,1,1\n2026-03-08 03:30:00,1,2,1,1,1`, { timeZone: 'America/New_York' }),
    ).toThrow(/hour that clocks of America\/New_York leave out/)
  })
})

const bars = (from: number, to: number): unknown[][] => BARS.slice(from, to).map((bar) => [bar.time, ...ohlcv(bar)])
const named = ({ time, ...bar }: Bar, symbol?: string) => ({
  ...(symbol === undefined ? {} : { symbol }),
  time,
  ...bar,
})
const BTC = BARS.map((bar) => ({ ...bar, open: 90_000, high: 90_020, low: 89_990, close: 90_010 }))
const closes = ({ rows }: CandleFile): (number | null)[] => rows.map(({ close }) => close)
const volumes = ({ rows }: CandleFile): (number | null)[] => rows.map(({ volume }) => volume)
const wanted = BARS.map(({ close }) => close)

describe('A document that holds several lists of bars is read whole or not at all', () => {
  it.each<[string, string]>([
    ['pages of lists', JSON.stringify([bars(0, 15), bars(15, 40)])],
    ['thirty pages and more', JSON.stringify(Array.from({ length: 40 }, (_, at) => ({ data: bars(at, at + 1) })))],
    [
      'pages of objects under one key',
      JSON.stringify([0, 20].map((at) => ({ data: BARS.slice(at, at + 20).map((bar) => named(bar)) }))),
    ],
    ['a page in each line', [bars(0, 20), bars(20, 40)].map((page) => JSON.stringify(page)).join('\n')],
  ])('%s', (_name, text) => expect(closes(read(text))).toEqual(wanted))

  it.each<[string, string]>([
    [
      'lists of objects by symbol',
      JSON.stringify({ bars: { BTC: BTC.map((b) => named(b)), ETH: BARS.map((b) => named(b)) } }),
    ],
    ['lists of lists by symbol', JSON.stringify({ BTC: BTC.map((b) => [b.time, ...ohlcv(b)]), ETH: bars(0, 40) })],
    [
      'a list for each column by symbol',
      JSON.stringify(
        Object.fromEntries(
          [['BTC', BTC] as const, ['ETH', BARS] as const].map(([symbol, list]) => [
            symbol,
            Object.fromEntries(
              (['time', 'open', 'high', 'low', 'close', 'volume'] as const).map((key) => [
                key,
                list.map((bar) => bar[key]),
              ]),
            ),
          ]),
        ),
      ),
    ],
    [
      'lists beside their symbol',
      JSON.stringify(
        [['BTC', BTC] as const, ['ETH', BARS] as const].map(([symbol, list]) => ({
          symbol,
          data: list.map((b) => [b.time, ...ohlcv(b)]),
        })),
      ),
    ],
  ])('%s are those of the symbol that is asked for, and refused where none is', (_name, text) => {
    expect(closes(read(text, { symbol: 'ETH' }))).toEqual(wanted)
    expect(() => read(text)).toThrow(/rows of 2 symbols, "BTC", "ETH"; choose with --symbol/)
  })
})

describe('Rows of several markets are never taken for those of one', () => {
  it('two markets under a column that nobody knows are refused with the line', () => {
    const text = `time,name,open,high,low,close,volume\n${BARS.map((bar, index) => `${bar.time},ETH,${ohlcv(bar).join()}\n${bar.time},BTC,${ohlcv(BTC[index] ?? bar).join()}`).join('\n')}`
    expect(() => read(text)).toThrow(/x\.csv, line 3: 40 of 80 rows repeat a time with another open/)
  })
  it('bars of two lengths under a column of lengths are refused with the line', () => {
    const text = `time,interval,open,high,low,close\n${rowsOf((bar, index) => [bar.time, index === 20 ? '4h' : '1h', bar.open, bar.high, bar.low, bar.close])}`
    expect(() => read(text)).toThrow(/x\.csv, line 22: bars of several lengths, "1h", "4h"; keep the rows of one/)
  })
  it('a bar that a recorder wrote again while it grew is no other market', () => {
    const text = `${H}\n${BARS.map((bar) => `${bar.time},${bar.open},${bar.high},${bar.low},${bar.open},1\n${bar.time},${ohlcv(bar).join()}`).join('\n')}`
    expect(read(text).rows).toHaveLength(80)
  })
})

describe('What stands beside the prices is what the source means by it', () => {
  it('an average price before the volume, as Kraken has it, is not the volume', () => {
    const kraken = {
      error: [],
      result: {
        XETHZUSD: BARS.map((b) => [b.time / 1e3, b.open, b.high, b.low, b.close, (b.high + b.low) / 2, b.volume, 12]),
        last: 1,
      },
    }
    expect(volumes(read(JSON.stringify(kraken)))).toEqual(BARS.map(({ volume }) => volume))
  })
  it('l and L of a stream are two columns', () => {
    const lines = BARS.map((b) =>
      JSON.stringify({
        e: 'kline',
        k: { t: b.time, L: 2, H: 3, o: b.open, h: b.high, l: b.low, c: b.close, v: b.volume, V: 1 },
      }),
    )
    expect(read(lines.join('\n')).rows.map(({ low }) => low)).toEqual(BARS.map(({ low }) => low))
  })
  it('true and false at the end of a row say whether the bar is whole, and are no symbols', () => {
    const rows = BARS.map((b, index) => [b.time / 1e3, ...ohlcv(b), index < 39 ? 'true' : 'false'])
    expect(read(JSON.stringify(rows)).notes.join()).toMatch(/39 bars.*1 unfinished bar left out/)
  })
  it('0 and 1 at the end of nine cells, as OKX has them, say whether the bar is whole', () => {
    const rows = BARS.toReversed().map((b, index) => [
      b.time,
      ...ohlcv(b),
      b.volume,
      b.volume * 1_800,
      index === 0 ? '0' : '1',
    ])
    expect(read(JSON.stringify(rows)).notes.join()).toMatch(/39 bars.*1 unfinished bar left out/)
  })
  it.each(['Datum;Zeit;Eröffnung;Hoch;Tief;Schluss;Volumen', 'Fecha;Hora;Apertura;Máximo;Mínimo;Cierre;Volumen'])(
    'the header %s is known',
    (header) => {
      const text = `${header}\n${rowsOf((bar) => [`${pad(parts(bar.time).d)}.01.2026`, `${pad(parts(bar.time).h)}:00`, ...ohlcv(bar).map(comma)], ';')}`
      expect(closes(read(text))).toEqual(wanted)
    },
  )
})
