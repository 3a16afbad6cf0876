import { hashOf } from '../../lib/core/canonical-json.ts'
import { DECISION_SCHEMA_HASH, recordingKeyOf } from '../../lib/decision/recording-key.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { RecordedQuestion, Recording } from '../../schemas/recording.ts'

export const HELD: DecisionOutcome = {
  decision: { action: 'hold', rationale: 'No edge.' },
  decider: 'openai',
  model: 'gpt-test-2026',
  failure: null,
  attempts: [{ raw: '{"action":"hold","rationale":"No edge. é €"}', problem: null, note: null }],
  usage: { inputTokens: 1_000, outputTokens: 200, costUsd: 0.004 },
}

export const QUESTION: RecordedQuestion = {
  provider: 'openai',
  model: 'configured',
  parameters: { temperature: null, maxOutputTokens: 4_000, baseUrl: null },
  promptHash: hashOf('a prompt'),
  schemaHash: DECISION_SCHEMA_HASH,
  sample: 0,
}

/** A valid line about a question, with its own key. */
export function recordingOf(changes: Partial<RecordedQuestion> = {}, outcome: DecisionOutcome = HELD): Recording {
  const question = { ...QUESTION, ...changes }
  return { schemaVersion: 1, key: recordingKeyOf(question), ...question, outcome }
}
