import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { FeedProblem } from './feed-problem.ts'

/** Servers compress what is compressed already; more often than that is an attack. */
const MAX_LAYERS = 3

/**
 * The bytes of an answer that is compressed without saying so, or once more than it says: gzip and zlib by their first
 * bytes; raw deflate and Brotli, which have none, where the bytes are no text. Each layer is held to `maxBytes`. Throws
 * {@link FeedProblem} for what is larger or compressed in a way that Node.js cannot read.
 */
export function unpackBody(bytes: Uint8Array, maxBytes: number): Uint8Array {
  let body = bytes
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const unpacked = unpackOnce(body, maxBytes)
    if (unpacked === null) return body
    body = unpacked
  }
  return body
}

function unpackOnce(bytes: Uint8Array, maxOutputLength: number): Uint8Array | null {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes
  const limit = { maxOutputLength }
  if (first === 0x1f && second === 0x8b) return attempt(() => gunzipSync(bytes, limit), maxOutputLength, 'gzip')
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd)
    throw new FeedProblem('the answer is compressed with zstd, which this program does not read; use another feed')
  if (first === 0x50 && second === 0x4b && third === 0x03)
    throw new FeedProblem('the answer is a zip archive; give the address of the feed itself in news.feeds')
  if (isText(bytes)) return null
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0
  const guesses = [...(isZlib ? [inflateSync] : []), brotliDecompressSync, inflateRawSync]
  for (const decompress of guesses) {
    const unpacked = attempt(() => decompress(bytes, limit), maxOutputLength, null)
    if (unpacked !== null && isText(unpacked)) return unpacked
  }
  return null
}

/**
 * Null where the bytes are not what they were taken for; where their first bytes say what they are, that is a problem.
 */
function attempt(decompress: () => Uint8Array, maxBytes: number, said: string | null): Uint8Array | null {
  try {
    return decompress()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new FeedProblem(tooLarge(maxBytes), { cause: error })
    if (said === null) return null
    throw new FeedProblem(`the answer is ${said} that cannot be unpacked: cut off or damaged`, { cause: error })
  }
}

export const tooLarge = (maxBytes: number): string =>
  `more than ${maxBytes} bytes; raise news.maxBytes or use a shorter feed`

/** Text in any encoding that feeds use begins with a mark or with letters, not with control characters. */
function isText(bytes: Uint8Array): boolean {
  const [first = 0x20, second = 0x20] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true
  // UTF-16 without a mark has a zero in every other place.
  if ((first === 0) !== (second === 0)) return true
  return !bytes.subarray(0, 64).some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b))
}
