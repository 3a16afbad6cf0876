import { canonical, dec, minus, type Money, price, type Price, type Quantity, ZERO_MONEY } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { fromIso } from '../../core/time.ts'
import { equityAt, positionOf } from '../../ledger/accounting.ts'
import { closingSide, sideOpenedBy } from '../../ledger/position.ts'
import type { Fill, VenuePosition } from '../../../schemas/order.ts'
import type { ExpectedTransfer, Position } from '../../../schemas/state.ts'
import type { Draft } from './draft.ts'
import { EXTERNAL, standInFor } from './take-executions.ts'

/** Cash may differ by less than a cent: venues round. */
export const CASH_TOLERANCE = '0.01'
/**
 * A difference in cash without a reason, from this much on, is for a person to look at: a dollar, or this fraction of
 * equity if that is more.
 */
const CASH_INCIDENT = '1'
const CASH_INCIDENT_RATE = '0.001'
/** A price worked out from cash is believed this near to the mark. */
const BELIEVED_PRICE = '0.05'

/** Whether ledger and venue hold the same. */
export const isAgreed = (held: Position | null, venue: VenuePosition | null): boolean =>
  held === null || venue === null
    ? held === null && venue === null
    : held.side === venue.side && dec(held.quantity).eq(venue.quantity)

/** Compares what is held. More, or the other side, is not ours; less was closed by somebody else. */
export function comparePosition(draft: Draft): void {
  const { facts, state } = draft
  const held = positionOf(state.phase)
  const venue = facts.position
  if (isAgreed(held, venue)) return
  if (held === null) {
    if (venue === null || state.phase.kind !== 'flat') return
    const detail = `the venue holds a ${venue.side} of ${venue.quantity} that the ledger knows nothing of`
    if (draft.suspect('foreign_position', detail) === null) return
    draft.incident('foreign_position', detail)
    const lost = state.phase.abandoned
    // An entry given up for lost that is there after all: it is held and protected even without its fills.
    if (lost !== null && sideOpenedBy(lost.order) === venue.side && dec(venue.quantity).lte(lost.order.quantity)) {
      standInFor(draft, lost.order, lost.orderId, venue.quantity, venue.averageEntryPrice)
      draft.resolve('foreign_position')
    }
    return
  }
  if (venue !== null && (venue.side !== held.side || dec(venue.quantity).gt(held.quantity))) {
    const detail = `the venue holds a ${venue.side} of ${venue.quantity}, the ledger a ${held.side} of ${held.quantity}`
    if (draft.suspect('foreign_position', detail) !== null) draft.incident('foreign_position', detail)
    return
  }
  takeOverMissing(draft, held, venue)
}

/** Part or all of the position is gone and no fill explains it: the venue's word is taken over its fills. */
function takeOverMissing(draft: Draft, held: Position, venue: VenuePosition | null): void {
  const { facts, state } = draft
  const missing = dec(held.quantity).minus(venue?.quantity ?? '0')
  const detail = `the venue holds ${venue?.quantity ?? '0'}, the ledger ${held.quantity}, and no fill explains it (trade ${held.tradeId})`
  const firstSeen = draft.suspect('position_missing', detail)
  const markPrice = venue?.markPrice ?? state.accounting.markPrice
  if (firstSeen === null || markPrice === null) return
  const exitPrice = priceInCash(draft, held, canonical(missing) as Quantity, markPrice)
  const fill: Fill = {
    fillId: `${EXTERNAL}${held.tradeId}-${held.fillIds.length}`,
    orderId: 'external',
    clientOrderId: null,
    symbol: facts.instrument.venueSymbol,
    side: closingSide(held.side),
    price: exitPrice,
    quantity: canonical(missing) as Quantity,
    fee: ZERO_MONEY,
    slippage: null,
    liquidity: 'unknown',
    reason: 'external',
    // Dated by the first sighting: whoever takes it over, and however often, it is the same fill.
    at: firstSeen,
  }
  draft.resolve('position_missing')
  draft.add(
    { type: 'filled', at: facts.at, fill, multiplier: held.multiplier, liquidationPrice: null, isOrphan: false },
    `${canonical(missing)} closed by somebody else, taken over at ${exitPrice}`,
  )
}

/**
 * The price at which the venue's cash says the missing part was closed, fee included, if it is near the mark;
 * otherwise the mark.
 *
 *   exit price = (released cost basis + direction x cash difference) / base
 */
function priceInCash({ facts, state }: Draft, held: Position, missing: Quantity, markPrice: Price): Price {
  const base = dec(missing).times(held.multiplier)
  const released = dec(held.costBasis).times(missing).div(held.quantity)
  const implied = released
    .plus(dec(minus(facts.account.cash, state.accounting.cash)).times(directionOf(held.side)))
    .div(base)
    .round(8)
  return implied.minus(markPrice).abs().div(markPrice).lte(BELIEVED_PRICE) ? price(implied) : markPrice
}

/** Takes the venue's cash over once it stays different and nothing else is open to question. */
export function compareCash(draft: Draft): void {
  const { facts, state } = draft
  // What of this position is missing has moved the cash too; the fill that explains both is still to come.
  if (!isAgreed(positionOf(state.phase), facts.position)) return
  const difference = minus(facts.account.cash, state.accounting.cash)
  if (dec(difference).abs().lt(CASH_TOLERANCE)) return
  if (isSettlement(draft, difference)) return
  const expected = expectedTransferOf(draft, difference)
  if (expected !== null) return takeExpected(draft, expected, difference)
  const reason = `the venue's cash is ${facts.account.cash}, the ledger's ${state.accounting.cash}`
  if (draft.suspect('cash_differs', reason, { isOneOfItsKind: true }) === null) return
  draft.resolve('cash_differs')
  const share = dec(state.accounting.equity).times(CASH_INCIDENT_RATE)
  const isIncident = dec(difference)
    .abs()
    .gte(share.gt(CASH_INCIDENT) ? share : CASH_INCIDENT)
  draft.add({ type: 'cash_adjusted', at: facts.at, amount: difference, reason, isIncident }, reason)
  // Money that came or went without a reason: nothing new until a person has said what it was. What is held stays held.
  if (isIncident)
    draft.add({
      type: 'halted',
      at: facts.at,
      halt: {
        at: facts.at,
        by: 'incident',
        rule: null,
        reason: `cash: ${reason}; if money was paid in or taken out, say so: hourhand account moved ${difference}`,
      },
    })
}

/** The announced deposit or withdrawal that a difference in cash shows, to the cent; null where there is none. */
export const expectedTransferOf = ({ state, facts }: Draft, difference: Money): ExpectedTransfer | null =>
  state.expectedTransfers.find(
    ({ amount, until }) =>
      fromIso(until) >= fromIso(facts.at) && dec(minus(difference, amount)).abs().lte(CASH_TOLERANCE),
  ) ?? null

function takeExpected(draft: Draft, { transferId, note }: ExpectedTransfer, amount: Money): void {
  const { at } = draft.facts
  draft.add(
    { type: 'transferred', at, transfer: { transferId, at, amount, source: 'operator', note }, isExplanation: false },
    `the announced transfer of ${amount} is there`,
  )
}

/** How far the venue's equity may be from ours at its own mark: the two were not asked for in one instant. */
const EQUITY_NOISE = '0.001'

/**
 * Whether cash differs only because the venue has paid out what the open position had gained or lost so far: what all
 * is worth at the venue's mark is the same. It evens out when the position is closed.
 */
function isSettlement({ facts, state }: Draft, difference: Money): boolean {
  const held = positionOf(state.phase)
  if (held === null || facts.position === null) return false
  const noise = dec(facts.position.markPrice).times(held.quantity).times(held.multiplier).times(EQUITY_NOISE)
  const gap = minus(facts.account.equity, equityAt(state.accounting, held, facts.position.markPrice))
  return dec(gap).abs().lte(noise) && dec(difference).abs().gt(noise.times(2))
}
