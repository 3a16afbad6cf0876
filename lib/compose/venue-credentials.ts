import { createPrivateKey } from 'node:crypto'
import type { Credentials } from '../venue/coinbase/credentials.ts'
import { sha256 } from '../core/canonical-json.ts'
import { UsageError } from '../core/invariant.ts'
import { readSecureParameter } from '../telemetry/secrets.ts'
import type { Environment } from '../../schemas/environment.ts'

const VARIABLES = {
  apiKey: { variable: 'COINBASE_API_KEY', what: "the API key's name, organizations/{org}/apiKeys/{id}" },
  privateKey: { variable: 'COINBASE_API_SECRET', what: "the API key's EC private key as PEM" },
} as const

type Part = keyof typeof VARIABLES

/**
 * The venue's credentials: from SSM where the environment names parameters (a deployment), else from the environment
 * itself. Rejects with {@link UsageError} naming the variable that is missing, and as `readSecureParameter` does.
 */
export async function readVenueCredentials(
  environment: Environment,
  readParameter: typeof readSecureParameter = readSecureParameter,
): Promise<Credentials> {
  const read = async (part: Part): Promise<string> => {
    const { variable, what } = VARIABLES[part]
    const parameter = environment[`${variable}_PARAMETER`]
    if (parameter !== undefined) return readParameter({ name: parameter })
    const value = environment[variable]
    if (value === undefined)
      throw new UsageError(
        `${variable} is not set: live mode needs ${what}; set it, or name an SSM parameter in ${variable}_PARAMETER, or set mode to "paper"`,
      )
    return value.trim()
  }
  const [apiKey, privateKey] = await Promise.all([read('apiKey'), read('privateKey')])
  return { apiKey, privateKey }
}

/** Tells one key from another without naming it: 16 hexadecimal digits of the SHA-256 of its name. */
export const keyFingerprintOf = (apiKey: string): string => sha256(apiKey.trim()).slice(0, 16)

/** A private key in every form in which a library or an error may repeat it: as given, with its line ends as they are meant, and in either encoding. */
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
