import { cleanTitle } from '../../lib/news/clean-title.ts'
import { FeedProblem } from '../../lib/news/feed-problem.ts'
import { parseFeed } from '../../lib/news/parse-feed.ts'
import { damage, type Random, pick, whole } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

const SPLINTERS = [
  '<',
  '>',
  '&',
  '&lt;',
  ']]>',
  '<![CDATA[',
  '<!--',
  '-->',
  '</title>',
  '<b>',
  '<item>',
  '\0',
  '"',
] as const

const TITLES = ['Ether falls 5%', 'SEC <b>does not</b> approve', '<![CDATA[A &amp; B]]>', 'caf&eacute;', ''] as const

function rss(random: Random): string {
  const items = Array.from({ length: whole(random, 0, 5) }, () => {
    const date = pick(random, ['Mon, 02 Nov 2026 15:12:00 IST', '2026-11-02T10:00:00Z', 'soon', ''])
    return `<item><title>${pick(random, TITLES)}</title><link>https://n.example/1</link><pubDate>${date}</pubDate></item>`
  })
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>${items.join('')}</channel></rss>`
}

/** Feeds, damaged: each is read as headlines or refused as a {@link FeedProblem}. */
export const feeds: FuzzTarget = {
  name: 'feeds',
  make: (random) => damage(random, rss(random), SPLINTERS),
  async run(input) {
    try {
      const { items } = await parseFeed(input as string)
      for (const { title } of items) cleanTitle(title, 140)
      return items.length === 0 ? 'no items' : 'items'
    } catch (error) {
      if (error instanceof FeedProblem) return 'refused'
      throw error
    }
  },
}
