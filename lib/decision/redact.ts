/** Shapes of credentials that error bodies repeat, also when partly masked by the server. */
const CREDENTIALS = [/\bBearer\s+[^\s"',}]+/gi, /\bsk-[\w*.-]{6,}/g]

/** Longest message kept of an error; bodies of gateways can be whole pages. */
const MAX_MESSAGE_CHARACTERS = 500

/**
 * Shorter secrets are never searched for: "1", "null" or "hold" stand in every answer, and to replace them would change
 * what was said. Local servers take any text for a key.
 */
export const MIN_SECRET_CHARACTERS = 8

/**
 * `text` without the secrets, wherever and however often they occur. For what is stored and shown, never for what is
 * read.
 */
export function removeSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= MIN_SECRET_CHARACTERS)
    .reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}

/** An error message fit for records and logs: no secret, nothing shaped like a credential, not a page long. */
export function cleanMessage(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_CHARACTERS)
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ])
  let clean = removeSecrets(text, forms)
  for (const pattern of CREDENTIALS) clean = clean.replace(pattern, '[redacted]')
  clean = clean.replace(/\s+/g, ' ').trim()
  return clean.length > MAX_MESSAGE_CHARACTERS ? `${clean.slice(0, MAX_MESSAGE_CHARACTERS)}...` : clean
}
