import { z } from 'zod'
import type { ModelDialect } from './model-dialect.ts'
import { sendJson } from './scripted-server.ts'

const Request = z.strictObject({
  model: z.string(),
  messages: z
    .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string().min(1) }))
    .min(2),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name: z.string(),
          strict: z.literal(true),
          schema: z.looseObject({ type: z.literal('object') }),
        }),
      }),
      z.strictObject({ type: z.literal('json_object') }),
    ])
    .optional(),
})

const completion = (message: Record<string, unknown>, finishReason: string, inputTokens = 1_000) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-test-2026',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, ...message },
      finish_reason: finishReason,
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: inputTokens, completion_tokens: 200, total_tokens: inputTokens + 200 },
})

/** The chat completions wire format. */
export const openAiDialect: ModelDialect = {
  kind: 'openai',
  envKey: 'OPENAI_API_KEY',
  basePath: '/v1',
  reportedModel: 'gpt-test-2026',
  answer: (content, inputTokens) => sendJson(200, completion({ content }, 'stop', inputTokens)),
  truncated: (content) => sendJson(200, completion({ content }, 'length')),
  refusal: (refusal) => sendJson(200, completion({ refusal }, 'stop')),
  noText: sendJson(200, { ...completion({}, 'stop'), choices: [] }),
  error: (status, message, headers) =>
    sendJson(status, { error: { message, type: 'error', param: null, code: null } }, headers),
  schemaRefusal: 'This response_format type is unavailable now',
  readRequest({ path, headers, body }) {
    if (path !== '/v1/chat/completions') throw new Error(`unexpected path ${path}`)
    const request = Request.parse(body)
    if ((request.max_tokens === undefined) === (request.max_completion_tokens === undefined))
      throw new Error('exactly one token limit expected')
    const [system, ...turns] = request.messages
    if (system?.role !== 'system') throw new Error('the first message is not the system text')
    return {
      turns,
      format: request.response_format?.type ?? ('plain' as const),
      key: String(headers.authorization).replace('Bearer ', ''),
    }
  },
}

/** A completion stopped by the content filter, as Azure and OpenAI send it. */
export const contentFiltered = sendJson(200, completion({ content: '' }, 'content_filter'))

/** A completion that calls a tool nobody offered. */
export const toolCalled = sendJson(
  200,
  completion(
    { tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'trade', arguments: '{}' } }] },
    'tool_calls',
  ),
)

/** Content as a list of parts, as some compatible servers send it, and no usage. */
export const answerInParts = (text: string) => {
  const { usage: _usage, ...rest } = completion({ content: [{ type: 'text', text }] }, 'stop')
  return sendJson(200, rest)
}
