import { z } from 'zod'

const text = z.string().min(1).optional()

/** The environment variables Hourhand knows. Theirs beside ours are ignored. */
export const Environment = z.object({
  OPENAI_API_KEY: text,
  ANTHROPIC_API_KEY: text,
  /** Names of SSM SecureString parameters that hold the same, for a deployment. */
  OPENAI_API_KEY_PARAMETER: text,
  ANTHROPIC_API_KEY_PARAMETER: text,
  /** Live trading at Coinbase: the API key's name, organizations/{org}/apiKeys/{id}, and its EC private key as PEM. */
  COINBASE_API_KEY: text,
  COINBASE_API_SECRET: text,
  COINBASE_API_KEY_PARAMETER: text,
  COINBASE_API_SECRET_PARAMETER: text,
  /** DynamoDB table; set, the table in the AWS account is used instead of the embedded one. */
  HOURHAND_TABLE: text,
  /** DynamoDB endpoint other than AWS: DynamoDB Local, tests. */
  HOURHAND_DYNAMODB_ENDPOINT: z.url().optional(),
  HOURHAND_STRATEGY: text,
  /** Strategy overrides as JSON, as `cdk deploy` writes them. */
  HOURHAND_CONFIG: text,
  /** Event bus of domain events, and the rule that halting disables. */
  HOURHAND_BUS: text,
  HOURHAND_CYCLE_RULE: text,
  /** EventBridge endpoint other than AWS: tests. */
  HOURHAND_EVENTS_ENDPOINT: z.url().optional(),
  /** The region that the AWS clients work in, for the record. */
  AWS_REGION: text,
  /** Version of the deployed code, for the record. */
  HOURHAND_VERSION: text,
})
export type Environment = z.infer<typeof Environment>
