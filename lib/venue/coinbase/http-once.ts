import { type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { text } from 'node:stream/consumers'
import { proxyAgent } from '../../net/proxy.ts'
import type { WireAnswer } from './wire.ts'

export type HttpRequest = {
  url: string
  method: 'GET' | 'POST'
  headers: Readonly<Record<string, string>>
  body: string | null
  signal: AbortSignal
  /** Called once there is a connection: from here on something may have reached the other side. */
  onConnected: () => void
}

/**
 * One HTTP request, sent at most once; its answer read whole, redirects not followed. Rejects when there is no whole
 * answer. Not `fetch`: that sends a request again by itself, an order too, when it is answered with 421.
 *
 * A POST gets a connection of its own. On one kept alive it could meet the other side's closing it, and nobody
 * would know whether it was read.
 */
export function sendHttpOnce({ url, method, headers, body, signal, onConnected }: HttpRequest): Promise<WireAnswer> {
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...length, accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
    ...agentOf(method),
  }
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options)
    request.once('error', reject)
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', onConnected)
      else onConnected()
    })
    request.once('response', (response) => {
      // Rejects for a body that ends early.
      text(response).then((whole) => resolve({ status: response.statusCode ?? 0, text: whole }), reject)
    })
    request.end(body ?? undefined)
  })
}

/** Through a proxy each request has a connection of its own anyway; without one only a POST has. */
function agentOf(method: HttpRequest['method']): Pick<RequestOptions, 'agent'> {
  const agent = proxyAgent()
  if (agent !== undefined) return { agent }
  return method === 'POST' ? { agent: false } : {}
}
