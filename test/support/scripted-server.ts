import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as it arrived. `body` is parsed JSON, or the text where it is none. */
export type Received = { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: unknown }

/** What the server does with one request. */
export type Behaviour = (response: ServerResponse, received: Received) => void

export type ScriptedServer = {
  readonly url: string
  readonly received: readonly Received[]
  close(): Promise<void>
}

/** A loopback server that answers the n-th request with the n-th behaviour, and every further one with the last. */
export async function startScriptedServer(script: readonly Behaviour[]): Promise<ScriptedServer> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const behaviour = script[Math.min(received.length, script.length - 1)]
      const arrived = {
        path: request.url ?? '',
        headers: request.headers,
        body: parseOrText(Buffer.concat(chunks).toString('utf8')),
      }
      received.push(arrived)
      behaviour?.(response, arrived)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const sendJson =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

export const sendText =
  (status: number, text: string, contentType: string): Behaviour =>
  (response) => {
    response
      .writeHead(status, { 'content-type': contentType, 'content-length': String(Buffer.byteLength(text)) })
      .end(text)
  }

/** Accepts the request and says nothing. */
export const stallBeforeHeaders: Behaviour = () => undefined

/** Sends headers and the beginning of a body, and nothing more. */
export const stallInBody: Behaviour = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "x",')
}

/** Cuts the connection before an answer. */
export const resetConnection: Behaviour = (response) => {
  response.socket?.resetAndDestroy()
}

/** Cuts the connection inside the body. */
export const resetInBody: Behaviour = (response) => {
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    .write('{"id": "x",', () => response.socket?.resetAndDestroy())
}
