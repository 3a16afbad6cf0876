import { FeedProblem } from './feed-problem.ts'
import { nameBarrier, type Page } from './name-page.ts'
import { tooLarge, unpackBody } from './unpack-body.ts'
import { decodeWindows1252 } from './windows-1252.ts'

const MAX_REDIRECTS = 3
/** What is read of a page that came with an error, to see whether it says why. */
const MAX_REFUSAL_BYTES = 100_000

const HEADERS = {
  'user-agent': 'hourhand (feed reader)',
  accept:
    'application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1',
}

/**
 * What is behind a feed's address, as text. The signal's deadline covers everything, redirects and the last byte
 * included; `maxBytes` is counted after decompression, while it streams. Only http and https, at most three redirects.
 * Rejects with {@link FeedProblem}, which says what to do where something can be done, and with the signal's reason.
 */
export async function fetchFeed({
  url,
  signal,
  maxBytes,
}: {
  url: string
  signal: AbortSignal
  maxBytes: number
}): Promise<Page> {
  try {
    const { response, ...place } = await follow({ url: new URL(url), wantsCookie: false }, signal, MAX_REDIRECTS)
    const body = unpackBody(await readAtMost(response, maxBytes, tooLarge(maxBytes)), maxBytes)
    const { headers } = response
    return { ...place, headers, text: decodeText(body, headers.get('content-type') ?? '') }
  } catch (error) {
    if (error instanceof FeedProblem || signal.aborted) throw error
    throw new FeedProblem(`no answer: ${codeOf(error)}; ${remedyFor(codeOf(error))}`, { cause: error })
  }
}

type Place = { url: URL; wantsCookie: boolean }

async function follow(
  { url, wantsCookie }: Place,
  signal: AbortSignal,
  redirectsLeft: number,
): Promise<Place & { response: Response }> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FeedProblem(`redirected to ${url.protocol} instead of http or https; ${CORRECT}`)
  const response = await fetch(url.href, { signal, headers: HEADERS, redirect: 'manual' })
  if (response.ok) return { url, wantsCookie, response }
  const location = response.headers.get('location')
  if (response.status < 300 || response.status >= 400 || location === null)
    throw await refusal(response, { url, wantsCookie })
  await response.body?.cancel()
  const setsCookie = wantsCookie || response.headers.has('set-cookie')
  if (redirectsLeft === 0)
    throw new FeedProblem(
      setsCookie
        ? 'it sets a cookie and redirects in a circle until it comes back: it needs a browser; use another feed'
        : `redirected more than ${MAX_REDIRECTS} times; ${CORRECT}`,
    )
  if (!URL.canParse(location, url.href)) throw new FeedProblem(`redirected to something that is no address; ${CORRECT}`)
  return follow({ url: new URL(location, url), wantsCookie: setsCookie }, signal, redirectsLeft - 1)
}

const CORRECT = 'correct or remove it in news.feeds'

/** What a status of an error means for the owner of a feed's address. */
function remedyOfStatus(status: number): string {
  if (status === 401 || status === 402 || status === 403)
    return 'the site refuses programs or strangers; use another feed'
  if (status === 404 || status === 410) return `there is no feed at this address; ${CORRECT}`
  if (status === 429) return 'asked too often; use fewer feeds of this site'
  if (status >= 500) return `a fault of the site; if it stays so, ${CORRECT}`
  return CORRECT
}

async function refusal(response: Response, place: Place): Promise<FeedProblem> {
  const { status, headers } = response
  const text = await readAtMost(response, MAX_REFUSAL_BYTES, '')
    .then((bytes) => decodeText(unpackBody(bytes, MAX_REFUSAL_BYTES), headers.get('content-type') ?? ''))
    .catch(() => '')
  const barrier = nameBarrier({ ...place, headers, text })
  return new FeedProblem(`HTTP ${status}: ${barrier ?? remedyOfStatus(status)}`)
}

async function readAtMost(response: Response, maxBytes: number, problem: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the stream, and with it the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new FeedProblem(problem)
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

/**
 * Node's code of a failed connection, such as ECONNREFUSED, or of a body that is not compressed as its header says;
 * never the message, which may carry the address.
 */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}

function remedyFor(code: string): string {
  if (code.startsWith('Z_') || code.startsWith('ERR_') || code.includes('BROTLI'))
    return 'its body is not compressed as its header says, a fault of the site'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `its host is not known; ${CORRECT}`
  return `if it stays so, ${CORRECT}`
}
