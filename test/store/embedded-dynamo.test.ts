import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CreateTableCommand, DescribeTableCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { removeDead, startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'

const TABLE = 'table'
const ITEM = { pk: { S: 'p' }, sk: { S: 's' } }
let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'hourhand-embedded-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const lockFile = (): string => path.join(directory, 'lock')
/** Names in the data directory: nothing but the database stays behind. */
const names = (): string[] => readdirSync(directory).sort()

/** A database whose tables stay in the making, as one is left by a process killed in between. */
async function makeHalf(...tables: string[]): Promise<void> {
  const { default: dynalite } = await import('dynalite')
  const server = dynalite({ path: path.join(directory, 'db'), createTableMs: 3_600_000 })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const client = createDynamoClient(`http://127.0.0.1:${address.port}`)
  for (const TableName of tables) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      }),
    )
  }
  client.destroy()
  server.closeAllConnections()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
}

describe('the database of a run that was killed', () => {
  it('while its table was being made is made anew', async () => {
    await makeHalf(TABLE)
    mkdirSync(path.join(directory, 'db.half-made'))
    const embedded = await startEmbeddedDynamo(directory)
    const client = createDynamoClient(embedded.endpoint)
    await ensureTable(client, TABLE)
    client.destroy()
    await embedded.close()
    expect(names()).toEqual(['db'])
  })

  it('is kept as soon as one of its tables answers', async () => {
    const first = await startEmbeddedDynamo(directory)
    const client = createDynamoClient(first.endpoint)
    await ensureTable(client, TABLE)
    await client.send(new PutItemCommand({ TableName: TABLE, Item: ITEM }))
    client.destroy()
    await first.close()
    await makeHalf('other')
    const again = await startEmbeddedDynamo(directory)
    const reader = createDynamoClient(again.endpoint)
    const statusOf = async (TableName: string) => (await reader.send(new DescribeTableCommand({ TableName }))).Table
    expect(await statusOf(TABLE)).toMatchObject({ TableStatus: 'ACTIVE' })
    expect((await reader.send(new GetItemCommand({ TableName: TABLE, Key: ITEM }))).Item).toEqual(ITEM)
    expect(await statusOf('other')).toMatchObject({ TableStatus: 'CREATING' })
    reader.destroy()
    await again.close()
  })
})

describe('the lock of a data directory', () => {
  const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid

  it.each([
    { what: 'a dead process', text: () => `${deadPid()} 1 1` },
    { what: 'a dead process, as written before', text: () => String(deadPid()) },
    { what: "an earlier process with this one's id", text: () => `${process.pid} 1234.5 1` },
    { what: "an earlier process with this one's id, as written before", text: () => String(process.pid) },
  ])('left by $what is taken over', async ({ text }) => {
    writeFileSync(lockFile(), text())
    const began = performance.now()
    const embedded = await startEmbeddedDynamo(directory)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(readFileSync(lockFile(), 'utf8')).toMatch(new RegExp(`^${process.pid} ${performance.timeOrigin} \\d+$`))
    await embedded.close()
    expect(names()).toEqual(['db'])
  })

  it('of a process that lives is waited for, and then refused', async () => {
    writeFileSync(lockFile(), `${process.ppid} 1 1`)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      let waitedMs = 0
      const refusals: unknown[] = []
      void startEmbeddedDynamo(directory).catch((error: unknown) => refusals.push(error))
      while (refusals.length === 0) {
        if (vi.getTimerCount() > 0) {
          vi.advanceTimersToNextTimer()
          waitedMs += 100
        }
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
      expect(refusals[0]).toBeInstanceOf(UsageError)
      expect(String(refusals[0])).toContain(`in use by process ${process.ppid}:`)
      expect(waitedMs).toBe(10_000)
    } finally {
      vi.useRealTimers()
    }
    expect(names()).toEqual(['lock'])
  })

  it('is held by one at a time in one process too, each in its turn, after a dead one', async () => {
    writeFileSync(lockFile(), `${deadPid()} 1 1`)
    let holders = 0
    const turns = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const embedded = await startEmbeddedDynamo(directory)
        holders += 1
        const seen = holders
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
        holders -= 1
        await embedded.close()
        return seen
      }),
    )
    expect(turns).toEqual([1, 1, 1, 1])
    expect(names()).toEqual(['db'])
  })

  it('is removed only as it was read: one that was taken over meanwhile stays', async () => {
    const aside = path.join(directory, 'aside')
    expect(await removeDead(lockFile(), aside, 'dead')).toBe(false)
    writeFileSync(lockFile(), 'taken')
    expect(await removeDead(lockFile(), aside, 'dead')).toBe(false)
    expect(readFileSync(lockFile(), 'utf8')).toBe('taken')
    writeFileSync(lockFile(), 'dead')
    expect(await removeDead(lockFile(), aside, 'dead')).toBe(true)
    expect([existsSync(lockFile()), existsSync(aside)]).toEqual([false, false])
  })
})
