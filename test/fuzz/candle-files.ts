import { gzipSync, strToU8, zipSync } from 'fflate'
import { UsageError } from '../../lib/core/invariant.ts'
import { DAY_MS, timeframeMs, toIso } from '../../lib/core/time.ts'
import { readCandles } from '../../lib/market/candle-file.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { chance, damage, pick, type Random, whole } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

const NOW = Date.UTC(2026, 10, 2)
const STEPS = [60_000, 300_000, 900_000, 1_800_000, 3_600_000, 14_400_000, 86_400_000, 420_000] as const
const SPLINTERS = [
  '"',
  ',',
  ';',
  '\t',
  '\n',
  '\r\n',
  '\0',
  '\uFEFF',
  '#',
  'null',
  'NaN',
  '-',
  '1e999',
  '1,234',
  '1.234,5',
  '%',
  '[',
  ']',
  '{',
  '}',
  '[[[[',
  '99999999999999999',
  '0',
  '1970-01-01',
  '31/12/2025',
  '12/31/2025',
  '1.76757E+12',
  'open',
  'timestamp,open,high,low,close',
  '__proto__',
  '\u001b[31m',
  'é',
  '"'.repeat(50),
  ' '.repeat(50),
] as const

/** How one file is written. */
type Form = { delimiter: string; unit: string; header: string[] | null; quotes: boolean; commas: boolean }

const stampOf = (time: number, unit: string): string => {
  const iso = toIso(time)
  const [y, m, d] = [iso.slice(0, 4), iso.slice(5, 7), iso.slice(8, 10)]
  const forms: Record<string, string> = {
    s: String(time / 1e3),
    ms: String(time),
    us: `${time}000`,
    ns: `${time}000000`,
    iso,
    naive: iso.slice(0, 19).replace('T', ' '),
    offset: `${toIso(time + 7_200_000).replace('Z', '')}+02:00`,
    compact: iso.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', ' '),
    eu: `${d}/${m}/${y} ${iso.slice(11, 16)}`,
    us_date: `${m}/${d}/${y} ${iso.slice(11, 16)}`,
    serial: String(time / DAY_MS + 25_569),
  }
  return forms[unit] ?? ''
}

const HEADERS: readonly [readonly string[], ...(readonly string[])[]] = [
  ['timestamp', 'open', 'high', 'low', 'close', 'volume'],
  ['Date', 'Open', 'High', 'Low', 'Close', 'Vol.'],
  ['t', 'o', 'h', 'l', 'c', 'v'],
  ['close_time', 'open', 'high', 'low', 'close', 'volume'],
  ['<DATE>', '<OPEN>', '<HIGH>', '<LOW>', '<CLOSE>', '<VOL>'],
  ['', 'open', 'high', 'low', 'close', 'volume usd'],
]

function barsOf(random: Random): number[][] {
  const step = pick(random, STEPS)
  const start = Math.floor((Date.UTC(2015, 0, 1) + random() * 11 * 365 * DAY_MS) / DAY_MS) * DAY_MS
  let price = 10 ** (random() * 6 - 1)
  let time = start
  return Array.from({ length: whole(random, 0, 30) }, () => {
    const open = price
    price *= 1 + (random() - 0.5) / 20
    const bar = [time, open, Math.max(open, price) * 1.001, Math.min(open, price) * 0.999, price, random() * 100]
    time += chance(random, 0.05) ? step * whole(random, 0, 50_000) : step
    // Now and then a value that no market has.
    if (chance(random, 0.03)) bar[whole(random, 0, 5)] = pick(random, [0, -1, 1e300, 9.9e15, Number.NaN, 1e-9])
    return bar
  })
}

function textOf(random: Random, bars: number[][]): string {
  const form: Form = {
    delimiter: pick(random, [',', ';', '\t', '|', ' ', ', ']),
    unit: pick(random, ['s', 'ms', 'us', 'ns', 'iso', 'naive', 'offset', 'compact', 'eu', 'us_date', 'serial']),
    header: chance(random, 0.8) ? [...pick(random, HEADERS)] : null,
    quotes: chance(random, 0.2),
    commas: chance(random, 0.1),
  }
  const cell = (value: string): string => (form.quotes ? `"${value}"` : value)
  const number = (value: number): string => {
    const text = chance(random, 0.02) ? pick(random, ['', 'null', 'NaN', 'x']) : String(Number(value.toPrecision(9)))
    return form.commas ? text.replace('.', ',') : text
  }
  const lines = bars.map(([time = 0, ...values]) => [
    stampOf(
      Number.isFinite(time) && time >= 0 && time < 8e15 ? time : 0,
      chance(random, 0.01) ? pick(random, ['s', 'us', 'ns']) : form.unit,
    ),
    ...values.map(number),
  ])
  const ordered = chance(random, 0.2) ? lines.toReversed() : lines
  const preamble = chance(random, 0.2) ? ['Data by somebody', 'https://example.org'] : []
  return [
    ...preamble,
    ...(form.header === null ? [] : [form.header.join(form.delimiter)]),
    ...ordered.map((cells) => cells.map(cell).join(form.delimiter)),
  ].join(pick(random, ['\n', '\n', '\r\n', '\r']))
}

function jsonOf(random: Random, bars: number[][]): string {
  const rows: unknown[] = chance(random, 0.5)
    ? bars
    : bars.map(([t, o, h, l, c, v]) => ({ t, o, h, l, c, v, symbol: chance(random, 0.1) ? 'BTC' : 'ETH' }))
  if (chance(random, 0.3)) return rows.map((row) => JSON.stringify(row)).join('\n')
  return JSON.stringify(
    pick<unknown>(random, [rows, { data: rows }, { result: { list: rows } }, { candles: rows, error: null }]),
  )
}

function packed(random: Random, text: string): Uint8Array {
  const bytes = pick(random, [
    () => Buffer.from(text),
    () => Buffer.from(text),
    () => Buffer.from(`\uFEFF${text}`),
    () => Buffer.from(`\uFEFF${text}`, 'utf16le'),
    () => Buffer.from(text, 'latin1'),
  ])()
  const archive = random()
  const whole =
    archive < 0.06 ? gzipSync(bytes) : archive < 0.1 ? zipSync({ 'a.csv': bytes, 'README.md': strToU8('x') }) : bytes
  if (!chance(random, 0.05)) return whole
  const cut = new Uint8Array(whole.subarray(0, Math.floor(random() * whole.length)))
  if (cut.length > 0) cut[Math.floor(random() * cut.length)] = Math.floor(random() * 256)
  return cut
}

type Input = { files: Uint8Array[]; zone: string | null; order: 'day-first' | 'month-first' | null }

/**
 * Candle files in every form and damaged: each is read as bars that obey the laws, or refused as a {@link UsageError}.
 */
export const candleFiles: FuzzTarget = {
  name: 'candle-files',
  make(random): Input {
    const file = (): Uint8Array => {
      const bars = barsOf(random)
      const text = chance(random, 0.75) ? textOf(random, bars) : jsonOf(random, bars)
      return packed(random, chance(random, 0.5) ? damage(random, text, SPLINTERS) : text)
    }
    return {
      files: Array.from({ length: chance(random, 0.05) ? 2 : 1 }, file),
      zone: pick(random, [null, null, 'UTC', 'America/New_York', 'Asia/Kolkata']),
      order: pick(random, [null, null, 'day-first', 'month-first']),
    }
  },
  run(input) {
    const { files, zone, order } = input as Input
    try {
      const { rows, timeframe, notes } = readCandles(
        files.map((bytes, index) => ({ name: `file ${index}`, bytes })),
        { now: NOW, timeZone: zone, dateOrder: order, symbol: null, impliedSymbol: 'ETH' },
      )
      if (notes.length === 0) throw new Error('nothing is said of what was read')
      const { candles } = scanCandles(rows, timeframe, NOW)
      const step = timeframeMs(timeframe)
      let before = -1
      for (const { time, open, high, low, close, volume } of candles) {
        if (time <= before) throw new Error(`bars are not in order at ${time}`)
        if (time % step !== 0) throw new Error(`a bar at ${time} is off the grid of ${timeframe}`)
        if (time < 0 || time + step > NOW) throw new Error(`a bar at ${time} is outside reason`)
        if (!(low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close)))
          throw new Error('a bar does not enclose its prices')
        if (volume !== null && !(volume >= 0)) throw new Error(`a volume of ${volume}`)
        before = time
      }
      return candles.length === 0 ? 'no bars' : 'bars'
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      // oxlint-disable-next-line no-control-regex
      if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(error.message))
        throw new Error('a refusal shows binary', { cause: error })
      return 'refused'
    }
  },
}
