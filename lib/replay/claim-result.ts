import { rmSync } from 'node:fs'
import path from 'node:path'
import { jsonOf } from '../core/parse-json.ts'
import { UsageError } from '../core/invariant.ts'
import { namesIn } from '../files/keep-files.ts'
import { readFileText } from '../files/read-file.ts'

/** What a replay writes, and what reports put beside it. */
const RESULT_FILES: ReadonlySet<string> = new Set([
  'slots.jsonl',
  'trades.jsonl',
  'stories.jsonl',
  'checkpoint.json',
  'checkpoint.json.draft',
  'replay.json',
  'evidence.json',
  'bars.json',
  'report.html',
  'trades.csv',
  'equity.csv',
  'metrics.json',
  '.hourhand-written.json',
])

/**
 * Makes sure that a replay may write into a directory: it is empty, or holds this very replay, finished or broken off.
 * What another replay or a person has put there is overwritten only with `force`; files that no replay writes stay in
 * any case. Throws {@link UsageError} naming what is in the way.
 */
export function claimResultDirectory(
  directory: string,
  { key, trialId, force }: { key: string; trialId: string; force: boolean },
): void {
  const names = namesIn(directory)
  const fieldOf = (name: string, field: string): unknown => {
    if (!names.includes(name)) return undefined
    const file = path.join(directory, name)
    const value = jsonOf(readFileText({ file, label: file, remedy: 'give another directory' }))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : null
  }
  const inTheWay = problemOf(names, fieldOf, key, trialId)
  if (inTheWay === null) return
  if (!force)
    throw new UsageError(
      `--out ${directory}: ${inTheWay}; give another directory, or add --force to overwrite what a replay writes`,
    )
  // A page of the other replay beside the results of this one would be taken for its own.
  for (const name of names.filter((each) => RESULT_FILES.has(each))) rmSync(path.join(directory, name), { force: true })
}

function problemOf(
  names: readonly string[],
  fieldOf: (name: string, field: string) => unknown,
  key: string,
  trialId: string,
): string | null {
  const unfinished = fieldOf('checkpoint.json', 'key')
  if (unfinished !== undefined)
    return unfinished === key ? null : 'an unfinished replay of other settings, data or version is there'
  const finished = fieldOf('replay.json', 'trialId')
  if (finished !== undefined) return finished === trialId ? null : 'the results of another replay are there'
  const foreign = names.filter((name) => !RESULT_FILES.has(name))
  if (foreign.length > 0)
    return `there ${foreign.length === 1 ? 'is a file' : 'are files'} that no replay has written (${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ', ...' : ''})`
  const others = names.filter((name) => !name.endsWith('.jsonl') && !name.startsWith('.'))
  return others.length > 0 ? `${others.join(', ')} of something else ${others.length === 1 ? 'is' : 'are'} there` : null
}
