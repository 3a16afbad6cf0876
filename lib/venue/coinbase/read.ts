import type { Clock, EpochMs } from '../../core/time.ts'
import { BrokerError } from '../broker.ts'
import { complaintOf, issuesOf, jsonIn, messageOf, nameOf } from './answer.ts'
import type { Question } from './request.ts'
import { NoAnswerError, type Transport, type WireAnswer } from './wire.ts'

/** Waits before the second and the third try. Fixed: one caller, nothing to spread. */
const BACKOFF_MS = [250, 750]
/** All tries of one question together may take this many times the deadline of one. */
const PATIENCE = 2

export type ReaderOptions = {
  transport: Transport
  /** Deadline of one request, its body included. */
  timeoutMs: number
  clock: Clock
  sleep: (ms: number) => Promise<void>
}

/** Asks what has no side effects. Both reject with {@link BrokerError}, naming the endpoint and the cause. */
export type Reader = {
  /** No try begins after `until`. */
  read<T>(question: Question<T>, until?: EpochMs): Promise<T>
  /** Null where the venue says in its own words that there is no such thing; a bare 404 of anybody's is an error. */
  find<T>(question: Question<T>): Promise<T | null>
}

/** The venue has answered, and will not answer otherwise when it is asked again. */
export class RefusedQuestion extends BrokerError {
  readonly status: number
  /** Such as INVALID_ARGUMENT; empty where the body names none. */
  readonly code: string
  constructor(message: string, { status, code }: { status: number; code: string }) {
    super(message)
    this.status = status
    this.code = code
  }
}

type Heard<T> =
  | { kind: 'answer'; value: T }
  | { kind: 'refused'; error: RefusedQuestion }
  | { kind: 'trouble'; text: string; cause?: unknown }

/**
 * Up to three tries on no answer, 429, 5xx or an unreadable answer, all within twice `timeoutMs`. Other refusals
 * are final.
 */
export function createReader({ transport, timeoutMs, clock, sleep }: ReaderOptions): Reader {
  const hear = async <T>({ request, answer: schema }: Question<T>, allowedMs: number): Promise<Heard<T>> => {
    let answer: WireAnswer
    try {
      answer = await transport(request, allowedMs)
    } catch (cause) {
      if (cause instanceof NoAnswerError) return { kind: 'trouble', text: cause.message, cause }
      throw new BrokerError(`${nameOf(request)}: ${messageOf(cause)}`, { cause })
    }
    if (answer.status === 200) {
      const parsed = schema.safeParse(jsonIn(answer))
      return parsed.success
        ? { kind: 'answer', value: parsed.data }
        : { kind: 'trouble', text: `unreadable answer: ${issuesOf(parsed.error)}` }
    }
    const { code, text } = complaintOf(answer)
    const mayHeal = answer.status === 429 || answer.status >= 500
    return mayHeal
      ? { kind: 'trouble', text }
      : { kind: 'refused', error: new RefusedQuestion(`${nameOf(request)}: ${text}`, { status: answer.status, code }) }
  }

  const ask = async <T>(question: Question<T>, until: EpochMs): Promise<T | RefusedQuestion> => {
    const end = Math.min(until, clock() + PATIENCE * timeoutMs)
    for (let tries = 1; ; tries++) {
      const heard = await hear(question, Math.max(1, Math.min(timeoutMs, end - clock())))
      if (heard.kind === 'answer') return heard.value
      if (heard.kind === 'refused') return heard.error
      const waitMs = BACKOFF_MS[tries - 1]
      if (waitMs === undefined || clock() + waitMs >= end) {
        throw new BrokerError(
          `${nameOf(question.request)}: ${heard.text}${tries > 1 ? ` (after ${tries} tries)` : ''}`,
          { cause: heard.cause },
        )
      }
      await sleep(waitMs)
    }
  }

  return {
    async read(question, until = Number.POSITIVE_INFINITY) {
      const heard = await ask(question, until)
      if (heard instanceof RefusedQuestion) throw heard
      return heard
    },
    async find(question) {
      const heard = await ask(question, Number.POSITIVE_INFINITY)
      if (!(heard instanceof RefusedQuestion)) return heard
      if (heard.code === 'NOT_FOUND') return null
      throw heard
    },
  }
}
