import { z } from 'zod'
import { type ErrorWords, errorWordsOf, wordsOfError } from './error-words.ts'
import type { HttpReply } from './http-reply.ts'
import type { Ending, ModelReply, TokenCount } from './model-client.ts'
import { failureInside, failureOfBody, failureOfStatus, statusIn } from './provider-failure.ts'
import { BROKEN_OFF, type Stream, readBody } from './read-body.ts'
import type { ShapeMemory } from './request-shape.ts'

const text = z.string().nullish().catch(null)
const count = z.int().nonnegative().nullish().catch(null)

const Part = z.union([z.string(), z.looseObject({ type: text, text: text })])

/**
 * A message, or the piece of one in a stream. What is in other fields (`reasoning_content`, `reasoning`) is no answer.
 */
const Message = z.looseObject({
  content: z.union([z.string(), z.array(Part)]).nullish(),
  refusal: text,
  tool_calls: z.array(z.unknown()).nullish().catch(null),
  reasoning_content: z.unknown().optional(),
  reasoning: z.unknown().optional(),
})

const Usage = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.looseObject({ cached_tokens: count }).nullish().catch(null),
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
})

/** A chat completion as far as we read it. Compatible servers vary: parts of text in a list, usage left out. */
const Completion = z.looseObject({
  model: text,
  choices: z.array(
    z.looseObject({
      finish_reason: text,
      message: Message.nullish(),
      delta: Message.nullish(),
      error: z.unknown().optional(),
    }),
  ),
  usage: Usage.nullish().catch(null),
  error: z.unknown().optional(),
})
type Completion = z.infer<typeof Completion>
type Message = z.infer<typeof Message>

/**
 * Endings that are documented as good: `stop` of OpenAI, DeepSeek, Mistral, xAI and others; `eos` of Together,
 * `eos_token` and `stop_sequence` of text-generation-inference, `end_turn` of gateways to Claude.
 */
const GOOD_ENDINGS: ReadonlySet<string> = new Set(['stop', 'eos', 'eos_token', 'stop_sequence', 'end_turn'])
const LENGTH_ENDINGS: ReadonlySet<string> = new Set(['length', 'max_tokens', 'model_length'])
const TOOL_ENDINGS: ReadonlySet<string> = new Set(['tool_calls', 'function_call', 'tool_use'])
const FILTER_ENDINGS: ReadonlySet<string> = new Set(['content_filter', 'safety', 'refusal', 'sensitive'])

/**
 * What a server that speaks chat completions has sent, whatever its status. `memory` learns from refusals; without it
 * nothing is adapted. Pure but for that.
 */
export function readCompletionReply(reply: HttpReply, memory?: ShapeMemory): ModelReply {
  if (reply.status < 200 || reply.status > 299) return readRefusal(reply, memory)
  const read = readCompletion(reply, memory)
  if (read.kind === 'answer') memory?.confirm()
  return read
}

/** An error status: something to leave out from now on, an answer that the server's own check refused, or a failure. */
export function readRefusal({ status, headers, text: body }: HttpReply, memory?: ShapeMemory): ModelReply {
  const words = errorWordsOf(body)
  if (isRefusedAnswer(status, words)) return answerRefused(words)
  const adapted = memory?.adapt({ status, ...words })
  if (adapted !== null && adapted !== undefined) return adapted
  memory?.revert()
  return failureOfStatus(status, words, headers)
}

/** Groq checks the JSON itself and answers 400 with what the model had written. */
const isRefusedAnswer = (status: number, { code, message, failedGeneration }: ErrorWords): boolean =>
  status === 400 && (failedGeneration !== null || /json_validate_failed/.test(`${code} ${message}`))

const answerRefused = ({ message, failedGeneration }: ErrorWords): ModelReply => ({
  kind: 'answer',
  text: failedGeneration,
  stop: 'rejected',
  note: message,
  model: null,
  tokens: null,
  promptTokens: null,
  oddities: [],
})

function readCompletion({ text: raw, headers }: HttpReply, memory: ShapeMemory | undefined): ModelReply {
  const body = readBody(raw, headers.get('content-type'))
  if (body.kind === 'unreadable') return failureOfBody(`HTTP 200, but ${body.problem}`)
  const oddities = body.kind === 'stream' ? ['the answer came as a stream, though none was asked'] : body.oddities
  const value = body.kind === 'stream' ? assemble(body) : body.value
  const alone = z.looseObject({ error: z.unknown(), choices: z.undefined().optional() }).safeParse(value)
  if (alone.success && hasError(alone.data.error)) return readErrorInside(alone.data.error, memory)
  const parsed = Completion.safeParse(value)
  if (!parsed.success)
    return failureOfBody(`HTTP 200, but the body is no chat completion: ${describe(value, parsed.error)}`)
  const { error, choices } = parsed.data
  const choice = choices[0]
  const inside = hasError(error) ? error : choice?.error
  if (hasError(inside) && !LENGTH_ENDINGS.has(endingOf(choice?.finish_reason))) return readErrorInside(inside, memory)
  return answerOf(parsed.data, oddities)
}

const hasError = (error: unknown): boolean => error !== undefined && error !== null && error !== '' && error !== false

/** Some gateways report an upstream failure with status 200, beside or in place of the choices. */
function readErrorInside(error: unknown, memory: ShapeMemory | undefined): ModelReply {
  const words = wordsOfError(error)
  const status = statusIn(words)
  const adapted = status === undefined ? null : memory?.adapt({ status, ...words })
  return adapted ?? failureInside(error)
}

function describe(value: unknown, error: z.ZodError): string {
  if (typeof value !== 'object' || value === null) return `it is ${JSON.stringify(value)}`
  if ('choices' in value) return z.prettifyError(error)
  const keys = Array.isArray(value) ? 'a list' : Object.keys(value).slice(0, 8).join(', ') || 'nothing in it'
  return `it has no choices (${keys}); see whether decider.baseUrl is the address of an endpoint for chat completions`
}

const endingOf = (reason: string | null | undefined): string => (reason ?? '').trim().toLowerCase()

function answerOf({ model, choices, usage }: Completion, oddities: readonly string[]): ModelReply {
  const choice = choices[0]
  const message = choice?.message ?? choice?.delta ?? null
  const ending = endingOf(choice?.finish_reason)
  const refusal = message?.refusal ?? ''
  const answer = textOf(message)
  const hasCalled = (message?.tool_calls?.length ?? 0) > 0
  const stop = stopOf(ending, refusal, hasCalled)
  return {
    kind: 'answer',
    text: answer,
    stop,
    note: noteOn(),
    model: model ?? null,
    tokens: tokensOf(usage),
    promptTokens: promptTokensOf(usage),
    oddities,
  }

  function noteOn(): string | null {
    if (refusal !== '') return refusal
    if (FILTER_ENDINGS.has(ending)) return `stopped by the content filter (finish_reason ${ending})`
    if (choice === undefined) return 'no choices in the completion'
    if (stop === 'tool') return 'the model called a tool, but none was offered'
    if (stop === 'incomplete') return `the answer ended with finish_reason ${JSON.stringify(choice.finish_reason)}`
    if ((answer ?? '').trim() !== '') return null
    const field = reasoningFieldOf(message)
    return field === null ? null : `what the model wrote stands in ${field} only, which is no answer`
  }
}

function stopOf(ending: string, refusal: string, hasCalled: boolean): Ending {
  if (refusal !== '' || FILTER_ENDINGS.has(ending)) return 'refusal'
  if (LENGTH_ENDINGS.has(ending)) return 'length'
  if (TOOL_ENDINGS.has(ending) || ((ending === '' || GOOD_ENDINGS.has(ending)) && hasCalled)) return 'tool'
  if (ending === '') return 'missing'
  return GOOD_ENDINGS.has(ending) ? 'complete' : 'incomplete'
}

/** The text that is the answer: parts of another type (`thinking`, `reasoning`) are none. */
function textOf(message: Message | null): string | null {
  const content = message?.content
  if (content === undefined || content === null) return null
  if (typeof content === 'string') return content
  return content
    .map((part) =>
      typeof part === 'string' ? part : isText(part.type) && part.thought !== true ? (part.text ?? '') : '',
    )
    .join('')
}

const isText = (type: string | null | undefined): boolean =>
  type === undefined || type === null || type === 'text' || type === 'output_text'

/** The field of a message in which reasoning stands apart from the answer, or null. */
function reasoningFieldOf(message: Message | null): string | null {
  const field = (['reasoning_content', 'reasoning'] as const).find((name) => (message?.[name] ?? '') !== '')
  if (field !== undefined) return field
  return Array.isArray(message?.content) && message.content.length > 0 ? 'parts of another type than text' : null
}

function tokensOf(usage: Completion['usage']): TokenCount | null {
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage ?? {}
  return typeof inputTokens === 'number' && typeof outputTokens === 'number' ? { inputTokens, outputTokens } : null
}

/**
 * OpenAI counts cached tokens among the others; a number that is larger, or in fields of another name, is beside them.
 */
function promptTokensOf(usage: Completion['usage']): number | null {
  if (usage === null || usage === undefined || typeof usage.prompt_tokens !== 'number') return null
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0
  const beside = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
  return usage.prompt_tokens + (cached > usage.prompt_tokens ? cached : 0) + beside
}

/** One completion of the pieces of a stream: texts joined, and the last word on everything else. */
function assemble({ pieces, isEnded, isBroken }: Stream): unknown {
  const read = pieces.flatMap((piece) => {
    const parsed = Completion.safeParse(piece)
    return parsed.success ? [parsed.data] : []
  })
  const error = pieces.find((piece) => hasError((piece as { error?: unknown }).error)) as { error: unknown } | undefined
  if (read.length === 0) return error ?? pieces[0]
  const choices = read.flatMap(({ choices: [choice] }) => (choice === undefined ? [] : [choice]))
  const deltas = choices.map(({ delta, message }) => delta ?? message ?? {})
  const ending = choices.findLast(({ finish_reason: reason }) => endingOf(reason) !== '')?.finish_reason
  return {
    model: read.findLast(({ model }) => model !== null && model !== undefined)?.model,
    usage: read.findLast(({ usage }) => usage !== null && usage !== undefined)?.usage,
    error: error?.error ?? choices.find((choice) => hasError(choice.error))?.error,
    choices: [
      {
        finish_reason: isBroken || (ending === undefined && !isEnded) ? BROKEN_OFF : ending,
        message: {
          content: join(deltas.map(textOf)),
          refusal: join(deltas.map((delta) => delta.refusal)),
          tool_calls: deltas.flatMap((delta) => delta.tool_calls ?? []),
          reasoning_content: deltas.find((delta) => delta.reasoning_content)?.reasoning_content,
          reasoning: deltas.find((delta) => delta.reasoning)?.reasoning,
        },
      },
    ],
  }
}

const join = (texts: readonly (string | null | undefined)[]): string => texts.map((one) => one ?? '').join('')
