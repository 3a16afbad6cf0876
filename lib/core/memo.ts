/**
 * Remembers what `compute` last gave for each `subject`, as long as `key` is the same: for pure functions of values
 * that never change and are asked about again and again. Only a matter of speed.
 */
export function rememberLast<S extends object, K, T>(compute: (subject: S, key: K) => T): (subject: S, key: K) => T {
  const last = new WeakMap<S, { key: K; value: T }>()
  return (subject, key) => {
    const known = last.get(subject)
    if (known !== undefined && Object.is(known.key, key)) return known.value
    const value = compute(subject, key)
    last.set(subject, { key, value })
    return value
  }
}
