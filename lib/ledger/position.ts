import {
  canonical,
  cost,
  dec,
  minus,
  type Money,
  money,
  type Price,
  type Quantity,
  sum,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../core/decimal.ts'
import { tradeIdOf } from '../core/ids.ts'
import { invariant } from '../core/invariant.ts'
import { directionOf } from '../core/margin.ts'
import { fromIso, MINUTE_MS } from '../core/time.ts'
import type { Fill } from '../../schemas/order.ts'
import type { PositionReport } from '../../schemas/replay.ts'
import type { PositionSide } from '../../schemas/primitives.ts'
import type { Position, TradeSummary } from '../../schemas/state.ts'
import type { ExitReason, Trade } from '../../schemas/trade.ts'

/** The side of a position that a fill opens or adds to. */
export const sideOpenedBy = (fill: Pick<Fill, 'side'>): PositionSide => (fill.side === 'buy' ? 'long' : 'short')

/** The order side that reduces a position. */
export const closingSide = (side: PositionSide): Fill['side'] => (side === 'long' ? 'sell' : 'buy')

/** What a position is opened for. Without a bracket it has no stop, and is only there to be closed. */
export type PositionOrigin = { cycleId: string; bracket: Position['bracket']; thesis: Position['thesis'] }

/** An empty position, ready for its first fill. */
export function beginPosition(
  { cycleId, bracket, thesis }: PositionOrigin,
  fill: Fill,
  { multiplier, liquidationPrice }: Pick<Position, 'multiplier' | 'liquidationPrice'>,
): Position {
  return {
    tradeId: tradeIdOf(cycleId, fill.fillId),
    side: sideOpenedBy(fill),
    quantity: ZERO_QUANTITY,
    peakQuantity: ZERO_QUANTITY,
    multiplier,
    costBasis: ZERO_MONEY,
    entryNotional: ZERO_MONEY,
    entryBase: ZERO_QUANTITY,
    exitNotional: ZERO_MONEY,
    exitBase: ZERO_QUANTITY,
    openedAt: fill.at,
    bracket,
    liquidationPrice,
    riskAtEntry: bracket === null ? null : ZERO_MONEY,
    gross: ZERO_MONEY,
    fees: ZERO_MONEY,
    funding: ZERO_MONEY,
    slippage: ZERO_MONEY,
    fillIds: [],
    protection: { status: 'none' },
    protectAttempts: 0,
    protectFailures: 0,
    closeAttempts: 0,
    isCloseUnheard: false,
    thesis,
  }
}

/** Position after one fill, with the cash it moved. Quantity zero means it is closed. */
export type FillEffect = { position: Position; gross: Money; fee: Money }

/**
 * Applies a fill. On the opening side it adds to the position; on the other it reduces it and realises
 *
 *   direction x (exit price x base - released cost basis)
 *
 * where the released cost basis is the fill's share of what is held, rounded to eight places, and the last fill
 * releases all that remains, so that the parts add up to the whole exactly. A fill larger than the position
 * would reverse it and throws.
 */
export function applyFill(position: Position, fill: Fill): FillEffect {
  invariant(!position.fillIds.includes(fill.fillId), `fill ${fill.fillId} is already in trade ${position.tradeId}`)
  const filled = dec(fill.quantity)
  const base = filled.times(position.multiplier)
  const notional = money(base.times(fill.price))
  const common = {
    fees: sum(position.fees, fill.fee),
    slippage: sum(position.slippage, fill.slippage ?? ZERO_MONEY),
    fillIds: [...position.fillIds, fill.fillId],
  }
  if (sideOpenedBy(fill) === position.side) {
    const held = canonical(dec(position.quantity).plus(filled)) as Quantity
    const peak = dec(held).gt(position.peakQuantity) ? held : position.peakQuantity
    const grown: Position = {
      ...position,
      ...common,
      quantity: held,
      peakQuantity: peak,
      costBasis: sum(position.costBasis, notional),
      entryNotional: sum(position.entryNotional, notional),
      entryBase: canonical(dec(position.entryBase).plus(base)) as Quantity,
      riskAtEntry: addRisk(position, fill, base),
    }
    return { position: grown, gross: ZERO_MONEY, fee: fill.fee }
  }
  const held = dec(position.quantity)
  invariant(
    filled.lte(held),
    `fill ${fill.fillId} of ${fill.quantity} would reverse a position of ${position.quantity}`,
  )
  const released = filled.eq(held) ? position.costBasis : money(dec(position.costBasis).times(filled).div(held))
  const gross = money(dec(notional).minus(released).times(directionOf(position.side)))
  const shrunk: Position = {
    ...position,
    ...common,
    quantity: canonical(held.minus(filled)) as Quantity,
    costBasis: money(dec(position.costBasis).minus(released)),
    exitNotional: sum(position.exitNotional, notional),
    exitBase: canonical(dec(position.exitBase).plus(base)) as Quantity,
    gross: sum(position.gross, gross),
  }
  return { position: shrunk, gross, fee: fill.fee }
}

/** Money lost at the stop, rounded up: |entry - stop| x base, summed over the entry fills. */
function addRisk(position: Position, fill: Fill, base: ReturnType<typeof dec>): Money | null {
  if (position.bracket === null || position.riskAtEntry === null) return null
  return sum(position.riskAtEntry, cost(dec(fill.price).minus(position.bracket.stopLossPrice).abs().times(base)))
}

/** Average of the entry prices, weighted by size. */
export const averageEntryPrice = (position: Position): Price => average(position.entryNotional, position.entryBase)

const average = (notional: Money, base: Quantity): Price => money(dec(notional).div(base)) as string as Price

/** The trade a closed position was. PnL = gross - fees + funding. Throws while anything is still held. */
export function deriveTrade(strategyId: string, position: Position, lastFill: Fill, exitReason: ExitReason): Trade {
  invariant(position.quantity === '0', `trade ${position.tradeId} still holds ${position.quantity}`)
  const pnl = minus(sum(position.gross, position.funding), position.fees)
  const risk = position.riskAtEntry
  return {
    id: position.tradeId,
    strategyId,
    side: position.side,
    quantity: position.peakQuantity,
    entryTime: position.openedAt,
    entryPrice: averageEntryPrice(position),
    exitTime: lastFill.at,
    exitPrice: average(position.exitNotional, position.exitBase),
    exitReason,
    stopLossPrice: position.bracket?.stopLossPrice ?? null,
    takeProfitPrice: position.bracket?.takeProfitPrice ?? null,
    gross: position.gross,
    fees: position.fees,
    funding: position.funding,
    slippage: position.slippage,
    pnl,
    rMultiple: risk === null || risk === '0' ? null : Number(canonical(dec(pnl).div(risk).round(6))),
    regime: position.thesis?.regime ?? null,
    fillIds: position.fillIds,
  }
}

/** The line of a trade that the next snapshots remember. */
export function summariseTrade(trade: Trade): TradeSummary {
  return {
    id: trade.id,
    side: trade.side,
    regime: trade.regime,
    pnl: trade.pnl,
    rMultiple: trade.rMultiple,
    exitReason: trade.exitReason,
    exitTime: trade.exitTime,
    // A venue may date an exit before its entry when the two are of one instant.
    holdingMinutes: Math.max(0, fromIso(trade.exitTime) - fromIso(trade.entryTime)) / MINUTE_MS,
  }
}

/** Whether a live stop covers everything held. */
export function isProtected(position: Position): boolean {
  return position.protection.status === 'live' && dec(position.protection.quantity).gte(position.quantity)
}

/**
 * Money lost where all that is held is closed at `stop`, before costs, rounded up; nothing where the stop lies in the
 * gain.
 */
export function lossAt({ side, quantity, multiplier, costBasis }: Position, stop: Price): Money {
  const loss = dec(costBasis).minus(dec(quantity).times(multiplier).times(stop)).times(directionOf(side))
  return loss.gt(0) ? cost(loss) : ZERO_MONEY
}

/** Money at risk by the stop that rests, whatever was approved; null where none is known to rest. */
export const moneyAtRisk = (position: Position): Money | null =>
  position.protection.status === 'live' ? lossAt(position, position.protection.bracket.stopLossPrice) : null

/** The ledger's position as reports show it. */
export function reportPosition(position: Position | null): PositionReport | null {
  if (position === null) return null
  const { side, quantity, openedAt, bracket, protection, liquidationPrice, tradeId } = position
  return {
    side,
    quantity,
    entryPrice: averageEntryPrice(position),
    openedAt,
    bracket,
    protection: protection.status,
    liquidationPrice,
    tradeId,
  }
}
