import type { Credentials } from '../venue/venue.ts'
import type { World } from '../compose/compose-ports.ts'
import { openOutside } from '../compose/open-outside.ts'
import { openMarket as openConfiguredMarket } from '../compose/open-market.ts'
import { requireLiveVenue, venueUrlOf } from '../compose/open-venue.ts'
import { secretsAmong } from '../compose/parse-environment.ts'
import { readVenueCredentials, secretsOf } from '../compose/venue-credentials.ts'
import { loadConfig } from '../config/load-config.ts'
import { invariant, UsageError } from '../core/invariant.ts'
import { type Clock, fromIso, toIso } from '../core/time.ts'
import { filesOf } from '../market/create-market.ts'
import type { MarketData } from '../market/market-data.ts'
import { SIM_END, SIM_EPOCH } from '../market/sim/sim-span.ts'
import type { Found } from '../store/inventory.ts'
import { createJsonTelemetry } from '../telemetry/json-telemetry.ts'
import { createRedactor } from '../telemetry/redact.ts'
import { createTextTelemetry } from '../telemetry/text-telemetry.ts'
import type { Target } from '../../schemas/cli.ts'
import type { Environment } from '../../schemas/environment.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { flagsOf, type Place } from './choose-stored.ts'
import { fitInterval } from './fit-interval.ts'
import type { Io } from './io.ts'
import type { Database } from './open-database.ts'
import type { CommonOptions } from './options.ts'

/** One strategy as one command acts on it. */
export type Session = {
  config: StrategyConfig
  /** False where nothing tells the configuration of what is stored: `config` then is right in id and mode only. */
  isConfigKnown: boolean
  environment: Environment
  world: World
  market: MarketData
  /** What the table knew of it; null where it is not stored there. */
  found: Found | null
  target: Target
  /** The options that name it, to be pasted after a command. */
  flags: string
  /** Whether there is a database, and whether it lies in a data directory. */
  isThere: boolean
  isEmbedded: boolean
  /** The clock on the wall, also where the run's own stands at `--at`: how long something takes. */
  wallClock: Clock
  /** Where the database is, for people. */
  storeName: string
  table: string
  /** The rule that wakes the decision cycle, and whether it could be switched; null before or without one. */
  schedule: { rule: string | null; isSwitched: boolean | null }
}

/** What a session is made of. */
export type SessionSource = {
  options: CommonOptions
  environment: Environment
  io: Io
  database: Database
  place: Place
  found: Found | null
  /** null: not known. */
  config: StrategyConfig | null
  /**
   * Without its market a command cannot begin, or meets the market's failure when it asks; without venue no keys are
   * read.
   */
  needs: { market: boolean; venue: boolean }
}

/** Opens market, telemetry and the outside world for one strategy of an open database. */
export async function openSession(source: SessionSource): Promise<Session> {
  const { options, io, database, place, found } = source
  const environment = withStored(source.environment, found)
  const configured = source.config ?? placeholderOf(found)
  const started = startClock(options, configured, io)
  const market = await openMarket(source, configured, { clock: started.clock, wallClock: io.clock })
  const config = fitInterval(configured, market, io)
  const { span } = market
  // History ends where its file ends: that is its present.
  const clock = span !== null && options.at === undefined ? () => span.to : started.clock
  const venue = config.mode === 'live' ? await readVenueAccess(config, environment, source.needs.venue) : null
  const secrets = [...secretsAmong(io.env), ...(venue?.secrets ?? [])]
  io.keepOut?.(secrets)
  const redact = createRedactor(secrets)
  const createTelemetry = options.json ? createJsonTelemetry : createTextTelemetry
  const telemetry = createTelemetry({
    write: (line) => io.stderr(`${line}\n`),
    clock,
    base: { strategy: config.id },
    secrets,
    level: options.verbose || options.json ? 'info' : 'error',
  })
  for (const note of market.notes ?? []) {
    if (options.json) telemetry.log('info', note)
    else io.stderr(`read ${note}\n`)
  }
  const schedule: Session['schedule'] = { rule: environment.HOURHAND_CYCLE_RULE ?? null, isSwitched: null }
  const outside = await openOutside({
    environment,
    telemetry,
    dryRun: options.dryRun,
    redact,
    onSwitched: (isSwitched) => {
      schedule.isSwitched = isSwitched
    },
  })
  const world: World = {
    config,
    items: database.items,
    clock,
    sleep: started.stands ? async () => {} : io.sleep,
    telemetry,
    ...outside,
    invocationId: io.newId(),
    dryRun: options.dryRun,
    redact,
    market,
    readsFeeds: options.feeds,
    ...(venue === null ? {} : { credentials: venue.credentials }),
  }
  const { isThere, isEmbedded, name: storeName, table } = database
  return {
    config,
    isConfigKnown: source.config !== null,
    environment,
    world,
    market,
    wallClock: io.clock,
    found,
    target: targetOf(config, source.config !== null, database),
    flags: flagsOf({ strategyId: config.id, mode: config.mode }, place),
    isThere,
    isEmbedded,
    storeName,
    table,
    schedule,
  }
}

/** Throws {@link UsageError} where the configuration of what is stored is not known. */
export function requireConfig({ isConfigKnown, target, found }: Session): void {
  if (isConfigKnown) return
  const why = found?.problems[0] ?? 'neither a deployment item nor a cycle tells it'
  throw new UsageError(
    `the configuration of ${target.mode} ${target.strategyId} is not known (${why}): give it with --config FILE`,
  )
}

/** Names from the environment count; what it leaves out, what runs has written down. */
function withStored(environment: Environment, found: Found | null): Environment {
  const deployment = found?.deployment ?? null
  if (deployment === null) return environment
  const given = environment.venueCredentials ?? {}
  const hasKeys = Object.keys(given).some((variable) => !variable.endsWith('_PARAMETER'))
  const { cycleRule, bus, eventsEndpoint, credentialParameters } = deployment
  const { HOURHAND_CYCLE_RULE: rule = cycleRule ?? undefined, HOURHAND_BUS: busName = bus ?? undefined } = environment
  const endpoint = environment.HOURHAND_EVENTS_ENDPOINT ?? eventsEndpoint ?? undefined
  return {
    ...environment,
    venueCredentials: { ...(hasKeys ? {} : credentialParameters), ...given },
    HOURHAND_CYCLE_RULE: rule,
    HOURHAND_BUS: busName,
    HOURHAND_EVENTS_ENDPOINT: endpoint,
  }
}

/** Id and mode of what is stored, for what needs no more. */
function placeholderOf(found: Found | null): StrategyConfig {
  invariant(found !== null, 'a session needs a configuration or something stored')
  return loadConfig({ overrides: { id: found.strategyId, mode: found.mode, market: { source: 'live' } } })
}

/** What is stored, as a command names it. */
export const targetOfFound = (found: Found, database: Database): Target =>
  targetOf(found.config ?? placeholderOf(found), found.config !== null, database)

function targetOf(config: StrategyConfig, isKnown: boolean, { table, name }: Database): Target {
  const { source, exchange, symbol } = config.market
  const prices =
    source === 'live' ? `${exchange} prices` : source === 'sim' ? 'simulated prices' : filesOf(source).join(', ')
  return {
    strategyId: config.id,
    mode: config.mode,
    venue: !isKnown ? null : config.mode === 'live' ? exchange : `paper venue on ${prices}`,
    symbol: isKnown ? symbol : null,
    table,
    store: name,
  }
}

/** First line of what a command says: what it acted on. */
export function headline({ strategyId, mode, venue, symbol, table, store }: Target, ...more: string[]): string {
  const traded = venue === null ? 'venue and symbol not known' : `${symbol} at ${venue}`
  return ['Hourhand  ' + strategyId, mode, traded, `table ${table} in ${store}`, ...more].join(' · ')
}

async function openMarket(
  { needs, config }: SessionSource,
  configured: StrategyConfig,
  clocks: { clock: Clock; wallClock: Clock },
): Promise<MarketData & { readonly notes?: readonly string[] }> {
  try {
    if (config === null) throw new UsageError(`the market of ${configured.id} is not known: give its --config FILE`)
    return await openConfiguredMarket({ config: configured.market, ...clocks })
  } catch (error) {
    if (needs.market && config !== null) throw error
    return silentMarket(error)
  }
}

/** A market that answers every question with why it could not be opened. */
function silentMarket(error: unknown): MarketData {
  const refuse = async (): Promise<never> => {
    throw error
  }
  return {
    name: 'not available',
    baseTimeframe: '1m',
    span: null,
    candles: refuse,
    quote: refuse,
    fundingRates: refuse,
    openInterest: refuse,
  }
}

/**
 * The clock of a run: the real one, or one that stands at `--at`. A live market has only present prices; `--at` is
 * taken there only if everything that would be asked is on this machine, and the clock then goes on from `--at`.
 */
function startClock({ at }: CommonOptions, config: StrategyConfig, io: Io): { clock: Clock; stands: boolean } {
  if (at === undefined) return { clock: io.clock, stands: false }
  const start = fromIso(at)
  if (config.market.source === 'sim' && (start < SIM_EPOCH || start > SIM_END))
    throw new UsageError(
      `--at ${at}: the simulated market lasts from ${toIso(SIM_EPOCH)} to ${toIso(SIM_END)}; give an instant in between`,
    )
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
  config: StrategyConfig,
  environment: Environment,
  isNeeded: boolean,
): Promise<{ credentials: () => Credentials; secrets: string[] }> {
  try {
    // What asks nothing of the venue, a halt above all, does not wait for a parameter store either.
    if (!isNeeded) throw new UsageError('this command asks nothing of the venue')
    const venue = requireLiveVenue(config)
    const found = await readVenueCredentials(venue, environment)
    return { credentials: () => found, secrets: secretsOf(venue, found) }
  } catch (error) {
    return {
      credentials: () => {
        throw error
      },
      secrets: [],
    }
  }
}
