import { UsageError } from '../core/invariant.ts'

/** Where an SDK is pointed: the part of the address before its own path, and what is asked with every request. */
export type Endpoint = { readonly baseURL: string; readonly query: Record<string, string> }

/** Paths that an SDK appends itself; people paste them with the rest of an address. */
const OWN_PATHS = {
  openai: /\/(?:chat\/)?completions$/i,
  anthropic: /(?:\/v1)?(?:\/messages)?$/i,
} as const

/** A base URL as people paste it: with a final slash, a query, or the full path of the endpoint. */
export function endpointOf(kind: keyof typeof OWN_PATHS, baseUrl: string): Endpoint {
  const url = new URL(baseUrl)
  if (url.username !== '' || url.password !== '')
    throw new UsageError(
      'decider.baseUrl holds a user name or a password, which no request can be made with: take them out, and give the key in the environment',
    )
  const path = withoutSlash(url.pathname).replace(OWN_PATHS[kind], '')
  return {
    baseURL: `${url.protocol}//${url.host}${withoutSlash(path)}`,
    query: Object.fromEntries(url.searchParams),
  }
}

const withoutSlash = (path: string): string => {
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}
