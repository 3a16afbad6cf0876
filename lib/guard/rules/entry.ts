import { canonical, dec, toNumber } from '../../core/decimal.ts'
import { directionOf } from '../../core/margin.ts'
import { limitsOf } from '../limits.ts'
import { type EntryRule, finding, percent, shareOf, tidy } from '../rule.ts'

export const stopSide: EntryRule = {
  name: 'stop_side',
  applies: 'entry',
  purpose: 'a stop loses and a target gains, seen from where the market is and from where it fills',
  limit: () => 'long: stop < price < target; short: target < price < stop',
  check: (_, plan) => {
    const direction = directionOf(plan.side)
    // A stop that the market has passed already would close at once what it is meant to protect.
    const risk = plan.watchedPrice.minus(plan.stopLossPrice).times(direction)
    // The fill may be the worst the order accepts: the target must gain from there too.
    const reward = plan.takeProfitPrice.minus(plan.worstPrice).times(direction)
    const passed = risk.gt(0) && reward.gt(0)
    const levels = `stop ${canonical(plan.stopLossPrice)}, price ${canonical(plan.watchedPrice)} to ${canonical(plan.worstPrice)}, target ${canonical(plan.takeProfitPrice)}`
    return finding(
      passed,
      'stop and target on their sides',
      levels,
      'stop and target are on the right sides',
      `${levels} do not fit a ${plan.side}`,
    )
  },
}

export const stopDistance: EntryRule = {
  name: 'stop_distance',
  applies: 'entry',
  purpose: 'a stop inside the noise is a fee, one far away is no stop',
  limit: (config) => `${config.guard.minStopAtr} to ${config.guard.maxStopAtr} ATR`,
  check: ({ config, snapshot }, plan) => {
    const { minStopAtr, maxStopAtr } = config.guard
    const limit = `${minStopAtr}-${maxStopAtr}`
    const atr = snapshot.views.primary.indicators.atr14
    if (atr === null || atr <= 0) return finding(false, limit, null, '', 'ATR is unknown, so the stop cannot be judged')
    const distance = plan.executablePrice.minus(plan.stopLossPrice).times(directionOf(plan.side))
    const passed = distance.gte(dec(atr).times(minStopAtr)) && distance.lte(dec(atr).times(maxStopAtr))
    const actual = tidy(toNumber(distance) / atr)
    return finding(passed, limit, actual, `the stop is ${actual} ATR away`, `the stop is ${actual} ATR away`)
  },
}

export const stopBeforeLiquidation: EntryRule = {
  name: 'stop_before_liquidation',
  applies: 'entry',
  purpose: 'the stop closes the position, not the venue',
  limit: (config) => `stop reached ${percent(config.guard.liquidationBuffer)} of price before liquidation`,
  check: ({ config }, plan) => {
    const limit = config.guard.liquidationBuffer
    const room = plan.stopLossPrice.minus(plan.liquidationPrice).times(directionOf(plan.side))
    const actual = shareOf(room, plan.worstPrice)
    return finding(
      room.gte(plan.worstPrice.times(limit)),
      limit,
      actual,
      `liquidation lies ${percent(actual)} beyond the stop`,
      `liquidation at ${canonical(plan.liquidationPrice.round(8))} leaves ${percent(actual)} beyond the stop`,
    )
  },
}

export const rewardToRisk: EntryRule = {
  name: 'reward_to_risk',
  applies: 'entry',
  purpose: 'the gain aimed at must be worth the loss risked, from the price that can be had',
  limit: (config) => `at least ${config.guard.minRewardToRisk}, and more than the fees of both ways`,
  check: ({ config }, plan) => {
    const limit = config.guard.minRewardToRisk
    const direction = directionOf(plan.side)
    const risk = plan.executablePrice.minus(plan.stopLossPrice).times(direction)
    const reward = plan.takeProfitPrice.minus(plan.executablePrice).times(direction)
    if (risk.lte(0))
      return finding(false, limit, null, '', 'without a risk there is no ratio: the stop is on the wrong side')
    const actual = shareOf(reward, risk)
    if (plan.gainPerContract.lte(0))
      return finding(false, limit, actual, '', 'the fees of both ways eat the whole reward')
    return finding(
      reward.gte(risk.times(limit)),
      limit,
      actual,
      `reward is ${actual} times the risk`,
      `reward is only ${actual} times the risk`,
    )
  },
}

export const confidence: EntryRule = {
  name: 'confidence',
  applies: 'entry',
  purpose: 'a guess is not traded',
  limit: (config) => `at least ${config.guard.minConfidence}`,
  check: ({ config }, plan) => {
    const limit = config.guard.minConfidence
    return finding(
      plan.confidence >= limit,
      limit,
      plan.confidence,
      `confidence is ${plan.confidence}`,
      `confidence is only ${plan.confidence}`,
    )
  },
}

export const riskPerTrade: EntryRule = {
  name: 'risk_per_trade',
  applies: 'entry',
  purpose: 'no single trade matters much: loss from the worst fill to the stop, its slippage and fees included',
  limit: (config) => `at most ${percent(limitsOf(config).risk)} of equity`,
  check: ({ config, facts }, plan) => {
    const limit = limitsOf(config).risk
    const equity = dec(facts.accounting.equity)
    if (equity.lte(0)) return finding(false, limit, null, '', `equity is ${canonical(equity)}`)
    const actual = shareOf(plan.risk, equity)
    const passed = plan.risk.lte(equity.times(limit)) && plan.risk.gt(0)
    return finding(
      passed,
      limit,
      actual,
      `${percent(actual)} of equity is at risk`,
      `${percent(actual)} of equity would be at risk with ${canonical(plan.quantity)} contracts`,
    )
  },
}

export const leverage: EntryRule = {
  name: 'leverage',
  applies: 'entry',
  purpose: "notional stays within a few times equity, and within the venue's overnight margin",
  limit: (config) => `at most ${config.guard.maxLeverage}, or what the venue allows`,
  check: ({ facts }, plan) => {
    const limit = toNumber(plan.leverage)
    const equity = dec(facts.accounting.equity)
    if (equity.lte(0)) return finding(false, limit, null, '', `equity is ${canonical(equity)}`)
    const actual = shareOf(plan.notional, equity)
    return finding(
      plan.notional.lte(equity.times(plan.leverage)),
      limit,
      actual,
      `notional is ${actual} times equity`,
      `notional would be ${actual} times equity`,
    )
  },
}

export const notionalCap: EntryRule = {
  name: 'notional_cap',
  applies: 'entry',
  purpose: 'no position larger than the owner wants to see, whatever equity says',
  limit: (config) => `at most ${config.guard.maxNotional}`,
  check: ({ config }, plan) => {
    const limit = config.guard.maxNotional
    const actual = canonical(plan.notional.round(2))
    return finding(plan.notional.lte(limit), limit, actual, `notional is ${actual}`, `notional would be ${actual}`)
  },
}

export const minimumSize: EntryRule = {
  name: 'minimum_size',
  applies: 'entry',
  purpose: 'what the limits allow must be something the venue trades',
  limit: () => "the venue's minimum and maximum, after rounding down to the lot",
  check: ({ facts: { instrument } }, plan) => {
    const sized = plan.sizedQuantity
    const passed = sized.gte(instrument.minQuantity) && sized.lte(instrument.maxQuantity)
    return finding(
      passed,
      instrument.minQuantity,
      canonical(sized),
      `${canonical(sized)} contracts`,
      `the limits allow ${canonical(sized)} contracts, the venue's minimum is ${instrument.minQuantity}`,
    )
  },
}

export const liveSize: EntryRule = {
  name: 'live_size',
  applies: 'entry',
  purpose: 'the first live entries are the smallest, and grow with the number of live trades closed',
  limit: ({ mode, live }) =>
    mode === 'paper'
      ? 'none on paper'
      : `the venue's minimum, doubled after every ${live.tradesPerSizeStep} closed live trades`,
  check: ({ config, facts: { sizeCap } }, plan) => {
    const actual = canonical(plan.quantity)
    if (config.mode === 'paper') return finding(true, null, actual, 'paper mode', '')
    if (sizeCap === null) return finding(false, null, actual, '', 'the ceiling of live entries is unknown')
    return finding(
      plan.quantity.lte(sizeCap),
      sizeCap,
      actual,
      `${actual} of at most ${sizeCap} contracts`,
      `${actual} contracts would be more than the ${sizeCap} that live entries may have now`,
    )
  },
}
