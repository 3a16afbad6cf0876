import { toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import type { Approved } from '../guard/approval.ts'
import type { EntryDecision } from '../../schemas/decision.ts'
import type { EntryOrder, Placement } from '../../schemas/order.ts'
import type { EntryIntent, StrategyState } from '../../schemas/state.ts'
import { commit, StateConflict } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'
import { sendOrder } from './send-order.ts'

/** The state moved before the entry was committed: nothing of it exists anywhere. */
export class EntryNotCommitted extends StateConflict {}

export type EntryRequest = {
  order: Approved<EntryOrder>
  decision: EntryDecision
  cycleId: string
  regime: string | null
}

/**
 * Opens a position: commit the frozen order, then send it, once. Sent by the invocation that committed it and by
 * nobody else, ever: whatever happens after the commit is found out by asking the venue under the same id, and
 * an order the venue does not know by its deadline is given up.
 */
export async function enterPosition(
  ports: ExecutionPorts,
  state: StrategyState,
  request: EntryRequest,
): Promise<{ state: StrategyState; placement: Placement }> {
  const { clock, config } = ports
  const { order, decision, cycleId, regime } = request
  const now = clock()
  const deadline = now + limitsOf(config).entryLifeMs
  const { confidence, rationale, invalidation } = decision
  const intent: EntryIntent = {
    cycleId,
    order,
    status: 'intended',
    orderId: null,
    intendedAt: toIso(now),
    deadline: toIso(deadline),
    thesis: { cycleId, confidence, rationale, invalidation, regime },
  }
  const intended = await commit(ports, state, [{ type: 'entry_intended', at: toIso(now), intent }]).catch(
    (error: unknown) => {
      throw error instanceof StateConflict ? new EntryNotCommitted(error.message, { cause: error }) : error
    },
  )
  const placement = await sendOrder(ports, order, deadline)
  const at = toIso(clock())
  switch (placement.outcome) {
    case 'accepted':
      return {
        placement,
        state: await commit(ports, intended, [
          { type: 'entry_acknowledged', at, status: 'accepted', orderId: placement.orderId },
        ]),
      }
    case 'unknown':
      return {
        placement,
        state: await commit(ports, intended, [{ type: 'entry_acknowledged', at, status: 'unknown', orderId: null }]),
      }
    case 'rejected':
      return {
        placement,
        state: await commit(ports, intended, [{ type: 'entry_ended', at, end: 'rejected', reason: placement.reason }]),
      }
    default:
      return placement satisfies never
  }
}
