import type { DeciderConfig } from '../../schemas/strategy-config.ts'
import type { Clock } from '../core/time.ts'
import type { Decider } from './decider.ts'
import type { ModelClient } from './model-client.ts'
import type { AnthropicConfig, ModelDeciderOptions, OpenAiConfig } from './model-decider.ts'
import { type Sleep, sleepFor } from './sleep.ts'

export type CreateDeciderOptions = {
  readonly config: DeciderConfig
  /** The key of the provider configured; unused by `rules` and `recorded`. */
  readonly apiKey?: string | undefined
  readonly clock: Clock
  readonly sleep?: Sleep
}

/**
 * The decider a configuration names. A provider's SDK is loaded only when that provider is configured: it takes a
 * good part of a cold start. Throws {@link UsageError} for a missing key, a parameter the provider refuses, or an
 * unreadable recording.
 */
export async function createDecider({
  config,
  apiKey,
  clock,
  sleep = sleepFor,
}: CreateDeciderOptions): Promise<Decider> {
  switch (config.kind) {
    case 'rules': {
      const { createRulesDecider } = await import('./rules-decider.ts')
      return createRulesDecider(config)
    }
    case 'openai': {
      const { createOpenAiDecider } = await import('./openai-decider.ts')
      return createOpenAiDecider({ config, apiKey, clock, sleep })
    }
    case 'anthropic': {
      const { createAnthropicDecider } = await import('./anthropic-decider.ts')
      return createAnthropicDecider({ config, apiKey, clock, sleep })
    }
    case 'recorded': {
      const { createRecordedDecider } = await import('./recorded-decider.ts')
      return createRecordedDecider(config)
    }
    default:
      return config satisfies never
  }
}

/**
 * The client of a configured model, without a decider around it. Throws {@link UsageError} as {@link createDecider}
 * does.
 */
export async function createModelClient({
  config,
  ...options
}: ModelDeciderOptions<OpenAiConfig | AnthropicConfig>): Promise<ModelClient> {
  if (config.kind === 'openai') return (await import('./openai-decider.ts')).createOpenAiClient({ config, ...options })
  return (await import('./anthropic-decider.ts')).createAnthropicClient({ config, ...options })
}
