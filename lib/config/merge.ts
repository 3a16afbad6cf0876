export type Json = Record<string, unknown>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * `over` laid over `base`: objects merge key by key, arrays and values replace. An object of another `kind` replaces the
 * whole, since its settings belong to its kind.
 */
export function merge(base: Json, over: Json): Json {
  const result: Json = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = result[key]
    const sameKind =
      !isObject(before) || !isObject(value) || value['kind'] === undefined || before['kind'] === value['kind']
    result[key] = isObject(before) && isObject(value) && sameKind ? merge(before, value) : value
  }
  return result
}
