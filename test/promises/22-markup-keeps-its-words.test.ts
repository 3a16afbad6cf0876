import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanTitle } from '../../lib/news/clean-title.ts'
import { parseFeed } from '../../lib/news/parse-feed.ts'

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const rss = (title: string): string => `<rss version="2.0"><channel><item>${title}</item></channel></rss>`
const atom = (title: string): string =>
  `<feed xmlns="http://www.w3.org/2005/Atom"><entry>${title}<updated>2026-11-02T09:00:00Z</updated></entry></feed>`
const rdf = (title: string): string =>
  `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>t</title></channel><item>${title}</item></rdf:RDF>`

/** Every way in which feeds carry a title that is HTML, from the HTML as a browser would get it. */
const WAYS: readonly [way: string, feedOf: (html: string) => string][] = [
  ['RSS, tags as they are', (html) => rss(`<title>${html}</title>`)],
  ['RSS, escaped', (html) => rss(`<title>${escape(html)}</title>`)],
  ['RSS, escaped twice', (html) => rss(`<title>${escape(escape(html))}</title>`)],
  ['RSS, in CDATA', (html) => rss(`<title><![CDATA[${html}]]></title>`)],
  ['RSS, escaped within CDATA', (html) => rss(`<title><![CDATA[${escape(html)}]]></title>`)],
  ['RSS, half in CDATA', (html) => rss(`<title><![CDATA[${html.slice(0, 4)}]]><![CDATA[${html.slice(4)}]]></title>`)],
  ['RSS with a type', (html) => rss(`<title type="html">${escape(html)}</title>`)],
  ['Atom text', (html) => atom(`<title type="text">${escape(html)}</title>`)],
  ['Atom without a type', (html) => atom(`<title>${escape(html)}</title>`)],
  ['Atom html', (html) => atom(`<title type="html">${escape(html)}</title>`)],
  ['Atom html in CDATA', (html) => atom(`<title type="html"><![CDATA[${html}]]></title>`)],
  ['Atom xhtml', (html) => atom(`<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">${html}</div></title>`)],
  [
    'Atom xhtml with a prefix',
    (html) => atom(`<title type="xhtml"><x:div>${html.replace(/<(\/?)/g, '<$1x:')}</x:div></title>`),
  ],
  [
    'Atom, all of it with a prefix',
    (html) => `<a:feed xmlns:a="x"><a:entry><a:title>${html}</a:title></a:entry></a:feed>`,
  ],
  ['RDF', (html) => rdf(`<title>${html}</title>`)],
  ['RDF, escaped', (html) => rdf(`<title>${escape(html)}</title>`)],
  ['RDF, Dublin Core', (html) => rdf(`<dc:title>${html}</dc:title>`)],
  [
    'JSON Feed',
    (html) => JSON.stringify({ version: 'https://jsonfeed.org/version/1.1', items: [{ id: '1', title: html }] }),
  ],
]

const titleIn = async (feed: string): Promise<string | undefined> => {
  const { items } = await parseFeed(feed)
  return items[0] === undefined ? undefined : cleanTitle(items[0].title, 500)
}

const CASES: readonly [html: string, words: string][] = [
  ['SEC <b>does not</b> approve ETF', 'SEC does not approve ETF'],
  ['SEC <em>does <i>not</i></em> approve', 'SEC does not approve'],
  ['<b>SEC</b> does <u>not</u> approve <a href="https://x.org/?a=1">ETF</a> today', 'SEC does not approve ETF today'],
  ['Fed<br/>cuts<br/>rates', 'Fed cuts rates'],
  ['<p>Fed does</p><p>not cut</p>', 'Fed does not cut'],
  ['<div>Fed <span>does</span></div><div>not cut</div>', 'Fed does not cut'],
  ['un<b>likely</b> to pass', 'unlikely to pass'],
  ['H<sub>2</sub>O and E=mc<sup>2</sup>', 'H2O and E=mc2'],
  ['<ul><li>One</li><li>Two</li></ul>', 'One Two'],
  ['<b></b>Nothing <i/>lost', 'Nothing lost'],
]

describe.each(WAYS)('%s: a title with markup keeps its words in their order', (_way, feedOf) => {
  test.each(CASES)('%s', async (html, words) => {
    expect(await titleIn(feedOf(html))).toBe(words)
  })
})

test('any nesting of inline and block markup around words keeps every word, in order, in every kind of feed', async () => {
  const word = fc.constantFrom('SEC', 'does', 'not', 'approve', 'ETF', 'never', 'Fed', '5%')
  const tag = fc.constantFrom('b', 'i', 'em', 'span', 'a', 'strong', 'div', 'p')
  const node: fc.Arbitrary<{ html: string; words: string[] }> = fc.letrec<{ node: { html: string; words: string[] } }>(
    (tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        word.map((text) => ({ html: ` ${text} `, words: [text] })),
        fc
          .record({ name: tag, inside: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) })
          .map(({ name, inside }) => ({
            html: `<${name}>${inside.map(({ html }) => html).join('')}</${name}>`,
            words: inside.flatMap(({ words }) => words),
          })),
      ),
    }),
  ).node
  await fc.assert(
    fc.asyncProperty(
      fc.array(node, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(...WAYS),
      async (nodes, [, feedOf]) => {
        const html = nodes.map((one) => one.html).join('')
        expect(await titleIn(feedOf(html))).toBe(nodes.flatMap(({ words }) => words).join(' '))
      },
    ),
    { seed: 20_261_102, numRuns: 400 },
  )
})

test.each([
  ['BTC < $50k, ETH > $2,000', 'BTC < $50k, ETH > $2,000'],
  ['ETH < BTC and SOL > XRP', 'ETH < BTC and SOL > XRP'],
  ['if x<y then not z>w', 'if x y then not z w'],
  ['BTC <soaring after the halving', 'BTC soaring after the halving'],
  ['<a title="ETH > $2,000">Not yet</a> there', 'Not yet there'],
  ['<![CDATA[Fed does not]]> cut', 'Fed does not cut'],
])('%s: a sign that only looks like a tag takes no word away', (raw, expected) => {
  expect(cleanTitle(raw, 140)).toBe(expected)
})
