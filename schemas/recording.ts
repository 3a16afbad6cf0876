import { z } from 'zod'
import { DecisionOutcome, type DecisionFailure } from './decision.ts'

/**
 * Failures that are the model's own doing. An outage, a refused key or a spent quota is nobody's decision and is not
 * recorded.
 */
export const MODEL_FAILURES = [
  'refusal',
  'truncated',
  'empty',
  'bad_json',
  'bad_schema',
] as const satisfies readonly DecisionFailure['kind'][]

const hash = z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256 in lower-case hexadecimal' })

/** Settings beside the model's name that shape its answer. */
export const RecordingParameters = z.strictObject({
  /** null: the provider's default. */
  temperature: z.number().nullable(),
  maxOutputTokens: z.int().positive(),
  /** Without credentials, query and final slash; null: the provider's own. */
  baseUrl: z.string().min(1).nullable(),
})

/** Who was asked. */
export const RecordingIdentity = z.strictObject({
  provider: z.enum(['openai', 'anthropic']),
  /** As configured; what the provider reported is in the outcome. */
  model: z.string().min(1),
  parameters: RecordingParameters,
})
export type RecordingIdentity = z.infer<typeof RecordingIdentity>

/** Who was asked what, for the how-manieth time. Equal questions have equal keys, on any machine. */
export const RecordedQuestion = RecordingIdentity.extend({
  /** SHA-256 over version, system and user text of the prompt. */
  promptHash: hash,
  /** SHA-256 of the JSON schema that the answer was to follow. */
  schemaHash: hash,
  /** 0, 1, 2...: repeated samples of one question. */
  sample: z.int().nonnegative(),
})
export type RecordedQuestion = z.infer<typeof RecordedQuestion>

/**
 * One line of a recording (JSON Lines): a question's key, the question but for its words, and what the model made of
 * it.
 */
export const Recording = z.strictObject({
  schemaVersion: z.literal(1),
  key: hash,
  ...RecordedQuestion.shape,
  outcome: DecisionOutcome.refine(
    ({ failure }) => failure === null || MODEL_FAILURES.some((kind) => kind === failure.kind),
    { path: ['failure', 'kind'], error: 'not an answer of a model' },
  ),
})
export type Recording = z.infer<typeof Recording>

/**
 * A line of somebody else's making: an answer to a prompt, and nothing about who was asked how. Other keys are theirs.
 */
export const PlainRecording = z.looseObject({
  promptHash: z.string().min(1),
  raw: z.string(),
  /** Who answered, where the line says so. */
  model: z.string().nullish().catch(null),
})
export type PlainRecording = z.infer<typeof PlainRecording>
