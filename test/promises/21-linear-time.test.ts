import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync } from 'vite'
import { describe, expect, test } from 'vitest'
import { attacksOn, textOf } from '../support/regex-attacks.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

type Expression = { where: string; pattern: RegExp }

/**
 * Expressions whose time grows faster than their text, which is harmless where that text is short for a reason other
 * than that nobody has written a longer one. They are tried at that length.
 */
const BOUNDED: Readonly<Record<string, { longest: number; because: string }>> = {}

/** A linear expression needs a fiftieth of it for the longest text; a quadratic one five times as much. */
const LIMIT_MS = 25
const LONGEST = 16_384
/** Expressions that look for an end are quick at looking: it takes a longer text of beginnings to see them grow. */
const STRETCH = 8

const files = ['lib', 'schemas']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name),
    ),
  )
  .filter((file) => /(?<!\.d)\.[mc]?[tj]s$/.test(file))

/** Every literal of a file, by a parser of TypeScript: no expression hides from it in a comment or a text. */
function expressionsIn(file: string): Expression[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8')
  const { program } = parseSync(file, text)
  const found: Expression[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (typeof node !== 'object' || node === null) return
    const { regex, start } = node as { regex?: { pattern: string; flags: string }; start?: number }
    if (regex !== undefined) {
      const line = text.slice(0, start ?? 0).split('\n').length
      found.push({ where: `${file}:${line}`, pattern: new RegExp(regex.pattern, regex.flags) })
    }
    Object.values(node).forEach(visit)
  }
  visit(program)
  return found
}

const expressions = files.flatMap(expressionsIn)

function milliseconds(pattern: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY
  // On a busy machine anything can be late once.
  for (let attempt = 0; attempt < 3 && best > LIMIT_MS; attempt += 1) {
    pattern.lastIndex = 0
    const start = performance.now()
    if (pattern.global) text.replace(pattern, '')
    else pattern.test(text)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/** Whether the growth is there when both texts are measured again: a busy machine makes one late, not every time. */
function growsAgain(pattern: RegExp, attack: Parameters<typeof textOf>[0], length: number): boolean {
  const half = milliseconds(pattern, textOf(attack, length < 64 ? length - 4 : length / 2))
  const whole = milliseconds(pattern, textOf(attack, length))
  return whole > LIMIT_MS && whole > half * 2.5
}

/** The attack under which an expression's time grows faster than its text, or null. */
function weaknessOf(pattern: RegExp, longest: number): string | null {
  for (const attack of attacksOn(pattern)) {
    let before = 0
    const most = attack.isLong === true && longest === LONGEST ? longest * STRETCH : longest
    // From short texts on, so that an exponential one is found while it still ends.
    for (let length = 8; ; length = Math.min(length < 64 ? length + 4 : length * 2, most)) {
      const ms = milliseconds(pattern, textOf(attack, length))
      if (ms > LIMIT_MS && ms > before * 2.5 && growsAgain(pattern, attack, length))
        return `${JSON.stringify(attack)} of length ${length} takes ${Math.round(ms)} ms, half of it ${before.toFixed(1)} ms`
      before = ms
      if (length >= most) break
    }
  }
  return null
}

describe('no regular expression of the program takes time that grows faster than the text it reads', () => {
  test('all of them are seen', () => {
    expect(files.length).toBeGreaterThan(200)
    expect(expressions.length).toBeGreaterThan(150)
    const written = files.filter((file) =>
      /new RegExp\(|[^.\w]RegExp\(/.test(readFileSync(path.join(ROOT, file), 'utf8')),
    )
    // Expressions made at run time: from escaped secrets, and from the name of a tag of ours.
    expect(written.sort()).toEqual(['lib/report/html/embed.ts', 'lib/telemetry/redact.ts'])
  })

  test('each of them, against texts made to make it slow', () => {
    const slow = expressions.flatMap(({ where, pattern }) => {
      const weakness = weaknessOf(pattern, BOUNDED[String(pattern)]?.longest ?? LONGEST)
      return weakness === null ? [] : [`${where} ${pattern}: ${weakness}`]
    })
    expect(slow).toEqual([])
  })

  test('exceptions are of expressions that exist', () => {
    const all = new Set(expressions.map(({ pattern }) => String(pattern)))
    expect(Object.keys(BOUNDED).filter((pattern) => !all.has(pattern))).toEqual([])
  })

  test.each([
    ['nested repetition', /^(a+)+$/],
    ['repeated alternatives that overlap', /^(?:a|a)*b/],
    ['adjacent repetitions', /\s*\s*x/],
    ['adjacent repetitions after a beginning', /<\s*[/!]?\s*[a-z]/],
    ['a repetition tried from each place', /\s+$/],
    ['a lazy repetition tried from each place', /<!\[CDATA\[[\s\S]*?\]\]>/],
    ['two of anything', /^.*,.*,.*;$/],
    ['a repeated word with spaces', /^(?:\w+\s?)*$/],
    ['a repetition in a group in a group', /x(?:y(?:[a-z]+)*)*z/],
  ])('the search finds %s', (_name, pattern) => {
    expect(weaknessOf(pattern, LONGEST)).not.toBeNull()
  })

  test.each([/^[a-z]+$/, /\s+/g, /a{1,3}b/, /^\d{4}-\d{2}$/, /[&<>"]/g, /(?<![.,])\d+/g])(
    'the search has nothing against %s',
    (pattern) => {
      expect(weaknessOf(pattern, LONGEST)).toBeNull()
    },
  )
})
