import { UsageError } from '../core/invariant.ts'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import { type Item, MissingTable, type SearchableItems, StoreError, type WriteCondition } from './item-store.ts'

const StoredItem = z.object({
  pk: z.object({ S: z.string() }),
  sk: z.object({ S: z.string() }),
  version: z.object({ N: z.string() }).optional(),
  body: z.object({ S: z.string() }),
  writer: z.object({ S: z.string() }),
  ttl: z.object({ N: z.string() }).optional(),
})

/** Items in a DynamoDB table with string keys `pk` and `sk` and the time-to-live attribute `ttl`. */
export function createDynamoItems({
  client,
  tableName,
}: {
  client: DynamoDBClient
  tableName: string
}): SearchableItems {
  const guarded = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      if (cause instanceof ResourceNotFoundException)
        throw new MissingTable(`there is no DynamoDB table ${tableName}`, { cause })
      if (cause instanceof Error && cause.message.startsWith('Region is missing'))
        throw new UsageError(
          `DynamoDB table ${tableName}: no AWS region is set, so nobody knows where the table is; set AWS_REGION, such as AWS_REGION=us-east-1, or a profile that has one with AWS_PROFILE`,
          { cause },
        )
      if (cause instanceof Error && cause.name === 'CredentialsProviderError')
        throw new UsageError(
          `DynamoDB table ${tableName}: no AWS credentials were found (${cause.message}); sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
          { cause },
        )
      const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
      throw new StoreError(`DynamoDB table ${tableName}: ${what} failed: ${reason}`, { cause })
    }
  }
  return {
    get: (pk, sk) =>
      guarded('read', async () => {
        const answer = await client.send(
          new GetItemCommand({ TableName: tableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
        )
        return answer.Item === undefined ? null : fromStored(answer.Item)
      }),
    put: (item, condition) =>
      guarded('write', async () => {
        try {
          await client.send(
            new PutItemCommand({ TableName: tableName, Item: toStored(item), ...expressionFor(condition) }),
          )
          return 'ok'
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return 'conflict'
          throw error
        }
      }),
    query: ({ pk, prefix, from, to, newestFirst = false, limit, cursor }) =>
      guarded('query', async () => {
        // One range covers prefix and bounds: keys are ASCII, so prefix + DEL is above all that begin with it.
        const low = from !== undefined && from > prefix ? from : prefix
        const high = to ?? `${prefix}\u007f`
        const answer = await client.send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :low AND :high',
            ExpressionAttributeValues: { ':pk': { S: pk }, ':low': { S: low }, ':high': { S: high } },
            ScanIndexForward: !newestFirst,
            ConsistentRead: true,
            Limit: limit,
            ...(cursor === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: cursor } } }),
          }),
        )
        const items = (answer.Items ?? []).map(fromStored)
        return { items, cursor: answer.LastEvaluatedKey === undefined ? null : (items.at(-1)?.sk ?? null) }
      }),
    partitions: () =>
      guarded('search', async () => {
        const found: string[] = []
        let after: Record<string, AttributeValue> | undefined
        for (;;) {
          // One item a request; the next request begins behind all items of that partition, of which none is read.
          const answer = await client.send(
            new ScanCommand({
              TableName: tableName,
              Limit: 1,
              ProjectionExpression: 'pk',
              ConsistentRead: true,
              ...(after === undefined ? {} : { ExclusiveStartKey: after }),
            }),
          )
          const pk = answer.Items?.[0]?.['pk']
          if (pk?.S !== undefined && found.at(-1) !== pk.S) found.push(pk.S)
          if (answer.LastEvaluatedKey === undefined) return found
          after = pk === undefined ? answer.LastEvaluatedKey : { pk, sk: { S: BEHIND_ALL } }
        }
      }),
  }
}

/** Sort keys are ASCII: this one is behind all of them. */
const BEHIND_ALL = '\u{10ffff}'

function expressionFor(condition: WriteCondition) {
  if (condition === 'none') return {}
  if (condition === 'absent') return { ConditionExpression: 'attribute_not_exists(pk)' }
  const isBelow = 'below' in condition
  return {
    ConditionExpression: isBelow ? 'attribute_not_exists(pk) OR #version < :version' : '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': { N: String(isBelow ? condition.below : condition.version) } },
  }
}

function toStored(item: Item): Record<string, AttributeValue> {
  return {
    pk: { S: item.pk },
    sk: { S: item.sk },
    body: { S: item.body },
    writer: { S: item.writer },
    ...(item.version === null ? {} : { version: { N: String(item.version) } }),
    ...(item.expiresAt === null ? {} : { ttl: { N: String(item.expiresAt) } }),
  }
}

function fromStored(raw: Record<string, AttributeValue>): Item {
  const parsed = StoredItem.safeParse(raw)
  // Somebody else's, or a damaged one: whoever reads its body refuses it by its key, and a list goes on without it.
  if (!parsed.success)
    return { pk: raw['pk']?.S ?? '', sk: raw['sk']?.S ?? '', body: '', writer: '', version: null, expiresAt: null }
  const { pk, sk, version, body, writer, ttl } = parsed.data
  return {
    pk: pk.S,
    sk: sk.S,
    body: body.S,
    writer: writer.S,
    version: version === undefined ? null : Number(version.N),
    expiresAt: ttl === undefined ? null : Number(ttl.N),
  }
}
