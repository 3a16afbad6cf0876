import type { Clock } from '../core/time.ts'
import { tryWrite } from './json-telemetry.ts'
import type { Telemetry } from './telemetry.ts'

const NAMESPACE = 'Hourhand'

/**
 * Metrics as lines in CloudWatch's embedded metric format, namespace Hourhand, dimension `strategy`: Lambda's log
 * turns them into metrics without a call. Everything else goes to `log`.
 *
 * Format:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function createEmfTelemetry({
  log,
  write,
  clock,
  strategyId,
}: {
  log: Telemetry
  write: (line: string) => void
  clock: Clock
  strategyId: string
}): Telemetry {
  return {
    log: log.log,
    metric(name, value, unit) {
      if (!/^[A-Za-z][\w.-]{0,99}$/.test(name) || name === 'strategy' || !Number.isFinite(value)) {
        log.log('warn', 'metric dropped: name or value is not one CloudWatch takes', { metric: name, value })
        return
      }
      tryWrite(write, () =>
        JSON.stringify({
          _aws: {
            Timestamp: clock(),
            CloudWatchMetrics: [
              { Namespace: NAMESPACE, Dimensions: [['strategy']], Metrics: [{ Name: name, Unit: unit }] },
            ],
          },
          strategy: strategyId,
          [name]: value,
        }),
      )
    },
  }
}
