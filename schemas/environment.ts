import { z } from 'zod'

const text = z.string().min(1).optional()

/** The environment variables Hourhand knows. Theirs beside ours are ignored. */
export const Environment = z.object({
  OPENAI_API_KEY: text,
  ANTHROPIC_API_KEY: text,
  /** Names of SSM SecureString parameters that hold the same, for a deployment. */
  OPENAI_API_KEY_PARAMETER: text,
  ANTHROPIC_API_KEY_PARAMETER: text,
  /** What the variables of the venues' credentials hold, by variable; the composition root knows which those are. */
  venueCredentials: z.record(z.string(), z.string().min(1)).optional(),
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
