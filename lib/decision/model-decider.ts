import type { DeciderConfig } from '../../schemas/strategy-config.ts'
import { UsageError } from '../core/invariant.ts'
import type { Clock } from '../core/time.ts'
import { askModel } from './ask-model.ts'
import type { Decider } from './decider.ts'
import type { ModelClient } from './model-client.ts'
import type { Sleep } from './sleep.ts'

export type OpenAiConfig = Extract<DeciderConfig, { kind: 'openai' }>
export type AnthropicConfig = Extract<DeciderConfig, { kind: 'anthropic' }>

/** What a model decider is given by its composition root. */
export type ModelDeciderOptions<Config> = {
  readonly config: Config
  readonly apiKey: string | undefined
  readonly clock: Clock
  readonly sleep: Sleep
}

/** The key, trimmed. Throws {@link UsageError} naming `variable` where there is none. */
export function requireKey(kind: string, apiKey: string | undefined, variable: string): string {
  const key = apiKey?.trim() ?? ''
  if (key !== '') return key
  throw new UsageError(
    `decider.kind is "${kind}" but there is no API key: set ${variable} (a local server that needs none takes any text), or choose another decider such as "rules"`,
  )
}

/** A {@link Decider} over one provider's client. */
export function deciderOver(
  client: ModelClient,
  options: ModelDeciderOptions<OpenAiConfig | AnthropicConfig>,
): Decider {
  const { config, clock, sleep } = options
  const { model, timeoutMs, maxRetries, price } = config
  const secrets = secretsOf(config.baseUrl, options.apiKey)
  return {
    name: client.name,
    asksModel: true,
    decide: ({ prompt }) => askModel(prompt, { client, model, timeoutMs, maxRetries, price, secrets, clock, sleep }),
  }
}

/** What no record may show: the key, and what the query of the base URL holds, which is a key with some gateways. */
export function secretsOf(baseUrl: string | null, apiKey: string | undefined): string[] {
  const key = apiKey?.trim() ?? ''
  return [...(key === '' ? [] : [key]), ...(baseUrl === null ? [] : new URL(baseUrl).searchParams.values())]
}
