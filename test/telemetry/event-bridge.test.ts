import { afterEach, describe, expect, test } from 'vitest'
import {
  createEventBridgeClient,
  createEventBridgeSink,
  createScheduleSwitch,
} from '../../lib/telemetry/event-bridge.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import { type AwsAnswer, type AwsCall, startFakeAws } from '../support/fake-aws.ts'
import { remember } from './support.ts'

const event = (subject: string, type: DomainEvent['type'] = 'opened'): DomainEvent => ({
  id: `e-${subject}`,
  type,
  strategyId: 'eth-perp',
  mode: 'paper',
  at: '2026-01-09T09:30:00Z',
  subject,
  detail: { price: '3000', count: 1 },
})
const events = (count: number) => Array.from({ length: count }, (_, index) => event(`cycle-${index}`))

type Entry = { Source: string; DetailType: string; Detail: string; EventBusName: string; Time: number }
const entriesOf = (call: AwsCall | undefined) => (call?.body['Entries'] ?? []) as Entry[]
const accept = (call: AwsCall): AwsAnswer => ({
  body: { FailedEntryCount: 0, Entries: entriesOf(call).map((_entry, index) => ({ EventId: `id-${index}` })) },
})

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

async function start(answer: (call: AwsCall, index: number) => AwsAnswer) {
  const server = await startFakeAws(answer)
  const client = createEventBridgeClient(server.endpoint)
  closing.push(async () => {
    client.destroy()
    await server.close()
  })
  const memory = remember()
  const common = { client, telemetry: memory.telemetry, deadlineMs: 700 }
  return {
    ...memory,
    calls: server.calls,
    sink: createEventBridgeSink({ busName: 'hourhand-eth-perp', ...common }),
    schedule: createScheduleSwitch({ ruleName: 'hourhand-eth-perp-cycle', ...common }),
  }
}

describe('the event sink', () => {
  test('sends events as the bus has them: source, type, the event as detail, its time', async () => {
    const { sink, calls } = await start(accept)
    await sink.publish([event('cycle-1', 'halted')])
    const [entry] = entriesOf(calls[0])
    expect(entry).toMatchObject({
      Source: 'hourhand',
      DetailType: 'halted',
      EventBusName: 'hourhand-eth-perp',
      Time: Date.UTC(2026, 0, 9, 9, 30) / 1_000,
    })
    expect(JSON.parse(entry?.Detail ?? '')).toEqual(event('cycle-1', 'halted'))
  })

  test.each([
    [0, []],
    [1, [1]],
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]],
  ])('%i events in batches of ten', async (count, sizes) => {
    const { sink, calls } = await start(accept)
    await sink.publish(events(count))
    expect(calls.map((call) => entriesOf(call).length)).toEqual(sizes)
    expect(
      calls.flatMap((call) => entriesOf(call).map((entry) => (JSON.parse(entry.Detail) as DomainEvent).subject)),
    ).toEqual(events(count).map(({ subject }) => subject))
  })

  test('sends again, once, just what was refused', async () => {
    const { sink, calls, logs } = await start((call, index) =>
      index === 0
        ? {
            body: {
              FailedEntryCount: 1,
              Entries: entriesOf(call).map((_entry, at) =>
                at === 1 ? { ErrorCode: 'InternalFailure' } : { EventId: 'x' },
              ),
            },
          }
        : accept(call),
    )
    await sink.publish(events(3))
    expect(
      calls.map((call) => entriesOf(call).map((entry) => (JSON.parse(entry.Detail) as DomainEvent).subject)),
    ).toEqual([['cycle-0', 'cycle-1', 'cycle-2'], ['cycle-1']])
    expect(logs.map(({ level }) => level)).toEqual(['warn'])
  })

  test('refused twice: logged whole, and the next batch goes on', async () => {
    const { sink, calls, logs } = await start((call) =>
      entriesOf(call).some((entry) => entry.Detail.includes('cycle-0'))
        ? {
            body: {
              FailedEntryCount: 1,
              Entries: entriesOf(call).map((entry) =>
                entry.Detail.includes('cycle-0') ? { ErrorCode: 'ThrottlingException' } : { EventId: 'x' },
              ),
            },
          }
        : accept(call),
    )
    await sink.publish(events(12))
    expect(calls.map((call) => entriesOf(call).length)).toEqual([10, 1, 2])
    const lost = logs.filter(({ level }) => level === 'error')
    expect(lost).toHaveLength(1)
    expect(JSON.stringify(lost)).toContain('cycle-0')
  })

  test.each<[string, AwsAnswer]>([
    ['denied', { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } }],
    ['failing', { status: 500, body: 'oops' }],
    ['not JSON', { body: '<html>' }],
    ['no answer', 'silence'],
    ['hanging up', 'hang up'],
  ])('never rejects and never hangs: %s', async (_name, answer) => {
    const { sink, logs } = await start(() => answer)
    const begin = performance.now()
    await sink.publish(events(1))
    expect(performance.now() - begin).toBeLessThan(2_500)
    expect(logs.at(-1)).toMatchObject({ level: 'error', message: expect.stringMatching(/events lost/) as unknown })
  })

  test('an event that is none is logged and costs only itself', async () => {
    const { sink, calls, logs } = await start(accept)
    await sink.publish([{ ...event('a'), type: 'exploded' } as unknown as DomainEvent, event('b')])
    expect(entriesOf(calls[0])).toHaveLength(1)
    expect(logs[0]).toMatchObject({ level: 'error', message: expect.stringMatching(/dropped/) as unknown })
  })
})

describe('the schedule switch', () => {
  test('disables and enables its rule', async () => {
    const { schedule, calls, logs } = await start(() => ({ body: {} }))
    await schedule.disable('daily loss')
    await schedule.enable()
    expect(calls).toEqual([
      { target: 'DisableRule', body: { Name: 'hourhand-eth-perp-cycle' } },
      { target: 'EnableRule', body: { Name: 'hourhand-eth-perp-cycle' } },
    ])
    expect(logs).toMatchObject([{ fields: { reason: 'daily loss' } }, {}])
  })

  test.each<[string, AwsAnswer]>([
    ['denied', { status: 400, body: { __type: 'AccessDeniedException' } }],
    ['no answer', 'silence'],
  ])('never rejects: %s', async (_name, answer) => {
    const { schedule, logs } = await start(() => answer)
    await schedule.disable('x')
    await schedule.enable()
    expect(logs.map(({ level }) => level)).toEqual(['error', 'error'])
  })
})
