import type { NewsConfig } from '../../schemas/strategy-config.ts'
import type { Headline } from '../../schemas/snapshot.ts'
import { type EpochMs, HOUR_MS, MINUTE_MS, toIso } from '../core/time.ts'

/** A cleaned headline of one feed. */
export type Candidate = {
  readonly title: string
  readonly source: string
  readonly link: string | null
  readonly publishedAt: EpochMs | null
  /**
   * Of a headline without a time: its place in its feed, and the instant it is taken to be as old as, where one is
   * known.
   */
  readonly undated?: Undated
}

export type Undated = { readonly position: number; readonly asOldAs: EpochMs | null }

/** Headlines without a time are too doubtful for more than these. */
export const MAX_UNDATED = 3

/**
 * What of all feeds goes into a snapshot, by these rules:
 *
 * - Nothing dated after `asOf`: no tolerance, since a clock that is wrong by a minute is no reason to look ahead.
 * - Nothing older than `maxAgeHours`.
 * - Undated headlines are kept, as such, at most {@link MAX_UNDATED} of them, after all dated ones, in the order of their
 *   feeds: the first of each feed, then the second of each. One that is taken to be older than `maxAgeHours` by what
 *   stands around it in its feed is too old ({@link placeUndated}).
 * - One headline a story: of those with the same link or the same {@link titleKey}, the earliest, which tells when
 *   it was known; a dated one before an undated.
 * - Newest first, then by place in the feed where undated, then by source, then by title: a total order, so equal feeds give equal snapshots whatever
 *   order they answered in.
 * - At most `maxHeadlines`.
 */
export function selectHeadlines(
  candidates: readonly Candidate[],
  config: Pick<NewsConfig, 'maxAgeHours' | 'maxHeadlines'>,
  asOf: EpochMs,
): Headline[] {
  const oldest = asOf - config.maxAgeHours * HOUR_MS
  const current = candidates.filter(({ publishedAt, undated }) =>
    publishedAt === null ? (undated?.asOldAs ?? asOf) >= oldest : publishedAt <= asOf && publishedAt >= oldest,
  )
  const unique = onePerStory(current).sort(newestFirst)
  const dated = unique.filter(({ publishedAt }) => publishedAt !== null)
  const undated = unique.filter(({ publishedAt }) => publishedAt === null).slice(0, MAX_UNDATED)
  return [...dated, ...undated].slice(0, config.maxHeadlines).map(({ title, source, publishedAt }) => ({
    title,
    source,
    publishedAt: publishedAt === null ? null : toIso(publishedAt),
    ageMinutes: publishedAt === null ? null : Math.floor((asOf - publishedAt) / MINUTE_MS),
  }))
}

function onePerStory(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>()
  return candidates.toSorted(earliestFirst).filter(({ title, link }) => {
    const address = link === null ? null : linkKey(link)
    const marks = [`title ${titleKey(title)}`, ...(address === null ? [] : [`link ${address}`])]
    const isNew = marks.every((mark) => !seen.has(mark))
    // Also of a repetition: a third may share with the second what it does not share with the first.
    for (const mark of marks) seen.add(mark)
    return isNew
  })
}

/**
 * A title without what publishers vary: case, punctuation, a label before it ("BREAKING:"), a trailing " - Source",
 * "and" or "&", "percent" or "%", commas within numbers. Numbers keep their sign and their percent, since "up 5%" and
 * "-5%" are two stories.
 */
export function titleKey(title: string): string {
  const plain = withoutSource(withoutLabel(title))
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’'`]/g, '')
    .replaceAll('−', '-')
    .replaceAll('&', ' and ')
    .replace(/ ?per ?cent\b/g, '%')
    // U.S., U.K.: single letters with dots are one word.
    .replace(/\b([a-z])\.(?=[a-z]\b)/g, '$1')
  const words = plain.match(WORD)
  return words === null
    ? title
    : words.map((word) => (/^\D?\D?\d/.test(word) ? word.replaceAll(',', '') : word)).join(' ')
}

/** A number with the sign and currency before it and the percent after it, or letters. */
const WORD = /(?<![^\s($€£])[+-]?[$€£]?\d[\d.,]*(?<![.,])%?|\d[\d.,]*(?<![.,])%?|[\p{L}\p{M}]+/gu

/** "BREAKING: ", "UPDATE 2-", "Exclusive: ": said of a story, not part of it. */
const withoutLabel = (title: string): string =>
  title.replace(/^(?:breaking(?: news)?|just in|exclusive|update ?\d?|updated|live|watch|video|alert) ?[:|-] ?/i, '')

const SEPARATORS = [' - ', ' – ', ' — ', ' | ']

/**
 * Drops a last part that looks like a publisher: after a dash or bar, one to four capitalised words or a domain, with a
 * sentence before it.
 */
function withoutSource(title: string): string {
  const at = Math.max(...SEPARATORS.map((separator) => title.lastIndexOf(separator)))
  if (at === -1) return title
  const [story, source] = [title.slice(0, at), title.slice(at + 3)]
  const words = source.trim().split(/\s+/u)
  const looksLikeSource =
    words.length <= 4 && words.every((word) => /^[\p{Lu}\d]/u.test(word) || /^[\w-]+\.[a-z]{2,}$/u.test(word))
  return looksLikeSource && story.split(/\s+/u).length >= 3 ? story : title
}

/**
 * An address without what feeds and devices add to it: scheme, `www.`, `m.` and `amp.`, fragment, tracking parameters,
 * a last `/amp`, `index.html`, trailing slashes. Null for what points to no article: some feeds link every item to
 * their front page.
 */
export function linkKey(link: string): string | null {
  if (!URL.canParse(link)) return null
  const { hostname, port, pathname, searchParams } = new URL(link)
  const query = [...searchParams]
    .filter(([key]) => !TRACKING.test(key))
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  const parts = pathname.split('/').filter((part) => part !== '')
  while (EXTRA_PARTS.has(parts.at(-1) ?? '')) parts.pop()
  if (parts.length === 0 && query.length === 0) return null
  return `${hostname.replace(/^(?:www|m|amp|mobile)\./, '')}:${port}/${parts.join('/')}?${new URLSearchParams(query)}`
}

const EXTRA_PARTS = new Set(['amp', 'index.html', 'index.htm', 'index.php'])

const TRACKING =
  /^(?:utm_\w+|at_\w+|ns_\w+|mc_[ce]id|ref|source|src|fbclid|gclid|dclid|msclkid|yclid|igshid|cmp|cmpid|icid|ncid|ocid|spm|xtor|wt\.mc_id|smid|partner|rss|feed|amp|outputtype|guccounter|taid|mod|share)$/i

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)
const byName = (a: Candidate, b: Candidate): number =>
  compare(a.undated?.position ?? 0, b.undated?.position ?? 0) ||
  compare(a.source, b.source) ||
  compare(a.title, b.title) ||
  compare(a.link ?? '', b.link ?? '')
const earliestFirst = (a: Candidate, b: Candidate): number =>
  compare(a.publishedAt ?? Number.POSITIVE_INFINITY, b.publishedAt ?? Number.POSITIVE_INFINITY) || byName(a, b)
const newestFirst = (a: Candidate, b: Candidate): number =>
  compare(b.publishedAt ?? Number.NEGATIVE_INFINITY, a.publishedAt ?? Number.NEGATIVE_INFINITY) || byName(a, b)
