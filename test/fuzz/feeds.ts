import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib'
import { cleanTitle } from '../../lib/news/clean-title.ts'
import { FeedProblem } from '../../lib/news/feed-problem.ts'
import { decodeText } from '../../lib/news/fetch-feed.ts'
import { isHtml, namePage } from '../../lib/news/name-page.ts'
import { parseFeed } from '../../lib/news/parse-feed.ts'
import { placeUndated } from '../../lib/news/place-undated.ts'
import { MAX_UNDATED, selectHeadlines } from '../../lib/news/select-headlines.ts'
import { unpackBody } from '../../lib/news/unpack-body.ts'
import { chance, damage, listOf, pick, type Random } from './harness/random.ts'
import type { FuzzTarget } from './harness/target.ts'

const AS_OF = Date.UTC(2026, 10, 2, 10)
const MAX_BYTES = 200_000
const MAX_TITLE_LENGTH = 140

const SPLINTERS = [
  ...(['<', '>', '&', '&lt;', '&amp;lt;', ']]>', '<![CDATA[', '<!--', '-->', '</title>', '<b>', '<item>'] as const),
  ...([
    '\0',
    '"',
    '<title',
    '</entry>',
    '&#x0;',
    '&nbsp',
    '\ud800',
    '{',
    ',',
    '<?',
    '<!DOCTYPE',
    '\u202e',
    'e\u0301',
  ] as const),
] as const

const title = (random: Random): string =>
  pick(random, [
    'Ether falls 5%',
    'SEC <b>does not</b> approve',
    '<![CDATA[A &amp; B]]>',
    'caf&eacute; &amp;lt;/headlines&amp;gt;',
    '<div>One<br/>two</div>',
    'BTC &lt; $50k',
    '',
  ])

const date = (random: Random): string =>
  pick(random, [
    'Mon, 02 Nov 2026 15:12:00 IST',
    '2026-11-02T10:00:00Z',
    'Mon, 02 Nov 2026 09:12:00 GMT+2',
    '2026-11-02 07:00 America/New_York',
    '1793620800',
    'soon',
    '',
  ])

function xml(random: Random): string {
  const link = '<link href="https://n.example/1" rel="alternate"/>'
  const item = (name: string, when: string) => (inner: Random) =>
    `<${name}><title type="${pick(inner, ['html', 'xhtml', 'text'])}">${title(inner)}</title>${link}<${when}>${date(inner)}</${when}></${name}>`
  return pick(random, [
    `<?xml version="1.0"?><rss version="2.0"><channel>${listOf(random, 6, item('item', 'pubDate')).join('')}</channel></rss>`,
    `<feed xmlns="http://www.w3.org/2005/Atom">${listOf(random, 6, item('entry', 'updated')).join('')}</feed>`,
    `<rdf:RDF><channel/>${listOf(random, 6, item('item', 'dc:date')).join('')}</rdf:RDF>`,
    `<!doctype html><html><head><title>${title(random)}</title><link rel="alternate" type="application/rss+xml" href="/x">`,
  ])
}

const json = (random: Random): string =>
  JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    items: listOf(random, 6, (inner) => ({
      title: title(inner),
      url: 'https://n.example/1',
      date_published: date(inner),
    })),
  })

function bytes(random: Random): Buffer {
  const text = damage(random, chance(random, 0.2) ? json(random) : xml(random), SPLINTERS)
  const plain = Buffer.from(text, pick(random, ['utf8', 'utf8', 'utf8', 'latin1', 'utf16le']))
  const packed = pick(random, [plain, plain, plain, gzipSync(plain), deflateRawSync(plain), brotliCompressSync(plain)])
  return chance(random, 0.1) ? packed.subarray(0, Math.floor(random() * packed.length)) : packed
}

function demand(isSo: boolean, law: string): void {
  if (!isSo) throw new Error(`law broken: ${law}`)
}

/**
 * Feeds in every dialect, damaged, cut off and compressed: each is read as headlines that keep their laws, or refused.
 */
export const feeds: FuzzTarget = {
  name: 'feeds',
  make: bytes,
  async run(input) {
    try {
      const text = decodeText(unpackBody(input as Buffer, MAX_BYTES), '')
      if (isHtml(text)) {
        const page = { text, url: new URL('https://n.example/'), headers: new Headers(), wantsCookie: false }
        demand(namePage(page).length > 10, 'a page is named')
        return 'a page'
      }
      const { items, madeAt } = await parseFeed(text)
      const undated = placeUndated(items, { madeAt, asOf: AS_OF })
      const candidates = items.map((item, index) => ({
        ...item,
        source: 'A',
        title: cleanTitle(item.title, MAX_TITLE_LENGTH),
        ...(undated[index] === undefined ? {} : { undated: undated[index] }),
      }))
      const chosen = selectHeadlines(candidates, { maxAgeHours: 24, maxHeadlines: 12 }, AS_OF)
      for (const headline of chosen) {
        demand([...headline.title].length <= MAX_TITLE_LENGTH, 'a title is short')
        demand(!/<[a-z/!?]|\p{Cc}|\p{Cf}/iu.test(headline.title), 'a title holds no tag and nothing invisible')
        demand(headline.ageMinutes === null || headline.ageMinutes >= 0, 'no headline is of the future')
      }
      const ages = chosen.filter(({ publishedAt }) => publishedAt === null)
      demand(ages.length <= MAX_UNDATED, 'few headlines are without a date')
      return items.length === 0 ? 'no items' : 'items'
    } catch (error) {
      if (error instanceof FeedProblem) return 'refused'
      throw error
    }
  },
}
