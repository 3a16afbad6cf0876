import { deflateSync } from 'node:zlib'
import type { ReportData } from '../../../schemas/report.ts'
import type { Verdict } from '../verdict.ts'
import { type Columns, type Json, toColumns } from './columns.ts'
import type { PackedSeries, PackedStory, Summary } from './page-data.ts'

/**
 * Stories that are inflated together: enough for neighbours to compress each other, few enough to inflate at a click.
 */
export const STORIES_PER_CHUNK = 40

/**
 * A report cut into what is read at once, what is inflated at once, and what waits for a click. All but the summary is
 * deflated and in base64.
 */
export function packReport(data: ReportData, verdict: Verdict): { summary: Summary; series: string; chunks: string[] } {
  const { bars, equity, decisions, trades, stories, ...rest } = data
  const systemPrompts = [...new Set(stories.flatMap((story) => (story.prompt === null ? [] : [story.prompt.system])))]
  const packed = stories.map((story): PackedStory => ({
    ...story,
    prompt: story.prompt === null ? null : { ...story.prompt, system: systemPrompts.indexOf(story.prompt.system) },
  }))
  const chunks = Array.from({ length: Math.ceil(packed.length / STORIES_PER_CHUNK) }, (_, chunk) =>
    deflate(columnsOf(packed.slice(chunk * STORIES_PER_CHUNK, (chunk + 1) * STORIES_PER_CHUNK))),
  )
  const index = {
    perChunk: STORIES_PER_CHUNK,
    cycleId: stories.map(({ cycleId }) => cycleId),
    slot: stories.map(({ slot }) => slot),
    outcome: stories.map(({ outcome }) => outcome),
  }
  const series: PackedSeries = { bars, equity, decisions, trades: columnsOf(trades), stories: index, systemPrompts }
  return { summary: { ...rest, verdict }, series: deflate(series), chunks }
}

/** Rows of one schema, which holds nothing that JSON does not. */
const columnsOf = (rows: readonly (PackedStory | ReportData['trades'][number])[]): Columns =>
  toColumns(rows as readonly Json[])

/** JSON, zlib (RFC 1950, which carries no time stamp), base64. */
const deflate = (value: unknown): string =>
  deflateSync(JSON.stringify(value), { level: 9, memLevel: 9 }).toString('base64')
