import type { Snapshot } from '../../schemas/snapshot.ts'

/**
 * What of a snapshot's data was dead, late or incomplete, a sentence each: the traded market first, then what is beside
 * it.
 */
export const dataProblems = ({ symbol, issues, contextIssues, news }: Snapshot): string[] => [
  ...issues.map(({ kind, detail }) => `${symbol}: ${kind}: ${detail}`),
  ...contextIssues.map(({ kind, detail }) => `${kind}: ${detail}`),
  ...news.feeds.filter(({ ok }) => !ok).map(({ source, problem }) => `feed ${source}: ${problem ?? 'unknown problem'}`),
]
