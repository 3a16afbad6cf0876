import { expect, test } from 'vitest'
import { cleanTitle } from '../../lib/news/clean-title.ts'
import { FeedProblem } from '../../lib/news/feed-problem.ts'
import { parseFeed } from '../../lib/news/parse-feed.ts'

const MEGABYTE = 1_000_000
const fill = (before: string, piece: string, after = ''): string =>
  before + piece.repeat(Math.floor((MEGABYTE - before.length - after.length) / piece.length)) + after
const RSS = '<rss version="2.0"><channel>'
const TITLE = `${RSS}<item><title>`
const item = (title: string): string => `<item><title>${title}</title></item>`

const HOSTILE: readonly [kind: string, text: string][] = [
  ['CDATA that is begun again and again', fill('<rss>&nbsp;', '<![CDATA[')],
  ['CDATA in a title', fill(TITLE, '<![CDATA[')],
  ['comments that never end', fill(RSS, '<!--')],
  ['ampersands', fill(TITLE, '&')],
  ['escaped brackets', fill(TITLE, '&lt;')],
  ['brackets', fill(TITLE, '<')],
  ['elements within elements', fill(RSS, '<a>')],
  ['end tags of nothing below many open elements', fill(RSS + '<a>'.repeat(200), '</b>')],
  ['attributes', fill(`${RSS}<item `, 'a="1" ', '/>')],
  ['a name of a megabyte', fill('<', 'a')],
  ['links of one item', fill('<feed><entry>', '<link href="x"/>', '</entry></feed>')],
  ['titles of one item', fill(`${RSS}<item>`, '<title>x</title>', '</item></channel></rss>')],
  ['small items', fill(RSS, item('x'))],
  ['titles with tags within tags', fill(RSS, item('&lt;'.repeat(900) + 'b&gt;'.repeat(100)))],
  ['titles with quotes that stay open', fill(RSS, item('&lt;a b=&quot;'.repeat(250)))],
  ['titles of marks', fill(RSS, item(`e${'\u0301'.repeat(1_500)}`))],
  ['a declaration that never ends', fill('<!DOCTYPE rss [', '<!ENTITY a "')],
  ['JSON within JSON', '{"a":'.repeat(MEGABYTE / 5)],
]

async function millisecondsFor(text: string): Promise<number> {
  const start = performance.now()
  try {
    const { items } = await parseFeed(text)
    for (const { title } of items) cleanTitle(title, 140)
  } catch (error) {
    expect(error).toBeInstanceOf(FeedProblem)
  }
  return performance.now() - start
}

test.each(HOSTILE)('a megabyte of %s is read or refused within a second', async (_kind, text) => {
  expect(text.length).toBeGreaterThan(MEGABYTE * 0.99)
  const first = await millisecondsFor(text)
  // On a busy machine anything can be late once.
  expect(first < 1_000 ? first : await millisecondsFor(text)).toBeLessThan(1_000)
})

test('a deadline that passes while a feed is parsed ends the work at once', async () => {
  const abort = new AbortController()
  const parsing = parseFeed(fill(RSS, '<description>words</description>'), abort.signal)
  setImmediate(() => abort.abort(new Error('too late')))
  const start = performance.now()
  await expect(parsing).rejects.toThrow('too late')
  expect(performance.now() - start).toBeLessThan(500)
})
