import { intervalMsOf } from '../core/interval.ts'
import { cronOf } from './cycle-schedule.ts'
import type { DeployableVenue } from '../../schemas/venue.ts'
import { DEPLOYMENT_DEFAULTS, type StrategyConfig } from '../../schemas/strategy-config.ts'

/** What is deployed: a named strategy, what differs from it, and both merged. */
export type Deployment = {
  /** The named strategy. The resources bear `config.id`, which overrides may have changed. */
  readonly strategy: string
  /** Handed to the functions, which merge them over the strategy again. */
  readonly overrides: Readonly<Record<string, unknown>>
  readonly config: StrategyConfig
  /** The venue with real money that it trades at; null on paper. */
  readonly venue: DeployableVenue | null
  /** Who hears of alarms; undefined when nobody asked to. */
  readonly alarmEmail: string | undefined
}

/** A deployment with what its owner should know, or the reasons why there is none. */
export type DeploymentReading =
  { readonly deployment: Deployment; readonly warnings: readonly string[] } | { readonly refusals: readonly string[] }

/** What the reading needs from outside: CDK's context, the disk, and the strategies. */
export type DeploymentSources = {
  context: (key: string) => unknown
  /** The value of a JSON file; throws an error that names the file, the place and the remedy. */
  readJson: (file: string) => unknown
  /** The venues that live mode can trade at. */
  venues: readonly DeployableVenue[]
  /** The named strategy meant when context names none. */
  defaultStrategy: string
  loadConfig: (options: { strategy: string; overrides: unknown; origin: string }) => StrategyConfig
}

/** The words that allow real money. */
export const LIVE_CONSENT = 'yes-i-mean-it'

/**
 * Lambda takes 4096 bytes of environment in all, names included; this much of it may be configuration. The rest,
 * names of resources and parameters, stays below 700 bytes for the longest strategy id.
 */
export const MAX_CONFIG_BYTES = 3_300

/**
 * Reads the deployment from CDK's context: `strategy` (a name), `config` (path of a JSON file), `alarmEmail`,
 * `live`. What `loadConfig` throws for a bad configuration passes through.
 */
export function readDeployment({
  context,
  readJson,
  venues,
  defaultStrategy,
  loadConfig,
}: DeploymentSources): DeploymentReading {
  const strategy = textOf(context('strategy')) ?? defaultStrategy
  const file = textOf(context('config'))
  const alarmEmail = textOf(context('alarmEmail'))
  const live = textOf(context('live'))
  const read = file === undefined ? { overrides: {} } : readOverrides(file, readJson)
  if ('refusal' in read) return { refusals: [read.refusal] }
  const overrides = withDefaults(read.overrides)
  const config = loadConfig({ strategy, overrides, origin: file ?? 'configuration' })
  const venue = config.mode === 'live' ? (venues.find(({ id }) => id === config.market.exchange) ?? null) : null
  const deployment = { strategy, overrides, config, venue, alarmEmail }
  const refusals = refusalsOf(deployment, live, venues)
  return refusals.length > 0 ? { refusals } : { deployment, warnings: warningsOf(deployment) }
}

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null || value === '' ? undefined : String(value)

function readOverrides(
  file: string,
  readJson: (file: string) => unknown,
): { overrides: Record<string, unknown> } | { refusal: string } {
  let value: unknown
  try {
    value = readJson(file)
  } catch (error) {
    return { refusal: messageOf(error) }
  }
  if (isObject(value)) return { overrides: value }
  return { refusal: `context config = ${file}: expected a JSON object with strategy settings` }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function withDefaults(overrides: Record<string, unknown>): Record<string, unknown> {
  const market = overrides['market'] ?? {}
  // Anything else than an object is wrong; the schema says so better than we could.
  return isObject(market) ? { ...overrides, market: { ...DEPLOYMENT_DEFAULTS.market, ...market } } : overrides
}

/** Why this must not be deployed; empty when it may. `live` is what the person said in context. */
export function refusalsOf(
  { overrides, config, venue, alarmEmail }: Deployment,
  live: string | undefined,
  venues: readonly DeployableVenue[],
): string[] {
  const refusals: string[] = []
  const { source, exchange } = config.market
  const bytes = Buffer.byteLength(configText(overrides))
  if (config.mode === 'live' && live !== LIVE_CONSENT) {
    refusals.push(
      `mode = live: this would trade real money; if that is meant, add -c live=${LIVE_CONSENT}, otherwise set mode to "paper"`,
    )
  }
  if (config.mode === 'live' && source !== 'live')
    refusals.push(`market.source = ${source}: live mode needs the live market; set market.source to "live"`)
  if (config.mode === 'live' && venue === null) {
    const titles = venues.map(({ title }) => title).join(', ')
    const ids = venues.map(({ id }) => `"${id}"`).join(' or ')
    refusals.push(`market.exchange = ${exchange}: live mode trades at ${titles} only; set market.exchange to ${ids}`)
  }
  if (config.mode === 'paper' && live !== undefined)
    refusals.push(
      `context live = ${live}: the configuration says mode = paper; set mode to "live" or leave -c live out`,
    )
  if (source !== 'live' && source !== 'sim')
    refusals.push(`market.source = ${source}: a function has no such file; set market.source to "live" (or "sim")`)
  if (cronOf(intervalMsOf(config)) === null)
    refusals.push(
      `interval = ${config.interval}: an EventBridge schedule keeps whole minutes that divide an hour (1m to 30m) and whole hours that divide a day (1h to 1d); choose one of those, or run the strategy yourself with: hourhand run ${config.id}`,
    )
  if (config.decider.kind === 'recorded')
    refusals.push(
      `decider.kind = recorded: a function has no file of recorded answers; choose rules, openai or anthropic`,
    )
  if (bytes > MAX_CONFIG_BYTES) {
    refusals.push(
      `the configuration is ${bytes} bytes of JSON: a function's environment has room for ${MAX_CONFIG_BYTES}; leave out what equals the defaults, or name the strategy in lib/config/strategies.ts`,
    )
  }
  if (alarmEmail !== undefined && !/^[^\s@]+@[^\s@]+$/.test(alarmEmail))
    refusals.push(`context alarmEmail = ${alarmEmail}: not an e-mail address`)
  return refusals
}

function warningsOf({ config }: Deployment): string[] {
  const warnings: string[] = []
  if (config.market.source === 'sim')
    warnings.push(
      'market.source = sim: this deployment trades a simulated market, whose prices mean nothing; set market.source to "live" for the real one',
    )
  return warnings
}

/**
 * The ccxt class that a deployment needs: of its venue, or of an exchange that is read through ccxt alone; null for
 * none.
 */
export function exchangeToBundle(
  { market }: Pick<StrategyConfig, 'market'>,
  venues: readonly DeployableVenue[],
): string | null {
  const venue = venues.find(({ id }) => id === market.exchange)
  return venue === undefined ? market.exchange : venue.ccxtClass
}

/** The overrides as the functions receive them. */
export const configText = (overrides: Readonly<Record<string, unknown>>): string => JSON.stringify(overrides)
