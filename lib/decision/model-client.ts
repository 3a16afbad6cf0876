import type { DecisionFailure } from '../../schemas/decision.ts'

export type ModelMessage = { readonly role: 'user' | 'assistant'; readonly content: string }

/** One exchange put to a provider. */
export type ModelQuestion = { readonly system: string; readonly messages: readonly ModelMessage[] }

/** Tokens as the provider counted them. */
export type TokenCount = { readonly inputTokens: number; readonly outputTokens: number }

/**
 * Why an answer ended. `complete`: with an ending that is documented as good. `missing`: the server does not say how,
 * not at all or with an empty word. `length`: at the token limit. `refusal`: the model or a filter declined.
 * `rejected`: the server's own check of the JSON failed. `tool`: the model called a tool, and none was offered.
 * `incomplete`: anything else, whatever the text looks like.
 */
export type Ending = 'complete' | 'missing' | 'length' | 'refusal' | 'rejected' | 'tool' | 'incomplete'

export type ModelReply =
  /** The model spoke, or refused to. `text` is null when there is none. */
  | {
      readonly kind: 'answer'
      readonly text: string | null
      readonly stop: Ending
      /** The provider's words on an ending that is not complete, or on an answer without text. */
      readonly note: string | null
      readonly model: string | null
      readonly tokens: TokenCount | null
      /** Tokens of the question the server says it read, from a cache or not; null or 0 where it says nothing. */
      readonly promptTokens: number | null
      /** What was odd about the way the answer came, and was read all the same. */
      readonly oddities: readonly string[]
    }
  /**
   * The server does not take a part of the request; the client leaves that part out or says it otherwise from now on.
   */
  | { readonly kind: 'adapted'; readonly problem: string; readonly change: string }
  /** No answer. Only a transient failure is worth another try. */
  | {
      readonly kind: 'failure'
      readonly failure: DecisionFailure
      readonly isTransient: boolean
      readonly retryAfterMs: number | null
    }

/** One provider: makes the request, maps the answer, maps the errors. Retries nothing itself. */
export type ModelClient = {
  readonly name: string
  /** Never rejects for an expected reason; aborting `signal` ends the request and its body. */
  ask(question: ModelQuestion, signal: AbortSignal): Promise<ModelReply>
}
