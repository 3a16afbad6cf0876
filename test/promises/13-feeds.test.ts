import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { fromIso, HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import { cleanTitle } from '../../lib/news/clean-title.ts'
import { createNewsSource } from '../../lib/news/create-news-source.ts'
import { readFeedDate } from '../../lib/news/feed-date.ts'
import { placeUndated } from '../../lib/news/place-undated.ts'
import { type Candidate, linkKey, selectHeadlines, titleKey } from '../../lib/news/select-headlines.ts'
import { NewsDigest } from '../../schemas/snapshot.ts'
import { NewsConfig } from '../../schemas/strategy-config.ts'
import { type FakeItem, rssOf, startFakeFeeds } from '../support/fake-feeds.ts'

const asOf = fromIso('2026-11-02T10:00:00Z')
const hoursAgo = (hours: number): string => new Date(asOf - hours * HOUR_MS).toUTCString()

type Document = { status?: number; body: string | Buffer; headers?: Record<string, string> }
const closing: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

/** What a cycle would be given of feeds that answer like this, in their order. */
async function digestOf(
  documents: Readonly<Record<string, Document | string>>,
  paths = Object.keys(documents),
  overrides: Partial<NewsConfig> = {},
) {
  const server = await startFakeFeeds(
    Object.fromEntries(
      Object.entries(documents).map(([path, document]) => [
        path,
        typeof document === 'string' ? document : { headers: {}, ...document },
      ]),
    ),
  )
  closing.push(server.close)
  const feeds = paths.map((path) => ({ name: path.slice(1, 30), url: server.url(path) }))
  const config = NewsConfig.parse({ feeds, timeoutMs: 10_000, ...overrides })
  return NewsDigest.parse(await createNewsSource({ config }).headlines(asOf))
}

const only = async (document: Document | string, overrides: Partial<NewsConfig> = {}) => {
  const { headlines, feeds } = await digestOf({ '/only': document }, undefined, overrides)
  return {
    headlines,
    titles: headlines.map(({ title }) => title),
    ok: feeds[0]?.ok,
    problem: feeds[0]?.problem ?? null,
  }
}

describe('the time zone of a feed’s date is understood', () => {
  const NOON = '2026-11-02T12:00:00Z'
  test.each([
    ['Mon, 02 Nov 2026 12:00:00 GMT', NOON],
    ['Mon, 02 Nov 2026 12:00:00 UT', NOON],
    ['Mon, 02 Nov 2026 12:00:00 Z', NOON],
    ['Mon, 02 Nov 2026 12:00:00 +0000', NOON],
    ['Mon, 02 Nov 2026 07:00:00 EST', NOON],
    ['Mon, 02 Nov 2026 08:00:00 EDT', NOON],
    ['Mon, 02 Nov 2026 06:00:00 CST', NOON],
    ['Mon, 02 Nov 2026 05:00:00 MST', NOON],
    ['Mon, 02 Nov 2026 04:00:00 PST', NOON],
    ['Mon, 02 Nov 2026 05:00:00 PDT', NOON],
    ['Mon, 02 Nov 2026 07:00:00 ET', NOON],
    ['Mon, 02 Nov 2026 04:00 PT', NOON],
    ['Mon, 02 Nov 2026 13:00:00 CET', NOON],
    ['Mon, 02 Nov 2026 14:00:00 CEST', NOON],
    ['Mon, 02 Nov 2026 13:00:00 MEZ', NOON],
    ['Mon, 02 Nov 2026 14:00:00 EET', NOON],
    ['Mon, 02 Nov 2026 15:00:00 MSK', NOON],
    ['Mon, 02 Nov 2026 20:00:00 HKT', NOON],
    ['Mon, 02 Nov 2026 20:00:00 SGT', NOON],
    ['Mon, 02 Nov 2026 21:00:00 JST', NOON],
    ['Mon, 02 Nov 2026 21:00:00 KST', NOON],
    ['Mon, 02 Nov 2026 22:00:00 AEST', NOON],
    ['Mon, 02 Nov 2026 23:00:00 AEDT', NOON],
    ['Tue, 03 Nov 2026 01:00:00 NZDT', NOON],
    ['Mon, 02 Nov 2026 09:00:00 BRT', NOON],
    ['Mon, 02 Nov 2026 14:00:00 SAST', NOON],
    ['Mon, 02 Nov 2026 17:45:00 NPT', NOON],
    ['Mon, 02 Nov 2026 14:00:00 GMT+2', NOON],
    ['Mon, 02 Nov 2026 14:00:00 GMT+02:00', NOON],
    ['Mon, 02 Nov 2026 06:30:00 UTC-5:30', NOON],
    ['Mon, 02 Nov 2026 17:30:00 GMT +0530', NOON],
    ['Mon, 02 Nov 2026 07:00:00 -0500 (EST)', NOON],
    ['Mon, 02 Nov 2026 07:00:00 Eastern Standard Time', NOON],
    ['Mon Nov 02 2026 17:30:00 GMT+0530 (India Standard Time)', NOON],
    ['Mon Nov  2 13:00:00 CET 2026', NOON],
    ['2026-11-02T17:30+05:30', NOON],
    ['2026-11-02 07:00:00 America/New_York', NOON],
    ['2026-11-02T13:00:00 Europe/Berlin', NOON],
    ['2026-07-02T14:00:00 Europe/Berlin', '2026-07-02T12:00:00Z'],
    ['02 Nov 26 12:00 GMT', NOON],
    ['November 2, 2026 7:00 am EST', NOON],
    ['Seg, 2 Nov 2026 09:00:00 -0300', NOON],
    ['Mo, 02 Okt 2026 12:00:00 GMT', '2026-10-02T12:00:00Z'],
    ['1793620800', NOON],
    ['1793620800000', NOON],
  ])('%s', (text, expected) => {
    const date = readFeedDate(text)
    expect(date).toEqual({ at: fromIso(expected), doubt: null })
  })

  test.each([
    ['Mon, 02 Nov 2026 17:30:00 IST', /^dates in IST are read as India’s time, \+05:30/],
    ['Mon, 02 Nov 2026 13:00:00 BST', /^dates in BST are read as British summer time/],
    ['Mon, 02 Nov 2026 08:00:00 AST', /^dates in AST are read as Atlantic time/],
    ['Mon, 02 Nov 2026 12:00:00 B', /^dates in the military zone B are read as UTC/],
    ['Mon, 02 Nov 2026 12:00:00', /^dates without a time zone are read as UTC/],
    ['Mon Nov  2 12:00:00 2026', /^dates without a time zone/],
    ['2026-11-02T12:00:00', /^dates without a time zone/],
  ])('%s is ambiguous: it is read in one stated way, and the reading is told', (text, doubt) => {
    expect(readFeedDate(text)).toEqual({ at: fromIso(NOON), doubt: expect.stringMatching(doubt) })
  })

  test.each([
    'Mon, 02 Nov 2026 12:00:00 QQT',
    'Mon, 02 Nov 2026 12:00:00 +99:00',
    'Mon, 02 Nov 2026 12:00:00 Mars/Olympus',
    'Mon, 02 Nov 2026 25:00:00 GMT',
    '31 Feb 2026 12:00 GMT',
    'Mon, 02 Nov 2026 13:00 PM GMT',
    'yesterday',
    '02.11.2026',
  ])('%s is no date to be believed', (text) => {
    expect(readFeedDate(text)).toBeNull()
  })

  test('a date means the same on a machine in any time zone', () => {
    const before = process.env['TZ']
    try {
      for (const zone of ['America/New_York', 'Asia/Kolkata', 'UTC']) {
        process.env['TZ'] = zone
        expect(readFeedDate('Mon, 02 Nov 2026 12:00:00')?.at).toBe(fromIso(NOON))
        expect(readFeedDate('2026-11-02 12:00:00')?.at).toBe(fromIso(NOON))
      }
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })

  test('any instant written with any offset is that instant', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2090, 0) }),
        fc.integer({ min: -12 * 60, max: 14 * 60 }),
        (instant, minutes) => {
          const seconds = Math.floor(instant / 1_000) * 1_000
          const local = new Date(seconds + minutes * MINUTE_MS).toISOString().slice(0, 19)
          const size = Math.abs(minutes)
          const two = (value: number) => String(value).padStart(2, '0')
          const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
          expect(readFeedDate(`${local}${offset}`)?.at).toBe(seconds)
          expect(readFeedDate(`${local.replace('T', ' ')} GMT${offset}`)?.at).toBe(seconds)
        },
      ),
      { seed: 20_261_102, numRuns: 300 },
    )
  })

  test('a feed in Indian time: twelve stories, 18 minutes to 11 days old, and its zone is told', async () => {
    const ages = [0.3, 2, 5, 24.5, 54.5, 96, 148.5, 188.5, 218, 238, 248, 264]
    const items = ages.map((hours, index): FakeItem => {
      const local = new Date(asOf - hours * HOUR_MS + 330 * MINUTE_MS).toUTCString().replace('GMT', 'IST')
      return { title: `Story number ${'abcdefghijkl'[index]} of the day`, pubDate: local }
    })
    const { headlines, ok, problem } = await only(rssOf(items), { maxAgeHours: 300, maxHeadlines: 12 })
    expect(headlines.map(({ ageMinutes }) => ageMinutes)).toEqual(ages.map((hours) => Math.round(hours * 60)))
    expect(ok).toBe(true)
    expect(problem).toBe('dates in IST are read as India’s time, +05:30 (Israel and Ireland use the same letters)')
  })
})

describe('items without a date', () => {
  const undated = (title: string): FakeItem => ({ title })
  const dated = (title: string, hours: number): FakeItem => ({ title, pubDate: hoursAgo(hours) })

  test('keep their feed’s order, are capped, and are named in the problem', async () => {
    const { titles, headlines, ok, problem } = await only(
      rssOf(['Zeta', 'Alpha', 'Mike', 'Beta', 'Gamma'].map(undated)),
    )
    expect(titles).toEqual(['Zeta', 'Alpha', 'Mike'])
    expect(headlines.every(({ publishedAt, ageMinutes }) => publishedAt === null && ageMinutes === null)).toBe(true)
    expect(ok).toBe(true)
    expect(problem).toMatch(/^5 of 5 have no date that can be read: at most 3 such headlines are shown/)
  })

  test('are shown with an example where they have a date that nobody can read', async () => {
    const { titles, problem } = await only(rssOf([{ title: 'One', pubDate: 'Mon, 02 Nov 2026 12:00:00 QQT' }]))
    expect(titles).toEqual(['One'])
    expect(problem).toContain('“Mon, 02 Nov 2026 12:00:00 QQT”')
  })

  test('are as old as the older of their dated neighbours, and too old where those are', async () => {
    const feed = rssOf([
      undated('Above all'),
      dated('Of this hour', 1),
      undated('Between an hour and five'),
      dated('Five hours old', 5),
      undated('Between five hours and a month'),
      dated('A month old', 720),
      undated('Below all'),
    ])
    expect((await only(feed)).titles).toEqual([
      'Of this hour',
      'Five hours old',
      'Above all',
      'Between an hour and five',
    ])
  })

  test('are as old as the feed says it is where none has a date, or as its server says', async () => {
    const old = rssOf([undated('Old news')]).replace('<item>', `<lastBuildDate>${hoursAgo(500)}</lastBuildDate><item>`)
    expect((await only(old)).titles).toEqual([])
    const served = { body: rssOf([undated('Old news')]), headers: { 'last-modified': hoursAgo(500) } }
    expect((await only(served)).titles).toEqual([])
    const fresh = { body: rssOf([undated('New')]), headers: { 'last-modified': hoursAgo(1) } }
    expect((await only(fresh)).titles).toEqual(['New'])
  })

  test('of several feeds take turns, the first of each before the second of any', async () => {
    const { headlines } = await digestOf({
      '/a': rssOf(['A one', 'A two'].map(undated)),
      '/b': rssOf(['B one', 'B two'].map(undated)),
    })
    expect(headlines.map(({ title }) => title)).toEqual(['A one', 'B one', 'A two'])
  })

  test('never come before a dated one, and their age is never newer than a neighbour’s', () => {
    const items = fc.array(fc.option(fc.integer({ min: 0, max: 100 })), { maxLength: 20 })
    fc.assert(
      fc.property(items, (ages) => {
        const feed = ages.map((hours, index) => ({
          title: `story ${index} x`,
          link: null,
          publishedAt: hours === null ? null : asOf - hours * HOUR_MS,
        }))
        const places = placeUndated(feed, { madeAt: null, asOf })
        places.forEach((place, index) => {
          expect(place === undefined).toBe(feed[index]?.publishedAt !== null)
          if (place === undefined) return
          const near = [feed.slice(0, index).toReversed(), feed.slice(index)].flatMap(
            (side) => side.find(({ publishedAt }) => publishedAt !== null)?.publishedAt ?? [],
          )
          expect(place.asOldAs).toBe(near.length === 0 ? null : Math.min(...near))
        })
        const candidates = feed.map((item, index): Candidate => {
          const place = places[index]
          return { ...item, source: 'A', ...(place === undefined ? {} : { undated: place }) }
        })
        const chosen = selectHeadlines(candidates, { maxAgeHours: 24, maxHeadlines: 50 }, asOf)
        const firstUndated = chosen.findIndex(({ publishedAt }) => publishedAt === null)
        if (firstUndated !== -1)
          expect(chosen.slice(firstUndated).every(({ publishedAt }) => publishedAt === null)).toBe(true)
        expect(chosen.filter(({ publishedAt }) => publishedAt === null).length).toBeLessThanOrEqual(3)
      }),
      { seed: 20_261_102, numRuns: 300 },
    )
  })
})

describe('character references in a title', () => {
  test.each([
    ['&hellip;&rarr;&check;&bigstar;', '…→✓★'],
    ['&CounterClockwiseContourIntegral; &Zopf;', '∳ ℤ'],
    ['5&nbsp;&percnt; &plusmn; &half;', '5 % ± ½'],
    ['caf&eacute; &scaron;koda &Lstrok;&oacute;d&zacute;', 'café škoda Łódź'],
    ['&amp;rsquo;&amp;ldquo;', '’“'],
    ['&copy 2026 &#8217 x', '© 2026 ’ x'],
    ['S&P 500, AT&T, R&D; a&parameter=1', 'S&P 500, AT&T, R&D; a&parameter=1'],
  ])('%s', (raw, expected) => {
    expect(cleanTitle(raw, 140)).toBe(expected)
  })
})

describe('the same story of several sites is one headline', () => {
  test.each([
    ['Fed cuts rates by 25 basis points', 'FED CUTS RATES BY 25 BASIS POINTS - Reuters'],
    ['Fed cuts rates by 25 basis points', 'BREAKING: Fed cuts rates by 25 basis points'],
    ['S&amp;P 500 falls 2% as U.S. yields rise', 'S and P 500 falls 2 percent as US yields rise | Market News'],
    ['ETH tops $2,400 again', 'ETH tops $2400 again'],
  ])('%s, %s', async (one, other) => {
    const { headlines } = await digestOf({
      '/a': rssOf([{ title: one, link: 'https://a.example/1', pubDate: hoursAgo(2) }]),
      '/b': rssOf([{ title: other.replace(' & ', ' &amp; '), link: 'https://b.example/2', pubDate: hoursAgo(1) }]),
    })
    expect(headlines).toHaveLength(1)
    expect(headlines[0]?.source).toBe('a')
  })

  test.each([
    ['https://www.x.org/a/?utm_source=rss', 'http://m.x.org/a/amp?amp=1'],
    ['https://x.org/a/index.html#top', 'https://x.org/a'],
    ['https://x.org/a?b=1&a=2&mc_cid=7', 'https://x.org/a?a=2&b=1'],
  ])('%s and %s are one address', (one, other) => {
    expect(linkKey(one)).toBe(linkKey(other))
  })

  test.each([
    ['ETH up 5%', 'ETH up 5'],
    ['ETH up 5%', 'ETH -5%'],
    ['Fed at 4.5', 'Fed at 45'],
    ['Live now', 'Now'],
  ])('%s and %s are two stories', (one, other) => {
    expect(titleKey(one)).not.toBe(titleKey(other))
  })

  test('an article’s own address counts, not the one that counts its readers', async () => {
    const item = (title: string, link: string, origin: string): string =>
      `<item><title>${title}</title><link>${link}</link><feedburner:origLink>${origin}</feedburner:origLink><pubDate>${hoursAgo(1)}</pubDate></item>`
    const of = (inside: string): string => rssOf([]).replace('</channel>', `${inside}</channel>`)
    const { headlines } = await digestOf({
      '/a': of(item('One wording', 'https://feeds.example/1', 'https://x.org/story')),
      '/b': of(item('Another wording', 'https://feeds.example/2', 'https://x.org/story?utm_source=b')),
    })
    expect(headlines).toHaveLength(1)
  })
})

const good = rssOf([{ title: 'Good news', pubDate: hoursAgo(1) }])
const html = (inside: string): string => `<!doctype html><html><head>${inside}</head><body><p>Hello</p></body></html>`

describe('a compressed feed is read', () => {
  test.each<[string, Buffer, Record<string, string>]>([
    ['gzip, as its header says', gzipSync(good), { 'content-encoding': 'gzip' }],
    ['gzip without a header', gzipSync(good), {}],
    ['gzip twice, with one header', gzipSync(gzipSync(good)), { 'content-encoding': 'gzip' }],
    ['zlib, as its header says', deflateSync(good), { 'content-encoding': 'deflate' }],
    ['zlib without a header', deflateSync(good), {}],
    ['raw deflate, as its header says', deflateRawSync(good), { 'content-encoding': 'deflate' }],
    ['raw deflate without a header', deflateRawSync(good), {}],
    ['Brotli, as its header says', brotliCompressSync(good), { 'content-encoding': 'br' }],
    ['Brotli without a header', brotliCompressSync(good), {}],
  ])('%s', async (_name, body, headers) => {
    expect(await only({ body, headers })).toMatchObject({ titles: ['Good news'], ok: true, problem: null })
  })

  test.each<[string, Buffer, Record<string, string>, RegExp]>([
    ['a bomb without a header', gzipSync(Buffer.alloc(50_000_000, ' ')), {}, /^more than 2000000 bytes; /],
    ['gzip that was cut off', gzipSync(good).subarray(0, 60), {}, /gzip that cannot be unpacked: cut off or damaged/],
    [
      'no gzip in spite of its header',
      Buffer.from(good),
      { 'content-encoding': 'gzip' },
      /not compressed as its header/,
    ],
    ['zstd', Buffer.from('28b52ffd0000', 'hex'), {}, /compressed with zstd, .*use another feed/],
    ['a zip archive', Buffer.from('504b030400000000', 'hex'), {}, /zip archive; give the address of the feed itself/],
  ])('%s is named', async (_name, body, headers, problem) => {
    expect(await only({ body, headers })).toMatchObject({
      titles: [],
      ok: false,
      problem: expect.stringMatching(problem),
    })
  })
})

describe('what comes instead of a feed is named with a remedy', () => {
  test.each<[string, Document | string, RegExp]>([
    [
      'Cloudflare’s challenge',
      { status: 403, body: html('<title>Just a moment...</title>'), headers: { 'cf-mitigated': 'challenge' } },
      /^HTTP 403: a bot check by the site’s firewall instead of the feed: no program gets past it; use another feed/,
    ],
    [
      'Cloudflare’s challenge without its header',
      {
        status: 503,
        body: html('<title>Just a moment...</title><script src="/cdn-cgi/challenge-platform/x.js"></script>'),
      },
      /^HTTP 503: a bot check by Cloudflare instead of the feed/,
    ],
    ['a captcha', html('<title>Are you human?</title><div class="g-recaptcha"></div>'), /^a bot check with a captcha/],
    [
      'DataDome',
      { status: 403, body: '{"url":"https://geo.captcha-delivery.com/x"}' },
      /^HTTP 403: a bot check by DataDome/,
    ],
    [
      'a page that wants JavaScript',
      html('<p>Please enable JavaScript to view this</p>'),
      /^a bot check that asks for JavaScript/,
    ],
    [
      'a consent page',
      html('<title>Before you go on</title><p>We value your privacy</p>'),
      /asks for consent .*it needs a person; use another/,
    ],
    [
      'a page that wants cookies',
      html('<p>Please enable cookies</p>'),
      /wants a cookie .*it needs a browser; use another/,
    ],
    [
      'a home page that names its feed',
      html('<title>News</title><link rel="alternate" type="application/rss+xml" href="/rss/all.xml">'),
      /^an HTML page instead of a feed; it names its feed, put that into news.feeds: http:\/\/127.0.0.1:\d+\/rss\/all.xml$/,
    ],
    [
      'a home page that names none',
      html('<title>The News</title>'),
      /^an HTML page \(“The News”\) instead of a feed; look on the site/,
    ],
    ['an XHTML page', `<?xml version="1.0"?>${html('<title>X</title>')}`, /^an HTML page/],
    [
      'JSON that is no feed',
      '{"error":"gone","code":7}',
      /^JSON that is no JSON Feed \(it has: error, code\); give the address/,
    ],
    [
      'JSON that is cut off',
      '{"version":"https://jsonfeed.org/version/1","items":[',
      /looks like JSON and is none, or is cut off/,
    ],
    ['a sitemap', '<urlset><url><loc>x</loc></url></urlset>', /^not a feed: a sitemap; correct or remove it/],
    ['a list of feeds', '<opml version="1.0"><body/></opml>', /a list of feeds \(OPML\); give the addresses/],
    ['other XML', '<invoice/>', /^not a feed: its first element is “invoice”; correct or remove it/],
    ['plain text', 'moved to the new site', /^not a feed: no XML and no JSON; correct or remove it/],
    ['nothing', '', /^the answer is empty; /],
    ['a feed cut off in its first item', good.slice(0, 90), /^cut off or broken before its first item ends; /],
    ['a refusal', { status: 403, body: 'no' }, /^HTTP 403: the site refuses programs or strangers; use another feed/],
    ['a limit', { status: 429, body: '' }, /^HTTP 429: asked too often; use fewer feeds/],
    [
      'an address without a feed',
      { status: 410, body: '' },
      /^HTTP 410: there is no feed at this address; correct or remove/,
    ],
  ])('%s', async (_name, document, problem) => {
    const found = await only(document)
    expect(found).toMatchObject({ ok: false, titles: [] })
    expect(found.problem).toMatch(problem)
  })

  test('a feed that redirects in a circle until its cookie comes back', async () => {
    const circle = { status: 302, body: '', headers: { location: '/feed', 'set-cookie': 'seen=1' } }
    const { feeds } = await digestOf({ '/feed': circle })
    expect(feeds[0]).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^it sets a cookie and redirects in a circle/),
    })
  })

  test('a feed that redirects to a page of consent, or to one that asks for its cookie', async () => {
    const to = (location: string, headers = {}): Document => ({
      status: 302,
      body: '',
      headers: { location, ...headers },
    })
    const { feeds } = await digestOf(
      {
        '/feed': to('/gdpr-consent?back=feed'),
        '/gdpr-consent?back=feed': html('<title>Welcome</title>'),
        '/other': to('/welcome', { 'set-cookie': 'a=1' }),
        '/welcome': html('<title>Welcome</title>'),
      },
      ['/feed', '/other'],
    )
    expect(feeds[0]?.problem).toMatch(/^a page that asks for consent instead of the feed/)
    expect(feeds[1]?.problem).toMatch(/^a page that wants a cookie instead of the feed/)
  })

  test('a feed that is cut off further on gives its whole items, and says so', async () => {
    const feed = rssOf([1, 2, 3].map((hours) => ({ title: `Story of hour ${hours}`, pubDate: hoursAgo(hours) })))
    const cut = feed.slice(0, feed.lastIndexOf('</title>'))
    expect(await only(cut)).toMatchObject({
      titles: ['Story of hour 1', 'Story of hour 2'],
      ok: true,
      problem: '1 broken items dropped; the feed is cut off before its end',
    })
  })

  test('a feed of which nothing is newer than a month is said to be abandoned', async () => {
    const { ok, problem } = await only(rssOf([{ title: 'The last of us', pubDate: hoursAgo(24 * 45) }]))
    expect({ ok, problem }).toEqual({
      ok: true,
      problem: 'its newest item is 45 days old: it seems abandoned; remove it from news.feeds',
    })
  })
})

test('a JSON Feed is read like any other', async () => {
  const item = (title: unknown, date: string, url = 'https://x.org/1') => ({
    id: url,
    url,
    title,
    date_published: date,
  })
  const feed = {
    version: 'https://jsonfeed.org/version/1.1',
    title: 'Example',
    items: [
      item('SEC <b>does not</b> approve &amp; waits', '2026-11-02T09:00:00Z'),
      item('Older news of the day', '2026-11-02T13:30:00+05:30', 'https://x.org/2'),
      item(null, '2026-11-02T08:00:00Z', 'https://x.org/3'),
      item(7, '2026-11-02T08:00:00Z', 'https://x.org/4'),
      'nonsense',
    ],
  }
  const { headlines, ok, problem } = await only({
    body: JSON.stringify(feed),
    headers: { 'content-type': 'application/feed+json' },
  })
  expect(headlines.map(({ title, ageMinutes }) => [title, ageMinutes])).toEqual([
    ['SEC does not approve & waits', 60],
    ['Older news of the day', 120],
  ])
  expect({ ok, problem }).toEqual({ ok: true, problem: '2 without a title dropped' })
})
