import { describe, expect, it } from 'vitest'
import { LIVE_CONSENT } from '../../lib/stack/deployment.ts'
import { type Json, ofType, type Resource, statementsIn, synthesise } from '../stack/support.ts'

/** Live, with a model: the deployment with most secrets. */
const { resources } = synthesise({ config: { mode: 'live', decider: { kind: 'openai' } }, live: LIVE_CONSENT })
const functions = ofType(resources, 'AWS::Lambda::Function')

const variablesOf = ({ Properties }: Resource): [string, unknown][] => {
  const environment = Properties['Environment']
  return typeof environment === 'object' && environment !== null && 'Variables' in environment
    ? Object.entries(Object(environment.Variables))
    : []
}

describe('two functions overlap', () => {
  it('each function runs alone, and neither the schedule nor Lambda repeats one by itself', () => {
    expect(functions).toHaveLength(2)
    for (const { Properties } of functions) expect(Properties['ReservedConcurrentExecutions']).toBe(1)
    const invocations = ofType(resources, 'AWS::Lambda::EventInvokeConfig')
    expect(invocations.map(({ Properties }) => Properties['MaximumRetryAttempts'])).toEqual([0, 0])
  })
})

describe('keys exposed by a default admin page', () => {
  it('nothing in the stack can be reached from outside: no URL, no gateway, no balancer, no bucket, no page', () => {
    const types = new Set(Object.values(resources).map(({ Type }) => Type))
    const services = [...types].map((type) => type.split('::')[1])
    expect([...new Set(services)].toSorted()).toEqual([
      'CloudWatch',
      'DynamoDB',
      'Events',
      'IAM',
      'Lambda',
      'Logs',
      'SNS',
      'SQS',
    ])
    expect([...types].filter((type) => /Url|ApiGateway|AppSync|Cognito|CloudFront|LoadBalanc|S3::/.test(type))).toEqual(
      [],
    )
  })

  it('only EventBridge may call a function, and nobody else is trusted with anything', () => {
    for (const { Properties } of ofType(resources, 'AWS::Lambda::Permission')) {
      expect(Properties['Principal']).toBe('events.amazonaws.com')
      expect(Properties['SourceArn']).toBeDefined()
    }
    const principals = statementsIn(resources)
      .filter(({ Effect, Principal }) => Effect === 'Allow' && Principal !== undefined)
      .flatMap(({ Principal }) => Object.values(Object(Principal)))
    expect(principals.length).toBeGreaterThan(2)
    for (const principal of principals) expect(String(principal)).toMatch(/^[a-z]+\.amazonaws\.com$/)
  })

  it('secrets by reference: each is the name of a parameter, read at run time, and no value is anywhere', () => {
    const secrets = functions.flatMap(variablesOf).filter(([key]) => /KEY|SECRET|TOKEN|PASSWORD/.test(key))
    expect(secrets.length).toBeGreaterThanOrEqual(5)
    for (const [key, value] of secrets) {
      expect(key).toMatch(/_PARAMETER$/)
      expect(value).toMatch(/^\/hourhand\/eth-perp\/[a-z-]+$/)
    }
    const text = JSON.stringify(resources)
    expect(text).not.toMatch(/resolve:(ssm|secretsmanager)|BEGIN [A-Z ]*PRIVATE KEY|sk-[A-Za-z0-9]/)
  })

  it('a credential in the configuration is refused, and not shown', () => {
    const attempt = (): Json => synthesise({ config: { decider: { kind: 'openai', apiKey: 'sk-secret-1' } } }).resources
    expect(attempt).toThrow('decider.apiKey')
    expect(attempt).not.toThrow('sk-secret-1')
  })
})
