import { z } from 'zod'
import type { HttpReply } from './http-reply.ts'
import type { Ending, ModelReply } from './model-client.ts'
import { failureInside, failureOfBody } from './provider-failure.ts'
import { BROKEN_OFF, type Stream, readBody } from './read-body.ts'
import { readRefusal } from './read-completion.ts'
import type { ShapeMemory } from './request-shape.ts'

const text = z.string().nullish().catch(null)
const count = z.int().nonnegative().nullish().catch(null)

const asBlocks = (words: string) => [{ type: 'text', text: words }]

/** A message as far as we read it. Blocks other than text (thinking) are passed over. */
const Message = z.looseObject({
  model: text,
  content: z.union([z.array(z.looseObject({ type: z.string(), text })), z.string().transform(asBlocks)]),
  stop_reason: text,
  stop_details: z.looseObject({ explanation: text, category: text }).nullish().catch(null),
  usage: z
    .looseObject({
      input_tokens: count,
      output_tokens: count,
      cache_creation_input_tokens: count,
      cache_read_input_tokens: count,
    })
    .nullish()
    .catch(null),
})
type Message = z.infer<typeof Message>

const ENDINGS: Readonly<Record<string, Ending>> = {
  end_turn: 'complete',
  stop_sequence: 'complete',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'refusal',
  tool_use: 'tool',
}

/** What a server that speaks the Messages API has sent, whatever its status. `memory` learns from refusals. */
export function readMessageReply(reply: HttpReply, memory?: ShapeMemory): ModelReply {
  if (reply.status < 200 || reply.status > 299) return readRefusal(reply, memory)
  const body = readBody(reply.text, reply.headers.get('content-type'))
  if (body.kind === 'unreadable') return failureOfBody(`HTTP 200, but ${body.problem}`)
  const value = body.kind === 'stream' ? assemble(body) : body.value
  const error = z.looseObject({ error: z.unknown() }).safeParse(value).data?.error
  if (error !== undefined && error !== null) return failureInside(error)
  const parsed = Message.safeParse(value)
  if (!parsed.success) return failureOfBody(`HTTP 200, but the body is no message: ${describe(value, parsed.error)}`)
  memory?.confirm()
  const oddities = body.kind === 'stream' ? ['the answer came as a stream, though none was asked'] : body.oddities
  return answerOf(parsed.data, oddities)
}

function describe(value: unknown, error: z.ZodError): string {
  if (typeof value !== 'object' || value === null || 'content' in value) return z.prettifyError(error)
  const keys = Array.isArray(value) ? 'a list' : Object.keys(value).slice(0, 8).join(', ') || 'nothing in it'
  return `it has no content (${keys}); see whether decider.baseUrl is the address of a Messages API`
}

function answerOf(
  { model, content, stop_reason: reason, stop_details: details, usage }: Message,
  oddities: readonly string[],
): ModelReply {
  const texts = content.filter((block) => block.type === 'text').map((block) => block.text ?? '')
  const said = (reason ?? '').trim().toLowerCase()
  const stop = said === '' ? 'missing' : (ENDINGS[said] ?? 'incomplete')
  const { input_tokens: input, output_tokens: output } = usage ?? {}
  const cached = (usage?.cache_creation_input_tokens ?? 0) + (usage?.cache_read_input_tokens ?? 0)
  return {
    kind: 'answer',
    text: texts.length === 0 ? null : texts.join(''),
    stop,
    note: noteOn(),
    model: model ?? null,
    tokens:
      typeof input === 'number' && typeof output === 'number'
        ? // Cached input is counted apart from the rest; at list price, an upper bound for reads.
          { inputTokens: input + cached, outputTokens: output }
        : null,
    promptTokens: typeof input === 'number' ? input + cached : null,
    oddities,
  }

  function noteOn(): string | null {
    const why = details?.explanation ?? details?.category
    if (why !== null && why !== undefined) return why
    if (stop === 'incomplete') return `the answer ended with stop_reason ${JSON.stringify(reason)}`
    return texts.length === 0 ? `no text in the message (stop_reason ${reason ?? 'none'})` : null
  }
}

const Event = z.looseObject({
  type: text,
  message: z.looseObject({}).nullish().catch(null),
  delta: z.looseObject({ type: text, text, stop_reason: text }).nullish().catch(null),
  usage: z.looseObject({}).nullish().catch(null),
  error: z.unknown().optional(),
})

/** One message of the events of a stream; without its last event the ending is none that is good. */
function assemble({ pieces, isBroken }: Stream): unknown {
  const events = pieces.flatMap((piece) => {
    const parsed = Event.safeParse(piece)
    return parsed.success ? [parsed.data] : []
  })
  const failed = events.find(({ error }) => error !== undefined && error !== null)
  if (failed !== undefined) return { error: failed.error }
  const begun = events.find(({ type }) => type === 'message_start')?.message
  if (begun === undefined || begun === null) return pieces[0]
  const usage = { ...(begun.usage as object | undefined), ...events.findLast((event) => event.usage !== null)?.usage }
  const isEnded = events.some(({ type }) => type === 'message_stop')
  const reason = events.findLast(({ delta }) => (delta?.stop_reason ?? '') !== '')?.delta?.stop_reason
  const texts = events.flatMap(({ delta }) => (delta?.type === 'text_delta' ? [delta.text ?? ''] : []))
  return {
    ...begun,
    usage,
    stop_reason: isEnded && !isBroken ? reason : BROKEN_OFF,
    content: texts.length === 0 ? [] : [{ type: 'text', text: texts.join('') }],
  }
}
