import type { DecisionFailure } from '../../schemas/decision.ts'

export type ModelMessage = { readonly role: 'user' | 'assistant'; readonly content: string }

/** One exchange put to a provider. */
export type ModelQuestion = { readonly system: string; readonly messages: readonly ModelMessage[] }

/** Tokens as the provider counted them. */
export type TokenCount = { readonly inputTokens: number; readonly outputTokens: number }

export type ModelReply =
  /** The model spoke, or refused to. `text` is null when there is none; `stop` says why it ended. */
  | {
      readonly kind: 'answer'
      readonly text: string | null
      readonly stop: 'complete' | 'length' | 'refusal'
      /** The provider's words on a refusal or on an answer without text. */
      readonly note: string | null
      readonly model: string | null
      readonly tokens: TokenCount | null
    }
  /** The server does not know a part of the request; the client leaves that part out from now on. At most twice in a client's life. */
  | { readonly kind: 'adapted'; readonly problem: string }
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
