import type { Broker } from '../venue/broker.ts'
import type { Clock } from '../core/time.ts'
import type { MarketData } from '../market/market-data.ts'
import type { Store } from '../store/store.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from '../telemetry/telemetry.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { VenueFacts } from './venue-facts.ts'

/** Waits; simulated in tests and replays. */
export type Sleep = (ms: number) => Promise<void>

/** How ledger and venue are brought together; with `act` false nothing is sent. */
export type SyncWithVenue = (ports: ExecutionPorts, start: StrategyState, options: { act: boolean }) => Promise<Sync>

export type Sync = { state: StrategyState; facts: VenueFacts; notes: string[] }

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
  /**
   * How ledger and venue are brought together, `syncWithVenue` unless given: a replay knows when that would find
   * nothing.
   */
  sync?: SyncWithVenue
}
