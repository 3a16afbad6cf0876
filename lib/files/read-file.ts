import { readFileSync, type Stats, statSync } from 'node:fs'
import { UsageError } from '../core/invariant.ts'
import { decodeText, isText } from './decode-text.ts'

/** A file that a person named: what it is called in messages, and what to give instead when it is none. */
export type Wanted = {
  /** Path of the file. */
  readonly file: string
  /** What the file is to the person, with its path: `--config my.json`. */
  readonly label: string
  /** What to do, as an imperative: `give the path of a JSON file`. */
  readonly remedy: string
  readonly maxBytes?: number
}

/** Above this a text no longer fits into one string of the platform. */
export const MAX_TEXT_BYTES = 500_000_000

/**
 * The bytes of a regular file. Nothing that could wait for ever is opened: a pipe, a device, a socket, a directory
 * and a file beyond `maxBytes` are refused by what the system says of them.
 * Throws {@link UsageError} naming the file, what it is, and the remedy.
 */
export function readFileBytes({ file, label, remedy, maxBytes = MAX_TEXT_BYTES }: Wanted): Uint8Array {
  const refuse = (problem: string, cause?: unknown): UsageError =>
    new UsageError(`${label}: ${problem}; ${remedy}`, { cause })
  let stats: Stats
  try {
    stats = statSync(file)
  } catch (cause) {
    throw refuse(problemOf(cause), cause)
  }
  const kind = kindOf(stats)
  if (kind !== 'file') throw refuse(`this is ${kind}, not a file`)
  if (stats.size > maxBytes)
    throw refuse(`the file has ${megabytes(stats.size)}, more than the ${megabytes(maxBytes)} that are read`)
  try {
    return readFileSync(file)
  } catch (cause) {
    throw refuse(problemOf(cause), cause)
  }
}

/**
 * The text of a regular file, in whichever of the usual encodings. Throws {@link UsageError} as {@link readFileBytes}
 * does.
 */
export function readFileText(wanted: Wanted): string {
  return textOf(readFileBytes(wanted), wanted)
}

/** Bytes of a person's file as text. Throws {@link UsageError} for what is none, and shows nothing of it. */
export function textOf(bytes: Uint8Array, { label, remedy }: Pick<Wanted, 'label' | 'remedy'>): string {
  const { text } = decodeText(bytes)
  if (!isText(text)) throw new UsageError(`${label}: this is not text; ${remedy}`)
  return text
}

/** What a path leads to. */
export function kindOf(stats: Stats): 'file' | 'a directory' | 'a pipe' | 'a device' | 'a socket' {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a pipe'
  if (stats.isSocket()) return 'a socket'
  return stats.isFile() ? 'file' : 'a device'
}

/** Why the system did not give a file, in words where the code is a common one. */
export function problemOf(cause: unknown): string {
  const code = String((cause as { code?: unknown }).code ?? (cause as Error).message)
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read (permission denied)'
  return `it cannot be read (${code})`
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
