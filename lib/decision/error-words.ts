import { jsonOf } from '../core/parse-json.ts'
import { describeText } from './read-body.ts'

/** What an error body says, in whatever shape it came. */
export type ErrorWords = {
  readonly message: string
  /** The provider's own code or type, and the parameter it names; empty where it says none. */
  readonly code: string
  readonly param: string
  /** What the model had written when the server's own check refused it; null where there is none. */
  readonly failedGeneration: string | null
  /** How long the body asks to wait, in milliseconds. */
  readonly retryDelayMs: number | null
}

/** Fields in which servers put words for people, most telling first. */
const WORDS = ['message', 'msg', 'detail', 'error_description', 'title', 'reason', 'raw', 'description'] as const
const MAX_DEPTH = 6
const MAX_PARTS = 12

/**
 * Reads the body of an error: an object or a list of them, an error under `error`, `errors`, `detail` or alone, JSON
 * packed into a text, or no JSON at all.
 */
export function errorWordsOf(text: string): ErrorWords {
  const value = jsonOf(text)
  if (value === undefined || typeof value !== 'object' || value === null) {
    const message =
      typeof value === 'string' ? value : text.trim() === '' ? 'no body' : withoutMark(describeText(text.trim()))
    return { message, code: '', param: '', failedGeneration: null, retryDelayMs: null }
  }
  return wordsOfError(value, text)
}

const withoutMark = (text: string): string => text.replace(/^not JSON: /, '')

/** The same of an error that is parsed already; `whole` is shown where no field of it holds words. */
export function wordsOfError(value: unknown, whole: string = JSON.stringify(value)): ErrorWords {
  const found: Found = { messages: [], codes: [], params: [], failedGeneration: null, retryDelayMs: null }
  collect(value, found, 0)
  const messages = [...new Set(found.messages)].slice(0, MAX_PARTS)
  return {
    message: messages.length > 0 ? messages.join('; ') : whole,
    code: found.codes.join(' '),
    param: found.params.join(' '),
    failedGeneration: found.failedGeneration,
    retryDelayMs: found.retryDelayMs,
  }
}

type Found = {
  messages: string[]
  codes: string[]
  params: string[]
  failedGeneration: string | null
  retryDelayMs: number | null
}

function collect(value: unknown, found: Found, depth: number): void {
  if (depth > MAX_DEPTH || found.messages.length >= MAX_PARTS) return
  if (typeof value === 'string') return addWords(value, found, depth)
  if (Array.isArray(value)) {
    for (const one of value.slice(0, MAX_PARTS)) collect(one, found, depth + 1)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const fields = value as Record<string, unknown>
  for (const name of ['code', 'type', 'status'])
    if (typeof fields[name] === 'string' || typeof fields[name] === 'number') found.codes.push(String(fields[name]))
  if (typeof fields.param === 'string') found.params.push(fields.param)
  // FastAPI names the place of a wrong field in a list.
  if (Array.isArray(fields.loc)) found.params.push(fields.loc.map(String).join('.'))
  if (typeof fields.failed_generation === 'string') found.failedGeneration = fields.failed_generation
  const delay = typeof fields.retryDelay === 'string' ? /^([\d.]{1,12})s$/.exec(fields.retryDelay)?.[1] : undefined
  if (delay !== undefined) found.retryDelayMs = Number(delay) * 1_000
  for (const name of WORDS) if (fields[name] !== undefined) collect(fields[name], found, depth + 1)
  for (const name of ['error', 'errors', 'metadata', 'details', 'innererror', 'cause'])
    if (fields[name] !== undefined) collect(fields[name], found, depth + 1)
}

/** Gateways pack the JSON of the server behind them into a text. */
function addWords(text: string, found: Found, depth: number): void {
  const packed = /^\s*[{[]/.test(text) ? jsonOf(text) : undefined
  if (packed !== undefined && typeof packed === 'object') collect(packed, found, depth + 1)
  else if (text.trim() !== '') found.messages.push(text.trim())
}
