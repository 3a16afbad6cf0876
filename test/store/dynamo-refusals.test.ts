import { describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/core/invariant.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { StoreError } from '../../lib/store/item-store.ts'

const failing = (error: Error) =>
  createDynamoItems({
    client: { send: () => Promise.reject(error) } as unknown as Parameters<typeof createDynamoItems>[0]['client'],
    tableName: 'ledger',
  })

describe('a table in an account that nobody is signed in to', () => {
  it('is refused with the setting to make where no region is set', async () => {
    const refusal: unknown = await failing(new Error('Region is missing'))
      .get('a', 'b')
      .catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(UsageError)
    expect((refusal as Error).message).toMatch(/^DynamoDB table ledger: no AWS region is set.*AWS_REGION=us-east-1/)
  })

  it('is refused with what to do where no credentials are found', async () => {
    const error = Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' })
    await expect(failing(error).get('a', 'b')).rejects.toThrow(/no AWS credentials were found.*aws sso login/)
  })

  it('any other failure stays one of the store', async () => {
    await expect(failing(new Error('socket hang up')).get('a', 'b')).rejects.toThrow(StoreError)
  })
})
