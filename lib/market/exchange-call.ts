import { AsyncLocalStorage } from 'node:async_hooks'
import type { Exchange } from 'ccxt'
import { MarketDataError } from './market-data.ts'

/** An HTTP answer of 400 or above. ccxt's own classes do not tell: it maps 400 and 503 to the same one. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError'
  readonly status: number
  constructor(status: number, body: string) {
    super(`HTTP ${status}${body === '' ? '' : `: ${body.slice(0, 300)}`}`)
    this.status = status
  }
}

/** An answer that is not what its endpoint gives: cut off, not JSON, another shape. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError'
}

/** Waits before the second and the third try. Fixed: one caller, nothing to spread. */
const BACKOFF_MS = [200, 600]

/** ccxt errors that time may heal, by name: those a status of 200 can still carry, and the transport's own. */
const TRANSIENT = new Set([
  'OperationFailed',
  'NetworkError',
  'RequestTimeout',
  'ExchangeNotAvailable',
  'OnMaintenance',
  'DDoSProtection',
  'RateLimitExceeded',
])

const deadlineSignal = new AsyncLocalStorage<AbortSignal>()

/**
 * Makes an exchange's transport obey {@link callExchange}: its requests end when the call's deadline passes, the
 * reading of a stalled body included (ccxt's own timeout stops at the headers), statuses of 400 and above throw
 * {@link HttpStatusError}, redirects are refused, and every base URL becomes `baseUrl` when one is given.
 * For idempotent reading only.
 */
export function tameTransport(exchange: Exchange, baseUrl: string | null): void {
  exchange.fetchImplementation = (url: string, request: RequestInit) => {
    const signals = [request.signal, deadlineSignal.getStore()].filter(
      (signal) => signal !== null && signal !== undefined,
    )
    const { method, headers, body } = request
    return fetch(url, {
      method: method ?? 'GET',
      headers: headers ?? {},
      body: body ?? null,
      redirect: 'error',
      signal: AbortSignal.any(signals),
    })
  }
  const handleErrors = exchange.handleErrors.bind(exchange)
  exchange.handleErrors = (status, reason, url, method, headers, body, ...rest) => {
    if (Number(status) >= 400) throw new HttpStatusError(Number(status), String(body))
    return handleErrors(status, reason, url, method, headers, body, ...rest)
  }
  if (baseUrl !== null)
    exchange.urls['api'] = rebase(
      exchange.urls['api'],
      baseUrl.replace(/(?<!\/)\/+$/, ''),
    ) as (typeof exchange.urls)['api']
}

/** Replaces scheme and host of every URL in ccxt's tree of them; paths stay. */
function rebase(urls: unknown, baseUrl: string): unknown {
  if (typeof urls === 'string') return urls.replace(/^(?:https?|wss?):\/\/[^/]+/, baseUrl)
  if (urls === null || typeof urls !== 'object') return urls
  return Object.fromEntries(Object.entries(urls).map(([key, value]) => [key, rebase(value, baseUrl)]))
}

/**
 * One reading call: up to three tries on 429, 5xx, network failure or an unreadable answer, all within `timeoutMs`.
 * `attempt` must be idempotent and should parse its answer inside, so that a broken answer is tried again.
 * Rejects with {@link MarketDataError}, the last failure as its cause.
 */
export async function callExchange<T>(what: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new MarketDataError(`${what}: no complete answer within ${timeoutMs} ms`))
      controller.abort()
    }, timeoutMs)
  })
  try {
    return await Promise.race([
      deadline,
      deadlineSignal.run(controller.signal, () => tryRepeatedly(what, attempt, controller.signal)),
    ])
  } finally {
    clearTimeout(timer)
    controller.abort()
  }
}

async function tryRepeatedly<T>(what: string, attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (cause) {
      const waitMs = BACKOFF_MS[tries - 1]
      if (waitMs === undefined || signal.aborted || !isTransient(cause)) {
        if (cause instanceof MarketDataError) throw cause
        throw new MarketDataError(`${what}: ${messageOf(cause)}${tries > 1 ? ` (after ${tries} tries)` : ''}`, {
          cause,
        })
      }
      await pause(waitMs, signal)
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status === 429 || error.status >= 500
  if (error instanceof UnreadableAnswerError) return true
  // fetch reports a connection lost before or within the body as a TypeError.
  if (error instanceof TypeError) return /fetch failed|terminated/.test(error.message)
  return error instanceof Error && TRANSIENT.has(error.name)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500)

const pause = (waitMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
