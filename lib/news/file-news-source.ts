import { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import { readFileBytes, textOf } from '../files/read-file.ts'
import { unpack } from '../files/unpack.ts'
import { DAY_MS, type EpochMs, HOUR_MS } from '../core/time.ts'
import type { NewsConfig } from '../../schemas/strategy-config.ts'
import { cleanTitle } from './clean-title.ts'
import type { NewsSource } from './news-source.ts'
import { type Candidate, selectHeadlines } from './select-headlines.ts'

/** One line of a headline file; other keys are theirs. The time is when it was published, under one of three names. */
const Line = z.looseObject({
  title: z.string(),
  source: z.string().min(1),
  link: z.string().nullish(),
  published_at: z.iso.datetime({ offset: true }).optional(),
  publishedAt: z.iso.datetime({ offset: true }).optional(),
  pub_date: z.iso.datetime({ offset: true }).optional(),
})

/** A headline of which it is known when it was published. */
export type DatedHeadline = Candidate & { readonly publishedAt: EpochMs }

/**
 * Headlines of history, from a JSON Lines file (also gzipped), in the order of the file. Rejects with {@link
 * UsageError} naming file and line when the file is missing, a line is not a dated headline, or is dated after `now`
 * and a day.
 */
export const readHeadlines = async (
  config: Pick<NewsConfig, 'maxTitleLength'> & { file: string; now?: EpochMs },
): Promise<DatedHeadline[]> => parseHeadlines(readText(config.file), config)

/** Headlines as known at an instant: what was published later is not there yet. The same selection as of live feeds. */
export function newsOf(
  headlines: readonly DatedHeadline[],
  config: Pick<NewsConfig, 'maxAgeHours' | 'maxHeadlines'>,
): NewsSource {
  const ordered = headlines.toSorted((a, b) => a.publishedAt - b.publishedAt)
  return {
    async headlines(asOf) {
      const recent = ordered.filter(
        ({ publishedAt }) => publishedAt <= asOf && publishedAt >= asOf - config.maxAgeHours * HOUR_MS,
      )
      return { headlines: selectHeadlines(recent, config, asOf), feeds: [] }
    },
  }
}

/** Every headline of a file's text, cleaned; undated ones are refused: nobody could say when they were known. */
export function parseHeadlines(
  text: string,
  {
    file,
    maxTitleLength,
    now = Number.POSITIVE_INFINITY,
  }: Pick<NewsConfig, 'maxTitleLength'> & { file: string; now?: EpochMs },
): DatedHeadline[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const refuse = (problem: string): UsageError =>
      new UsageError(
        `news.file ${file}, line ${index + 1}: ${problem}; expected {"title", "source", "published_at": ISO 8601}`,
      )
    const value = parseJson(line, refuse)
    const parsed = Line.safeParse(value)
    if (!parsed.success)
      throw refuse(
        parsed.error.issues
          .map(
            ({ path, message }) =>
              `${path.join('.') || 'line'}: ${message}${shown(path.length === 0 ? value : (value as Record<string, unknown>)[String(path[0])])}`,
          )
          .join('; '),
      )
    const { title, source, link, published_at, publishedAt, pub_date } = parsed.data
    const at = published_at ?? publishedAt ?? pub_date
    if (at === undefined) throw refuse('it has no published_at')
    if (Date.parse(at) > now + DAY_MS) throw refuse(`${at} lies after now; correct the time or remove the line`)
    const cleaned = cleanTitle(title, maxTitleLength)
    return cleaned === '' ? [] : [{ title: cleaned, source, link: link ?? null, publishedAt: Date.parse(at) }]
  })
}

/** What stands there instead, or its beginning; nothing where nothing does. */
const shown = (value: unknown): string => (value === undefined ? '' : `, got ${JSON.stringify(value).slice(0, 60)}`)

function parseJson(line: string, refuse: (problem: string) => UsageError): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw refuse(`not JSON (${(error as Error).message})`)
  }
}

function readText(file: string): string {
  const label = `news.file ${file}`
  const remedy = 'give the path of a JSON Lines file, plain, gzipped or zipped'
  return unpack({ name: label, bytes: readFileBytes({ file, label, remedy }) })
    .map(({ name, bytes }) => textOf(bytes, { label: name, remedy }))
    .join('\n')
}
