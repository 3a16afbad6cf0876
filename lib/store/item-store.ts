/** One stored item. `body` is JSON text: what was written comes back byte for byte. */
export type Item = {
  pk: string
  sk: string
  /** Set on items that change; an append-only item has none. */
  version: number | null
  body: string
  /** Which invocation wrote it: tells a lost answer to one's own write from somebody else's equal one. */
  writer: string
  /** Epoch seconds after which the item may disappear; null keeps it. */
  expiresAt: number | null
}

/**
 * When a write may take effect: `absent` if the key is new, `{ version }` if the stored version is that one,
 * `{ below }` if there is none or only one of a lower version.
 */
export type WriteCondition = 'none' | 'absent' | { version: number } | { below: number }

export type ItemQuery = {
  pk: string
  /** Beginning of the sort key. */
  prefix: string
  /** Further bounds within the prefix, both inclusive, compared as text. */
  from?: string | undefined
  to?: string | undefined
  newestFirst?: boolean | undefined
  limit: number
  /** Where the page before ended. */
  cursor?: string | undefined
}

export type ItemPage = { items: Item[]; cursor: string | null }

/**
 * The little that is asked of a database: read one, write one under a condition, list a range. No
 * transactions, so that a single conditional write is all that exactness rests on. Reads see every write
 * before them. Rejects with {@link StoreError} when the database cannot be reached.
 */
export type ItemStore = {
  get(pk: string, sk: string): Promise<Item | null>
  put(item: Item, condition: WriteCondition): Promise<'ok' | 'conflict'>
  query(query: ItemQuery): Promise<ItemPage>
}

/** A database that also tells which partitions it has: what people's commands search. The functions never do. */
export type SearchableItems = ItemStore & {
  /** Every partition key in use, in no order. Asks once a partition, however many items it holds. */
  partitions(): Promise<string[]>
}

/** There is no table of that name. */
export class MissingTable extends Error {
  override readonly name = 'MissingTable'
}

/** The database could not be reached or refused; whether a write took effect is unknown. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}
