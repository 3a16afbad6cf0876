/** A request as the venue takes it: `path` is below `/api/v3/brokerage/`, without query. */
export type VenueRequest = {
  method: string
  path: string
  query: Readonly<Record<string, string | readonly string[]>>
  /** Parsed JSON; null where there is none. */
  body: unknown
}

export type VenueAnswer = { status: number; text: string }

/** What the client gets to see: an answer, or a misfortune on the way. */
export type VenueReply =
  /** Complete, after `delayMs`. */
  | { kind: 'answer'; status: number; text: string; delayMs: number }
  /** Nothing reached the venue. */
  | { kind: 'refused' }
  /** The connection ends without an answer. */
  | { kind: 'dropped' }
  /** Headers and the beginning of a body, then nothing more; `text` is what came. An empty one: not even headers. */
  | { kind: 'stalled'; status: number; text: string }
  /** The connection ends inside the body; `text` is what came. */
  | { kind: 'cut'; status: number; text: string }

export const answer = (body: unknown): VenueAnswer => ({ status: 200, text: JSON.stringify(body) })

/** An error body in the form seen in public issues; the published specification has another. */
export const problem = (status: number, error: string, details: string): VenueAnswer => ({
  status,
  text: JSON.stringify({ error, error_details: details, message: details }),
})

export const invalidArgument = (details: string): VenueAnswer => problem(400, 'INVALID_ARGUMENT', details)
export const notFound = (details: string): VenueAnswer => problem(404, 'NOT_FOUND', details)

/** All values of a repeatable query key. */
export function manyOf(query: VenueRequest['query'], key: string): readonly string[] {
  const value = query[key]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

/** The first value of a query key, or null. */
export const oneOf = (query: VenueRequest['query'], key: string): string | null => manyOf(query, key)[0] ?? null

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
