import type { Decider } from '../decision/decider.ts'
import type { ExecutionPorts } from '../execution/ports.ts'
import type { ViewBuilder } from '../indicators/incremental-views.ts'
import type { NewsSource } from '../news/news-source.ts'

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
