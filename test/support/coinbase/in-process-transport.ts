import { NoAnswerError, type Transport } from '../../../lib/venue/coinbase/wire.ts'
import type { FakeVenue } from './fake-venue.ts'

/**
 * The venue as a transport, without sockets. `advance` moves the venue's clock for what takes time: a late answer its
 * delay, a stalled one the timeout.
 */
export function createInProcessTransport(
  venue: FakeVenue,
  { advance = () => undefined }: { advance?: (ms: number) => void } = {},
): Transport {
  return async (request, timeoutMs) => {
    // Through JSON, as a body travels: no undefined members, no shared references.
    const body: unknown = request.body === null ? null : JSON.parse(JSON.stringify(request.body))
    const reply = venue.handle({ method: request.method, path: request.path, query: request.query, body })
    switch (reply.kind) {
      case 'answer':
        if (reply.delayMs > timeoutMs) {
          advance(timeoutMs)
          throw new NoAnswerError(`no answer within ${timeoutMs} ms`, { wasSent: true })
        }
        if (reply.delayMs > 0) advance(reply.delayMs)
        return { status: reply.status, text: reply.text }
      case 'refused':
        throw new NoAnswerError('connection refused', { wasSent: false })
      case 'dropped':
        throw new NoAnswerError('connection closed without an answer', { wasSent: true })
      case 'stalled':
        advance(timeoutMs)
        throw new NoAnswerError(`no complete answer within ${timeoutMs} ms`, { wasSent: true })
      case 'cut':
        throw new NoAnswerError('connection closed inside the answer', { wasSent: true })
      default:
        return reply satisfies never
    }
  }
}
