import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { Prompt } from '../../schemas/cycle-record.ts'
import type { Quote } from '../../schemas/market.ts'
import type { PositionSide } from '../../schemas/primitives.ts'
import type { RecentPerformance, Snapshot, TimeframeView } from '../../schemas/snapshot.ts'

/** The question put to a decider: the snapshot and the prompt rendered from it. */
export type DecisionRequest = { readonly snapshot: Snapshot; readonly prompt: Prompt }

/**
 * Gives one decision. Never rejects and never hangs past its deadline: whatever goes wrong comes back as
 * `hold` with the failure recorded.
 */
export type Decider = {
  readonly name: string
  /** Whether the decider reads the prompt text; if not it is not rendered into the record's token count. */
  readonly asksModel: boolean
  decide(request: DecisionRequest): Promise<DecisionOutcome>
  /**
   * Set once it can answer no more, by its own limits or its provider's: whoever drives it through history ends the
   * run.
   */
  readonly stopped?: Error | null
  /** The same decision from less, where the decider looks at no more: for walks through history. */
  foresee?(look: DecisionLook): DecisionOutcome
}

/** The part of a snapshot that a simple decider goes by. */
export type DecisionLook = {
  readonly slot: string
  readonly view: Pick<TimeframeView, 'timeframe' | 'indicators'>
  readonly quote: Pick<Quote, 'bid' | 'ask'>
  /** Of the open position; null while flat. */
  readonly side: PositionSide | null
  /** How the strategy's own recent trades went. */
  readonly performance: () => RecentPerformance
}

export const lookOf = ({ slot, views, quote, position, performance }: Snapshot): DecisionLook => ({
  slot,
  view: views.primary,
  quote,
  side: position?.side ?? null,
  performance: () => performance,
})
