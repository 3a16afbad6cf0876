import type { Broker } from '../venue/broker.ts'
import { PAPER_VENUE } from '../venue/registry.ts'
import type { Credentials } from '../venue/venue.ts'
import { withSpread } from '../venue/paper/spread.ts'
import { readOnlyBroker } from '../venue/read-only-broker.ts'
import { invariant } from '../core/invariant.ts'
import type { Clock } from '../core/time.ts'
import type { CyclePorts } from '../cycle/cycle-ports.ts'
import type { ExecutionPorts, Sleep } from '../execution/ports.ts'
import { createDecider } from '../decision/create-decider.ts'
import { liveBarriers } from '../guard/live-barrier.ts'
import type { MarketData } from '../market/market-data.ts'
import { createNewsSource } from '../news/create-news-source.ts'
import { newsOf, readHeadlines } from '../news/file-news-source.ts'
import { type NewsSource, noNews } from '../news/news-source.ts'
import { requireFineBars } from '../snapshot/gather.ts'
import type { ItemStore } from '../store/item-store.ts'
import { createOverlayItems } from '../store/memory-items.ts'
import { createStore, type Store } from '../store/store.ts'
import type { Redact } from '../telemetry/redact.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from '../telemetry/telemetry.ts'
import type { Mode } from '../../schemas/primitives.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { openMarket } from './open-market.ts'
import { credentialsRemedyOf, openVenue, requireLiveVenue } from './open-venue.ts'

/** What only a composition root knows: the outside world. */
export type World = {
  config: StrategyConfig
  items: ItemStore
  clock: Clock
  sleep: Sleep
  telemetry: Telemetry
  events: EventSink
  schedule: ScheduleSwitch
  /** Name of this invocation, unlike any other's. */
  invocationId: string
  /** Takes the secrets of this run out of words that are stored. */
  redact?: Redact
  /** Nothing is written, nothing placed: writes go into memory over the real store. */
  dryRun: boolean
  /** The venue's credentials; throws UsageError when there are none. Live mode only. */
  credentials?: () => Credentials
  /** The live venue's broker, where several runs share it; it keeps what the venue says seldom changes. */
  broker?: Broker
  /** Read the configured feeds although the market is simulated or recorded, to try them. */
  readsFeeds?: boolean
  /** A market built already, shared between the ports of several runs. */
  market?: MarketData
}

/** The strategy's memory in the mode it runs in; a dry run's writes stay in this process. */
export const openStore = (
  world: Pick<World, 'items' | 'dryRun' | 'invocationId' | 'config' | 'telemetry' | 'redact'>,
): Store => openStoreOf(world, world.config.mode)

/** The strategy's memory in a mode of choice. Items that cannot be read are named in the log, and left out of lists. */
export const openStoreOf = (
  {
    items,
    dryRun,
    invocationId,
    telemetry,
    redact,
  }: Pick<World, 'items' | 'dryRun' | 'invocationId' | 'telemetry' | 'redact'>,
  mode: Mode,
): Store =>
  createStore(dryRun ? createOverlayItems(items) : items, invocationId, mode, {
    ...(redact === undefined ? {} : { redact }),
    onSkipped: (skipped) =>
      telemetry.log('error', `stored items that cannot be read were left out: ${skipped.length}`, {
        items: skipped.slice(0, SKIPPED_NAMED).map(({ pk, sk, detail }) => `${pk} ${sk}: ${detail}`),
        ...(skipped.length > SKIPPED_NAMED ? { more: skipped.length - SKIPPED_NAMED } : {}),
      }),
  })

/** Of many that cannot be read, so many are named. */
const SKIPPED_NAMED = 5

/** The ports of enforcement and of every command that looks at or changes a strategy. */
export async function composeExecution(world: World): Promise<ExecutionPorts> {
  const { config, clock, sleep, telemetry, events, schedule } = world
  const store = openStore(world)
  const source = world.market ?? (await openMarket({ config: config.market, clock }))
  const market = config.mode === 'paper' ? withSpread(source, config.paper.spreadBps) : source
  const broker = createBroker(world, market, store)
  return { config, clock, sleep, store, broker, market, telemetry, events, schedule }
}

/** The ports of a decision cycle. `apiKey` is the provider's, where the decider asks one. */
export async function composeCycle(
  world: World,
  { codeVersion, apiKey }: { codeVersion: string; apiKey: string | undefined },
): Promise<CyclePorts> {
  const { config, clock } = world
  const [execution, news, decider] = await Promise.all([
    composeExecution(world),
    world.readsFeeds === true ? createNewsSource({ config: config.news }) : composeNews(config),
    createDecider({ config: config.decider, clock, ...(apiKey === undefined ? {} : { apiKey }) }),
  ])
  requireFineBars(execution.market, config)
  return { ...execution, decider, news, codeVersion, liveBarriers: () => askLiveBarriers(world, execution.store) }
}

/** Throws InvariantError where nothing was ever going to ask for them. */
export function credentialsOf({ credentials }: Pick<World, 'credentials'>): () => Credentials {
  invariant(credentials !== undefined, 'this run was made without access to a venue')
  return credentials
}

/** Why live trading is not earned now, from the stored clearance and the key in use. */
export async function askLiveBarriers(
  world: Pick<World, 'config' | 'clock' | 'credentials'>,
  store: Store,
): Promise<string[]> {
  const { config, clock } = world
  const stored = await store.loadClearance(config.id)
  const { credentials } = requireLiveVenue(config)
  return liveBarriers({
    config,
    clearance: stored?.clearance ?? null,
    keyFingerprint: credentials.fingerprint(credentialsOf(world)()),
    credentialsRemedy: credentialsRemedyOf(config),
    now: clock(),
  })
}

const guardDryRun = ({ dryRun }: World, broker: Broker): Broker => (dryRun ? readOnlyBroker(broker) : broker)

function createBroker(world: World, market: MarketData, store: Store): Broker {
  const { config, clock } = world
  switch (config.mode) {
    case 'paper':
      return PAPER_VENUE.openBroker({ config, market, store, clock })
    case 'live':
      return guardDryRun(world, world.broker ?? openVenue({ ...world, credentials: credentialsOf(world) }))
    default:
      return config.mode satisfies never
  }
}

/**
 * Headlines only have a meaning next to a market of the same day: a simulated one gets none, a recorded one those
 * recorded.
 */
export async function composeNews({ market, news }: Pick<StrategyConfig, 'market' | 'news'>): Promise<NewsSource> {
  if (market.source === 'live') return createNewsSource({ config: news })
  const { file } = news
  return market.source === 'sim' || file === null ? noNews : newsOf(await readHeadlines({ ...news, file }), news)
}
