import type { RecordedQuestion, RecordingIdentity } from '../../schemas/recording.ts'
import { hashOf } from '../core/canonical-json.ts'
import type { AnthropicConfig, OpenAiConfig } from './model-decider.ts'
import { decisionJsonSchema } from './parse-decision.ts'

/** SHA-256 of the JSON schema a model's answer has to follow. */
export const DECISION_SCHEMA_HASH = hashOf(decisionJsonSchema())

/**
 * Who is asked under a configuration. What does not shape an answer (deadline, retries, price) is not in it, nor is a
 * secret.
 */
export function identityOf({
  kind,
  model,
  temperature,
  maxOutputTokens,
  baseUrl,
}: OpenAiConfig | AnthropicConfig): RecordingIdentity {
  return {
    provider: kind,
    model,
    parameters: { temperature, maxOutputTokens, baseUrl: baseUrl === null ? null : publicUrl(baseUrl) },
  }
}

/**
 * A base URL without what may be secret or says nothing of the server: user, password, query, fragment, final slashes.
 */
export function publicUrl(text: string): string {
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname}`.replace(/(?<!\/)\/+$/, '')
}

/**
 * Key of a recorded answer: SHA-256 of the canonical JSON of provider, model, parameters, prompt, schema and sample.
 * The prompt goes in as its own hash, which covers version, system and user text byte by byte, so that a line of a
 * recording proves its key without the texts.
 */
export function recordingKeyOf({
  provider,
  model,
  parameters,
  promptHash,
  schemaHash,
  sample,
}: RecordedQuestion): string {
  const { temperature, maxOutputTokens, baseUrl } = parameters
  return hashOf({
    provider,
    model,
    parameters: { temperature, maxOutputTokens, baseUrl },
    promptHash,
    schemaHash,
    sample,
  })
}

/** `openai gpt-5.4, temperature default, at most 4000 output tokens` */
export function describeIdentity({
  provider,
  model,
  parameters: { temperature, maxOutputTokens, baseUrl },
}: RecordingIdentity): string {
  return `${provider} ${model}, temperature ${temperature ?? 'default'}, at most ${maxOutputTokens} output tokens${baseUrl === null ? '' : `, at ${baseUrl}`}`
}
