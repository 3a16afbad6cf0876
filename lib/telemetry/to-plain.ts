import { isSecretField, type Redact } from './redact.ts'

/** Bounds of one log line's content. What is beyond them is cut and says so. */
const MAX_DEPTH = 6
const MAX_ENTRIES = 100
const MAX_TEXT = 8_000

/**
 * Any value as something JSON can hold, without secrets, without circles and of bounded size. Errors keep name,
 * message, code, stack, cause and, of several, each. Never throws, whatever getters and `toJSON` do.
 */
export function toPlain(value: unknown, redact: Redact): unknown {
  return plain(value, redact, [])
}

/** Redacted first and cut then: a cut secret would no longer be recognised. */
export function toPlainText(text: string, redact: Redact): string {
  const clean = redact(text)
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${clean.length} characters)` : clean
}

function plain(value: unknown, redact: Redact, above: readonly unknown[]): unknown {
  switch (typeof value) {
    case 'string':
      return toPlainText(value, redact)
    case 'number':
      return Number.isFinite(value) && redact(String(value)) === String(value) ? value : redact(String(value))
    case 'boolean':
    case 'undefined':
      return value
    case 'bigint':
      return redact(String(value))
    case 'symbol':
    case 'function':
      return `[${typeof value}]`
    case 'object':
      return value === null ? null : plainObject(value, redact, above)
    default:
      return '[unknown]'
  }
}

function plainObject(value: object, redact: Redact, above: readonly unknown[]): unknown {
  if (above.includes(value)) return '[circular]'
  if (above.length >= MAX_DEPTH) return '[deeper]'
  const inside = (inner: unknown): unknown => plain(inner, redact, [...above, value])
  try {
    if (value instanceof Error) return mapEntries(errorEntries(value), redact, inside)
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (value instanceof Map)
      return mapEntries(
        [...value].map(([key, inner]) => [String(key), inner] as const),
        redact,
        inside,
      )
    if (value instanceof Set) return inside([...value])
    if (Array.isArray(value))
      return value.length > MAX_ENTRIES
        ? [...value.slice(0, MAX_ENTRIES).map(inside), `[${value.length - MAX_ENTRIES} more]`]
        : value.map(inside)
    if ('toJSON' in value && typeof value.toJSON === 'function') return inside((value.toJSON as () => unknown)())
    return mapEntries(
      Object.keys(value).map((key) => [key, readKey(value, key)] as const),
      redact,
      inside,
    )
  } catch {
    return '[unreadable]'
  }
}

function mapEntries(
  entries: readonly (readonly [string, unknown])[],
  redact: Redact,
  inside: (inner: unknown) => unknown,
): Record<string, unknown> {
  const kept = entries
    .slice(0, MAX_ENTRIES)
    .map(([key, inner]) => [toPlainText(key, redact), isSecretField(key) ? hidden(inner) : inside(inner)] as const)
  const rest = entries.length - kept.length
  return Object.fromEntries(rest > 0 ? [...kept, ['…', `[${rest} more]`]] : kept)
}

/** What stands in a field for credentials: nothing is said of it but whether there is any. */
const hidden = (value: unknown): unknown =>
  value === null || value === undefined || value === '' ? value : '[redacted]'

function readKey(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return '[unreadable]'
  }
}

const ERROR_KEYS = ['name', 'message', 'code', 'stack', 'cause', 'errors'] as const

const errorEntries = (error: Error): (readonly [string, unknown])[] =>
  ERROR_KEYS.map((key) => [key, readKey(error, key)] as const).filter(([, value]) => value !== undefined)
