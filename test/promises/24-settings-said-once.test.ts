import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { resolveConfig } from '../../lib/cli/options.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { parseJsonText } from '../../lib/files/parse-json.ts'
import { readJsonFile } from '../../lib/files/read-json-file.ts'
import { read } from '../stack/support.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (text: string): string => {
  const name = path.join(folder, 'my.json')
  writeFileSync(name, text)
  return name
}

const TWICE = '{\n  "guard": {\n    "maxLeverage": 2,\n    "maxLeverage": 10\n  }\n}'
const SLIPS: readonly [name: string, text: string, message: RegExp][] = [
  ['a key that stands twice', TWICE, /line 4: the key "guard\.maxLeverage" stands twice, in line 3 already/],
  ['a key that stands twice at the top', '{"id":"a",\n"id":"b"}', /line 2: the key "id" stands twice/],
  ['a key twice in an object of a list', '{"news":{"feeds":[{"name":"a","name":"b"}]}}', /"news\.feeds\[0\]\.name"/],
  ['a key twice in two spellings', '{"id":"a",\n"\\u0069d":"b"}', /line 2: the key "id" stands twice/],
  ['__proto__', '{\n"__proto__": {"mode":"live"}}', /line 2: the key "__proto__" is no setting; remove it/],
  ['constructor', '{"guard":\n{"constructor": 1}}', /line 2: the key "guard\.constructor" is no setting; remove it/],
  ['prototype, deep', '{"a":{"b":[{"prototype":1}]}}', /"a\.b\[0\]\.prototype"/],
  ['a comma too many', '{\n"id": "a",\n}', /line 3, column 1: .*correct the text there/],
  ['a comment that never ends', '{\n/* mine\n"id":"a"}', /is not JSON: line \d+/],
  ['a key twice with a comment between', '{"id":"a",\n// mine\n"id":"b"}', /line 3: the key "id" stands twice/],
  ['an empty file', ' \n', /the text is empty/],
  ['half a file', '{"guard": {', /is not JSON: line 1/],
  ['a raw line break in a text', '{"id": "a\nb"}', /line break or another control character/],
  ['a hundred thousand brackets', '['.repeat(100_000), /nested too deeply/],
]

describe('a slip in what a person wrote as JSON is an error that names it and its line', () => {
  it.each(SLIPS)('in a configuration file: %s', async (_name, text, message) => {
    const failed = resolveConfig({ config: file(text) })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.toThrow(/^--config \S+my\.json/)
  })

  it.each(SLIPS)('in HOURHAND_CONFIG: %s', async (_name, text, message) => {
    const failed = resolveConfig({}, { HOURHAND_CONFIG: text })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.toThrow(/^HOURHAND_CONFIG/)
  })

  it.each(SLIPS)('in the grid of a sweep: %s', (_name, text, message) => {
    expect(() => readJsonFile(file(text), '--grid')).toThrow(message)
  })

  it.each(SLIPS)('in the configuration of a deployment: %s', (_name, text, message) => {
    const reading = read({ config: file(text) })
    expect('refusals' in reading ? reading.refusals.join() : 'deployed').toMatch(message)
  })

  it('comments may stand in a configuration wherever white space may', async () => {
    const text =
      '// mine\n{ /* the money */ "paper": { "initialCash": /* a text */ "20000" }, // enough\n"id": "a//b" }'
    expect(parseJsonText(text, 'x')).toEqual({ paper: { initialCash: '20000' }, id: 'a//b' })
    const money = text.replace('a//b', 'mine')
    expect((await resolveConfig({ config: file(money) })).paper.initialCash).toBe('20000')
    expect((await resolveConfig({}, { HOURHAND_CONFIG: money })).paper.initialCash).toBe('20000')
    const reading = read({ config: file(money) })
    expect('refusals' in reading ? reading.refusals : reading.deployment.config.paper.initialCash).toBe('20000')
  })

  it('what is right is read as the platform reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        // The platform's parser says nothing of the slips that ours is for.
        if (/__proto__|constructor|prototype/.test(text)) return
        expect(parseJsonText(text, 'x')).toEqual(JSON.parse(text))
        expect(parseJsonText(JSON.stringify(JSON.parse(text), null, 2), 'x')).toEqual(JSON.parse(text))
      }),
      { seed: 24, numRuns: 1_000 },
    )
  })

  it('no message shows a value: one of them may be a credential', () => {
    for (const text of ['{"key": "sk-verysecret" "b"}', '{"a" "sk-verysecret"}', '{"k": sk-verysecret}'])
      expect(() => parseJsonText(text, 'x')).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('verysecret') }),
      )
  })
})
