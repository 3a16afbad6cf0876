import { link, lstat, readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { DescribeTableCommand, ListTablesCommand, type TableStatus as Status } from '@aws-sdk/client-dynamodb'
import { UsageError } from '../core/invariant.ts'
import { damaged, holdsData, requireSoundDatabase } from './check-database.ts'
import { createDynamoClient } from './dynamo-client.ts'
import { makeWritable, meaningOf } from './make-writable.ts'

/** A running emulator: where it listens, and how to end it. */
export type EmbeddedDynamo = { endpoint: string; close(): Promise<void> }

type TableStatus = Status | undefined

/** How long to wait for another process to let go of the database. */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 100

/**
 * Starts DynamoDB's protocol on a loopback port, in this process, kept under `directory` (or in memory without one).
 * One process at a time may hold a directory; another waits up to ten seconds and then gives up with
 * {@link UsageError}, as it does for a damaged database. One whose maker was killed before its table answered is made
 * anew: nothing can be in it.
 */
export async function startEmbeddedDynamo(directory?: string): Promise<EmbeddedDynamo> {
  if (directory === undefined) return serve()
  const release = await lock(directory)
  const file = path.join(directory, 'db')
  let server: EmbeddedDynamo | null = null
  try {
    const hadData = holdsData(file)
    await requireSoundDatabase(directory, file)
    server = await serve(file)
    const tables = await tablesOf(server.endpoint)
    if (tables.length === 0 && hadData) throw damaged(directory, 'there was data in its files, and no table is left')
    if (isHalfMade(tables)) {
      await server.close()
      server = null
      // Renamed first: killed here, the next run finds either all of it or none.
      const remains = path.join(directory, 'db.half-made')
      await rm(remains, { recursive: true, force: true })
      await rename(file, remains)
      await rm(remains, { recursive: true, force: true })
      server = await serve(file)
    }
    const { endpoint, close } = server
    return { endpoint, close: () => close().then(release) }
  } catch (error) {
    await server?.close()
    await release()
    throw error
  }
}

async function serve(file?: string): Promise<EmbeddedDynamo> {
  const { default: dynalite } = await import('dynalite')
  const server = dynalite({ createTableMs: 0, ...(file === undefined ? {} : { path: file }) })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { endpoint: `http://127.0.0.1:${port}`, close }
}

/**
 * Whether there are tables and all of them are still being made. The emulator makes a table active some time after it
 * has noted it, and forgets to where it was killed in between; until then the table takes no items.
 */
const isHalfMade = (tables: readonly TableStatus[]): boolean =>
  tables.length > 0 && tables.every((status) => status === 'CREATING')

async function tablesOf(endpoint: string): Promise<TableStatus[]> {
  const client = createDynamoClient(endpoint)
  try {
    const { TableNames: names = [] } = await client.send(new ListTablesCommand({}))
    const tables = await Promise.all(names.map((name) => client.send(new DescribeTableCommand({ TableName: name }))))
    return tables.map(({ Table: table }) => table?.TableStatus)
  } finally {
    client.destroy()
  }
}

/** Locks that this process holds or tries to take, by the text in their files. */
const ownLocks = new Set<string>()
let lockCount = 0

/**
 * A lock file with the holder's process id, and what tells this lock from others of the same id: in a container every
 * run has the same. The database has a lock of its own, but reports it only at the first request and as an opaque
 * error; a holder that was killed leaves a file behind, which is taken over.
 */
async function lock(directory: string): Promise<() => Promise<void>> {
  makeWritable(directory, '--data-dir')
  await requireKind(path.join(directory, 'db'), 'directory')
  await requireKind(path.join(directory, 'lock'), 'file')
  const file = path.join(directory, 'lock')
  const ticket = path.join(directory, `lock.${process.pid}.${(lockCount += 1)}`)
  const text = `${process.pid} ${performance.timeOrigin} ${lockCount}`
  // One left by a killed run may still be a link to its lock: writing to it would change both.
  await rm(ticket, { force: true })
  await writeFile(ticket, text).catch((cause: unknown) => {
    throw new UsageError(
      `--data-dir ${directory} cannot be written: ${meaningOf(cause)}; choose another with --data-dir`,
      { cause },
    )
  })
  ownLocks.add(text)
  try {
    await waitForLock(directory, ticket, file)
  } catch (error) {
    ownLocks.delete(text)
    throw error
  } finally {
    await rm(ticket, { force: true })
  }
  return async () => {
    await rm(file, { force: true })
    ownLocks.delete(text)
  }
}

/** Refuses what can be no database or lock of ours: opening it could fail without a word, or wait for ever. */
async function requireKind(name: string, kind: 'directory' | 'file'): Promise<void> {
  const found = await lstat(name).catch(() => null)
  if (found === null || (kind === 'directory' ? found.isDirectory() || found.isSymbolicLink() : found.isFile())) return
  throw new UsageError(
    `--data-dir ${path.dirname(name)} is no data directory: ${name} is no ${kind}; move it away, or choose another with --data-dir`,
  )
}

async function waitForLock(directory: string, ticket: string, file: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      // A link appears with its content or not at all.
      await link(ticket, file)
      return
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    const text = await readFile(file, 'utf8').catch(() => '')
    if (isDead(text) && (await removeDead(file, `${ticket}.dead`, text))) continue
    if (waitedMs >= LOCK_WAIT_MS)
      throw new UsageError(
        `the data directory ${directory} is in use by process ${holderOf(text) || 'unknown'}: wait for it to end, or choose another with --data-dir`,
      )
    await new Promise((resolve) => {
      setTimeout(resolve, LOCK_RETRY_MS)
    })
  }
}

const holderOf = (text: string): number => Number(text.split(' ', 1)[0])

/** A lock of this process's id that it does not know of is one of an earlier process. */
function isDead(text: string): boolean {
  const holder = holderOf(text)
  return holder > 0 && (holder === process.pid ? !ownLocks.has(text) : !isAlive(holder))
}

/**
 * Removes the lock file if it still says `dead`; false where another waiter was quicker. What is moved aside can no
 * longer change, and a lock that was taken in between is put back.
 */
export async function removeDead(file: string, aside: string, dead: string): Promise<boolean> {
  try {
    await rename(file, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
  const isSame = (await readFile(aside, 'utf8')) === dead
  if (!isSame) {
    // A third may have come in between; the database's own lock then turns one of them away.
    await link(aside, file).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error
    })
  }
  await rm(aside, { force: true })
  return isSame
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
