import type { Broker } from '../broker/broker.ts'
import type { Clock } from '../core/time.ts'
import type { Decider } from '../decision/decider.ts'
import type { MarketData } from '../market/market-data.ts'
import type { NewsSource } from '../news/news-source.ts'
import type { Store } from '../store/store.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from '../telemetry/telemetry.ts'
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
}

/** What a decision cycle needs besides. */
export type CyclePorts = ExecutionPorts & {
  news: NewsSource
  decider: Decider
  /** Version of the running code, for the record. */
  codeVersion: string
  /** Why live trading is not earned, each reason with its remedy; asked before every judgement in live mode. */
  liveBarriers: () => Promise<readonly string[]>
}
