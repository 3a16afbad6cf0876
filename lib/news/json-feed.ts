import { z } from 'zod'
import { readFeedDate } from './feed-date.ts'
import { FeedProblem } from './feed-problem.ts'
import { MAX_ITEMS } from './distil-feed.ts'
import { type ParsedFeed, webAddress } from './parsed-feed.ts'

/**
 * JSON Feed (jsonfeed.org), versions 1 and 1.1, as far as headlines go. An item without a title is a note, not a story.
 */
const Item = z.looseObject({
  title: z.string().nullish().catch(null),
  url: z.string().nullish().catch(null),
  external_url: z.string().nullish().catch(null),
  date_published: z.string().nullish().catch(null),
  date_modified: z.string().nullish().catch(null),
})
const JsonFeed = z.looseObject({
  version: z.string().regex(/^https?:\/\/(?:www\.)?jsonfeed\.org\/version\/1/),
  items: z.array(z.unknown()),
})

const OTHER = 'give the address of the site’s RSS, Atom or JSON Feed in news.feeds'

/** Reads a JSON Feed. Throws {@link FeedProblem} on any other JSON, naming its keys. */
export function parseJsonFeed(text: string): ParsedFeed {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new FeedProblem(`looks like JSON and is none, or is cut off; ${OTHER}`)
  }
  const feed = JsonFeed.safeParse(value)
  if (!feed.success) {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value).slice(0, 5).join(', ') : typeof value
    throw new FeedProblem(`JSON that is no JSON Feed (it has: ${keys}); ${OTHER}`)
  }
  const doubts = new Set<string>()
  let unreadableDate: string | null = null
  const items = feed.data.items.slice(0, MAX_ITEMS).flatMap((raw) => {
    const parsed = Item.safeParse(raw)
    if (!parsed.success) return []
    const { title, url, external_url, date_published, date_modified } = parsed.data
    const written = date_published ?? date_modified ?? ''
    const date = readFeedDate(written)
    if (date?.doubt) doubts.add(date.doubt)
    if (date === null && written !== '') unreadableDate ??= written
    return [
      {
        title: title ?? '',
        link: webAddress(url ?? '') ?? webAddress(external_url ?? ''),
        publishedAt: date?.at ?? null,
      },
    ]
  })
  const isCut = feed.data.items.length > MAX_ITEMS
  return {
    items,
    madeAt: null,
    unreadableDate,
    remarks: [...doubts, ...(isCut ? [`only its first ${MAX_ITEMS} items are read`] : [])],
  }
}
