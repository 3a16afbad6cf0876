import type { z } from 'zod'
import { BrokerError } from '../broker.ts'
import type { WireRequest } from './wire.ts'

/** A question without side effects, and what its answer looks like. */
export type Question<T> = { request: WireRequest; answer: z.ZodType<T> }

type Query = WireRequest['query']

/** A signed GET. `variables` fill the names in braces. */
export const signedGet = (
  endpoint: string,
  variables: Readonly<Record<string, string>> = {},
  query: Query = {},
): WireRequest => ({
  method: 'GET',
  endpoint,
  path: fillIn(endpoint, variables),
  variables,
  query,
  body: null,
  isSigned: true,
})

/** A GET that needs no key. */
export const publicGet = (endpoint: string): WireRequest => ({ ...signedGet(endpoint), isSigned: false })

/** A signed POST. */
export const signedPost = (endpoint: string, body: Readonly<Record<string, unknown>>): WireRequest => ({
  ...signedGet(endpoint),
  method: 'POST',
  body,
})

/** Nothing is escaped in a path, so nothing may need it: ids are letters, digits, dots, dashes and underscores. */
function fillIn(endpoint: string, variables: Readonly<Record<string, string>>): string {
  return endpoint.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = variables[name]
    if (value === undefined || !/^\w[\w.-]*$/.test(value))
      throw new BrokerError(`${endpoint}: ${JSON.stringify(value)} cannot be a ${name}`)
    return value
  })
}
