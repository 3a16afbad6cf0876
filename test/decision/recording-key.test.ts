import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { PROMPT_VERSION, promptHashOf } from '../../lib/decision/prompt.ts'
import {
  DECISION_SCHEMA_HASH,
  describeIdentity,
  identityOf,
  publicUrl,
  recordingKeyOf,
} from '../../lib/decision/recording-key.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { QUESTION } from './recording-fixture.ts'
import { anyCharacter } from '../support/any-character.ts'

/** Everything a key is made of. */
const shape = {
  provider: fc.constantFrom('openai' as const, 'anthropic' as const),
  model: fc.string({ minLength: 1, maxLength: 4 }),
  temperature: fc.option(fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0)),
  maxOutputTokens: fc.integer({ min: 64, max: 32_000 }),
  baseUrl: fc.option(fc.integer({ min: 1, max: 9_999 }).map((port) => `http://127.0.0.1:${port}/v1`)),
  version: fc.constantFrom(PROMPT_VERSION, 'custom'),
  system: fc.string({ unit: anyCharacter, maxLength: 6 }),
  user: fc.string({ unit: anyCharacter, maxLength: 6 }),
  schemaHash: fc.stringMatching(/^[0-9a-f]{64}$/),
  sample: fc.nat({ max: 9 }),
}
const question = fc.record(shape)
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never

const keyOf = ({
  provider,
  model,
  temperature,
  maxOutputTokens,
  baseUrl,
  version,
  system,
  user,
  schemaHash,
  sample,
}: Question): string =>
  recordingKeyOf({
    provider,
    model,
    parameters: { temperature, maxOutputTokens, baseUrl },
    promptHash: promptHashOf({ version, system, user }),
    schemaHash,
    sample,
  })

describe('recordingKeyOf', () => {
  test.each(Object.keys(shape) as (keyof typeof shape)[])('changes with %s', (member) => {
    fc.assert(
      fc.property(question, question, (one, other) => {
        const changed = { ...one, [member]: other[member] }
        expect(keyOf(changed) === keyOf(one)).toBe(canonicalJson(one[member]) === canonicalJson(other[member]))
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  test('two questions have one key only if they are one question', () => {
    fc.assert(
      fc.property(question, question, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(canonicalJson(one) === canonicalJson(other))
      }),
      { seed: 2, numRuns: 100 },
    )
  })

  test('text does not slip from one part of the prompt into the next', () => {
    expect(promptHashOf({ version: '1', system: 'ab', user: 'c' })).not.toBe(
      promptHashOf({ version: '1', system: 'a', user: 'bc' }),
    )
  })

  test('it is the same on every machine and in every version: a key once written is found', () => {
    expect(recordingKeyOf({ ...QUESTION, promptHash: '0'.repeat(64), schemaHash: '1'.repeat(64) })).toBe(
      '53aa8ab3ecd09475f4b21810a9d83c3a5df04853fe49ec810863e9a56efe86e2',
    )
    // Another hash here means that the answer's schema has changed: every recording has to be made again.
    expect(DECISION_SCHEMA_HASH).toBe('19687874ceb5eafe09e42374a6598ab966b6d185ad84b0c50fa2c9dc6455f5e8')
  })

  test('nothing else goes in: neither the order of members nor what a line says besides', () => {
    const { provider, ...rest } = QUESTION
    expect(recordingKeyOf({ ...rest, provider })).toBe(recordingKeyOf(QUESTION))
    expect(recordingKeyOf(Object.assign({ outcome: 'x', schemaVersion: 9 }, QUESTION))).toBe(recordingKeyOf(QUESTION))
  })
})

describe('identityOf', () => {
  const config = (changes: Record<string, unknown>) => {
    const parsed = DeciderConfig.parse({ kind: 'openai', model: 'm', ...changes })
    if (parsed.kind !== 'openai' && parsed.kind !== 'anthropic') throw new Error('a model decider expected')
    return parsed
  }

  test.each([
    { timeoutMs: 1_000 },
    { maxRetries: 0 },
    { price: { inputPerMillion: 1, outputPerMillion: 1 } },
    { knowledgeCutoff: '2026-01-31' },
    { systemPrompt: 'counted with the prompt' },
  ])('is the same with %j', (changes) => {
    expect(identityOf(config(changes))).toEqual(identityOf(config({})))
  })

  test.each([
    { kind: 'anthropic' },
    { model: 'n' },
    { temperature: 0 },
    { maxOutputTokens: 100 },
    { baseUrl: 'https://models.example/v1' },
  ])('differs with %j', (changes) => {
    expect(identityOf(config(changes))).not.toEqual(identityOf(config({})))
  })

  test('holds no secret of a base URL, and knows the server by any spelling', () => {
    const plain = identityOf(config({ baseUrl: 'https://models.example/v1' }))
    const dressed = identityOf(config({ baseUrl: 'https://user:p4ss@models.example:443/v1/?key=s3cret#frag' }))
    expect(dressed).toEqual(plain)
    expect(JSON.stringify(dressed)).not.toMatch(/user|p4ss|s3cret/)
    expect(publicUrl('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080')
  })

  test('is described in words', () => {
    expect(describeIdentity(identityOf(config({ temperature: 0, maxOutputTokens: 100, baseUrl: 'http://h/v1' })))).toBe(
      'openai m, temperature 0, at most 100 output tokens, at http://h/v1',
    )
    expect(describeIdentity(identityOf(config({})))).toBe('openai m, temperature default, at most 4000 output tokens')
  })
})
