import type { Broker } from '../venue/broker.ts'
import { dec, minus } from '../core/decimal.ts'
import { fromIso, toIso } from '../core/time.ts'
import { limitsOf } from '../core/time-limits.ts'
import type { VenueOrder } from '../../schemas/order.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { ExecutionPorts } from './ports.ts'
import { instrumentOf } from './held-instrument.ts'
import { CASH_TOLERANCE } from './reconcile/compare.ts'
import type { VenueFacts } from './venue-facts.ts'

const MAX_READS = 3

/**
 * Asks the venue for everything. The answers are not of one instant; position and cash are therefore read
 * before and after the rest, and all is read again when they moved in between.
 */
export async function gatherVenueFacts(ports: ExecutionPorts, state: StrategyState): Promise<VenueFacts> {
  const { broker, clock } = ports
  const limits = limitsOf(ports.config)
  const { venueSymbol: symbol } = instrumentOf(state, ports.config.instrument)
  const since = fromIso(state.cursor.since)
  const { instrument, session } = await broker.instrument(symbol)
  if (broker.readAll !== undefined) {
    const pendingOrder = await readPending(ports.broker, state)
    const reading = await broker.readAll(symbol, since)
    return {
      at: toIso(clock()),
      limits,
      instrument,
      session,
      transfers: [],
      ...reading,
      pendingOrder,
      listsFunding: broker.capabilities.listsFunding,
      isSettled: true,
    }
  }
  for (let read = 1; ; read++) {
    const [before, cashBefore] = await Promise.all([broker.position(symbol), broker.account().then(({ cash }) => cash)])
    // First: what it says of itself leads to the exits attached to it.
    const pendingOrder = await readPending(ports.broker, state)
    const [openOrders, fills, funding, transfers] = await Promise.all([
      broker.openOrders(symbol),
      broker.fills(symbol, since),
      broker.fundingPayments(symbol, since),
      broker.transfers?.(since) ?? [],
    ])
    const [position, account] = await Promise.all([broker.position(symbol), broker.account()])
    const isSettled =
      before?.quantity === position?.quantity &&
      before?.side === position?.side &&
      dec(minus(cashBefore, account.cash)).abs().lt(CASH_TOLERANCE)
    if (isSettled || read === MAX_READS)
      return {
        at: toIso(clock()),
        limits,
        instrument,
        session,
        account,
        position,
        openOrders,
        fills,
        funding,
        transfers,
        pendingOrder,
        listsFunding: broker.capabilities.listsFunding,
        isSettled,
      }
  }
}

function readPending(broker: Broker, { phase, instrument }: StrategyState): Promise<VenueOrder | null> {
  if (phase.kind !== 'opening' && phase.kind !== 'closing') return Promise.resolve(null)
  const { order, orderId, intendedAt } = phase.intent
  const ref = { clientOrderId: order.clientOrderId, orderId, since: fromIso(intendedAt) }
  return broker.order(instrument.venueSymbol, ref)
}
