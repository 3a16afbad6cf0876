import type { DecisionFailure, DecisionOutcome } from '../../schemas/decision.ts'

/** Longest part of a message quoted in the rationale, which the schema limits to 800 characters. */
const MAX_QUOTED_CHARACTERS = 700

/** The fallback every failure ends in: hold, with the reason in both places where a reader looks. */
export function holdBecause(
  kind: DecisionFailure['kind'],
  message: string,
): Pick<DecisionOutcome, 'decision' | 'failure'> {
  return {
    decision: { action: 'hold', rationale: `No decision (${kind}): ${message.slice(0, MAX_QUOTED_CHARACTERS)}`.trim() },
    failure: { kind, message },
  }
}
