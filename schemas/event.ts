import { z } from 'zod'
import { IsoTime, Mode, StrategyId } from './primitives.ts'

/** What a Lambda is invoked with: the rule's event, or a person's own. Theirs is loose, ours is strict. */
export const ScheduledEvent = z.looseObject({ source: z.literal('aws.events'), time: IsoTime, id: z.string() })
export const ManualEvent = z.strictObject({
  dryRun: z.boolean().default(false),
  strategy: StrategyId.optional(),
  /** Acts as if it were this instant's slot. */
  at: IsoTime.optional(),
})
export const InvocationEvent = z.union([ScheduledEvent, ManualEvent])
export type InvocationEvent = z.infer<typeof InvocationEvent>

export const DomainEventType = z.enum([
  'opened',
  'protected',
  'closed',
  'refused',
  'halted',
  'resumed',
  'unknown',
  'reconciled',
  'transferred',
  'naked',
  'failed',
  'overrun',
  'overridden',
  'decider_failing',
  'decider_recovered',
])

/** Something the owner may want to hear of; goes to the log and to the event bus. */
export const DomainEvent = z.strictObject({
  /** The same event told twice has the same id. */
  id: z.string(),
  type: DomainEventType,
  strategyId: StrategyId,
  mode: Mode,
  at: IsoTime,
  /** The cycle or trade it is about. */
  subject: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type DomainEvent = z.infer<typeof DomainEvent>
