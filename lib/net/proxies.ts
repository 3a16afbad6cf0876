import { UsageError } from '../core/invariant.ts'

/**
 * The variables by which other programs, too, are told of proxies; the lower-case name counts first, as it does for
 * curl.
 */
const NAMES = {
  http: ['http_proxy', 'HTTP_PROXY'],
  https: ['https_proxy', 'HTTPS_PROXY'],
  none: ['no_proxy', 'NO_PROXY'],
} as const

/** Which proxy takes which calls; null for none. */
export type Proxies = { readonly http: string | null; readonly https: string | null; readonly noProxy: string }

/**
 * Reads the environment. Throws {@link UsageError} naming a variable that is no address of a proxy; its value may hold
 * a password and is not shown.
 */
export function proxiesIn(variables: Readonly<Record<string, string | undefined>>): Proxies {
  const find = (names: readonly string[]): { name: string; value: string } | null => {
    const name = names.find((each) => (variables[each] ?? '') !== '')
    return name === undefined ? null : { name, value: variables[name] ?? '' }
  }
  const address = (names: readonly string[]): string | null => {
    const found = find(names)
    if (found === null) return null
    const text = found.value.includes('://') ? found.value : `http://${found.value}`
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
      throw new UsageError(`${found.name}: not the address of an HTTP proxy; write http://HOST:PORT, or unset it`)
    return text
  }
  return { http: address(NAMES.http), https: address(NAMES.https), noProxy: find(NAMES.none)?.value ?? '' }
}

/**
 * The proxy that a call to `url` goes through; null where it goes straight: `*`, a host, a domain with or without its
 * dot, each also with a port.
 */
export function proxyFor(url: URL, { http, https, noProxy }: Proxies): string | null {
  const proxy = url.protocol === 'https:' || url.protocol === 'wss:' ? https : http
  if (proxy === null) return null
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const isExempt = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((rule) => rule !== '')
    .some((rule) => {
      if (rule === '*') return true
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(rule) ?? []
      if (only !== undefined && only !== port) return false
      const domain = name.replace(/^\*?\./, '')
      return host === domain || host.endsWith(`.${domain}`)
    })
  return isExempt ? null : proxy
}
