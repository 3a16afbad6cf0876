import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashOf } from '../../lib/core/canonical-json.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { isTornLine, readRecordings, recordingLine } from '../../lib/decision/read-recordings.ts'
import { openRecordingLog } from '../../lib/decision/recording-log.ts'
import { Recording } from '../../schemas/recording.ts'
import { HELD, recordingOf } from './recording-fixture.ts'

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recording-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const newFile = () => path.join(folder, `answers-${count++}.jsonl`)
const [first, second, third] = ['first', 'second', 'third'].map((words) =>
  recordingOf({ promptHash: hashOf(words) }),
) as [Recording, Recording, Recording]
const other = { ...first, outcome: { ...HELD, model: 'somebody else' } }
const text = (...recordings: Recording[]) => recordings.map(recordingLine).join('')

/** Opens with no patience, and tells what it was told. */
async function open(file: string, onSleep: () => Promise<void> = async () => undefined) {
  const notices: string[] = []
  const log = await openRecordingLog(file, { onNotice: (message) => notices.push(message), sleep: onSleep })
  return { log, notices }
}

describe('recording log', () => {
  test('what is appended is found, in the file, after opening again, and the file is nothing but the lines', async () => {
    const file = newFile()
    const { log, notices } = await open(file)
    expect(log.find(first.key)).toBeUndefined()
    expect(await log.append(first)).toEqual(first)
    expect(log.find(first.key)).toEqual(first)
    await log.append(second)
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(first, second))
    const again = await open(file)
    expect([again.log.find(first.key), again.log.find(second.key), again.log.find(third.key)]).toEqual([
      first,
      second,
      undefined,
    ])
    expect([...notices, ...again.notices]).toEqual([])
    await again.log.close()
  })

  test('what stands under a key stays: a later answer is let go', async () => {
    const file = newFile()
    const { log } = await open(file)
    await log.append(first)
    expect(await log.append(other)).toEqual(first)
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(first))
  })

  test('two logs on one file: each finds what the other wrote, and neither writes it again', async () => {
    const file = newFile()
    const [{ log: one }, { log: two }] = [await open(file), await open(file)]
    await one.append(first)
    expect(two.find(first.key)).toBeUndefined()
    expect(await two.append(other)).toEqual(first)
    await two.append(second)
    await one.refresh()
    expect(one.find(second.key)).toEqual(second)
    await Promise.all([one, two].map((log) => log.close()))
    expect(await readFile(file, 'utf8')).toBe(text(first, second))
  })

  test('appends asked for at the same time go one after the other', async () => {
    const file = newFile()
    const { log } = await open(file)
    const recordings = Array.from({ length: 40 }, (_, at) => recordingOf({ sample: at }))
    await Promise.all([...recordings, ...recordings].map((recording) => log.append(recording)))
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(...recordings))
  })

  test('processes that record into one file at the same time lose nothing and mix nothing', async () => {
    const file = newFile()
    const script = path.join(import.meta.dirname, 'append-recordings.ts')
    await Promise.all(
      ['a', 'b'].map((name) => promisify(execFile)(process.execPath, ['--import', 'tsx', script, file, name, '30'])),
    )
    const { index, isTorn } = await readRecordings(file)
    expect(isTorn).toBe(false)
    expect(index.recordings).toHaveLength(2 * 30 + 1)
    for (const line of (await readFile(file, 'utf8')).trimEnd().split('\n')) Recording.parse(JSON.parse(line))
  })
})

describe('a line cut off', () => {
  const whole = text(first, second)
  const last = Buffer.byteLength(text(first))

  test('wherever it was cut: dropped, told, asked again; what stood before stays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: last + 1, max: Buffer.byteLength(whole) - 2 }),
        fc.nat({ max: 3 }),
        async (length, zeros) => {
          const file = newFile()
          await writeFile(file, whole)
          await truncate(file, length)
          await appendFile(file, '\0'.repeat(zeros))
          // Who only reads changes nothing, and sees what is whole.
          const read = await readRecordings(file)
          expect([read.isTorn, read.index.recordings]).toEqual([true, [first]])
          const { log, notices } = await open(file)
          expect(notices).toEqual([
            expect.stringMatching(/answers-\d+\.jsonl: its last line was cut off.*dropped.*asked again/),
          ])
          expect([log.find(first.key), log.find(second.key)]).toEqual([first, undefined])
          await log.append(second)
          await log.append(third)
          await log.close()
          expect(
            (await readFile(file, 'utf8'))
              .split('\n')
              .filter((line) => line !== '')
              .join('\n'),
          ).toBe(text(first, second, third).trimEnd())
          const again = await open(file)
          expect([again.notices, again.log.find(third.key)]).toEqual([[], third])
          await again.log.close()
          await rm(file)
        },
      ),
      { seed: 4, numRuns: 40 },
    )
  })

  test('only the line break is missing: the answer counts', async () => {
    const file = newFile()
    await writeFile(file, whole.trimEnd())
    const { log, notices } = await open(file)
    expect([log.find(second.key), notices]).toEqual([second, []])
    await log.append(third)
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(first, second, third))
  })

  test('a line that somebody is just writing is waited for, not dropped', async () => {
    const file = newFile()
    await writeFile(file, whole)
    await truncate(file, last + 50)
    const rest = Buffer.from(whole).subarray(last + 50)
    let looks = 0
    const { log, notices } = await open(file, async () => {
      looks++
      if (looks === 1) await appendFile(file, rest.subarray(0, 20))
      if (looks === 2) await appendFile(file, rest.subarray(20))
    })
    await log.append(third)
    expect([looks, notices, log.find(second.key)]).toEqual([2, [], second])
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(first, second, third))
  })

  test('another writer died while this one was at work: its line is dropped before the next', async () => {
    const file = newFile()
    const { log, notices } = await open(file)
    await log.append(first)
    await appendFile(file, recordingLine(second).slice(0, 90))
    await log.append(third)
    await log.close()
    expect(notices).toHaveLength(1)
    const { index, isTorn } = await readRecordings(file)
    expect([isTorn, index.recordings]).toEqual([false, [first, third]])
  })

  test('what is no beginning of ours is not taken for one', () => {
    for (const line of ['', 'not json', '{"promptHash":"a"', '{"schemaVersion":2,"key":"', recordingLine(first)])
      expect([line, isTornLine(line)]).toEqual([line, false])
    for (const line of ['{', '\0\0', '{"schemaVersion":1,"key":"ab', recordingLine(first).slice(0, -2)])
      expect([line, isTornLine(line)]).toEqual([line, true])
  })
})

describe('a file that cannot be recorded into is a usage error, and stays as it was', () => {
  test.each([
    ['notes of somebody', 'buy milk', /line 1: not JSON/],
    ['notes of several lines', 'buy milk\nsell eth\n', /line 1: not JSON/],
    ['plain lines', `${JSON.stringify({ promptHash: 'a', raw: 'x' })}\n`, /plain .*record into a file of its own/],
    [
      'a plain line without its line break',
      JSON.stringify({ promptHash: 'a', raw: 'x' }),
      /plain .*record into a file of its own/,
    ],
    ['garbage in the middle', `${text(first)}{"schemaVersion":1,"key":"\n${text(second)}`, /line 2: not JSON/],
    [
      'two answers under one key',
      text(first, second, other),
      /line 3: a second, different answer under the key \w{64} of line 1; keep one of them/,
    ],
    [
      'a line changed by hand',
      text(first).replace('"sample":0', '"sample":1'),
      /line 1: the key \w{64} is not that of the line's question.*record it again/,
    ],
    [
      'a line of a later version',
      text(first).replace('"schemaVersion":1', '"schemaVersion":2'),
      /line 1: expected a recording of schemaVersion 1: schemaVersion/,
    ],
    [
      'an outage as an answer',
      text(first).replace('"failure":null', '"failure":{"kind":"timeout","message":"m"}'),
      /line 1: .*outcome\.failure\.kind: not an answer of a model/,
    ],
    ['an unknown member', text(first).replace('"sample":0', '"sample":0,"apiKey":"k"'), /line 1: .*apiKey/],
  ])('%s', async (_name, before, message) => {
    const file = newFile()
    await writeFile(file, before)
    const failed = openRecordingLog(file, { sleep: async () => undefined })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.toThrow(file)
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  test('a folder that is not there, and a folder', async () => {
    await expect(openRecordingLog(path.join(folder, 'absent', 'x.jsonl'))).rejects.toThrow(
      /recordings .*absent.*ENOENT.*folder that is there/,
    )
    await expect(openRecordingLog(folder)).rejects.toThrow(UsageError)
  })

  test('what turns up while recording stops it for good', async () => {
    const file = newFile()
    const { log } = await open(file)
    await log.append(first)
    await appendFile(file, recordingLine(other))
    await expect(log.append(second)).rejects.toThrow(/line 2: a second, different answer/)
    await expect(log.refresh()).rejects.toThrow(/line 2: a second, different answer/)
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(text(first, other))
  })
})

test('the same answer twice in a file is one answer', async () => {
  const file = newFile()
  await writeFile(file, text(first, first))
  const { log } = await open(file)
  expect(log.find(first.key)).toEqual(first)
  await log.close()
})
