import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { UsageError } from '../core/invariant.ts'
import type { Decider } from './decider.ts'
import { endpointOf } from './endpoint.ts'
import { exchange } from './http-reply.ts'
import type { ModelClient, ModelQuestion } from './model-client.ts'
import { type AnthropicConfig, type ModelDeciderOptions, deciderOver, requireKey } from './model-decider.ts'
import { decisionJsonSchema } from './parse-decision.ts'
import { failureOfBug, failureOfConnection } from './provider-failure.ts'
import { readMessageReply } from './read-message.ts'
import { type RequestShape, recallShape } from './request-shape.ts'

const DEFAULT_BASE_URL = 'https://api.anthropic.com'

/**
 * Asks Anthropic's Messages API. Throws {@link UsageError} without a key, and for a temperature: the API version
 * the SDK speaks (2026-10-21) answers 400 to sampling parameters whatever their value.
 */
export function createAnthropicDecider(options: ModelDeciderOptions<AnthropicConfig>): Decider {
  return deciderOver(createAnthropicClient(options), options)
}

/** The client alone. Throws as {@link createAnthropicDecider} does. */
export function createAnthropicClient(options: ModelDeciderOptions<AnthropicConfig>): ModelClient {
  const { config } = options
  const apiKey = requireKey('anthropic', options.apiKey, 'ANTHROPIC_API_KEY')
  if (config.temperature !== null)
    throw new UsageError(
      `decider.temperature is ${config.temperature}, but Anthropic's API no longer takes one: set it to null or leave it out`,
    )
  const { baseURL, query } = endpointOf('anthropic', config.baseUrl ?? DEFAULT_BASE_URL)
  const sdk = new Anthropic({
    apiKey,
    // Everything the SDK would otherwise read from the environment is said here.
    baseURL,
    defaultQuery: query,
    webhookKey: null,
    openTelemetry: false,
    logLevel: 'off',
    maxRetries: 0,
    timeout: config.timeoutMs,
  })
  // Models and gateways without structured outputs say "output_config.format: Extra inputs are not permitted".
  const memory = recallShape(`anthropic ${config.model}, at ${config.baseUrl ?? DEFAULT_BASE_URL}`, {
    initial: { format: 'json_schema', limitName: 'max_tokens', hasTemperature: false, hasSystemRole: false },
    formats: ['json_schema', 'plain'],
    hasLimitNames: false,
  })

  return {
    name: 'anthropic',
    async ask(question, signal) {
      const request = requestOf(question, config, memory.shape)
      try {
        const reply = await exchange((fetch) =>
          sdk.withOptions({ fetch }).messages.create(request, { signal }).asResponse(),
        )
        return readMessageReply(reply, memory)
      } catch (error) {
        return error instanceof APIError ? failureOfConnection(error) : failureOfBug(error)
      }
    },
  }
}

function requestOf(
  question: ModelQuestion,
  config: AnthropicConfig,
  { format }: RequestShape,
): Anthropic.MessageCreateParamsNonStreaming {
  return {
    model: config.model,
    max_tokens: config.maxOutputTokens,
    system: question.system,
    messages: [...question.messages],
    ...(format === 'json_schema'
      ? { output_config: { format: { type: 'json_schema', schema: decisionJsonSchema() } } }
      : {}),
  }
}
