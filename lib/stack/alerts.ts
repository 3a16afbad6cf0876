import { type Duration, Stack } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'

/** Where an alarm goes. There is no default: to say nothing takes a reason. */
export type AlarmRoute = { readonly notify: ITopic } | { readonly silencedBecause: string }

export type AlarmProps = {
  /** What has happened, and what it means for the owner: a sentence each. */
  readonly impact: string
  readonly metric: IMetric
  readonly route: AlarmRoute
  /** Rings at this value or above; `silence` rings when there is none. */
  readonly when: { readonly atLeast: number } | { readonly silentForPeriods: number }
}

/** An alarm that says what it costs when it rings. */
export class ImpactAlarm extends Alarm {
  constructor(scope: Construct, id: string, { impact, metric, route, when }: AlarmProps) {
    super(scope, id, {
      metric,
      alarmDescription: 'silencedBecause' in route ? `${impact} Tells nobody: ${route.silencedBecause}` : impact,
      ...('atLeast' in when
        ? {
            threshold: when.atLeast,
            comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluationPeriods: 1,
            treatMissingData: TreatMissingData.NOT_BREACHING,
          }
        : {
            threshold: 1,
            comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluationPeriods: when.silentForPeriods,
            treatMissingData: TreatMissingData.BREACHING,
          }),
    })
    if ('notify' in route) this.addAlarmAction(new SnsAction(route.notify))
  }
}

/**
 * A figure this strategy publishes about itself through the log (embedded metric format): how often in a period, or how
 * much at most.
 */
export const strategyMetric = (
  metricName: string,
  strategyId: string,
  period: Duration,
  statistic: 'sum' | 'maximum' = 'sum',
): Metric =>
  new Metric({
    namespace: 'Hourhand',
    metricName,
    dimensionsMap: { strategy: strategyId },
    statistic: statistic === 'sum' ? Stats.SUM : Stats.MAXIMUM,
    period,
  })

/** The topic that reaches the owner: by e-mail where an address is given, otherwise whoever subscribes. */
export class AlertTopic extends Topic {
  constructor(scope: Construct, id: string, props: { displayName: string; email: string | undefined }) {
    super(scope, id, { displayName: props.displayName, enforceSSL: true })
    // The first statement of our own replaces the default policy, which let alarms of this account publish.
    const grant = this.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    )
    grant.assertSuccess()
    if (props.email !== undefined) this.addSubscription(new EmailSubscription(props.email))
  }
}
