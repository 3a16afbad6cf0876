import type { DecisionFailure } from '../../schemas/decision.ts'
import { type ErrorWords, wordsOfError } from './error-words.ts'
import type { ModelReply } from './model-client.ts'

export type Failure = Extract<ModelReply, { kind: 'failure' }>

const failure = (
  kind: DecisionFailure['kind'],
  message: string,
  isTransient: boolean,
  retryAfterMs: number | null = null,
): Failure => ({
  kind: 'failure',
  failure: { kind, message },
  isTransient,
  retryAfterMs,
})

/** Provider codes of a spent quota: it comes as 429 or 403, but waiting does not mend it. */
const SPENT = /insufficient_quota|billing|credit balance|spend_limit|quota exceeded/i

/**
 * What an HTTP error status of a provider means. Only 408, 425, 429 and 5xx (529 is "overloaded") are worth another
 * try.
 */
export function failureOfStatus(
  status: number,
  { message, code, retryDelayMs }: Pick<ErrorWords, 'message' | 'code' | 'retryDelayMs'>,
  headers: Pick<Headers, 'get'> | undefined,
): Failure {
  const words = `HTTP ${status}: ${message}`
  const waitMs = retryAfter(headers) ?? retryDelayMs
  const isSpent = SPENT.test(`${code} ${message}`) && retryDelayMs === null
  if (status === 402 || ((status === 429 || status === 403 || status === 400) && isSpent))
    return failure('budget', words, false)
  if (status === 401 || status === 403) return failure('unauthorized', words, false)
  if (status === 429) return failure('rate_limited', words, true, waitMs)
  if (status >= 500 || status === 408 || status === 425) return failure('server_error', words, true, waitMs)
  return failure(status === 404 ? 'not_found' : 'bad_request', words, false)
}

/** An error inside an answer with status 200: by its own code where that is an HTTP status, else a server's failure. */
export function failureInside(error: unknown): Failure {
  const words = wordsOfError(error)
  const inside = failureOfStatus(statusIn(words) ?? 500, words, undefined)
  const message = `HTTP 200 with an error in the body: ${words.message}`
  return { ...inside, failure: { ...inside.failure, message } }
}

/** The HTTP status that an error in a body names as its code. */
export const statusIn = ({ code }: Pick<ErrorWords, 'code'>): number | undefined =>
  code
    .split(' ')
    .map(Number)
    .find((status) => Number.isInteger(status) && status >= 400 && status <= 599)

/** The connection failed: refused, reset, broken off inside the body. */
export const failureOfConnection = (error: unknown): Failure => failure('network', causes(error), true)

/** HTTP 200 with something in it that is no answer: a gateway's page, an error in disguise. */
export const failureOfBody = (problem: string): Failure => failure('server_error', problem, true)

/** A failure we did not foresee; another try would meet it again. */
export const failureOfBug = (error: unknown): Failure =>
  failure('bad_request', `the request could not be made: ${causes(error)}`, false)

/** Messages of an error and its causes, outermost first. */
function causes(error: unknown): string {
  const words: string[] = []
  let next: unknown = error
  for (let depth = 0; depth < 5 && next instanceof Error; depth++) {
    const code = 'code' in next && typeof next.code === 'string' ? ` (${next.code})` : ''
    words.push(`${next.message}${code}`)
    next = next.cause
  }
  return words.length > 0 ? words.join(': ') : String(error)
}

/**
 * Milliseconds the server asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date. A date is
 * read against the answer's own `Date`, so that a wrong clock here does not matter. null when not said.
 */
function retryAfter(headers: Pick<Headers, 'get'> | undefined): number | null {
  const ms = positive(headers?.get('retry-after-ms'))
  if (ms !== null) return ms
  const after = headers?.get('retry-after')
  const seconds = positive(after)
  if (seconds !== null) return seconds * 1_000
  return positive(String(Date.parse(after ?? '') - Date.parse(headers?.get('date') ?? '')))
}

function positive(text: string | null | undefined): number | null {
  const value = text === null || text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : null
}
