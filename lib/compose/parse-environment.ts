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

/** Credentials in the environment, to be kept out of every log line. */
export const secretsIn = (environment: Environment): string[] => [
  ...[environment.OPENAI_API_KEY, environment.ANTHROPIC_API_KEY].filter((value) => value !== undefined),
  ...(environment.COINBASE_API_SECRET === undefined ? [] : formsOfKey(environment.COINBASE_API_SECRET)),
]

/** The key of a provider, where the environment holds it itself. */
export const apiKeyIn = (environment: Environment, kind: 'openai' | 'anthropic'): string | undefined =>
  kind === 'openai' ? environment.OPENAI_API_KEY : environment.ANTHROPIC_API_KEY
