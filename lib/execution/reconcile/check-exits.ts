import type { TimeLimits } from '../../core/time-limits.ts'
import { canonical, dec, type Decimal, type Quantity, ZERO_QUANTITY } from '../../core/decimal.ts'
import { type EpochMs, fromIso } from '../../core/time.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { closingSide, sideOpenedBy } from '../../ledger/position.ts'
import { type Bracket, isTerminal, type VenueOrder, type VenuePosition } from '../../../schemas/order.ts'
import type { Position } from '../../../schemas/state.ts'
import { committedBracket, describeExit, hasPrices, isSameBracket, isTakenAsAsked } from './compare-exit.ts'
import type { Action, Draft } from './draft.ts'

/** Placements of a protecting order that may fail in a row before the position is flattened. */
const MAX_PROTECT_FAILURES = 2

/** Ours or made by hand. */
export const isExit = (order: VenueOrder): boolean => order.kind === 'protect' || order.bracket !== null

/**
 * How much a new stop has to cover: what the ledger holds, or less where the venue holds less. The venue knows no
 * reduce-only: a stop for what is not there any more would open the other side. Shortly after an entry the venue's word
 * may be late.
 */
export function sizeToCover(
  { side, quantity, openedAt }: Position,
  venue: VenuePosition | null,
  now: EpochMs,
  { positionLagMs }: Pick<TimeLimits, 'positionLagMs'>,
): Quantity {
  if (now - fromIso(openedAt) < positionLagMs) return quantity
  if (venue?.side !== side) return ZERO_QUANTITY
  return dec(venue.quantity).lt(quantity) ? venue.quantity : quantity
}

const remainingOf = ({ quantity, filledQuantity }: VenueOrder): Decimal => dec(quantity).minus(filledQuantity)

/**
 * Sees that exactly one live stop covers exactly what is held, at the stop and target that the ledger committed.
 * Smaller leaves the rest naked, larger would open the other side when it fires, a second one too; further away loses
 * more than was approved, nearer was not decided by anybody who answers for it, whoever moved it: those go. None is
 * placed anew, twice at most, then the position is closed. A stop that has fired and not filled is closed at market at
 * once.
 */
export function checkExits(draft: Draft): void {
  const { phase } = draft.state
  const position = positionOf(phase)
  if (position === null || (phase.kind !== 'open' && phase.kind !== 'opening')) return
  const seen = examineExits(draft, position)
  const covering = seen.exits.find(
    (order) => order.status === 'open' && !order.isTriggered && order.bracket !== null && seen.isRight(order),
  )
  if (covering?.bracket) confirm(draft, position, { ...covering, bracket: covering.bracket }, seen.exits)
  else if (draft.facts.session.isOpen) replaceExits(draft, position, seen)
  else {
    // Nothing can be placed or closed now; what rests at the venue stays. The next tick asks again.
    const difference = seen.differenceOf(seen.exits)
    if (difference !== null && position.protection.status === 'live')
      draft.add({ type: 'protection_lost', at: draft.facts.at, reason: difference }, difference)
    draft.notes.push(`the position is not covered and the venue is closed: ${draft.facts.session.reason}`)
  }
}

type SeenExits = {
  /**
   * Not terminal: the one we know first, so that of two it stays, then ours; a hand's own counts only where there is
   * none.
   */
  exits: VenueOrder[]
  /** How much has to be covered. */
  wanted: Quantity
  /** Of the side and size that is held, at the committed prices. */
  isRight(order: VenueOrder): boolean
  /** Closes the position, at other prices than the committed ones. */
  isElsewhere(order: VenueOrder): boolean
  describe(order: VenueOrder): string
  /** What the first exit at other prices says, and what was approved; null where there is none. */
  differenceOf(orders: readonly VenueOrder[]): string | null
}

function examineExits({ facts }: Draft, position: Position): SeenExits {
  const { protection } = position
  const rankOf = ({ orderId, kind }: VenueOrder): number =>
    protection.status === 'live' && protection.orderId === orderId ? 0 : kind === 'protect' ? 1 : 2
  const exits = facts.openOrders
    .filter((order) => isExit(order) && !isTerminal(order.status))
    .sort((a, b) => rankOf(a) - rankOf(b))
  const wanted = facts.isSettled
    ? sizeToCover(position, facts.position, fromIso(facts.at), facts.limits)
    : position.quantity
  const committed = committedBracket(position)
  const isElsewhere = ({ bracket, side }: VenueOrder): boolean =>
    bracket !== null && side === closingSide(position.side) && !hasPrices(bracket, committed, facts.instrument.tickSize)
  const describe = (order: VenueOrder): string => describeExit(order, position, committed)
  return {
    exits,
    wanted,
    // One of the ledger's size stays until the ledger has learned that there is less.
    isRight: (order) =>
      order.side === closingSide(position.side) &&
      [position.quantity, wanted].some((size) => size !== '0' && remainingOf(order).eq(size)) &&
      !isElsewhere(order),
    isElsewhere,
    describe,
    differenceOf: (orders) => {
      const elsewhere = orders.find(isElsewhere)
      return elsewhere === undefined ? null : describe(elsewhere)
    },
  }
}

/** Takes the stop that covers for the position's own; any other exit goes. */
function confirm(
  draft: Draft,
  { protection }: Position,
  covering: VenueOrder & { bracket: Bracket },
  exits: readonly VenueOrder[],
): void {
  const { orderId, bracket } = covering
  const quantity = canonical(remainingOf(covering))
  const isKnown =
    protection.status === 'live' &&
    protection.orderId === orderId &&
    dec(protection.quantity).eq(quantity) &&
    isSameBracket(protection.bracket, bracket)
  if (!isKnown)
    draft.add(
      { type: 'protection_confirmed', at: draft.facts.at, orderId, quantity, bracket },
      `a stop at ${bracket.stopLossPrice} for ${quantity} is live`,
    )
  for (const extra of exits)
    if (extra.orderId !== orderId)
      draft.actions.push({ kind: 'cancel', orderId: extra.orderId, why: 'a second exit on the same position' })
}

/** No exit covers: waits for the one that is on its way, or asks for what leads to one, or for the position's end. */
function replaceExits(draft: Draft, position: Position, seen: SeenExits): void {
  const { facts } = draft
  const { phase } = draft.state
  const { protection } = position
  const { exits } = seen
  const isForming = exits.some(
    (order) =>
      order.status === 'pending' &&
      seen.isRight(order) &&
      fromIso(facts.at) - fromIso(order.createdAt) < facts.limits.formingMs,
  )
  if (isForming) return
  if (exits.some((order) => order.isTriggered) && phase.kind === 'open') {
    draft.notes.push('a stop has fired and is not filled')
    draft.actions.push({ kind: 'flatten', reason: 'stop_loss' })
    return
  }
  if (seen.wanted === '0' && exits.length === 0) {
    // What explains it is still to come.
    draft.notes.push('nothing of the position is left at the venue: it gets no new stop')
    return
  }
  // What was sent is there already, and is another than was asked for: nothing is left to wait for.
  const misplaced =
    protection.status === 'intended'
      ? exits.find(
          (order) =>
            order.status === 'open' && isTakenAsAsked(order, protection.order, facts.instrument.tickSize) === false,
        )
      : undefined
  const isUnderWay = protection.status === 'intended' && fromIso(facts.at) <= fromIso(protection.deadline)
  if (isUnderWay && misplaced === undefined) return
  if (protection.status !== 'none') {
    const reason =
      seen.differenceOf(exits) ??
      (misplaced !== undefined
        ? seen.describe(misplaced)
        : protection.status === 'live'
          ? 'no stop of the right size is at the venue'
          : 'the venue does not know the stop that was sent')
    draft.add({ type: 'protection_lost', at: facts.at, reason }, reason)
  }
  const failures = positionOf(draft.state.phase)?.protectFailures ?? 0
  const mayProtect = position.bracket !== null && failures < MAX_PROTECT_FAILURES
  // Asked for twice and had otherwise twice: nothing new is entered at such a venue until a person has looked.
  if (misplaced !== undefined && !mayProtect) draft.incident('stop_differs', seen.describe(misplaced))
  // The close takes wrong exits away itself, so that the position is bare no longer than that takes.
  // While more of the entry may fill it cannot be closed; its end is near.
  if (!mayProtect && phase.kind === 'open') draft.actions.push({ kind: 'flatten', reason: 'unprotected' })
  // A venue counts what rests against the position: the right one is taken once the wrong one is seen gone.
  else if (exits.length > 0) for (const wrong of exits) draft.actions.push(removalOf(wrong, position, seen))
  else if (mayProtect) draft.actions.push({ kind: 'protect' })
}

function removalOf(wrong: VenueOrder, { quantity, protection, tradeId }: Position, seen: SeenExits): Action {
  const { orderId } = wrong
  if (!seen.isElsewhere(wrong))
    return { kind: 'cancel', orderId, why: `it covers ${canonical(remainingOf(wrong))} of ${quantity}` }
  // Where the ledger knew of no stop, no event of its tells of the wrong one.
  return {
    kind: 'cancel',
    orderId,
    why: seen.describe(wrong),
    ...(protection.status === 'none' ? { naked: tradeId } : {}),
  }
}

/**
 * Flat means no working exits, whoever placed them: one that fires now would open a position. While the venue holds
 * what the ledger does not, an exit may be the only stop it has; one of ours that could only add to it goes all the
 * same.
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
