import { z } from 'zod'
import { awsAgents } from '../net/proxy.ts'

/** A secret could not be had. Names the parameter and the remedy, never a value. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}

const Answer = z.looseObject({ Parameter: z.looseObject({ Type: z.string(), Value: z.string() }) })

const DEADLINE_MS = 5_000

/**
 * The decrypted value of an SSM SecureString, without white space around it, of the environment's account and
 * region (or of `endpoint`: tests). Rejects with {@link SecretError} when there is none, it is empty, it is
 * stored in the clear, or SSM does not answer in time.
 */
export async function readSecureParameter({
  name,
  endpoint,
  deadlineMs = DEADLINE_MS,
}: {
  name: string
  endpoint?: string
  deadlineMs?: number
}): Promise<string> {
  const { GetParameterCommand, SSMClient } = await import('./ssm.ts')
  const client = new SSMClient({
    requestHandler: awsAgents(endpoint),
    ...(endpoint === undefined
      ? {}
      : { endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  })
  const remedy = `create it with: aws ssm put-parameter --type SecureString --name ${name} --value file://FILE`
  try {
    const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }), {
      abortSignal: AbortSignal.timeout(deadlineMs),
    })
    const parsed = Answer.safeParse(answer)
    if (!parsed.success) throw new SecretError(`SSM parameter ${name}: the answer has no value; ${remedy}`)
    const { Type: type, Value: value } = parsed.data.Parameter
    if (type !== 'SecureString')
      throw new SecretError(`SSM parameter ${name}: stored in the clear as ${type}; delete it and ${remedy}`)
    if (value.trim() === '') throw new SecretError(`SSM parameter ${name}: is empty; ${remedy}`)
    return value.trim()
  } catch (error) {
    if (error instanceof SecretError) throw error
    const kind = error instanceof Error ? error.name : 'unknown error'
    throw new SecretError(
      `SSM parameter ${name}: ${kind === 'ParameterNotFound' ? `does not exist; ${remedy}` : `cannot be read (${kind}); check the name, the region and ssm:GetParameter on it`}`,
      { cause: error },
    )
  } finally {
    client.destroy()
  }
}
