import type { HttpReply } from '../../lib/decision/http-reply.ts'
import { judgeReply } from '../../lib/decision/judge-reply.ts'
import { readCompletionReply } from '../../lib/decision/read-completion.ts'
import { readMessageReply } from '../../lib/decision/read-message.ts'
import { recallShape } from '../../lib/decision/request-shape.ts'
import { Decision, isEntry } from '../../schemas/decision.ts'
import { chance, damage, listOf, pick, type Random, whole } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

/** What a server sent, as plain data: a case is shown and made again from its numbers. */
type Answer = { provider: 'openai' | 'anthropic'; status: number; contentType: string | null; text: string }

const QUESTION = { system: 'You are one step of a trader. '.repeat(20), user: 'bid 2004.5, ask 2005.5\n'.repeat(20) }

const REASONS = [
  'stop',
  'end_turn',
  'eos',
  '',
  'length',
  'max_tokens',
  'content_filter',
  'refusal',
  'error',
  'pause_turn',
  'tool_calls',
  'STOP',
] as const

const SPLINTERS = [
  '{',
  '}',
  '"',
  '\\',
  '<think>',
  '</think>',
  '</THINKING>',
  '<|channel|>analysis<|message|>',
  '<|channel|>final<|message|>',
  'assistantfinal',
  '```json',
  '[DONE]',
  'data: ',
  '\n\n',
  'NaN',
  '1e999',
  'null',
  'I hold.',
  '"action":"open_long"',
  '\u0000',
  '\ud800',
  '&lt;think&gt;',
] as const

const number = (random: Random): unknown =>
  chance(random, 0.7)
    ? Math.round(random() * 400_000) / 100
    : pick(random, [0, -1, '1960', '1,960', null, 1e15, 0.5, true, {}, [1]])

const text = (random: Random): unknown =>
  pick(random, [
    'Trend up.',
    '',
    'x'.repeat(900),
    null,
    'I hold. {"action":"close"}',
    '</think> no',
    7,
    '😀'.repeat(401),
  ])

function decision(random: Random): string {
  const value: Record<string, unknown> = {
    action: pick(random, ['open_long', 'open_short', 'close', 'hold', 'HOLD', 'buy', 'Open_Long']),
    stopLossPrice: number(random),
    takeProfitPrice: number(random),
    confidence: chance(random, 0.7) ? random() : number(random),
    invalidation: chance(random, 0.7) ? 'Close below.' : text(random),
    rationale: chance(random, 0.7) ? 'Trend up.' : text(random),
  }
  for (const key of listOf(random, 2, () => pick(random, ['leverage', '__proto__', 'size', 'reasoning'])))
    if (chance(random, 0.2)) Object.defineProperty(value, key, { value: 1, enumerable: true })
  const json = JSON.stringify(value)
  if (chance(random, 0.05)) return `${json.slice(0, -1)},"action":"open_long"}`
  return chance(random, 0.05) ? json.replace(/:[\d.]+/, ':NaN') : json
}

function spoken(random: Random): string {
  const draft = decision(random)
  const body = decision(random)
  return pick<(a: string, b: string) => string>(random, [
    (_draft, answer) => answer,
    (_draft, answer) => answer,
    (_draft, answer) => `\`\`\`json\n${answer}\n\`\`\``,
    (first, answer) => `<think>${first}</think>${answer}`,
    (first) => `<think>${first}`,
    (first) => `${first}</think> I hold.`,
    (first, answer) => `<|channel|>analysis<|message|>${first}<|end|><|channel|>final<|message|>${answer}`,
    (first, answer) => `${first}\nor\n${answer}`,
    (_draft, answer) => `[${answer}]`,
    (_draft, answer) => `Here it is: ${answer}`,
    (_draft, answer) => `I would not. ${answer}`,
    () => 'I would rather wait.',
  ])(draft, body)
}

const error = (random: Random): unknown =>
  pick<unknown>(random, [
    null,
    'upstream died',
    { code: 502, message: 'Upstream idle timeout exceeded' },
    { code: 429, message: 'busy', metadata: { raw: '{"error":{"message":"slow down"}}' } },
    { message: 'response_format is not supported', param: 'response_format' },
    { code: 'json_validate_failed', message: 'Failed to generate JSON', failed_generation: decision(random) },
    [{ detail: [{ loc: ['body', 'max_tokens'], msg: 'extra' }] }],
    { message: { deep: { message: ['x'] } } },
  ])

const usage = (random: Random): unknown =>
  pick<unknown>(random, [
    undefined,
    null,
    { prompt_tokens: 2_000, completion_tokens: 100, input_tokens: 2_000, output_tokens: 100 },
    { prompt_tokens: 12, completion_tokens: 1, input_tokens: 12, output_tokens: 1 },
    { prompt_tokens: null, completion_tokens: 'x', input_tokens: -1 },
    7,
  ])

function completion(random: Random): unknown {
  const content = spoken(random)
  const message = {
    role: 'assistant',
    content: pick<unknown>(random, [
      content,
      content,
      content,
      null,
      [{ type: 'text', text: content }],
      [{ type: 'thinking', thinking: content }],
      7,
    ]),
    reasoning_content: chance(random, 0.2) ? content : undefined,
    refusal: chance(random, 0.03) ? 'I must not' : null,
    tool_calls: chance(random, 0.05) ? [{}] : undefined,
  }
  const choice = {
    index: 0,
    message,
    finish_reason: chance(random, 0.6) ? 'stop' : pick<unknown>(random, [...REASONS, null, 7]),
    error: chance(random, 0.05) ? error(random) : undefined,
  }
  const choices = pick<unknown>(random, [[choice], [choice], [choice], [choice], [], null, [null], {}])
  return { model: 'm', choices, usage: usage(random), error: chance(random, 0.05) ? error(random) : undefined }
}

const message = (random: Random): unknown => ({
  type: 'message',
  model: 'c',
  content: pick<unknown>(random, [
    [{ type: 'text', text: spoken(random) }],
    [{ type: 'text', text: spoken(random) }],
    [
      { type: 'thinking', thinking: spoken(random) },
      { type: 'text', text: spoken(random) },
    ],
    [{ type: 'thinking', thinking: spoken(random) }],
    [],
    null,
    [null],
  ]),
  stop_reason: chance(random, 0.6) ? 'end_turn' : pick<unknown>(random, [...REASONS, null]),
  usage: usage(random),
})

function stream(random: Random): string {
  const content = spoken(random)
  const parts = content.match(/[^]{1,40}/g) ?? []
  const pieces: unknown[] = parts.map((part) => ({
    choices: [{ index: 0, delta: { content: part }, finish_reason: null }],
  }))
  if (chance(random, 0.8))
    pieces.push({ choices: [{ index: 0, delta: {}, finish_reason: pick(random, REASONS) }], usage: usage(random) })
  if (chance(random, 0.1)) pieces.splice(whole(random, 0, pieces.length), 0, { error: error(random) })
  if (chance(random, 0.3)) return pieces.map((piece) => JSON.stringify(piece)).join('\n')
  return `${pieces.map((piece) => `data: ${JSON.stringify(piece)}\n\n`).join('')}${chance(random, 0.5) ? 'data: [DONE]\n\n' : ''}`
}

function make(random: Random): Answer {
  const provider = chance(random, 0.75) ? 'openai' : 'anthropic'
  const status = chance(random, 0.85) ? 200 : pick(random, [400, 401, 402, 404, 422, 429, 500, 503])
  const body =
    status === 200
      ? chance(random, 0.15)
        ? stream(random)
        : JSON.stringify(provider === 'openai' ? completion(random) : message(random))
      : JSON.stringify(chance(random, 0.5) ? { error: error(random) } : [{ error: error(random) }])
  const contentType = pick(random, ['application/json', 'text/plain', 'text/event-stream', null])
  return {
    provider,
    status,
    contentType,
    text: chance(random, 0.4) ? damage(random, body ?? '', SPLINTERS) : (body ?? ''),
  }
}

/** Laws of every decision that is taken, whatever the server sent. */
function assertLaws(taken: Decision): void {
  const again = Decision.safeParse(taken)
  if (!again.success) throw new Error(`a decision that its own schema refuses: ${JSON.stringify(taken)}`)
  if (!isEntry(taken)) return
  for (const level of [taken.stopLossPrice, taken.takeProfitPrice])
    if (!(Number.isFinite(level) && level > 0 && level <= 1e12)) throw new Error(`an entry with a level of ${level}`)
  if (!(taken.confidence >= 0 && taken.confidence <= 1)) throw new Error(`a confidence of ${taken.confidence}`)
}

/** A server of its own for each case: what one refuses must not shape the next. */
let servers = 0

/** Answers of model servers, valid, broken and hostile, through the whole way from body to decision; no network. */
export const modelAnswers: FuzzTarget = {
  name: 'model answers',
  make,
  run(input) {
    const { provider, status, contentType, text: body } = input as Answer
    const reply: HttpReply = {
      status,
      headers: new Headers(contentType === null ? {} : { 'content-type': contentType }),
      text: body,
    }
    const memory = recallShape(`fuzz ${servers++}`, {
      initial: { format: 'json_schema', limitName: 'max_tokens', hasTemperature: true, hasSystemRole: true },
      formats: ['json_schema', 'json_object', 'plain'],
      hasLimitNames: true,
    })
    const judged = judgeReply((provider === 'openai' ? readCompletionReply : readMessageReply)(reply, memory), QUESTION)
    if (judged.kind !== 'decided') return 'failure' in judged ? `${judged.kind} ${judged.failure.kind}` : judged.kind
    assertLaws(judged.decision)
    if (isEntry(judged.decision) && status !== 200) throw new Error(`an entry out of HTTP ${status}`)
    return judged.decision.action
  },
}
