import { canonical, dec, type Price } from '../../core/decimal.ts'
import type { Bracket, ProtectOrder, VenueOrder } from '../../../schemas/order.ts'
import type { Position } from '../../../schemas/state.ts'

/**
 * The stop and target that have to rest: those the ledger committed with the entry. A position that was never given any
 * is held to those that were last taken for its own; null where there are none of either.
 */
export const committedBracket = ({ bracket, protection }: Position): Bracket | null =>
  bracket ?? (protection.status === 'live' ? protection.bracket : null)

/** Prices nearer than a tick are one price: the venue can hold no other. */
const isSamePrice = (one: Price, other: Price, tickSize: Price): boolean =>
  one === other || dec(one).minus(other).abs().lt(tickSize)

export const isSameBracket = (one: Bracket, other: Bracket): boolean =>
  dec(one.stopLossPrice).eq(other.stopLossPrice) && dec(one.takeProfitPrice).eq(other.takeProfitPrice)

/** Whether stop and target are the committed ones; anything is where none are. */
export const hasPrices = (bracket: Bracket, committed: Bracket | null, tickSize: Price): boolean =>
  committed === null ||
  (isSamePrice(bracket.stopLossPrice, committed.stopLossPrice, tickSize) &&
    isSamePrice(bracket.takeProfitPrice, committed.takeProfitPrice, tickSize))

/** Whether the venue has taken the very order that was sent at its side, size and prices; null for any other order. */
export const isTakenAsAsked = (order: VenueOrder, asked: ProtectOrder, tickSize: Price): boolean | null =>
  order.clientOrderId !== asked.clientOrderId
    ? null
    : order.side === asked.side &&
      dec(order.quantity).eq(asked.quantity) &&
      order.bracket !== null &&
      hasPrices(order.bracket, asked.bracket, tickSize)

const wordsOf = (bracket: Bracket | null, size: string): string =>
  `${bracket === null ? 'no stop and no target' : `stop ${bracket.stopLossPrice} and target ${bracket.takeProfitPrice}`} for ${size}`

/** What rests, and what was approved, for people. */
export function describeExit(
  { side, quantity, filledQuantity, bracket }: VenueOrder,
  { quantity: held }: Position,
  committed: Bracket | null,
): string {
  const rest = canonical(dec(quantity).minus(filledQuantity))
  return `at the venue rests a ${side} with ${wordsOf(bracket, rest)}; approved were ${wordsOf(committed, held)}`
}
