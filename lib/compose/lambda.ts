import type { Credentials } from '../venue/venue.ts'
import { loadConfig } from '../config/load-config.ts'
import { DEFAULT_STRATEGY } from '../config/strategies.ts'
import { describeIssues } from '../config/describe-issues.ts'
import { UsageError } from '../core/invariant.ts'
import { type Clock, fromIso, toIso } from '../core/time.ts'
import { VERSION } from '../core/version.ts'
import { parseJsonText } from '../files/parse-json.ts'
import type { Sleep } from '../execution/ports.ts'
import { installProxies } from '../net/proxy.ts'
import { createDynamoClient, ensureTable } from '../store/dynamo-client.ts'
import { createDynamoItems } from '../store/dynamo-items.ts'
import { createEmfTelemetry } from '../telemetry/emf-telemetry.ts'
import { createJsonTelemetry } from '../telemetry/json-telemetry.ts'
import { createRedactor, type Redact } from '../telemetry/redact.ts'
import { redactError } from '../telemetry/redact-error.ts'
import { readSecureParameter } from '../telemetry/secrets.ts'
import type { Environment } from '../../schemas/environment.ts'
import { InvocationEvent } from '../../schemas/event.ts'
import type { DeciderConfig, StrategyConfig } from '../../schemas/strategy-config.ts'
import { openStoreOf, type World } from './compose-ports.ts'
import { openOutside } from './open-outside.ts'
import { openMarket } from './open-market.ts'
import { openVenue, requireLiveVenue } from './open-venue.ts'
import { apiKeyIn, parseEnvironment, secretsAmong } from './parse-environment.ts'
import { readVenueCredentials, secretsOf } from './venue-credentials.ts'
import { writeDeployment } from './write-deployment.ts'

/** The process a handler runs in. */
export type Runtime = {
  variables: Readonly<Record<string, string | undefined>>
  write: (line: string) => void
  clock: Clock
  sleep: Sleep
  /** A name never given before, for each invocation. */
  newId: () => string
}

/** One invocation: what was asked for, and the world to do it in. */
export type Invocation = { world: World; apiKey: string | undefined; codeVersion: string; scheduledFor: number }

/**
 * Makes a handler. What can be built once per cold start (configuration, clients, market) is, at the first
 * invocation, so that a wrong configuration fails that invocation and rings its alarm. The clock is read anew each
 * time. `work` rejecting is the function failing: the error is logged and passed on.
 */
export function createHandler<T>(
  runtime: Runtime,
  { asksModel }: { asksModel: boolean },
  work: (invocation: Invocation) => Promise<T>,
): (event: unknown) => Promise<T> {
  let opened: ReturnType<typeof openServices> | null = null
  let isWrittenDown = false
  /** Filled as they are read: what fails after that is told without them. */
  const secrets = secretsAmong(runtime.variables)
  return async (event) => {
    opened ??= openServices(runtime, asksModel, secrets)
    const services = await opened.catch((error: unknown) => {
      // The next invocation tries again: a parameter may have been put right meanwhile.
      opened = null
      const clean = redactError(error, createRedactor(secrets))
      runtime.write(JSON.stringify({ level: 'error', message: 'the function could not start', error: clean.message }))
      throw clean
    })
    const { environment, world, apiKey, codeVersion } = services
    try {
      const request = parseInvocation(event, world.config.id)
      const outside = await openOutside({
        environment,
        telemetry: world.telemetry,
        dryRun: request.dryRun,
        redact: world.redact,
      })
      const invoked = { ...world, ...outside, invocationId: runtime.newId(), dryRun: request.dryRun }
      if (!isWrittenDown && !request.dryRun) isWrittenDown = await writeDown(invoked, environment, codeVersion)
      return await work({
        apiKey,
        codeVersion,
        scheduledFor: request.scheduledFor ?? runtime.clock(),
        world: invoked,
      })
    } catch (error) {
      world.telemetry.log('error', 'invocation failed', { error })
      // The platform logs it, and keeps it with the dead letter.
      throw redactError(error, world.redact)
    }
  }
}

/**
 * Once in a cold start: what runs on the table is written there, for the commands of its owner. A table that does not
 * take it keeps nobody from enforcing; the next invocation tries again.
 */
async function writeDown(world: World, environment: Environment, codeVersion: string): Promise<boolean> {
  const { config, clock, telemetry } = world
  try {
    const running = { config, environment, codeVersion, writtenBy: 'lambda', at: toIso(clock()) } as const
    await writeDeployment(openStoreOf(world, config.mode), running)
    return true
  } catch (error) {
    telemetry.log('error', 'the deployment item could not be written: commands do not know what runs here', { error })
    return false
  }
}

async function openServices(
  { variables, write, clock, sleep }: Runtime,
  asksModel: boolean,
  secrets: string[],
): Promise<{
  environment: Environment
  apiKey: string | undefined
  world: Omit<World, 'events' | 'schedule' | 'invocationId' | 'dryRun'> & { redact: Redact }
  codeVersion: string
}> {
  await installProxies(variables)
  const environment = parseEnvironment(variables)
  const overrides =
    environment.HOURHAND_CONFIG === undefined ? {} : parseJsonText(environment.HOURHAND_CONFIG, 'HOURHAND_CONFIG')
  const config = loadConfig({
    strategy: environment.HOURHAND_STRATEGY ?? DEFAULT_STRATEGY,
    overrides,
    origin: 'HOURHAND_CONFIG',
  })
  const tableName = environment.HOURHAND_TABLE
  if (tableName === undefined)
    throw new UsageError('HOURHAND_TABLE is not set: a function needs the name of its DynamoDB table')
  const endpoint = environment.HOURHAND_DYNAMODB_ENDPOINT
  const client = createDynamoClient(endpoint)
  if (endpoint !== undefined) await ensureTable(client, tableName)
  // Known before the first line is logged: a key that came from SSM is kept out of all that is said like any other.
  const [apiKey, venue] = await Promise.all([
    asksModel
      ? readApiKey(environment, config.decider.kind).then((key) => {
          if (key !== undefined) secrets.push(key)
          return key
        })
      : undefined,
    config.mode === 'live' ? readLiveAccess(environment, config, secrets) : null,
  ])
  const redact = createRedactor(secrets)
  const log = createJsonTelemetry({ write, clock, base: { strategy: config.id }, secrets })
  const telemetry = createEmfTelemetry({ log, write, clock, strategyId: config.id })
  const market = await openMarket({ config: config.market, clock })
  const access =
    venue === null
      ? {}
      : { credentials: () => venue, broker: openVenue({ config, credentials: () => venue, clock, sleep, telemetry }) }
  return {
    environment,
    apiKey,
    codeVersion: environment.HOURHAND_VERSION ?? VERSION,
    world: {
      config,
      items: createDynamoItems({ client, tableName }),
      clock,
      sleep,
      telemetry,
      market,
      redact,
      ...access,
    },
  }
}

/** What live trading needs of configuration and environment, checked before anything runs. */
async function readLiveAccess(
  environment: Environment,
  config: StrategyConfig,
  secrets: string[],
): Promise<Credentials> {
  const venue = requireLiveVenue(config)
  const credentials = await readVenueCredentials(venue, environment)
  secrets.push(...secretsOf(venue, credentials))
  return venue.credentials.parse(credentials)
}

/** A deployment keeps keys in SSM and gives their names; elsewhere they may be in the environment themselves. */
async function readApiKey(environment: Environment, kind: DeciderConfig['kind']): Promise<string | undefined> {
  if (kind !== 'openai' && kind !== 'anthropic') return undefined
  const parameter = kind === 'openai' ? environment.OPENAI_API_KEY_PARAMETER : environment.ANTHROPIC_API_KEY_PARAMETER
  return parameter === undefined ? apiKeyIn(environment, kind) : readSecureParameter({ name: parameter })
}

/** Parses a rule's event or a person's own. Throws {@link UsageError} naming what is wrong. */
export function parseInvocation(event: unknown, strategyId: string): { dryRun: boolean; scheduledFor: number | null } {
  const parsed = InvocationEvent.safeParse(event)
  if (!parsed.success) throw new UsageError(describeIssues('event', parsed.error, event))
  if ('source' in parsed.data) return { dryRun: false, scheduledFor: fromIso(parsed.data.time) }
  const { strategy, dryRun, at } = parsed.data
  if (strategy !== undefined && strategy !== strategyId)
    throw new UsageError(
      `event: strategy = ${strategy}: this function runs ${strategyId}; invoke the one of that strategy`,
    )
  return { dryRun, scheduledFor: at === undefined ? null : fromIso(at) }
}
