import type { z } from 'zod'
import { durationText } from '../core/interval.ts'
import { SECOND_MS } from '../core/time.ts'

/**
 * Zod's findings as sentences for a person: path, the value found there, what to do about it.
 * One line an issue, under a headline that names the origin. `within` leads from the input to what was parsed.
 */
export function describeIssues(
  origin: string,
  error: z.ZodError,
  input: unknown,
  within: readonly PropertyKey[] = [],
): string {
  const lines = error.issues.flatMap((issue) => describe({ ...issue, path: [...within, ...issue.path] }, input))
  return [
    `${origin}: ${lines.length === 1 ? 'one setting is' : `${lines.length} settings are`} wrong`,
    ...lines.map((line) => `  - ${line}`),
  ].join('\n')
}

function describe(issue: z.core.$ZodIssue, input: unknown): string[] {
  const path = formatPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const value = lookUp(input, [...issue.path, key])
      const renamed = issue.path.length === 0 ? remedyOfRenamed(key, value) : null
      if (renamed !== null) return `${key} = ${show(value, key)}: ${renamed}`
      return `${formatPath([...issue.path, key])} = ${show(value, key)}: unknown key; remove it or correct its name`
    })
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // Both branches failed: the one that got furthest says what was meant.
    const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? []
    if (depth(branch) > 0)
      return branch.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }, input))
  }
  return [`${path || '(root)'} = ${show(lookUp(input, issue.path), issue.path.at(-1))}: ${withRemedy(issue)}`]
}

/** What to write instead of a setting that an earlier release had, or null. */
function remedyOfRenamed(key: string, value: unknown): string | null {
  if (key !== 'intervalMinutes') return null
  const intervalMs = typeof value === 'number' ? Math.round(value * 60) * SECOND_MS : 0
  const text = intervalMs > 0 ? durationText(intervalMs) : '30m'
  return `this setting is called interval now and names its unit: write "interval": "${text}" instead`
}

/** Our own messages say what to write; the library's say what is expected, and get the rest. */
function withRemedy({ code, message }: z.core.$ZodIssue): string {
  const isOurs = code === 'custom' || !/^(?:Invalid|Too|Unrecognized)\b/.test(message)
  return isOurs ? message : `${message.replace(/^Invalid input: /, '')}; correct it, or leave it out for the default`
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length))

const formatPath = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')

function lookUp(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  )
}

function show(value: unknown, key: PropertyKey | undefined): string {
  if (value === undefined) return 'nothing'
  // A credential does not belong into a configuration, and least of all into an error message.
  if (/api.?key|secret|password|passphrase|private.?key|token$/i.test(String(key))) return '(hidden)'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
