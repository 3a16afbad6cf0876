import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  isUnfinished,
  type Journal,
  openJournal,
  readSlotLines,
  readStories,
  readTrades,
} from '../../lib/replay/journal.ts'
import type { ReplayStep } from '../../lib/replay/run-replay.ts'
import { storyOf } from '../../lib/replay/story.ts'
import { historyOf, replay, settings } from './support.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-journal-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let count = 0
const newDirectory = (): string => path.join(scratch, `run-${count++}`)

const market = historyOf({ seed: 61, days: 3 })
const config = settings()
const FILES = ['slots.jsonl', 'trades.jsonl', 'stories.jsonl'] as const
const bytesOf = (directory: string): string[] => FILES.map((name) => readFileSync(path.join(directory, name), 'utf8'))
const open = (directory: string, key = 'key'): Journal => openJournal({ directory, key, stories: 'acted', every: 7 })

/** Walks until `stopAfter` slots have been written, then leaves everything lying as a killed process would. */
async function walk(directory: string, stopAfter = Number.POSITIVE_INFINITY): Promise<void> {
  const journal = open(directory)
  let done = 0
  try {
    await replay(market, config, {
      resumeAt: journal.resumed?.at ?? null,
      onSlot: (step) => {
        journal.write(step)
        if (++done === stopAfter) throw new Error('killed')
      },
    })
    journal.finish()
  } catch (error) {
    if ((error as Error).message !== 'killed') throw error
  } finally {
    journal.close()
  }
}

describe('a journal', () => {
  it('of a run that was killed again and again, also in the middle of a line, ends in the bytes of one that was not', async () => {
    const whole = newDirectory()
    await walk(whole)
    expect(readTrades(whole).length).toBeGreaterThan(2)
    expect(readStories(whole).length).toBeGreaterThan(readTrades(whole).length)
    expect(readSlotLines(whole)).toHaveLength(96)
    for (const steps of [[1], [6, 1, 30], [7, 7, 7], [50, 3]]) {
      const broken = newDirectory()
      for (const step of steps) {
        await walk(broken, step)
        // What was on its way to the disk and got there in part.
        for (const name of FILES) writeFileSync(path.join(broken, name), '{"slot":"20', { flag: 'a' })
      }
      await walk(broken)
      expect(bytesOf(broken), `killed after ${steps.join(', ')}`).toEqual(bytesOf(whole))
    }
  })

  it('of another run is begun anew', async () => {
    const directory = newDirectory()
    await walk(directory, 20)
    expect(open(directory, 'another').resumed).toBeNull()
    await walk(directory, 20)
    const journal = open(directory)
    expect(journal.resumed?.lines).toHaveLength(14)
    journal.close()
  })

  it('that lost part of a file begins anew', async () => {
    const directory = newDirectory()
    await walk(directory, 60)
    truncateSync(path.join(directory, 'slots.jsonl'), 100)
    const journal = open(directory)
    expect(journal.resumed).toBeNull()
    journal.close()
  })

  it('that is finished leaves nothing to go on with, and says what is wrong with what is no journal', async () => {
    const directory = newDirectory()
    await walk(directory)
    const journal = open(directory)
    expect(journal.resumed).toBeNull()
    journal.close()
    writeFileSync(path.join(directory, 'slots.jsonl'), '{"slot":1}\n')
    expect(() => readSlotLines(directory)).toThrow(/slots\.jsonl, line 1/)
    expect(() => readSlotLines(newDirectory())).toThrow(/replay --out/)
    expect(() => open(path.join(directory, 'slots.jsonl', 'below'))).toThrow(/--out/)
  })
})

describe('whatever a killed process leaves behind', () => {
  /** The steps of one whole walk, each with where it stood then: writing them again is what a replay would write. */
  const steps: ReplayStep[] = []
  let whole: string[] = []
  const EVERY = 15
  const begin = (directory: string, stories: 'acted' | 'all' = 'all'): Journal =>
    openJournal({ directory, key: 'key', stories, every: EVERY })

  beforeAll(async () => {
    await replay(market, config, {
      onSlot: (step) => {
        const at = step.checkpoint()
        // A reason with more bytes than characters: lengths are of bytes.
        const record = step.record === null ? null : { ...step.record, reason: '\u00e9\u2014\u{1f600}' }
        steps.push({ ...step, record, checkpoint: () => at })
      },
    })
    // One line a fact, in UTF-8.
    const linesOf = (facts: readonly unknown[]): string => facts.map((fact) => `${JSON.stringify(fact)}\n`).join('')
    whole = [
      linesOf(steps.map(({ line }) => line)),
      linesOf(steps.flatMap(({ trades }) => trades)),
      linesOf(steps.flatMap(({ record }) => (record === null ? [] : [storyOf(record)]))),
    ]
    const directory = newDirectory()
    write(begin(directory), 0)
    expect(bytesOf(directory)).toEqual(whole)
  })

  /** Goes on from where the journal says, up to `until` steps in all; finishes when that is all of them. */
  function write(journal: Journal, from: number, until = steps.length): void {
    for (const step of steps.slice(from, until)) journal.write(step)
    if (until === steps.length) journal.finish()
    else journal.close()
  }
  const placeOf = ({ resumed }: Journal): number => {
    if (resumed === null) return 0
    const index = steps.findIndex(({ checkpoint }) => checkpoint().nextSlot === resumed.at.nextSlot)
    expect(resumed.lines).toEqual(steps.slice(0, index + 1).map(({ line }) => line))
    expect(resumed.trades).toEqual(steps.slice(0, index + 1).flatMap(({ trades }) => trades))
    return index + 1
  }
  const damages = fc.constantFrom<(directory: string, size: number) => void>(
    () => {},
    (directory, size) =>
      FILES.forEach((name, index) =>
        appendFileSync(path.join(directory, name), whole[index]?.slice(100, 100 + size) ?? ''),
      ),
    (directory, size) => FILES.forEach((name) => appendFileSync(path.join(directory, name), Buffer.alloc(size, 0xc3))),
    // Only one of them had been written when it ended, and the others had not.
    (directory, size) => appendFileSync(path.join(directory, FILES[size % 3] ?? 'slots.jsonl'), '{"slot":"20'),
    // The next checkpoint was on its way.
    (directory) => writeFileSync(path.join(directory, 'checkpoint.json.draft'), '{"key":"key","checkp'),
    // The checkpoint is ahead of a file: its end never got to the disk.
    (directory, size) => shorten(path.join(directory, FILES[size % 3] ?? 'slots.jsonl'), 1 + size),
    (directory) => rmSync(path.join(directory, 'trades.jsonl')),
    (directory) => rmSync(path.join(directory, 'checkpoint.json'), { force: true }),
    (directory, size) =>
      existsSync(path.join(directory, 'checkpoint.json')) && shorten(path.join(directory, 'checkpoint.json'), 1 + size),
    (directory) => writeFileSync(path.join(directory, 'checkpoint.json'), 'null'),
  )
  const shorten = (file: string, bytes: number): void => truncateSync(file, Math.max(0, statSync(file).size - bytes))

  it('the run that goes on ends in the bytes of one that was not killed, and is told no more than it can build on', () => {
    const seen = { resumed: 0, anew: 0 }
    fc.assert(
      fc.property(
        fc.array(fc.record({ steps: fc.nat({ max: 40 }), damage: damages, size: fc.nat({ max: 300 }) }), {
          maxLength: 3,
        }),
        (kills) => {
          const directory = newDirectory()
          for (const { steps: count, damage, size } of kills) {
            const journal = begin(directory)
            const from = placeOf(journal)
            write(journal, from, Math.min(steps.length - 1, from + count))
            damage(directory, size)
          }
          const last = begin(directory)
          const from = placeOf(last)
          if (kills.length > 0) seen[from > 0 ? 'resumed' : 'anew'] += 1
          // What is not built on is gone before anything new is written.
          expect(readSlotLines(directory)).toHaveLength(from)
          write(last, from)
          expect(bytesOf(directory)).toEqual(whole)
          expect(isUnfinished(directory)).toBe(false)
        },
      ),
      { seed: 61, numRuns: 30 },
    )
    expect(Math.min(seen.resumed, seen.anew)).toBeGreaterThan(4)
  })

  it.each(FILES)('a checkpoint ahead of %s by one byte is not gone on from, one that stands at its end is', (name) => {
    const directory = newDirectory()
    write(begin(directory), 0, 90)
    const file = path.join(directory, name)
    const journal = begin(directory)
    expect(placeOf(journal)).toBe(90)
    journal.close()
    expect(isUnfinished(directory)).toBe(true)
    shorten(file, 1)
    const anew = begin(directory)
    expect(placeOf(anew)).toBe(0)
    expect(bytesOf(directory)).toEqual(['', '', ''])
    expect(isUnfinished(directory)).toBe(false)
    anew.close()
  })

  it('killed between the last line and the end, with the checkpoint still there, it goes on and ends the same', () => {
    const directory = newDirectory()
    write(begin(directory), 0, 93)
    FILES.forEach((name, index) => writeFileSync(path.join(directory, name), whole[index] ?? ''))
    const journal = begin(directory)
    expect(placeOf(journal)).toBe(90)
    write(journal, 90)
    expect(bytesOf(directory)).toEqual(whole)
  })

  it('what was written since the last checkpoint is not on the disk before the next; closing twice, or after the end, harms nothing', () => {
    const directory = newDirectory()
    const journal = begin(directory)
    for (const step of steps.slice(0, EVERY - 1)) journal.write(step)
    expect([bytesOf(directory), isUnfinished(directory)]).toEqual([['', '', ''], false])
    for (const step of steps.slice(EVERY - 1)) journal.write(step)
    journal.finish()
    journal.close()
    journal.close()
    expect(bytesOf(directory)).toEqual(whole)
  })

  it('a reader of a torn file is told the line and what to do', () => {
    const directory = newDirectory()
    write(begin(directory), 0)
    shorten(path.join(directory, 'slots.jsonl'), 10)
    expect(() => readSlotLines(directory)).toThrow(
      new RegExp(`slots\\.jsonl, line ${steps.length} is not what a replay writes.*hourhand replay --out`, 's'),
    )
  })
})
