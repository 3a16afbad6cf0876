import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { parseDuration } from '../../lib/core/interval.ts'
import { LIVE_CONSENT, MAX_CONFIG_BYTES } from '../../lib/stack/deployment.ts'
import { type Json, ofType, statementsIn, synthesise, synthesiseAnew } from './support.ts'

/** Deployments that differ in everything the stack depends on. */
const DEPLOYMENTS: [string, Json][] = [
  ['rules on paper', {}],
  [
    'openai on paper, hourly, with e-mail',
    { config: { interval: '1h', decider: { kind: 'openai' } }, alarmEmail: 'owner@example.org' },
  ],
  [
    'anthropic live',
    { strategy: 'btc-perp', config: { mode: 'live', decider: { kind: 'anthropic' } }, live: LIVE_CONSENT },
  ],
  [
    'the longest id',
    { config: { id: `a${'z'.repeat(39)}`, mode: 'live', decider: { kind: 'openai' } }, live: LIVE_CONSENT },
  ],
]

describe.each(DEPLOYMENTS)('%s', (_name, context) => {
  const { template, resources, annotations } = synthesise(context)
  const functions = ofType(resources, 'AWS::Lambda::Function')
  const alarms = ofType(resources, 'AWS::CloudWatch::Alarm')

  test('allows nothing by wildcard', () => {
    const statements = statementsIn(resources)
    const allowed = statements.filter((statement) => statement.Effect === 'Allow')
    expect(allowed.length).toBeGreaterThan(10)
    for (const statement of allowed) {
      expect(
        [statement.Action].flat().filter((action) => action.includes('*')),
        JSON.stringify(statement),
      ).toEqual([])
      expect(JSON.stringify([statement.Resource ?? null, statement.Principal ?? null])).not.toContain('*')
    }
    // AWS's own form for "not without TLS": a denial, where a wildcard only narrows.
    expect(statements.filter((statement) => statement.Effect === 'Deny')).toHaveLength(2)
    for (const role of ofType(resources, 'AWS::IAM::Role')) expect(role.Properties['ManagedPolicyArns']).toBeUndefined()
  })

  test('allows each function exactly what it does', () => {
    const byFunction = ofType(resources, 'AWS::IAM::Policy').map(
      (policy) => new Set(statementsIn(policy).flatMap((statement) => statement.Action)),
    )
    const common = [
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:SendMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
    ]
    const work = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'events:PutEvents', 'events:DisableRule']
    expect(byFunction).toHaveLength(2)
    for (const actions of byFunction)
      expect([...actions].filter((action) => action !== 'ssm:GetParameter').sort()).toEqual([...common, ...work].sort())
  })

  test('keeps its table whatever happens to the stack', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      },
    })
  })

  test('runs two functions, each alone, on ARM, never retried', () => {
    expect(functions).toHaveLength(2)
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({ ReservedConcurrentExecutions: 1, Architectures: ['arm64'], MemorySize: 512 })
      expect(Properties['Runtime']).toBe('nodejs24.x')
    }
    expect(functions.map(({ Properties }) => [Properties['Handler'], Properties['Timeout']])).toEqual([
      ['cycle.handler', 180],
      ['enforce.handler', 50],
    ])
    const invocations = ofType(resources, 'AWS::Lambda::EventInvokeConfig')
    expect(invocations).toHaveLength(2)
    for (const { Properties } of invocations)
      expect(Properties).toMatchObject({
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: expect.anything() as unknown } },
      })
  })

  test('a run is over before its event is stale, and the enforcement before the next', () => {
    const enforce = functions.find(({ Properties }) => Properties['Handler'] === 'enforce.handler')
    expect(enforce?.Properties['Timeout']).toBeLessThan(60)
    for (const rule of scheduled(resources)) {
      const [target] = rule.Properties['Targets'] as { RetryPolicy: Json; DeadLetterConfig: unknown }[]
      expect(target?.RetryPolicy['MaximumRetryAttempts']).toBe(0)
      expect(target?.DeadLetterConfig).toBeDefined()
    }
  })

  test('every alarm says what it costs and reaches somebody', () => {
    expect(alarms.length).toBe(10)
    for (const { Properties } of alarms) {
      expect(String(Properties['AlarmDescription']).length).toBeGreaterThan(60)
      expect(Properties['AlarmActions']).toHaveLength(1)
    }
    expect(new Set(alarms.map(({ Properties }) => Properties['AlarmDescription'])).size).toBe(alarms.length)
  })

  test('the alarm of a failing decider rings at the second failed slot in a row, and is quiet after the next decision', () => {
    const interval = (context['config'] as Json | undefined)?.['interval'] ?? '30m'
    const alarm = alarms.find(({ Properties }) => Properties['MetricName'] === 'decider_failed')
    expect(alarm?.Properties).toMatchObject({
      Namespace: 'Hourhand',
      Statistic: 'Maximum',
      Threshold: 2,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Period: (parseDuration(String(interval)) ?? 0) / 1_000,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    })
  })

  test('alarms on silence: missing data is breaching there and nowhere else', () => {
    const breaching = alarms
      .filter(({ Properties }) => Properties['TreatMissingData'] === 'breaching')
      .map(({ Properties }) => Properties)
    expect(breaching.map((alarm) => alarm['MetricName'])).toEqual(['Invocations', 'Invocations'])
    const interval = (context['config'] as Json | undefined)?.['interval'] ?? '30m'
    expect(breaching.map((alarm) => [alarm['Period'], alarm['EvaluationPeriods']])).toEqual([
      [(parseDuration(String(interval)) ?? 0) / 1_000, 2],
      [60, 5],
    ])
  })

  test('both alarms and rules may publish to the alert topic', () => {
    const [policy] = ofType(resources, 'AWS::SNS::TopicPolicy')
    const services = statementsIn(policy)
      .filter((statement) => statement.Effect === 'Allow')
      .map((statement) => (statement.Principal as Json)['Service'])
    expect(services.sort()).toEqual(['cloudwatch.amazonaws.com', 'events.amazonaws.com'])
  })

  test('every log has an end', () => {
    const logs = ofType(resources, 'AWS::Logs::LogGroup')
    expect(logs).toHaveLength(3)
    for (const { Properties } of logs) expect(Properties['RetentionInDays']).toBe(90)
  })

  test('an environment fits into what Lambda takes, for the largest configuration', () => {
    for (const { Properties } of functions) {
      const { HOURHAND_CONFIG: _config, ...rest } = (Properties['Environment'] as { Variables: Json }).Variables
      // Names that CloudFormation makes up: at most 255 characters for a table, seldom above 80.
      const size = Object.entries(rest).reduce(
        (sum, [key, value]) => sum + key.length + (typeof value === 'string' ? value.length : 100),
        'HOURHAND_CONFIG'.length,
      )
      expect(size + MAX_CONFIG_BYTES).toBeLessThan(4_096)
    }
  })

  test('no warnings, and no function of somebody else', () => {
    expect(annotations.findWarning('*', Match.anyValue())).toEqual([])
    expect(Object.values(resources).filter(({ Type }) => Type.startsWith('Custom::'))).toEqual([])
  })
})

describe('secrets', () => {
  const model = { OPENAI_API_KEY_PARAMETER: '/hourhand/eth-perp/openai-api-key' }
  const venue = {
    COINBASE_API_KEY_PARAMETER: '/hourhand/eth-perp/coinbase-api-key',
    COINBASE_API_SECRET_PARAMETER: '/hourhand/eth-perp/coinbase-api-secret',
  }

  test.each([
    ['rules on paper', {}, {}, {}],
    ['openai on paper', { config: { decider: { kind: 'openai' } } }, model, {}],
    [
      'openai live',
      { config: { mode: 'live', decider: { kind: 'openai' } }, live: LIVE_CONSENT },
      { ...model, ...venue },
      venue,
    ],
    [
      'anthropic on paper',
      { config: { decider: { kind: 'anthropic' } } },
      { ANTHROPIC_API_KEY_PARAMETER: '/hourhand/eth-perp/anthropic-api-key' },
      {},
    ],
  ])('%s: named by reference, only those needed, only where needed', (_name, context, cycle, enforce) => {
    expect(secretsOf(context)).toEqual({ 'cycle.handler': cycle, 'enforce.handler': enforce })
  })

  test('a function may read exactly the parameters it is given', () => {
    const { resources } = synthesise({ config: { mode: 'live', decider: { kind: 'openai' } }, live: LIVE_CONSENT })
    const readable = ofType(resources, 'AWS::IAM::Policy').map((policy) => {
      const statements = statementsIn(policy).filter((statement) => statement.Action === 'ssm:GetParameter')
      return [...JSON.stringify(statements).matchAll(/:parameter(\/[a-z/-]+)/g)].map((match) => match[1]).sort()
    })
    expect(readable).toEqual([Object.values({ ...model, ...venue }).sort(), Object.values(venue).sort()])
  })

  test('no value of a secret can be in the template: none is ever read', () => {
    const values = { OPENAI_API_KEY: 'sk-live-123', COINBASE_API_SECRET: 'hush-hush' }
    Object.assign(process.env, values)
    try {
      const text = JSON.stringify(synthesiseAnew({ config: { decider: { kind: 'openai' } } }).template.toJSON())
      for (const value of Object.values(values)) expect(text).not.toContain(value)
      expect(text).not.toMatch(/resolve:(ssm|secretsmanager)/)
    } finally {
      for (const key of Object.keys(values)) delete process.env[key]
    }
  })
})

describe('schedules', () => {
  test.each([
    ['1m', 'cron(0/1 * * * ? *)'],
    ['30m', 'cron(0/30 * * * ? *)'],
    ['1h', 'cron(0 * * * ? *)'],
    ['4h', 'cron(0 0/4 * * ? *)'],
    ['1d', 'cron(0 0 * * ? *)'],
  ])('the decision schedule of interval %s wakes on the slot', (interval, cron) => {
    const { resources } = synthesise({ config: { interval } })
    const rules = scheduled(resources).map(({ Properties }) => [Properties['Name'], Properties['ScheduleExpression']])
    expect(rules).toEqual([
      ['hourhand-eth-perp-cycle', cron],
      ['hourhand-eth-perp-enforce', 'rate(1 minute)'],
    ])
  })

  test('a function can stop the decision schedule, and no other, and cannot start it', () => {
    const { resources } = synthesise()
    const statements = ofType(resources, 'AWS::IAM::Policy')
      .flatMap(statementsIn)
      .filter((statement) => JSON.stringify(statement.Action).includes('Rule'))
    expect(statements.map((statement) => statement.Action)).toEqual(['events:DisableRule', 'events:DisableRule'])
    for (const statement of statements)
      expect(JSON.stringify(statement.Resource)).toContain(':rule/hourhand-eth-perp-cycle"')
  })

  test('the name a function switches off is the name the rule has', () => {
    const { resources } = synthesise({ config: { id: 'mine' } })
    const names = ofType(resources, 'AWS::Lambda::Function').map(
      ({ Properties }) => (Properties['Environment'] as { Variables: Json }).Variables['HOURHAND_CYCLE_RULE'],
    )
    expect(names).toEqual(['hourhand-mine-cycle', 'hourhand-mine-cycle'])
    expect(scheduled(resources).map(({ Properties }) => Properties['Name'])).toContain('hourhand-mine-cycle')
  })
})

describe('events and alarms', () => {
  test('urgent events reach the topic, all events the log', () => {
    const { template } = synthesise()
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['hourhand'],
        'detail-type': ['halted', 'unknown', 'naked', 'failed', 'overridden', 'decider_failing', 'decider_recovered'],
      },
    })
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['hourhand'], 'detail-type': Match.absent() },
    })
  })

  test('an e-mail address is subscribed when given; without one the owner is told', () => {
    expect(ofType(synthesise().resources, 'AWS::SNS::Subscription')).toEqual([])
    expect(synthesise().annotations.findInfo('*', Match.stringLikeRegexp('alarmEmail'))).toHaveLength(1)
    const { template, annotations } = synthesise({ alarmEmail: 'owner@example.org' })
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'owner@example.org' })
    expect(annotations.findInfo('*', Match.anyValue())).toEqual([])
  })

  test('the metrics of halting and of nakedness are the ones that the log publishes', () => {
    const { template } = synthesise()
    for (const MetricName of ['halted', 'naked']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Namespace: 'Hourhand',
        MetricName,
        Dimensions: [{ Name: 'strategy', Value: 'eth-perp' }],
      })
    }
  })

  test('a simulated market is deployed with a warning', () => {
    const { annotations } = synthesise({ config: { market: { source: 'sim' } } })
    expect(annotations.findWarning('*', Match.stringLikeRegexp('simulated market'))).toHaveLength(1)
  })
})

/** Variables that name a secret's parameter, by handler. */
const secretsOf = (context: Json) => {
  const { resources } = synthesise(context)
  return Object.fromEntries(
    ofType(resources, 'AWS::Lambda::Function').map(({ Properties }) => {
      const names = Object.entries((Properties['Environment'] as { Variables: Json }).Variables).filter(([key]) =>
        key.endsWith('_PARAMETER'),
      )
      return [String(Properties['Handler']), Object.fromEntries(names)]
    }),
  )
}

const scheduled = (resources: ReturnType<typeof synthesise>['resources']) =>
  ofType(resources, 'AWS::Events::Rule').filter(({ Properties }) => Properties['ScheduleExpression'] !== undefined)
