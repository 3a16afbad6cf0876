import { toIso } from '../core/time.ts'
import type { Emission } from '../ledger/transition.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { ExecutionPorts } from './ports.ts'

/** Events that somebody should hear of, each with a metric of its name. */
const ALARMING: ReadonlySet<Emission['type']> = new Set([
  'naked',
  'unknown',
  'halted',
  'failed',
  'overrun',
  'overridden',
])
/** Events that are warnings besides; the metric of a failing decider is written slot by slot. */
const WARNING: ReadonlySet<Emission['type']> = new Set([...ALARMING, 'decider_failing'])

/**
 * Tells of something that no commit stands for. `id` names the happening, so that hearing of it twice is recognised.
 */
export const publish = (ports: ExecutionPorts, id: string, emission: Emission): Promise<void> =>
  announce(ports, [{ ...emission, id, strategyId: ports.config.id, mode: ports.config.mode, at: toIso(ports.clock()) }])

/** Sends what happened to the log, to the metrics the alarms watch, and to the bus, in this order. */
export async function announce({ telemetry, events }: ExecutionPorts, happened: readonly DomainEvent[]): Promise<void> {
  if (happened.length === 0) return
  for (const { type, subject, detail } of happened) {
    telemetry.log(WARNING.has(type) ? 'warn' : 'info', type, { subject, ...detail })
    // A metric costs money each month it is written in; those that nobody is woken by are in the log.
    if (ALARMING.has(type)) telemetry.metric(type, 1, 'Count')
  }
  await events.publish(happened)
}
