import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Rule, type Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, type Code, Function as Lambda, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type AlarmRoute, ImpactAlarm } from './alerts.ts'

export type ScheduledFunctionProps = {
  /** Of the function, its rule and its log group. */
  readonly name: string
  readonly description: string
  readonly code: Code
  /** Module and export: `cycle.handler`. */
  readonly handler: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeout: Duration
  readonly schedule: Schedule
  /** Silence longer than this many of these periods is alarming; one run a period is normal. */
  readonly silence: { readonly period: Duration; readonly periods: number }
  /** An event that could not be run by then is not run at all: its moment has passed. */
  readonly maxEventAge: Duration
  readonly deadLetters: IQueue
  readonly alarms: AlarmRoute
  /** What it means when it fails, is silent, or is throttled. */
  readonly impact: { readonly errors: string; readonly silence: string; readonly throttles: string }
}

/**
 * A function woken by a rule, one at a time, never retried by Lambda: the program resumes by itself what was
 * interrupted. Events it could not run go to the dead-letter queue.
 */
export class ScheduledFunction extends Construct {
  readonly lambda: Lambda
  readonly rule: Rule

  constructor(scope: Construct, id: string, props: ScheduledFunctionProps) {
    super(scope, id)
    const log = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    // A role of our own: the default one may write to every log group of the account.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${props.name} may do`,
    })
    log.grantWrite(role)
    this.lambda = new Lambda(this, 'Function', {
      functionName: props.name,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: props.code,
      handler: props.handler,
      environment: { ...props.environment },
      role,
      logGroup: log,
      timeout: props.timeout,
      memorySize: 512,
      reservedConcurrentExecutions: 1,
      retryAttempts: 0,
      maxEventAge: props.maxEventAge,
      onFailure: new SqsDestination(props.deadLetters),
    })
    this.rule = new Rule(this, 'Rule', {
      ruleName: props.name,
      description: `Wakes ${props.name}`,
      schedule: props.schedule,
      targets: [
        new LambdaFunction(this.lambda, {
          retryAttempts: 0,
          maxEventAge: props.maxEventAge,
          deadLetterQueue: props.deadLetters,
        }),
      ],
    })
    this.addAlarms(props)
  }

  allow(...statements: PolicyStatement[]): void {
    for (const statement of statements) this.lambda.addToRolePolicy(statement)
  }

  private addAlarms({ alarms: route, impact, silence }: ScheduledFunctionProps): void {
    const period = Duration.minutes(5)
    new ImpactAlarm(this, 'Errors', {
      metric: this.lambda.metricErrors({ period }),
      when: { atLeast: 1 },
      impact: impact.errors,
      route,
    })
    new ImpactAlarm(this, 'Throttles', {
      metric: this.lambda.metricThrottles({ period }),
      when: { atLeast: 1 },
      impact: impact.throttles,
      route,
    })
    new ImpactAlarm(this, 'Silence', {
      metric: this.lambda.metricInvocations({ period: silence.period }),
      when: { silentForPeriods: silence.periods },
      impact: impact.silence,
      route,
    })
  }
}
