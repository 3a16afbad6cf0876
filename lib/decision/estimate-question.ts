import type { Prompt } from '../../schemas/cycle-record.ts'
import type { ModelUsage } from '../../schemas/decision.ts'
import { estimateTokens } from '../snapshot/estimate-tokens.ts'
import type { TokenCount } from './model-client.ts'
import { decisionJsonSchema } from './parse-decision.ts'
import { type ModelPrice, costOf } from './token-cost.ts'

/** What roles and separators of a request add to its texts. */
const FRAME_TOKENS = 50
/** The words that ask for a corrected answer, with every complaint there can be. */
const CORRECTION_TOKENS = 500
/**
 * An entry with its rationale and invalidation near their limits. Models that think before they answer write several
 * times that.
 */
const TYPICAL_ANSWER_TOKENS = 400

/** What one question costs in tokens and US dollars, before it is asked. */
export type QuestionEstimate = {
  /** One short answer at once. */
  readonly typical: ModelUsage
  /** An answer of `maxOutputTokens` that cannot be used, shown again with its correction, and a second one as long. */
  readonly worst: ModelUsage
}

/**
 * Estimates a question from its bytes. Input is the prompt by `estimateTokens`, which errs on the high side, and the
 * JSON schema sent along. Requests that fail are not in it: providers do not bill them, but for some that time out.
 */
export function estimateQuestion(
  prompt: Pick<Prompt, 'system' | 'user'>,
  { maxOutputTokens, price }: { readonly maxOutputTokens: number; readonly price: ModelPrice | null },
): QuestionEstimate {
  const asked =
    estimateTokens(prompt.system) +
    estimateTokens(prompt.user) +
    estimateTokens(JSON.stringify(decisionJsonSchema())) +
    FRAME_TOKENS
  const priced = (tokens: TokenCount): ModelUsage => ({ ...tokens, costUsd: costOf(tokens, price) })
  return {
    typical: priced({ inputTokens: asked, outputTokens: Math.min(TYPICAL_ANSWER_TOKENS, maxOutputTokens) }),
    worst: priced({ inputTokens: 2 * asked + maxOutputTokens + CORRECTION_TOKENS, outputTokens: 2 * maxOutputTokens }),
  }
}
