import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { UsageError } from '../core/invariant.ts'
import { jsonOf } from '../core/parse-json.ts'
import { kindOf } from './read-file.ts'

/** Files that systems and version control put into every directory. */
const EVERYWHERE: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', '.gitignore', '.gitkeep'])

/** Names in a directory, without what is in every one; none where there is no directory. */
export const namesIn = (directory: string): string[] =>
  existsSync(directory) && statSync(directory).isDirectory()
    ? readdirSync(directory).filter((name) => !EVERYWHERE.has(name))
    : []

/** What was written into a directory the last time, by content: what has changed since is somebody else's. */
const Written = z.strictObject({ of: z.string(), files: z.record(z.string(), z.string()) })
const LEDGER = '.hourhand-written.json'

const hashOf = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * Writes files into a directory without taking away what is not ours: one that is there already is replaced only if it
 * is as we left it the last time and of the same thing, or if `force` says so. The directory is there. Throws {@link
 * UsageError} naming those in the way, before anything is written.
 */
export function writeKept(
  directory: string,
  option: string,
  { of, files, force }: { of: string; files: Readonly<Record<string, string>>; force: boolean },
): void {
  const present = new Set(namesIn(directory))
  const ledger = readLedger(path.join(directory, LEDGER))
  const isOurs = (name: string, text: string): boolean => {
    const file = path.join(directory, name)
    if (kindOf(statSync(file)) !== 'file') return false
    const found = hashOf(readFileSync(file))
    return found === hashOf(text) || (ledger?.of === of && ledger.files[name] === found)
  }
  const inTheWay = Object.entries(files).flatMap(([name, text]) =>
    present.has(name) && !isOurs(name, text) ? [name] : [],
  )
  if (inTheWay.length > 0 && !force)
    throw new UsageError(
      `${option} ${directory}: ${inTheWay.join(', ')} ${inTheWay.length === 1 ? 'is' : 'are'} there already, of something else or changed by hand since; give another directory, or add --force to overwrite`,
    )
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text)
  const hashes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, hashOf(text)]))
  writeFileSync(
    path.join(directory, LEDGER),
    `${JSON.stringify({ of, files: hashes } satisfies z.infer<typeof Written>)}\n`,
  )
}

function readLedger(file: string): z.infer<typeof Written> | null {
  if (!existsSync(file) || kindOf(statSync(file)) !== 'file') return null
  const parsed = Written.safeParse(jsonOf(readFileSync(file, 'utf8')))
  return parsed.success ? parsed.data : null
}
