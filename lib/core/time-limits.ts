import { intervalMsOf } from './interval.ts'
import { MINUTE_MS, SECOND_MS } from './time.ts'

/**
 * How far the lists of a venue may lag behind what has happened there: an order that was taken, a fill, a position, an
 * exit on its way to resting. What has been seen of the live venues stays below it; paper trading is held to the same.
 */
export const VENUE_LAG_MS = 30 * SECOND_MS

/** Time a cycle needs besides its decider: a late bar, the venue's lists, an order and what follows it. */
const ACTING_MS = 60 * SECOND_MS

/** Some seconds for a request and its answer, twice over: slow venues answer within ten. */
const EXIT_LIFE_MS = 20 * SECOND_MS

/** What the limits depend on, in milliseconds. `deciderTimeoutMs` is 0 for a decider that answers at once. */
export type TimeLimitInputs = { intervalMs: number; deciderTimeoutMs: number; venueLagMs: number }

/** How long everything that waits waits, in milliseconds. */
export type TimeLimits = {
  /** An invocation is ended after this long, whatever it is doing. */
  hardDeadlineMs: number
  /** An unfinished cycle is left to its invocation for this long, then another one takes it over. */
  leaseMs: number
  /** An outbox this old belongs to an invocation that is gone. */
  outboxLifeMs: number
  /** The longest time for which a decider may be asked. */
  maxDeciderTimeoutMs: number
  /** The longest time for which one request to the venue may be out. */
  maxRequestTimeoutMs: number
  /** An entry may be on its way for this long; after that it is not sent, or taken back. */
  entryLifeMs: number
  /** The same of a stop, a target or a close, which are wanted however long ago they were decided. */
  exitLifeMs: number
  /** The end of cancelled exits is waited for this long before a close is sent. */
  cancelPatienceMs: number
  /** After its deadline an entry may still turn up at the venue for this long. */
  lateArrivalMs: number
  /** After its deadline an order that neither fills nor ends, or whose fills are missing, becomes an incident. */
  stuckMs: number
  /** A difference must be seen twice, this far apart, before anything is done about it. */
  suspicionMs: number
  /** The position may tell of a fill this much later than the list of fills does. */
  positionLagMs: number
  /** An exit that the venue has accepted may take this long to rest. */
  formingMs: number
  /** Clocks of two machines may differ by this much. */
  clockToleranceMs: number
  /** An older quote is not traded on. */
  quoteAgeMs: number
}

const between = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value))

/**
 * Every time limit of a strategy, from its interval, its decider's deadline and its venue's lag. What waits for the
 * venue waits its lag at least; what an invocation may do takes at most its hard deadline, and its lease is longer.
 */
export function timeLimitsOf({ intervalMs, deciderTimeoutMs, venueLagMs }: TimeLimitInputs): TimeLimits {
  const usualMs = between(MINUTE_MS, intervalMs, 3 * MINUTE_MS)
  const neededMs = deciderTimeoutMs === 0 ? 0 : deciderTimeoutMs + ACTING_MS
  // Functions count their time in whole seconds.
  const hardDeadlineMs = Math.ceil(Math.max(usualMs, neededMs) / SECOND_MS) * SECOND_MS
  const leaseMs = Math.ceil((hardDeadlineMs * 4) / 3)
  return {
    hardDeadlineMs,
    leaseMs,
    outboxLifeMs: leaseMs + MINUTE_MS,
    maxDeciderTimeoutMs: Math.floor((intervalMs * 2) / 3),
    maxRequestTimeoutMs: intervalMs,
    // An entry that was decided a whole interval ago is no longer what the strategy wants.
    entryLifeMs: Math.min(EXIT_LIFE_MS, intervalMs),
    exitLifeMs: EXIT_LIFE_MS,
    cancelPatienceMs: 12 * SECOND_MS,
    lateArrivalMs: venueLagMs,
    stuckMs: 2 * venueLagMs,
    suspicionMs: venueLagMs,
    positionLagMs: venueLagMs,
    formingMs: venueLagMs,
    // Half an interval at most: a slot of the future must not be taken for the present one.
    clockToleranceMs: Math.min(2 * MINUTE_MS, Math.floor(intervalMs / 2)),
    quoteAgeMs: between(venueLagMs, intervalMs, 2 * MINUTE_MS),
  }
}

/** What of a configuration the limits depend on. */
type Timed = { readonly interval: string; readonly decider: { readonly kind: string; readonly timeoutMs?: number } }

const known = new Map<string, TimeLimits>()

/** The limits of a configured strategy at a venue with the usual lag. */
export function limitsOf({ interval, decider: { timeoutMs = 0 } }: Timed): TimeLimits {
  const key = `${interval} ${timeoutMs}`
  const before = known.get(key)
  if (before !== undefined) return before
  const inputs = { intervalMs: intervalMsOf({ interval }), deciderTimeoutMs: timeoutMs, venueLagMs: VENUE_LAG_MS }
  const limits = timeLimitsOf(inputs)
  known.set(key, limits)
  return limits
}
