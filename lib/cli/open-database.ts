import { existsSync } from 'node:fs'
import path from 'node:path'
import { MissingTable, type SearchableItems } from '../store/item-store.ts'
import { missingOf } from '../store/make-writable.ts'
import { createMemoryItems } from '../store/memory-items.ts'
import { DEPLOYMENTS } from '../store/store.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { CommonOptions } from './options.ts'

/** Table of the embedded database; a deployment's table has the name its stack gave it. */
const EMBEDDED_TABLE = 'hourhand'

/** The database of one command, and how to leave it. */
export type Database = {
  items: SearchableItems
  /** Where it is, for people: a directory, an endpoint, AWS. */
  name: string
  table: string
  /** False where there is none: `items` is then empty, and what is written there is gone with the process. */
  isThere: boolean
  /** Whether it lies in a data directory of this machine. */
  isEmbedded: boolean
  close(): Promise<void>
}

/** Whether a command makes a database that is not there, or finds nothing. */
type Opening = { create: boolean }

/**
 * Without `--table` (or HOURHAND_TABLE) the database is the embedded one under `--data-dir`; with it, the owner's own.
 * What is only looked at is never made: neither directory nor table.
 */
export async function openDatabase(
  options: CommonOptions,
  environment: Environment,
  opening: Opening,
): Promise<Database> {
  const table = options.table ?? environment.HOURHAND_TABLE
  const endpoint = environment.HOURHAND_DYNAMODB_ENDPOINT
  return table !== undefined || endpoint !== undefined
    ? openTable(table ?? EMBEDDED_TABLE, endpoint, opening)
    : openDirectory(options.dataDir, opening)
}

async function openTable(table: string, endpoint: string | undefined, { create }: Opening): Promise<Database> {
  const { createDynamoClient, ensureTable } = await import('../store/dynamo-client.ts')
  const { createDynamoItems } = await import('../store/dynamo-items.ts')
  const client = createDynamoClient(endpoint)
  const close = async () => client.destroy()
  const items = createDynamoItems({ client, tableName: table })
  try {
    if (create && endpoint !== undefined) await ensureTable(client, table)
    const isThere = await answers(items)
    return {
      items: isThere || create ? items : createMemoryItems(),
      name: endpoint ?? 'AWS',
      table,
      isThere,
      isEmbedded: false,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function openDirectory(directory: string, { create }: Opening): Promise<Database> {
  const nothing: Database = {
    items: createMemoryItems(),
    name: directory,
    table: EMBEDDED_TABLE,
    isThere: false,
    isEmbedded: true,
    close: async () => {},
  }
  if (!create && (missingOf(directory, '--data-dir').length > 0 || !existsSync(path.join(directory, 'db'))))
    return nothing
  const { createDynamoClient, ensureTable } = await import('../store/dynamo-client.ts')
  const { createDynamoItems } = await import('../store/dynamo-items.ts')
  const { startEmbeddedDynamo } = await import('../store/embedded-dynamo.ts')
  const embedded = await startEmbeddedDynamo(directory)
  const client = createDynamoClient(embedded.endpoint)
  const close = async () => {
    client.destroy()
    await embedded.close()
  }
  try {
    if (create) await ensureTable(client, EMBEDDED_TABLE)
    const items = createDynamoItems({ client, tableName: EMBEDDED_TABLE })
    return (await answers(items)) ? { ...nothing, items, isThere: true, close } : { ...nothing, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Whether the table exists. */
async function answers(items: SearchableItems): Promise<boolean> {
  try {
    await items.get(DEPLOYMENTS, '-')
    return true
  } catch (error) {
    if (error instanceof MissingTable) return false
    throw error
  }
}
