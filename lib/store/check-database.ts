import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/invariant.ts'

/** A database that cannot be used. */
export const damaged = (directory: string, why: string, cause?: unknown): UsageError =>
  new UsageError(
    `the database in ${directory} is damaged: ${why}. What to do: move ${directory} away and put a backup of it in its place, or begin anew with another --data-dir; what a live strategy holds, and its stop, are at the venue: look there`,
    { cause },
  )

/**
 * Opens the database's files once and closes them again, where there are any: the emulator itself would report damage
 * only at its first request, by ending the process. Throws {@link UsageError} naming the directory.
 */
export async function requireSoundDatabase(directory: string, file: string): Promise<void> {
  if (!existsSync(file)) return
  const { ClassicLevel } = await import('classic-level')
  const database = new ClassicLevel(file)
  try {
    await database.open()
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw damaged(directory, cause instanceof Error ? cause.message : String(cause), error)
  }
  await database.close()
}

/** A table takes a few hundred bytes to make: a killed maker leaves no more behind. */
const LARGEST_EMPTY = 16_384

/**
 * Whether there is more in the files than a killed maker of the first table leaves. To be asked before they are opened.
 */
export const holdsData = (file: string): boolean =>
  existsSync(file) &&
  readdirSync(file)
    .filter((name) => /\.(?:log|ldb|sst)$/.test(name))
    .reduce((bytes, name) => bytes + statSync(path.join(file, name)).size, 0) > LARGEST_EMPTY
