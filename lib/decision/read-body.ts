import { jsonOf } from '../core/parse-json.ts'

export type Body =
  | { readonly kind: 'value'; readonly value: unknown; readonly oddities: readonly string[] }
  | ({ readonly kind: 'stream' } & Stream)
  /** Nothing that can be read, in words that say what it is. */
  | { readonly kind: 'unreadable'; readonly problem: string }

/** The ending of a stream that has none, or of which a piece is missing. */
export const BROKEN_OFF = 'the stream broke off'

/** Pieces of an answer that came one by one. */
export type Stream = {
  readonly pieces: readonly unknown[]
  /** `[DONE]` came. */
  readonly isEnded: boolean
  /** Something in it could not be read. */
  readonly isBroken: boolean
}

/** A server's body: JSON whatever its content type, a stream of events although none was asked, JSON line by line. */
export function readBody(text: string, contentType: string | null): Body {
  const body = text.trim()
  if (body === '') return { kind: 'unreadable', problem: 'the body is empty' }
  const value = jsonOf(body)
  if (value !== undefined) return { kind: 'value', value: onlyOf(value), oddities: odditiesOf(contentType) }
  if (/^(?:data|event|id|retry)?:/.test(body)) return readEvents(body)
  if (body.startsWith('{')) {
    const lines = body.split('\n').filter((line) => line.trim() !== '')
    const pieces = lines.map(jsonOf).filter(isObject)
    if (lines.length > 1 && pieces.length > 0 && isObject(jsonOf(lines[0] ?? '')))
      return { kind: 'stream', pieces, isEnded: false, isBroken: pieces.length < lines.length }
  }
  return { kind: 'unreadable', problem: `the body is ${describeText(body)}` }
}

/** The words for a text that is no JSON: the title of a page, or the text. */
export function describeText(body: string): string {
  if (!body.trimStart().startsWith('<')) return `not JSON: ${body}`
  const title = /<title[^<>]{0,200}>([^<]{0,300})/i.exec(body)?.[1]?.trim()
  return title === undefined || title === '' ? `a page, not JSON: ${body}` : `a page, not JSON: "${title}"`
}

/** Some servers wrap an answer or an error into a list. */
const onlyOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value)

function odditiesOf(contentType: string | null): string[] {
  const media = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (media.includes('json')) return []
  return [`the answer came as JSON under the content type ${media === '' ? 'of nothing' : media}`]
}

/** Server-sent events: the data of each, and whether `[DONE]` came. */
function readEvents(body: string): Body {
  const pieces: unknown[] = []
  let isEnded = false
  let isBroken = false
  for (const event of body.split(/(?:\r\n|\r|\n)(?:\r\n|\r|\n)/)) {
    const data = event
      .split(/[\r\n]+/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n')
    if (data === '') continue
    const piece = jsonOf(data)
    if (data === '[DONE]') isEnded = true
    else if (isObject(piece)) pieces.push(piece)
    else isBroken = true
  }
  if (pieces.length === 0) return { kind: 'unreadable', problem: `the body is an event stream without data: ${body}` }
  return { kind: 'stream', pieces, isEnded, isBroken }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
