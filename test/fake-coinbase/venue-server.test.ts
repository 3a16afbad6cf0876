import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeVenueKey, type VenueKey } from '../support/coinbase/jwt.ts'
import { constantPath } from '../support/coinbase/prices.ts'
import { startVenueServer, type VenueServer } from '../support/coinbase/venue-server.ts'
import { attached, marketOrder, PRODUCT, START } from './support.ts'

const key = makeVenueKey()
const viewer = makeVenueKey({ scopes: ['view'], form: 'pkcs8' })
const stranger = makeVenueKey()

let server: VenueServer
beforeAll(async () => {
  server = await startVenueServer({ keys: [key, viewer], options: { price: constantPath(3_000) }, startAt: START })
})
afterAll(() => server.close())

type Token = {
  header?: Record<string, unknown>
  claims?: Record<string, unknown>
  encoding?: 'ieee-p1363' | 'der'
  signer?: string
}

/** A token as the venue wants it, but for what is given. */
function makeToken(
  method: string,
  path: string,
  by: VenueKey,
  { header, claims, encoding = 'ieee-p1363', signer = by.privateKeyPem }: Token = {},
): string {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = part({ alg: 'ES256', typ: 'JWT', kid: by.name, nonce: 'abcdef', ...header })
  const body = part({
    sub: by.name,
    iss: 'cdp',
    nbf: now,
    exp: now + 120,
    uri: `${method} api.coinbase.com/api/v3/brokerage/${path}`,
    ...claims,
  })
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), {
    key: createPrivateKey(signer),
    dsaEncoding: encoding,
  })
  return `${head}.${body}.${signature.toString('base64url')}`
}

async function call(
  method: string,
  path: string,
  { by = key, body, token, query = '' }: { by?: VenueKey | null; body?: unknown; token?: Token; query?: string } = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.url}/api/v3/brokerage/${path}${query}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: by === null ? {} : { authorization: `Bearer ${makeToken(method, path, by, token)}` },
    signal: AbortSignal.timeout(500),
  })
  return { status: response.status, text: await response.text() }
}

async function control(command: string, body: unknown = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/control/${command}`, { method: 'POST', body: JSON.stringify(body) })
  return { ...((await response.json()) as Record<string, unknown>), status: response.status }
}

describe('tokens', () => {
  const now = (): number => Math.floor(Date.now() / 1_000)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()

  it('a good one opens, with any issuer that is known and whatever the query', async () => {
    expect((await call('GET', 'accounts')).status).toBe(200)
    expect((await call('GET', 'accounts', { by: viewer })).status).toBe(200)
    expect(
      (
        await call('GET', 'accounts', {
          token: { claims: { iss: 'coinbase-cloud', aud: ['retail_rest_api_proxy'], iat: now() } },
        })
      ).status,
    ).toBe(200)
    expect((await call('GET', 'orders/historical/batch', { query: '?limit=5&order_status=OPEN' })).status).toBe(200)
  })

  it.each<[string, Token, string]>([
    ['another key signed', { signer: other }, 'signature'],
    ['DER', { encoding: 'der' }, 'signature'],
    ['kid is not sub', { claims: { sub: viewer.name } }, 'key name'],
    ['another algorithm', { header: { alg: 'HS256' } }, 'algorithm'],
    ['no nonce', { header: { nonce: '' } }, 'nonce'],
    ['another issuer', { claims: { iss: 'me' } }, 'issuer'],
    ['another path', { claims: { uri: 'GET api.coinbase.com/api/v3/brokerage/orders' } }, 'uri'],
    ['another method', { claims: { uri: 'POST api.coinbase.com/api/v3/brokerage/accounts' } }, 'uri'],
    ['a query in it', { claims: { uri: 'GET api.coinbase.com/api/v3/brokerage/accounts?limit=5' } }, 'uri'],
    ['the scheme in it', { claims: { uri: 'GET https://api.coinbase.com/api/v3/brokerage/accounts' } }, 'uri'],
    ['expired', { claims: { nbf: now() - 121, exp: now() - 1 } }, 'time'],
    ['not yet valid', { claims: { nbf: now() + 30, exp: now() + 60 } }, 'time'],
    ['valid too long', { claims: { exp: now() + 1_000 } }, 'time'],
    ['no end', { claims: { exp: undefined } }, 'time'],
  ])('refused: %s', async (_name, token, reason) => {
    expect(await call('GET', 'accounts', { token })).toEqual({ status: 401, text: 'Unauthorized' })
    expect(server.requests.at(-1)).toMatchObject({ key: null, refusal: reason })
  })

  it('refused: none, and one of a key nobody knows', async () => {
    expect(await call('GET', 'accounts', { by: null })).toEqual({ status: 401, text: 'Unauthorized' })
    expect(await call('GET', 'accounts', { by: stranger })).toEqual({ status: 401, text: 'Unauthorized' })
  })

  it('a scope that the key lacks is forbidden, and told', async () => {
    expect((await call('POST', 'orders', { by: viewer, body: marketOrder('BUY', 1) })).status).toBe(403)
    const { client_order_id: _, ...preview } = marketOrder('BUY', 1)
    expect((await call('POST', 'orders/preview', { by: viewer, body: preview })).status).toBe(200)
    expect(JSON.parse((await call('GET', 'key_permissions', { by: viewer })).text)).toMatchObject({
      can_view: true,
      can_trade: false,
    })
    expect(JSON.parse((await call('GET', 'key_permissions')).text)).toMatchObject({ can_view: true, can_trade: true })
  })

  it('public paths need none', async () => {
    for (const path of ['time', 'market/products', `market/products/${PRODUCT}`, `market/products/${PRODUCT}/ticker`])
      expect((await call('GET', path, { by: null })).status).toBe(200)
    expect((await call('GET', 'market/product_book', { by: null, query: `?product_id=${PRODUCT}` })).status).toBe(200)
    expect((await call('GET', `products/${PRODUCT}`, { by: null })).status).toBe(401)
  })
})

describe('the wire', () => {
  it('bad JSON, unknown paths', async () => {
    expect(await call('POST', 'orders', { body: '{"client_order_id":' })).toMatchObject({
      status: 400,
      text: expect.stringContaining('proto: syntax error'),
    })
    expect((await fetch(`${server.url}/v2/accounts`)).status).toBe(404)
  })

  it('repeated query keys arrive as many', async () => {
    await call('GET', 'orders/historical/batch', { query: '?order_ids=a&order_ids=b' })
    expect(server.requests.at(-1)).toMatchObject({
      path: 'orders/historical/batch',
      query: { order_ids: ['a', 'b'] },
      key: key.name,
    })
  })

  it.each([
    { fault: { kind: 'refuse_connection' }, error: /fetch failed/ },
    { fault: { kind: 'drop', takesEffect: true }, error: /fetch failed/ },
    { fault: { kind: 'stall', takesEffect: true }, error: /timeout|aborted/ },
    { fault: { kind: 'stall', takesEffect: true, beforeHeaders: true }, error: /timeout|aborted/ },
    { fault: { kind: 'cut', takesEffect: true }, error: /terminated|fetch failed/ },
    { fault: { kind: 'delay', ms: 2_000 }, error: /timeout|aborted/ },
  ])('$fault.kind', async ({ fault, error }) => {
    await control('misbehave', { on: { path: 'accounts' }, fault })
    await expect(call('GET', 'accounts')).rejects.toThrow(error)
    expect((await call('GET', 'accounts')).status).toBe(200)
  })

  it('truncated, late, and in another status', async () => {
    await control('misbehave', { fault: { kind: 'truncate', takesEffect: true } })
    const { status, text } = await call('GET', 'accounts')
    expect(status).toBe(200)
    expect(() => JSON.parse(text) as unknown).toThrow('JSON')
    await control('misbehave', { fault: { kind: 'delay', ms: 30 } })
    expect((await call('GET', 'accounts')).status).toBe(200)
    await control('misbehave', { fault: { kind: 'status', status: 502, takesEffect: false, text: 'Bad gateway' } })
    expect(await call('GET', 'accounts')).toEqual({ status: 502, text: 'Bad gateway' })
  })

  it('too many requests a second', async () => {
    const limited = await startVenueServer({
      keys: [],
      rateLimit: { signed: 1, public: 2 },
      options: { price: constantPath(3_000) },
      startAt: START,
    })
    const statuses: number[] = []
    for (let index = 0; index < 4; index += 1)
      statuses.push((await fetch(`${limited.url}/api/v3/brokerage/time`)).status)
    await limited.close()
    expect(statuses).toEqual([200, 200, 429, 429])
  })
})

describe('control', () => {
  it('holds clock and hands, and sees the truth', async () => {
    expect((await call('POST', 'orders', { body: marketOrder('BUY', 10, attached('3100', '2900')) })).text).toContain(
      '"success":true',
    )
    expect(await control('hand', { action: 'reduce', contracts: 4 })).toMatchObject({
      status: 200,
      orderId: expect.any(String) as string,
    })
    await control('time', { advanceMs: 3_600_000 })
    expect(await control('truth')).toMatchObject({ at: START + 3_600_000, position: { contracts: 6 } })
    await control('time', { at: '2026-11-02T12:00:00Z' })
    expect(JSON.parse((await call('GET', 'time', { by: null })).text)).toMatchObject({ iso: '2026-11-02T12:00:00Z' })
    for (const action of [
      { action: 'cancelAll' },
      { action: 'deposit', amount: '5' },
      { action: 'openPosition', side: 'BUY', contracts: 1 },
      { action: 'liquidate' },
    ])
      expect(await control('hand', action)).toMatchObject({ status: 200 })
    expect(await control('truth')).toMatchObject({ deposited: '5', position: { contracts: 0 } })
    expect(await control('switches', { duplicateIds: 'refuse' })).toMatchObject({ duplicateIds: 'refuse' })
    expect(server.venue.switches.duplicateIds).toBe('refuse')
  })

  it.each([
    ['time', { at: true }],
    ['hand', { action: 'rob' }],
    ['hand', { action: 'close' }],
    ['misbehave', { fault: { kind: 'tamper' } }],
    ['switches', { noSuchSwitch: true }],
    ['nonsense', {}],
  ])('refuses %s %o', async (command, body) => {
    expect((await control(command, body))['status']).toBe(400)
  })
})
