/** One JSON object found in a text, with the keys of its outermost level in order, repetitions included. */
export type FoundObject = {
  readonly source: string
  readonly value: Record<string, unknown>
  readonly keys: readonly string[]
  /** A key that stands in it more than once. */
  readonly repeated: string | undefined
}

export type Extraction =
  | {
      readonly ok: true
      readonly objects: readonly FoundObject[]
      /** What stands around the objects, without code fences. */
      readonly prose: string
      /** What is wrong with braces that look like an object and are none; null where there are none such. */
      readonly broken: string | null
    }
  | { readonly ok: false; readonly kind: 'truncated' | 'bad_json' | 'bad_schema'; readonly problem: string }

/** Deeper nesting than this is not an answer; also keeps recursive readers of the value safe. */
const MAX_DEPTH = 16

/**
 * Finds the JSON objects in an answer, and what stands around them. Linear in the text. What could hide a second
 * meaning is refused: an object that does not close, a list, a broken object that names an action.
 */
export function extractObjects(body: string): Extraction {
  const objects: FoundObject[] = []
  let prose = ''
  let broken: string | null = null
  let from = 0
  for (;;) {
    const start = body.indexOf('{', from)
    if (start === -1) break
    const span = scanObject(body, start)
    if (span === 'unclosed')
      return { ok: false, kind: 'truncated', problem: 'the JSON object is not closed: the answer was cut off' }
    if (span === 'too_deep')
      return {
        ok: false,
        kind: 'bad_schema',
        problem: `the JSON is nested more than ${MAX_DEPTH} levels deep; the answer is one flat object`,
      }
    const source = body.slice(start, span.end)
    const value = parseObject(source)
    // A line of its own for each piece: marks before and behind the object must not join to a fence.
    prose += `${body.slice(from, start)}\n`
    if (typeof value === 'string') {
      // Braces in prose are no object; braces that name an action are an answer gone wrong.
      if (source.includes('action')) return { ok: false, kind: 'bad_json', problem: value }
      if (/[":]/.test(source)) broken ??= value
      prose += source
    } else {
      if (standsInList(body, start, span.end))
        return {
          ok: false,
          kind: 'bad_schema',
          problem: 'expected one JSON object, got a list; answer with the object alone',
        }
      objects.push({ source, value, keys: span.keys, repeated: firstRepeated(span.keys) })
    }
    from = span.end
  }
  if (objects.length === 0)
    return { ok: false, kind: 'bad_json', problem: broken ?? 'there is no JSON object in the answer' }
  return { ok: true, objects, prose: withoutFences(prose + body.slice(from)), broken }
}

const withoutFences = (prose: string): string => prose.replace(/(?:```|~~~)(?:json[c5]?)?/gi, ' ').trim()

function firstRepeated(keys: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const key of keys) {
    if (seen.has(key)) return key
    seen.add(key)
  }
  return undefined
}

/** Parsed object, or the words that say what is wrong with its JSON. */
function parseObject(source: string): Record<string, unknown> | string {
  try {
    return JSON.parse(source) as Record<string, unknown>
  } catch (error) {
    return `not valid JSON: ${error instanceof Error ? error.message : String(error)}${hintFor(source)}`
  }
}

/** The usual reasons, named so that the repair can mend them. */
function hintFor(source: string): string {
  const outsideStrings = source.replace(/"(?:[^"\\]|\\[\s\S])*"/g, '""')
  if (/\b(?:NaN|-?Infinity)\b/.test(outsideStrings))
    return '; NaN and Infinity are not JSON numbers, use null where there is no number'
  if (/\d,\d{3}(?!\d)/.test(outsideStrings)) return '; numbers are written without thousands separators'
  if (/,\s*[}\]]/.test(outsideStrings)) return '; there is a comma before a closing bracket'
  return ''
}

/** Whether the span is an element of a JSON array rather than an object on its own. */
function standsInList(body: string, start: number, end: number): boolean {
  return body.slice(0, start).trimEnd().endsWith('[') && /^\s*[,\]]/.test(body.slice(end))
}

type Span = { readonly end: number; readonly keys: readonly string[] }

/** Walks from the brace at `start` to its partner, minding strings, and notes the outermost keys. */
function scanObject(body: string, start: number): Span | 'unclosed' | 'too_deep' {
  const keys: string[] = []
  let depth = 0
  for (let at = start; at < body.length; at++) {
    const character = body[at]
    if (character === '"') {
      const end = endOfString(body, at)
      if (end === -1) return 'unclosed'
      if (depth === 1 && /^\s*:/.test(body.slice(end, end + 64))) keys.push(readKey(body.slice(at, end)))
      at = end - 1
    } else if (character === '{' || character === '[') {
      depth++
      if (depth > MAX_DEPTH) return 'too_deep'
    } else if (character === '}' || character === ']') {
      depth--
      if (depth === 0) return { end: at + 1, keys }
    }
  }
  return 'unclosed'
}

/** Index after the closing quote of the string that opens at `start`, or -1. */
function endOfString(body: string, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === '\\') at++
    else if (body[at] === '"') return at + 1
  }
  return -1
}

/** A key with its escapes resolved, so that two spellings of one key are seen as one. */
function readKey(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}
