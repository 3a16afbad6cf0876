import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { resolveConfig } from '../../lib/cli/options.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { readRecordings } from '../../lib/decision/read-recordings.ts'
import { openRecordingLog } from '../../lib/decision/recording-log.ts'
import { decodeText, isText } from '../../lib/files/decode-text.ts'
import { readJsonFile } from '../../lib/files/read-json-file.ts'
import { readHeadlines } from '../../lib/news/file-news-source.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-encodings-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const write = (bytes: Uint8Array | string): string => {
  const file = path.join(folder, String((files += 1)))
  writeFileSync(file, bytes)
  return file
}

/** A text in each encoding that a person's editor may have chosen. */
const ENCODINGS: readonly [name: string, encode: (text: string) => Buffer][] = [
  ['UTF-8', (text) => Buffer.from(text)],
  ['UTF-8 with a byte-order mark', (text) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16 LE with a byte-order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16 BE with a byte-order mark', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ['UTF-16 LE without a mark', (text) => Buffer.from(text, 'utf16le')],
  ['UTF-16 BE without a mark', (text) => Buffer.from(text, 'utf16le').swap16()],
]

describe('what people write is read in whichever encoding their editor chose', () => {
  it.each(ENCODINGS)('a configuration file in %s has the settings it says', async (_name, encode) => {
    const file = write(encode('{ "guard": { "maxLeverage": 2 }, "decider": { "kind": "openai", "model": "größer" } }'))
    const config = await resolveConfig({ config: file })
    expect(config.guard.maxLeverage).toBe(2)
    expect(config.decider).toMatchObject({ model: 'größer' })
  })

  it.each(ENCODINGS)('a grid of a sweep in %s has the values it says', (_name, encode) => {
    expect(readJsonFile(write(encode('{"decider.stopAtr": [1.5, 2]}')), '--grid')).toEqual({
      'decider.stopAtr': [1.5, 2],
    })
  })

  it.each(ENCODINGS)('a headline file in %s has its titles, accents among them', async (_name, encode) => {
    const line = JSON.stringify({ title: 'Zinsen früher höher', source: 'a', published_at: '2026-01-09T10:00:00Z' })
    const [headline] = await readHeadlines({ file: write(encode(`${line}\r\n${line}\r\n`)), maxTitleLength: 100 })
    expect(headline?.title).toBe('Zinsen früher höher')
  })

  it('a headline file in Windows-1252 has its accents too', async () => {
    const line = JSON.stringify({ title: 'Zinsen früher höher', source: 'a', published_at: '2026-01-09T10:00:00Z' })
    const [headline] = await readHeadlines({ file: write(Buffer.from(line, 'latin1')), maxTitleLength: 100 })
    expect(headline?.title).toBe('Zinsen früher höher')
  })

  it.each(ENCODINGS)('a file of recorded answers in %s is read', (_name, encode) => {
    const line = JSON.stringify({ promptHash: 'a'.repeat(64), raw: '{"action":"hold","rationale":"nichts für heute"}' })
    const { index, isTorn } = readRecordings(write(encode(`${line}\n`)))
    expect([...index.plain.values()].map(({ raw }) => raw)).toEqual([
      '{"action":"hold","rationale":"nichts für heute"}',
    ])
    expect(isTorn).toBe(false)
  })

  it('recordings in UTF-16 are not added to in UTF-8: nobody could read the file after that', async () => {
    const file = write(Buffer.from('\uFEFF{}\n', 'utf16le'))
    await expect(openRecordingLog(file)).rejects.toThrow(/UTF-16 LE: save it as UTF-8/)
  })

  it('any text comes back from every encoding unchanged', () => {
    const text = fc
      .string({ unit: fc.constantFrom(...'{}[]":,0123456789 abcäöü€\n'), minLength: 8, maxLength: 200 })
      .map((value) => `{"key": 1}${value}`)
    fc.assert(
      fc.property(text, fc.constantFrom(...ENCODINGS.slice(0, 4)), (value, [, encode]) => {
        expect(decodeText(encode(value)).text).toBe(value)
        expect(isText(value)).toBe(true)
      }),
      { seed: 16, numRuns: 500 },
    )
  })

  it('bytes that are no text are refused without showing any of them', () => {
    const bytes = Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7_919) % 256))
    const run = () => readJsonFile(write(bytes), '--config')
    expect(run).toThrow(UsageError)
    expect(run).toThrow(/^--config \S+: this is not text; give the path of a JSON file$/)
  })
})
