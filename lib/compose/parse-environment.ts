import { describeIssues } from '../config/describe-issues.ts'
import { UsageError } from '../core/invariant.ts'
import { LIVE_VENUES } from '../venue/registry.ts'
import { credentialVariables, secretsOf } from './venue-credentials.ts'
import { Environment } from '../../schemas/environment.ts'

/** Reads the environment. Throws {@link UsageError} naming the variable; values of credentials are not shown. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  // A variable set to nothing is one not set.
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const venueCredentials = Object.fromEntries(
    credentialVariables().flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  )
  const parsed = Environment.safeParse({ ...given, venueCredentials })
  if (!parsed.success) throw new UsageError(describeIssues('environment', parsed.error, given))
  return parsed.data
}

/**
 * Variables whose values are credentials, beside those of venues; those of the cloud account, which nothing here reads,
 * among them.
 */
const SECRET_VARIABLES = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const

/** Credentials among variables, also where the rest of them is wrong, to be kept out of all that is said. */
export const secretsAmong = (variables: Readonly<Record<string, string | undefined>>): string[] => [
  ...SECRET_VARIABLES.flatMap((name) => {
    const value = variables[name]
    return value === undefined || value === '' ? [] : [value]
  }),
  ...LIVE_VENUES.flatMap((venue) =>
    secretsOf(
      venue,
      Object.fromEntries(venue.credentials.parts.map(({ name, variable }) => [name, variables[variable] ?? ''])),
    ),
  ),
]

/** The key of a provider, where the environment holds it itself. */
export const apiKeyIn = (environment: Environment, kind: 'openai' | 'anthropic'): string | undefined =>
  kind === 'openai' ? environment.OPENAI_API_KEY : environment.ANTHROPIC_API_KEY
