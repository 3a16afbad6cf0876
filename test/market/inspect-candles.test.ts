import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, toIso } from '../../lib/core/time.ts'
import { inspectCandles, type RawCandle, requireFresh } from '../../lib/market/inspect-candles.ts'
import { Candle, DataIssue } from '../../schemas/market.ts'

const T0 = Date.UTC(2026, 0, 5)
const LATER = T0 + 1_000 * HOUR_MS
const bar = (hour: number, change: Partial<RawCandle> = {}): RawCandle => ({
  time: T0 + hour * HOUR_MS,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 5,
  ...change,
})
const at = (hour: number) => toIso(T0 + hour * HOUR_MS)
const kinds = (rows: readonly unknown[], asOf = LATER) =>
  inspectCandles(rows, '1h', asOf).issues.map(({ kind, at, count }) => [kind, at, count])
const hours = (rows: readonly unknown[], asOf = LATER) =>
  inspectCandles(rows, '1h', asOf).candles.map(({ time }) => (time - T0) / HOUR_MS)

describe('inspectCandles', () => {
  it.each<[string, unknown[], number[], unknown[]]>([
    ['clean bars', [bar(0), bar(1), bar(2)], [0, 1, 2], []],
    ['nothing', [], [], []],
    [
      'a gap',
      [bar(0), bar(3), bar(4), bar(6)],
      [0, 3, 4, 6],
      [
        ['gap', at(1), 2],
        ['gap', at(5), 1],
      ],
    ],
    [
      'a bar with NaN',
      [bar(0), bar(1, { close: Number.NaN }), bar(2)],
      [0, 2],
      [
        ['gap', at(1), 1],
        ['not_a_number', at(1), 1],
      ],
    ],
    ['text for a number', [bar(0, { open: '10' as unknown as number })], [], [['not_a_number', at(0), 1]]],
    ['infinity', [bar(0, { high: Number.POSITIVE_INFINITY })], [], [['not_a_number', at(0), 1]]],
    [
      'no time',
      [bar(0, { time: Number.NaN }), bar(1, { time: -HOUR_MS }), bar(2, { time: 1e300 })],
      [],
      [['not_a_number', null, 3]],
    ],
    ['things that are no bars', [null, undefined, 7, bar(0)], [0], [['not_a_number', null, 3]]],
    ['a price of zero', [bar(0, { low: 0 })], [], [['not_positive', at(0), 1]]],
    ['a negative volume', [bar(0, { volume: -1 })], [], [['not_positive', at(0), 1]]],
    ['a high below the close', [bar(0, { high: 10.5 })], [], [['inconsistent', at(0), 1]]],
    ['a low above the open', [bar(0, { low: 10.5 })], [], [['inconsistent', at(0), 1]]],
    ['an open off the grid', [bar(0), bar(0.5), bar(1)], [0, 1], [['misaligned', at(0.5), 1]]],
    ['bars in disorder', [bar(1), bar(0), bar(2)], [0, 1, 2], [['disorder', at(0), 1]]],
    ['newest first', [bar(2), bar(1), bar(0)], [0, 1, 2], [['disorder', at(0), 2]]],
    ['identical copies', [bar(0), bar(0), bar(0), bar(1)], [0, 1], [['duplicate', at(0), 2]]],
    [
      'bad neighbours, told once',
      [bar(0), bar(1, { low: 0 }), bar(2, { low: -1 }), bar(3)],
      [0, 3],
      [
        ['gap', at(1), 2],
        ['not_positive', at(1), 2],
      ],
    ],
  ])('%s', (_name, rows, kept, issues) => {
    expect(hours(rows)).toEqual(kept)
    expect(kinds(rows)).toEqual(issues)
  })

  it('of conflicting copies keeps the one with the larger volume, the first where those are equal', () => {
    const small = bar(0, { close: 10, volume: 5 })
    const large = bar(0, { close: 11, volume: 6 })
    for (const rows of [
      [small, large],
      [large, small],
    ])
      expect(inspectCandles(rows, '1h', LATER).candles).toEqual([large])
    const other = bar(0, { close: 9.5, volume: 5 })
    expect(inspectCandles([small, other], '1h', LATER).candles).toEqual([small])
    expect(inspectCandles([small, other], '1h', LATER).issues).toMatchObject([
      { kind: 'duplicate', at: at(0), count: 1 },
    ])
  })

  it('lets a bar through exactly when it has closed', () => {
    const rows = [bar(0), bar(1)]
    expect(hours(rows, T0 + 2 * HOUR_MS)).toEqual([0, 1])
    expect(kinds(rows, T0 + 2 * HOUR_MS)).toEqual([])
    expect(hours(rows, T0 + 2 * HOUR_MS - 1)).toEqual([0])
    expect(kinds(rows, T0 + 2 * HOUR_MS - 1)).toEqual([['forming', at(1), 1]])
  })

  const value = fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: 9, max: 12, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY) },
  )
  const time = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 30 }).map((hour) => T0 + hour * HOUR_MS) },
    { weight: 1, arbitrary: fc.constantFrom(T0 + 1, Number.NaN, -1) },
  )
  const raw = fc.record({
    time,
    open: value,
    high: value.map((high) => high + 3),
    low: value.map((low) => low - 3),
    close: value,
    volume: value,
  })

  it('always yields valid closed bars in strictly increasing order, and accounts for every row and every hole', () => {
    fc.assert(
      fc.property(fc.array(raw, { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), (rows, asOfHour) => {
        const asOf = T0 + asOfHour * HOUR_MS
        const { candles, issues } = inspectCandles(rows, '1h', asOf)
        for (const [index, candle] of candles.entries()) {
          expect(Candle.safeParse(candle).success).toBe(true)
          expect(candle.time + HOUR_MS).toBeLessThanOrEqual(asOf)
          if (index > 0) expect(candle.time).toBeGreaterThan(candles[index - 1]?.time ?? 0)
        }
        for (const issue of issues) expect(DataIssue.safeParse(issue).success).toBe(true)
        const total = (...wanted: string[]) =>
          issues.filter(({ kind }) => wanted.includes(kind)).reduce((sum, { count }) => sum + count, 0)
        expect(
          candles.length + total('not_a_number', 'misaligned', 'forming', 'not_positive', 'inconsistent', 'duplicate'),
        ).toBe(rows.length)
        const first = candles[0]
        const last = candles.at(-1)
        if (first !== undefined && last !== undefined)
          expect(candles.length + total('gap')).toBe((last.time - first.time) / HOUR_MS + 1)
      }),
      { seed: 11, numRuns: 300 },
    )
  })

  it('gives the same bars in whatever order they came', () => {
    const distinct = fc.uniqueArray(raw, { maxLength: 30, selector: ({ time }) => time })
    fc.assert(
      fc.property(
        distinct.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
        ([rows, shuffled]) => {
          expect(inspectCandles(shuffled, '1h', LATER).candles).toEqual(inspectCandles(rows, '1h', LATER).candles)
        },
      ),
      { seed: 12, numRuns: 100 },
    )
  })
})

describe('requireFresh', () => {
  const series = { candles: [bar(0), bar(1)], issues: [] }
  it.each([
    ['the last closed bar is there', 2, []],
    ['it is still there until the next closes', 2.99, []],
    ['one bar late', 3, [['missing', at(2), 1]]],
    [
      'three bars late',
      5.5,
      [
        ['missing', at(2), 3],
        ['stale', at(2), 3],
      ],
    ],
  ])('%s', (_name, hour, issues) => {
    expect(
      requireFresh(series, '1h', T0 + hour * HOUR_MS, true).issues.map(({ kind, at, count }) => [kind, at, count]),
    ).toEqual(issues)
  })

  it('an empty series misses its last bar', () => {
    expect(requireFresh({ candles: [], issues: [] }, '1h', T0, true).issues).toMatchObject([
      { kind: 'missing', at: at(-1), count: 1 },
    ])
  })
})
