import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

/** What a bot for perpetual futures must survive: each row has a test in this folder whose title begins with it. */
const ROWS = [
  'timeout after submit',
  'accepted, answer unreadable',
  'filled before you looked',
  'entry filled, stop placement fails',
  'client id re-used with another body',
  'schedule fires twice / late',
  'two functions overlap',
  'function times out mid-order, is retried',
  'partial fill',
  'forming or stale candle',
  'maintenance window',
  'insufficient margin',
  'lot, tick, minimum, float drift',
  'clock skew',
  'funding mis-accounted',
  'liquidation unseen',
  'closed by hand at the venue',
  'stop-limit gapped through',
  'stop refused: price already beyond',
  'orphaned bracket opens a reverse position',
  'partial close removes the stop from the rest',
  "stops stack up to the venue's limit",
  "bot's close races a resting bracket: flips",
  'venue-side close never recorded',
  'PnL without fees / wrong base',
  'JSON from the model unusable',
  'flip-flop, overtrading',
  'stop button does not stop',
  'limits that exist only in the prompt',
  'guard that cannot fire',
  'keys exposed by a default admin page',
  'replay drifts from live',
] as const

/** Titles of tests and groups that run: a skipped or pending one is written otherwise. */
const titles = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts') && file !== path.basename(import.meta.filename))
  .flatMap((file) => [
    ...readFileSync(path.join(import.meta.dirname, file), 'utf8').matchAll(
      /^(?:describe|it)\(\s*(?:'(?<single>(?:\\'|[^'\n])+)'|"(?<double>[^"\n]+)")/gm,
    ),
  ])
  .map(({ groups }) => groups?.['double'] ?? groups?.['single']?.replaceAll(String.raw`\'`, "'") ?? '')

describe('the rows', () => {
  it.each(ROWS)('%s: has a test', (row) => {
    expect(titles.filter((title) => title === row || title.startsWith(`${row}: `))).not.toEqual([])
  })

  it('nothing else is tested here', () => {
    expect(titles.filter((title) => !ROWS.some((row) => title === row || title.startsWith(`${row}: `)))).toEqual([])
  })
})

const list = path.resolve(import.meta.dirname, '../../../shared/facts/failure-modes.md')

describe.skipIf(!existsSync(list))('the list they come from (skipped: it is not at hand here)', () => {
  it('has these rows, in this order', () => {
    const cells = readFileSync(list, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.split('|')[1]?.trim())
    expect(cells.slice(2)).toEqual(ROWS)
  })
})
