import OpenAI, { APIError } from 'openai'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions'
import { z } from 'zod'
import type { Decider } from './decider.ts'
import type { ModelClient, ModelQuestion, ModelReply } from './model-client.ts'
import { type ModelDeciderOptions, type OpenAiConfig, deciderOver, requireKey } from './model-decider.ts'
import { decisionJsonSchema } from './parse-decision.ts'
import { failureOfBody, failureOfBug, failureOfConnection, failureOfStatus, isBrokenBody } from './provider-failure.ts'

const DEFAULT_BASE_URL = 'https://api.openai.com/v1'

/** A chat completion as far as we read it. Compatible servers vary: parts of text in a list, usage left out. */
const Completion = z.looseObject({
  model: z.string().nullish(),
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z
          .looseObject({
            content: z
              .union([z.string(), z.array(z.looseObject({ type: z.string().nullish(), text: z.string().nullish() }))])
              .nullish(),
            refusal: z.string().nullish(),
            tool_calls: z.array(z.unknown()).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: z
    .looseObject({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .nullish()
    .catch(null),
  error: z.unknown().optional(),
})

/** Asks OpenAI, or any server that speaks its chat completions. Throws {@link UsageError} without a key. */
export function createOpenAiDecider(options: ModelDeciderOptions<OpenAiConfig>): Decider {
  const apiKey = requireKey('openai', options.apiKey, 'OPENAI_API_KEY')
  return deciderOver(createOpenAiClient(options.config, apiKey), { ...options, apiKey })
}

function createOpenAiClient(config: OpenAiConfig, apiKey: string): ModelClient {
  const sdk = new OpenAI({
    apiKey,
    // Everything the SDK would otherwise read from the environment is said here.
    baseURL: config.baseUrl ?? DEFAULT_BASE_URL,
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
    maxRetries: 0,
    timeout: config.timeoutMs,
  })
  const shape = {
    isStructured: true,
    limitName: config.baseUrl === null ? ('max_completion_tokens' as const) : ('max_tokens' as const),
    isLimitSwapped: false,
  }

  /**
   * Learns from a 400 or 422 what this server does not take. Detected by the server's own words: the part is
   * named in `param` or in the message ("This response_format type is unavailable now", "'json_schema' is not
   * supported", "Unsupported parameter: 'max_tokens'").
   */
  function adapt(error: { status: number; message: string; param: string }): ModelReply | null {
    if (error.status !== 400 && error.status !== 422) return null
    const words = `${error.param} ${error.message}`
    if (shape.isStructured && /response_?format|json_?schema|structured.?output|guided_json|grammar/i.test(words)) {
      shape.isStructured = false
      return {
        kind: 'adapted',
        problem: `the server does not take a JSON schema, asked again without: ${error.message}`,
      }
    }
    if (!shape.isLimitSwapped && words.includes(shape.limitName)) {
      shape.isLimitSwapped = true
      shape.limitName = shape.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
      return {
        kind: 'adapted',
        problem: `the server names the token limit otherwise, asked again with ${shape.limitName}: ${error.message}`,
      }
    }
    return null
  }

  return {
    name: 'openai',
    async ask(question, signal) {
      try {
        const body: unknown = await sdk.chat.completions.create(requestOf(question, config, shape), { signal })
        return readReply(body)
      } catch (error) {
        return readError(error, adapt)
      }
    },
  }
}

type RequestShape = { readonly isStructured: boolean; readonly limitName: 'max_tokens' | 'max_completion_tokens' }

function requestOf(
  question: ModelQuestion,
  config: OpenAiConfig,
  shape: RequestShape,
): ChatCompletionCreateParamsNonStreaming {
  return {
    model: config.model,
    messages: [{ role: 'system', content: question.system }, ...question.messages],
    // OpenAI's newer models refuse max_tokens; older compatible servers know nothing else.
    [shape.limitName]: config.maxOutputTokens,
    ...(config.temperature === null ? {} : { temperature: config.temperature }),
    ...(shape.isStructured
      ? {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'decision', strict: true, schema: decisionJsonSchema() },
          },
        }
      : {}),
  }
}

function readReply(body: unknown): ModelReply {
  if (typeof body === 'string' && body.trim() !== '')
    return failureOfBody(`HTTP 200, but the body is not JSON: ${body}`)
  const parsed = Completion.safeParse(body === undefined || body === null || body === '' ? {} : body)
  if (!parsed.success)
    return failureOfBody(`HTTP 200, but the body is no chat completion: ${z.prettifyError(parsed.error)}`)
  const { model, choices, usage, error } = parsed.data
  // Some gateways report an upstream failure with status 200.
  if (error !== undefined && error !== null)
    return failureOfBody(`HTTP 200 with an error in the body: ${JSON.stringify(error)}`)
  const choice = choices?.[0]
  const message = choice?.message
  const content = message?.content
  const text = typeof content === 'string' ? content : (content?.map((part) => part.text ?? '').join('') ?? null)
  const isFiltered = choice?.finish_reason === 'content_filter'
  const isRefusal = isFiltered || (message?.refusal ?? '') !== ''
  return {
    kind: 'answer',
    text,
    stop: isRefusal ? 'refusal' : choice?.finish_reason === 'length' ? 'length' : 'complete',
    note: noteOn(),
    model: model ?? null,
    tokens:
      usage === null || usage === undefined
        ? null
        : { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens },
  }

  function noteOn(): string | null {
    if (message?.refusal) return message.refusal
    if (isFiltered) return 'stopped by the content filter'
    if (choice === undefined) return 'no choices in the completion'
    if ((message?.tool_calls?.length ?? 0) > 0) return 'the model called a tool, but none was offered'
    return null
  }
}

function readError(
  error: unknown,
  adapt: (error: { status: number; message: string; param: string }) => ModelReply | null,
): ModelReply {
  if (error instanceof APIError && typeof error.status === 'number') {
    const message = error.message.replace(/^\d{3} /, '')
    return (
      adapt({ status: error.status, message, param: error.param ?? '' }) ??
      failureOfStatus(error.status, message, error.headers, error.code ?? '')
    )
  }
  if (error instanceof SyntaxError) return failureOfBody(`HTTP 200, but the body is not JSON: ${error.message}`)
  // APIConnectionError and an aborted request, or undici's own error where the body breaks off.
  if (error instanceof APIError || isBrokenBody(error)) return failureOfConnection(error)
  return failureOfBug(error)
}
