import type { EpochMs } from '../../core/time.ts'

/** One request to Advanced Trade as it is meant: the endpoint, its path variables and either a query or a body. */
export type WireRequest = {
  method: 'GET' | 'POST'
  /** Path below `/api/v3/brokerage/`, variables filled in, such as `orders/historical/0f3a…`. */
  path: string
  /**
   * The same path with its variables' names, such as `orders/historical/{order_id}`: what tells one endpoint from
   * another.
   */
  endpoint: string
  /** Path variables by name; they are in `path` already. */
  variables: Readonly<Record<string, string>>
  /** Query parameters of a GET; an array repeats its key. */
  query: Readonly<Record<string, string | readonly string[]>>
  /** JSON body of a POST. */
  body: Readonly<Record<string, unknown>> | null
  /** Whether the request has to be signed. */
  isSigned: boolean
}

/** A complete answer, whatever it says. */
export type WireAnswer = { status: number; text: string }

/**
 * Sends one request, once, and reads the whole answer within `timeoutMs`. Never sends after the instant `sendBy`,
 * however long the request had to wait for its turn. Rejects with {@link NoAnswerError} when there is no answer;
 * never for a status.
 */
export type Transport = (request: WireRequest, timeoutMs: number, sendBy?: EpochMs) => Promise<WireAnswer>

/** No complete answer came: refused connection, timeout, cut or stalled body. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  /** False only when nothing can have reached the venue. */
  readonly wasSent: boolean
  constructor(message: string, { wasSent, cause }: { wasSent: boolean; cause?: unknown }) {
    super(message, { cause })
    this.wasSent = wasSent
  }
}
