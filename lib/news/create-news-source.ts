import type { z } from 'zod'
import type { FeedReport } from '../../schemas/snapshot.ts'
import type { FeedConfig, NewsConfig } from '../../schemas/strategy-config.ts'
import type { EpochMs } from '../core/time.ts'
import { cleanTitle } from './clean-title.ts'
import { FeedProblem } from './feed-problem.ts'
import { fetchFeed } from './fetch-feed.ts'
import type { NewsSource } from './news-source.ts'
import { parseFeed } from './parse-feed.ts'
import { type Candidate, selectHeadlines } from './select-headlines.ts'

/** A problem is told in at most this many characters; some of it may be the feed's own words. */
const MAX_PROBLEM_LENGTH = 160

/**
 * Headlines from RSS and Atom feeds, all fetched at once. A feed that is dead, slow, huge, malformed, empty or no
 * feed costs its own headlines and at most `timeoutMs`; its report says why. What goes in is decided by
 * {@link selectHeadlines}. Nothing is fetched where no headline is wanted.
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
  try {
    const items = await parseFeed(await fetchFeed({ url, timeoutMs: config.timeoutMs, maxBytes: config.maxBytes }))
    const titled = items
      .map((item) => ({ ...item, source: name, title: cleanTitle(item.title, config.maxTitleLength) }))
      .filter((item) => item.title !== '')
    const known = titled.filter((item) => item.publishedAt === null || item.publishedAt <= asOf)
    return {
      candidates: known,
      report: {
        source: name,
        ok: true,
        items: items.length,
        problem: remarkOn(items.length, titled.length, known.length),
      },
    }
  } catch (error) {
    const reason = error instanceof FeedProblem ? error.message : 'the feed could not be read'
    return {
      candidates: [],
      report: { source: name, ok: false, items: 0, problem: cleanTitle(reason, MAX_PROBLEM_LENGTH) },
    }
  }
}

/** What was odd about a feed that could be read. */
function remarkOn(items: number, titled: number, known: number): string | null {
  const remarks = [
    ...(items === 0 ? ['the feed has no items'] : []),
    ...(titled < items ? [`${items - titled} without a title dropped`] : []),
    ...(known < titled ? [`${titled - known} dated in the future dropped`] : []),
  ]
  return remarks.length === 0 ? null : remarks.join('; ')
}
