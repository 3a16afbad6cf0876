import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDecider } from '../../lib/decision/create-decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { DecisionOutcome } from '../../schemas/decision.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { readRecordings, recordingLine } from '../../lib/decision/read-recordings.ts'
import { recordingKeyOf } from '../../lib/decision/recording-key.ts'
import type { RecordedQuestion } from '../../schemas/recording.ts'
import { HELD, QUESTION, recordingOf } from './recording-fixture.ts'
import { trendingSnapshot } from './snapshot-fixture.ts'

const prompt = buildPrompt(trendingSnapshot)
const request = { snapshot: trendingSnapshot, prompt }
const raw = '```json\n{"action":"hold","rationale":"No edge."}\n```'
const line = (value: object) => JSON.stringify(value)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recorded-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const createFromFile = (file: string, selectors: Record<string, unknown> = {}) =>
  createDecider({ config: DeciderConfig.parse({ kind: 'recorded', file, ...selectors }), clock: () => 0 })

async function createFrom(text: string, selectors: Record<string, unknown> = {}) {
  const file = path.join(folder, 'answers.jsonl')
  await writeFile(file, text)
  return createFromFile(file, selectors)
}

describe('recorded decider', () => {
  test('plain lines: replays the answer to the same prompt, through the same parser', async () => {
    const decider = await createFrom(
      `\uFEFF${line({ promptHash: prompt.hash, raw, model: 'gpt-x', at: 'whenever' })}\r\n\n`,
    )
    const outcome = DecisionOutcome.parse(await decider.decide(request))
    expect(outcome).toEqual({
      decision: { action: 'hold', rationale: 'No edge.' },
      decider: 'recorded',
      model: 'gpt-x',
      failure: null,
      attempts: [{ raw, problem: null, note: null }],
      // Such a line does not say what its answer cost.
      usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
    })
    expect(decider.asksModel).toBe(true)
  })

  test("an unreadable answer is a hold with the parser's reason", async () => {
    const decider = await createFrom(line({ promptHash: prompt.hash, raw: '{"action":' }))
    expect(DecisionOutcome.parse(await decider.decide(request))).toMatchObject({
      decision: { action: 'hold' },
      failure: { kind: 'truncated' },
      attempts: [{ raw: '{"action":' }],
    })
  })

  test('a miss names the hash', async () => {
    const decider = await createFrom(line({ promptHash: 'other', raw }))
    const outcome = DecisionOutcome.parse(await decider.decide(request))
    expect(outcome).toMatchObject({
      decision: { action: 'hold' },
      failure: { kind: 'missing_recording', message: expect.stringContaining(prompt.hash) },
    })
  })

  test('the same answer twice is one answer', async () => {
    const one = line({ promptHash: prompt.hash, raw })
    await expect(createFrom(`${one}\n${one}`)).resolves.toBeDefined()
  })

  test.each([
    {
      name: 'no JSON',
      text: `${line({ promptHash: 'a', raw })}\nnot json`,
      message: /answers\.jsonl, line 2: not JSON/,
    },
    { name: 'no hash', text: line({ raw }), message: /line 1: expected .*promptHash/ },
    {
      name: 'a raw that is no text',
      text: line({ promptHash: 'a', raw: { action: 'hold' } }),
      message: /line 1: expected .*raw/,
    },
    { name: 'a bare value', text: '7', message: /line 1: expected/ },
    {
      name: 'two answers to one prompt',
      text: `${line({ promptHash: 'a', raw })}\n\n${line({ promptHash: 'a', raw: 'x' })}`,
      message: /line 3: a second, different answer to prompt a/,
    },
  ])('$name is a usage error with file and line', async ({ text, message }) => {
    const failed = createFrom(text)
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
  })

  test('a file that is not there is a usage error', async () => {
    const failed = createFromFile(path.join(folder, 'absent.jsonl'))
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(/decider\.file .*absent\.jsonl.*there is no such file/)
  })
})

describe('recordings', () => {
  const mine = { promptHash: prompt.hash }
  const says = (rationale: string): DecisionOutcome => ({ ...HELD, decision: { action: 'hold', rationale } })
  const lineOf = (changes: Partial<RecordedQuestion>, outcome: DecisionOutcome = HELD) =>
    recordingLine(recordingOf({ ...mine, ...changes }, outcome))
  const withParameters = (changes: Partial<RecordedQuestion['parameters']>) => ({
    parameters: { ...QUESTION.parameters, ...changes },
  })
  const messageOf = async (text: string, selectors: Record<string, unknown> = {}): Promise<string> =>
    (await (await createFrom(text, selectors)).decide(request)).failure?.message ?? 'no failure'

  test('the outcome is the recorded one, whatever it cost; only the decider is another', async () => {
    const refused: DecisionOutcome = {
      ...HELD,
      decision: { action: 'hold', rationale: 'No decision (refusal): no' },
      failure: { kind: 'refusal', message: 'no' },
      attempts: [{ raw: null, problem: 'no', note: null }],
    }
    for (const outcome of [HELD, refused])
      expect(await (await createFrom(lineOf({}, outcome))).decide(request)).toEqual({ ...outcome, decider: 'recorded' })
  })

  test('a miss names key, prompt, identity, sample and file, and is a hold', async () => {
    const decider = await createFrom(lineOf({ promptHash: '0'.repeat(64) }))
    const outcome = DecisionOutcome.parse(await decider.decide(request))
    expect(outcome).toMatchObject({
      decision: { action: 'hold' },
      decider: 'recorded',
      model: null,
      failure: { kind: 'missing_recording' },
      attempts: [],
      usage: { costUsd: 0 },
    })
    for (const part of [
      'answers.jsonl',
      prompt.hash,
      recordingKeyOf({ ...QUESTION, ...mine }),
      'openai configured, temperature default, at most 4000 output tokens',
      'sample 0',
    ])
      expect(outcome.failure?.message).toContain(part)
    expect(outcome.failure?.message).not.toMatch(/cut off|schema|there are/)
  })

  test('an answer to another decision schema is a miss that says so', async () => {
    expect(await messageOf(lineOf({ schemaHash: 'a'.repeat(64) }))).toMatch(
      /no recorded answer .*; it was recorded with another decision schema \(a{12}, now \w{12}\): record it again$/,
    )
  })

  test('a miss beside a last line that was cut off says so', async () => {
    const file = path.join(folder, 'torn.jsonl')
    await writeFile(file, `${lineOf({ promptHash: '0'.repeat(64) })}${lineOf({}).slice(0, 200)}`)
    expect((await readRecordings(file)).isTorn).toBe(true)
    expect((await (await createFromFile(file)).decide(request)).failure?.message).toMatch(
      /the last line of the file is cut off and was left out$/,
    )
  })

  const several: [string, Partial<RecordedQuestion>, Record<string, unknown>][] = [
    ['provider', { provider: 'anthropic' }, { provider: 'anthropic' }],
    ['model', { model: 'another' }, { model: 'another' }],
    ['temperature', withParameters({ temperature: 0.2 }), { temperature: 0.2 }],
    ['maxOutputTokens', withParameters({ maxOutputTokens: 500 }), { maxOutputTokens: 500 }],
    ['baseUrl', withParameters({ baseUrl: 'http://h/v1' }), { baseUrl: 'http://user:p@h/v1/' }],
  ]
  const defaults = {
    provider: 'openai',
    model: 'configured',
    temperature: 'default',
    maxOutputTokens: 4_000,
    baseUrl: 'default',
  }

  test.each(several)('answers that differ in %s: whose are meant has to be said', async (name, changes, selectors) => {
    const text = lineOf({}, says('one')) + lineOf(changes, says('other'))
    const failed = createFrom(text)
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(
      /decider\.file .*answers\.jsonl holds answers of 2 models or settings\. Choose by decider\.provider, model, temperature, maxOutputTokens, baseUrl: \{.*\}; \{.*\}\./,
    )
    expect(await (await createFrom(text, selectors)).decide(request)).toMatchObject({
      decision: { rationale: 'other' },
    })
    expect(
      await (await createFrom(text, { [name]: defaults[name as keyof typeof defaults] })).decide(request),
    ).toMatchObject({ decision: { rationale: 'one' } })
    // What the message lists can be taken as it is.
    const listed = await failed.then(
      () => '',
      (error: Error) => error.message,
    )
    const choices = listed
      .slice(listed.indexOf('{'), listed.lastIndexOf('}') + 1)
      .split('; ')
      .map((choice) => JSON.parse(choice) as Record<string, unknown>)
    const said = []
    for (const choice of choices) said.push((await (await createFrom(text, choice)).decide(request)).decision.rationale)
    expect(said).toEqual(['one', 'other'])
  })

  test.each([
    [
      'a model that is not there',
      lineOf({}),
      { model: 'another' },
      /holds no answers of the provider, model and settings named in decider\. .*"model":"configured"/,
    ],
    [
      'plain lines beside recordings',
      `${line({ promptHash: 'a', raw })}\n${lineOf({})}`,
      {},
      /holds answers of two kinds.*1 plain .*keep them in a file of their own/,
    ],
    [
      'plain lines of whom, nobody can say',
      line({ promptHash: 'a', raw }),
      { provider: 'openai' },
      /holds no answers of the provider.*there are none.*1 plain/,
    ],
    [
      'many',
      Array.from({ length: 11 }, (_, at) => lineOf({ model: `m${at}` })).join(''),
      {},
      /holds answers of 11 models .*"m7".*; and 3 more\.$/,
    ],
  ])('%s is a usage error', async (_name, text, selectors, message) => {
    const failed = createFrom(text, selectors)
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
  })

  test('said whose, the recordings of a mixed file answer', async () => {
    expect(
      await (
        await createFrom(`${line({ promptHash: prompt.hash, raw })}\n${lineOf({}, says('one'))}`, {
          provider: 'openai',
        })
      ).decide(request),
    ).toMatchObject({ decision: { rationale: 'one' } })
  })

  test('an empty file answers nothing', async () => {
    for (const selectors of [{}, { model: 'm' }])
      expect(await messageOf('', selectors)).toMatch(
        /no recorded answer in .*answers\.jsonl to prompt \w{64}: the file holds none$/,
      )
  })

  test.each([
    [
      'another answer',
      () => lineOf({}, says('one')) + lineOf({}, says('other')),
      /line 2: a second, different answer under the key \w{64} of line 1/,
    ],
    [
      'another cost',
      () => lineOf({}) + lineOf({}, { ...HELD, usage: { ...HELD.usage, costUsd: 1 } }),
      /line 2: a second, different answer/,
    ],
    [
      'a key of another question',
      () => lineOf({}).replace('"model":"configured"', '"model":"other"'),
      /line 1: the key \w{64} is not that of the line's question/,
    ],
  ])('%s under a key is a usage error with file and line', async (_name, text, message) => {
    await expect(createFrom(text())).rejects.toThrow(message)
  })
})

test('settings of a recorded decider: what is left out asks for the only one, sample 0, the built-in prompt', () => {
  expect(DeciderConfig.parse({ kind: 'recorded', file: 'f' })).toEqual({
    kind: 'recorded',
    file: 'f',
    provider: null,
    model: null,
    temperature: null,
    maxOutputTokens: null,
    baseUrl: null,
    sample: 0,
    systemPrompt: null,
    knowledgeCutoff: null,
  })
  for (const wrong of [
    { provider: 'rules' },
    { temperature: 'cold' },
    { baseUrl: 'nowhere' },
    { sample: -1 },
    { knowledgeCutoff: '2026-13-01' },
    { systemPrompt: '  ' },
  ])
    expect(DeciderConfig.safeParse({ kind: 'recorded', file: 'f', ...wrong }).success).toBe(false)
})
