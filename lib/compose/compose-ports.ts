import type { Broker } from '../broker/broker.ts'
import { createPaperBroker } from '../broker/paper/paper-broker.ts'
import { withSpread } from '../broker/paper/spread.ts'
import { UsageError } from '../core/invariant.ts'
import type { Clock } from '../core/time.ts'
import type { CyclePorts, ExecutionPorts, Sleep } from '../cycle/ports.ts'
import { createDecider } from '../decision/create-decider.ts'
import { createMarket } from '../market/create-market.ts'
import type { MarketData } from '../market/market-data.ts'
import { createNewsSource } from '../news/create-news-source.ts'
import type { NewsSource } from '../news/news-source.ts'
import { requireFineBars } from '../snapshot/gather.ts'
import type { ItemStore } from '../store/item-store.ts'
import { createOverlayItems } from '../store/memory-items.ts'
import { createStore } from '../store/store.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from '../telemetry/telemetry.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

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
  /** Nothing is written, nothing placed: writes go into memory over the real store. */
  dryRun: boolean
  /** A market built already, shared between the ports of several runs. */
  market?: MarketData
}

/** The ports of enforcement and of every command that looks at or changes a strategy. */
export async function composeExecution(world: World): Promise<ExecutionPorts> {
  const { config, clock, sleep, telemetry, events, schedule } = world
  const store = createStore(world.dryRun ? createOverlayItems(world.items) : world.items, world.invocationId)
  const source = world.market ?? (await createMarket({ config: config.market, clock }))
  const market = config.mode === 'paper' ? withSpread(source, config.paper.spreadBps) : source
  const broker = createBroker({ config, market, store, clock })
  return { config, clock, sleep, store, broker, market, telemetry, events, schedule }
}

/** The ports of a decision cycle. `apiKey` is the provider's, where the decider asks one. */
export async function composeCycle(world: World, { codeVersion, apiKey }: { codeVersion: string; apiKey: string | undefined }): Promise<CyclePorts> {
  const { config, clock } = world
  const [execution, decider] = await Promise.all([
    composeExecution(world),
    createDecider({ config: config.decider, clock, ...(apiKey === undefined ? {} : { apiKey }) }),
  ])
  requireFineBars(execution.market, config)
  return { ...execution, decider, news: composeNews(config), codeVersion, isLiveEarned: false }
}

function createBroker(dependencies: { config: StrategyConfig; market: MarketData; store: ExecutionPorts['store']; clock: Clock }): Broker {
  switch (dependencies.config.mode) {
    case 'paper':
      return createPaperBroker(dependencies)
    case 'live':
      throw new UsageError('mode = "live": this version has no exchange broker yet and trades on paper only; set mode to "paper"')
    default:
      return dependencies.config.mode satisfies never
  }
}

/** Headlines only have a meaning next to a market of the same day: a simulated or recorded one gets none. */
function composeNews(config: StrategyConfig): NewsSource {
  if (config.market.source === 'live') return createNewsSource({ config: config.news })
  return { headlines: async () => ({ headlines: [], feeds: [] }) }
}
