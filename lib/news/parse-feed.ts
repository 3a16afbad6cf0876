import { z } from 'zod'
import { distilFeed, MAX_ITEMS } from './distil-feed.ts'
import { readFeedDate } from './feed-date.ts'
import { FeedProblem } from './feed-problem.ts'
import { parseJsonFeed } from './json-feed.ts'
import { type FeedItem, type ParsedFeed, webAddress } from './parsed-feed.ts'

/** What the library makes of a distilled document: text, and nothing where an element was empty. */
const Entry = z.looseObject({
  title: z.string().catch(''),
  link: z.string().catch(''),
  guid: z.string().catch(''),
  isoDate: z.string().catch(''),
})
const Feed = z.looseObject({ items: z.array(Entry) })

/**
 * Reads RSS 0.9 to 2.0, RDF, Atom and JSON Feed. Time is linear in the text, and `signal` ends the work between two
 * pieces of it. Rejects with {@link FeedProblem} on anything else than a feed, and with the signal's reason.
 */
export async function parseFeed(text: string, signal?: AbortSignal): Promise<ParsedFeed> {
  const begin = firstSign(text)
  if (begin === '')
    throw new FeedProblem('the answer is empty; correct or remove the feed in news.feeds if it stays so')
  if (begin === '{' || begin === '[') return parseJsonFeed(text)
  const { root, xml, items, broken, isTorn, isCut, madeAt, doubts, unreadableDate } = await distilFeed(text, signal)
  if (root === null) throw new FeedProblem('not a feed: no XML and no JSON; correct or remove it in news.feeds')
  if (xml === null)
    throw new FeedProblem(`not a feed: ${OTHER_KINDS[root] ?? `its first element is “${root}”`}; ${CORRECT}`)
  if (items === 0 && (broken > 0 || isTorn))
    throw new FeedProblem(`cut off or broken before its first item ends; ${WAIT}`)
  return {
    items: await readItems(xml),
    madeAt,
    unreadableDate,
    remarks: [
      ...(broken > 0 ? [`${broken} broken items dropped`] : []),
      ...(isTorn ? ['the feed is cut off before its end'] : []),
      ...(isCut ? [`only its first ${MAX_ITEMS} items are read`] : []),
      ...doubts,
    ],
  }
}

const CORRECT = 'correct or remove it in news.feeds'
const WAIT = `if it stays so, ${CORRECT}`

/** First elements of XML that people mistake for a feed. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  html: 'an HTML page',
  urlset: 'a sitemap',
  sitemapindex: 'a list of sitemaps',
  opml: 'a list of feeds (OPML); give the addresses it lists one by one',
  opensearchdescription: 'a description of a search',
}

/** A byte-order mark counts as white space. */
const firstSign = (text: string): string => text.trimStart().charAt(0)

async function readItems(xml: string): Promise<FeedItem[]> {
  // Loaded here, since enforcement and strategies without feeds have no use for it.
  const { default: Parser } = await import('rss-parser')
  const { items } = Feed.parse(await new Parser().parseString(xml))
  return items.map(({ title, link, guid, isoDate }) => ({
    title,
    link: webAddress(link) ?? webAddress(guid),
    publishedAt: readFeedDate(isoDate)?.at ?? null,
  }))
}
