import type { Credentials } from '../broker/coinbase/credentials.ts'
import type { World } from '../compose/compose-ports.ts'
import { venueUrlOf } from '../compose/open-venue.ts'
import { parseEnvironment, secretsIn } from '../compose/parse-environment.ts'
import { formsOfKey, readVenueCredentials } from '../compose/venue-credentials.ts'
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
 * database is the embedded one under `--data-dir`; with it, the owner's own.
 */
export async function openSession(options: CommonOptions, io: Io): Promise<Session> {
  const environment = parseEnvironment(io.env)
  const configured = await resolveConfig(options, environment)
  const started = startClock(options, configured, io)
  const market = await createMarket({ config: configured.market, clock: started.clock })
  const config = fitInterval(configured, market, io)
  const { span } = market
  // History ends where its file ends: that is its present.
  const clock = span !== null && options.at === undefined ? () => span.to : started.clock
  const venue = config.mode === 'live' ? await readVenueAccess(environment) : null
  const createTelemetry = options.json ? createJsonTelemetry : createTextTelemetry
  const telemetry = createTelemetry({
    write: (line) => io.stderr(`${line}\n`),
    clock,
    base: { strategy: config.id },
    secrets: [...secretsIn(environment), ...(venue?.secrets ?? [])],
    level: options.verbose || options.json ? 'info' : 'error',
  })
  const { items, name, table, close } = await openItems(options, environment)
  const outside = await openOutside({ environment, telemetry, dryRun: options.dryRun })
  const world: World = {
    config,
    items,
    clock,
    sleep: started.stands ? async () => {} : io.sleep,
    telemetry,
    ...outside,
    invocationId: io.newId(),
    dryRun: options.dryRun,
    market,
    ...(venue === null ? {} : { credentials: venue.credentials }),
  }
  return { config, environment, world, market, storeName: name, table, close }
}

/**
 * The clock of a run: the real one, or one that stands at `--at`. A live market has only present prices; `--at` is taken
 * there only if everything that would be asked is on this machine, and the clock then goes on from `--at`.
 */
function startClock({ at }: CommonOptions, config: StrategyConfig, io: Io): { clock: Clock; stands: boolean } {
  if (at === undefined) return { clock: io.clock, stands: false }
  const start = fromIso(at)
  if (config.market.source !== 'live') return { clock: () => start, stands: true }
  const addresses = [config.market.baseUrl, ...(config.mode === 'live' ? [venueUrlOf(config)] : [])]
  if (!addresses.every(isLoopback)) {
    throw new UsageError(
      config.mode === 'live'
        ? `--at ${at}: a clock other than the real one never meets a real venue; leave --at out, or point market.baseUrl and live.baseUrl at a test venue on 127.0.0.1`
        : `--at ${at}: a live market has only present prices; leave --at out, or choose --market sim or a candle file`,
    )
  }
  const began = io.clock()
  return { clock: () => start + io.clock() - began, stands: false }
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

const isLoopback = (url: string | null): boolean => url !== null && LOOPBACK.has(new URL(url).hostname)

/** The venue's credentials; a missing one is an error only for the command that asks for them. */
async function readVenueAccess(
  environment: Environment,
): Promise<{ credentials: () => Credentials; secrets: string[] }> {
  try {
    const found = await readVenueCredentials(environment)
    return { credentials: () => found, secrets: formsOfKey(found.privateKey) }
  } catch (error) {
    return {
      credentials: () => {
        throw error
      },
      secrets: [],
    }
  }
}

async function openItems(
  options: CommonOptions,
  environment: Environment,
): Promise<{ items: ItemStore; name: string; table: string; close(): Promise<void> }> {
  const { createDynamoClient, ensureTable } = await import('../store/dynamo-client.ts')
  const { createDynamoItems } = await import('../store/dynamo-items.ts')
  const table = options.table ?? environment.HOURHAND_TABLE
  const endpoint = environment.HOURHAND_DYNAMODB_ENDPOINT
  if (table !== undefined || endpoint !== undefined) {
    const client = createDynamoClient(endpoint)
    const tableName = table ?? EMBEDDED_TABLE
    if (endpoint !== undefined) await ensureTable(client, tableName)
    return {
      items: createDynamoItems({ client, tableName }),
      name: endpoint ?? 'AWS',
      table: tableName,
      close: async () => client.destroy(),
    }
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
  return {
    items: createDynamoItems({ client, tableName: EMBEDDED_TABLE }),
    name: options.dataDir,
    table: EMBEDDED_TABLE,
    close,
  }
}
