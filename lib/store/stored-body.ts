import type { z } from 'zod'
import { canonicalJson } from '../core/canonical-json.ts'
import { InvariantError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { attachUnknownFields, withUnknownFields } from '../core/unknown-fields.ts'
import { CURRENT_VERSION, STORED_VERSION, StoredVersion } from '../../schemas/stored.ts'
import type { Item } from './item-store.ts'
import { type Body, migrate } from './migrations.ts'
import type { Kind } from './stored-kinds.ts'
import { type ItemProblem, UnreadableItem } from './unreadable-item.ts'

/** Whether an item is read to act on it, or only to show it: what is shown may hold more than this release knows. */
export type Purpose = 'act' | 'show'

type Address = Pick<Item, 'pk' | 'sk'>

/**
 * The value of a stored body: of an older version brought forward, fields of a newer one kept where that is safe.
 * Throws {@link UnreadableItem} for what cannot be used for the purpose, and nothing else.
 */
export function readBody<T>(kind: Kind<T>, item: Address & Pick<Item, 'body'>, purpose: Purpose): T {
  const refuse = (problem: ItemProblem, detail: string, cause?: unknown): never => {
    throw new UnreadableItem(item, problem, detail, { cause })
  }
  const stored = jsonOf(item.body)
  if (!isBody(stored)) return refuse('not_json', 'its body is not a JSON object')
  // Version 1 said nothing of readers, and nothing at all in the lines of the history.
  const { schemaVersion = 1, minReader = 1 } = stored
  const version = StoredVersion.safeParse({ schemaVersion, minReader })
  if (!version.success) return refuse('not_understood', `its version is unclear: ${describe(version.error.issues)}`)
  if (purpose === 'act' && version.data.minReader > STORED_VERSION)
    return refuse(
      'newer',
      `it needs a release that reads version ${version.data.minReader}, and this one reads version ${STORED_VERSION}`,
    )
  const body =
    forwarded(kind, stored, version.data.schemaVersion) ??
    refuse('not_understood', 'its members are not of the kinds they were')
  const parsed = parseLoosely(kind.schema, kind.isVersioned ? body : withoutVersion(body))
  if ('problems' in parsed) return refuse('not_understood', describe(parsed.problems))
  const decisive = purpose === 'show' ? [] : parsed.unknown.map((path) => path.join('.')).filter(isWithin(kind.exact))
  if (decisive.length > 0)
    return refuse('unknown_field', `it holds ${decisive.join(', ')}, which this release does not know`)
  return parsed.value
}

/**
 * The body to store for a value, with the fields of a newer release that came with it. Throws {@link InvariantError}
 * for what {@link readBody} would refuse: nothing is stored that cannot be read again.
 */
export function writeBody<T>(kind: Kind<T>, address: Address, value: T): string {
  const whole = withUnknownFields(value) as object
  const body = canonicalJson(kind.isVersioned ? whole : { ...whole, ...CURRENT_VERSION })
  try {
    readBody(kind, { ...address, body }, 'act')
  } catch (cause) {
    if (!(cause instanceof UnreadableItem)) throw cause
    throw new InvariantError(
      `${address.pk} ${address.sk} is not stored, for it could not be read again: ${cause.detail}`,
      {
        cause,
      },
    )
  }
  return body
}

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)

const isWithin = (exact: readonly string[]) => (path: string) => exact.some((member) => path.startsWith(`${member}.`))

/** Null where a migration meets what it did not expect. */
function forwarded(kind: Kind<unknown>, body: Body, schemaVersion: number): Body | null {
  try {
    return migrate(kind.name, body, schemaVersion)
  } catch {
    return null
  }
}

function withoutVersion(body: Body): Body {
  const { schemaVersion: _, minReader: __, ...rest } = body
  return rest
}

type Path = readonly PropertyKey[]
type Parsed<T> = { value: T; unknown: Path[] } | { problems: readonly z.core.$ZodIssue[] }

/** Parses, with the fields that the schema does not know set aside and hung on the objects that had them. */
function parseLoosely<T>(schema: z.ZodType<T>, body: Body): Parsed<T> {
  const first = schema.safeParse(body)
  if (first.success) return { value: first.data, unknown: [] }
  const { issues } = first.error
  const strangers: { at: Path; keys: string[] }[] = []
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') return { problems: issues }
    strangers.push({ at: issue.path, keys: issue.keys })
  }
  const setAside = strangers.map(({ at, keys }) => ({ at, fields: takeOut(memberAt(body, at), keys) }))
  const second = schema.safeParse(body)
  if (!second.success) return { problems: second.error.issues }
  for (const { at, fields } of setAside) {
    const target = memberAt(second.data, at)
    if (typeof target === 'object' && target !== null) attachUnknownFields(target, fields)
  }
  return { value: second.data, unknown: strangers.flatMap(({ at, keys }) => keys.map((key) => [...at, key])) }
}

const memberAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (member, key) =>
      typeof member === 'object' && member !== null ? (member as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  )

/** Removes the keys from an object that nobody else holds, and returns them. */
function takeOut(object: unknown, keys: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (typeof object !== 'object' || object === null) return fields
  const from = object as Record<string, unknown>
  for (const key of keys) {
    fields[key] = from[key]
    delete from[key]
  }
  return fields
}

const MAX_ISSUES = 3

function describe(issues: readonly z.core.$ZodIssue[]): string {
  const told = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
  return `${told.join('; ')}${issues.length > MAX_ISSUES ? `; and ${issues.length - MAX_ISSUES} more` : ''}`
}
