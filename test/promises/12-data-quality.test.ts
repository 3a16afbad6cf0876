import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { measureQuality } from '../../lib/evidence/data-quality.ts'
import { foldFailures } from '../../lib/evidence/summarise-run.ts'
import { createCandleHistory } from '../../lib/market/candle-history.ts'
import { scanCandles } from '../../lib/market/inspect-candles.ts'
import { describeQuality } from '../../lib/report/describe-quality.ts'
import { ReplayCounts, ReplayReport } from '../../schemas/replay.ts'
import { candleCsv, createBench, FROM } from '../cli/bench-support.ts'

const MINUTE = 60_000
const bar = (minute: number, close = 100) => ({
  time: FROM + minute * MINUTE,
  open: close,
  high: close,
  low: close,
  close,
  volume: 1,
})
const historyOf = (minutes: readonly number[]) =>
  createCandleHistory(
    scanCandles(
      minutes.map((minute) => bar(minute)),
      '1m',
      FROM + 1e9,
    ),
    '1m',
  )
const span = (first: number, last: number): number[] =>
  Array.from({ length: last - first }, (_, index) => first + index)

const { newDirectory, file, run, json } = createBench()
/** Minutes that the file lacks: 15 in a row, and 16 in a row. */
const lacking = (minute: number): boolean => (minute >= 600 && minute < 615) || (minute >= 900 && minute < 916)
const [header = '', ...rows] = candleCsv(2).split('\n')
const HOLED = file(
  'holed.csv',
  [
    header,
    ...rows.filter((_, minute) => !lacking(minute)),
    rows[1_000] ?? '',
    rows[1_001]?.replace(/[^,]*$/, '0.5') ?? '',
  ].join('\n'),
)

describe('the bars of a replay are counted as they are', () => {
  it.each([
    ['15 minutes without a bar are carried', [...span(0, 60), ...span(75, 120)], { carried: 15, missing: 0, gaps: 0 }],
    ['16 minutes without a bar are a gap', [...span(0, 60), ...span(76, 120)], { carried: 0, missing: 16, gaps: 1 }],
    ['one minute without a bar is carried', [...span(0, 60), ...span(61, 120)], { carried: 1, missing: 0, gaps: 0 }],
  ] as const)('%s', (_, minutes, expected) => {
    expect(measureQuality(historyOf(minutes), FROM, FROM + 120 * MINUTE)).toMatchObject({ expected: 120, ...expected })
  })

  it('real, carried and missing bars together are those expected, in any part of any history', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(300), { minLength: 2, maxLength: 120 }),
        fc.nat(100),
        fc.nat(100),
        (minutes, skip, cut) => {
          const ordered = [...minutes].sort((a, b) => a - b)
          const from = FROM + (Math.min(...ordered) + skip) * MINUTE
          const to = FROM + (Math.max(...ordered) + 1 - cut) * MINUTE
          fc.pre(to > from)
          const { expected, real, carried, missing, gaps, longestGap } = measureQuality(historyOf(ordered), from, to)
          const there = new Set(ordered)
          const inside = span((from - FROM) / MINUTE, (to - FROM) / MINUTE)
          expect(expected).toBe(inside.length)
          expect(real).toBe(inside.filter((minute) => there.has(minute)).length)
          expect(real + carried + missing).toBe(expected)
          expect(missing >= gaps && (gaps === 0) === (longestGap === null)).toBe(true)
        },
      ),
    )
  })

  it('a replay says on terminal and in JSON what its bars are worth before it says what it made of them', async () => {
    const args = ['replay', '--candles', HOLED, '--random', '0', '--data-dir', newDirectory()]
    const { code, stdout } = await run(args)
    expect(code).toBe(0)
    expect(stdout).toContain('2,880 bars expected: 2,849 real, 15 carried (no trade, last price), 16 missing')
    expect(stdout).toContain('1 gap, the longest of 16 bars from 2024-01-01T15:00:00Z; 1 duplicate bar, 1 conflicting')
    expect(stdout.indexOf('bars expected')).toBeLessThan(stdout.indexOf('Result'))
    const { document } = await json(ReplayReport, [...args, '--data-dir', newDirectory()])
    expect(document.counts.quality).toEqual({
      expected: 2_880,
      real: 2_849,
      carried: 15,
      missing: 16,
      gaps: 1,
      longestGap: { from: '2024-01-01T15:00:00Z', bars: 16 },
      duplicates: 1,
      conflicts: 1,
    })
  }, 60_000)
})

describe('the page of a replay', () => {
  it('says at its top what the bars are worth', async () => {
    const out = newDirectory()
    await run(['replay', '--candles', HOLED, '--random', '0', '--out', out, '--data-dir', newDirectory()])
    expect((await run(['report', '--out', out])).code).toBe(0)
    const page = readFileSync(path.join(out, 'report.html'), 'utf8')
    expect(page).toContain('"quality":{"expected":2880,"real":2849,"carried":15,"missing":16,"gaps":1')
    expect(page).toContain('data-quality')
  }, 60_000)

  it('says it also where the answers failed', () => {
    const counts = ReplayCounts.parse({
      bars: 10,
      quality: measureQuality(historyOf([...span(0, 4), ...span(6, 10)]), FROM, FROM + 10 * MINUTE),
      slots: 1,
      entries: 0,
      refusals: 0,
      ambiguousBars: 0,
      heldBars: 0,
      ambiguousBarShare: null,
      outcomes: {},
      refusalsByRule: {},
      failures: {},
    })
    expect(describeQuality(counts)[0]).toBe('10 bars expected: 8 real, 2 carried (no trade, last price), 0 missing')
    expect(describeQuality({ ...counts, quality: null })).toHaveLength(1)
  })
})

describe('failures that differ only in their time are told once', () => {
  it('a thousand slots without a price are one line with their number', () => {
    const reasons = span(0, 1_000).map((minute) => `no price as of ${new Date(FROM + minute * MINUTE).toISOString()}`)
    expect(foldFailures([...reasons, 'no key', 'no key'])).toEqual({
      'no price as of 2024-01-01T00:00:00.000Z (the first; the others name other times)': 1_000,
      'no key': 2,
    })
  })

  it('failures of another kind stay apart, and none is lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'a at 2024-01-01T00:00Z', 'a at 2024-01-02T00:00Z')),
        (reasons) => {
          const folded = foldFailures(reasons)
          expect(Object.values(folded).reduce((total, count) => total + count, 0)).toBe(reasons.length)
          expect(Object.keys(folded)).toHaveLength(new Set(reasons.map((reason) => reason.slice(0, 4))).size)
        },
      ),
    )
  })
})
