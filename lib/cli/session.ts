import type { World } from '../compose/compose-ports.ts'
import { parseEnvironment, secretsIn } from '../compose/parse-environment.ts'
import { UsageError } from '../core/invariant.ts'
import { type Clock, fromIso } from '../core/time.ts'
import { createMarket } from '../market/create-market.ts'
import type { MarketData } from '../market/market-data.ts'
import type { ItemStore } from '../store/item-store.ts'
import { createJsonTelemetry } from '../telemetry/json-telemetry.ts'
import { createTextTelemetry } from '../telemetry/text-telemetry.ts'
import { openOutside } from '../compose/open-outside.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { fitInterval } from './fit-interval.ts'
import type { Io } from './io.ts'
import { type CommonOptions, resolveConfig } from './options.ts'

/** Table of the embedded database; a deployment's table has the name its stack gave it. */
const EMBEDDED_TABLE = 'hourhand'

/** One command's outside world, and how to leave it. */
export type Session = {
  config: StrategyConfig
  environment: Environment
  world: World
  market: MarketData
  /** Where the database is, for people. */
  storeName: string
  table: string
  close(): Promise<void>
}

/**
 * Opens configuration, database, market and telemetry for one command. Without `--table` (or HOURHAND_TABLE) the
 * database is the embedded one under `--data-dir`; with it, the owner's own. `--at` stops the clock there, which a
 * live market does not allow: its prices are today's.
 */
export async function openSession(options: CommonOptions, io: Io): Promise<Session> {
  const environment = parseEnvironment(io.env)
  const configured = await resolveConfig(options, environment)
  const market = await createMarket({ config: configured.market, clock: io.clock })
  const config = fitInterval(configured, market, io)
  const clock = chooseClock(options, config, market, io)
  const createTelemetry = options.json ? createJsonTelemetry : createTextTelemetry
  const telemetry = createTelemetry({ write: (line) => io.stderr(`${line}\n`), clock, base: { strategy: config.id }, secrets: secretsIn(environment), level: options.verbose || options.json ? 'info' : 'error' })
  const { items, name, table, close } = await openItems(options, environment)
  const outside = await openOutside({ environment, telemetry, dryRun: options.dryRun })
  const world: World = { config, items, clock, sleep: options.at === undefined ? io.sleep : async () => {}, telemetry, ...outside, invocationId: io.newId(), dryRun: options.dryRun, market }
  return { config, environment, world, market, storeName: name, table, close }
}

function chooseClock(options: CommonOptions, config: StrategyConfig, market: MarketData, io: Io): Clock {
  const { span } = market
  if (options.at !== undefined) {
    if (config.market.source === 'live') throw new UsageError(`--at ${options.at}: a live market has only present prices; leave --at out, or choose --market sim or a candle file`)
    const at = fromIso(options.at)
    return () => at
  }
  // History ends where its file ends: that is its present.
  if (span !== null) return () => span.to
  return io.clock
}

async function openItems(options: CommonOptions, environment: Environment): Promise<{ items: ItemStore; name: string; table: string; close(): Promise<void> }> {
  const { createDynamoClient, ensureTable } = await import('../store/dynamo-client.ts')
  const { createDynamoItems } = await import('../store/dynamo-items.ts')
  const table = options.table ?? environment.HOURHAND_TABLE
  const endpoint = environment.HOURHAND_DYNAMODB_ENDPOINT
  if (table !== undefined || endpoint !== undefined) {
    const client = createDynamoClient(endpoint)
    const tableName = table ?? EMBEDDED_TABLE
    if (endpoint !== undefined) await ensureTable(client, tableName)
    return { items: createDynamoItems({ client, tableName }), name: endpoint ?? 'AWS', table: tableName, close: async () => client.destroy() }
  }
  const { startEmbeddedDynamo } = await import('../store/embedded-dynamo.ts')
  const embedded = await startEmbeddedDynamo(options.dataDir)
  const client = createDynamoClient(embedded.endpoint)
  const close = async () => {
    client.destroy()
    await embedded.close()
  }
  try {
    await ensureTable(client, EMBEDDED_TABLE)
  } catch (error) {
    await close()
    throw error
  }
  return { items: createDynamoItems({ client, tableName: EMBEDDED_TABLE }), name: options.dataDir, table: EMBEDDED_TABLE, close }
}
