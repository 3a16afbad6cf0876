import { createPrivateKey, type KeyObject } from 'node:crypto'
import { UsageError } from '../../core/invariant.ts'

/** The name and the private key of a CDP API key, as its download gives them. */
export type Credentials = { apiKey: string; privateKey: string }

const REMEDY = 'create an API key with ECDSA as its signature algorithm and give its name and its private key'

/**
 * Checks both before anything is sent, and gives the key in the one form ccxt reads. Line ends may be written as
 * `\n`. Throws {@link UsageError}; its message never holds any part of the secret.
 */
export function checkCredentials({ apiKey, privateKey }: Credentials): Credentials {
  const name = apiKey.trim()
  if (!/^organizations\/[\w-]+\/apiKeys\/[\w-]+$/.test(name)) {
    throw new UsageError(
      `the Coinbase API key's name must look like organizations/{org}/apiKeys/{id} (this one has ${name.length} characters); ${REMEDY}`,
    )
  }
  const pem = privateKey
    .replaceAll(String.raw`\n`, '\n')
    .replaceAll('\r', '')
    .trim()
  if (!pem.startsWith('-----BEGIN')) {
    const isEd25519 = /^[A-Za-z0-9+/_-]{40,}={0,2}$/.test(pem)
    throw new UsageError(
      `the Coinbase private key is ${isEd25519 ? 'an Ed25519 key or a legacy secret' : 'not a PEM key'}, and only ECDSA keys are supported; ${REMEDY}`,
    )
  }
  const key = parseKey(pem)
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new UsageError(
      `the Coinbase private key is of type ${key.asymmetricKeyType ?? 'unknown'}, and must be an EC key on P-256; ${REMEDY}`,
    )
  }
  return { apiKey: name, privateKey: key.export({ type: 'sec1', format: 'pem' }).toString() }
}

/** Without a cause: the parser's own words are about the secret. */
function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new UsageError(
      `the Coinbase private key cannot be read as a PEM key (is it whole, with its line ends as line ends or as \\n?); ${REMEDY}`,
    )
  }
}
