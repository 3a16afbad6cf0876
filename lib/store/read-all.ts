import type { Page, PageRequest } from './store.ts'

const PAGE = 200

/** Every item of a listing, oldest first, page by page. */
export async function readAll<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    const page = await list({ limit: PAGE, cursor })
    all.push(...page.items)
    cursor = page.cursor ?? undefined
  } while (cursor !== undefined)
  return all
}
