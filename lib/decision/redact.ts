/** Shapes of credentials that error bodies repeat, also when partly masked by the server. */
const CREDENTIALS = [/\bBearer\s+[^\s"',}]+/gi, /\bsk-[\w*.-]{6,}/g]

/** Longest message kept of an error; bodies of gateways can be whole pages. */
const MAX_MESSAGE_CHARACTERS = 500

/** `text` without the secret, wherever and however often it occurs. */
export function removeSecret(text: string, secret: string): string {
  return secret === '' ? text : text.replaceAll(secret, '[redacted]')
}

/** An error message fit for records and logs: no secret, nothing shaped like a credential, not a page long. */
export function cleanMessage(text: string, secret: string): string {
  let clean = removeSecret(text, secret)
  for (const form of [
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ])
    clean = removeSecret(clean, form)
  for (const pattern of CREDENTIALS) clean = clean.replace(pattern, '[redacted]')
  clean = clean.replace(/\s+/g, ' ').trim()
  return clean.length > MAX_MESSAGE_CHARACTERS ? `${clean.slice(0, MAX_MESSAGE_CHARACTERS)}...` : clean
}
