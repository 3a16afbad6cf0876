import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HttpReply } from '../../lib/decision/http-reply.ts'
import { judgeReply } from '../../lib/decision/judge-reply.ts'
import { readCompletionReply } from '../../lib/decision/read-completion.ts'
import { readMessageReply } from '../../lib/decision/read-message.ts'
import { leastTokens } from '../../lib/snapshot/estimate-tokens.ts'

const entry = JSON.stringify({
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
})
const prompt = { system: 'You are one step of a trader. '.repeat(40), user: 'bid 2004.5, ask 2005.5\n'.repeat(100) }
const least = leastTokens(prompt.system) + leastTokens(prompt.user)

const reply = (body: unknown, status = 200): HttpReply => ({
  status,
  headers: new Headers({ 'content-type': 'application/json' }),
  text: JSON.stringify(body),
})

type Fields = Record<string, unknown>

const askCompletion = (choice: Fields, more: Fields = {}) =>
  judgeReply(
    readCompletionReply(
      reply({
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: entry }, ...choice }],
        ...more,
      }),
    ),
    prompt,
  )
const askMessage = (fields: Fields) =>
  judgeReply(
    readMessageReply(
      reply({ type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: entry }], ...fields }),
    ),
    prompt,
  )

describe('an answer that is whole by its text counts only with a documented good ending', () => {
  test.each(['stop', 'STOP', 'eos', 'eos_token', 'stop_sequence', 'end_turn'])('finish_reason %s is one', (reason) => {
    expect(askCompletion({ finish_reason: reason })).toMatchObject({ kind: 'decided', notes: [] })
  })

  test.each(['end_turn', 'stop_sequence'])('stop_reason %s is one', (reason) => {
    expect(askMessage({ stop_reason: reason })).toMatchObject({ kind: 'decided', notes: [] })
  })

  test.each([null, undefined, '', ' '])(
    'where the server says nothing (%j) an entry is asked again, and a close is taken',
    (reason) => {
      const failure = { kind: 'incomplete', message: expect.stringContaining('does not say how the answer ended') }
      expect(askCompletion({ finish_reason: reason })).toMatchObject({ kind: 'retry', failure })
      expect(askMessage({ stop_reason: reason })).toMatchObject({ kind: 'retry', failure })
      const close = '{"action":"close","rationale":"Done."}'
      const notes = ['the server does not say how the answer ended']
      expect(askCompletion({ finish_reason: reason, message: { role: 'assistant', content: close } })).toMatchObject({
        kind: 'decided',
        decision: { action: 'close' },
        notes,
      })
      expect(askMessage({ stop_reason: reason, content: close })).toMatchObject({ kind: 'decided', notes })
    },
  )

  test.each([
    ['length', 'repair', 'truncated'],
    ['max_tokens', 'repair', 'truncated'],
    ['content_filter', 'final', 'refusal'],
    ['tool_calls', 'repair', 'empty'],
    ['function_call', 'repair', 'empty'],
    ['error', 'retry', 'incomplete'],
    ['abort', 'retry', 'incomplete'],
    ['network_error', 'retry', 'incomplete'],
    ['pause_turn', 'retry', 'incomplete'],
    ['insufficient_system_resource', 'retry', 'incomplete'],
    ['never heard of', 'retry', 'incomplete'],
  ])('finish_reason %s never trades: %s as %s', (reason, kind, failure) => {
    expect(askCompletion({ finish_reason: reason })).toMatchObject({ kind, failure: { kind: failure } })
  })

  test.each([
    ['pause_turn', 'retry', 'incomplete'],
    ['max_tokens', 'repair', 'truncated'],
    ['model_context_window_exceeded', 'repair', 'truncated'],
    ['refusal', 'final', 'refusal'],
    ['tool_use', 'repair', 'empty'],
    ['something new', 'retry', 'incomplete'],
  ])('stop_reason %s never trades: %s as %s', (reason, kind, failure) => {
    expect(askMessage({ stop_reason: reason })).toMatchObject({ kind, failure: { kind: failure } })
  })

  test('no ending but the good ones ever trades, whatever it is called', () => {
    const good = ['stop', 'eos', 'eos_token', 'stop_sequence', 'end_turn', '']
    fc.assert(
      fc.property(fc.string(), (reason) => {
        fc.pre(!good.includes(reason.trim().toLowerCase()))
        expect(askCompletion({ finish_reason: reason }).kind).not.toBe('decided')
        if (!good.includes(reason)) expect(askMessage({ stop_reason: reason }).kind).not.toBe('decided')
      }),
      { seed: 41, numRuns: 300 },
    )
  })

  test('a refusal beside a whole object, and a tool that was called, never trade', () => {
    const message = { role: 'assistant', content: entry }
    expect(askCompletion({ finish_reason: 'stop', message: { ...message, refusal: 'I must not' } })).toMatchObject({
      kind: 'final',
      failure: { kind: 'refusal', message: 'the model refused: I must not' },
    })
    expect(askCompletion({ finish_reason: 'stop', message: { ...message, tool_calls: [{}] } }).kind).toBe('repair')
    expect(askCompletion({ finish_reason: '', message: { ...message, tool_calls: [{}] } }).kind).toBe('repair')
  })
})

describe('an error beside the answer never trades, and keeps the words of the server behind', () => {
  const words = 'Upstream idle timeout exceeded'
  test.each<[string, Fields, Fields, string, string]>([
    ['in the choice', { finish_reason: 'error', error: { code: 502, message: words } }, {}, 'retry', 'server_error'],
    ['in the choice, ending well', { finish_reason: 'stop', error: { message: words } }, {}, 'retry', 'server_error'],
    ['beside the choices', { finish_reason: 'stop' }, { error: { message: words } }, 'retry', 'server_error'],
    ['as a text', { finish_reason: 'stop' }, { error: words }, 'retry', 'server_error'],
    ['as a limit', { finish_reason: 'stop' }, { error: { code: 429, message: words } }, 'retry', 'rate_limited'],
    ['as a spent account', { finish_reason: 'stop' }, { error: { code: 402, message: words } }, 'final', 'budget'],
    [
      'as a refused key',
      { finish_reason: 'stop' },
      { error: { code: '401', message: words } },
      'final',
      'unauthorized',
    ],
  ])('%s', (_name, choice, more, kind, failure) => {
    expect(askCompletion(choice, more)).toMatchObject({
      kind,
      failure: { kind: failure, message: expect.stringContaining(words) },
    })
  })

  test('in the body alone', () => {
    const body = { error: { code: 502, metadata: { raw: words } }, user_id: 'x' }
    for (const read of [readCompletionReply, readMessageReply])
      expect(judgeReply(read(reply(body)), prompt)).toMatchObject({
        kind: 'retry',
        failure: { kind: 'server_error', message: expect.stringContaining(words) },
      })
  })
})

describe('an answer to a question that the server cut short never trades', () => {
  const counted = (usage: Fields | null) => askCompletion({ finish_reason: 'stop' }, { usage })
  const cut = {
    kind: 'retry',
    failure: { kind: 'prompt_cut', message: expect.stringMatching(/cut the question short/) },
  }
  const half = Math.ceil(least / 2)

  test('it shows in fewer than half the tokens that the question can count to', () => {
    expect(counted({ prompt_tokens: half - 1, completion_tokens: 5 })).toMatchObject(cut)
    expect(counted({ prompt_tokens: half, completion_tokens: 5 })).toMatchObject({ kind: 'decided' })
    expect(askMessage({ stop_reason: 'end_turn', usage: { input_tokens: half - 1, output_tokens: 5 } })).toMatchObject(
      cut,
    )
  })

  test.each([
    null,
    {},
    { prompt_tokens: 0, completion_tokens: 5 },
    { prompt_tokens: null, completion_tokens: null },
    { prompt_tokens: 'many' },
    { prompt_tokens: -1 },
  ])('usage %j says nothing', (usage) => {
    expect(counted(usage)).toMatchObject({ kind: 'decided' })
  })

  test('tokens read from a cache and written to one are part of the question', () => {
    const usage = { input_tokens: 3, output_tokens: 5, cache_read_input_tokens: half, cache_creation_input_tokens: 0 }
    expect(askMessage({ stop_reason: 'end_turn', usage })).toMatchObject({ kind: 'decided' })
    const written = { ...usage, cache_read_input_tokens: 0, cache_creation_input_tokens: half }
    expect(askMessage({ stop_reason: 'end_turn', usage: written })).toMatchObject({ kind: 'decided' })
    expect(counted({ prompt_tokens: 3, cache_read_input_tokens: half })).toMatchObject({ kind: 'decided' })
    expect(counted({ prompt_tokens: 3, prompt_tokens_details: { cached_tokens: half } })).toMatchObject({
      kind: 'decided',
    })
    // By OpenAI's count the cached ones are among the others.
    expect(counted({ prompt_tokens: half - 1, prompt_tokens_details: { cached_tokens: half - 2 } })).toMatchObject(cut)
  })
})

test('what is refused by the server’s own check of the JSON is repaired, not traded', () => {
  const error = { message: 'Failed to generate JSON.', code: 'json_validate_failed', failed_generation: entry }
  expect(judgeReply(readCompletionReply(reply({ error }, 400)), prompt)).toMatchObject({
    kind: 'repair',
    failure: { kind: 'bad_json', message: expect.stringContaining('Failed to generate JSON.') },
    answer: entry,
  })
})
