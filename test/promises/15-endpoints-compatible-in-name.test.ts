import { afterEach, describe, expect, test } from 'vitest'
import { createDecider } from '../../lib/decision/create-decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { DecisionOutcome } from '../../schemas/decision.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { trendingSnapshot } from '../decision/snapshot-fixture.ts'
import {
  type Behaviour,
  type Received,
  type ScriptedServer,
  sendJson,
  sendText,
  startScriptedServer,
} from '../support/scripted-server.ts'

const KEY = 'sk-test-0123456789abcdef'
const ENTRY = {
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
}
const entry = JSON.stringify(ENTRY)
const completion = (content: unknown, more: Record<string, unknown> = {}) => ({
  model: 'm-1',
  choices: [{ index: 0, message: { role: 'assistant', content, ...more }, finish_reason: 'stop' }],
})
const good = sendJson(200, completion(entry))

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function ask(script: readonly Behaviour[], { path = '/v1', ...changes }: Record<string, unknown> = {}) {
  server = await startScriptedServer(script)
  const config = DeciderConfig.parse({
    kind: 'openai',
    model: 'm',
    baseUrl: `${server.url}${String(path)}`,
    ...changes,
  })
  const slept: number[] = []
  const make = () => createDecider({ config, apiKey: KEY, clock: Date.now, sleep: async (ms) => void slept.push(ms) })
  const question = { snapshot: trendingSnapshot, prompt: buildPrompt(trendingSnapshot) }
  const decide = async () => DecisionOutcome.parse(await (await make()).decide(question))
  return { outcome: await decide(), decide, received: server.received, slept }
}

const bodyOf = (received: Received | undefined) => received?.body as Record<string, unknown>
const formatOf = (received: Received) =>
  (bodyOf(received)['response_format'] as { type: string } | undefined)?.type ?? 'plain'

describe('a schema refused in any words is asked without, and that is remembered by the process', () => {
  const WORDS: readonly [string, number, unknown][] = [
    ['a list', 400, [{ error: { code: 400, message: "Unknown name 'additionalProperties': Cannot find field." } }]],
    ['a text under error', 400, { error: "'response_format.type' must be 'json_object' or 'text'" }],
    ['a list of places', 422, { detail: [{ loc: ['body', 'response_format'], msg: 'extra fields not permitted' }] }],
    ['a detail', 422, { detail: 'structured outputs are off' }],
    ['a message alone', 400, { message: 'guided decoding is not available' }],
    ['packed JSON', 400, { error: { message: '{"error":{"message":"json_schema is not supported"}}' } }],
    [
      'an error of the server',
      500,
      { error: { message: 'response_format type must be one of "text", "json_object"' } },
    ],
    ['no endpoint', 404, { error: { message: 'No endpoints found that support response_format' } }],
    ['words that name nothing', 400, { error: { message: 'Ungültige Anfrage' } }],
    ['no words', 400, {}],
    ['no body', 400, ''],
    ['an error with status 200', 200, { error: { code: 400, message: 'json_schema is not supported' } }],
  ]
  test.each(WORDS)('%s', async (_name, status, body) => {
    const refuse = body === '' ? sendText(status, '', 'text/plain') : sendJson(status, body)
    const { outcome, decide, received } = await ask([refuse, good])
    expect(outcome).toMatchObject({ decision: ENTRY, failure: null })
    expect(outcome.attempts[0]).toMatchObject({ raw: null, note: 'asked with the format json_object' })
    // Made anew, as every invocation of a function makes it.
    await decide()
    expect(received.map(formatOf)).toEqual(['json_schema', 'json_object', 'json_object'])
  })

  test('down to no format at all', async () => {
    const refuse = sendJson(400, { error: { message: 'response_format is not supported' } })
    const { outcome, received } = await ask([refuse, refuse, good])
    expect(outcome.decision).toEqual(ENTRY)
    expect(received.map(formatOf)).toEqual(['json_schema', 'json_object', 'plain'])
  })

  test('what was only suspected and did not help is taken back', async () => {
    const { outcome, decide, received } = await ask([sendJson(400, { error: { message: 'computer says no' } })])
    expect(outcome.failure).toMatchObject({ kind: 'bad_request', message: expect.stringContaining('computer says no') })
    await decide()
    const once = ['json_schema', 'json_object', 'plain']
    expect(received.map(formatOf)).toEqual([...once, ...once])
  })

  test.each(['The model `x` does not exist', 'maximum context length is 2048 tokens', 'Incorrect API key provided'])(
    'a refusal about something else is not asked again: %s',
    async (message) => {
      const { received } = await ask([sendJson(400, { error: { message } })])
      expect(received).toHaveLength(1)
    },
  )
})

describe('a parameter refused in any words is left out or named otherwise', () => {
  test.each([
    ["Unsupported value: 'temperature' does not support 0.2 with this model.", 'temperature'],
    ['Unrecognized request argument supplied: temperature', 'temperature'],
  ])('the temperature: %s', async (message) => {
    const { outcome, received } = await ask([sendJson(400, { error: { message } }), good], { temperature: 0.2 })
    expect(outcome).toMatchObject({ decision: ENTRY, attempts: [{ note: 'asked without a temperature' }, {}] })
    expect(received.map((one) => bodyOf(one)['temperature'])).toEqual([0.2, undefined])
  })

  test('the name of the token limit, in a list of places', async () => {
    const detail = [{ loc: ['body', 'max_tokens'], msg: 'extra fields not permitted' }]
    const { outcome, received } = await ask([sendJson(422, { detail }), good])
    expect(outcome.decision).toEqual(ENTRY)
    expect(bodyOf(received[1])['max_completion_tokens']).toBe(4_000)
  })

  test('but not its value: the owner sets that', async () => {
    const message = 'max_tokens is too large: 4000. This model supports at most 2048 completion tokens.'
    const { outcome, received } = await ask([sendJson(400, { error: { message } })])
    expect(outcome.failure).toMatchObject({ kind: 'bad_request', message: expect.stringContaining('at most 2048') })
    expect(received).toHaveLength(1)
  })

  test.each([
    {
      message: "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
      param: 'messages[0].role',
    },
    { message: 'System role not supported' },
    { message: 'Developer instruction is not enabled for this model' },
    { message: 'Conversation roles must alternate user/assistant/user' },
  ])('the system role: $message', async (error) => {
    const { outcome, received } = await ask([sendJson(400, { error }), good])
    expect(outcome.decision).toEqual(ENTRY)
    const messages = bodyOf(received[1])['messages'] as { role: string; content: string }[]
    expect(messages.map(({ role }) => role)).toEqual(['user'])
    expect(messages[0]?.content).toMatch(/^You are the decision step[^]*\n\nMARKET /)
  })
})

describe('the words of whoever failed are in the reason', () => {
  test.each<[string, number, unknown, string, RegExp]>([
    [
      'under metadata.raw',
      429,
      { error: { message: 'Provider returned error', code: 429, metadata: { raw: 'busy upstream' } } },
      'rate_limited',
      /Provider returned error; busy upstream/,
    ],
    [
      'packed into metadata.raw',
      502,
      { error: { message: 'x', metadata: { raw: '{"error":{"message":"worker died"}}' } } },
      'server_error',
      /worker died/,
    ],
    ['in a list', 503, [{ error: { code: 503, message: 'model is overloaded' } }], 'server_error', /overloaded/],
    ['under detail', 401, { detail: 'no such key' }, 'unauthorized', /no such key/],
    ['under errors', 404, { errors: [{ message: 'no such model' }] }, 'not_found', /no such model/],
  ])('%s', async (_name, status, body, kind, words) => {
    const { outcome } = await ask([sendJson(status, body)])
    expect(outcome.failure).toMatchObject({ kind, message: expect.stringMatching(words) })
  })

  test('a page is named by its title', async () => {
    const { outcome } = await ask([sendText(200, '<html><title>Sign in</title></html>', 'text/html')])
    expect(outcome.failure).toMatchObject({ kind: 'server_error', message: expect.stringContaining('"Sign in"') })
  })

  test('a wait that only the body asks for is kept to', async () => {
    const details = [{ '@type': 'RetryInfo', retryDelay: '1.5s' }]
    const { outcome, slept } = await ask([
      sendJson(429, { error: { code: 429, message: 'quota exceeded', details } }),
      good,
    ])
    expect(outcome.decision).toEqual(ENTRY)
    expect(slept).toEqual([1_500])
  })
})

describe('an answer is read however it is packed', () => {
  const chunk = (content: string | null, more: Record<string, unknown> = {}) => ({
    model: 'm-1',
    choices: [{ index: 0, delta: { content, ...more }, finish_reason: null }],
  })
  const end = { model: 'm-1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
  const pieces = [
    chunk(null, { reasoning_content: `${entry} maybe` }),
    chunk(entry.slice(0, 30)),
    chunk(entry.slice(30)),
    end,
  ]
  const events = (all: readonly unknown[]) =>
    `: PROCESSING\n\n${all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}`

  test.each<[string, Behaviour]>([
    ['as text/plain', sendText(200, JSON.stringify(completion(entry)), 'text/plain; charset=utf-8')],
    ['as text/html', sendText(200, JSON.stringify(completion(entry)), 'text/html')],
    ['without a content type', (response) => void response.writeHead(200).end(JSON.stringify(completion(entry)))],
    ['with a byte-order mark', sendText(200, `\uFEFF${JSON.stringify(completion(entry))}`, 'application/json')],
    ['behind blank lines', sendText(200, `\n\n  \n${JSON.stringify(completion(entry))}`, 'application/json')],
    ['in a list', sendJson(200, [completion(entry)])],
    [
      'in parts',
      sendJson(
        200,
        completion([
          { type: 'thinking', thinking: [{ type: 'text', text: 'go' }] },
          { type: 'text', text: entry },
        ]),
      ),
    ],
    ['as a stream', sendText(200, `${events(pieces)}data: [DONE]\n\n`, 'text/event-stream')],
    ['as a stream with CRLF', sendText(200, events(pieces).replaceAll('\n', '\r\n'), 'text/event-stream')],
    ['as a stream called JSON', sendText(200, events(pieces), 'application/json')],
    ['line by line', sendText(200, pieces.map((one) => JSON.stringify(one)).join('\n'), 'application/x-ndjson')],
  ])('%s', async (_name, behaviour) => {
    const { outcome, received } = await ask([behaviour])
    expect(outcome).toMatchObject({ decision: ENTRY, failure: null, model: 'm-1' })
    expect(received).toHaveLength(1)
  })

  test.each<[string, string]>([
    ['that broke off', events(pieces.slice(0, 3))],
    ['that broke off within a piece', events(pieces).slice(0, -40)],
    ['that ends in an error', events([...pieces.slice(0, 3), { error: { code: 502, message: 'worker died' } }])],
  ])('a stream %s never trades', async (_name, body) => {
    const { outcome, received } = await ask([sendText(200, body, 'text/event-stream')])
    expect(outcome.failure?.kind).toMatch(/incomplete|server_error/)
    expect(received).toHaveLength(3)
  })

  test.each(['reasoning_content', 'reasoning'])(
    'what stands in %s only is no answer, and the reason says so',
    async (field) => {
      const { outcome, received } = await ask([sendJson(200, completion(null, { [field]: entry }))])
      expect(outcome.failure).toMatchObject({ kind: 'empty', message: expect.stringContaining(`in ${field} only`) })
      expect(received).toHaveLength(2)
    },
  )

  test('another protocol is named', async () => {
    const { outcome } = await ask([sendJson(200, { candidates: [{ content: { parts: [{ text: entry }] } }] })])
    expect(outcome.failure?.message).toMatch(/no choices \(candidates\); see whether decider\.baseUrl/)
  })
})

describe('a base URL is taken as people paste it', () => {
  test.each([
    ['/v1', '/v1/chat/completions'],
    ['/v1/', '/v1/chat/completions'],
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/chat/completions/', '/v1/chat/completions'],
    ['', '/chat/completions'],
    ['/openai/deployments/x?api-version=2026-01-01', '/openai/deployments/x/chat/completions?api-version=2026-01-01'],
    ['/v1/chat/completions?key=0123456789abcdef', '/v1/chat/completions?key=0123456789abcdef'],
  ])('%s asks %s', async (path, asked) => {
    const { outcome, received } = await ask([good], { path })
    expect(outcome.decision).toEqual(ENTRY)
    expect(received[0]?.path).toBe(asked)
  })

  test('a key in its query stays out of the record', async () => {
    const echo: Behaviour = (response, { path }) =>
      sendJson(401, { error: { message: `refused: ${path}` } })(response, { path, headers: {}, body: null })
    const { outcome } = await ask([echo], { path: '/v1?key=0123456789abcdef' })
    expect(outcome.failure?.message).toContain('[redacted]')
    expect(JSON.stringify(outcome)).not.toContain('0123456789abcdef')
  })

  test('a password in it is refused, and not shown', async () => {
    const config = DeciderConfig.parse({ kind: 'openai', baseUrl: 'https://me:hunter22@models.example/v1' })
    const made = createDecider({ config, apiKey: KEY, clock: Date.now })
    await expect(made).rejects.toThrow(/decider\.baseUrl holds a user name or a password/)
    await expect(made).rejects.not.toThrow(/hunter22/)
  })

  test.each(['', '/', '/v1', '/v1/messages'])('of Anthropic too: %j', async (path) => {
    const message = { type: 'message', model: 'c', content: [{ type: 'text', text: entry }], stop_reason: 'end_turn' }
    const { outcome, received } = await ask([sendJson(200, message)], { kind: 'anthropic', path })
    expect(outcome.decision).toEqual(ENTRY)
    expect(received[0]?.path).toBe('/v1/messages')
  })
})

test.each(['1', 'null', 'hold', 'open_'])('a key of %j changes no answer', async (key) => {
  server = await startScriptedServer([good])
  const config = DeciderConfig.parse({ kind: 'openai', baseUrl: server.url })
  const decider = await createDecider({ config, apiKey: key, clock: Date.now })
  const outcome = await decider.decide({ snapshot: trendingSnapshot, prompt: buildPrompt(trendingSnapshot) })
  expect(outcome.decision).toEqual(ENTRY)
})

test('a long key that stands in an answer is read as it is, and stored without', async () => {
  const key = 'open_long'
  server = await startScriptedServer([
    sendJson(200, completion(JSON.stringify({ ...ENTRY, rationale: `Say ${key}.` }))),
  ])
  const config = DeciderConfig.parse({ kind: 'openai', baseUrl: server.url })
  const decider = await createDecider({ config, apiKey: key, clock: Date.now })
  const outcome = await decider.decide({ snapshot: trendingSnapshot, prompt: buildPrompt(trendingSnapshot) })
  expect(outcome).toMatchObject({ decision: { action: 'open_long', rationale: 'Say [redacted].' }, failure: null })
  expect(outcome.attempts[0]?.raw).not.toContain(key)
})
