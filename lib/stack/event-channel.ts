import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { DomainEvent } from '../../schemas/event.ts'

/** What the functions put into an event's `source`. */
const SOURCE = 'hourhand'

/** Events that a person should hear of at once. */
const URGENT: readonly DomainEvent['type'][] = [
  'halted',
  'unknown',
  'naked',
  'failed',
  'overridden',
  'decider_failing',
  'decider_recovered',
]

/** The strategy's own event bus: every event is logged, the urgent ones go to the topic. */
export class EventChannel extends Construct {
  readonly bus: EventBus

  constructor(scope: Construct, id: string, props: { name: string; alerts: ITopic }) {
    super(scope, id)
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: props.name,
      description: 'What the strategy did and what befell it',
    })
    const log = new LogGroup(this, 'Log', {
      logGroupName: `/aws/events/${props.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    log.grantWrite(new ServicePrincipal('events.amazonaws.com'))
    new Rule(this, 'Everything', {
      description: 'Every event of the strategy, into the log',
      eventBus: this.bus,
      eventPattern: { source: [SOURCE] },
      targets: [logTarget(log)],
    })
    new Rule(this, 'Urgent', {
      description: `Events a person should hear of: ${URGENT.join(', ')}`,
      eventBus: this.bus,
      eventPattern: { source: [SOURCE], detailType: [...URGENT] },
      targets: [new SnsTopic(props.alerts)],
    })
  }
}

/**
 * A log group as a rule's target. The library's own target sets the group's policy through a custom resource,
 * a function of its own; the plain resource policy granted above does the same.
 */
const logTarget = (log: LogGroup): IRuleTarget => ({
  bind: () => ({
    arn: Stack.of(log).formatArn({
      service: 'logs',
      resource: 'log-group',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: log.logGroupName,
    }),
    targetResource: log,
  }),
})
