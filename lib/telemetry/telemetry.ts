import type { DomainEvent } from '../../schemas/event.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>
export type MetricUnit = 'Count' | 'Milliseconds' | 'None'

/** Structured log and metrics. Secrets given at construction never come out, whatever field they hide in. */
export type Telemetry = {
  log(level: LogLevel, message: string, fields?: LogFields): void
  metric(name: string, value: number, unit: MetricUnit): void
}

/** Where domain events go. Never rejects: a bus that is down costs a log line, not a trade. */
export type EventSink = { publish(events: readonly DomainEvent[]): Promise<void> }

/** Switches the decision schedule off when the strategy halts, and on again. Never rejects. */
export type ScheduleSwitch = { disable(reason: string): Promise<void>; enable(): Promise<void> }

/** Says nothing. For tests and for replays. */
export const silentTelemetry: Telemetry = { log() {}, metric() {} }
export const noEvents: EventSink = { async publish() {} }
export const noSchedule: ScheduleSwitch = { async disable() {}, async enable() {} }
