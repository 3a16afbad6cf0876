import { limitsOf } from '../core/time-limits.ts'
import { MINUTE_MS } from '../core/time.ts'
import { durationWords, intervalMsOf } from '../core/interval.ts'
import { Annotations, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Schedule } from 'aws-cdk-lib/aws-events'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { AlertTopic, ImpactAlarm, strategyMetric } from './alerts.ts'
import { cronOf } from './cycle-schedule.ts'
import { configText, type Deployment } from './deployment.ts'
import { EventChannel } from './event-channel.ts'
import { LedgerTable } from './ledger-table.ts'
import { ScheduledFunction } from './scheduled-function.ts'
import { deciderSecrets, readParameters, type SecretReference, venueSecrets } from './secrets.ts'

/** The handlers, by the module name they are deployed under. */
export const HANDLERS = { cycle: 'functions/cycle.ts', enforce: 'functions/enforce.ts' } as const

/** Slots in a row whose decider failed before the alarm rings: a single one is told by its event alone. */
const FAILED_SLOTS_ALARMING = 2

export type HourhandStackProps = StackProps & {
  readonly deployment: Deployment
  /** What the owner should read at every synthesis. */
  readonly warnings: readonly string[]
  /** The bundled {@link HANDLERS}. */
  readonly bundle: { readonly directory: string; readonly fingerprint: string }
  readonly version: string
}

/** One strategy in one account: a schedule that decides, a schedule that guards, and what they remember. */
export class HourhandStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, warnings, bundle, version, ...props }: HourhandStackProps) {
    super(scope, id, props)
    const { config, venue } = deployment
    const intervalMs = intervalMsOf(config)
    const cron = cronOf(intervalMs)
    if (cron === null) throw new Error(`no schedule keeps interval ${config.interval}: readDeployment refuses it`)
    const name = `hourhand-${config.id}`
    const cycleRuleName = `${name}-cycle`

    const table = new LedgerTable(this, 'Ledger')
    const alerts = new AlertTopic(this, 'Alerts', {
      displayName: `Hourhand ${config.id}`,
      email: deployment.alarmEmail,
    })
    const alarms = { notify: alerts }
    const events = new EventChannel(this, 'Events', { name, alerts })
    const deadLetters = new Queue(this, 'DeadLetters', { retentionPeriod: Duration.days(14), enforceSSL: true })

    const code = Code.fromAsset(bundle.directory)
    const environment = (secrets: readonly SecretReference[]) => ({
      HOURHAND_TABLE: table.tableName,
      HOURHAND_STRATEGY: deployment.strategy,
      HOURHAND_CONFIG: configText(deployment.overrides),
      HOURHAND_BUS: events.bus.eventBusName,
      HOURHAND_CYCLE_RULE: cycleRuleName,
      HOURHAND_VERSION: `${version}+${bundle.fingerprint.slice(0, 12)}`,
      ...Object.fromEntries(secrets.map(({ variable, parameter }) => [variable, parameter])),
    })

    const cycleSecrets = [...deciderSecrets(config), ...venueSecrets(config, venue)]
    const cycle = new ScheduledFunction(this, 'Cycle', {
      name: cycleRuleName,
      description: `Hourhand ${config.id}: one decision every ${durationWords(intervalMs)} (${config.mode})`,
      code,
      handler: 'cycle.handler',
      environment: environment(cycleSecrets),
      timeout: Duration.millis(limitsOf(config).hardDeadlineMs),
      schedule: Schedule.cron(cron),
      silence: { period: Duration.millis(intervalMs), periods: 2 },
      maxEventAge: Duration.millis(Math.min(intervalMs, 5 * MINUTE_MS)),
      deadLetters,
      alarms,
      impact: {
        errors:
          'A decision cycle failed: no new decision for this slot. An open position keeps its stop, and enforcement goes on.',
        silence:
          'No decision cycle for two intervals: the strategy opens nothing and closes nothing by decision. Expected while it is halted, because a halt switches the schedule off.',
        throttles: 'A decision cycle was refused a start because another was still running: its slot may be skipped.',
      },
    })

    const enforceSecrets = venueSecrets(config, venue)
    const enforce = new ScheduledFunction(this, 'Enforce', {
      name: `${name}-enforce`,
      description: `Hourhand ${config.id}: guards the open position every minute (${config.mode})`,
      code,
      handler: 'enforce.handler',
      environment: environment(enforceSecrets),
      timeout: Duration.seconds(50),
      schedule: Schedule.rate(Duration.minutes(1)),
      silence: { period: Duration.minutes(1), periods: 5 },
      maxEventAge: Duration.minutes(1),
      deadLetters,
      alarms,
      impact: {
        errors:
          'An enforcement pass failed: until the next one succeeds, only the stop at the venue guards the position; on paper, nothing does.',
        silence:
          'No enforcement for five minutes: a position whose stop is missing, or whose time is up, stays open. Look at once.',
        throttles:
          'An enforcement pass was refused a start because the one before was still running: passes take longer than a minute.',
      },
    })

    const publish = new PolicyStatement({
      sid: 'PublishOwnEvents',
      actions: ['events:PutEvents'],
      resources: [events.bus.eventBusArn],
    })
    // By its fixed name, not by reference: the rule refers to the function, the function's role cannot refer back.
    // Only off: switching it on again is a person's act, with a person's credentials.
    const cycleRuleArn = this.formatArn({ service: 'events', resource: 'rule', resourceName: cycleRuleName })
    const switchOff = new PolicyStatement({
      sid: 'StopOwnSchedule',
      actions: ['events:DisableRule'],
      resources: [cycleRuleArn],
    })
    cycle.allow(table.readAndAppend(), publish, switchOff, ...readParameters(this, cycleSecrets))
    enforce.allow(table.readAndAppend(), publish, switchOff, ...readParameters(this, enforceSecrets))

    new ImpactAlarm(this, 'DeadLettersWaiting', {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      when: { atLeast: 1 },
      impact:
        'A run failed or never started, and its event waits in the dead-letter queue: read it, find the cause, purge the queue.',
      route: alarms,
    })
    new ImpactAlarm(this, 'Halted', {
      metric: strategyMetric('halted', config.id, Duration.minutes(5)),
      when: { atLeast: 1 },
      impact:
        'The strategy halted itself: it enters nothing until a person runs hourhand resume. Its position, if any, is still guarded.',
      route: alarms,
    })
    new ImpactAlarm(this, 'Naked', {
      metric: strategyMetric('naked', config.id, Duration.minutes(5)),
      when: { atLeast: 1 },
      impact:
        'A position was found without a stop at the venue: its loss is not limited until it is protected or flattened. Look at the venue now.',
      route: alarms,
    })

    new ImpactAlarm(this, 'DeciderFailing', {
      metric: strategyMetric('decider_failed', config.id, Duration.millis(intervalMs), 'maximum'),
      when: { atLeast: FAILED_SLOTS_ALARMING },
      impact:
        'The decider failed at two slots in a row or more: nothing is opened or closed by decision until it answers again. An open position keeps its stop and its target. hourhand status names the cause.',
      route: alarms,
    })

    for (const [index, warning] of warnings.entries())
      Annotations.of(this).addWarningV2(`hourhand:deployment-${index}`, warning)
    if (deployment.alarmEmail === undefined) {
      Annotations.of(this).addInfo(
        'nobody is subscribed to the alarms: add -c alarmEmail=you@example.org, or subscribe to the topic in the outputs',
      )
    }
    new CfnOutput(this, 'TableName', { value: table.tableName, description: 'For the command line: HOURHAND_TABLE' })
    new CfnOutput(this, 'AlertTopicArn', { value: alerts.topicArn, description: 'Subscribe here to hear of alarms' })
  }
}
