import type { StrategyState } from '../../../schemas/state.ts'
import type { VenueFacts } from '../venue-facts.ts'
import { checkExits, sweepStrayOrders } from './check-exits.ts'
import { compareCash, comparePosition } from './compare.ts'
import { Draft, type Reconciliation } from './draft.ts'
import { inferFunding } from './infer-funding.ts'
import { resolvePending } from './resolve-pending.ts'
import { moveCursor, takeExecutions } from './take-executions.ts'

export type { Action, Reconciliation } from './draft.ts'

/**
 * Compares the ledger with the venue and says what the ledger has to learn and what the venue has to be told.
 * Pure. In order: fills and funding, the unresolved order, the position, cash, exits, stray orders. The venue's
 * fills and position are the truth. A difference is a suspicion first, which keeps entries out; one that stays is
 * acted on, and one that nobody can explain is an incident that halts.
 */
export function reconcile(state: StrategyState, venue: VenueFacts): Reconciliation {
  const inferred = inferFunding(state, venue)
  const facts = inferred === null ? venue : { ...venue, funding: [...venue.funding, inferred] }
  const draft = new Draft(state, facts)
  takeExecutions(draft)
  moveCursor(draft)
  const isLagging = resolvePending(draft)
  if (!isLagging && facts.isSettled) {
    comparePosition(draft)
    compareCash(draft)
    draft.settleSuspicions()
  }
  checkExits(draft)
  sweepStrayOrders(draft)
  return { events: draft.events, after: draft.after, actions: draft.actions, notes: draft.notes }
}
