import type { TokenCount } from './model-client.ts'

/** US dollars per million tokens. */
export type ModelPrice = { readonly inputPerMillion: number; readonly outputPerMillion: number }

/** US dollars for so many tokens; null where the model has no price. */
export function costOf({ inputTokens, outputTokens }: TokenCount, price: ModelPrice | null): number | null {
  return price === null ? null : (inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion) / 1e6
}
