import { AsyncLocalStorage } from 'node:async_hooks'
import { InvariantError } from '../../core/invariant.ts'
import { type Clock, type EpochMs, toIso } from '../../core/time.ts'
import type { ExchangeClass } from '../../market/load-exchange.ts'
import { messageOf, nameOf } from './answer.ts'
import { checkCredentials, type Key } from './credentials.ts'
import { sendHttpOnce } from './http-once.ts'
import { loadCoinbaseClass } from './load-class.ts'
import { NoAnswerError, type Transport, type WireAnswer, type WireRequest } from './wire.ts'

export type CcxtTransportOptions = Key & {
  /** Replaces `https://api.coinbase.com` as the place requests go to; what is signed stays the same. */
  baseUrl: string | null
  clock: Clock
  /** The ccxt class; by default imported now. */
  load?: () => Promise<ExchangeClass>
}

/** One request on its way. */
type Carriage = {
  request: WireRequest
  signal: AbortSignal
  sendBy: EpochMs
  wasSent: boolean
  answer: WireAnswer | null
}

const API = 'https://api.coinbase.com'
/** Longer than any deadline: ours ends a request, not ccxt's. */
const CCXT_TIMEOUT_MS = 600_000

/**
 * Sends requests through ccxt's own class, one instance for one broker: ccxt chooses the path, keeps the rate limits
 * (30 private and 10 public requests a second, by the costs in its table) and signs. The carrying itself is ours, for
 * ccxt's stops at the headers, retries, follows its own idea of errors and forgets the status. Rejects with UsageError
 * for credentials that cannot work.
 */
export async function createCcxtTransport({
  apiKey,
  privateKey,
  baseUrl,
  clock,
  load = loadCoinbaseClass,
}: CcxtTransportOptions): Promise<Transport> {
  const credentials = checkCredentials({ apiKey, privateKey })
  const Exchange = await load()
  const exchange = new Exchange({
    apiKey: credentials.apiKey,
    secret: credentials.privateKey,
    enableRateLimit: true,
    timeout: CCXT_TIMEOUT_MS,
    options: { maxRetriesOnFailure: 0 },
  })
  const host = (baseUrl ?? API).replace(/(?<!\/)\/+$/, '')
  const carriages = new AsyncLocalStorage<Carriage>()

  // What ccxt calls once it has waited its turn and signed. Its own reading of the answer is of no use here.
  exchange.fetch = async (
    url: string,
    method = 'GET',
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<unknown> => {
    const carriage = carriages.getStore()
    if (carriage === undefined) throw new InvariantError('ccxt asks for something that nobody asked it for')
    carriage.answer = await carry(carriage, { url, method, headers: headers ?? {}, body: body ?? null, host, clock })
    return null
  }

  return async (request, timeoutMs, sendBy = Number.POSITIVE_INFINITY) => {
    const call = implicitMethod(exchange, request)
    const controller = new AbortController()
    const carriage: Carriage = { request, signal: controller.signal, sendBy, wasSent: false, answer: null }
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // From here on nothing is sent: a request that still waits for its turn finds the signal aborted.
        controller.abort()
        reject(new NoAnswerError(`no complete answer within ${timeoutMs} ms`, carriage))
      }, timeoutMs)
    })
    try {
      await Promise.race([
        timeout,
        carriages.run(carriage, () => call({ ...request.variables, ...request.query, ...request.body })),
      ])
    } catch (cause) {
      if (cause instanceof NoAnswerError || cause instanceof InvariantError) throw cause
      throw new NoAnswerError(describeFailure(cause), { wasSent: carriage.wasSent, cause })
    } finally {
      clearTimeout(timer)
      controller.abort()
    }
    if (carriage.answer === null) throw new NoAnswerError('ccxt sent nothing', carriage)
    return carriage.answer
  }
}

type Signed = {
  url: string
  method: string
  headers: Record<string, string>
  body: string | null
  host: string
  clock: Clock
}

/** Sends once and reads the body whole. Redirects are answers, not followed. */
async function carry(carriage: Carriage, { url, method, headers, body, host, clock }: Signed): Promise<WireAnswer> {
  const { request, signal, sendBy } = carriage
  const { origin, pathname, search } = new URL(url)
  if (origin !== API || pathname !== `/api/v3/brokerage/${request.path}` || method !== request.method) {
    throw new InvariantError(`ccxt made ${method} ${origin}${pathname} of ${nameOf(request)}`)
  }
  if (signal.aborted) throw new NoAnswerError('waited too long for its turn', { wasSent: false })
  if (clock() > sendBy) throw new NoAnswerError(`could not leave by ${toIso(sendBy)}`, { wasSent: false })
  return sendHttpOnce({
    url: `${host}${pathname}${search}`,
    method: request.method,
    headers,
    body,
    signal,
    onConnected: () => {
      carriage.wasSent = true
    },
  })
}

/** ccxt's name for an endpoint: `v3PrivateGetBrokerageCfmPositionsProductId`. */
function implicitMethod(
  exchange: object,
  { method, endpoint, isSigned }: WireRequest,
): (parameters: object) => Promise<unknown> {
  const words = ['brokerage', ...endpoint.split(/[^A-Za-z0-9]/)].map(
    (word) => word.charAt(0).toUpperCase() + word.slice(1),
  )
  const name = `v3${isSigned ? 'Private' : 'Public'}${method === 'GET' ? 'Get' : 'Post'}${words.join('')}`
  const found: unknown = Reflect.get(exchange, name)
  if (typeof found !== 'function') throw new InvariantError(`this ccxt has no ${name}`)
  return (parameters) => found.call(exchange, parameters)
}

/** With its code, for the message alone may be empty: several addresses tried are one error without words. */
const describeFailure = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = messageOf(error)
  return message.includes(code) ? message : `${code} ${message}`.trim()
}
