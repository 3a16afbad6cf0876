import type { Broker } from '../broker/broker.ts'
import type { Clock } from '../core/time.ts'
import type { Decider } from '../decision/decider.ts'
import type { ViewBuilder } from '../indicators/incremental-views.ts'
import type { MarketData } from '../market/market-data.ts'
import type { NewsSource } from '../news/news-source.ts'
import type { Store } from '../store/store.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from '../telemetry/telemetry.ts'
import type { SyncWithVenue } from './sync-with-venue.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Waits; simulated in tests and replays. */
export type Sleep = (ms: number) => Promise<void>

/** Everything enforcement touches. */
export type ExecutionPorts = {
  config: StrategyConfig
  clock: Clock
  sleep: Sleep
  store: Store
  broker: Broker
  market: MarketData
  telemetry: Telemetry
  events: EventSink
  schedule: ScheduleSwitch
  /** How ledger and venue are brought together, {@link syncWithVenue} unless given: a replay knows when that would find nothing. */
  sync?: SyncWithVenue
}

/** What a decision cycle needs besides. */
export type CyclePorts = ExecutionPorts & {
  news: NewsSource
  decider: Decider
  /** Version of the running code, for the record. */
  codeVersion: string
  /** Why live trading is not earned, each reason with its remedy; asked before every judgement in live mode. */
  liveBarriers: () => Promise<readonly string[]>
  /** How indicator views are computed; a walk through history carries them forward. The result is the same. */
  buildView?: ViewBuilder
  /** Leaves out of records what can be had again from them: the prompt of a decider that asks no model. */
  isLean?: boolean
}
