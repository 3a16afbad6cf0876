import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type EpochMs } from '../../../lib/core/time.ts'
import { control, type ControlledClock } from './control.ts'
import { createFakeVenue, type FakeVenue } from './fake-venue.ts'
import { judgeToken, type VenueKey } from './jwt.ts'
import { createManualClock } from './manual-clock.ts'
import type { VenueOptions } from './options.ts'
import { isRecord, problem, type VenueReply, type VenueRequest } from './request.ts'
import { scopeOf } from './routes.ts'

const PREFIX = '/api/v3/brokerage/'
/** The host that tokens are for, whatever the address behind it. */
const SIGNED_HOST = 'api.coinbase.com'

export type VenueServerOptions = {
  keys: readonly VenueKey[]
  /** Requests a second of real time, beyond which 429 is the answer; no limit when left out. */
  rateLimit?: { signed: number; public: number }
} & (
  | { venue: FakeVenue; clock?: ControlledClock }
  /** The server makes the venue, on a clock that stands at `startAt` until `/control/time` moves it. */
  | { options: Omit<VenueOptions, 'clock'>; startAt: EpochMs }
)

/** A request as it arrived; `key` is the name of the key that signed it, `refusal` why a signature did not count. */
export type ArrivedRequest = VenueRequest & { key: string | null; refusal: string | null }

export type VenueServer = {
  /** Origin, such as `http://127.0.0.1:4711`. */
  url: string
  venue: FakeVenue
  /** Oldest first. */
  requests: readonly ArrivedRequest[]
  close(): Promise<void>
}

/**
 * The fake venue on a loopback port. Private paths need a token, judged on the real clock; `POST /control/…` needs
 * none. A refused connection cannot be had from a server that listens: that fault resets the connection instead.
 */
export async function startVenueServer(settings: VenueServerOptions): Promise<VenueServer> {
  const { venue, clock } = venueOf(settings)
  const requests: ArrivedRequest[] = []
  const limiter = createLimiter(settings.rateLimit)

  const answerRequest = (request: IncomingMessage, response: ServerResponse, text: string): void => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const method = request.method ?? 'GET'
    const body = parseJson(text)
    if (url.pathname.startsWith('/control/'))
      return sendControl(response, () => control(venue, clock, url.pathname.slice('/control/'.length), body ?? null))
    if (!url.pathname.startsWith(PREFIX)) return send(response, 404, problem(404, 'NOT_FOUND', url.pathname).text)
    const path = url.pathname.slice(PREFIX.length)
    const scope = scopeOf(method, path)
    const arrived: ArrivedRequest = { method, path, query: queryOf(url), body: body ?? null, key: null, refusal: null }
    requests.push(arrived)
    if (!limiter(scope === null ? 'public' : 'signed'))
      return send(response, 429, problem(429, 'RESOURCE_EXHAUSTED', 'Too many requests').text)
    if (scope !== null) {
      const judged = judgeToken(request.headers.authorization, {
        uri: `${method} ${SIGNED_HOST}${url.pathname}`,
        nowS: Date.now() / 1_000,
        keys: settings.keys,
      })
      if ('reason' in judged) {
        arrived.refusal = judged.reason
        return sendText(response, 401, 'Unauthorized')
      }
      arrived.key = judged.key.name
      if (!judged.key.scopes.includes(scope))
        return send(response, 403, problem(403, 'PERMISSION_DENIED', 'Missing required scopes').text)
    }
    if (body === undefined)
      return send(
        response,
        400,
        problem(400, 'INVALID_ARGUMENT', 'proto: syntax error (line 1:1): unexpected token').text,
      )
    transmit(response, withScopes(venue.handle(arrived), arrived, settings.keys))
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answerRequest(request, response, Buffer.concat(chunks).toString('utf8')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    venue,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function venueOf(settings: VenueServerOptions): { venue: FakeVenue; clock: ControlledClock } {
  if ('venue' in settings)
    return { venue: settings.venue, clock: settings.clock ?? { now: settings.venue.options.clock } }
  const clock = createManualClock(settings.startAt)
  return { venue: createFakeVenue({ ...settings.options, clock: clock.now }), clock }
}

/** The answer to `key_permissions` tells of the key that asks. */
function withScopes(reply: VenueReply, { path, key }: ArrivedRequest, keys: readonly VenueKey[]): VenueReply {
  const scopes = keys.find((one) => one.name === key)?.scopes
  if (path !== 'key_permissions' || reply.kind !== 'answer' || reply.status !== 200 || scopes === undefined)
    return reply
  const told: unknown = parseJson(reply.text)
  const own = {
    can_view: scopes.includes('view'),
    can_trade: scopes.includes('trade'),
    can_transfer: scopes.includes('transfer'),
  }
  return isRecord(told) ? { ...reply, text: JSON.stringify({ ...told, ...own }) } : reply
}

/** null for no text, undefined for what is no JSON. */
function parseJson(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function queryOf(url: URL): Record<string, readonly string[]> {
  const query: Record<string, readonly string[]> = {}
  for (const key of new Set(url.searchParams.keys())) query[key] = url.searchParams.getAll(key)
  return query
}

const send = (response: ServerResponse, status: number, text: string): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) })
    .end(text)
}

const sendText = (response: ServerResponse, status: number, text: string): void => {
  response
    .writeHead(status, { 'content-type': 'text/plain', 'content-length': String(Buffer.byteLength(text)) })
    .end(text)
}

function sendControl(response: ServerResponse, act: () => unknown): void {
  try {
    send(response, 200, JSON.stringify(act()))
  } catch (error) {
    send(response, 400, JSON.stringify({ message: error instanceof Error ? error.message : String(error) }))
  }
}

/** Bytes announced and never sent when a connection is to end inside its body. */
const MISSING_BYTES = 1_000

function transmit(response: ServerResponse, reply: VenueReply): void {
  switch (reply.kind) {
    case 'answer': {
      const deliver = (): void => (reply.text.startsWith('{') ? send : sendText)(response, reply.status, reply.text)
      if (reply.delayMs > 0) setTimeout(deliver, reply.delayMs)
      else deliver()
      return
    }
    case 'refused':
    case 'dropped':
      response.socket?.resetAndDestroy()
      return
    case 'stalled':
      if (reply.text !== '') response.writeHead(reply.status, { 'content-type': 'application/json' }).write(reply.text)
      return
    case 'cut':
      response
        .writeHead(reply.status, {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(reply.text) + MISSING_BYTES),
        })
        .write(reply.text, () => response.socket?.resetAndDestroy())
      return
    default:
      reply satisfies never
  }
}

/** Whether one more request of a kind fits into its second. */
function createLimiter(limit: VenueServerOptions['rateLimit']): (kind: 'signed' | 'public') => boolean {
  const recent: Record<'signed' | 'public', number[]> = { signed: [], public: [] }
  return (kind) => {
    if (limit === undefined) return true
    const now = Date.now()
    recent[kind] = recent[kind].filter((at) => at > now - 1_000)
    if (recent[kind].length >= limit[kind]) return false
    recent[kind].push(now)
    return true
  }
}
