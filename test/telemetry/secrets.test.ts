import { afterEach, expect, test } from 'vitest'
import { readSecureParameter, SecretError } from '../../lib/telemetry/secrets.ts'
import { type AwsAnswer, startFakeAws } from '../support/fake-aws.ts'

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

const name = '/hourhand/eth-perp/openai-api-key'
const value = 'sk-hush-hush'

async function read(answer: AwsAnswer) {
  const server = await startFakeAws(() => answer)
  closing.push(server.close)
  const result = await readSecureParameter({ name, endpoint: server.endpoint, deadlineMs: 700 }).catch(
    (error: unknown) => error,
  )
  return { result, calls: server.calls }
}

const parameter = (content: Record<string, unknown>): AwsAnswer => ({ body: { Parameter: { Name: name, ...content } } })

test('reads a secure parameter by name, decrypted, without the file end that came with it', async () => {
  const { result, calls } = await read(parameter({ Type: 'SecureString', Value: `${value}\n` }))
  expect(result).toBe(value)
  expect(calls).toEqual([{ target: 'GetParameter', body: { Name: name, WithDecryption: true } }])
})

test.each<[string, AwsAnswer, RegExp]>([
  [
    'absent',
    { status: 400, body: { __type: 'ParameterNotFound' } },
    /does not exist; create it with: aws ssm put-parameter --type SecureString/,
  ],
  ['in the clear', parameter({ Type: 'String', Value: value }), /stored in the clear as String/],
  ['empty', parameter({ Type: 'SecureString', Value: ' \n' }), /is empty/],
  ['without value', parameter({ Type: 'SecureString' }), /no value/],
  [
    'denied',
    { status: 400, body: { __type: 'AccessDeniedException', message: value } },
    /AccessDeniedException.*ssm:GetParameter/,
  ],
  ['no answer', 'silence', /cannot be read/],
])('%s: says which parameter and what to do, and no value', async (_name, answer, message) => {
  const { result } = await read(answer)
  expect(result).toBeInstanceOf(SecretError)
  expect((result as SecretError).message).toMatch(message)
  expect((result as SecretError).message).toContain(name)
  expect((result as SecretError).message).not.toContain(value)
})
