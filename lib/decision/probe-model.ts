import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { Clock } from '../core/time.ts'
import { askModel } from './ask-model.ts'
import { createModelClient } from './create-decider.ts'
import { type AnthropicConfig, type OpenAiConfig, secretsOf } from './model-decider.ts'
import { promptHashOf } from './prompt.ts'
import { sleepFor } from './sleep.ts'

/** What one small question shows of a model. */
export type ModelProbe = {
  readonly outcome: DecisionOutcome
  /** From the question to the answer, with everything that had to be tried. */
  readonly latencyMs: number
  /** What had to be asked or read otherwise than it was meant. */
  readonly adaptations: readonly string[]
}

const QUESTION = {
  version: 'probe',
  system: `You are asked whether you can be reached. Answer with exactly one JSON object and nothing else, with exactly these keys:
{"action": "open_long" | "open_short" | "close" | "hold",
 "stopLossPrice": number | null, "takeProfitPrice": number | null,
 "confidence": number | null, "invalidation": string | null, "rationale": string}`,
  user: 'There is no market to judge. The action is "hold", the rationale is "ready", and every other key is null.',
}

/**
 * Asks the configured model one small question by the way of every decision: same request, same reading, same retries.
 * Never rejects but with {@link UsageError} for settings that no question can be asked with.
 */
export async function probeModel({
  config,
  apiKey,
  clock,
}: {
  config: OpenAiConfig | AnthropicConfig
  apiKey: string | undefined
  clock: Clock
}): Promise<ModelProbe> {
  const { model, timeoutMs, maxRetries, price, baseUrl } = config
  const client = await createModelClient({ config, apiKey, clock, sleep: sleepFor })
  const askedAt = clock()
  const outcome = await askModel(
    { ...QUESTION, hash: promptHashOf(QUESTION) },
    { client, model, timeoutMs, maxRetries, price, secrets: secretsOf(baseUrl, apiKey), clock, sleep: sleepFor },
  )
  const notes = outcome.attempts.flatMap(({ note }) => (note === null ? [] : [note]))
  return { outcome, latencyMs: clock() - askedAt, adaptations: [...new Set(notes)] }
}
