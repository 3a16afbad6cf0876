import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromIso, HOUR_MS } from '../../lib/core/time.ts'
import { type Candidate, linkKey, MAX_UNDATED, selectHeadlines, titleKey } from '../../lib/news/select-headlines.ts'
import { Headline } from '../../schemas/snapshot.ts'

const asOf = fromIso('2026-01-09T12:00:00Z')
const limits = { maxAgeHours: 24, maxHeadlines: 50 }
const item = (title: string, hoursAgo: number | null, source = 'A', link: string | null = null): Candidate => ({
  title,
  source,
  link,
  publishedAt: hoursAgo === null ? null : asOf - hoursAgo * HOUR_MS,
})
const titlesOf = (candidates: Candidate[], config = limits) =>
  selectHeadlines(candidates, config, asOf).map(({ title }) => title)

describe('one headline a story', () => {
  test.each([
    ['case', 'Bitcoin Rises', 'BITCOIN rises', true],
    ['punctuation', 'Bitcoin rises, again!', 'Bitcoin rises: again', true],
    ['quotation marks', 'Bybit’s “plan”', "Bybit's 'plan'", true],
    ['trailing source', 'Bitcoin rises again', 'Bitcoin rises again - CoinDesk', true],
    ['trailing source of several words', 'Bitcoin rises again', 'Bitcoin rises again | The Block News', true],
    ['trailing domain', 'Bitcoin rises again', 'Bitcoin rises again — decrypt.co', true],
    ['width', 'ＢＴＣ rises again', 'BTC rises again', true],
    ['sign of a number', 'ETH +5% today', 'ETH -5% today', false],
    ['sign in Unicode', 'ETH −5% today', 'ETH -5% today', true],
    ['percent and number', 'Fed at 5', 'Fed at 5%', false],
    ['decimals', 'Fed at 4.5', 'Fed at 45', false],
    ['a half sentence after a dash', 'Bitcoin rises again - analysts say', 'Bitcoin rises again - traders say', false],
    ['a different story', 'Bitcoin rises', 'Ether rises', false],
    ['other scripts', 'イーサリアム 上昇', 'イーサリアム 下落', false],
    ['nothing but signs', '!!!', '???', false],
  ])('%s', (_name, one, other, isSame) => {
    expect(titleKey(one) === titleKey(other)).toBe(isSame)
  })

  test.each([
    ['tracking', 'https://www.x.org/a?utm_source=rss&id=1#top', 'http://x.org/a/?id=1', true],
    ['query', 'https://x.org/a?id=1', 'https://x.org/a?id=2', false],
    ['path', 'https://x.org/a', 'https://x.org/b', false],
    ['front page says nothing', 'https://x.org/', 'https://x.org', true],
  ])('links: %s', (_name, one, other, isSame) => {
    expect(linkKey(one) === linkKey(other)).toBe(isSame)
  })

  test('the earliest of them, which tells when it was known', () => {
    expect(
      selectHeadlines([item('Big news', 1, 'B'), item('BIG NEWS', 3, 'C'), item('big news', null, 'A')], limits, asOf),
    ).toMatchObject([{ source: 'C', ageMinutes: 180 }])
  })

  test('also through a third', () => {
    expect(
      titlesOf([
        item('One', 3, 'A', 'https://x.org/1'),
        item('Two', 2, 'B', 'https://x.org/1'),
        item('Two!', 1, 'C', 'https://x.org/2'),
      ]),
    ).toEqual(['One'])
  })

  test('but not all items of a feed that links to its front page', () => {
    expect(titlesOf([item('One', 1, 'A', 'https://x.org/'), item('Two', 2, 'A', 'https://x.org/')])).toEqual([
      'One',
      'Two',
    ])
  })
})

describe('which and in what order', () => {
  test('nothing of the future, not even by a second; nothing too old', () => {
    expect(titlesOf([item('now', 0), item('soon', -1 / 3_600), item('edge', 24), item('old', 24 + 1 / 3_600)])).toEqual(
      ['now', 'edge'],
    )
  })

  test('newest first, then by source, then by title; undated last and few', () => {
    const undated = ['u1', 'u2', 'u3', 'u4'].map((title) => item(title, null))
    const dated = [item('b', 2), item('z', 1, 'B'), item('a', 2), item('y', 2, 'B')]
    expect(titlesOf([...undated, ...dated])).toEqual(['z', 'a', 'b', 'y', 'u1', 'u2', 'u3'])
  })

  test('at most as many as asked for', () => {
    expect(titlesOf([item('a', 1), item('b', 2), item('c', null)], { ...limits, maxHeadlines: 2 })).toEqual(['a', 'b'])
    expect(titlesOf([item('a', 1)], { ...limits, maxHeadlines: 0 })).toEqual([])
  })
})

const candidates = fc.array(
  fc.record({
    title: fc.constantFrom('a story', 'A story!', 'another', 'third - CoinDesk', 'x', 'y', 'z'),
    source: fc.constantFrom('A', 'B', 'C'),
    link: fc.constantFrom(
      null,
      'https://x.org/1',
      'https://x.org/2?utm_source=q',
      'https://x.org/2',
      'https://x.org/',
      'nonsense',
    ),
    publishedAt: fc.option(fc.integer({ min: asOf - 30 * HOUR_MS, max: asOf + HOUR_MS })),
  }),
  { maxLength: 20 },
)

test('laws of any selection', () => {
  fc.assert(
    fc.property(candidates, fc.integer({ min: 0, max: 10 }), fc.nat(), (items, maxHeadlines, turn) => {
      const config = { maxAgeHours: 24, maxHeadlines }
      const selected = selectHeadlines(items, config, asOf)
      for (const headline of selected) expect(Headline.safeParse(headline).success).toBe(true)
      expect(selected.length).toBeLessThanOrEqual(maxHeadlines)
      expect(selected.filter(({ publishedAt }) => publishedAt === null).length).toBeLessThanOrEqual(MAX_UNDATED)
      expect(new Set(selected.map(({ title }) => titleKey(title))).size).toBe(selected.length)
      // Whatever order the feeds answered in.
      const turned = [
        ...items.slice(turn % (items.length || 1)),
        ...items.slice(0, turn % (items.length || 1)),
      ].toReversed()
      expect(selectHeadlines(turned, config, asOf)).toEqual(selected)
      // What is not known yet changes nothing.
      const known = items.filter(({ publishedAt }) => publishedAt === null || publishedAt <= asOf)
      expect(selectHeadlines(known, config, asOf)).toEqual(selected)
    }),
    { seed: 20_260_109, numRuns: 500 },
  )
})
