/** Text without any secret. */
export type Redact = (text: string) => string

const MARK = '[redacted]'

/** Lines of a key file shorter than this are no secret by themselves: `-----END`, the last few characters. */
const MIN_LINE_LENGTH = 20

/**
 * Shorter secrets are never searched for: "1", "null" or "hold" stand in every text, and to replace them would change
 * what was said. They are kept out by the names of the fields they stand in; see {@link isSecretField}.
 */
export const MIN_SECRET_LENGTH = 8

/** Of a secret that was cut off, so many characters from its beginning are recognised, or half of a short one. */
const MIN_CUT_LENGTH = 16
/** What is cut off further along is not followed. */
const MAX_CUT_LENGTH = 300

/** How the names of fields for credentials end, in lower case and without what parts words. */
const CREDENTIALS = [
  'apikey',
  'secret',
  'secretkey',
  'secretaccesskey',
  'privatekey',
  'authorization',
  'credential',
  'credentials',
  'password',
  'passwd',
  'passphrase',
  'cookie',
  'accesstoken',
  'sessiontoken',
  'refreshtoken',
  'authtoken',
  'bearertoken',
  'idtoken',
  'securitytoken',
]

/**
 * Whether a field of this name holds a credential, whatever it is: `apiKey`, `X-Api-Key`, `client_secret`,
 * `Set-Cookie`.
 */
export function isSecretField(name: string): boolean {
  const plain = name
    .slice(0, 100)
    .replace(/[^a-z]/gi, '')
    .toLowerCase()
  return plain === 'token' || plain === 'jwt' || CREDENTIALS.some((end) => plain.endsWith(end))
}

/**
 * Replaces every secret of at least eight characters, in whatever form errors and requests repeat it: as it is,
 * percent-encoded, as form data, JSON-escaped once or several times, as HTML entities, any mixture of these, in
 * hexadecimal, in base64, alone or within more; cut off at its end; of a secret with several lines, also each long line
 * alone. Longer secrets first, so that no part of one remains.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const parts = [...new Set(secrets.flatMap(partsOf))]
    .filter((part) => part.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length)
  if (parts.length === 0) return (text) => text
  const pattern = new RegExp(
    [
      ...parts.flatMap((part) => [patternOf(part), ...encodingsOf(part)]),
      ...parts.filter((part) => !part.startsWith('-----')).map(cutPatternOf),
    ].join('|'),
    'gu',
  )
  return (text) => text.replace(pattern, MARK)
}

function partsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n|\\n/).filter((line) => line.length >= MIN_LINE_LENGTH && !line.startsWith('-----'))
  return [secret.trim(), ...lines]
}

function encodingsOf(part: string): string[] {
  const bytes = Buffer.from(part)
  const hex = anyCase(bytes.toString('hex'))
  return [...[0, 1, 2].flatMap((before) => base64Within(bytes, before)), hex]
}

/** What base64 makes of the bytes behind `before` others, but for the characters that others have a share in. */
function base64Within(bytes: Buffer, before: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(before), bytes])
  const first = Math.ceil((before * 8) / 6)
  const last = Math.floor((padded.length * 8) / 6)
  return (['base64', 'base64url'] as const).map((encoding) => literal(padded.toString(encoding).slice(first, last)))
}

/** A pattern of the characters of a secret, each in any of its escaped forms. */
const patternOf = (part: string): string => Array.from(part, anyFormOf).join('')

/** The same for what is left of a secret whose end was cut off. */
function cutPatternOf(part: string): string {
  const characters = Array.from(part).slice(0, MAX_CUT_LENGTH)
  const least = Math.max(6, Math.min(MIN_CUT_LENGTH, Math.ceil(characters.length / 2)))
  const more = characters.slice(least).reduceRight((rest, character) => `(?:${anyFormOf(character)}${rest})?`, '')
  return `${characters.slice(0, least).map(anyFormOf).join('')}${more}`
}

const anyFormOf = (character: string): string => `(?:${formsOf(character).join('|')})`

function formsOf(character: string): string[] {
  const codeUnits = character
    .split('')
    .map((unit) => `\\\\{1,7}u${anyCase(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`)
  const percent = Array.from(
    Buffer.from(character),
    (byte) => `%(?:25){0,3}${anyCase(byte.toString(16).padStart(2, '0'))}`,
  )
  const code = character.codePointAt(0) ?? 0
  const short = /^"\\(.)"$/u.exec(JSON.stringify(character))?.[1]
  return [
    literal(character),
    codeUnits.join(''),
    percent.join(''),
    `&#0{0,4}${code};`,
    `&#[xX]0{0,4}${anyCase(code.toString(16))};`,
    ...(ENTITIES[character] ?? []),
    ...(character === ' ' ? ['\\+'] : []),
    // `\"`, `\\n` and the like; some escape the slash as well.
    ...(short === undefined && character !== '/' ? [] : [`\\\\{1,7}${literal(short ?? character)}`]),
  ]
}

const ENTITIES: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;'],
  "'": ['&apos;'],
}

const literal = (text: string): string =>
  text.replace(/[\\^$.*+?()[\]{}|/-]/gu, (character) => (character === '-' ? '\\x2d' : `\\${character}`))
const anyCase = (hex: string): string => hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
