import type { Behaviour, Received } from './scripted-server.ts'

/** How one provider says on the wire what the misbehaviour table has it say. */
export type ModelDialect = {
  readonly kind: 'openai' | 'anthropic'
  readonly envKey: string
  /** Appended to the server's URL. */
  readonly basePath: string
  readonly reportedModel: string
  /**
   * Tokens every answer claims: 1000 in, 200 out. A whole cycle's question counts to more: there a test says how many.
   */
  answer(text: string, inputTokens?: number): Behaviour
  truncated(text: string): Behaviour
  refusal(words: string): Behaviour
  /** Status 200 and a well-formed envelope without text. */
  noText: Behaviour
  error(status: number, message: string, headers?: Record<string, string>): Behaviour
  /** Words with which a server refuses a JSON schema. */
  readonly schemaRefusal: string
  /** Throws unless the request is one the provider would take; gives back its turns. */
  readRequest(received: Received): {
    readonly turns: { role: string; content: string }[]
    readonly format: 'json_schema' | 'json_object' | 'plain'
    readonly key: string
  }
}
