import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge'
import { DomainEvent } from '../../schemas/event.ts'
import { fromIso } from '../core/time.ts'
import { awsAgents } from '../net/proxy.ts'
import type { Redact } from './redact.ts'
import { redactWords } from './redact-fields.ts'
import type { EventSink, ScheduleSwitch, Telemetry } from './telemetry.ts'

/** What EventBridge takes in one request. */
const BATCH_SIZE = 10

/** The bus is not worth more of a cycle's time than this, per request and retries within. */
const DEADLINE_MS = 5_000

type BusOptions = { client: EventBridgeClient; telemetry: Telemetry; deadlineMs?: number }

/** What is told to others is told without secrets. */
const nothingSecret: Redact = (text) => text

/**
 * Publishes events to a bus: source `hourhand`, detail type the event's type. (Whoever makes an event has logged
 * and counted it before, so that the alarms know even when the bus does not answer.)
 * What the bus refuses is sent once more and then logged. Never rejects; an event the schema refuses is logged and
 * costs only itself.
 */
export function createEventBridgeSink({
  busName,
  client,
  telemetry,
  deadlineMs = DEADLINE_MS,
  redact = nothingSecret,
}: BusOptions & { busName: string; redact?: Redact }): EventSink {
  const send = async (entries: PutEventsRequestEntry[]): Promise<PutEventsRequestEntry[]> => {
    const { Entries: results = [] } = await client.send(new PutEventsCommand({ Entries: entries }), {
      abortSignal: AbortSignal.timeout(deadlineMs),
    })
    const refused = entries.filter((_entry, index) => results[index]?.EventId === undefined)
    if (refused.length > 0)
      telemetry.log('warn', 'the event bus refused events', {
        count: refused.length,
        errors: results.flatMap((result) => result.ErrorCode ?? []),
      })
    return refused
  }

  const publishBatch = async (entries: PutEventsRequestEntry[]): Promise<void> => {
    try {
      const refused = await send(entries)
      const lost = refused.length === 0 ? [] : await send(refused)
      if (lost.length > 0)
        telemetry.log('error', 'events lost: the bus refused them twice', { events: lost.map((entry) => entry.Detail) })
    } catch (error) {
      telemetry.log('error', 'events lost: the bus did not answer', {
        error,
        events: entries.map((entry) => entry.Detail),
      })
    }
  }

  return {
    async publish(events) {
      const entries = events.flatMap((event) => entryOf(redactWords(event, redact), busName, telemetry))
      for (let start = 0; start < entries.length; start += BATCH_SIZE)
        await publishBatch(entries.slice(start, start + BATCH_SIZE))
    },
  }
}

function entryOf(event: DomainEvent, busName: string, telemetry: Telemetry): PutEventsRequestEntry[] {
  const parsed = DomainEvent.safeParse(event)
  if (!parsed.success) {
    telemetry.log('error', 'event dropped: it is not what its schema says', { event, error: parsed.error })
    return []
  }
  const { type, at } = parsed.data
  return [
    {
      EventBusName: busName,
      Source: 'hourhand',
      DetailType: type,
      Detail: JSON.stringify(parsed.data),
      Time: new Date(fromIso(at)),
    },
  ]
}

/** Switches one rule. Never rejects: a schedule that goes on costs a cycle that finds the strategy halted. */
export function createScheduleSwitch({
  ruleName,
  client,
  telemetry,
  deadlineMs = DEADLINE_MS,
  onSwitched = () => {},
}: BusOptions & { ruleName: string; onSwitched?: (isSwitched: boolean) => void }): ScheduleSwitch {
  const attempt = async (
    what: string,
    fields: Record<string, unknown>,
    act: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
  ): Promise<void> => {
    try {
      await act({ abortSignal: AbortSignal.timeout(deadlineMs) })
      telemetry.log('warn', `the decision schedule is ${what}`, { rule: ruleName, ...fields })
      onSwitched(true)
    } catch (error) {
      telemetry.log('error', `the decision schedule could not be ${what}`, { rule: ruleName, ...fields, error })
      onSwitched(false)
    }
  }
  return {
    disable: (reason) =>
      attempt('disabled', { reason }, (options) => client.send(new DisableRuleCommand({ Name: ruleName }), options)),
    enable: () => attempt('enabled', {}, (options) => client.send(new EnableRuleCommand({ Name: ruleName }), options)),
  }
}

/** A client for the account and region of the environment, or of `endpoint`: tests. */
export const createEventBridgeClient = (endpoint?: string): EventBridgeClient =>
  new EventBridgeClient({
    requestHandler: awsAgents(endpoint),
    ...(endpoint === undefined
      ? {}
      : { endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  })
