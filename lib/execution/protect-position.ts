import { BrokerError } from '../venue/broker.ts'
import { type Quantity, toNumber } from '../core/decimal.ts'
import { atOnePrice, firstExit } from '../core/first-exit.ts'
import { clientOrderIdOf } from '../core/ids.ts'
import { fromIso, toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import { positionOf } from '../ledger/accounting.ts'
import { closingSide } from '../ledger/position.ts'
import type { Bracket, ProtectOrder } from '../../schemas/order.ts'
import type { Position, StrategyState } from '../../schemas/state.ts'
import { closePosition } from './close-position.ts'
import { commit } from './commit.ts'
import type { ExecutionPorts } from './ports.ts'
import { sendOrder } from './send-order.ts'
import { publish } from './publish.ts'
import { isExit, sizeToCover } from './reconcile/check-exits.ts'

const LIST_CHECKS = 5
const LIST_PAUSE_MS = 2_000

/** Whether the exit that the venue speaks of turns up in its lists before long. */
async function isExitListed({ broker, config, sleep }: ExecutionPorts): Promise<boolean> {
  for (let check = 0; check < LIST_CHECKS; check++) {
    if ((await broker.openOrders(config.market.symbol)).some(isExit)) return true
    await sleep(LIST_PAUSE_MS)
  }
  return false
}

/**
 * What is there to protect, read again. The ledger's word where the venue cannot be asked: it may still take an order.
 */
async function readSize({ broker, config, clock }: ExecutionPorts, position: Position): Promise<Quantity> {
  try {
    return sizeToCover(position, await broker.position(config.market.symbol), clock(), limitsOf(config))
  } catch (error) {
    if (error instanceof BrokerError) return position.quantity
    throw error
  }
}

/**
 * Places the stop and target of the open position at the venue, for what the venue holds of it. Whether they are live
 * is for the next reconciliation to read back; a refusal because the price is already beyond the stop or the target
 * closes the position at once, at market.
 */
export async function protectPosition(ports: ExecutionPorts, state: StrategyState): Promise<StrategyState> {
  const { phase } = state
  const position = positionOf(phase)
  if ((phase.kind !== 'open' && phase.kind !== 'opening') || position === null || position.bracket === null)
    return state
  const { config, clock, telemetry } = ports
  const quantity = await readSize(ports, position)
  if (quantity === '0') {
    telemetry.log('warn', 'the venue holds nothing of the position: no stop is placed', { tradeId: position.tradeId })
    return state
  }
  const now = clock()
  const deadline = now + limitsOf(config).exitLifeMs
  const order: ProtectOrder = {
    kind: 'protect',
    clientOrderId: clientOrderIdOf(config.id, fromIso(position.openedAt), 'protect', position.protectAttempts),
    symbol: config.market.symbol,
    side: closingSide(position.side),
    quantity,
    bracket: position.bracket,
  }
  const intended = await commit(ports, state, [
    {
      type: 'protection_intended',
      at: toIso(now),
      order,
      attempt: position.protectAttempts,
      deadline: toIso(deadline),
    },
  ])
  const placement = await sendOrder(ports, order, deadline)
  if (placement.outcome === 'unknown')
    await publish(ports, `${order.clientOrderId}-unknown`, {
      type: 'unknown',
      subject: position.tradeId,
      detail: { leg: 'protect', clientOrderId: order.clientOrderId },
    })
  if (placement.outcome !== 'rejected') return intended
  // An exit may be there already: attached to the entry, and not in the lists yet.
  const mayExist = placement.refusal === 'exit_exists' || placement.refusal === 'duplicate_id'
  if (mayExist && (await isExitListed(ports))) return intended
  const lost = await commit(ports, intended, [
    { type: 'protection_lost', at: toIso(clock()), reason: placement.reason },
  ])
  if (placement.refusal === 'stop_beyond_price') return closePosition(ports, lost, 'stop_loss')
  // A target that the price has passed cannot rest any more, and takes what the market gives.
  return placement.refusal === 'price_out_of_bounds' && (await isTargetPassed(ports, position.bracket))
    ? closePosition(ports, lost, 'take_profit')
    : lost
}

/**
 * Whether the price is beyond the target, by the venue's own mark: the refusal alone may mean another fault of the
 * price.
 */
async function isTargetPassed({ broker, config }: ExecutionPorts, { takeProfitPrice }: Bracket): Promise<boolean> {
  const held = await broker.position(config.market.symbol).catch((error: unknown) => {
    if (error instanceof BrokerError) return null
    throw error
  })
  const target = [{ kind: 'take_profit' as const, price: takeProfitPrice }]
  return held !== null && firstExit(held.side, target, atOnePrice(toNumber(held.markPrice))) !== null
}
