import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb'
import { awsAgents } from '../net/proxy.ts'
import { StoreError } from './item-store.ts'

/** How long one request to DynamoDB may take, connection and answer; three tries fit well into a function's time. */
const REQUEST_TIMEOUT_MS = 5_000

/**
 * A client with deadlines. Without `endpoint` it is the owner's own AWS account and region; with one
 * (the embedded emulator, DynamoDB Local) the credentials are placeholders that never leave this machine.
 */
export function createDynamoClient(endpoint?: string): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      ...awsAgents(endpoint),
    },
    ...(endpoint === undefined
      ? {}
      : { endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  })
}

/** A new table takes a moment until it answers. */
const ACTIVE_PAUSE_MS = 10
const ACTIVE_CHECKS = 1_000

/** Makes the table if it is not there, and waits until it answers. For emulators; in an account the stack makes it. */
export async function ensureTable(client: DynamoDBClient, tableName: string): Promise<void> {
  if ((await statusOf(client, tableName)) === null) await createTable(client, tableName)
  for (let check = 0; check < ACTIVE_CHECKS; check++) {
    if ((await statusOf(client, tableName)) === 'ACTIVE') return
    await new Promise((resolve) => {
      setTimeout(resolve, ACTIVE_PAUSE_MS)
    })
  }
  throw new StoreError(
    `DynamoDB table ${tableName}: still not active after ${(ACTIVE_CHECKS * ACTIVE_PAUSE_MS) / 1_000} s`,
  )
}

async function statusOf(client: DynamoDBClient, tableName: string): Promise<string | null> {
  try {
    const answer = await client.send(new DescribeTableCommand({ TableName: tableName }))
    return answer.Table?.TableStatus ?? null
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null
    throw error
  }
}

async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    )
  } catch (error) {
    // Somebody else made it in between.
    if (!(error instanceof ResourceInUseException)) throw error
  }
}
