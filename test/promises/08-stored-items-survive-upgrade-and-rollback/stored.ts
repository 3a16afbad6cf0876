import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Item, ItemStore, SearchableItems } from '../../../lib/store/item-store.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { KINDS, type StoredKind } from '../../../lib/store/stored-kinds.ts'

/** Items that the release before version 2 wrote, by what it was doing when it stopped. */
const DIRECTORY = new URL('../../fixtures/version-1/', import.meta.url)

const StoredItems = z.array(
  z.strictObject({
    pk: z.string(),
    sk: z.string(),
    version: z.number().nullable(),
    body: z.string(),
    writer: z.string(),
    expiresAt: z.number().nullable(),
  }),
)

export const FIXTURES = readdirSync(DIRECTORY).map((file) => file.replace('.json', ''))

export const fixture = (name: string): Item[] =>
  StoredItems.parse(JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), 'utf8')))

export async function itemsOf(stored: readonly Item[], items = createMemoryItems()): Promise<SearchableItems> {
  for (const item of stored) await items.put(item, 'none')
  return items
}

const KIND_OF_KEY: Readonly<Record<string, StoredKind>> = {
  STATE: 'state',
  BOOK: 'paper_book',
  CLEARANCE: 'clearance',
  CYCLE: 'cycle',
  TRADE: 'trade',
  ORDER: 'order',
  FILL: 'fill',
  FUNDING: 'funding',
  EQUITY: 'equity',
}

export function kindOfItem({ sk }: Pick<Item, 'sk'>): (typeof KINDS)[StoredKind] {
  const kind = KIND_OF_KEY[sk.split('#')[0] ?? '']
  if (kind === undefined) throw new Error(`no kind of item has the key ${sk}`)
  return KINDS[kind]
}

export const bodyOf = ({ body }: Pick<Item, 'body'>): Record<string, unknown> =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(body))

/** The item with its body changed. */
export const changed = (item: Item, change: (body: Record<string, unknown>) => unknown): Item => ({
  ...item,
  body: JSON.stringify(change(bodyOf(item))),
})

/** Changes the item under a key where it is. */
export async function tamper(
  items: ItemStore,
  pk: string,
  sk: string,
  change: (body: Record<string, unknown>) => unknown,
): Promise<Item> {
  const item = await items.get(pk, sk)
  if (item === null) throw new Error(`there is no ${pk} ${sk}`)
  const after = changed(item, change)
  await items.put(after, 'none')
  return after
}

/** Everything in the partitions of the strategy, to compare before with after. */
export async function everything(items: ItemStore): Promise<Item[]> {
  const partitions = ['STRATEGY#eth-perp', 'LIVE#eth-perp', 'PAPER#eth-perp']
  const pages = await Promise.all(partitions.map((pk) => items.query({ pk, prefix: '', limit: 1_000 })))
  return pages.flatMap((page) => page.items)
}
