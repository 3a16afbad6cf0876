import { type Stack, ArnFormat } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { DeployableVenue } from '../../schemas/venue.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** A secret by reference: the environment variable that names it, and the name of its SSM parameter. */
export type SecretReference = { readonly variable: string; readonly parameter: string }

const parameterOf = (config: StrategyConfig, name: string): string => `/hourhand/${config.id}/${name}`

/** Credentials of the venue that is traded at, null on paper. `A_KEY` is the parameter `/hourhand/<strategy>/a-key`. */
export const venueSecrets = (config: StrategyConfig, venue: DeployableVenue | null): SecretReference[] =>
  (venue?.credentialVariables ?? []).map((variable) => ({
    variable: `${variable}_PARAMETER`,
    parameter: parameterOf(config, variable.toLowerCase().replaceAll('_', '-')),
  }))

/** The key of the model's provider; rules need none. */
export function deciderSecrets(config: StrategyConfig): SecretReference[] {
  switch (config.decider.kind) {
    case 'openai':
      return [{ variable: 'OPENAI_API_KEY_PARAMETER', parameter: parameterOf(config, 'openai-api-key') }]
    case 'anthropic':
      return [{ variable: 'ANTHROPIC_API_KEY_PARAMETER', parameter: parameterOf(config, 'anthropic-api-key') }]
    case 'rules':
    case 'recorded':
      return []
    default:
      return config.decider satisfies never
  }
}

/**
 * Allows reading exactly these parameters. SecureStrings under the account's own `aws/ssm` key need no
 * permission on the key: its policy trusts SSM for whoever may read the parameter.
 */
export function readParameters(stack: Stack, secrets: readonly SecretReference[]): PolicyStatement[] {
  if (secrets.length === 0) return []
  const resources = secrets.map(({ parameter }) =>
    stack.formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: parameter.slice(1),
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    }),
  )
  return [new PolicyStatement({ sid: 'ReadOwnSecrets', actions: ['ssm:GetParameter'], resources })]
}
