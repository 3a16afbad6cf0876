import { createPrivateKey, type KeyObject } from 'node:crypto'
import { sha256 } from '../../core/canonical-json.ts'
import { UsageError } from '../../core/invariant.ts'
import type { Credentials, VenueCredentials } from '../venue.ts'

/** The name and the private key of a CDP API key, as its download gives them. */
export type Key = { apiKey: string; privateKey: string }

/** The parts as this venue names them; a part that is missing is empty, and refused by {@link checkCredentials}. */
export const keyOf = ({ apiKey = '', privateKey = '' }: Credentials): Key => ({ apiKey, privateKey })

const REMEDY = 'create an API key with ECDSA as its signature algorithm and give its name and its private key'

/**
 * Checks both before anything is sent, and gives the key in the one form ccxt reads. Line ends may be written as
 * `\n`. Throws {@link UsageError}; its message never holds any part of the secret.
 */
export function checkCredentials({ apiKey, privateKey }: Key): Key {
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

/**
 * A private key in every form in which a library or an error may repeat it: as given, with its line ends as they are
 * meant, and in either encoding.
 */
export function formsOfKey(given: string): string[] {
  const pem = given
    .replaceAll(String.raw`\n`, '\n')
    .replaceAll('\r', '')
    .trim()
  try {
    const key = createPrivateKey(pem)
    const encodings = (['sec1', 'pkcs8'] as const).flatMap((type) =>
      type === 'sec1' && key.asymmetricKeyType !== 'ec' ? [] : [key.export({ type, format: 'pem' }).toString()],
    )
    return [...new Set([given, pem, ...encodings])]
  } catch {
    // Not a key: it is refused where it is used, and hidden as it stands.
    return [...new Set([given, pem])]
  }
}

/** 16 hexadecimal digits of the SHA-256 of the key's name. */
export const keyFingerprintOf = (apiKey: string): string => sha256(apiKey.trim()).slice(0, 16)

/** The environment's names of a CDP API key, and what is done with its values. */
export const coinbaseCredentials: VenueCredentials = {
  parts: [
    {
      name: 'apiKey',
      variable: 'COINBASE_API_KEY',
      what: "the API key's name, organizations/{org}/apiKeys/{id}",
      isSecret: false,
    },
    {
      name: 'privateKey',
      variable: 'COINBASE_API_SECRET',
      what: "the API key's EC private key as PEM",
      isSecret: true,
    },
  ],
  remedy: 'set COINBASE_API_KEY and COINBASE_API_SECRET to an ECDSA key that may view and trade',
  parse: (given) => checkCredentials(keyOf(given)),
  formsOf: formsOfKey,
  fingerprint: (given) => keyFingerprintOf(keyOf(given).apiKey),
}
