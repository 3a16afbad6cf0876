import { createHash } from 'node:crypto'

/**
 * JSON with object keys sorted and `undefined` members dropped: equal values have equal bytes,
 * whatever order their members were made in.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member
    const sorted: Record<string, unknown> = {}
    for (const key of Object.keys(member).sort()) sorted[key] = (member as Record<string, unknown>)[key]
    return sorted
  })
}

/** SHA-256 of a text, as lower-case hexadecimal. */
export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** Hash of a value's canonical JSON. */
export const hashOf = (value: unknown): string => sha256(canonicalJson(value))
