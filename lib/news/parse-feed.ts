import { z } from 'zod'
import type { EpochMs } from '../core/time.ts'
import { parseFeedDate } from './feed-date.ts'
import { FeedProblem } from './feed-problem.ts'

/** One entry as the feed has it: raw title, link where it gives one, time where it gives a readable one. */
export type FeedItem = { readonly title: string; readonly link: string | null; readonly publishedAt: EpochMs | null }

/** Titles and links come as text, or as objects where they have attributes or markup. */
const Entry = z.looseObject({
  title: z.unknown().optional(),
  link: z.unknown().optional(),
  guid: z.unknown().optional(),
  isoDate: z.unknown().optional(),
})
const Feed = z.looseObject({ items: z.array(Entry) })

/**
 * Reads RSS 0.9 to 2.0, RDF and Atom. Bare ampersands and HTML's named characters, which XML does not know, are
 * mended when the strict reading fails. Throws {@link FeedProblem} on anything else than a feed.
 */
export async function parseFeed(xml: string): Promise<FeedItem[]> {
  if (xml.trim() === '') throw new FeedProblem('the answer is empty')
  try {
    return await readItems(xml)
  } catch (error) {
    const mended = mendReferences(xml)
    if (mended === xml) throw asProblem(error)
    return readItems(mended).catch((again: unknown) => {
      throw asProblem(again)
    })
  }
}

async function readItems(xml: string): Promise<FeedItem[]> {
  // Loaded here, since enforcement and strategies without feeds have no use for it.
  const { default: Parser } = await import('rss-parser')
  // A parser of its own each time: after an error its state is not to be trusted.
  const parser = new Parser({ defaultRSS: 2, xml2js: { valueProcessors: [keepOnlyWhatIsRead] } })
  const { items } = Feed.parse(await parser.parseString(xml.trim()))
  return items.map(({ title, link, guid, isoDate }) => ({
    title: textOf(title),
    link: webAddress(textOf(link)) ?? webAddress(textOf(guid)),
    publishedAt: typeof isoDate === 'string' ? parseFeedDate(isoDate) : null,
  }))
}

/**
 * Applied to each element's text while parsing. Dates are read here, once and without this machine's time zone,
 * since the library throws a whole feed away for one it cannot read. Article bodies are dropped: the library
 * would run expressions over them whose time is quadratic on hostile input.
 */
function keepOnlyWhatIsRead(text: string, element: string): string {
  switch (element) {
    case 'pubDate':
    case 'published':
    case 'updated':
    case 'dc:date': {
      const instant = parseFeedDate(text)
      return instant === null ? '' : new Date(instant).toISOString()
    }
    case 'title':
    case 'dc:title':
    case 'link':
    case 'guid':
      return text.slice(0, 4_000)
    default:
      return element.includes(':') || BODIES.has(element) ? '' : text.slice(0, 4_000)
  }
}

const BODIES = new Set(['description', 'content', 'summary'])

/** All text in a parsed element, whatever its shape; attributes apart. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join(' ')
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .filter(([key]) => key !== '$')
    .map(([, inner]) => textOf(inner))
    .join(' ')
}

const webAddress = (text: string): string | null => (/^https?:\/\//i.test(text.trim()) ? text.trim() : null)

/** Outside CDATA: `&` that begins none of XML's own references becomes `&amp;`. */
const mendReferences = (xml: string): string =>
  xml
    .split(/(<!\[CDATA\[[\s\S]*?\]\]>)/)
    .map((part) =>
      part.startsWith('<![CDATA[')
        ? part
        : part.replace(/&(?!(?:amp|lt|gt|quot|apos|#\d+|#[xX][0-9a-fA-F]+);)/g, '&amp;'),
    )
    .join('')

/** The library's first line says what is wrong; the rest is position, and text of theirs. */
function asProblem(error: unknown): FeedProblem {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return new FeedProblem(`not a feed: ${message || 'unreadable'}`, { cause: error })
}
