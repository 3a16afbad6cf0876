import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { askBalanceSummary } from '../../../lib/venue/coinbase/endpoints/balance-summary.ts'
import { cancelOrder } from '../../../lib/venue/coinbase/endpoints/batch-cancel.ts'
import { closePosition } from '../../../lib/venue/coinbase/endpoints/close-position.ts'
import { createBracket, createEntry } from '../../../lib/venue/coinbase/endpoints/create-order.ts'
import { askFills } from '../../../lib/venue/coinbase/endpoints/fills.ts'
import { askKeyPermissions } from '../../../lib/venue/coinbase/endpoints/key-permissions.ts'
import { askOrder } from '../../../lib/venue/coinbase/endpoints/order.ts'
import { askOrders } from '../../../lib/venue/coinbase/endpoints/orders.ts'
import { askPosition } from '../../../lib/venue/coinbase/endpoints/position.ts'
import { askPositions } from '../../../lib/venue/coinbase/endpoints/positions.ts'
import { askPreview } from '../../../lib/venue/coinbase/endpoints/preview-order.ts'
import { askProduct } from '../../../lib/venue/coinbase/endpoints/product.ts'
import { askServerTime } from '../../../lib/venue/coinbase/endpoints/server-time.ts'
import { askFuturesFees } from '../../../lib/venue/coinbase/endpoints/transaction-summary.ts'
import { createCcxtTransport } from '../../../lib/venue/coinbase/transport.ts'
import { NoAnswerError, type Transport, type WireRequest } from '../../../lib/venue/coinbase/wire.ts'
import { UsageError } from '../../../lib/core/invariant.ts'
import { loadExchange } from '../../../lib/market/load-exchange.ts'
import {
  type Behaviour,
  resetConnection,
  resetInBody,
  type ScriptedServer,
  sendJson,
  sendText,
  stallBeforeHeaders,
  stallInBody,
  startScriptedServer,
} from '../../support/scripted-server.ts'
import { close, entry, NOW, protect, SYMBOL } from './support.ts'

const API_KEY = 'organizations/0a1b2c3d-0000-4000-8000-000000000001/apiKeys/0a1b2c3d-0000-4000-8000-000000000002'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = privateKey.export({ type: 'sec1', format: 'pem' }).toString()

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

type Seen = { method: string | undefined; path: string; body: unknown; authorization: string | undefined }

/** The real ccxt class against a loopback server. */
async function start(...script: Behaviour[]): Promise<{ transport: Transport; server: ScriptedServer; seen: Seen[] }> {
  const seen: Seen[] = []
  server = await startScriptedServer(
    script.map((behaviour): Behaviour => (response, received) => {
      seen.push({
        method: response.req.method,
        path: received.path,
        body: received.body,
        authorization: received.headers.authorization,
      })
      behaviour(response, received)
    }),
  )
  const transport = await createCcxtTransport({
    apiKey: API_KEY,
    privateKey: PEM,
    baseUrl: server.url,
    clock: () => NOW,
  })
  return { transport, server, seen }
}

const READ = askBalanceSummary().request
const WRITE = createBracket(protect())
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  )

const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
const tokenOf = ({ authorization }: Seen): string => authorization?.replace(/^Bearer /, '') ?? ''

const REQUESTS: { request: WireRequest; query: string }[] = [
  { request: askKeyPermissions().request, query: '' },
  { request: askProduct(SYMBOL).request, query: '' },
  { request: askFuturesFees().request, query: 'product_type=FUTURE&product_venue=FCM' },
  { request: askBalanceSummary().request, query: '' },
  { request: askPosition(SYMBOL).request, query: '' },
  { request: askPositions().request, query: '' },
  { request: askOrder('0f3a-1').request, query: '' },
  {
    request: askOrders(
      { symbol: SYMBOL, statuses: ['PENDING', 'QUEUED'], source: 'RETAIL_SIMPLE', from: NOW, until: NOW + 1 },
      'c=1&x',
    ).request,
    query: `product_ids=${SYMBOL}&order_placement_source=RETAIL_SIMPLE&order_status=PENDING&order_status=QUEUED&start_date=2026-11-21T12%3A00%3A00Z&end_date=2026-11-21T12%3A00%3A00.001Z&limit=100&cursor=c%3D1%26x`,
  },
  {
    request: askFills(SYMBOL, NOW, '').request,
    query: `product_ids=${SYMBOL}&start_sequence_timestamp=2026-11-21T12%3A00%3A00Z&limit=100`,
  },
  { request: askPreview(entry(), { configuration: 'sor_limit_ioc', isBracketAttached: true }).request, query: '' },
  { request: createEntry(entry(), { configuration: 'market_market_ioc', isBracketAttached: false }), query: '' },
  { request: createBracket(protect()), query: '' },
  { request: closePosition(close()), query: '' },
  { request: cancelOrder('0f3a-1'), query: '' },
]

describe('through ccxt', () => {
  it('every endpoint goes where it is meant to, with the body it is meant to have', async () => {
    const { transport, seen } = await start(sendJson(200, {}))
    for (const { request } of REQUESTS) expect(await transport(request, 2_000)).toEqual({ status: 200, text: '{}' })
    expect(seen.map(({ method, path, body }) => ({ method, path, body }))).toEqual(
      REQUESTS.map(({ request, query }) => ({
        method: request.method,
        path: `/api/v3/brokerage/${request.path}${query === '' ? '' : `?${query}`}`,
        body: request.body ?? '',
      })),
    )
  })

  it('each is signed for the real host, method and path, without the query', async () => {
    const { transport, seen } = await start(sendJson(200, {}))
    for (const { request } of REQUESTS) await transport(request, 2_000)
    const nonces = seen.map((each, index) => {
      const [header, claims, signature] = tokenOf(each).split('.')
      const { request } = REQUESTS[index] ?? {}
      expect(decode(header)).toEqual({
        alg: 'ES256',
        typ: 'JWT',
        kid: API_KEY,
        nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      })
      const { nbf, exp, ...rest } = decode(claims)
      expect(rest).toMatchObject({
        sub: API_KEY,
        iss: 'coinbase-cloud',
        uri: `${request?.method} api.coinbase.com/api/v3/brokerage/${request?.path}`,
      })
      expect(Number(exp) - Number(nbf)).toBe(120)
      expect(Math.abs(Number(nbf) * 1_000 - Date.now())).toBeLessThan(10_000)
      const bytes = Buffer.from(signature ?? '', 'base64url')
      expect(bytes).toHaveLength(64)
      expect(
        verify(
          'sha256',
          Buffer.from(`${header}.${claims}`),
          { key: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), dsaEncoding: 'ieee-p1363' },
          bytes,
        ),
      ).toBe(true)
      return decode(header)['nonce']
    })
    expect(new Set(nonces).size).toBe(REQUESTS.length)
  })

  it('the time is asked without a key', async () => {
    const { transport, seen } = await start(sendJson(200, {}))
    await transport(askServerTime().request, 2_000)
    expect(seen).toEqual([{ method: 'GET', path: '/api/v3/brokerage/time', body: '', authorization: undefined }])
  })

  it.each([
    {
      what: 'a refusal that ccxt throws for',
      behaviour: sendJson(200, { success: false, error_response: { error: 'INSUFFICIENT_FUND' } }),
      status: 200,
      text: '{"success":false,"error_response":{"error":"INSUFFICIENT_FUND"}}',
    },
    {
      what: 'numbers beyond 2^53, digit by digit',
      behaviour: sendText(200, '{"sequence": 12345678901234567890, "size": 1.10}', 'application/json'),
      status: 200,
      text: '{"sequence": 12345678901234567890, "size": 1.10}',
    },
    { what: 'no JSON', behaviour: sendText(200, 'hello', 'text/plain'), status: 200, text: 'hello' },
    { what: 'nothing', behaviour: sendText(200, '', 'text/plain'), status: 200, text: '' },
    { what: '204', behaviour: (response) => void response.writeHead(204).end(), status: 204, text: '' },
    {
      what: '400',
      behaviour: sendJson(400, { error: 'INVALID_ARGUMENT' }),
      status: 400,
      text: '{"error":"INVALID_ARGUMENT"}',
    },
    {
      what: '401 in plain text',
      behaviour: sendText(401, 'Unauthorized\n', 'text/plain'),
      status: 401,
      text: 'Unauthorized\n',
    },
    {
      what: '403',
      behaviour: sendJson(403, { error: 'PERMISSION_DENIED' }),
      status: 403,
      text: '{"error":"PERMISSION_DENIED"}',
    },
    { what: '404', behaviour: sendJson(404, { error: 'NOT_FOUND' }), status: 404, text: '{"error":"NOT_FOUND"}' },
    { what: '421', behaviour: sendText(421, '', 'text/plain'), status: 421, text: '' },
    { what: '429', behaviour: sendText(429, 'slow', 'text/plain'), status: 429, text: 'slow' },
    { what: '503 in HTML', behaviour: sendText(503, '<html>', 'text/html'), status: 503, text: '<html>' },
  ] satisfies { what: string; behaviour: Behaviour; status: number; text: string }[])(
    'the raw answer comes back, from one request: $what',
    async ({ behaviour, status, text }) => {
      const { transport, seen } = await start(behaviour)
      expect(await transport(READ, 2_000)).toEqual({ status, text })
      expect(await transport(WRITE, 2_000)).toEqual({ status, text })
      expect(seen).toHaveLength(2)
    },
  )

  it('a redirect is an answer, and nobody else gets the token', async () => {
    const { transport, seen } = await start(
      (response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
    )
    expect(await transport(WRITE, 2_000)).toEqual({ status: 307, text: '' })
    expect(seen.map(({ path }) => path)).toEqual(['/api/v3/brokerage/orders'])
  })

  it.each([
    { what: 'silence', behaviour: stallBeforeHeaders },
    { what: 'a stalled body', behaviour: stallInBody },
  ])('$what ends at the deadline, and is not sent again', async ({ behaviour }) => {
    const { transport, seen } = await start(behaviour)
    for (const request of [READ, WRITE]) {
      const startedAt = performance.now()
      const error = await rejection(transport(request, 250))
      expect(error).toBeInstanceOf(NoAnswerError)
      expect(error).toMatchObject({ wasSent: true, message: 'no complete answer within 250 ms' })
      expect(performance.now() - startedAt).toBeLessThan(1_500)
    }
    await wait(200)
    expect(seen).toHaveLength(2)
  })

  it.each([
    { what: 'a reset', behaviour: resetConnection },
    { what: 'a reset within the body', behaviour: resetInBody },
  ])('$what is no answer to something that was sent, once', async ({ behaviour }) => {
    const { transport, seen } = await start(behaviour)
    expect(await rejection(transport(WRITE, 2_000))).toMatchObject({ name: 'NoAnswerError', wasSent: true })
    await wait(200)
    expect(seen).toHaveLength(1)
  })

  it('a refused connection is known to have carried nothing', async () => {
    const { transport, server } = await start(sendJson(200, {}))
    await server.close()
    expect(await rejection(transport(WRITE, 2_000))).toMatchObject({
      name: 'NoAnswerError',
      wasSent: false,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('an order has a connection of its own', async () => {
    const ports: (number | undefined)[] = []
    const { transport } = await start((response) => {
      ports.push(response.req.socket.remotePort)
      response.end('{}')
    })
    for (const request of [READ, READ, WRITE, READ, WRITE]) await transport(request, 2_000)
    const [first, second, ...rest] = ports
    expect(second).toBe(first)
    expect(rest[0]).not.toBe(first)
    expect(rest[2]).not.toBe(rest[0])
    expect(rest[2]).not.toBe(first)
  })

  it('what may not leave any more does not', async () => {
    const { transport, seen } = await start(sendJson(200, {}))
    expect(await rejection(transport(WRITE, 2_000, NOW - 1))).toMatchObject({
      name: 'NoAnswerError',
      wasSent: false,
      message: 'could not leave by 2026-11-21T11:59:59.999Z',
    })
    expect(seen).toEqual([])
    await transport(WRITE, 2_000, NOW)
    expect(seen).toHaveLength(1)
  })

  it('what waited too long for its turn is never sent', async () => {
    const { transport, seen } = await start(sendJson(200, {}))
    const outcomes = await Promise.all(Array.from({ length: 45 }, () => rejection(transport(WRITE, 500))))
    const errors = outcomes.filter((outcome) => outcome !== 'no error')
    const unsent = errors.filter((error) => error instanceof NoAnswerError && !error.wasSent)
    // About 30 a second: half of them at most, with room for a slow machine, where one that was sent may not be
    // answered in time.
    expect(unsent.length).toBeGreaterThan(20)
    expect(errors.filter((error) => !(error instanceof NoAnswerError))).toEqual([])
    // Their turns come, and pass.
    await wait(1_500)
    expect(seen.length).toBeLessThanOrEqual(45 - unsent.length)
    expect(seen.length).toBeGreaterThanOrEqual(45 - errors.length)
  })

  it('public endpoints and those that cost like them keep to ten a second', async () => {
    const { transport } = await start(sendJson(200, {}))
    const startedAt = performance.now()
    await Promise.all(
      [askServerTime(), askServerTime(), askFuturesFees(), askProduct(SYMBOL), askProduct(SYMBOL), askServerTime()].map(
        ({ request }) => transport(request, 5_000),
      ),
    )
    expect(performance.now() - startedAt).toBeGreaterThan(450)
  })

  it('answers find their own questions when many are under way', async () => {
    const { transport } = await start(
      (response, { path }) =>
        void setTimeout(() => response.end(JSON.stringify({ path })), path.endsWith('1') ? 120 : 0),
    )
    const ids = ['a1', 'b2', 'c1', 'd4', 'e1']
    const answers = await Promise.all(ids.map((id) => transport(askOrder(id).request, 2_000)))
    expect(answers.map(({ text }) => text)).toEqual(
      ids.map((id) => `{"path":"/api/v3/brokerage/orders/historical/${id}"}`),
    )
  })

  it('no error tells a secret', async () => {
    const { transport, server, seen } = await start(resetConnection, stallBeforeHeaders)
    const errors = [await rejection(transport(WRITE, 1_000)), await rejection(transport(WRITE, 200))]
    await server.close()
    errors.push(await rejection(transport(WRITE, 1_000)))
    const told = inspect(errors, { depth: 8, getters: true, showHidden: true })
    for (const secret of [
      ...PEM.split('\n').filter((line) => line.length > 20 && !line.startsWith('-')),
      ...seen.map(tokenOf),
    ])
      expect(told).not.toContain(secret)
    expect(seen.map(tokenOf).every((token) => token.length > 100)).toBe(true)
  })

  it('a class that signs something else is caught before anything leaves', async () => {
    const { server, seen } = await start(sendJson(200, {}))
    const Exchange = await loadExchange('coinbase')
    const load = async () =>
      class extends Exchange {
        override sign(...given: Parameters<InstanceType<typeof Exchange>['sign']>) {
          return { ...super.sign(...given), url: 'https://api.coinbase.com/api/v3/brokerage/accounts' }
        }
      }
    const transport = await createCcxtTransport({
      apiKey: API_KEY,
      privateKey: PEM,
      baseUrl: server.url,
      clock: () => NOW,
      load,
    })
    await expect(transport(WRITE, 1_000)).rejects.toThrow(
      /ccxt made POST https:\/\/api.coinbase.com\/api\/v3\/brokerage\/accounts of POST orders/,
    )
    await expect(transport({ ...WRITE, endpoint: 'no/such', path: 'no/such' }, 1_000)).rejects.toThrow(
      /no v3PrivatePostBrokerageNoSuch/,
    )
    expect(seen).toEqual([])
  })
})

describe('credentials', () => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  const make = (changes: { apiKey?: string; privateKey?: string }) =>
    createCcxtTransport({
      apiKey: API_KEY,
      privateKey: PEM,
      baseUrl: null,
      clock: () => NOW,
      load: async () => Promise.reject(new Error('not reached')),
      ...changes,
    })

  it.each([
    { what: 'a legacy key', apiKey: '0123456789abcdef', says: /organizations\/\{org\}\/apiKeys\/\{id\}/ },
    { what: 'a key id alone', apiKey: '0a1b2c3d-0000-4000-8000-000000000002', says: /organizations/ },
    { what: 'name and secret exchanged', apiKey: PEM, privateKey: API_KEY, says: /organizations/ },
    { what: 'an Ed25519 secret', privateKey: Buffer.alloc(64, 7).toString('base64'), says: /Ed25519.*ECDSA/ },
    {
      what: 'an Ed25519 PEM',
      privateKey: ed25519.export({ type: 'pkcs8', format: 'pem' }).toString(),
      says: /type ed25519.*P-256.*ECDSA/,
    },
    {
      what: 'another curve',
      privateKey: generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
        .privateKey.export({ type: 'sec1', format: 'pem' })
        .toString(),
      says: /must be an EC key on P-256/,
    },
    { what: 'a PEM cut off', privateKey: PEM.slice(0, 90), says: /cannot be read as a PEM key/ },
    {
      what: 'a public key',
      privateKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      says: /cannot be read as a PEM key/,
    },
    { what: 'nothing', privateKey: ' ', says: /not a PEM key/ },
    { what: 'a sentence', privateKey: 'my secret!', says: /not a PEM key/ },
  ])('$what is a mistake the user can mend, told without the secret', async ({ says, apiKey, privateKey: key }) => {
    const changes = { ...(apiKey === undefined ? {} : { apiKey }), ...(key === undefined ? {} : { privateKey: key }) }
    const error = await rejection(make(changes))
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(says)
    const told = inspect(error, { depth: 8, showHidden: true })
    const secret = (key ?? PEM).split('\n').filter((line) => line.length > 20 && !line.startsWith('-'))
    for (const line of secret) expect(told).not.toContain(line)
  })

  it.each([
    { what: 'line ends written out', key: PEM.replaceAll('\n', String.raw`\n`) },
    { what: 'Windows line ends', key: PEM.replaceAll('\n', '\r\n') },
    { what: 'PKCS #8', key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    { what: 'white space around', key: `\n  ${PEM}  \n` },
  ])('a key with $what signs', async ({ key }) => {
    const { server, seen } = await start(sendJson(200, {}))
    const transport = await createCcxtTransport({
      apiKey: ` ${API_KEY}\n`,
      privateKey: key,
      baseUrl: `${server.url}/`,
      clock: () => NOW,
    })
    await transport(READ, 2_000)
    const [header, claims, signature] = tokenOf(seen[0] ?? { method: '', path: '', body: '', authorization: '' }).split(
      '.',
    )
    expect(decode(header)['kid']).toBe(API_KEY)
    expect(
      verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature ?? '', 'base64url'),
      ),
    ).toBe(true)
  })
})
