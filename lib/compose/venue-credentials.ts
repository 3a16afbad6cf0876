import { UsageError } from '../core/invariant.ts'
import { readSecureParameter } from '../telemetry/secrets.ts'
import { LIVE_VENUES } from '../venue/registry.ts'
import type { CredentialPart, Credentials, LiveVenue } from '../venue/venue.ts'
import type { Environment } from '../../schemas/environment.ts'

/** The variable that names the SSM parameter of a part. */
export const parameterVariableOf = ({ variable }: Pick<CredentialPart, 'variable'>): string => `${variable}_PARAMETER`

/** Every variable that any venue's credentials may stand in. */
export const credentialVariables = (): string[] =>
  LIVE_VENUES.flatMap(({ credentials }) =>
    credentials.parts.flatMap((part) => [part.variable, parameterVariableOf(part)]),
  )

/**
 * A venue's credentials: from SSM where the environment names parameters (a deployment), else from the environment
 * itself. Rejects with {@link UsageError} naming the variable that is missing, and as `readSecureParameter` does.
 */
export async function readVenueCredentials(
  { credentials: { parts } }: LiveVenue,
  { venueCredentials = {} }: Pick<Environment, 'venueCredentials'>,
  readParameter: typeof readSecureParameter = readSecureParameter,
): Promise<Credentials> {
  const read = async (part: CredentialPart): Promise<readonly [string, string]> => {
    const { name, variable, what } = part
    const parameter = venueCredentials[parameterVariableOf(part)]
    if (parameter !== undefined) return [name, await readParameter({ name: parameter })]
    const value = venueCredentials[variable]
    if (value === undefined)
      throw new UsageError(
        `${variable} is not set: live mode needs ${what}; set it, or name an SSM parameter in ${parameterVariableOf(part)}, or set mode to "paper"`,
      )
    return [name, value.trim()]
  }
  return Object.fromEntries(await Promise.all(parts.map(read)))
}

/** Every form of every secret among the credentials of a venue. */
export const secretsOf = ({ credentials: { parts, formsOf } }: LiveVenue, given: Credentials): string[] =>
  parts.flatMap(({ name, isSecret }) => {
    const value = given[name]
    return isSecret && value !== undefined && value !== '' ? formsOf(value) : []
  })
