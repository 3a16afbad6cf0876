/**
 * Fields that a newer release has stored and this one does not know. They travel with the object that had them, out of
 * sight of types and schemas, through every copy made by spreading, and are put back when the object is stored again.
 */
const UNKNOWN = Symbol('unknown fields')

type Fields = Readonly<Record<string, unknown>>

/** Hangs `fields` on `target`, which is changed. */
export function attachUnknownFields(target: object, fields: Fields): void {
  Object.assign(target, { [UNKNOWN]: fields })
}

/** The same value with all unknown fields, at any depth, among the others. What has none is returned itself. */
export function withUnknownFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const members: unknown[] = value
    const restored = members.map(withUnknownFields)
    return restored.some((member, index) => member !== members[index]) ? restored : value
  }
  const unknown = (value as { [UNKNOWN]?: Fields })[UNKNOWN]
  let restored: Record<string, unknown> | null = unknown === undefined ? null : { ...unknown, ...value }
  for (const [key, member] of Object.entries(value)) {
    const after = withUnknownFields(member)
    if (after === member) continue
    restored ??= { ...value }
    restored[key] = after
  }
  return restored ?? value
}
