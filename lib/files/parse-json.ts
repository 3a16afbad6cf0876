import { parse, type Token, type ValueNode } from '@humanwhocodes/momoa'
import { UsageError } from '../core/invariant.ts'

/** Keys that mean something to the language itself: as settings they are slips, or attacks. */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * The value of JSON that a person wrote: configuration, grid, environment variable. Comments may stand wherever white
 * space may. Stricter than the platform's own parser, which silently keeps the last of two equal keys.
 *
 * Throws {@link UsageError} naming the origin, the line and the problem: text that is not JSON, a key that stands twice
 * in one object, a key that is reserved. Values are not shown: one of them may be a credential.
 */
export function parseJsonText(text: string, origin: string): unknown {
  const body = documentOf(text.replace(/^\uFEFF/, ''), origin)
  try {
    return valueOf(body, origin, '')
  } catch (cause) {
    throw cause instanceof RangeError ? tooDeep(origin, cause) : cause
  }
}

function documentOf(text: string, origin: string): ValueNode {
  if (text.trim() === '') throw new UsageError(`${origin} is not JSON: the text is empty; write at least {}`)
  let body: ValueNode
  let tokens: readonly Token[]
  try {
    ;({ body, tokens = [] } = parse(text, { mode: 'jsonc', tokens: true }))
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(origin, cause)
    const { line, column, message } = cause as { line?: number; column?: number; message: string }
    const place = line === undefined ? '' : `line ${line}, column ${column ?? 1}: `
    throw new UsageError(
      `${origin} is not JSON: ${place}${message.replace(/ \(\d+:\d+\)$/, '').replace(/ found\.?$/, '')}; correct the text there (a comma, a bracket or a quote too many or too few)`,
      { cause },
    )
  }
  try {
    JSON.parse(withoutComments(text, tokens))
  } catch (cause) {
    // The library lets a raw line break stand inside a text; the standard does not.
    throw new UsageError(
      `${origin} is not JSON: a text in it holds a line break or another control character; write \\n instead`,
      { cause },
    )
  }
  return body
}

/** The text with a blank in place of each comment. */
function withoutComments(text: string, tokens: readonly Token[]): string {
  let plain = ''
  let end = 0
  for (const { type, loc } of tokens) {
    if (type !== 'LineComment' && type !== 'BlockComment') continue
    plain += `${text.slice(end, loc.start.offset)} `
    end = loc.end.offset
  }
  return plain + text.slice(end)
}

const tooDeep = (origin: string, cause: unknown): UsageError =>
  new UsageError(`${origin}: brackets are nested too deeply; no setting is`, { cause })

function valueOf(node: ValueNode, origin: string, path: string): unknown {
  switch (node.type) {
    case 'Object': {
      const lines = new Map<string, number>()
      const entries: [string, unknown][] = []
      for (const { name, value } of node.members) {
        const key = name.type === 'String' ? name.value : name.name
        const { line } = name.loc.start
        const whole = path === '' ? key : `${path}.${key}`
        const before = lines.get(key)
        if (before !== undefined)
          throw new UsageError(
            `${origin}, line ${line}: the key ${JSON.stringify(whole)} stands twice, in line ${before} already; only one can count, remove the other`,
          )
        if (RESERVED.has(key))
          throw new UsageError(`${origin}, line ${line}: the key ${JSON.stringify(whole)} is no setting; remove it`)
        lines.set(key, line)
        entries.push([key, valueOf(value, origin, whole)])
      }
      return Object.fromEntries(entries)
    }
    case 'Array':
      return node.elements.map(({ value }, index) => valueOf(value, origin, `${path}[${index}]`))
    case 'String':
    case 'Number':
    case 'Boolean':
      return node.value
    default:
      return null
  }
}
