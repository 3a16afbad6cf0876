import type { DoctorReport } from '../../../schemas/cli.ts'
import type { DecisionFailure, ModelUsage } from '../../../schemas/decision.ts'
import { apiKeyIn } from '../../compose/parse-environment.ts'
import { UsageError } from '../../core/invariant.ts'
import type { AnthropicConfig, OpenAiConfig } from '../../decision/model-decider.ts'
import { type ModelProbe, probeModel } from '../../decision/probe-model.ts'
import { amount } from '../format.ts'
import type { Session } from '../session.ts'

type Check = DoctorReport['checks'][number]

/** Whether the decider can decide: a model is asked one small question, for a fraction of a cent. */
export async function checkDecider({
  config: { decider },
  environment,
  wallClock,
}: Pick<Session, 'config' | 'environment' | 'wallClock'>): Promise<Check> {
  if (decider.kind === 'rules') return good('rules: asks no model')
  if (decider.kind === 'recorded') return good(`recorded answers of ${decider.file}`)
  const variable = decider.kind === 'openai' ? 'OPENAI_API_KEY' : 'ANTHROPIC_API_KEY'
  const apiKey = apiKeyIn(environment, decider.kind)
  if (apiKey === undefined)
    return bad(`${decider.kind}: ${variable} is not set`, `set ${variable}, or choose --decider rules`)
  try {
    return describeProbe(decider, await probeModel({ config: decider, apiKey, clock: wallClock }), variable)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return bad(error.message, 'correct the decider in the configuration')
  }
}

const good = (detail: string): Check => ({ check: 'decider', ok: true, detail, remedy: null })
const bad = (detail: string, remedy: string): Check => ({ check: 'decider', ok: false, detail, remedy })

function describeProbe(
  { kind, model, price }: OpenAiConfig | AnthropicConfig,
  { outcome, latencyMs, adaptations }: ModelProbe,
  variable: string,
): Check {
  const { failure, attempts, usage, decision } = outcome
  const parts = [
    `${kind} ${model}`,
    ...(outcome.model === null || outcome.model === model ? [] : [`the server calls it ${outcome.model}`]),
    `${amount(latencyMs, 0)} ms${attempts.length > 1 ? ` and ${attempts.length} requests` : ''}`,
    costOf(usage, price !== null),
    ...(adaptations.length === 0 ? [] : [`adapted: ${adaptations.join('; ')}`]),
    ...(failure !== null || decision.action === 'hold' ? [] : [`it was asked to hold and answered ${decision.action}`]),
  ]
  if (failure === null) return good(parts.join(', '))
  return bad(`${failure.kind}: ${failure.message} (${parts.join(', ')})`, remedyFor(failure.kind, variable))
}

function costOf({ inputTokens, outputTokens, costUsd }: ModelUsage, isPriced: boolean): string {
  const tokens =
    inputTokens + outputTokens === 0
      ? 'tokens not counted by the server'
      : `${amount(inputTokens, 0)} + ${amount(outputTokens, 0)} tokens`
  const cost =
    costUsd === null ? `cost unknown${isPriced ? '' : ' (decider.price is not set)'}` : `$${costUsd.toFixed(6)}`
  return `${tokens}, ${cost}`
}

function remedyFor(kind: DecisionFailure['kind'], variable: string): string {
  switch (kind) {
    case 'unauthorized':
      return `set ${variable} to a key that this server takes for this model`
    case 'budget':
      return "top up the account at the model's provider, or choose another model"
    case 'not_found':
      return 'correct decider.model or decider.baseUrl (many servers want it to end in /v1)'
    case 'bad_request':
      return 'correct what the server names in decider'
    case 'network':
    case 'timeout':
      return 'see that decider.baseUrl can be reached from here, or raise decider.timeoutMs'
    case 'rate_limited':
    case 'server_error':
    case 'incomplete':
      return 'try again; while it lasts no slot gets a decision, and an open position keeps its stop'
    case 'prompt_cut':
      return 'give the model a larger context at its server'
    case 'truncated':
      return 'raise decider.maxOutputTokens: models that think need several times the length of the answer'
    case 'refusal':
    case 'empty':
    case 'bad_json':
    case 'bad_schema':
    case 'missing_recording':
    case 'insufficient_data':
    case 'internal':
      return 'choose a model that gives the JSON object it is asked for'
    default:
      return kind satisfies never
  }
}
