import OpenAI, { APIError } from 'openai'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import type { Decider } from './decider.ts'
import { endpointOf } from './endpoint.ts'
import { exchange } from './http-reply.ts'
import type { ModelClient, ModelQuestion, ModelReply } from './model-client.ts'
import { type ModelDeciderOptions, type OpenAiConfig, deciderOver, requireKey } from './model-decider.ts'
import { decisionJsonSchema } from './parse-decision.ts'
import { failureOfBug, failureOfConnection } from './provider-failure.ts'
import { readCompletionReply } from './read-completion.ts'
import { type RequestShape, recallShape } from './request-shape.ts'

const DEFAULT_BASE_URL = 'https://api.openai.com/v1'

/** Asks OpenAI, or any server that speaks its chat completions. Throws {@link UsageError} without a key. */
export function createOpenAiDecider(options: ModelDeciderOptions<OpenAiConfig>): Decider {
  return deciderOver(createOpenAiClient(options), options)
}

/** The client alone. Throws as {@link createOpenAiDecider} does. */
export function createOpenAiClient(options: ModelDeciderOptions<OpenAiConfig>): ModelClient {
  const { config } = options
  const { baseURL, query } = endpointOf('openai', config.baseUrl ?? DEFAULT_BASE_URL)
  const sdk = new OpenAI({
    apiKey: requireKey('openai', options.apiKey, 'OPENAI_API_KEY'),
    // Everything the SDK would otherwise read from the environment is said here.
    baseURL,
    defaultQuery: query,
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
    maxRetries: 0,
    timeout: config.timeoutMs,
  })
  const memory = recallShape(
    `openai ${config.model}, temperature ${config.temperature}, at ${config.baseUrl ?? DEFAULT_BASE_URL}`,
    {
      initial: {
        format: 'json_schema',
        // OpenAI's newer models refuse max_tokens; older compatible servers know nothing else.
        limitName: config.baseUrl === null ? 'max_completion_tokens' : 'max_tokens',
        hasTemperature: config.temperature !== null,
        hasSystemRole: true,
      },
      formats: ['json_schema', 'json_object', 'plain'],
      hasLimitNames: true,
    },
  )

  return {
    name: 'openai',
    async ask(question, signal) {
      const request = requestOf(question, config, memory.shape)
      try {
        const reply = await exchange((fetch) =>
          sdk.withOptions({ fetch }).chat.completions.create(request, { signal }).asResponse(),
        )
        return readCompletionReply(reply, memory)
      } catch (error) {
        return readError(error)
      }
    },
  }
}

function requestOf(
  question: ModelQuestion,
  config: OpenAiConfig,
  shape: RequestShape,
): ChatCompletionCreateParamsNonStreaming {
  return {
    model: config.model,
    messages: messagesOf(question, shape),
    [shape.limitName]: config.maxOutputTokens,
    ...(config.temperature === null || !shape.hasTemperature ? {} : { temperature: config.temperature }),
    ...formatOf(shape),
  }
}

function messagesOf(
  { system, messages }: ModelQuestion,
  shape: RequestShape,
): ChatCompletionCreateParamsNonStreaming['messages'] {
  if (shape.hasSystemRole) return [{ role: 'system', content: system }, ...messages]
  return messages.map((message, index) =>
    index === 0 ? { ...message, content: `${system}\n\n${message.content}` } : message,
  )
}

function formatOf({ format }: RequestShape): Pick<ChatCompletionCreateParamsNonStreaming, 'response_format'> {
  switch (format) {
    case 'json_schema':
      return {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'decision', strict: true, schema: decisionJsonSchema() },
        },
      }
    case 'json_object':
      return { response_format: { type: 'json_object' } }
    case 'plain':
      return {}
    default:
      return format satisfies never
  }
}

/** APIConnectionError and an aborted request are the SDK's; what else is thrown was not foreseen. */
const readError = (error: unknown): ModelReply =>
  error instanceof APIError ? failureOfConnection(error) : failureOfBug(error)
