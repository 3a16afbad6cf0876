import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export type FakeItem = { title: string; link?: string; pubDate?: string }

/** An RSS document. Titles go in as they are: escape them, or not, to taste. */
export const rssOf = (items: readonly FakeItem[]): string =>
  `<?xml version="1.0"?><rss version="2.0"><channel><title>Fake</title>${items
    .map(
      ({ title, link, pubDate }) =>
        `<item><title>${title}</title>${link === undefined ? '' : `<link>${link}</link>`}${pubDate === undefined ? '' : `<pubDate>${pubDate}</pubDate>`}</item>`,
    )
    .join('')}</channel></rss>`

type Answer = (response: ServerResponse, path: string) => void

const send =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/rss+xml', ...headers }).end(body)
  }

/** Writes until the reader hangs up. */
const endless =
  (chunk: Buffer, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(200, headers)
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', write)
    }
    write()
  }

const HALF = rssOf([{ title: 'A headline that arrives' }]).slice(0, 90)

/** A hundred million blanks in a hundred kilobytes. */
const BOMB = gzipSync(Buffer.alloc(100_000_000, ' '))

/** Everything that can go wrong with a feed, by path. */
const MISBEHAVIOUR: Record<string, Answer> = {
  '/silent': () => {},
  '/stalled': (response) => void response.writeHead(200, { 'content-type': 'application/rss+xml' }).write(HALF),
  '/dripping': (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  },
  '/huge': endless(Buffer.alloc(65_536, 'x')),
  '/bomb': send(200, BOMB, { 'content-encoding': 'gzip' }),
  '/bad-gzip': send(200, 'this is not gzip', { 'content-encoding': 'gzip' }),
  '/cut-off': (response) => {
    response.writeHead(200, { 'content-length': '10000' }).write(HALF)
    setTimeout(() => response.destroy(), 10)
  },
  '/hang-up': (response) => void response.destroy(),
  '/empty': send(200, ''),
  '/blank': send(200, ' \n '),
  '/no-items': send(200, rssOf([])),
  '/truncated-xml': send(200, HALF),
  '/malformed': send(200, '<rss version="2.0"><channel><item><title>x</item></channel></rss>'),
  '/html': send(
    200,
    '<!doctype html><html><head><title>Consent</title></head><body><p>We value your privacy</body></html>',
    { 'content-type': 'text/html' },
  ),
  '/json': send(200, '{"error":"gone"}', { 'content-type': 'application/json' }),
  '/not-found': send(404, 'not found'),
  '/broken': send(500, rssOf([{ title: 'A headline that must not be read' }])),
  '/loop': send(302, '', { location: '/loop' }),
  '/to-file': send(302, '', { location: 'file:///etc/passwd' }),
  '/to-nowhere': send(302, '', { location: 'http://' }),
  '/no-location': send(302, ''),
}

export const MISBEHAVIOURS = Object.keys(MISBEHAVIOUR)

/** A feed server on loopback: misbehaviours by path, and whatever documents it is given. */
export async function startFakeFeeds(
  documents: Readonly<
    Record<string, string | Buffer | { status?: number; body: string | Buffer; headers: Record<string, string> }>
  > = {},
) {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const document = documents[path]
    if (document !== undefined) {
      const {
        status = 200,
        body,
        headers,
      } = typeof document === 'string' || Buffer.isBuffer(document) ? { body: document, headers: {} } : document
      return send(status, body, headers)(response, path)
    }
    const hops = /^\/hops\/(\d+)$/.exec(path)?.[1]
    if (hops !== undefined)
      return send(301, '', { location: hops === '0' ? '/good' : `/hops/${Number(hops) - 1}` })(response, path)
    return (MISBEHAVIOUR[path] ?? send(404, ''))(response, path)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: (path: string): string => `http://127.0.0.1:${port}${path}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
