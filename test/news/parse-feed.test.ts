import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanTitle } from '../../lib/news/clean-title.ts'
import { readFeedDate } from '../../lib/news/feed-date.ts'
import { FeedProblem } from '../../lib/news/feed-problem.ts'
import { decodeText } from '../../lib/news/fetch-feed.ts'
import type { ParsedFeed } from '../../lib/news/parsed-feed.ts'
import { parseFeed } from '../../lib/news/parse-feed.ts'
import { rssOf } from '../support/fake-feeds.ts'

describe('dates', () => {
  test.each([
    ['Wed, 03 Jan 2018 13:47:00 GMT', '2018-01-03T13:47:00.000Z'],
    ['Wed, 03 Jan 2018 13:47:00 GMT\r\n   ', '2018-01-03T13:47:00.000Z'],
    ['Wed, 03 Jan 2018 13:47:00 -0500', '2018-01-03T18:47:00.000Z'],
    ['Wed, 03 Jan 2018 13:47:00 EST', '2018-01-03T18:47:00.000Z'],
    ['2018-01-03T13:47:00+01:00', '2018-01-03T12:47:00.000Z'],
    ['2018-01-03T13:47:00', '2018-01-03T13:47:00.000Z'],
    ['2018-01-03 13:47:00', '2018-01-03T13:47:00.000Z'],
    ['2018-01-03', '2018-01-03T00:00:00.000Z'],
    ['3 Jan 2018', '2018-01-03T00:00:00.000Z'],
    ['Wed, 03 Jan 2018 01:47:00 PM', '2018-01-03T13:47:00.000Z'],
  ])('%s', (text, expected) => {
    expect(new Date(readFeedDate(text)?.at ?? Number.NaN).toISOString()).toBe(expected)
  })

  test.each(['', 'yesterday', '32 Foo 2018', '0001-01-01T00:00:00Z', '275000-01-01', 'x'.repeat(10_000)])(
    'none: %s',
    (text) => {
      expect(readFeedDate(text)).toBeNull()
    },
  )
})

const firstOf = async (xml: string) => (await parseFeed(xml)).items[0]
const atomEntry = (updated: string) => `<entry><title>x</title><updated>${updated}</updated></entry>`

describe('what publishers do to XML', () => {
  test.each([
    ['a bare ampersand', rssOf([{ title: 'R&D up' }]), 'R&D up'],
    ["HTML's references", rssOf([{ title: 'Caf&eacute;&nbsp;&mdash; caf&eacute;' }]), 'Café — café'],
    [
      'bare ampersand beside CDATA',
      rssOf([{ title: '<![CDATA[AT&T &amp; x]]>', link: 'https://x.org/?a=1&b=2' }]),
      'AT&T & x',
    ],
    ['white space before the declaration', `\n  ${rssOf([{ title: 'x' }])}`, 'x'],
    ['a byte order mark', `\ufeff${rssOf([{ title: 'x' }])}`, 'x'],
    ['an undeclared prefix', rssOf([{ title: 'x</title><dc:creator>y</dc:creator><title>' }]), 'x'],
    ['RSS without a version', rssOf([{ title: 'x' }]).replace(' version="2.0"', ''), 'x'],
    [
      'a title with attributes',
      rssOf([]).replace('</channel>', '<item><title type="html">x &lt;b&gt;y&lt;/b&gt;</title></item></channel>'),
      'x y',
    ],
    [
      'Atom with markup in its title',
      '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="xhtml"><div>Big <b>news</b></div></title></entry></feed>',
      'Big news',
    ],
  ])('%s', async (_name, xml, title) => {
    expect(cleanTitle((await firstOf(xml))?.title ?? '', 140)).toBe(title)
  })

  test('one date that cannot be read costs its item the date, not the feed its items', async () => {
    const { items } = await parseFeed(
      `<feed xmlns="http://www.w3.org/2005/Atom">${atomEntry('whenever')}${atomEntry('2026-01-09T12:00:00Z')}</feed>`,
    )
    expect(items.map(({ publishedAt }) => publishedAt)).toEqual([null, Date.UTC(2026, 0, 9, 12)])
  })

  test('an article body that would take the library hours takes no time', async () => {
    const start = performance.now()
    const body = '&lt;'.repeat(300_000)
    await parseFeed(rssOf([{ title: `x</title><description>${body}</description><title>` }]))
    await parseFeed(
      `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><content type="html">${body}</content></entry></feed>`,
    )
    expect(performance.now() - start).toBeLessThan(3_000)
  })

  test('no external entities, no entity bombs', async () => {
    const bomb =
      '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    const { items } = await parseFeed(rssOf([{ title: '&b; &x;' }]).replace('<rss', `${bomb}<rss`))
    expect(items[0]?.title).toBe('&b; &x;')
  })

  test.each([
    '',
    ' ',
    'hello',
    '{}',
    '<html><body><p>x</body></html>',
    '<html></html>',
    '<a/>',
    '<rss',
    '<rss version="2.0"/>',
  ])('no feed: %j', async (xml) => {
    await expect(parseFeed(xml)).rejects.toThrow(FeedProblem)
  })

  test('any damage to a feed gives items or a problem, nothing else', async () => {
    const atom =
      '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><title type="html">x</title><link rel="alternate" href="https://x.org/1"/><updated>2026-01-09T12:00:00Z</updated></entry></feed>'
    const rss = rssOf([{ title: 'x', link: 'https://x.org/1', pubDate: 'Wed, 03 Jan 2018 13:47:00 GMT' }])
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(atom, rss),
        fc.nat(),
        fc.nat({ max: 40 }),
        fc.constantFrom(
          '',
          '<',
          '>',
          '&',
          ']]>',
          '<![CDATA[',
          '</title>',
          '<link/>',
          '<entry/>',
          '<item/>',
          '\u0000',
          '"',
        ),
        async (xml, at, length, piece) => {
          const start = at % xml.length
          try {
            for (const item of (await parseFeed(xml.slice(0, start) + piece + xml.slice(start + length))).items)
              expect(typeof item.title).toBe('string')
          } catch (error) {
            expect(error).toBeInstanceOf(FeedProblem)
          }
        },
      ),
      { seed: 20_260_109, numRuns: 1_000 },
    )
  })
})

describe('bytes as text', () => {
  const latin = Buffer.from('<?xml version="1.0"?><a>M\u00e3e</a>', 'latin1')
  test.each([
    ['UTF-8 undeclared', Buffer.from('<a>Mãe</a>'), '', '<a>Mãe</a>'],
    ['Latin-1 undeclared', latin, '', '<?xml version="1.0"?><a>Mãe</a>'],
    ['by header', latin, 'text/xml; charset="ISO-8859-1"', '<?xml version="1.0"?><a>Mãe</a>'],
    [
      'by declaration',
      Buffer.from('<?xml version="1.0" encoding="koi8-r"?><a>\xc1</a>', 'latin1'),
      '',
      '<?xml version="1.0" encoding="koi8-r"?><a>а</a>',
    ],
    ['by mark', Buffer.from('\ufeff<a>Mãe</a>', 'utf16le'), 'text/xml', '<a>Mãe</a>'],
    ['a charset that does not exist', Buffer.from('<a>Mãe</a>'), 'text/xml; charset=nonsense', '<a>Mãe</a>'],
  ])('%s', (_name, bytes, contentType, text) => {
    expect(decodeText(bytes, contentType)).toBe(text)
  })
})

const feeds = path.resolve(import.meta.dirname, '../../../shared/data/feeds')
const archive = path.join(feeds, 'rss-parser-tests.tar.gz')

describe.skipIf(!existsSync(archive))('real feeds (skipped without ../shared/data)', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'hourhand-feeds-'))
  if (existsSync(archive)) execFileSync('tar', ['xzf', archive, '-C', directory])
  const input = path.join(directory, 'rss-parser/test/input')
  const output = path.join(directory, 'rss-parser/test/output')
  const files = existsSync(input) ? readdirSync(input) : []
  // What is expected of `reddit-home.rss` is in `reddit-home.json`.
  const expectedOf = (file: string) => path.join(output, file.replace(/\.\w+$/, '.json'))
  const known = files.filter((file) => existsSync(expectedOf(file)))

  test('all recorded feeds are there to be read', () => {
    expect(files.length).toBe(31)
    expect(known.length).toBeGreaterThanOrEqual(26)
  })

  test.each(known)('%s has the titles and times expected', async (file) => {
    // The expectations were made from the bytes read as UTF-8, whatever they are.
    const { items } = await parseFeed(readFileSync(path.join(input, file), 'utf8'))
    type Expected = { feed: { items: { title?: string | object; isoDate?: string }[] } }
    const expected = (JSON.parse(readFileSync(expectedOf(file), 'utf8')) as Expected).feed.items
    expect(items.map(({ title }) => cleanTitle(title, 500))).toEqual(
      expected.map(({ title }) => (typeof title === 'string' ? cleanTitle(title, 500) : '')),
    )
    // Where the library that made the expectations could not read a date ("Seg, 24 Set 2018"), we may.
    for (const [index, { isoDate }] of expected.entries())
      if (isoDate !== undefined) expect(items[index]?.publishedAt).toBe(Date.parse(isoDate))
  })

  test.each(files.filter((file) => !known.includes(file)))(
    '%s, of which nothing is expected, gives items or a problem',
    async (file) => {
      const feed = await parseFeed(readFileSync(path.join(input, file), 'utf8')).catch((error: unknown) => error)
      if (file === 'unrecognized.rss') expect(feed).toBeInstanceOf(FeedProblem)
      else expect((feed as ParsedFeed).items).toSatisfy((value) => Array.isArray(value) && value.length > 0)
    },
  )

  test('a feed in Latin-1 keeps its letters', async () => {
    const { items } = await parseFeed(decodeText(readFileSync(path.join(input, 'encoding.rss')), ''))
    expect(items[0]?.title).toBe('Mãe de utente é a nova presidente da Raríssimas')
  })

  test.each(
    existsSync(path.join(feeds, 'crypto_real'))
      ? readdirSync(path.join(feeds, 'crypto_real')).filter((file) => file.endsWith('.xml'))
      : [],
  )('%s: every item with title, link and time', async (file) => {
    const { items } = await parseFeed(decodeText(readFileSync(path.join(feeds, 'crypto_real', file)), ''))
    expect(items.length).toBeGreaterThanOrEqual(2)
    for (const item of items) {
      expect(cleanTitle(item.title, 140).length).toBeGreaterThan(10)
      expect(item.link).toMatch(/^https:\/\//)
      expect(item.publishedAt).toBeGreaterThan(Date.UTC(2026, 0))
    }
  })
})
