import { DAY_MS, fromIso } from '../core/time.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { DeciderStreak, StrategyState } from '../../schemas/state.ts'
import type { LedgerEvent } from './events.ts'

type Followed = {
  streak: DeciderStreak | null
  emissions: Pick<DomainEvent, 'type' | 'subject' | 'detail'>[]
}

/** The state keeps this much of a provider's words; the cycle's record has all of them. */
const MESSAGE_KEPT = 400

/**
 * The streak of failed slots after one more slot, and what the owner is told of it: once at its first slot, once a day
 * while it lasts, once when the decider decides again. A slot that is tried again and fails again counts once; a slot
 * at which the decider was not asked changes nothing.
 */
export function followDecider(
  { deciderStreak: before, strategyId }: Pick<StrategyState, 'deciderStreak' | 'strategyId'>,
  { slot, failure }: Pick<Extract<LedgerEvent, { type: 'slot_finished' }>, 'slot' | 'failure'>,
): Followed {
  if (failure === undefined || (failure === null && before === null)) return { streak: before, emissions: [] }
  if (failure === null)
    return {
      streak: null,
      emissions:
        before === null ? [] : [{ type: 'decider_recovered', subject: strategyId, detail: ended(before, slot) }],
    }
  const { kind } = failure
  const message = failure.message.slice(0, MESSAGE_KEPT)
  const isTold = before !== null && fromIso(slot) - fromIso(before.toldAt) < DAY_MS
  const streak: DeciderStreak = {
    since: before?.since ?? slot,
    lastSlot: slot,
    slots: (before?.slots ?? 0) + (before?.lastSlot === slot ? 0 : 1),
    kind,
    message,
    toldAt: isTold ? before.toldAt : slot,
  }
  return {
    streak,
    emissions: isTold ? [] : [{ type: 'decider_failing', subject: strategyId, detail: going(streak) }],
  }
}

const going = ({ since, lastSlot, slots, kind, message }: DeciderStreak): DomainEvent['detail'] => ({
  since,
  lastSlot,
  slots,
  kind,
  message,
  reason: `the decider has failed at ${slots} ${slots === 1 ? 'slot' : 'slots in a row'} since ${since} (${kind}): nothing is opened or closed by decision until it answers again; an open position keeps its stop and its target`,
})

const ended = ({ since, lastSlot, slots, kind, message }: DeciderStreak, slot: string): DomainEvent['detail'] => ({
  since,
  lastSlot,
  slots,
  kind,
  message,
  reason: `the decider decides again at ${slot}: it had failed at ${slots} ${slots === 1 ? 'slot' : 'slots in a row'} since ${since} (${kind})`,
})
