import type { Prompt } from '../../schemas/cycle-record.ts'
import type { Decision, DecisionFailure, DecisionOutcome, ModelAttempt, ModelUsage } from '../../schemas/decision.ts'
import type { Clock } from '../core/time.ts'
import { holdBecause } from './hold-because.ts'
import type { ModelClient, ModelMessage, ModelReply, TokenCount } from './model-client.ts'
import { MAX_ANSWER_CHARACTERS, parseDecision } from './parse-decision.ts'
import { cleanMessage, removeSecret } from './redact.ts'
import type { Sleep } from './sleep.ts'
import { type ModelPrice, costOf } from './token-cost.ts'

export type AskOptions = {
  readonly client: ModelClient
  /** As configured; what the provider reports takes its place in the outcome. */
  readonly model: string
  /** Deadline of everything together: attempts, waiting and the repair. */
  readonly timeoutMs: number
  /** Further tries after 429, 5xx and network failures, over the whole decision. */
  readonly maxRetries: number
  readonly price: ModelPrice | null
  /** Kept out of every message and raw answer. */
  readonly apiKey: string
  readonly clock: Clock
  readonly sleep: Sleep
}

/** One corrected answer is asked for, and no more. */
const MAX_REPAIRS = 1
/** Parts of a request a client may find unsupported and leave out. */
const MAX_ADAPTATIONS = 2
/** Wait before the first retry where the server names none; doubles each time. No jitter: there is one client. */
const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 8_000

/**
 * Asks a model for one decision. Never rejects and never outlasts `timeoutMs`: whatever goes wrong is `hold` with
 * the failure recorded. At most 1 + maxRetries + 1 repair + 2 adaptations requests are made. An unreadable,
 * truncated or empty answer is shown to the model once with what is wrong; a refusal is taken as given.
 */
export async function askModel(prompt: Prompt, options: AskOptions): Promise<DecisionOutcome> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs)
  const log = new ExchangeLog(options)
  try {
    return await converse(prompt, options, deadline.signal, log)
  } catch (error) {
    // A fault of our own. The port promises never to reject, and to hold is always safe.
    return log.hold({
      kind: 'bad_request',
      message: `the question could not be asked: ${error instanceof Error ? error.message : String(error)}`,
    })
  } finally {
    clearTimeout(timer)
    // Ends a request that is still open.
    deadline.abort()
  }
}

async function converse(
  prompt: Prompt,
  options: AskOptions,
  signal: AbortSignal,
  log: ExchangeLog,
): Promise<DecisionOutcome> {
  const deadlineAt = options.clock() + options.timeoutMs
  const timeout: DecisionFailure = {
    kind: 'timeout',
    message: `no decision within ${options.timeoutMs} ms (decider.timeoutMs)`,
  }
  let messages: readonly ModelMessage[] = [{ role: 'user', content: prompt.user }]
  let retries = 0
  let repairs = 0
  let adaptations = 0
  for (;;) {
    const reply = await untilDeadline(options.client.ask({ system: prompt.system, messages }, signal), signal)
    if (reply === 'deadline' || (signal.aborted && reply.kind !== 'answer')) {
      log.note(null, timeout.message)
      return log.hold(timeout)
    }
    switch (reply.kind) {
      case 'adapted': {
        log.note(null, reply.problem)
        if (++adaptations > MAX_ADAPTATIONS) return log.hold({ kind: 'bad_request', message: reply.problem })
        break
      }
      case 'failure': {
        log.note(null, reply.failure.message)
        if (!reply.isTransient || retries >= options.maxRetries) return log.hold(reply.failure)
        const waitMs = reply.retryAfterMs ?? Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** retries)
        const leftMs = deadlineAt - options.clock()
        // Waiting past the deadline could only end in a timeout and would hide the cause.
        if (waitMs >= leftMs)
          return log.hold({
            ...reply.failure,
            message: `${reply.failure.message} (next try in ${waitMs} ms, ${Math.max(0, leftMs)} ms left)`,
          })
        retries++
        await options.sleep(waitMs, signal)
        break
      }
      case 'answer': {
        const answer = log.count(reply)
        const judged = judge(answer)
        log.note(answer.text, judged.ok ? null : judged.failure.message)
        if (judged.ok) return log.decide(judged.decision)
        if (judged.failure.kind === 'refusal' || repairs >= MAX_REPAIRS) return log.hold(judged.failure)
        repairs++
        messages = askForCorrection(prompt.user, answer.text, judged.failure.message)
        break
      }
      default:
        return reply satisfies never
    }
    if (signal.aborted) return log.hold(timeout)
  }
}

type Answer = Extract<ModelReply, { kind: 'answer' }>

/** Whether an answer is a decision, and if not what kind of failure it is. */
function judge(answer: Answer): { ok: true; decision: Decision } | { ok: false; failure: DecisionFailure } {
  const because = answer.note === null ? '' : `: ${answer.note}`
  if (answer.stop === 'refusal')
    return { ok: false, failure: { kind: 'refusal', message: `the model refused${because}` } }
  if (answer.stop === 'length')
    return {
      ok: false,
      failure: {
        kind: 'truncated',
        message: `the answer was cut off at the token limit (decider.maxOutputTokens)${because}`,
      },
    }
  const parsed = parseDecision(answer.text ?? '')
  if (parsed.ok) return parsed
  return {
    ok: false,
    failure: { kind: parsed.kind, message: parsed.kind === 'empty' ? `${parsed.problem}${because}` : parsed.problem },
  }
}

/** The question again with the unusable answer and what is wrong with it. An empty answer cannot be shown: providers refuse empty turns. */
function askForCorrection(question: string, answer: string | null, problem: string): ModelMessage[] {
  const correction = `Your answer could not be used: ${problem}. Give the same decision again, corrected and short: exactly one JSON object with the keys described, and nothing else.`
  if (answer === null || answer.trim() === '') return [{ role: 'user', content: `${question}\n\n${correction}` }]
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer.trimEnd() },
    { role: 'user', content: correction },
  ]
}

/** `work`, or the deadline if that comes first, whether or not the work heeds the signal. */
async function untilDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T | 'deadline'> {
  // A rejection after the deadline has nobody to hear it; it must not become an unhandled one.
  work.catch(() => undefined)
  if (signal.aborted) return 'deadline'
  let stop: (() => void) | undefined
  const deadline = new Promise<'deadline'>((resolve) => {
    stop = () => resolve('deadline')
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** Collects attempts, tokens and model over a conversation and makes the outcome of them. */
class ExchangeLog {
  readonly #options: AskOptions
  readonly #attempts: ModelAttempt[] = []
  #inputTokens = 0
  #outputTokens = 0
  #isCostKnown = true
  #model: string | null = null

  constructor(options: AskOptions) {
    this.#options = options
  }

  /** Takes down tokens and model; gives the answer back without the key, should a server have repeated it. */
  count(answer: Answer): Answer {
    this.#model = answer.model === null ? this.#model : removeSecret(answer.model, this.#options.apiKey)
    if (answer.tokens === null) this.#isCostKnown = false
    this.#inputTokens += answer.tokens?.inputTokens ?? 0
    this.#outputTokens += answer.tokens?.outputTokens ?? 0
    return { ...answer, text: answer.text === null ? null : removeSecret(answer.text, this.#options.apiKey) }
  }

  note(raw: string | null, problem: string | null): void {
    this.#attempts.push({
      raw: raw === null ? null : capped(raw, MAX_ANSWER_CHARACTERS),
      problem: problem === null ? null : capped(this.#clean(problem), MAX_PROBLEM_CHARACTERS),
    })
  }

  decide(decision: Decision): DecisionOutcome {
    return { ...this.#common(), decision, failure: null }
  }

  hold(failure: DecisionFailure): DecisionOutcome {
    return {
      ...this.#common(),
      ...holdBecause(failure.kind, capped(this.#clean(failure.message), MAX_PROBLEM_CHARACTERS)),
    }
  }

  #common() {
    const { client, model } = this.#options
    return { decider: client.name, model: this.#model ?? model, attempts: [...this.#attempts], usage: this.#usage() }
  }

  /** Answers only: what a provider bills for a request that failed or timed out is not known here. */
  #usage(): ModelUsage {
    const tokens: TokenCount = { inputTokens: this.#inputTokens, outputTokens: this.#outputTokens }
    const price = this.#options.price
    const costUsd = this.#isCostKnown ? costOf(tokens, price) : null
    return { ...tokens, costUsd }
  }

  #clean(message: string): string {
    return cleanMessage(message, this.#options.apiKey)
  }
}

/** A record has to fit into one stored item; what is longer was not accepted either. */
const MAX_PROBLEM_CHARACTERS = 2_000

const capped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}… [${text.length} characters, cut]`
