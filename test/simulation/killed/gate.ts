import { createServer, type IncomingHttpHeaders, request as httpRequest } from 'node:http'

export type Target = 'venue' | 'database' | 'model'

/** A request of a child on its way to one of the three it talks to. */
export type Passing = { target: Target; method: string; path: string; headers: IncomingHttpHeaders; body: Buffer }
export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer }

/**
 * Where a request is when the process that sent it dies: never out of the machine, on its way and late, answered
 * with nobody to read it, or answered and read a moment ago.
 */
export type Edge = { at: 'lost' } | { at: 'late'; ms: number } | { at: 'arrived' } | { at: 'answered'; ms: number }

export type GateKeeper = {
  /** A request has left its process. Whether, and where, the process dies of it. */
  passing(passing: Passing): Edge | null
  /** The request has taken effect and has this answer. */
  answered(passing: Passing, answer: Answer): void
  /** Ends the process, now. */
  kill(): void
}

export type Gate = {
  url: string
  /** Waits until nothing of a dead process is under way any more, then closes. */
  close(): Promise<void>
}

/** Stands between a process and a server on this machine, and sees every request before and after its effect. */
export async function startGate(
  target: Target,
  upstream: string,
  keeperOf: (passing: Passing) => GateKeeper,
): Promise<Gate> {
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    const pass = async (): Promise<void> => {
      const passing: Passing = {
        target,
        method: request.method ?? 'GET',
        path: request.url ?? '/',
        headers: request.headers,
        body: Buffer.concat(chunks),
      }
      const keeper = keeperOf(passing)
      const edge = keeper.passing(passing)
      if (edge?.at === 'lost' || edge?.at === 'late') keeper.kill()
      if (edge?.at === 'lost') return
      if (edge?.at === 'late') await pause(edge.ms)
      const answer = await forward(upstream, passing)
      keeper.answered(passing, answer)
      if (edge?.at === 'arrived') return keeper.kill()
      if (!response.destroyed) response.writeHead(answer.status, withoutFraming(answer.headers)).end(answer.body)
      if (edge?.at !== 'answered') return
      await pause(edge.ms)
      keeper.kill()
    }
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const passed: Promise<void> = pass()
        .catch(() => response.socket?.destroy())
        .then(() => void underWay.delete(passed))
      underWay.add(passed)
    })
    request.on('error', () => {})
    response.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      while (underWay.size > 0) await Promise.all(underWay)
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

const FRAMING = new Set(['connection', 'transfer-encoding', 'content-length', 'keep-alive'])

const withoutFraming = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !FRAMING.has(name)))

function forward(upstream: string, { method, path, headers, body }: Passing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, upstream)
    const request = httpRequest(
      url,
      { method, headers: { ...withoutFraming(headers), host: url.host, 'content-length': body.length }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }),
        )
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
