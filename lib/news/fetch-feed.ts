import { FeedProblem } from './feed-problem.ts'
import { decodeWindows1252 } from './windows-1252.ts'

const MAX_REDIRECTS = 3

const HEADERS = {
  'user-agent': 'hourhand (feed reader)',
  accept:
    'application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1',
}

/**
 * The text behind a feed's address. One deadline covers everything, redirects and the last byte included;
 * `maxBytes` is counted after decompression, while it streams. Only http and https, at most three redirects.
 * Rejects with {@link FeedProblem}.
 */
export async function fetchFeed({
  url,
  timeoutMs,
  maxBytes,
}: {
  url: string
  timeoutMs: number
  maxBytes: number
}): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await follow(new URL(url), signal, MAX_REDIRECTS)
    return decodeText(await readAtMost(response, maxBytes), response.headers.get('content-type') ?? '')
  } catch (error) {
    if (error instanceof FeedProblem) throw error
    if (signal.aborted) throw new FeedProblem(`no complete answer within ${timeoutMs} ms`, { cause: error })
    throw new FeedProblem(`no answer: ${codeOf(error)}`, { cause: error })
  }
}

async function follow(url: URL, signal: AbortSignal, redirectsLeft: number): Promise<Response> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FeedProblem(`redirected to ${url.protocol} instead of http or https`)
  const response = await fetch(url.href, { signal, headers: HEADERS, redirect: 'manual' })
  if (response.ok) return response
  await response.body?.cancel()
  const location = response.headers.get('location')
  if (response.status < 300 || response.status >= 400 || location === null)
    throw new FeedProblem(`HTTP ${response.status}`)
  if (redirectsLeft === 0) throw new FeedProblem(`redirected more than ${MAX_REDIRECTS} times`)
  if (!URL.canParse(location, url.href)) throw new FeedProblem('redirected to something that is no address')
  return follow(new URL(location, url), signal, redirectsLeft - 1)
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the stream, and with it the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new FeedProblem(`more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Bytes as text: by their mark, by the header's charset, by the XML declaration; where nothing is declared,
 * UTF-8 if they are valid UTF-8 and Windows-1252 otherwise.
 */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const head = decodeWindows1252(bytes.subarray(0, 200))
  const declared =
    markOf(bytes) ??
    /charset\s*=\s*["']?([\w-]+)/i.exec(contentType)?.[1] ??
    /^[^<]*<\?xml[^>]*encoding\s*=\s*["']([\w-]+)["']/i.exec(head)?.[1]
  if (declared !== undefined && LATIN.test(declared)) return decodeWindows1252(bytes)
  const decoder = declared === undefined ? undefined : decoderFor(declared)
  if (decoder !== undefined) return decoder.decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return decodeWindows1252(bytes)
  }
}

/** Names under which browsers, too, read Windows-1252. */
const LATIN = /^(?:windows-1252|cp1252|iso-?8859-?1|latin-?1|us-ascii|ascii)$/i

function markOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return undefined
}

/** Undefined for a charset that does not exist. */
function decoderFor(label: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}

/** Node's code of a failed connection, such as ECONNREFUSED; never its message, which may carry the address. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}
