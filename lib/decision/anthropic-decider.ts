import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import type { Decider } from './decider.ts'
import type { ModelClient, ModelQuestion, ModelReply } from './model-client.ts'
import { type AnthropicConfig, type ModelDeciderOptions, deciderOver, requireKey } from './model-decider.ts'
import { decisionJsonSchema } from './parse-decision.ts'
import { failureOfBody, failureOfBug, failureOfConnection, failureOfStatus, isBrokenBody } from './provider-failure.ts'

const DEFAULT_BASE_URL = 'https://api.anthropic.com'

const count = z.int().nonnegative()

/** A message as far as we read it. Blocks other than text (thinking) are passed over. */
const Message = z.looseObject({
  type: z.string().nullish(),
  model: z.string().nullish(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().nullish() })).nullish(),
  stop_reason: z.string().nullish(),
  stop_details: z
    .looseObject({ explanation: z.string().nullish(), category: z.string().nullish() })
    .nullish()
    .catch(null),
  usage: z
    .looseObject({
      input_tokens: count,
      output_tokens: count,
      cache_creation_input_tokens: count.nullish(),
      cache_read_input_tokens: count.nullish(),
    })
    .nullish()
    .catch(null),
  error: z.unknown().optional(),
})

/**
 * Asks Anthropic's Messages API. Throws {@link UsageError} without a key, and for a temperature: the API version
 * the SDK speaks (2026-10-21) answers 400 to sampling parameters whatever their value.
 */
export function createAnthropicDecider(options: ModelDeciderOptions<AnthropicConfig>): Decider {
  const apiKey = requireKey('anthropic', options.apiKey, 'ANTHROPIC_API_KEY')
  const { temperature } = options.config
  if (temperature !== null)
    throw new UsageError(
      `decider.temperature is ${temperature}, but Anthropic's API no longer takes one: set it to null or leave it out`,
    )
  return deciderOver(createAnthropicClient(options.config, apiKey), { ...options, apiKey })
}

function createAnthropicClient(config: AnthropicConfig, apiKey: string): ModelClient {
  const sdk = new Anthropic({
    apiKey,
    // Everything the SDK would otherwise read from the environment is said here.
    baseURL: config.baseUrl ?? DEFAULT_BASE_URL,
    webhookKey: null,
    openTelemetry: false,
    logLevel: 'off',
    maxRetries: 0,
    timeout: config.timeoutMs,
  })
  const shape = { isStructured: true }

  /** Models and gateways without structured outputs say "output_config.format: Extra inputs are not permitted". */
  function adapt(status: number, message: string): ModelReply | null {
    if (status !== 400 && status !== 422) return null
    if (!shape.isStructured || !/output_?(?:config|format)|json_?schema|structured.?output/i.test(message)) return null
    shape.isStructured = false
    return { kind: 'adapted', problem: `the server does not take a JSON schema, asked again without: ${message}` }
  }

  return {
    name: 'anthropic',
    async ask(question, signal) {
      try {
        const body: unknown = await sdk.messages.create(requestOf(question, config, shape.isStructured), { signal })
        return readReply(body)
      } catch (error) {
        return readError(error, adapt)
      }
    },
  }
}

function requestOf(
  question: ModelQuestion,
  config: AnthropicConfig,
  isStructured: boolean,
): Anthropic.MessageCreateParamsNonStreaming {
  return {
    model: config.model,
    max_tokens: config.maxOutputTokens,
    system: question.system,
    messages: [...question.messages],
    ...(isStructured ? { output_config: { format: { type: 'json_schema', schema: decisionJsonSchema() } } } : {}),
  }
}

function readReply(body: unknown): ModelReply {
  if (typeof body === 'string' && body.trim() !== '')
    return failureOfBody(`HTTP 200, but the body is not JSON: ${body}`)
  const parsed = Message.safeParse(body === undefined || body === null || body === '' ? {} : body)
  if (!parsed.success) return failureOfBody(`HTTP 200, but the body is no message: ${z.prettifyError(parsed.error)}`)
  const { model, content, stop_reason: reason, stop_details: details, usage, error } = parsed.data
  if (error !== undefined && error !== null)
    return failureOfBody(`HTTP 200 with an error in the body: ${JSON.stringify(error)}`)
  const texts = (content ?? []).filter((block) => block.type === 'text').map((block) => block.text ?? '')
  return {
    kind: 'answer',
    text: texts.length === 0 ? null : texts.join(''),
    stop:
      reason === 'refusal'
        ? 'refusal'
        : reason === 'max_tokens' || reason === 'model_context_window_exceeded'
          ? 'length'
          : 'complete',
    note:
      details?.explanation ??
      details?.category ??
      (texts.length === 0 ? `no text in the message (stop_reason ${reason ?? 'none'})` : null),
    model: model ?? null,
    tokens:
      usage === null || usage === undefined
        ? null
        : {
            // Cached input is counted apart from the rest; at list price, an upper bound for reads.
            inputTokens:
              usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0),
            outputTokens: usage.output_tokens,
          },
  }
}

function readError(error: unknown, adapt: (status: number, message: string) => ModelReply | null): ModelReply {
  if (error instanceof APIError && typeof error.status === 'number') {
    const message = error.apiMessage ?? error.message.replace(/^\d{3} /, '')
    return (
      adapt(error.status, message) ??
      failureOfStatus(error.status, message, error.headers, error.errorCode ?? error.type ?? '')
    )
  }
  if (error instanceof SyntaxError) return failureOfBody(`HTTP 200, but the body is not JSON: ${error.message}`)
  // APIConnectionError and an aborted request, or undici's own error where the body breaks off.
  if (error instanceof APIError || isBrokenBody(error)) return failureOfConnection(error)
  return failureOfBug(error)
}
