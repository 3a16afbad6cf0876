import { afterEach, describe, expect, test } from 'vitest'
import { createDecider } from '../../lib/decision/create-decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { DecisionOutcome, type DecisionFailure } from '../../schemas/decision.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { anthropicDialect } from '../support/fake-anthropic.ts'
import { answerInParts, contentFiltered, openAiDialect, toolCalled } from '../support/fake-openai.ts'
import type { ModelDialect } from '../support/model-dialect.ts'
import {
  type Behaviour,
  type ScriptedServer,
  resetConnection,
  resetInBody,
  sendJson,
  sendText,
  stallBeforeHeaders,
  stallInBody,
  startScriptedServer,
} from '../support/scripted-server.ts'
import { trendingSnapshot } from './snapshot-fixture.ts'

const KEY = 'sk-test-0123456789abcdef'
const PRICE = { inputPerMillion: 2, outputPerMillion: 10 }

const ENTRY = {
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_100,
  confidence: 0.6,
  invalidation: 'Close below 1960.',
  rationale: 'Trend up.',
}
const HOLD = {
  action: 'hold',
  stopLossPrice: null,
  takeProfitPrice: null,
  confidence: null,
  invalidation: null,
  rationale: 'No edge.',
}
const good = JSON.stringify(ENTRY)
const text = (changes: Record<string, unknown>) => JSON.stringify({ ...ENTRY, ...changes })

type Expected = {
  readonly action: 'open_long' | 'open_short' | 'close' | 'hold'
  readonly failure: DecisionFailure['kind'] | null
  readonly requests: number
  /** Waits between tries, in milliseconds. */
  readonly slept?: readonly number[]
}
type Case = {
  readonly name: string
  readonly script: (dialect: ModelDialect) => readonly Behaviour[]
  readonly expected: Expected | ((dialect: ModelDialect) => Expected)
  readonly timeoutMs?: number
}

const entered = (requests = 1, slept: readonly number[] = []): Expected => ({
  action: 'open_long',
  failure: null,
  requests,
  slept,
})
const held = (failure: DecisionFailure['kind'] | null, requests: number, slept: readonly number[] = []): Expected => ({
  action: 'hold',
  failure,
  requests,
  slept,
})

/** An answer given to the question and again to the repair. */
const twice = (name: string, answer: string, failure: DecisionFailure['kind']): Case => ({
  name,
  script: (dialect) => [dialect.answer(answer)],
  expected: held(failure, 2),
})

const CASES: readonly Case[] = [
  { name: 'good entry', script: (dialect) => [dialect.answer(good)], expected: entered() },
  { name: 'good hold', script: (dialect) => [dialect.answer(JSON.stringify(HOLD))], expected: held(null, 1) },
  {
    name: 'hold with entry fields',
    script: (dialect) => [dialect.answer(text({ action: 'hold' }))],
    expected: held(null, 1),
  },
  {
    name: 'prose around JSON',
    script: (dialect) => [dialect.answer(`I looked at {the chart}.\n${good}\nGood luck!`)],
    expected: entered(),
  },
  { name: 'fenced JSON', script: (dialect) => [dialect.answer(`\`\`\`json\n${good}\n\`\`\``)], expected: entered() },
  { name: 'the same object twice', script: (dialect) => [dialect.answer(`${good}\n${good}`)], expected: entered() },
  {
    name: 'stop on the wrong side (the guard judges it)',
    script: (dialect) => [dialect.answer(text({ stopLossPrice: 2_100, takeProfitPrice: 1_960 }))],
    expected: entered(),
  },

  {
    name: 'truncated twice',
    script: (dialect) => [dialect.truncated(good.slice(0, 40))],
    expected: held('truncated', 2),
  },
  {
    name: 'truncated, though the object looks whole',
    script: (dialect) => [dialect.truncated(good)],
    expected: held('truncated', 2),
  },
  {
    name: 'truncated, then good',
    script: (dialect) => [dialect.truncated(good.slice(0, 40)), dialect.answer(good)],
    expected: entered(2),
  },
  twice('cut off without the provider saying so', good.slice(0, -3), 'truncated'),
  {
    name: 'refusal',
    script: (dialect) => [dialect.refusal('I cannot give financial advice.')],
    expected: held('refusal', 1),
  },
  twice('numbers as text', text({ stopLossPrice: '1,960' }), 'bad_schema'),
  twice('confidence as a percentage', text({ confidence: 82 }), 'bad_schema'),
  twice('negative stop', text({ stopLossPrice: -1 }), 'bad_schema'),
  twice('null on an entry', text({ stopLossPrice: null }), 'bad_schema'),
  twice('extra keys', text({ leverage: 20 }), 'bad_schema'),
  twice('unknown action', text({ action: 'go_all_in' }), 'bad_schema'),
  twice('NaN', good.replace('1960,', 'NaN,'), 'bad_json'),
  twice('infinite number', good.replace('1960,', '1e999,'), 'bad_schema'),
  twice('huge number', text({ takeProfitPrice: 1e300 }), 'bad_schema'),
  twice('thousands separators', good.replace('1960,', '1,960,'), 'bad_json'),
  twice('two different objects', `${good} ${JSON.stringify(HOLD)}`, 'bad_schema'),
  twice('a list', `[${good}]`, 'bad_schema'),
  twice('a repeated key', good.replace('{', '{"action":"hold",'), 'bad_json'),
  twice('no JSON at all', 'I would wait.', 'bad_json'),
  twice('empty text', '', 'empty'),
  { name: 'no text', script: (dialect) => [dialect.noText], expected: held('empty', 2) },
  { name: 'no text, then good', script: (dialect) => [dialect.noText, dialect.answer(good)], expected: entered(2) },
  {
    name: 'empty body',
    script: () => [sendText(200, '', 'application/json')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: 'repair succeeds',
    script: (dialect) => [dialect.answer(text({ confidence: 82 })), dialect.answer(good)],
    expected: entered(2),
  },
  {
    name: 'repair refused',
    script: (dialect) => [dialect.answer('hm'), dialect.refusal('no')],
    expected: held('refusal', 2),
  },
  {
    name: 'repair meets a 500, then succeeds',
    script: (dialect) => [dialect.answer('hm'), dialect.error(500, 'oops'), dialect.answer(good)],
    expected: entered(3, [500]),
  },
  {
    name: 'repair meets a 401',
    script: (dialect) => [dialect.answer('hm'), dialect.error(401, 'who')],
    expected: held('unauthorized', 2),
  },

  {
    name: 'HTTP 200 with a page',
    script: () => [sendText(200, '<html>proxy login</html>', 'text/html')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: 'HTTP 200 with broken JSON',
    script: () => [sendText(200, '{"id": ', 'application/json')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: 'HTTP 200 with an error inside',
    script: () => [sendJson(200, { error: { message: 'upstream is down' } })],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: 'HTTP 200 with another shape',
    script: () => [sendJson(200, { choices: 7, content: 7 })],
    expected: held('server_error', 3, [500, 1_000]),
  },
  { name: 'HTTP 400', script: (dialect) => [dialect.error(400, 'unknown model')], expected: held('bad_request', 1) },
  { name: 'HTTP 404', script: (dialect) => [dialect.error(404, 'no such model')], expected: held('not_found', 1) },
  { name: 'HTTP 401', script: (dialect) => [dialect.error(401, 'bad key')], expected: held('unauthorized', 1) },
  { name: 'HTTP 403', script: (dialect) => [dialect.error(403, 'not allowed')], expected: held('unauthorized', 1) },
  { name: 'HTTP 402', script: (dialect) => [dialect.error(402, 'pay first')], expected: held('budget', 1) },
  {
    name: 'quota spent',
    script: (dialect) => [
      dialect.error(429, 'You exceeded your current quota, please check your plan and billing details'),
    ],
    expected: held('budget', 1),
  },
  {
    name: '429 with retry-after, then good',
    script: (dialect) => [dialect.error(429, 'slow down', { 'retry-after': '2' }), dialect.answer(good)],
    expected: entered(2, [2_000]),
  },
  {
    name: '429 with retry-after-ms, then good',
    script: (dialect) => [dialect.error(429, 'slow down', { 'retry-after-ms': '70' }), dialect.answer(good)],
    expected: entered(2, [70]),
  },
  {
    name: '429 with retry-after as a date, then good',
    script: (dialect) => [
      dialect.error(429, 'slow down', {
        date: 'Mon, 02 Nov 2026 09:30:00 GMT',
        'retry-after': 'Mon, 02 Nov 2026 09:30:03 GMT',
      }),
      dialect.answer(good),
    ],
    expected: entered(2, [3_000]),
  },
  {
    name: '429 with a retry-after past the deadline',
    script: (dialect) => [dialect.error(429, 'slow down', { 'retry-after': '3600' })],
    expected: held('rate_limited', 1),
  },
  {
    name: '429 with a senseless retry-after',
    script: (dialect) => [dialect.error(429, 'slow down', { 'retry-after': 'soon' }), dialect.answer(good)],
    expected: entered(2, [500]),
  },
  {
    name: '429 for ever',
    script: (dialect) => [dialect.error(429, 'slow down')],
    expected: held('rate_limited', 3, [500, 1_000]),
  },
  {
    name: '500 twice, then good',
    script: (dialect) => [dialect.error(500, 'oops'), dialect.error(500, 'oops'), dialect.answer(good)],
    expected: entered(3, [500, 1_000]),
  },
  {
    name: '500 for ever',
    script: (dialect) => [dialect.error(500, 'oops')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: '529 (overloaded), then good',
    script: (dialect) => [dialect.error(529, 'Overloaded'), dialect.answer(good)],
    expected: entered(2, [500]),
  },
  {
    name: '529 for ever',
    script: (dialect) => [dialect.error(529, 'Overloaded')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: '502 with a page',
    script: () => [sendText(502, '<html>bad gateway</html>', 'text/html')],
    expected: held('server_error', 3, [500, 1_000]),
  },
  {
    name: 'x-should-retry does not overrule us',
    script: (dialect) => [dialect.error(400, 'unknown model', { 'x-should-retry': 'true' })],
    expected: held('bad_request', 1),
  },
  { name: 'stalled headers', script: () => [stallBeforeHeaders], expected: held('timeout', 1), timeoutMs: 250 },
  { name: 'stalled body', script: () => [stallInBody], expected: held('timeout', 1), timeoutMs: 250 },
  {
    name: 'stalled body of an error',
    script: () => [(response) => void response.writeHead(500, { 'content-type': 'application/json' }).write('{"er')],
    expected: held('timeout', 1),
    timeoutMs: 250,
  },
  {
    name: 'a bad answer, then a stalled repair',
    script: (dialect) => [dialect.answer('hm'), stallInBody],
    expected: held('timeout', 2),
    timeoutMs: 800,
  },
  { name: 'reset connection', script: () => [resetConnection], expected: held('network', 3, [500, 1_000]) },
  { name: 'reset inside the body', script: () => [resetInBody], expected: held('network', 3, [500, 1_000]) },
  {
    name: 'reset once, then good',
    script: (dialect) => [resetConnection, dialect.answer(good)],
    expected: entered(2, [500]),
  },

  {
    name: 'a server without JSON schemas',
    script: (dialect) => [dialect.error(400, dialect.schemaRefusal), dialect.answer(good)],
    expected: entered(2),
  },
  {
    name: 'a server without JSON schemas (422)',
    script: (dialect) => [dialect.error(422, dialect.schemaRefusal), dialect.answer(good)],
    expected: entered(2),
  },
  {
    name: 'a server that refuses JSON schemas for ever',
    script: (dialect) => [dialect.error(400, dialect.schemaRefusal)],
    expected: (dialect) => held('bad_request', dialect.kind === 'openai' ? 3 : 2),
  },
]

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function start(dialect: ModelDialect, script: readonly Behaviour[], changes: Record<string, unknown> = {}) {
  server = await startScriptedServer(script)
  const config = DeciderConfig.parse({
    kind: dialect.kind,
    model: 'configured',
    baseUrl: `${server.url}${dialect.basePath}`,
    timeoutMs: 5_000,
    price: PRICE,
    ...changes,
  })
  const slept: number[] = []
  const sleep = async (ms: number) => void slept.push(ms)
  const decider = await createDecider({ config, apiKey: KEY, clock: Date.now, sleep })
  const prompt = buildPrompt(trendingSnapshot)
  return { server, slept, prompt, decider, decide: () => decider.decide({ snapshot: trendingSnapshot, prompt }) }
}

describe.each([openAiDialect, anthropicDialect])('$kind', (dialect) => {
  test.each(CASES)('$name', async ({ script, expected: wanted, timeoutMs = 5_000 }) => {
    const expected = typeof wanted === 'function' ? wanted(dialect) : wanted
    const { server: fake, slept, decide, prompt } = await start(dialect, script(dialect), { timeoutMs })

    const startedAt = Date.now()
    const outcome = DecisionOutcome.parse(await decide())

    expect({
      action: outcome.decision.action,
      failure: outcome.failure?.kind ?? null,
      requests: fake.received.length,
      slept,
    }).toEqual({ slept: [], ...expected })
    expect(Date.now() - startedAt).toBeLessThan(timeoutMs + 500)
    // Every request is one the provider takes, and puts the question first.
    for (const request of fake.received.map(dialect.readRequest)) {
      expect(request.key).toBe(KEY)
      expect(request.turns[0]).toMatchObject({ role: 'user', content: expect.stringContaining(prompt.user) })
    }
    expect(fake.received.length).toBeLessThanOrEqual(1 + 2 + 1 + 6)
    expect(outcome.attempts).toHaveLength(expected.requests)
    expect(outcome.attempts.at(-1)?.problem === null).toBe(outcome.failure === null)
    expect(outcome.decider).toBe(dialect.kind)
    expect(JSON.stringify(outcome)).not.toContain(KEY)
  })

  test('tokens are summed over attempts and priced', async () => {
    const { decide } = await start(dialect, [dialect.answer('hm'), dialect.answer(good)])
    const outcome = await decide()
    expect(outcome.usage).toEqual({ inputTokens: 2_000, outputTokens: 400, costUsd: (2_000 * 2 + 400 * 10) / 1e6 })
    expect(outcome.model).toBe(dialect.reportedModel)
  })

  test('without a price the cost is unknown; without an answer the configured model stands', async () => {
    const { decide } = await start(dialect, [dialect.error(401, 'no')], { price: null })
    expect(await decide()).toMatchObject({
      model: 'configured',
      usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
    })
  })

  test('the repair shows the bad answer and what is wrong with it', async () => {
    const bad = text({ stopLossPrice: '1,960.5' })
    const { server: fake, decide } = await start(dialect, [dialect.answer(bad), dialect.answer(good)])
    const outcome = await decide()
    const [, second] = fake.received
    if (second === undefined) throw new Error('no repair was asked for')
    const { turns } = dialect.readRequest(second)
    expect(turns.map((turn) => turn.role)).toEqual(['user', 'assistant', 'user'])
    expect(turns[1]?.content).toBe(bad)
    expect(turns[2]?.content).toMatch(/stopLossPrice: expected a number, got the text "1,960\.5"/)
    expect(outcome.attempts).toEqual([
      { raw: bad, problem: expect.stringContaining('stopLossPrice'), note: null },
      { raw: good, problem: null, note: null },
    ])
  })

  test('what a server does not take is not offered to it again', async () => {
    const { server: fake, decide } = await start(dialect, [
      dialect.error(400, dialect.schemaRefusal),
      dialect.answer(good),
    ])
    await decide()
    await decide()
    expect(fake.received.map((received) => dialect.readRequest(received).format)).toEqual([
      'json_schema',
      ...(dialect.kind === 'openai' ? ['json_object', 'json_object'] : ['plain', 'plain']),
    ])
  })

  test('no retries when none are configured', async () => {
    const { server: fake, decide } = await start(dialect, [dialect.error(500, 'oops')], { maxRetries: 0 })
    expect(await decide()).toMatchObject({ failure: { kind: 'server_error' } })
    expect(fake.received).toHaveLength(1)
  })

  test.each([400, 401, 429, 500])(
    'a server that repeats the credentials in a %i does not get them into the record',
    async (status) => {
      const echo: Behaviour = (response, received) =>
        sendJson(status, { error: { message: `you sent ${JSON.stringify(received.headers)} Bearer ${KEY}` } })(
          response,
          received,
        )
      const { decide } = await start(dialect, [echo])
      const outcome = await decide()
      expect(outcome.failure?.message).toContain('[redacted]')
      expect(JSON.stringify(outcome)).not.toContain(KEY)
      expect(JSON.stringify(outcome)).not.toContain(KEY.slice(0, 12))
    },
  )

  test('a server that repeats the key in its answer does not get it into the record', async () => {
    const { decide } = await start(dialect, [dialect.answer(text({ rationale: `Your key is ${KEY}.` }))])
    expect(await decide()).toMatchObject({ decision: { action: 'open_long', rationale: 'Your key is [redacted].' } })
  })

  test.each([undefined, '', '  \n'])('a missing key (%j) is named with its remedy', async (apiKey) => {
    const config = DeciderConfig.parse({ kind: dialect.kind })
    await expect(createDecider({ config, apiKey, clock: Date.now })).rejects.toThrow(
      new RegExp(`${dialect.kind}.*set ${dialect.envKey}`),
    )
  })

  test('a server that is not there', async () => {
    const { server: gone, slept, decide } = await start(dialect, [])
    await gone.close()
    expect(await decide()).toMatchObject({
      decision: { action: 'hold' },
      failure: { kind: 'network', message: expect.stringContaining('ECONNREFUSED') },
    })
    expect(slept).toEqual([500, 1_000])
  })

  test('the real waiting keeps to the deadline', async () => {
    server = await startScriptedServer([dialect.error(429, 'slow down', { 'retry-after-ms': '60' })])
    const config = DeciderConfig.parse({
      kind: dialect.kind,
      baseUrl: `${server.url}${dialect.basePath}`,
      timeoutMs: 150,
      maxRetries: 5,
    })
    const decider = await createDecider({ config, apiKey: KEY, clock: Date.now })
    const startedAt = Date.now()
    const outcome = await decider.decide({ snapshot: trendingSnapshot, prompt: buildPrompt(trendingSnapshot) })
    expect(outcome.failure?.kind).toMatch(/rate_limited|timeout/)
    expect(Date.now() - startedAt).toBeLessThan(400)
    expect(server.received.length).toBeLessThanOrEqual(3)
  })
})

describe('openai only', () => {
  const dialect = openAiDialect

  test.each([
    { name: 'stopped by the content filter', behaviour: contentFiltered, failure: 'refusal', requests: 1 },
    { name: 'a tool call', behaviour: toolCalled, failure: 'empty', requests: 2 },
    { name: 'answer in parts', behaviour: answerInParts(good), failure: null, requests: 1 },
  ])('$name', async ({ behaviour, failure, requests }) => {
    const { server: fake, decide } = await start(dialect, [behaviour])
    const outcome = await decide()
    expect({ failure: outcome.failure?.kind ?? null, requests: fake.received.length }).toEqual({ failure, requests })
  })

  test('an answer without usage has no known cost', async () => {
    const { decide } = await start(dialect, [answerInParts(good)])
    expect((await decide()).usage).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: null })
  })

  test('a compatible server that wants max_completion_tokens gets it', async () => {
    const refusal =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    const { server: fake, decide } = await start(dialect, [dialect.error(400, refusal), dialect.answer(good)])
    expect(await decide()).toMatchObject({ failure: null })
    expect(
      fake.received.map(({ body }) => Object.keys(body as object).filter((key) => key.startsWith('max_'))),
    ).toEqual([['max_tokens'], ['max_completion_tokens']])
  })

  test('a server that likes neither name of the limit ends in a bad request', async () => {
    const { server: fake, decide } = await start(dialect, [
      dialect.error(400, 'no max_tokens and no max_completion_tokens here'),
    ])
    expect(await decide()).toMatchObject({ failure: { kind: 'bad_request' } })
    expect(fake.received).toHaveLength(2)
  })

  test.each([null, 0.2])('temperature %j is sent only when configured', async (temperature) => {
    const { server: fake, decide } = await start(dialect, [dialect.answer(good)], { temperature })
    await decide()
    expect(Object.entries(fake.received[0]?.body ?? {}).filter(([key]) => key === 'temperature')).toEqual(
      temperature === null ? [] : [['temperature', temperature]],
    )
  })
})

test('anthropic: a temperature is refused at once, with the remedy', async () => {
  const config = DeciderConfig.parse({ kind: 'anthropic', temperature: 0 })
  await expect(createDecider({ config, apiKey: KEY, clock: Date.now })).rejects.toThrow(
    /decider\.temperature is 0.*null/,
  )
})
