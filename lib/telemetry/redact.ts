/** Text without any secret. */
export type Redact = (text: string) => string

const MARK = '[redacted]'

/** Lines of a key file shorter than this are no secret by themselves: `-----END`, the last few characters. */
const MIN_LINE_LENGTH = 20

/**
 * Replaces every secret, in whatever form errors and requests repeat it: as it is, percent-encoded, as form data,
 * JSON-escaped once or several times, any mixture of these, in base64; of a secret with several lines, also each
 * long line alone. Longer secrets first, so that no part of one remains.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const parts = [...new Set(secrets.flatMap(partsOf))].filter((part) => part !== '').sort((a, b) => b.length - a.length)
  if (parts.length === 0) return (text) => text
  const pattern = new RegExp(
    parts.flatMap((part) => [patternOf(part), ...encodingsOf(part).map(literal)]).join('|'),
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
  return [bytes.toString('base64').replace(/(?<!=)=+$/, ''), bytes.toString('base64url')]
}

/** A pattern of the characters of a secret, each in any of its escaped forms. */
const patternOf = (part: string): string =>
  Array.from(part, (character) => `(?:${formsOf(character).join('|')})`).join('')

function formsOf(character: string): string[] {
  const codeUnits = character
    .split('')
    .map((unit) => `\\\\{1,7}u${anyCase(unit.charCodeAt(0).toString(16).padStart(4, '0'))}`)
  const percent = Array.from(Buffer.from(character), (byte) => `%${anyCase(byte.toString(16).padStart(2, '0'))}`)
  const short = /^"\\(.)"$/u.exec(JSON.stringify(character))?.[1]
  return [
    literal(character),
    codeUnits.join(''),
    percent.join(''),
    ...(character === ' ' ? ['\\+'] : []),
    // `\"`, `\\n` and the like; some escape the slash as well.
    ...(short === undefined && character !== '/' ? [] : [`\\\\{1,7}${literal(short ?? character)}`]),
  ]
}

const literal = (text: string): string =>
  text.replace(/[\\^$.*+?()[\]{}|/-]/gu, (character) => (character === '-' ? '\\x2d' : `\\${character}`))
const anyCase = (hex: string): string => hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
