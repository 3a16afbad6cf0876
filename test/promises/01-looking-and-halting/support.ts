import { configOf } from '../../support/instruments.ts'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCli } from '../../../lib/cli/run-cli.ts'
import { writeDeployment } from '../../../lib/compose/write-deployment.ts'
import { toIso } from '../../../lib/core/time.ts'
import { createDynamoClient, ensureTable } from '../../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../../lib/store/embedded-dynamo.ts'
import type { Item, SearchableItems } from '../../../lib/store/item-store.ts'
import { createMemoryItems } from '../../../lib/store/memory-items.ts'
import { createStore } from '../../../lib/store/store.ts'
import type { Environment } from '../../../schemas/environment.ts'
import { StrategyConfig } from '../../../schemas/strategy-config.ts'
import { createWorld } from '../../cycle/world.ts'
import { createLiveWorld, LONG, SLOT } from '../../failure-modes/live-world.ts'
import { startFakeAws } from '../../support/fake-aws.ts'
import { makeVenueKey } from '../../support/coinbase/jwt.ts'
import { startVenueServer } from '../../support/coinbase/venue-server.ts'

export const KEY = makeVenueKey({ form: 'pkcs8' })
const PLACEHOLDERS = { AWS_REGION: 'local', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }
export const KEYS = { COINBASE_API_KEY: KEY.name, COINBASE_API_SECRET: KEY.privateKeyPem.replaceAll('\n', '\\n') }
export const RULE = 'hourhand-eth-perp-cycle'

/** Every item there is, in one order: two of these are equal when nothing was written between them. */
export async function everything(items: SearchableItems): Promise<Item[]> {
  const pages = await Promise.all(
    (await items.partitions()).toSorted().map((pk) => items.query({ pk, prefix: '', limit: 1_000 })),
  )
  return pages.flatMap((page) => page.items)
}

/** A database server, a bus and a scheduler on loopback ports, and the command line before them. */
export async function createPlace() {
  const dynamo = await startEmbeddedDynamo()
  const client = createDynamoClient(dynamo.endpoint)
  const aws = await startFakeAws((call) => ({
    body: {
      FailedEntryCount: 0,
      Entries: ((call.body['Entries'] ?? []) as unknown[]).map((_entry, index) => ({ EventId: String(index) })),
    },
  }))
  const scratch = mkdtempSync(path.join(tmpdir(), 'hourhand-acting-'))
  const closing: (() => Promise<void>)[] = []
  let tables = 0
  let now = SLOT + 60_000
  return {
    aws,
    scratch,
    endpoint: dynamo.endpoint,
    /** A table of its own; empty. */
    async newTable(): Promise<{ name: string; items: SearchableItems }> {
      const name = `table-${tables++}`
      await ensureTable(client, name)
      return { name, items: createDynamoItems({ client, tableName: name }) }
    },
    itemsOf: (name: string) => createDynamoItems({ client, tableName: name }),
    setClock: (instant: number) => {
      now = instant
    },
    /** Where names of a deployment lead; no more than a stack's functions have. */
    deployed: {
      HOURHAND_CYCLE_RULE: RULE,
      HOURHAND_BUS: 'hourhand-eth-perp',
      HOURHAND_EVENTS_ENDPOINT: aws.endpoint,
    } satisfies Partial<Environment>,
    /** A live strategy with one open position on a venue behind a port, its items copied onto a table. */
    async storeLive(items: SearchableItems) {
      const world = await createLiveWorld({ decisions: [LONG] })
      await world.cycle()
      if (world.held() === 0) throw new Error('the world holds nothing')
      const server = await startVenueServer({ venue: world.venue, clock: world.time, keys: [KEY] })
      closing.push(() => server.close())
      await copy(world.items, items, server.url)
      const config = configOf(
        JSON.parse(JSON.stringify(world.config).replaceAll('"baseUrl":null', `"baseUrl":"${server.url}"`)),
      )
      return { ...world, config }
    },
    /** A paper strategy with one open position on the simulated market. */
    async storePaper(items: SearchableItems, id = 'eth-perp') {
      const inMemory = createMemoryItems()
      const market = { source: 'sim', referenceSymbol: null }
      const world = createWorld({ overrides: { id, market }, items: inMemory })
      await world.cycle()
      await copy(inMemory, items, '')
      return world
    },
    writeDown: (items: SearchableItems, config: StrategyConfig, environment: Environment = {}) =>
      writeDeployment(createStore(items, 'lambda', config.mode), {
        config,
        environment,
        codeVersion: 'test',
        writtenBy: 'lambda',
        at: toIso(now),
      }),
    async run(args: readonly string[], env: Record<string, string> = {}) {
      const out = { stdout: '', stderr: '' }
      let ids = 0
      const code = await runCli(args, {
        stdout: (text) => (out.stdout += text),
        stderr: (text) => (out.stderr += text),
        env: { ...PLACEHOLDERS, HOURHAND_DYNAMODB_ENDPOINT: dynamo.endpoint, ...env },
        clock: () => now,
        newId: () => `cli-${now}-${ids++}-${Math.floor(performance.now() * 1_000)}`,
        sleep: async (ms) => {
          now += ms
        },
      })
      return { code, ...out }
    },
    async close() {
      await Promise.all([...closing.map((close) => close()), aws.close()])
      client.destroy()
      await dynamo.close()
    },
  }
}

export type Place = Awaited<ReturnType<typeof createPlace>>

async function copy(from: SearchableItems, to: SearchableItems, url: string): Promise<void> {
  for (const item of await everything(from)) {
    const body = url === '' ? item.body : item.body.replaceAll('"baseUrl":null', `"baseUrl":"${url}"`)
    await to.put({ ...item, body }, 'none')
  }
}
