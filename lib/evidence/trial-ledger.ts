import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { readFileText } from '../files/read-file.ts'
import { makeWritable, meaningOf } from '../store/make-writable.ts'
import { Trial } from '../../schemas/replay.ts'

const FILE = 'trials.jsonl'

/** Where the ledger of a data directory lies. */
export const trialFile = (directory: string): string => path.join(directory, FILE)

/** A trial of any release: fields that are not known here are left out. */
const AnyTrial = Trial.strip()

/**
 * Every trial of a ledger, oldest first; of the same one run again, the newest. A line that a crash cut short is left
 * out. Anything else that is no trial is left out too, and `tell` hears of it, by file and line: deflation counts on
 * every one. Throws {@link UsageError} for a file that cannot be read.
 */
export function readTrials(directory: string, tell: (problem: string) => void): Trial[] {
  const file = trialFile(directory)
  if (!existsSync(file)) return []
  const text = readFileText({ file, label: file, remedy: 'give another --data-dir' })
  const trials = new Map<string, Trial>()
  for (const [index, line] of text.split('\n').entries()) {
    const value = jsonOf(line)
    if (value === undefined) continue
    const parsed = AnyTrial.safeParse(value)
    if (parsed.success) {
      // In the place of the newest run.
      trials.delete(parsed.data.trialId)
      trials.set(parsed.data.trialId, parsed.data)
    } else
      tell(
        `${file}, line ${index + 1} is no trial and is not counted: ${z.prettifyError(parsed.error)}; mend or remove the line`,
      )
  }
  return [...trials.values()]
}

/** Adds trials, in one write: several processes may do so at once. */
export function recordTrial(directory: string, ...trials: readonly Trial[]): void {
  makeWritable(directory, '--data-dir')
  const file = trialFile(directory)
  // After a crash in the middle of a line the next begins on its own.
  const isTorn = endsTorn(file)
  const lines = `${isTorn ? '\n' : ''}${trials.map((trial) => `${JSON.stringify(Trial.parse(trial))}\n`).join('')}`
  try {
    appendFileSync(file, lines)
  } catch (cause) {
    throw new UsageError(`${file} cannot be written: ${meaningOf(cause)}; choose another with --data-dir`, { cause })
  }
}

/**
 * Trials of the same instrument whose time overlaps: those that a result has to be measured against. `trial` itself is
 * among them.
 */
export function comparableTrials(
  trials: readonly Trial[],
  trial: Pick<Trial, 'trialId' | 'instrument' | 'from' | 'to'>,
): Trial[] {
  return trials.filter(
    (other) =>
      other.trialId !== trial.trialId &&
      other.instrument === trial.instrument &&
      other.from < trial.to &&
      trial.from < other.to,
  )
}

function endsTorn(file: string): boolean {
  try {
    const text = readFileSync(file, 'utf8')
    return text !== '' && !text.endsWith('\n')
  } catch {
    return false
  }
}
