import { canonical, dec, type Decimal, type Quantity, ZERO_QUANTITY } from '../../core/decimal.ts'
import { type EpochMs, fromIso, SECOND_MS } from '../../core/time.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { closingSide, sideOpenedBy } from '../../ledger/position.ts'
import { isTerminal, type VenueOrder, type VenuePosition } from '../../../schemas/order.ts'
import type { Position } from '../../../schemas/state.ts'
import type { Draft } from './draft.ts'
import { POSITION_LAG_MS } from './take-executions.ts'

/** Placements of a protecting order that may fail in a row before the position is flattened. */
const MAX_PROTECT_FAILURES = 2

/** Ours or made by hand. */
export const isExit = (order: VenueOrder): boolean => order.kind === 'protect' || order.bracket !== null

/** An exit that the venue has accepted may take this long to rest. */
const FORMING_MS = 30 * SECOND_MS

/**
 * How much a new stop has to cover: what the ledger holds, or less where the venue holds less. The venue knows no
 * reduce-only: a stop for what is not there any more would open the other side. Shortly after an entry the venue's word may be late.
 */
export function sizeToCover(
  { side, quantity, openedAt }: Position,
  venue: VenuePosition | null,
  now: EpochMs,
): Quantity {
  if (now - fromIso(openedAt) < POSITION_LAG_MS) return quantity
  if (venue?.side !== side) return ZERO_QUANTITY
  return dec(venue.quantity).lt(quantity) ? venue.quantity : quantity
}

const remainingOf = ({ quantity, filledQuantity }: VenueOrder): Decimal => dec(quantity).minus(filledQuantity)

/**
 * Sees that exactly one live stop covers exactly what is held. Smaller leaves the rest naked, larger would open the
 * other side when it fires, a second one too: those go. None is placed anew, twice at most, then the position is
 * closed. A stop that has fired and not filled is closed at market at once.
 */
export function checkExits(draft: Draft): void {
  const { facts } = draft
  const { phase } = draft.state
  const position = positionOf(phase)
  if (position === null || (phase.kind !== 'open' && phase.kind !== 'opening')) return
  const { protection } = position
  // The one we know first, so that of two it stays, then ours: a hand's own stop counts only where there is none.
  const rankOf = ({ orderId, kind }: VenueOrder): number =>
    protection.status === 'live' && protection.orderId === orderId ? 0 : kind === 'protect' ? 1 : 2
  const exits = facts.openOrders
    .filter((order) => isExit(order) && !isTerminal(order.status))
    .sort((a, b) => rankOf(a) - rankOf(b))
  const wanted = facts.isSettled ? sizeToCover(position, facts.position, fromIso(facts.at)) : position.quantity
  // One of the ledger's size stays until the ledger has learned that there is less.
  const fits = (order: VenueOrder) =>
    order.side === closingSide(position.side) &&
    [position.quantity, wanted].some((size) => size !== '0' && remainingOf(order).eq(size))
  const covering = exits.find(
    (order) => order.status === 'open' && !order.isTriggered && order.bracket !== null && fits(order),
  )
  if (covering?.bracket) {
    const covered = canonical(remainingOf(covering))
    const isKnown =
      protection.status === 'live' && protection.orderId === covering.orderId && dec(protection.quantity).eq(covered)
    if (!isKnown)
      draft.add(
        {
          type: 'protection_confirmed',
          at: facts.at,
          orderId: covering.orderId,
          quantity: covered,
          bracket: covering.bracket,
        },
        `a stop at ${covering.bracket.stopLossPrice} for ${covered} is live`,
      )
    for (const extra of exits)
      if (extra !== covering)
        draft.actions.push({ kind: 'cancel', orderId: extra.orderId, why: 'a second exit on the same position' })
    return
  }
  if (!facts.product.session.isOpen) {
    // Nothing can be placed or closed now; what rests at the venue stays. The next tick asks again.
    draft.notes.push(`the position is not covered and the venue is closed: ${facts.product.session.reason}`)
    return
  }
  const isForming = exits.some(
    (order) => order.status === 'pending' && fits(order) && fromIso(facts.at) - fromIso(order.createdAt) < FORMING_MS,
  )
  if (isForming) return
  const isFired = exits.some((order) => order.isTriggered)
  if (isFired && phase.kind === 'open') {
    draft.notes.push('a stop has fired and is not filled')
    draft.actions.push({ kind: 'flatten', reason: 'stop_loss' })
    return
  }
  if (wanted === '0' && exits.length === 0) {
    // What explains it is still to come.
    draft.notes.push('nothing of the position is left at the venue: it gets no new stop')
    return
  }
  const isUnderWay = protection.status === 'intended' && fromIso(facts.at) <= fromIso(protection.deadline)
  if (isUnderWay) return
  if (protection.status !== 'none') {
    const reason =
      protection.status === 'live'
        ? 'no stop of the right size is at the venue'
        : 'the venue does not know the stop that was sent'
    draft.add({ type: 'protection_lost', at: facts.at, reason }, reason)
  }
  // A venue counts what rests against the position: the right one is taken once the wrong one is seen gone.
  for (const wrong of exits)
    draft.actions.push({
      kind: 'cancel',
      orderId: wrong.orderId,
      why: `it covers ${canonical(remainingOf(wrong))} of ${position.quantity}`,
    })
  if (exits.length > 0) return
  const failures = positionOf(draft.state.phase)?.protectFailures ?? 0
  const canProtect = position.bracket !== null && failures < MAX_PROTECT_FAILURES
  if (canProtect) draft.actions.push({ kind: 'protect' })
  // While more of the entry may fill it cannot be closed; its end is near.
  else if (phase.kind === 'open') draft.actions.push({ kind: 'flatten', reason: 'unprotected' })
}

/**
 * Flat means no working exits, whoever placed them: one that fires now would open a position. While the venue holds what the
 * ledger does not, an exit may be the only stop it has; one of ours that could only add to it goes all the same.
 */
export function sweepStrayOrders(draft: Draft): void {
  const { facts, state } = draft
  if (state.phase.kind !== 'flat') return
  for (const order of facts.openOrders) {
    if (!isExit(order) && order.kind !== 'close') continue
    const addsToIt = facts.position !== null && sideOpenedBy(order) === facts.position.side
    if (facts.position === null || (addsToIt && order.kind !== 'foreign'))
      draft.actions.push({
        kind: 'cancel',
        orderId: order.orderId,
        why: addsToIt ? 'an exit that would add to what is held' : 'an exit without a position',
      })
  }
}
