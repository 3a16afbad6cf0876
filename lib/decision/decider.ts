import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { Prompt } from '../../schemas/cycle-record.ts'
import type { Snapshot } from '../../schemas/snapshot.ts'

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
}
