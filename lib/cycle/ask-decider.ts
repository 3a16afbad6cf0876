import type { Decider, DecisionRequest } from '../decision/decider.ts'
import { holdBecause } from '../decision/hold-because.ts'
import { positionOf } from '../ledger/accounting.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { DecisionFailure, DecisionOutcome } from '../../schemas/decision.ts'
import type { Phase } from '../../schemas/state.ts'

/**
 * One answer, or what kept it from being given: a decider that throws against its promise has failed like any other.
 */
export async function askDecider(
  decider: Decider,
  request: DecisionRequest,
  telemetry: Telemetry,
): Promise<DecisionOutcome> {
  try {
    return await decider.decide(request)
  } catch (error) {
    telemetry.log('error', 'the decider threw', { cycleId: request.snapshot.cycleId, error })
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return {
      decider: decider.name,
      model: null,
      attempts: [],
      usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
      ...holdBecause('internal', message),
    }
  }
}

/** Why a cycle failed whose decider did, and what that means for what is held. */
export function describeDeciderFailure({ kind, message }: DecisionFailure, phase: Phase): string {
  const held = positionOf(phase) === null ? '' : '; the open position keeps its stop and its target'
  return `${kind}: ${message}; nothing was decided${held}`
}
