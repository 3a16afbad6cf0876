import { isAscii, isUtf8 } from 'node:buffer'

/** Encodings that people's files are read in. */
export type Encoding = 'UTF-8' | 'UTF-16 LE' | 'UTF-16 BE' | 'Windows-1252'

/**
 * Bytes as text without its byte-order mark: by the mark; without one, UTF-16 where every other byte of the beginning
 * is zero; UTF-8 where the bytes are valid UTF-8; `otherwise` otherwise, which is for files that only programs write.
 */
export function decodeText(
  bytes: Uint8Array,
  otherwise: 'Windows-1252' | 'UTF-8' = 'Windows-1252',
): { text: string; encoding: Encoding } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [first, second, third] = view
  if (first === 0xef && second === 0xbb && third === 0xbf)
    return { text: new TextDecoder('utf-8').decode(view), encoding: 'UTF-8' }
  if (first === 0xff && second === 0xfe) return { text: littleEndian(view.subarray(2)), encoding: 'UTF-16 LE' }
  if (first === 0xfe && second === 0xff) return { text: bigEndian(view.subarray(2)), encoding: 'UTF-16 BE' }
  const wide = widthOf(view)
  if (wide === 'UTF-16 LE') return { text: littleEndian(view), encoding: wide }
  if (wide === 'UTF-16 BE') return { text: bigEndian(view), encoding: wide }
  // One byte a character also in memory, which is what makes large candle files quick to read.
  if (isAscii(view)) return { text: view.toString('latin1'), encoding: 'UTF-8' }
  if (otherwise === 'UTF-8' || isUtf8(view)) return { text: view.toString('utf8'), encoding: 'UTF-8' }
  return { text: windows1252(view), encoding: 'Windows-1252' }
}

/** Whether a decoded text is one: it holds no zero characters, and hardly any that terminals take for commands. */
export function isText(text: string): boolean {
  const sample = text.length <= 65_536 ? text : text.slice(0, 32_768) + text.slice(-32_768)
  if (sample.includes('\0')) return false
  // oxlint-disable-next-line no-control-regex
  const controls = sample.match(/[\u0001-\u0008\u000b\u000e-\u001f\ufffd]/g)?.length ?? 0
  return controls <= sample.length / 100
}

/**
 * UTF-16 without a mark, told by zeros in every other place of the first bytes: its digits and commas have one each.
 */
function widthOf(view: Buffer): Encoding | null {
  const sample = view.subarray(0, 1_024)
  if (sample.length < 4) return null
  const pairs = Math.floor(sample.length / 2)
  let even = 0
  let odd = 0
  for (let index = 0; index < pairs * 2; index += 1) {
    if (sample[index] !== 0) continue
    if (index % 2 === 0) even += 1
    else odd += 1
  }
  if (odd >= pairs * 0.7 && even === 0) return 'UTF-16 LE'
  return even >= pairs * 0.7 && odd === 0 ? 'UTF-16 BE' : null
}

const littleEndian = (view: Buffer): string => view.toString('utf16le')

const bigEndian = (view: Buffer): string =>
  Buffer.from(view.subarray(0, view.length - (view.length % 2)))
    .swap16()
    .toString('utf16le')

/**
 * The 32 characters by which Windows-1252 differs from Latin-1; the platform's own decoder depends on how it was built.
 */
const FROM_80 =
  '\u20ac\ufffd\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\ufffd\u017d\ufffd' +
  '\ufffd\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\ufffd\u017e\u0178'

const windows1252 = (view: Buffer): string =>
  view
    .toString('latin1')
    .replaceAll(/[\u0080-\u009f]/g, (character) => FROM_80[character.charCodeAt(0) - 0x80] ?? '\ufffd')
