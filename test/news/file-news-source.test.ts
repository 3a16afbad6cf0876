import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { type DatedHeadline, newsOf, parseHeadlines, readHeadlines } from '../../lib/news/file-news-source.ts'
import { NewsDigest } from '../../schemas/snapshot.ts'

const T0 = Date.parse('2026-01-09T00:00:00Z')
const folder = mkdtempSync(path.join(tmpdir(), 'hourhand-news-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
function write(content: string | Uint8Array): string {
  const file = path.join(folder, `${files++}.jsonl`)
  writeFileSync(file, content)
  return file
}

const CONFIG = { maxAgeHours: 6, maxHeadlines: 8 }
/** Few titles, links and minutes, so that stories repeat and times meet. */
const headlines = fc.array(
  fc.record({
    title: fc.constantFrom(
      'Ether rises',
      'ETHER RISES!',
      'Ether falls 5%',
      'Ether falls -5%',
      'A fork is near',
      'Nothing new',
      'Ether rises - Example Wire',
      'Markets are calm today',
    ),
    source: fc.constantFrom('a', 'b', 'c'),
    link: fc.constantFrom(null, 'https://example.org/1', 'https://example.org/2?utm_source=x', 'https://example.org/2'),
    publishedAt: fc.integer({ min: 0, max: 24 * 12 }).map((steps) => T0 + steps * 5 * MINUTE_MS),
  }),
  { maxLength: 40 },
)
const instants = fc
  .tuple(fc.integer({ min: 0, max: 24 * 60 }), fc.constantFrom(-1, 0, 1))
  .map(([minute, ms]) => T0 + minute * MINUTE_MS + ms)
const RUNS = { seed: 20261102, numRuns: 400 }

describe('headlines of history', () => {
  it('tell nothing that was published later: what comes after an instant may be anything, in any order', async () => {
    let later = 0
    await fc.assert(
      fc.asyncProperty(headlines, headlines, instants, async (all, others, asOf) => {
        const digest = await newsOf(all, CONFIG).headlines(asOf)
        const known = all.filter(({ publishedAt }) => publishedAt <= asOf)
        later += all.length - known.length
        expect(await newsOf(known, CONFIG).headlines(asOf)).toEqual(digest)
        const replaced = [...others.filter(({ publishedAt }) => publishedAt > asOf), ...known.toReversed()]
        expect(await newsOf(replaced, CONFIG).headlines(asOf)).toEqual(digest)
        for (const { publishedAt } of digest.headlines) expect(Date.parse(publishedAt ?? '')).toBeLessThanOrEqual(asOf)
        expect(NewsDigest.parse(digest).feeds).toEqual([])
      }),
      RUNS,
    )
    expect(later).toBeGreaterThan(500)
  })

  it('come newest first, none older than wanted, no more than wanted, each with its age in whole minutes', async () => {
    await fc.assert(
      fc.asyncProperty(headlines, instants, async (all, asOf) => {
        const told = (await newsOf(all, CONFIG).headlines(asOf)).headlines
        const times = told.map(({ publishedAt }) => Date.parse(publishedAt ?? ''))
        expect(times.toSorted((a, b) => b - a)).toEqual(times)
        expect(times.every((time) => time >= asOf - CONFIG.maxAgeHours * HOUR_MS)).toBe(true)
        expect(told.length).toBeLessThanOrEqual(CONFIG.maxHeadlines)
        expect(told.map(({ ageMinutes }) => ageMinutes)).toEqual(
          times.map((time) => Math.floor((asOf - time) / MINUTE_MS)),
        )
      }),
      RUNS,
    )
  })

  it('are there from the millisecond they were published, and gone a millisecond after they are too old', async () => {
    const one: DatedHeadline = { title: 'Ether rises', source: 'a', link: null, publishedAt: T0 }
    const news = newsOf([one], CONFIG)
    const countAt = async (asOf: number) => (await news.headlines(asOf)).headlines.length
    const end = T0 + CONFIG.maxAgeHours * HOUR_MS
    expect([await countAt(T0 - 1), await countAt(T0), await countAt(end), await countAt(end + 1)]).toEqual([0, 1, 1, 0])
  })

  it('a story repeated tells when it was first known, also where the first is told again after the instant', async () => {
    const at = (minute: number): DatedHeadline => ({
      title: 'Ether rises',
      source: 'a',
      link: null,
      publishedAt: T0 + minute * MINUTE_MS,
    })
    const news = newsOf([at(90), at(30), at(60)], CONFIG)
    expect((await news.headlines(T0 + 70 * MINUTE_MS)).headlines.map(({ publishedAt }) => publishedAt)).toEqual([
      toIso(T0 + 30 * MINUTE_MS),
    ])
  })
})

describe('a file of headlines', () => {
  const line = (more: object = {}) =>
    JSON.stringify({ title: 'Ether rises', source: 'a', published_at: '2026-01-09T10:00:00Z', ...more })
  const read = (file: string) => readHeadlines({ file, maxTitleLength: 40 })

  it('is read in its own order: three names for the time, offsets, other keys, blank lines, CRLF, gzip', async () => {
    const lines = [
      line({ score: 3 }),
      '',
      JSON.stringify({
        title: ' Ether\n<b>falls</b> &amp; falls ',
        source: 'b',
        link: 'https://example.org',
        publishedAt: '2026-01-09T05:00:00.250-05:00',
      }),
      '  ',
      JSON.stringify({ title: 'x'.repeat(60), source: 'c', link: null, pub_date: '2026-01-08T10:00:00Z' }),
      line({ title: '<p></p>' }),
    ]
    const expected = [
      { title: 'Ether rises', source: 'a', link: null, publishedAt: Date.UTC(2026, 0, 9, 10) },
      {
        title: 'Ether falls & falls',
        source: 'b',
        link: 'https://example.org',
        publishedAt: Date.UTC(2026, 0, 9, 10) + 250,
      },
      { title: `${'x'.repeat(39)}…`, source: 'c', link: null, publishedAt: Date.UTC(2026, 0, 8, 10) },
    ]
    for (const text of [lines.join('\n'), `${lines.join('\n')}\n`, lines.join('\r\n')]) {
      expect(await read(write(text))).toEqual(expected)
      expect(await read(write(gzipSync(text)))).toEqual(expected)
    }
  })

  it.each(['', '\n', ' \n\n'])('that is empty (%j) has no headlines', async (text) => {
    expect(await read(write(text))).toEqual([])
    expect(await newsOf([], CONFIG).headlines(T0)).toEqual({ headlines: [], feeds: [] })
  })

  it.each<[string, string, string[]]>([
    ['no JSON', 'Ether rises', ['not JSON', 'Ether rises']],
    ['half a line', line().slice(0, 30), ['not JSON']],
    ['a list', '[1]', ['[1]']],
    ['null', 'null', ['null']],
    ['no title', line({ title: undefined }), ['title']],
    ['a number for a title', line({ title: 7 }), ['title', '7']],
    ['an empty source', line({ source: '' }), ['source', '""']],
    ['a number for a link', line({ link: 5 }), ['link', '5']],
    ['no time', line({ published_at: undefined }), ['published_at']],
    ['a word for a time', line({ published_at: 'yesterday' }), ['published_at', '"yesterday"']],
    ['seconds for a time', line({ published_at: 1767952800 }), ['published_at', '1767952800']],
    [
      'a time of nobody’s zone',
      line({ published_at: undefined, pub_date: '2026-01-09T10:00:00' }),
      ['pub_date', '"2026-01-09T10:00:00"'],
    ],
    ['a day that is none', line({ published_at: '2026-02-30T10:00:00Z' }), ['published_at', '"2026-02-30T10:00:00Z"']],
    ['two things wrong', line({ source: '', published_at: 'soon' }), ['source', '""', 'published_at', '"soon"']],
  ])('with %s in it is refused by its name, line, field, value and what was expected', async (_what, bad, named) => {
    const file = write([line(), '', bad, line()].join('\n'))
    const error: unknown = await read(file).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UsageError)
    for (const part of [
      'news.file',
      file,
      'line 3',
      'expected {"title", "source", "published_at": ISO 8601}',
      ...named,
    ])
      expect((error as UsageError).message).toContain(part)
  })

  it('a value that is long is told by its beginning', () => {
    const bad = line({ published_at: 'x'.repeat(10_000) })
    expect(() => parseHeadlines(bad, { file: 'f', maxTitleLength: 40 })).toThrow(/line 1: published_at: .*"x{20}/)
    try {
      parseHeadlines(bad, { file: 'f', maxTitleLength: 40 })
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(400)
    }
  })

  it.each<[string, () => string]>([
    ['that is not there', () => path.join(folder, 'absent.jsonl')],
    ['that is a folder', () => folder],
    ['whose gzip is damaged', () => write(gzipSync(line()).subarray(0, 30))],
  ])('%s is refused with what to give instead', async (_what, fileOf) => {
    const file = fileOf()
    const error: unknown = await read(file).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toMatch(
      /news\.file .*: (?:there is no such file|this is a directory, not a file|damaged gzip .+); (?:give the path of a JSON Lines|fetch or pack the) file/,
    )
    expect((error as UsageError).message).toContain(file)
  })
})
