import type { PlacementQuirk } from './place.ts'
import type { VenueReply, VenueRequest } from './request.ts'

/**
 * What goes wrong with one request. `takesEffect` says whether the venue acts on it before things go wrong; a fault
 * about an order (`reject`, `partial_fill`, …) changes what becomes of the order that the request places.
 */
export type Fault =
  /** The connection is refused: nothing arrives. */
  | { kind: 'refuse_connection' }
  /** The connection ends without an answer. */
  | { kind: 'drop'; takesEffect: boolean }
  /** Acts at once, answers late. */
  | { kind: 'delay'; ms: number }
  /** No answer ever; the request takes effect this much later. */
  | { kind: 'arrive_late'; ms: number }
  | { kind: 'stall'; takesEffect: boolean; beforeHeaders?: boolean }
  /** A complete answer with half the JSON. */
  | { kind: 'truncate'; takesEffect: boolean }
  /** The connection ends inside the body. */
  | { kind: 'cut'; takesEffect: boolean }
  /** That status instead of the answer; `text` replaces its body. */
  | { kind: 'status'; status: number; takesEffect: boolean; text?: string }
  /** 401 in plain text, 403 for a missing scope, 429; nothing takes effect. */
  | { kind: 'unauthorized' }
  | { kind: 'forbidden' }
  | { kind: 'rate_limited' }
  /** The order or each cancel is refused with this failure reason, or the preview has it among its errors. */
  | { kind: 'reject'; reason: string }
  /** Of what the order takes at once, only this part is there. */
  | { kind: 'partial_fill'; fraction: number }
  /** The order is taken and its attached bracket never comes to be. */
  | { kind: 'childless' }
  /** The order is missing from lists for so long, and from `GET` by its id, too. */
  | { kind: 'invisible'; ms: number; byId: boolean }
  /** The bracket is taken at other prices than were asked for, on a coarser tick, or cut in size. */
  | { kind: 'other_bracket'; stopFactor?: number; targetFactor?: number; roundsToTicks?: number; sizeFactor?: number }
  /** Accepted, then FAILED. */
  | { kind: 'late_failure'; afterMs: number; reason?: string }
  /** The answer to an accepted order tells another side, product or client id than the order's. */
  | { kind: 'wrong_echo'; side?: 'BUY' | 'SELL'; productId?: string; clientOrderId?: string; orderId?: string }
  /** Changes the parsed JSON of the answer; in process only. */
  | { kind: 'tamper'; change: (body: unknown) => unknown }

/** A fault for the requests it matches. */
export type FaultRule = {
  /**
   * Of the requests with this method, path or beginning of a path (one that ends in `*`); all of them when left out.
   */
  on?: { method?: string; path?: string } | ((request: VenueRequest) => boolean)
  fault: Fault
  /** How many requests it strikes, 1 when left out. */
  times?: number
  /** Matching requests let through before it strikes, 0 when left out. */
  after?: number
}

export type FaultQueue = {
  add(...rules: FaultRule[]): void
  /** The fault that strikes a request, used up by asking. */
  next(request: VenueRequest): Fault | null
  clear(): void
}

export function createFaultQueue(): FaultQueue {
  let rules: { rule: FaultRule; left: number; skip: number }[] = []
  return {
    add: (...added) => {
      for (const rule of added) rules.push({ rule, left: rule.times ?? 1, skip: rule.after ?? 0 })
    },
    next(request) {
      for (const entry of rules) {
        if (!isMatch(entry.rule, request)) continue
        if (entry.skip > 0) {
          entry.skip -= 1
          continue
        }
        entry.left -= 1
        if (entry.left <= 0) rules = rules.filter((other) => other !== entry)
        return entry.rule.fault
      }
      return null
    },
    clear: () => {
      rules = []
    },
  }
}

function isMatch({ on }: FaultRule, request: VenueRequest): boolean {
  if (on === undefined) return true
  if (typeof on === 'function') return on(request)
  if (on.method !== undefined && on.method !== request.method) return false
  if (on.path === undefined) return true
  return on.path.endsWith('*') ? request.path.startsWith(on.path.slice(0, -1)) : request.path === on.path
}

/** What a fault changes about the order that the request places; null for a fault of another sort. */
export function quirkOf(fault: Fault | null): PlacementQuirk | null {
  switch (fault?.kind) {
    case 'reject':
      return { reason: fault.reason }
    case 'partial_fill':
      return { fillFraction: fault.fraction }
    case 'childless':
      return { isChildless: true }
    case 'other_bracket':
      return { bracket: fault }
    case 'invisible':
      return { hiddenInListsMs: fault.ms, hiddenMs: fault.byId ? fault.ms : 0 }
    case 'late_failure':
      return { fails: { afterMs: fault.afterMs, reason: fault.reason ?? 'HOLD_FAILURE' } }
    default:
      return null
  }
}

/** The reply to a request whose answer would have been a complete one. */
export const replyOf = (status: number, text: string, delayMs = 0): VenueReply => ({
  kind: 'answer',
  status,
  text,
  delayMs,
})
