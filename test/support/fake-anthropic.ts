import { z } from 'zod'
import type { ModelDialect } from './model-dialect.ts'
import { sendJson } from './scripted-server.ts'

const Request = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  system: z.string().min(1),
  messages: z.array(z.strictObject({ role: z.enum(['user', 'assistant']), content: z.string().min(1) })).min(1),
  output_config: z
    .strictObject({
      format: z.strictObject({ type: z.literal('json_schema'), schema: z.looseObject({ type: z.literal('object') }) }),
    })
    .optional(),
})

const message = (content: unknown[], stopReason: string, more: Record<string, unknown> = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test-2026',
  content,
  stop_reason: stopReason,
  stop_sequence: null,
  usage: { input_tokens: 700, cache_creation_input_tokens: 100, cache_read_input_tokens: 200, output_tokens: 200 },
  ...more,
})

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}

/** The Messages API's wire format. */
export const anthropicDialect: ModelDialect = {
  kind: 'anthropic',
  envKey: 'ANTHROPIC_API_KEY',
  basePath: '',
  reportedModel: 'claude-test-2026',
  answer: (text) =>
    sendJson(
      200,
      message(
        [
          { type: 'thinking', thinking: 'Hmm {', signature: 's' },
          { type: 'text', text },
        ],
        'end_turn',
      ),
    ),
  truncated: (text) => sendJson(200, message([{ type: 'text', text }], 'max_tokens')),
  refusal: (explanation) =>
    sendJson(200, message([], 'refusal', { stop_details: { type: 'refusal', category: null, explanation } })),
  noText: sendJson(200, message([], 'end_turn')),
  error: (status, text, headers) =>
    sendJson(status, { type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message: text } }, headers),
  schemaRefusal: 'output_config.format: Extra inputs are not permitted',
  readRequest({ path, headers, body }) {
    if (path !== '/v1/messages') throw new Error(`unexpected path ${path}`)
    if (typeof headers['anthropic-version'] !== 'string') throw new Error('no anthropic-version header')
    const request = Request.parse(body)
    const key = headers['x-api-key'] ?? headers.authorization?.replace('Bearer ', '')
    return {
      turns: request.messages,
      format: request.output_config === undefined ? ('plain' as const) : ('json_schema' as const),
      key: String(key),
    }
  },
}
