import { inflateSync } from 'node:zlib'
import { array, assert, dictionary, jsonValue, oneof, property, record, constant, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Columns, type Json, toColumns } from '../../../lib/report/html/columns.ts'
import { embedJson, escapeHtml, inlineElement } from '../../../lib/report/html/embed.ts'
import { packReport, STORIES_PER_CHUNK } from '../../../lib/report/html/pack-report.ts'
import { judgeReport } from '../../../lib/report/verdict.ts'
import { makeReportData } from '../../support/report/report-data.ts'

/** The page's own half, which is plain JavaScript. */
const { toRows } = (await import(new URL('../../../lib/report/html/client/columns.js', import.meta.url).href)) as {
  toRows: (columns: Columns) => Json[]
}

const json = jsonValue({ maxDepth: 2, depthSize: 'small' }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

describe('columns', () => {
  it('any rows come back as they were, keys in their order', () => {
    // Rows of one shape and of any, with nulls, empty lists and empty objects between.
    const alike = record({
      a: oneof(constant(null), dictionary(string(), json)),
      b: array(record({ c: json, d: array(json) })),
      e: constant({}),
    }) as unknown as typeof json
    assert(
      property(array(oneof(json, alike, alike, constant(null)), { maxLength: 8 }), (rows) => {
        expect(JSON.stringify(toRows(JSON.parse(JSON.stringify(toColumns(rows))) as Columns))).toBe(
          JSON.stringify(rows),
        )
      }),
      { numRuns: 150 },
    )
  })

  it('puts like values side by side', () => {
    expect(
      toColumns([
        { a: 1, b: [1, 2] },
        { a: 2, b: [] },
      ]),
    ).toEqual({ k: ['a', 'b'], c: [[1, 2], { n: [2, 0], v: [1, 2] }], r: 2 })
  })
})

describe('what is embedded', () => {
  it('JSON reads back as it was and cannot end its element', () => {
    assert(
      property(oneof(json, string(), constant('</script><!--<script>\u2028\u2029')), (value) => {
        const embedded = embedJson(value)
        expect(JSON.parse(embedded)).toEqual(value)
        expect(embedded).not.toMatch(/[<\u2028\u2029]/)
      }),
    )
  })

  it('text has no character that markup begins or ends with', () => {
    assert(
      property(oneof(string(), constant(`<a title="x" class='y'>&`)), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"']/)
      }),
    )
  })

  it.each(['a</script >', 'a</SCRIPT>', '<!-- a'])('code that could end its element is refused: %s', (code) => {
    expect(() => inlineElement('script', code)).toThrow('could end its element')
  })
})

describe('a packed report', () => {
  const data = makeReportData({ days: 20, trades: 60 })
  const { summary, series, chunks } = packReport(data, judgeReport(data))
  const inflate = (text: string): unknown => JSON.parse(inflateSync(Buffer.from(text, 'base64')).toString('utf8'))

  it('holds every story, in chunks, each system prompt once', () => {
    const { stories, systemPrompts } = inflate(series) as { stories: { cycleId: string[] }; systemPrompts: string[] }
    const packed = chunks.flatMap((chunk) => toRows(inflate(chunk) as Columns)) as unknown as {
      cycleId: string
      prompt: { system: number }
    }[]
    expect(chunks.length).toBe(Math.ceil(data.stories.length / STORIES_PER_CHUNK))
    expect(chunks.length).toBeGreaterThan(1)
    expect(systemPrompts).toHaveLength(1)
    expect(
      packed.map((story) => ({ ...story, prompt: { ...story.prompt, system: systemPrompts[story.prompt.system] } })),
    ).toEqual(data.stories)
    expect(stories.cycleId).toEqual(data.stories.map(({ cycleId }) => cycleId))
  })

  it('everything else is in the summary or the series', () => {
    const { trades, ...columns } = inflate(series) as { trades: Columns }
    expect({ ...summary, ...columns, trades: toRows(trades) }).toMatchObject({ ...data, stories: {} })
  })
})
