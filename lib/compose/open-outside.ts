import { type EventSink, noEvents, noSchedule, type ScheduleSwitch, type Telemetry } from '../telemetry/telemetry.ts'
import type { Redact } from '../telemetry/redact.ts'
import type { Environment } from '../../schemas/environment.ts'

/** Event bus and schedule of a deployment; a local run, and a dry one, has neither. */
export async function openOutside({
  environment,
  telemetry,
  dryRun,
  redact,
  onSwitched,
}: {
  environment: Environment
  telemetry: Telemetry
  dryRun: boolean
  redact: Redact
  /** Hears whether the schedule could be switched. */
  onSwitched?: (isSwitched: boolean) => void
}): Promise<{ events: EventSink; schedule: ScheduleSwitch }> {
  const { HOURHAND_BUS: busName, HOURHAND_CYCLE_RULE: ruleName, HOURHAND_EVENTS_ENDPOINT: endpoint } = environment
  if (dryRun || (busName === undefined && ruleName === undefined)) return { events: noEvents, schedule: noSchedule }
  const { createEventBridgeClient, createEventBridgeSink, createScheduleSwitch } =
    await import('../telemetry/event-bridge.ts')
  const client = createEventBridgeClient(endpoint)
  return {
    events: busName === undefined ? noEvents : createEventBridgeSink({ busName, client, telemetry, redact }),
    schedule:
      ruleName === undefined
        ? noSchedule
        : createScheduleSwitch({ ruleName, client, telemetry, ...(onSwitched === undefined ? {} : { onSwitched }) }),
  }
}
