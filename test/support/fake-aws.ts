import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type AwsCall = { target: string; body: Record<string, unknown> }
/** What the server does with a call: an answer, or nothing at all. */
export type AwsAnswer = { status?: number; body: unknown } | 'silence' | 'hang up'

/** An AWS service that speaks JSON 1.1 on loopback: remembers what it was asked and answers as it is told. */
export async function startFakeAws(answer: (call: AwsCall, index: number) => AwsAnswer) {
  const calls: AwsCall[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const call = {
        target: String(request.headers['x-amz-target']).replace(/^.*\./, ''),
        body: JSON.parse(text) as Record<string, unknown>,
      }
      calls.push(call)
      const reply = answer(call, calls.length - 1)
      if (reply === 'silence') return
      if (reply === 'hang up') return void request.socket.destroy()
      response
        .writeHead(reply.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' })
        .end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
