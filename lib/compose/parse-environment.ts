import { describeIssues } from '../config/describe-issues.ts'
import { UsageError } from '../core/invariant.ts'
import { formsOfKey } from './venue-credentials.ts'
import { Environment } from '../../schemas/environment.ts'

/** Reads the environment. Throws {@link UsageError} naming the variable; values of credentials are not shown. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  // A variable set to nothing is one not set.
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) throw new UsageError(describeIssues('environment', parsed.error, given))
  return parsed.data
}

/** Variables whose values are credentials, those of the cloud account that we never read among them. */
const SECRET_VARIABLES = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'COINBASE_API_SECRET',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
] as const

/** Credentials among variables, also where the rest of them is wrong, to be kept out of all that is said. */
export const secretsAmong = (variables: Readonly<Record<string, string | undefined>>): string[] =>
  SECRET_VARIABLES.flatMap((name) => {
    const value = variables[name]
    if (value === undefined || value === '') return []
    return name === 'COINBASE_API_SECRET' ? formsOfKey(value) : [value]
  })

/** The key of a provider, where the environment holds it itself. */
export const apiKeyIn = (environment: Environment, kind: 'openai' | 'anthropic'): string | undefined =>
  kind === 'openai' ? environment.OPENAI_API_KEY : environment.ANTHROPIC_API_KEY
