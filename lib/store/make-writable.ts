import { mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/invariant.ts'

/** What the system's codes mean to a person. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'there is no permission to write there',
  EPERM: 'there is no permission to write there',
  EROFS: 'the file system there can only be read',
  ENOENT: 'the file system there takes no new directories',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'it is a link that leads to itself',
  EEXIST: 'a file of that name, or a link to nothing, is in the way',
}

/** A failure of the file system in words, with its code. */
export function meaningOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const meaning = MEANINGS[code]
  return meaning === undefined ? (error instanceof Error ? error.message : String(error)) : `${meaning} (${code})`
}

/**
 * Makes a directory, and those above it, that can be written to. Throws {@link UsageError} naming `option`, the path
 * and what is in the way, before any work is done whose result would have no place.
 */
export function makeWritable(directory: string, option: string): void {
  makeDirectory(directory, option)
  try {
    rmdirSync(mkdtempSync(path.join(directory, '.writable-')))
  } catch (cause) {
    throw new UsageError(
      `${option} ${directory} cannot be written: ${meaningOf(cause)}; choose another with ${option}`,
      { cause },
    )
  }
}

/**
 * Directories are made one after the other: Node's own recursive way never ends where a file system denies that a
 * directory could be made in one that exists, as /proc does.
 */
function makeDirectory(directory: string, option: string): void {
  for (const at of missingOf(directory, option)) {
    try {
      mkdirSync(at)
    } catch (error) {
      // Somebody else may have made it in between.
      if (look(at, refusal(directory, option)) !== 'directory') refusal(directory, option)(meaningOf(error), error)
    }
  }
}

/**
 * The directories that would have to be made, outermost first; none where it is there. Throws {@link UsageError} where
 * it is no directory or lies below something that is none.
 */
export function missingOf(directory: string, option: string): string[] {
  const refuse = refusal(directory, option)
  const missing: string[] = []
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    const found = look(at, refuse)
    if (found === 'other') refuse(at === path.resolve(directory) ? 'it is no directory' : `${at} is no directory`)
    if (found === 'directory') return missing
    missing.unshift(at)
    if (at === path.dirname(at)) refuse(`${at} does not exist`)
  }
}

type Refuse = (reason: string, cause?: unknown) => never

const refusal =
  (directory: string, option: string): Refuse =>
  (reason, cause) => {
    throw new UsageError(`${option} ${directory} cannot be made: ${reason}; choose another with ${option}`, { cause })
  }

function look(at: string, refuse: Refuse): 'directory' | 'other' | 'missing' {
  try {
    return statSync(at).isDirectory() ? 'directory' : 'other'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // Below a file nothing can be: the walk upwards meets that file.
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing'
    return refuse(meaningOf(error), error)
  }
}
