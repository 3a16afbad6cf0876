import type { Item, ItemPage, ItemQuery, ItemStore, SearchableItems, WriteCondition } from './item-store.ts'

/** Items in this process only: for tests, replays and, over another store, for dry runs. */
export function createMemoryItems(): SearchableItems {
  const partitions = new Map<string, Map<string, Item>>()
  const partition = (pk: string): Map<string, Item> => {
    const existing = partitions.get(pk)
    if (existing !== undefined) return existing
    const created = new Map<string, Item>()
    partitions.set(pk, created)
    return created
  }
  return {
    partitions: async () => [...partitions].flatMap(([pk, held]) => (held.size === 0 ? [] : [pk])),
    async get(pk, sk) {
      const item = partition(pk).get(sk)
      return item === undefined ? null : { ...item }
    },
    async put(item, condition) {
      const stored = partition(item.pk).get(item.sk)
      if (!allows(condition, stored)) return 'conflict'
      partition(item.pk).set(item.sk, { ...item })
      return 'ok'
    },
    async query(query) {
      const keys = [...partition(query.pk).keys()].filter((sk) => isWithin(query, sk)).sort(compareText)
      return page(query, keys, (sk) => partition(query.pk).get(sk))
    },
  }
}

/**
 * Reads through to `base`, writes into memory only: everything behaves as if it had happened, and nothing
 * has. What a dry run runs on.
 */
export function createOverlayItems(base: ItemStore): ItemStore {
  const overlay = createMemoryItems()
  const get: ItemStore['get'] = async (pk, sk) => (await overlay.get(pk, sk)) ?? base.get(pk, sk)
  const put: ItemStore['put'] = async (item, condition) => {
    if (!allows(condition, (await get(item.pk, item.sk)) ?? undefined)) return 'conflict'
    return overlay.put(item, 'none')
  }
  // Looking and writing are two steps here: one write at a time keeps them one.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    get,
    put(item, condition) {
      const mine = turn.then(() => put(item, condition))
      turn = mine.catch(() => {})
      return mine
    },
    async query(query) {
      // Both sides are listed whole: an overlay lives for one dry run and stays small.
      const all = new Map<string, Item>()
      for (const source of [base, overlay]) {
        let cursor: string | undefined
        do {
          const next: ItemPage = await source.query({ ...query, limit: 1_000, cursor })
          for (const item of next.items) all.set(item.sk, item)
          cursor = next.cursor ?? undefined
        } while (cursor !== undefined && all.size < query.limit)
      }
      return page(query, [...all.keys()].sort(compareText), (sk) => all.get(sk))
    },
  }
}

function allows(condition: WriteCondition, stored: Item | undefined): boolean {
  if (condition === 'none') return true
  if (condition === 'absent') return stored === undefined
  if ('below' in condition) return stored === undefined || (stored.version ?? -1) < condition.below
  return stored !== undefined && stored.version === condition.version
}

const isWithin = ({ prefix, from, to }: ItemQuery, sk: string): boolean =>
  sk.startsWith(prefix) && (from === undefined || sk >= from) && (to === undefined || sk <= to)

/** By code unit, as DynamoDB orders ASCII sort keys; all ours are ASCII. */
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function page(query: ItemQuery, ascending: string[], read: (sk: string) => Item | undefined): ItemPage {
  const keys = query.newestFirst ? ascending.toReversed() : ascending
  const start = query.cursor === undefined ? 0 : keys.indexOf(query.cursor) + 1
  const chosen = keys.slice(start, start + query.limit)
  const items = chosen.flatMap((sk) => read(sk) ?? []).map((item) => ({ ...item }))
  return { items, cursor: start + query.limit < keys.length ? (chosen.at(-1) ?? null) : null }
}
