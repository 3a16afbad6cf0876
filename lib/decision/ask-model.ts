import type { Prompt } from '../../schemas/cycle-record.ts'
import {
  type Decision,
  type DecisionFailure,
  type DecisionOutcome,
  type ModelAttempt,
  type ModelUsage,
  isEntry,
} from '../../schemas/decision.ts'
import type { Clock } from '../core/time.ts'
import { holdBecause } from './hold-because.ts'
import { type Judged, judgeReply } from './judge-reply.ts'
import type { ModelClient, ModelMessage, ModelReply, TokenCount } from './model-client.ts'
import { cleanMessage, removeSecrets } from './redact.ts'
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
  /** Kept out of everything that is stored or shown; answers are read as they came. */
  readonly secrets: readonly string[]
  readonly clock: Clock
  readonly sleep: Sleep
}

/** One corrected answer is asked for, and no more. */
const MAX_REPAIRS = 1
/**
 * Parts of a request a client may find unsupported: two formats, the limit's name, the temperature, the system role.
 */
const MAX_ADAPTATIONS = 6
/** Wait before the first retry where the server names none; doubles each time. No jitter: there is one client. */
const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 8_000

/**
 * Asks a model for one decision. Never rejects and never outlasts `timeoutMs`: whatever goes wrong is `hold` with
 * the failure recorded. At most 1 + maxRetries + 1 repair + 6 adaptations requests are made. An unreadable,
 * truncated or empty answer is shown to the model once with what is wrong; a refusal is taken as given. An answer that
 * did not end well, or to a question that was cut short, is a failure of the server: it is asked again as after a 500.
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
    const judged = judgeReply(reply, prompt, options.secrets)
    log.take(reply, judged)
    switch (judged.kind) {
      case 'decided':
        return log.decide(judged.decision)
      case 'adapted':
        if (++adaptations > MAX_ADAPTATIONS) return log.hold({ kind: 'bad_request', message: judged.problem })
        break
      case 'final':
        return log.hold(judged.failure)
      case 'retry': {
        if (retries >= options.maxRetries) return log.hold(judged.failure)
        const waitMs = judged.retryAfterMs ?? Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** retries)
        const leftMs = deadlineAt - options.clock()
        // Waiting past the deadline could only end in a timeout and would hide the cause.
        if (waitMs >= leftMs)
          return log.hold({
            ...judged.failure,
            message: `${judged.failure.message} (next try in ${waitMs} ms, ${Math.max(0, leftMs)} ms left)`,
          })
        retries++
        await options.sleep(waitMs, signal)
        break
      }
      case 'repair':
        if (repairs >= MAX_REPAIRS) return log.hold(judged.failure)
        repairs++
        messages = askForCorrection(prompt.user, judged.answer, judged.failure.message)
        break
      default:
        return judged satisfies never
    }
    if (signal.aborted) return log.hold(timeout)
  }
}

/** Longest name of a model that is kept. */
const MAX_NAME_CHARACTERS = 200

/** Longest part of an answer that is shown again. */
const MAX_SHOWN_CHARACTERS = 4_000

/**
 * The question again with the unusable answer and what is wrong with it. An empty answer cannot be shown: providers
 * refuse empty turns.
 */
function askForCorrection(question: string, answer: string, problem: string): ModelMessage[] {
  const correction = `Your answer could not be used: ${problem}. Give the same decision again, corrected and short: exactly one JSON object with the keys described, and nothing else.`
  const shown = answer.slice(0, MAX_SHOWN_CHARACTERS).trimEnd()
  if (shown === '') return [{ role: 'user', content: `${question}\n\n${correction}` }]
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: shown },
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

  /** Takes down what one exchange said and cost. */
  take(reply: ModelReply, judged: Judged): void {
    switch (reply.kind) {
      case 'adapted':
        return this.note(null, reply.problem, [reply.change])
      case 'failure':
        return this.note(null, reply.failure.message)
      case 'answer': {
        if (reply.model !== null)
          this.#model = removeSecrets(reply.model, this.#options.secrets).slice(0, MAX_NAME_CHARACTERS)
        if (reply.tokens === null) this.#isCostKnown = false
        this.#inputTokens += reply.tokens?.inputTokens ?? 0
        this.#outputTokens += reply.tokens?.outputTokens ?? 0
        if (judged.kind === 'decided') return this.note(reply.text, null, judged.notes)
        return this.note(reply.text, 'failure' in judged ? judged.failure.message : null, reply.oddities)
      }
      default:
        return reply satisfies never
    }
  }

  note(raw: string | null, problem: string | null, notes: readonly string[] = []): void {
    this.#attempts.push({
      raw: raw === null ? null : shortened(removeSecrets(raw, this.#options.secrets)),
      problem: problem === null ? null : this.#clean(problem),
      note: notes.length === 0 ? null : this.#clean(notes.join('; ')),
    })
  }

  decide(decision: Decision): DecisionOutcome {
    return { ...this.#common(), decision: withoutSecrets(decision, this.#options.secrets), failure: null }
  }

  hold(failure: DecisionFailure): DecisionOutcome {
    return { ...this.#common(), ...holdBecause(failure.kind, this.#clean(failure.message)) }
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
    return cleanMessage(message, this.#options.secrets)
  }
}

/**
 * A record has to fit into one stored item. Reasoning stands first in an answer, and what decides last: both ends are
 * kept.
 */
const MAX_RAW_CHARACTERS = 20_000

function shortened(text: string): string {
  if (text.length <= MAX_RAW_CHARACTERS) return text
  const half = MAX_RAW_CHARACTERS / 2
  return `${text.slice(0, half)}… [${text.length} characters, cut here] …${text.slice(-half)}`
}

/** The decision with its texts as they may be stored; what it does is not touched. */
function withoutSecrets(decision: Decision, secrets: readonly string[]): Decision {
  const rationale = removeSecrets(decision.rationale, secrets)
  return isEntry(decision)
    ? { ...decision, rationale, invalidation: removeSecrets(decision.invalidation, secrets) }
    : { ...decision, rationale }
}
