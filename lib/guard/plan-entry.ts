import { ceilToStep, type Decimal, dec, floorToStep } from '../core/decimal.ts'
import { directionOf, type PositionSide } from '../core/margin.ts'
import { initialMarginRate, liquidationPriceOf } from '../instrument/margin.ts'
import type { EntryDecision } from '../../schemas/decision.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import { limitsOf } from './limits.ts'
import { type Edge, estimateEdge, largestQuantity, riskFraction } from './size-entry.ts'

/** An entry worked out to the tick and the lot, before any rule has judged it. */
export type EntryPlan = {
  side: PositionSide
  confidence: number
  /** Price at which it would fill now: the ask for a long, the bid for a short. */
  executablePrice: Decimal
  /**
   * What the stop would be judged by now: a long's by the lower of bid and mark, a short's by the higher of ask and
   * mark.
   */
  watchedPrice: Decimal
  /** Worst fill the order will accept, on the tick; the loss is reckoned here. */
  worstPrice: Decimal
  stopLossPrice: Decimal
  takeProfitPrice: Decimal
  leverage: Decimal
  liquidationPrice: Decimal
  /** What the bounds allow; may be below the venue's minimum, even zero. */
  sizedQuantity: Decimal
  /** What the rules judge: the sized quantity, or the venue's minimum where that is larger. */
  quantity: Decimal
  /** At the dearest fill that the order counts on: a long's worst price, a short's quote. */
  notional: Decimal
  /** Money one contract gains from the executable price to the target, fees of both ways taken off. */
  gainPerContract: Decimal
  /** Money lost from the worst fill to the fill of the stop, slippage and fees of both ways included. */
  risk: Decimal
  riskFraction: number
  edge: Edge
}

/**
 * Works an entry out. Prices go to the tick on the safe side: the stop toward the entry (smaller loss), the
 * target toward the entry (smaller promised gain), the worst price inward (smaller slippage). Quantity goes
 * down to the lot. Pure.
 */
export function planEntry(decision: EntryDecision, config: StrategyConfig, facts: GuardFacts): EntryPlan {
  const { guard, sizing } = config
  const { instrument, quote, accounting, sizeCap } = facts
  const side: PositionSide = decision.action === 'open_long' ? 'long' : 'short'
  const isLong = side === 'long'
  const tick = dec(instrument.tickSize)
  const inward = isLong ? floorToStep : ceilToStep
  const outward = isLong ? ceilToStep : floorToStep

  const executablePrice = dec(isLong ? quote.ask : quote.bid)
  const slip = dec(guard.maxEntrySlippageBps).times('0.0001').times(directionOf(side))
  const limit = inward(executablePrice.times(slip.plus(1)), tick)
  // A tick wider than the allowed slippage still has to let the quote itself through, and a quote may lie between
  // ticks.
  const touch = outward(executablePrice, tick)
  // A bid below one tick has no tick under it: nothing can be sold there, and no target lies below it.
  const nearest = touch.gt(0) ? touch : executablePrice
  const worstPrice = isLong ? max(limit, nearest) : min(limit, nearest)
  const { stopLossPrice, takeProfitPrice } = exitsOnTick(side, decision, tick)

  const venueLeverage = dec(1).div(initialMarginRate(instrument, side, worstPrice))
  const leverage = floorToStep(min(dec(guard.maxLeverage), venueLeverage), dec('0.01'))
  const multiplier = dec(instrument.multiplier)
  const notionalPerContract = max(worstPrice, executablePrice).times(multiplier)
  const feeAt = (notional: Decimal): Decimal => notional.times(instrument.fees.taker).plus(instrument.fees.perContract)
  // A stop fills beyond its price: half of the present spread, and as much slippage as an entry is allowed. A gap can
  // cost more.
  const stopSlip = dec(quote.ask)
    .minus(quote.bid)
    .times('0.5')
    .plus(stopLossPrice.times(slip.abs()))
    .times(directionOf(side))
  const lossPerContract = worstPrice.minus(stopLossPrice.minus(stopSlip)).times(directionOf(side)).times(multiplier)
  const riskPerContract = lossPerContract
    .plus(feeAt(worstPrice.times(multiplier)))
    .plus(feeAt(stopLossPrice.times(multiplier)))
  const rewardPerContract = takeProfitPrice.minus(executablePrice).times(directionOf(side)).times(multiplier)
  const gainPerContract = rewardPerContract
    .minus(feeAt(executablePrice.times(multiplier)))
    .minus(feeAt(takeProfitPrice.times(multiplier)))

  const equity = dec(accounting.equity)
  const edge = estimateEdge(facts.trades, sizing)
  const fraction = riskFraction(edge, decision.confidence, sizing, limitsOf(config).risk)
  const sizedQuantity = largestQuantity(
    [
      {
        money: worstPrice.minus(stopLossPrice).times(directionOf(side)).gt(0) ? equity.times(fraction) : dec(0),
        perContract: riskPerContract,
      },
      { money: dec(guard.maxNotional), perContract: notionalPerContract },
      // Equity pays the margin, notional over leverage, and the entry fee on top.
      {
        money: equity.times(leverage),
        perContract: notionalPerContract.plus(feeAt(notionalPerContract).times(leverage)),
      },
    ],
    {
      maxQuantity: sizeCap === null ? dec(instrument.maxQuantity) : min(dec(instrument.maxQuantity), dec(sizeCap)),
      lotSize: dec(instrument.lotSize),
    },
  )
  const quantity = max(sizedQuantity, dec(instrument.minQuantity))
  return {
    side,
    confidence: decision.confidence,
    executablePrice,
    watchedPrice: isLong ? min(dec(quote.bid), dec(quote.mark)) : max(dec(quote.ask), dec(quote.mark)),
    worstPrice,
    stopLossPrice,
    takeProfitPrice,
    leverage,
    // Under margin facts with which nothing can be held, liquidation comes where it was opened.
    liquidationPrice: liquidationPriceOf(instrument, side, worstPrice, leverage) ?? worstPrice,
    sizedQuantity,
    quantity,
    notional: quantity.times(notionalPerContract),
    gainPerContract,
    risk: quantity.times(riskPerContract),
    riskFraction: fraction,
    edge,
  }
}

/** Stop and target on the tick, both toward the entry: a smaller loss, a smaller promised gain. */
export function exitsOnTick(
  side: PositionSide,
  { stopLossPrice, takeProfitPrice }: Pick<EntryDecision, 'stopLossPrice' | 'takeProfitPrice'>,
  tick: Decimal,
): { stopLossPrice: Decimal; takeProfitPrice: Decimal } {
  const [toStop, toTarget] = side === 'long' ? [ceilToStep, floorToStep] : [floorToStep, ceilToStep]
  return { stopLossPrice: toStop(dec(stopLossPrice), tick), takeProfitPrice: toTarget(dec(takeProfitPrice), tick) }
}

const min = (a: Decimal, b: Decimal): Decimal => (a.lt(b) ? a : b)
const max = (a: Decimal, b: Decimal): Decimal => (a.gt(b) ? a : b)
