/** A memory of at most `capacity` values, forgetting the one longest unused. */
export type Lru<K, V> = { get(key: K, make: () => V): V }

export function createLru<K, V>(capacity: number): Lru<K, V> {
  const values = new Map<K, V>()
  return {
    get(key, make) {
      const found = values.get(key)
      const value = found ?? make()
      if (found !== undefined) values.delete(key)
      values.set(key, value)
      if (values.size > capacity) {
        const oldest = values.keys().next()
        if (oldest.done !== true) values.delete(oldest.value)
      }
      return value
    },
  }
}
