/** The part of the SSM client that is used, apart so that it is loaded only where a secret is read. */
export { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
