import { canonical, dec, type Money } from '../core/decimal.ts'
import { isExit } from '../execution/reconcile/check-exits.ts'
import { CASH_TOLERANCE } from '../execution/reconcile/compare.ts'
import type { VenueFacts } from '../execution/venue-facts.ts'
import { equityAt, positionOf } from '../ledger/accounting.ts'
import { isProtected, lossAt } from '../ledger/position.ts'
import type { Comparison } from '../../schemas/cli.ts'
import type { OrderRequest, VenueOrder } from '../../schemas/order.ts'
import type { Phase, Position, StrategyState } from '../../schemas/state.ts'
import { amount } from './format.ts'

/**
 * Equity is told by two answers of two instants: the price may have moved by this much of the notional between them.
 */
const MOVED_BETWEEN = '0.005'

/** The ledger beside the venue, line by line; nothing is left out that one of them has and the other has not. */
export function compareVenue(state: StrategyState, facts: VenueFacts): Comparison[] {
  const held = positionOf(state.phase)
  const { position, openOrders } = facts
  return [
    text(
      'position',
      held === null ? 'flat' : `${held.side} ${held.quantity}`,
      position === null ? 'flat' : `${position.side} ${position.quantity}`,
    ),
    ...(held === null && position === null ? [] : [compareEntry(held, facts)]),
    compareMoney('cash', state.accounting.cash, facts.account.cash, CASH_TOLERANCE),
    compareEquity(state, facts),
    ...compareExits(held, openOrders),
    ...(intentOf(state.phase) === null ? [] : [comparePending(state.phase, facts)]),
    ...openOrders.map((order) => compareOrder(state.phase, order)),
  ]
}

export const differencesIn = (comparison: readonly Comparison[]): Comparison[] =>
  comparison.filter(({ agrees }) => !agrees)

/** The order under way, if any. */
export const intentOf = (phase: Phase) => (phase.kind === 'opening' || phase.kind === 'closing' ? phase.intent : null)

/** Rows of a table: what, ledger, venue, and a word where they differ. */
export const comparisonRows = (venueName: string, comparison: readonly Comparison[]): string[][] => [
  ['', 'ledger', `venue (${venueName})`, ''],
  ...comparison.map(({ what, ledger, venue, agrees }) => [what, ledger, venue, agrees ? '' : 'DIFFERS']),
]

const text = (what: string, ledger: string, venue: string): Comparison => ({
  what,
  ledger,
  venue,
  agrees: ledger === venue,
})

function compareMoney(what: string, ledger: string, venue: string, tolerance: string): Comparison {
  return {
    what,
    ledger: amount(ledger, 8),
    venue: amount(venue, 8),
    agrees: dec(ledger).minus(venue).abs().lt(tolerance),
  }
}

/**
 * Average entry price of what is still held: cost basis / (contracts x contract size). Venues round it to somewhere
 * below a tick.
 */
function compareEntry(held: Position | null, { position, instrument }: VenueFacts): Comparison {
  const ours = held === null ? null : dec(held.costBasis).div(dec(held.quantity).times(held.multiplier)).round(8)
  const theirs = position?.averageEntryPrice ?? null
  const agrees = ours !== null && theirs !== null && ours.minus(theirs).abs().lt(instrument.tickSize)
  return { what: 'average entry', ledger: ours === null ? 'none' : canonical(ours), venue: theirs ?? 'none', agrees }
}

function compareEquity(state: StrategyState, { account, position }: VenueFacts): Comparison {
  const held = positionOf(state.phase)
  const equity = equityAt(state.accounting, held, position?.markPrice ?? state.accounting.markPrice)
  const notional =
    held === null || position === null ? dec(0) : dec(held.quantity).times(held.multiplier).times(position.markPrice)
  return compareMoney('equity', equity, account.equity, canonical(notional.times(MOVED_BETWEEN).plus(CASH_TOLERANCE)))
}

function compareExits(held: Position | null, openOrders: readonly VenueOrder[]): Comparison[] {
  const exits = openOrders.filter(isExit)
  const count = text('live exits', held !== null && isProtected(held) ? '1' : '0', String(exits.length))
  const theirs = exits[0]?.bracket ?? null
  const ours = held?.bracket ?? null
  if (ours === null && theirs === null) return [count]
  const protection = held?.protection ?? { status: 'none' as const }
  return [
    count,
    {
      what: 'protected',
      ledger: protection.status === 'live' ? `${protection.quantity} by ${protection.orderId}` : protection.status,
      venue: exits.length === 0 ? 'none' : exits.map(({ quantity, orderId }) => `${quantity} by ${orderId}`).join(', '),
      agrees:
        protection.status === 'live' &&
        exits.length === 1 &&
        exits[0]?.orderId === protection.orderId &&
        exits[0].quantity === protection.quantity,
    },
    text('stop', ours?.stopLossPrice ?? 'none', theirs?.stopLossPrice ?? 'none'),
    text('target', ours?.takeProfitPrice ?? 'none', theirs?.takeProfitPrice ?? 'none'),
    ...(held === null ? [] : [compareRisk(held, exits)]),
  ]
}

/** What would be lost at the approved stop, and at the worst of those that rest. */
function compareRisk(held: Position, exits: readonly VenueOrder[]): Comparison {
  const resting = exits.flatMap(({ bracket }) => (bracket === null ? [] : [lossAt(held, bracket.stopLossPrice)]))
  const worst = resting.reduce<Money | null>((most, loss) => (most !== null && dec(most).gte(loss) ? most : loss), null)
  return text(
    'at risk',
    held.bracket === null ? 'unknown' : amount(lossAt(held, held.bracket.stopLossPrice)),
    worst === null ? 'unknown' : amount(worst),
  )
}

const describeRequest = ({ kind, side, quantity }: OrderRequest): string => `${kind} ${side} ${quantity}`

/** An order under way agrees while the venue knows it as what was meant and has not ended it. */
function comparePending(phase: Phase, { pendingOrder }: VenueFacts): Comparison {
  const intent = intentOf(phase)
  const ledger =
    intent === null ? 'none' : `${describeRequest(intent.order)}, ${intent.status}, until ${intent.deadline}`
  if (pendingOrder === null) return { what: 'order under way', ledger, venue: 'not known', agrees: false }
  const agrees =
    intent !== null &&
    pendingOrder.side === intent.order.side &&
    (pendingOrder.status === 'open' || pendingOrder.status === 'pending')
  return {
    what: 'order under way',
    ledger,
    venue: `${pendingOrder.side} ${pendingOrder.quantity}, ${pendingOrder.status}, ${pendingOrder.filledQuantity} filled`,
    agrees,
  }
}

/** One order that works at the venue, and what the ledger knows of it. */
function compareOrder(phase: Phase, order: VenueOrder): Comparison {
  const { kind, side, quantity, status, bracket, isTriggered, clientOrderId, orderId } = order
  const protection = positionOf(phase)?.protection ?? { status: 'none' as const }
  const intent = intentOf(phase)
  const isProtection =
    protection.status === 'live'
      ? protection.orderId === orderId
      : protection.status === 'intended' && protection.order.clientOrderId === clientOrderId
  const isIntent = intent !== null && (intent.orderId === orderId || intent.order.clientOrderId === clientOrderId)
  const levels = bracket === null ? '' : `, stop ${bracket.stopLossPrice}, target ${bracket.takeProfitPrice}`
  const whose = kind === 'foreign' ? 'not ours' : `our ${kind}`
  return {
    what: `order ${orderId}`,
    ledger: isProtection ? 'our exit' : isIntent ? `our ${intent.order.kind}` : `not known (${whose})`,
    venue: `${side} ${quantity}${levels}, ${isTriggered ? 'fired and not filled' : status}`,
    agrees: (isProtection || isIntent) && !isTriggered,
  }
}
