import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto'

export type Scope = 'view' | 'trade' | 'transfer'

/** An API key as the venue's console hands it out. */
export type VenueKey = {
  /** `organizations/{org}/apiKeys/{id}`. */
  name: string
  /** EC P-256 private key as PEM, `EC PRIVATE KEY` (SEC1) or `PRIVATE KEY` (PKCS #8). */
  privateKeyPem: string
  publicKey: KeyObject
  scopes: readonly Scope[]
}

let keyCount = 0

/** Makes a new key with these scopes. */
export function makeVenueKey({
  scopes = ['view', 'trade'],
  form = 'sec1',
}: { scopes?: readonly Scope[]; form?: 'sec1' | 'pkcs8' } = {}): VenueKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  keyCount += 1
  return {
    name: `organizations/11111111-0000-4000-8000-000000000001/apiKeys/22222222-0000-4000-8000-${String(keyCount).padStart(12, '0')}`,
    privateKeyPem: privateKey.export({ type: form, format: 'pem' }).toString(),
    publicKey,
    scopes,
  }
}

/** The longest life of a token, in seconds. */
const LIFE_S = 120
const ISSUERS = new Set(['cdp', 'coinbase-cloud'])

/**
 * Judges a bearer token as the venue does: ES256 with a raw 64-byte signature, `kid` = `sub` = the key's name,
 * nbf <= now < exp <= nbf + 120, `uri` = `METHOD host/path` without query. Returns the key, or why not.
 */
export function judgeToken(
  authorization: string | undefined,
  { uri, nowS, keys }: { uri: string; nowS: number; keys: readonly VenueKey[] },
): { key: VenueKey } | { reason: string } {
  if (authorization === undefined || !authorization.startsWith('Bearer ')) return { reason: 'no bearer token' }
  const parts = authorization.slice('Bearer '.length).split('.')
  const [headerPart, claimsPart, signaturePart] = parts
  if (headerPart === undefined || claimsPart === undefined || signaturePart === undefined || parts.length !== 3)
    return { reason: 'not a token' }
  const header = decode(headerPart)
  const claims = decode(claimsPart)
  if (header === null || claims === null) return { reason: 'not JSON' }
  if (header['alg'] !== 'ES256' || (header['typ'] !== undefined && header['typ'] !== 'JWT'))
    return { reason: 'algorithm' }
  if (typeof header['nonce'] !== 'string' || header['nonce'] === '') return { reason: 'nonce' }
  const key = keys.find((one) => one.name === header['kid'])
  if (key === undefined || claims['sub'] !== key.name) return { reason: 'key name' }
  const signature = Buffer.from(signaturePart, 'base64url')
  const isSigned = verify(
    'sha256',
    Buffer.from(`${headerPart}.${claimsPart}`),
    { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
    signature,
  )
  if (!isSigned) return { reason: 'signature' }
  if (typeof claims['iss'] !== 'string' || !ISSUERS.has(claims['iss'])) return { reason: 'issuer' }
  const { nbf, exp } = claims
  if (typeof nbf !== 'number' || typeof exp !== 'number' || nbf > nowS || exp <= nowS || exp > nbf + LIFE_S)
    return { reason: 'time' }
  if (claims['uri'] !== uri) return { reason: 'uri' }
  return { key }
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
