import type { z } from 'zod'
import type { FeedReport } from '../../schemas/snapshot.ts'
import type { FeedConfig, NewsConfig } from '../../schemas/strategy-config.ts'
import type { EpochMs } from '../core/time.ts'
import { DAY_MS } from '../core/time.ts'
import { cleanTitle } from './clean-title.ts'
import { readFeedDate } from './feed-date.ts'
import { FeedProblem } from './feed-problem.ts'
import { fetchFeed } from './fetch-feed.ts'
import { isHtml, namePage } from './name-page.ts'
import type { NewsSource } from './news-source.ts'
import { parseFeed } from './parse-feed.ts'
import type { FeedItem, ParsedFeed } from './parsed-feed.ts'
import { placeUndated } from './place-undated.ts'
import { type Candidate, MAX_UNDATED, selectHeadlines } from './select-headlines.ts'

/** A problem is told in at most this many characters; some of it may be the feed's own words. */
const MAX_PROBLEM_LENGTH = 300
/** A feed whose newest item is older is said to be abandoned. */
const ABANDONED_DAYS = 30

/**
 * Headlines from RSS, Atom and JSON feeds, all fetched at once. A feed that is dead, slow, huge, malformed, empty or no
 * feed costs its own headlines and at most `timeoutMs`; its report says why and what to do, and names whatever was odd
 * about one that could be read. What goes in is decided by {@link selectHeadlines}. Nothing is fetched where no
 * headline is wanted.
 */
export function createNewsSource({ config }: { config: NewsConfig }): NewsSource {
  return {
    async headlines(asOf) {
      if (config.maxHeadlines === 0) return { headlines: [], feeds: [] }
      const feeds = await Promise.all(config.feeds.map((feed) => readFeed(feed, config, asOf)))
      const candidates = feeds.flatMap((feed) => feed.candidates)
      return { headlines: selectHeadlines(candidates, config, asOf), feeds: feeds.map((feed) => feed.report) }
    },
  }
}

async function readFeed(
  { name, url }: z.infer<typeof FeedConfig>,
  config: NewsConfig,
  asOf: EpochMs,
): Promise<{ candidates: Candidate[]; report: FeedReport }> {
  const { timeoutMs, maxBytes, maxTitleLength } = config
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const page = await fetchFeed({ url, signal, maxBytes })
    if (isHtml(page.text)) throw new FeedProblem(namePage(page))
    const feed = await parseFeed(page.text, signal)
    const madeAt = feed.madeAt ?? readFeedDate(page.headers.get('last-modified') ?? '')?.at ?? null
    const undated = placeUndated(feed.items, { madeAt, asOf })
    const titled = feed.items
      .map(({ title, link, publishedAt }, index) => ({
        title: cleanTitle(title, maxTitleLength),
        link,
        publishedAt,
        source: name,
        ...(undated[index] === undefined ? {} : { undated: undated[index] }),
      }))
      .filter(({ title }) => title !== '')
    const known = titled.filter(({ publishedAt }) => publishedAt === null || publishedAt <= asOf)
    const remarks = remarkOn(feed, { titled, known, asOf })
    return { candidates: known, report: report(name, feed.items.length, remarks) }
  } catch (error) {
    const reason = error instanceof FeedProblem ? error.message : signal.aborted ? lateness(timeoutMs) : UNREADABLE
    return { candidates: [], report: { ...report(name, 0, [reason]), ok: false } }
  }
}

const UNREADABLE = 'the feed could not be read; remove it from news.feeds'

const lateness = (timeoutMs: number): string =>
  `no complete answer within ${timeoutMs} ms; raise news.timeoutMs, or remove the feed if it stays so`

const report = (source: string, items: number, remarks: readonly string[]): FeedReport => ({
  source,
  ok: true,
  items,
  problem: remarks.length === 0 ? null : cleanTitle(remarks.join('; '), MAX_PROBLEM_LENGTH),
})

/** What was odd about a feed that could be read. */
function remarkOn(
  { items, remarks, unreadableDate }: ParsedFeed,
  { titled, known, asOf }: { titled: readonly FeedItem[]; known: readonly FeedItem[]; asOf: EpochMs },
): string[] {
  const dated = known.flatMap(({ publishedAt }) => publishedAt ?? [])
  const undated = known.length - dated.length
  const newest = dated.reduce((latest, at) => Math.max(latest, at), 0)
  const days = Math.floor((asOf - newest) / DAY_MS)
  const example = unreadableDate === null ? '' : `, as “${unreadableDate.slice(0, 40)}”`
  return [
    ...(items.length === 0 ? ['the feed has no items'] : []),
    ...(titled.length < items.length ? [`${items.length - titled.length} without a title dropped`] : []),
    ...(known.length < titled.length ? [`${titled.length - known.length} dated in the future dropped`] : []),
    ...(undated > 0
      ? [
          `${undated} of ${known.length} have no date that can be read${example}: at most ${MAX_UNDATED} such headlines are shown, in the order of the feed, without an age`,
        ]
      : []),
    ...(dated.length > 0 && undated === 0 && days >= ABANDONED_DAYS
      ? [`its newest item is ${days} days old: it seems abandoned; remove it from news.feeds`]
      : []),
    ...remarks,
  ]
}
