/** What bytes 0x80 to 0x9f mean in Windows-1252; elsewhere it is Latin-1. The five undefined ones stay controls. */
const UPPER = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/** The character of a byte. Written out, since Node 20's decoder of that name decodes Latin-1. */
export const windows1252Character = (byte: number): string =>
  byte >= 0x80 && byte <= 0x9f ? UPPER.charAt(byte - 0x80) : String.fromCharCode(byte)

export const decodeWindows1252 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replace(/[\u0080-\u009f]/g, (character) => windows1252Character(character.charCodeAt(0)))
