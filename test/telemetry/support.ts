import type { LogFields, LogLevel, Telemetry } from '../../lib/telemetry/telemetry.ts'

/** A telemetry that remembers. */
export function remember() {
  const logs: { level: LogLevel; message: string; fields: LogFields }[] = []
  const metrics: [string, number][] = []
  const telemetry: Telemetry = {
    log: (level, message, fields = {}) => void logs.push({ level, message, fields }),
    metric: (name, value) => void metrics.push([name, value]),
  }
  return { telemetry, logs, metrics }
}
