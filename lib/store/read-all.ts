import type { Page, PageRequest } from './store.ts'

const PAGE = 200

/** Hands every item of a listing that can be read to `visit`, oldest first; no more than a page is held at a time. */
export async function readEach<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  visit: (item: T) => void,
): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await list({ limit: PAGE, cursor })
    for (const item of page.items) visit(item)
    cursor = page.cursor ?? undefined
  } while (cursor !== undefined)
}

/** Every item of a listing that can be read, oldest first, page by page. */
export async function readAll<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  await readEach(list, (item) => all.push(item))
  return all
}
