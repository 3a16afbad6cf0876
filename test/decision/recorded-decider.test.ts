import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDecider } from '../../lib/decision/create-decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { DecisionOutcome } from '../../schemas/decision.ts'
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

async function createFrom(text: string) {
  const file = path.join(folder, 'answers.jsonl')
  await writeFile(file, text)
  return createDecider({ config: { kind: 'recorded', file }, clock: () => 0 })
}

describe('recorded decider', () => {
  test('replays the answer to the same prompt, through the same parser', async () => {
    const decider = await createFrom(`\uFEFF${line({ promptHash: prompt.hash, raw, model: 'gpt-x', at: 'whenever' })}\r\n\n`)
    const outcome = DecisionOutcome.parse(await decider.decide(request))
    expect(outcome).toEqual({
      decision: { action: 'hold', rationale: 'No edge.' },
      decider: 'recorded',
      model: 'gpt-x',
      failure: null,
      attempts: [{ raw, problem: null }],
      usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    })
    expect(decider.asksModel).toBe(true)
  })

  test('an unreadable answer is a hold with the parser\'s reason', async () => {
    const decider = await createFrom(line({ promptHash: prompt.hash, raw: '{"action":' }))
    expect(DecisionOutcome.parse(await decider.decide(request))).toMatchObject({ decision: { action: 'hold' }, failure: { kind: 'truncated' }, attempts: [{ raw: '{"action":' }] })
  })

  test('a miss names the hash', async () => {
    const decider = await createFrom(line({ promptHash: 'other', raw }))
    const outcome = DecisionOutcome.parse(await decider.decide(request))
    expect(outcome).toMatchObject({ decision: { action: 'hold' }, failure: { kind: 'missing_recording', message: expect.stringContaining(prompt.hash) } })
  })

  test('the same answer twice is one answer', async () => {
    const one = line({ promptHash: prompt.hash, raw })
    await expect(createFrom(`${one}\n${one}`)).resolves.toBeDefined()
  })

  test.each([
    { name: 'no JSON', text: `${line({ promptHash: 'a', raw })}\nnot json`, message: /answers\.jsonl, line 2: not JSON/ },
    { name: 'no hash', text: line({ raw }), message: /line 1: expected .*promptHash/ },
    { name: 'a raw that is no text', text: line({ promptHash: 'a', raw: { action: 'hold' } }), message: /line 1: expected .*raw/ },
    { name: 'a bare value', text: '7', message: /line 1: expected/ },
    { name: 'two answers to one prompt', text: `${line({ promptHash: 'a', raw })}\n\n${line({ promptHash: 'a', raw: 'x' })}`, message: /line 3: a second, different answer to prompt a/ },
  ])('$name is a usage error with file and line', async ({ text, message }) => {
    const failed = createFrom(text)
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(message)
  })

  test('a file that is not there is a usage error', async () => {
    const failed = createDecider({ config: { kind: 'recorded', file: path.join(folder, 'absent.jsonl') }, clock: () => 0 })
    await expect(failed).rejects.toThrow(UsageError)
    await expect(failed).rejects.toThrow(/decider\.file .*absent\.jsonl.*ENOENT/)
  })
})
