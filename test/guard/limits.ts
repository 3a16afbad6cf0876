import { Big } from 'big.js'
import type { RuleContext } from '../../lib/guard/rule.ts'
import type { GuardRuleName } from '../../schemas/verdict.ts'

/** Nothing of `lib` is used to judge `lib`, and nothing is divided, so that nothing is rounded. */
const exact = (value: string | number): Big => new Big(value)

/** The levels and size that are judged, as an order would carry them. */
export type Levels = {
  side: 'long' | 'short'
  quantity: string
  worst: string
  stop: string
  target: string
  leverage: string
  confidence: number
}

/**
 * Fills that the order may come to: at the quote, and at its worst. Everything between lies between in every respect.
 */
function fillsOf({ facts: { quote } }: RuleContext, { side, worst }: Levels): [Big, Big] {
  return [exact(side === 'long' ? quote.ask : quote.bid), exact(worst)]
}

/** Every guard limit that such an entry would break, reckoned from the records alone. */
export function brokenLimits(context: RuleContext, levels: Levels): GuardRuleName[] {
  const broken: GuardRuleName[] = []
  const demand = (rule: GuardRuleName, isKept: boolean) => {
    if (!isKept) broken.push(rule)
  }
  const {
    config: { guard, mode },
    snapshot,
    facts,
  } = context
  const { instrument, quote, accounting, phase } = facts
  const isLong = levels.side === 'long'
  const sign = isLong ? 1 : -1
  const now = Date.parse(facts.now)

  demand('kill_switch', facts.halt === null)
  const hasLost = (base: string, limit: number) =>
    exact(base).lte(0) || exact(base).minus(accounting.equity).gte(exact(base).times(limit))
  // What live trading may have at most, as its owner was promised.
  const within = (limit: number, ceiling: number) => (mode === 'live' ? Math.min(limit, ceiling) : limit)
  demand('daily_loss', !hasLost(accounting.dayStartEquity, within(guard.maxDailyLoss, 0.05)))
  demand('drawdown', !hasLost(accounting.peakEquity, within(guard.maxDrawdown, 0.15)))
  demand(
    'fresh_data',
    snapshot.issues.length === 0 && Math.abs(now - Date.parse(quote.at)) <= 120_000 && exact(quote.bid).lte(quote.ask),
  )
  const { isOpen, nextClose } = facts.session
  const untilClose = nextClose === null ? Infinity : Date.parse(nextClose) - now
  demand('session_open', isOpen && !(untilClose >= 0 && untilClose <= guard.sessionBufferMinutes * 60_000))
  const held = phase.kind === 'flat' ? null : phase.position
  demand('no_open_position', held === null)
  demand('no_reversal', held === null || held.side === levels.side)
  demand('no_pending_intent', phase.kind === 'flat' || phase.kind === 'open')
  demand('no_open_incident', facts.openIncidents === 0)

  const [near, worst] = fillsOf(context, levels)
  const stop = exact(levels.stop)
  const target = exact(levels.target)
  const size = exact(levels.quantity)
  const base = size.times(instrument.multiplier)
  const risk = near.minus(stop).times(sign)
  const reward = target.minus(near).times(sign)
  const fee = (at: Big) =>
    at.times(instrument.multiplier).times(instrument.fees.taker).plus(instrument.fees.perContract)
  const watched = [quote.mark, isLong ? quote.bid : quote.ask].map(exact)
  demand(
    'stop_side',
    watched.every((seen) => seen.minus(stop).times(sign).gt(0)) &&
      target.minus(worst).times(sign).gt(0) &&
      stop.gt(0) &&
      target.gt(0),
  )
  const atr = snapshot.views.primary.indicators.atr14
  const hasAtr = atr !== null && atr > 0
  demand(
    'stop_distance',
    hasAtr && risk.gte(exact(atr).times(guard.minStopAtr)) && risk.lte(exact(atr).times(guard.maxStopAtr)),
  )
  const middle = (bid: string, ask: string) => exact(bid).plus(ask).times(0.5)
  demand(
    'price_moved',
    hasAtr &&
      middle(quote.bid, quote.ask)
        .minus(middle(snapshot.quote.bid, snapshot.quote.ask))
        .abs()
        .lte(exact(atr).times(guard.maxPriceMoveAtr)),
  )
  demand(
    'reward_to_risk',
    risk.gt(0) &&
      reward.gte(risk.times(guard.minRewardToRisk)) &&
      reward.times(instrument.multiplier).gt(fee(near).plus(fee(target))),
  )

  const leverage = exact(levels.leverage)
  const maintenance = exact('perNotional' in instrument.margin ? instrument.margin.perNotional.maintenance : Number.NaN)
  // What is left of the margin, entry / L + d (P - entry), where the price is the buffer beyond the stop, is not below
  // the maintenance m P.
  const survives = (entry: Big) => {
    const level = stop.minus(entry.times(guard.liquidationBuffer).times(sign))
    if (level.lt(0)) return false
    // Nothing can be held like that: liquidated where it was opened.
    if (leverage.lte(0) || maintenance.gte(1)) return level.minus(entry).times(sign).gte(0)
    const left = entry.plus(level.minus(entry).times(sign).times(leverage))
    return left.gte(maintenance.times(level).times(leverage))
  }
  demand('stop_before_liquidation', survives(near) && survives(worst))

  demand('confidence', levels.confidence >= guard.minConfidence)
  const equity = exact(accounting.equity)
  // Half the spread and the allowed slippage beyond the stop.
  const stopFill = stop.minus(
    exact(quote.ask)
      .minus(quote.bid)
      .times(0.5)
      .plus(stop.times(guard.maxEntrySlippageBps).times('0.0001'))
      .times(sign),
  )
  const lossFrom = (entry: Big) =>
    entry.minus(stopFill).times(sign).times(instrument.multiplier).plus(fee(entry)).plus(fee(stop)).times(size)
  const worstLoss = [near, worst].map(lossFrom).reduce((most, loss) => (loss.gt(most) ? loss : most))
  const allowed = equity.times(Math.min(guard.riskPerTrade, guard.maxRiskPerTrade))
  demand('risk_per_trade', equity.gt(0) && lossFrom(worst).gt(0) && worstLoss.lte(allowed))
  const notional = base.times(near.gt(worst) ? near : worst)
  demand('leverage', equity.gt(0) && notional.lte(equity.times(leverage)))
  demand('notional_cap', notional.lte(guard.maxNotional))

  const { lastTradeLost, lastTradeClosedAt, entriesToday } = accounting
  demand(
    'cooldown',
    !lastTradeLost ||
      lastTradeClosedAt === null ||
      now - Date.parse(lastTradeClosedAt) >= guard.cooldownMinutesAfterLoss * 60_000,
  )
  demand('entries_per_day', entriesToday < guard.maxEntriesPerDay)
  const at = new Date(now)
  const { from, to } = guard.tradingHoursUtc
  const hour = at.getUTCHours()
  const isShut = from < to ? hour < from || hour >= to : from > to && hour >= to && hour < from
  demand('contract_expiry', instrument.kind === 'perp' || now < Date.parse(instrument.lastEntry))
  demand('trading_hours', !isShut && guard.tradingDaysUtc.includes(at.getUTCDay()))
  demand('funding_cost', snapshot.funding === null || snapshot.funding.annualised * sign <= guard.maxFundingAnnualised)
  demand('live_mode', mode === 'paper' || facts.liveBarriers.length === 0)
  demand('live_size', mode === 'paper' || (facts.sizeCap !== null && size.lte(facts.sizeCap)))
  return broken
}

/** What a venue demands of an order besides, and what was promised of rounding; each breach as a sentence. */
export function brokenPromises(context: RuleContext, levels: Levels): string[] {
  const broken: string[] = []
  const demand = (promise: string, isKept: boolean) => {
    if (!isKept) broken.push(promise)
  }
  const {
    config: { guard },
    decision,
    facts: { instrument, accounting },
  } = context
  if (decision.action !== 'open_long' && decision.action !== 'open_short') return ['not an entry']
  const sign = levels.side === 'long' ? 1 : -1
  const tick = exact(instrument.tickSize)
  const [near, worst] = fillsOf(context, levels)
  const size = exact(levels.quantity)
  for (const [name, level] of [
    ['stop', levels.stop],
    ['target', levels.target],
    ['worst price', levels.worst],
  ] as const)
    demand(`${name} on the tick`, exact(level).mod(tick).eq(0))
  demand('size is a multiple of the lot', size.mod(instrument.lotSize).eq(0))
  demand(
    'size within minimum and maximum',
    size.gt(0) && size.gte(instrument.minQuantity) && size.lte(instrument.maxQuantity),
  )
  const towardEntry = exact(levels.stop).minus(decision.stopLossPrice).times(sign)
  demand('the stop moves toward the entry, by less than a tick', towardEntry.gte(0) && towardEntry.lt(tick))
  const nearer = exact(decision.takeProfitPrice).minus(levels.target).times(sign)
  demand('the target moves toward the entry, by less than a tick', nearer.gte(0) && nearer.lt(tick))
  const slippage = worst.minus(near).times(sign)
  demand(
    'the worst fill is within the slippage, or the next tick',
    slippage.gte(0) && (slippage.lte(near.times(guard.maxEntrySlippageBps).times(0.0001)) || slippage.lt(tick)),
  )
  const margin = exact(
    'perNotional' in instrument.margin ? instrument.margin.perNotional.initial[levels.side] : Number.NaN,
  )
  demand(
    'leverage within the configuration and the venue',
    exact(levels.leverage).gt(0) &&
      exact(levels.leverage).lte(guard.maxLeverage) &&
      exact(levels.leverage).times(margin).lte(1),
  )
  const dearest = size.times(instrument.multiplier).times(near.gt(worst) ? near : worst)
  const entryFee = dearest.times(instrument.fees.taker).plus(size.times(instrument.fees.perContract))
  demand(
    'equity pays the margin and the entry fee',
    dearest.plus(entryFee.times(levels.leverage)).lte(exact(accounting.equity).times(levels.leverage)),
  )
  return broken
}
