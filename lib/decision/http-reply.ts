/** What a server sent, read to its end and not yet understood. */
export type HttpReply = {
  readonly status: number
  readonly headers: Pick<Headers, 'get'>
  readonly text: string
}

/** No answer of a model is larger; what follows is not read. */
const MAX_BODY_BYTES = 8_000_000

/**
 * The reply to one request that an SDK makes with the `fetch` it is given. The SDK makes address, headers and body; the
 * reply is read here, because an SDK drops the words of errors that are lists or have no content type, and takes a body
 * without the right content type for text. Rejects as the SDK does where there is no whole reply.
 */
export async function exchange(send: (fetch: typeof globalThis.fetch) => PromiseLike<unknown>): Promise<HttpReply> {
  let reply: HttpReply | null = null
  await send(async (input, init) => {
    const response = await fetch(input, init)
    reply = { status: response.status, headers: response.headers, text: await readText(response) }
    return new Response(null)
  })
  if (reply === null) throw new Error('no request was made')
  return reply
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  if (response.body === null) return text
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    bytes += chunk.byteLength
    // Leaving the loop cancels the body.
    if (bytes > MAX_BODY_BYTES) break
  }
  return text + decoder.decode()
}
