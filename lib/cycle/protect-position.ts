import { clientOrderIdOf } from '../core/ids.ts'
import { fromIso, toIso } from '../core/time.ts'
import { positionOf } from '../ledger/accounting.ts'
import { closingSide } from '../ledger/position.ts'
import type { Placement, ProtectOrder } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { closePosition, ORDER_LIFE_MS } from './close-position.ts'
import { commit } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'

/** Refusals that mean the price is already beyond the stop: there is nothing left to protect, only to close. */
const ALREADY_BEYOND = new Set([
  'stop_already_triggered',
  'stop_triggered',
  'stop_price_above_last_trade_price',
  'stop_price_below_last_trade_price',
  'invalid_bracket_stop_trigger_price',
  'stop_trigger_price_out_of_bounds',
])

/**
 * Places the stop and target of the open position at the venue. Whether they are live is for the next
 * reconciliation to read back; a refusal because the price is already beyond the stop closes the position at once.
 */
export async function protectPosition(ports: ExecutionPorts, state: StrategyState): Promise<StrategyState> {
  const { phase } = state
  const position = positionOf(phase)
  if ((phase.kind !== 'open' && phase.kind !== 'opening') || position === null || position.bracket === null) return state
  const { broker, config, clock } = ports
  const now = clock()
  const order: ProtectOrder = {
    kind: 'protect',
    clientOrderId: clientOrderIdOf(config.id, fromIso(position.openedAt), 'protect', position.protectAttempts),
    symbol: config.market.symbol,
    side: closingSide(position.side),
    quantity: position.quantity,
    bracket: position.bracket,
  }
  const intended = await commit(ports, state, [
    { type: 'protection_intended', at: toIso(now), order, attempt: position.protectAttempts, deadline: toIso(now + ORDER_LIFE_MS) },
  ])
  const deadline = now + ORDER_LIFE_MS
  const placement: Placement = clock() > deadline ? { outcome: 'rejected', reason: 'its deadline passed before it could be sent' } : await broker.place(order, deadline)
  if (placement.outcome !== 'rejected') return intended
  const lost = await commit(ports, intended, [{ type: 'protection_lost', at: toIso(clock()), reason: placement.reason }])
  return ALREADY_BEYOND.has(placement.reason) ? closePosition(ports, lost, 'stop_loss') : lost
}
