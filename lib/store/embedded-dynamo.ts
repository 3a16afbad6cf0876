import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { UsageError } from '../core/invariant.ts'

/** A running emulator: where it listens, and how to end it. */
export type EmbeddedDynamo = { endpoint: string; close(): Promise<void> }

/** How long to wait for another process to let go of the database. */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 100

/**
 * Starts DynamoDB's protocol on a loopback port, in this process, kept under `directory` (or in memory without one).
 * One process at a time may hold a directory; another waits up to ten seconds and then gives up with
 * {@link UsageError}.
 */
export async function startEmbeddedDynamo(directory?: string): Promise<EmbeddedDynamo> {
  const release = directory === undefined ? async () => {} : await lock(directory)
  try {
    const { default: dynalite } = await import('dynalite')
    const server = dynalite({ createTableMs: 0, ...(directory === undefined ? {} : { path: path.join(directory, 'db') }) })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const close = async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await release()
    }
    return { endpoint: `http://127.0.0.1:${port}`, close }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * A lock file with the holder's process id. The database has a lock of its own, but reports it only at the first
 * request and as an opaque error; a holder that was killed leaves a file behind, which is taken over.
 */
async function lock(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new UsageError(`the data directory ${directory} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}; choose another with --data-dir`, { cause })
  })
  const file = path.join(directory, 'lock')
  const ticket = path.join(directory, `lock.${process.pid}`)
  await writeFile(ticket, String(process.pid)).catch((cause: unknown) => {
    throw new UsageError(`the data directory ${directory} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}; choose another with --data-dir`, { cause })
  })
  try {
    await waitForLock(directory, ticket, file)
  } finally {
    await rm(ticket, { force: true })
  }
  return () => rm(file, { force: true })
}

async function waitForLock(directory: string, ticket: string, file: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += LOCK_RETRY_MS) {
    try {
      // A link appears with its content or not at all.
      await link(ticket, file)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) {
      await rm(file, { force: true })
      continue
    }
    if (waitedMs >= LOCK_WAIT_MS) throw new UsageError(`the data directory ${directory} is in use by process ${holder || 'unknown'}: wait for it to end, or choose another with --data-dir`)
    await new Promise((resolve) => {
      setTimeout(resolve, LOCK_RETRY_MS)
    })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
