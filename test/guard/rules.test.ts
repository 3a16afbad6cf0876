import { ENDING_ETH } from '../support/dated-future.ts'
import { describe, expect, it } from 'vitest'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { MINUTE_MS, fromIso, toIso } from '../../lib/core/time.ts'
import { judge } from '../../lib/guard/judge.ts'
import { RULES } from '../../lib/guard/rules.ts'
import { minimumSize } from '../../lib/guard/rules/entry.ts'
import { GuardFacts } from '../../schemas/cycle-record.ts'
import { Decision } from '../../schemas/decision.ts'
import { Snapshot } from '../../schemas/snapshot.ts'
import { StrategyConfig } from '../../schemas/strategy-config.ts'
import { GUARD_RULES, type GuardRuleName, Verdict } from '../../schemas/verdict.ts'
import { type Changes, contextWith, failedRules, NOW, PHASES, quoteOf, worth } from './fixtures.ts'

const HALT = { at: NOW, by: 'operator', rule: null, reason: 'holiday' } as const
const ISSUE = { kind: 'gap', at: NOW, count: 2, detail: 'two bars are missing' } as const
const SESSION = { isOpen: true, nextClose: null, reason: 'open' }
const after = (milliseconds: number) => toIso(fromIso(NOW) + milliseconds)

/** A stop of half an ATR of 10: risk leaves room for other limits to bind. */
const NEAR = { decision: { stopLossPrice: 1_995, takeProfitPrice: 2_010 }, indicators: { atr14: 10 } } satisfies Changes
/**
 * Leverage 10: a long at 2000 is liquidated at 2000 x 0.9 / (1 - 0.0625) = 1920, 2 % of the entry beyond 1960; a short
 * at 2000 x 1.1 / (1 + 0.024) = 2148.4375, 1.921875 % beyond 2110.
 */
const tenfold = (
  side: 'long' | 'short',
  stopLossPrice: number,
  maintenanceMarginRate = side === 'long' ? '0.0625' : '0.024',
): Changes => ({
  side,
  guard: { maxLeverage: 10, maxEntrySlippageBps: 0, liquidationBuffer: side === 'long' ? 0.02 : 0.01921875 },
  instrument: { initialMarginRate: { long: '0.1', short: '0.1' }, maintenanceMarginRate },
  decision: { stopLossPrice, takeProfitPrice: side === 'long' ? 2_400 : 1_600 },
  indicators: { atr14: 40 },
})
/** Fees of both ways: 0.4 a contract; the reward is 0.4 as well. */
const feesOf = (perContract: string): Changes => ({
  decision: { stopLossPrice: 1_998, takeProfitPrice: 2_004 },
  indicators: { atr14: 2 },
  instrument: { fees: { maker: '0', taker: '0', perContract } },
})

/** Live mode with every gate open; the entry of 25 contracts just fits. */
const EARNED = { liveBarriers: [], sizeCap: quantity(25) }

const SIZED = {
  minimum_size: 'sizing keeps within the limit by itself, so only a venue minimum that does not fit can break it',
}

const NO_RISK = {
  stop_distance: 'its distance is nil',
  reward_to_risk: 'without a risk there is no ratio',
  risk_per_trade: 'a loss of nothing, without fees, is none that was reckoned',
  minimum_size: 'without a risk there is no size',
}

type Case = {
  rule: GuardRuleName
  name: string
  fires: Changes
  /** The nearest that is let through: the whole entry is approved. */
  passes: Changes
  /** Rules that cannot but fire as well, and why. */
  also?: Partial<Record<GuardRuleName, string>>
}

/** {@link ENDING_ETH} without fees, with another last entry. */
const endingAt = (lastEntry: string) => ({
  ...ENDING_ETH,
  fees: { maker: '0', taker: '0', perContract: '0' } as typeof ENDING_ETH.fees,
  lastEntry,
})

const CASES: readonly Case[] = [
  { rule: 'kill_switch', name: 'halted', fires: { facts: { halt: HALT } }, passes: { facts: { halt: null } } },

  {
    rule: 'daily_loss',
    name: '5 % and 4.99 %',
    fires: { accounting: { equity: money('9500') } },
    passes: { accounting: { equity: money('9501') } },
  },
  {
    rule: 'daily_loss',
    name: 'to the last digit',
    fires: { accounting: { equity: money('9500') } },
    passes: { accounting: { equity: money('9500.00000001') } },
  },
  {
    rule: 'drawdown',
    name: '15 % and 14.99 %',
    fires: { accounting: { ...worth('8500'), peakEquity: money('10000') } },
    passes: { accounting: { ...worth('8501'), peakEquity: money('10000') } },
  },
  {
    rule: 'drawdown',
    name: 'to the last digit',
    fires: { accounting: { ...worth('8500'), peakEquity: money('10000') } },
    passes: { accounting: { ...worth('8500.00000001'), peakEquity: money('10000') } },
  },

  {
    rule: 'fresh_data',
    name: 'an issue in the bars',
    fires: { snapshot: { issues: [ISSUE] } },
    passes: { snapshot: { issues: [], contextIssues: [ISSUE] } },
  },
  {
    rule: 'fresh_data',
    name: 'an old quote',
    fires: { facts: { quote: quoteOf(2_000, 2_000, after(-120_001)) } },
    passes: { facts: { quote: quoteOf(2_000, 2_000, after(-120_000)) } },
  },
  {
    rule: 'fresh_data',
    name: 'a quote from the future',
    fires: { facts: { quote: quoteOf(2_000, 2_000, after(120_001)) } },
    passes: { facts: { quote: quoteOf(2_000, 2_000, after(120_000)) } },
  },
  {
    rule: 'fresh_data',
    name: 'a crossed quote',
    fires: { facts: { quote: quoteOf('2000.5', 2_000) } },
    passes: { facts: { quote: quoteOf('2000.5', '2000.5') } },
  },

  {
    rule: 'session_open',
    name: 'closed',
    fires: { session: { ...SESSION, isOpen: false } },
    passes: { session: SESSION },
  },
  {
    rule: 'session_open',
    name: '30 minutes before a close',
    fires: { session: { ...SESSION, nextClose: after(30 * MINUTE_MS) } },
    passes: { session: { ...SESSION, nextClose: after(30 * MINUTE_MS + 1) } },
  },
  {
    rule: 'session_open',
    name: 'at a close, and after one',
    fires: { session: { ...SESSION, nextClose: NOW } },
    passes: { session: { ...SESSION, nextClose: after(-1) } },
  },

  {
    rule: 'contract_expiry',
    name: 'a contract that has had its last entry',
    fires: { facts: { instrument: endingAt(NOW) } },
    passes: { facts: { instrument: endingAt('2026-11-02T09:30:00.001Z') } },
  },

  {
    rule: 'no_open_position',
    name: 'the same side',
    fires: { facts: { phase: PHASES.openLong } },
    passes: { facts: { phase: PHASES.flat } },
  },
  {
    rule: 'no_open_position',
    name: 'the same side, short',
    fires: { side: 'short', facts: { phase: PHASES.openShort } },
    passes: { side: 'short' },
  },
  {
    rule: 'no_reversal',
    name: 'long while short',
    fires: { facts: { phase: PHASES.openShort } },
    passes: { facts: { phase: PHASES.flat } },
    also: { no_open_position: 'what is reversed is open' },
  },
  {
    rule: 'no_reversal',
    name: 'short while long',
    fires: { side: 'short', facts: { phase: PHASES.openLong } },
    passes: { side: 'short' },
    also: { no_open_position: 'what is reversed is open' },
  },
  {
    rule: 'no_pending_intent',
    name: 'opening',
    fires: { facts: { phase: PHASES.opening } },
    passes: { facts: { phase: PHASES.abandoned } },
  },
  {
    rule: 'no_pending_intent',
    name: 'closing',
    fires: { facts: { phase: PHASES.closing } },
    passes: { facts: { phase: PHASES.flat } },
    also: { no_open_position: 'what is being closed is still open' },
  },

  {
    rule: 'no_open_incident',
    name: 'one, on paper',
    fires: { facts: { openIncidents: 1 } },
    passes: { facts: { openIncidents: 0 } },
  },
  {
    rule: 'no_open_incident',
    name: 'many, live',
    fires: { mode: 'live', facts: { ...EARNED, openIncidents: 20 } },
    passes: { mode: 'live', facts: EARNED },
  },

  {
    rule: 'stop_side',
    name: 'a stop at the price, and a tick from it',
    fires: { guard: { minStopAtr: 0.01, maxEntrySlippageBps: 0 }, decision: { stopLossPrice: 2_000 } },
    passes: { guard: { minStopAtr: 0.01, maxEntrySlippageBps: 0 }, decision: { stopLossPrice: 1_999.5 } },
    also: NO_RISK,
  },
  {
    rule: 'stop_side',
    name: 'a stop that rounds to the price, short',
    fires: {
      side: 'short',
      guard: { minStopAtr: 0.01, maxEntrySlippageBps: 0 },
      decision: { stopLossPrice: 2_000.49 },
    },
    passes: {
      side: 'short',
      guard: { minStopAtr: 0.01, maxEntrySlippageBps: 0 },
      decision: { stopLossPrice: 2_000.5 },
    },
    also: NO_RISK,
  },
  {
    // 10 bps above 2000 is 2002: a fill there would open above its target.
    rule: 'stop_side',
    name: 'a target at the worst fill, and a tick from it',
    fires: {
      guard: { maxEntrySlippageBps: 10, minStopAtr: 0.01 },
      decision: { stopLossPrice: 1_999, takeProfitPrice: 2_002 },
    },
    passes: {
      guard: { maxEntrySlippageBps: 10, minStopAtr: 0.01 },
      decision: { stopLossPrice: 1_999, takeProfitPrice: 2_002.5 },
    },
  },
  {
    rule: 'stop_side',
    name: 'a target at the worst fill, short',
    fires: {
      side: 'short',
      guard: { maxEntrySlippageBps: 10, minStopAtr: 0.01 },
      decision: { stopLossPrice: 2_001, takeProfitPrice: 1_998 },
    },
    passes: {
      side: 'short',
      guard: { maxEntrySlippageBps: 10, minStopAtr: 0.01 },
      decision: { stopLossPrice: 2_001, takeProfitPrice: 1_997.5 },
    },
  },

  {
    rule: 'stop_distance',
    name: 'half an ATR',
    fires: { decision: { stopLossPrice: 1_990.5 } },
    passes: { decision: { stopLossPrice: 1_990 } },
  },
  {
    rule: 'stop_distance',
    name: 'half an ATR, to the last digit',
    fires: { decision: { stopLossPrice: 1_990 }, indicators: { atr14: 20.000001 } },
    passes: { decision: { stopLossPrice: 1_990 }, indicators: { atr14: 20 } },
  },
  {
    rule: 'stop_distance',
    name: 'five ATR',
    fires: { decision: { stopLossPrice: 1_899.5, takeProfitPrice: 2_200 } },
    passes: { decision: { stopLossPrice: 1_900, takeProfitPrice: 2_200 } },
  },
  {
    rule: 'stop_distance',
    name: 'five ATR, short, to the last digit',
    fires: {
      side: 'short',
      decision: { stopLossPrice: 2_100, takeProfitPrice: 1_800 },
      indicators: { atr14: 19.999999 },
    },
    passes: { side: 'short', decision: { stopLossPrice: 2_100, takeProfitPrice: 1_800 }, indicators: { atr14: 20 } },
  },
  ...[null, 0, -20].map((atr14): Case => ({
    rule: 'stop_distance',
    name: `ATR ${atr14}`,
    fires: { indicators: { atr14 } },
    passes: { indicators: { atr14: 20 } },
    also: { price_moved: 'it is measured in ATR as well' },
  })),

  {
    rule: 'stop_before_liquidation',
    name: '2 % beyond the stop',
    fires: tenfold('long', 1_959.5),
    passes: tenfold('long', 1_960),
  },
  {
    rule: 'stop_before_liquidation',
    name: '1.921875 % beyond the stop, short',
    fires: tenfold('short', 2_110.5),
    passes: tenfold('short', 2_110),
  },
  {
    rule: 'stop_before_liquidation',
    name: 'maintenance margin brings it nearer',
    fires: tenfold('long', 1_960, '0.0626'),
    passes: tenfold('long', 1_960, '0.0624'),
  },
  {
    rule: 'stop_before_liquidation',
    name: 'maintenance margin brings it nearer, short',
    fires: tenfold('short', 2_110, '0.0241'),
    passes: tenfold('short', 2_110, '0.0239'),
  },
  {
    rule: 'stop_before_liquidation',
    name: 'maintenance takes all',
    fires: { instrument: { maintenanceMarginRate: '1' } },
    passes: { instrument: { maintenanceMarginRate: '0.3' } },
  },
  {
    rule: 'stop_before_liquidation',
    name: 'leverage rounds down to none',
    fires: { guard: { maxLeverage: 0.009 } },
    passes: { guard: { maxLeverage: 0.05 } },
    also: { leverage: 'any notional is more than nothing', minimum_size: 'no size fits' },
  },

  {
    rule: 'reward_to_risk',
    name: '1.5',
    fires: { decision: { takeProfitPrice: 2_059.5 } },
    passes: { decision: { takeProfitPrice: 2_060 } },
  },
  {
    rule: 'reward_to_risk',
    name: '1.5, short',
    fires: { side: 'short', decision: { takeProfitPrice: 1_940.5 } },
    passes: { side: 'short', decision: { takeProfitPrice: 1_940 } },
  },
  {
    // From the middle, 1998, it would be 59 / 38.
    rule: 'reward_to_risk',
    name: 'from the price that can be had',
    fires: { facts: { quote: quoteOf(1_996, 2_000) }, decision: { takeProfitPrice: 2_057 } },
    passes: { facts: { quote: quoteOf(1_996, 2_000) }, decision: { takeProfitPrice: 2_060 } },
  },
  { rule: 'reward_to_risk', name: 'fees as large as the reward', fires: feesOf('0.2'), passes: feesOf('0.1999') },

  {
    rule: 'confidence',
    name: '0.3',
    fires: { decision: { confidence: 0.2999999 } },
    passes: { decision: { confidence: 0.3 } },
  },

  {
    // 4 a contract at the stop; 25 contracts lose 100.
    rule: 'risk_per_trade',
    name: '1 % of equity',
    fires: { instrument: { minQuantity: quantity(25) }, accounting: worth('9999.99') },
    passes: { instrument: { minQuantity: quantity(25) }, accounting: worth('10000') },
    also: SIZED,
  },
  {
    // 200 a contract of entry and 196 of exit at 1 %, 0.02 twice: 8 a contract, and 12 of them lose 96.
    rule: 'risk_per_trade',
    name: 'fees of both ways included',
    fires: {
      instrument: { minQuantity: quantity(12), fees: { maker: '0', taker: '0.01', perContract: '0.0200001' } },
      decision: { takeProfitPrice: 2_200 },
      accounting: worth('9600'),
    },
    passes: {
      instrument: { minQuantity: quantity(12), fees: { maker: '0', taker: '0.01', perContract: '0.02' } },
      decision: { takeProfitPrice: 2_200 },
      accounting: worth('9600'),
    },
    also: SIZED,
  },
  {
    // Filled at 2002, the most that 10 bps allow, and stopped 10 bps beyond 1960 it loses 4.2 + 0.196 a contract.
    rule: 'risk_per_trade',
    name: 'from the worst fill',
    fires: {
      guard: { maxEntrySlippageBps: 10 },
      instrument: { minQuantity: quantity(10) },
      accounting: worth('4395.99'),
    },
    passes: {
      guard: { maxEntrySlippageBps: 10 },
      instrument: { minQuantity: quantity(10) },
      accounting: worth('4396'),
    },
    also: SIZED,
  },
  {
    // Bid 1999, ask 2001: from 2001 to 1960, and half a spread of 1 beyond: 4.2 a contract.
    rule: 'risk_per_trade',
    name: 'through half of the spread',
    fires: {
      facts: { quote: quoteOf('1999', '2001') },
      instrument: { minQuantity: quantity(10) },
      accounting: worth('4199.99'),
    },
    passes: {
      facts: { quote: quoteOf('1999', '2001') },
      instrument: { minQuantity: quantity(10) },
      accounting: worth('4200'),
    },
    also: SIZED,
  },
  {
    rule: 'stop_side',
    name: 'below what the stop is judged by, not only below the ask',
    fires: { facts: { quote: quoteOf('1960', '2001') }, guard: { maxPriceMoveAtr: 5 } },
    passes: { facts: { quote: quoteOf('1960.01', '2001') }, guard: { maxPriceMoveAtr: 5 } },
  },
  {
    rule: 'risk_per_trade',
    name: 'no equity',
    fires: { accounting: { cash: money('0'), equity: money('0') }, guard: { maxDailyLoss: 1, maxDrawdown: 1 } },
    passes: {},
    also: {
      daily_loss: 'all is lost',
      drawdown: 'all is lost',
      leverage: 'there is nothing to lever',
      minimum_size: 'no size fits',
    },
  },
  {
    rule: 'risk_per_trade',
    name: 'less than no equity',
    fires: { accounting: worth('-500') },
    passes: {},
    also: {
      daily_loss: 'a base that is spent is a total loss',
      drawdown: 'the same',
      leverage: 'there is nothing to lever',
      minimum_size: 'no size fits',
    },
  },

  // 200 of notional a contract: three times 10000 is 150 of them.
  {
    rule: 'leverage',
    name: 'three times equity',
    fires: { ...NEAR, instrument: { minQuantity: quantity(151) } },
    passes: { ...NEAR, instrument: { minQuantity: quantity(150) } },
    also: SIZED,
  },
  {
    rule: 'leverage',
    name: 'what the venue allows, if less',
    fires: { ...NEAR, instrument: { minQuantity: quantity(101), initialMarginRate: { long: '0.5', short: '0.1' } } },
    passes: { ...NEAR, instrument: { minQuantity: quantity(100), initialMarginRate: { long: '0.5', short: '0.1' } } },
    also: SIZED,
  },
  {
    rule: 'leverage',
    name: 'what the venue allows, short',
    fires: {
      ...NEAR,
      side: 'short',
      decision: { stopLossPrice: 2_005, takeProfitPrice: 1_990 },
      instrument: { minQuantity: quantity(101), initialMarginRate: { long: '0.1', short: '0.5' } },
    },
    passes: {
      ...NEAR,
      side: 'short',
      decision: { stopLossPrice: 2_005, takeProfitPrice: 1_990 },
      instrument: { minQuantity: quantity(100), initialMarginRate: { long: '0.1', short: '0.5' } },
    },
    also: SIZED,
  },

  {
    rule: 'notional_cap',
    name: '20000',
    fires: {
      ...NEAR,
      guard: { maxNotional: money('20000'), maxEntrySlippageBps: 0 },
      instrument: { minQuantity: quantity(101) },
    },
    passes: {
      ...NEAR,
      guard: { maxNotional: money('20000'), maxEntrySlippageBps: 0 },
      instrument: { minQuantity: quantity(100) },
    },
    also: SIZED,
  },
  // 25 contracts are what 1 % of equity allows.
  {
    rule: 'minimum_size',
    name: 'a maximum below the minimum',
    fires: { instrument: { minQuantity: quantity(20), maxQuantity: quantity(19) } },
    passes: { instrument: { minQuantity: quantity(20), maxQuantity: quantity(20) } },
  },
  {
    rule: 'minimum_size',
    name: 'nothing left after rounding to the lot',
    fires: { instrument: { lotSize: quantity(26), minQuantity: quantity(1) } },
    passes: { instrument: { lotSize: quantity(25), minQuantity: quantity(25) } },
  },
  {
    // No record, no edge: a quarter of a percent is risked, 6 contracts.
    rule: 'minimum_size',
    name: 'what the record has earned is below the minimum',
    fires: { sizing: { evidence: null }, instrument: { minQuantity: quantity(7) } },
    passes: { sizing: { evidence: null }, instrument: { minQuantity: quantity(6) } },
  },

  {
    rule: 'price_moved',
    name: 'half an ATR up',
    fires: { facts: { quote: quoteOf('2010.5') }, decision: { takeProfitPrice: 2_200 } },
    passes: { facts: { quote: quoteOf(2_010) }, decision: { takeProfitPrice: 2_200 } },
  },
  {
    rule: 'price_moved',
    name: 'half an ATR down',
    fires: { facts: { quote: quoteOf('1989.5') } },
    passes: { facts: { quote: quoteOf(1_990) } },
  },
  {
    rule: 'price_moved',
    name: 'half an ATR, to the last digit',
    fires: { facts: { quote: quoteOf(1_990) }, indicators: { atr14: 19.999999 } },
    passes: { facts: { quote: quoteOf(1_990) }, indicators: { atr14: 20 } },
  },
  {
    // The middle has moved by 10.5 though the ask has not.
    rule: 'price_moved',
    name: 'measured between the middles',
    fires: { facts: { quote: quoteOf(1_979, 2_000) }, snapshot: { quote: quoteOf(2_000, 2_000) } },
    passes: { facts: { quote: quoteOf(1_980, 2_000) }, snapshot: { quote: quoteOf(2_000, 2_000) } },
  },

  {
    rule: 'cooldown',
    name: '60 minutes after a loss',
    fires: { accounting: { lastTradeLost: true, lastTradeClosedAt: after(-60 * MINUTE_MS + 1) } },
    passes: { accounting: { lastTradeLost: true, lastTradeClosedAt: after(-60 * MINUTE_MS) } },
  },
  {
    rule: 'cooldown',
    name: 'only after a loss',
    fires: { accounting: { lastTradeLost: true, lastTradeClosedAt: NOW } },
    passes: { accounting: { lastTradeLost: false, lastTradeClosedAt: NOW } },
  },
  {
    rule: 'cooldown',
    name: 'longer than time itself',
    fires: {
      guard: { cooldownMinutesAfterLoss: 1e300 },
      accounting: { lastTradeLost: true, lastTradeClosedAt: '1970-01-01T00:00:00Z' },
    },
    passes: {
      guard: { cooldownMinutesAfterLoss: 1e300 },
      accounting: { lastTradeLost: true, lastTradeClosedAt: null },
    },
  },

  {
    rule: 'entries_per_day',
    name: 'six',
    fires: { accounting: { entriesToday: 6 } },
    passes: { accounting: { entriesToday: 5 } },
  },

  ...(
    [
      ['before the first hour', 9, 17, '2026-11-02T08:59:59.999Z', '2026-11-02T09:00:00Z'],
      ['at the last hour', 9, 17, '2026-11-02T17:00:00Z', '2026-11-02T16:59:59.999Z'],
      ['before a night', 22, 6, '2026-11-02T21:59:59.999Z', '2026-11-02T22:00:00Z'],
      ['after a night', 22, 6, '2026-11-02T06:00:00Z', '2026-11-02T05:59:59.999Z'],
      ['at midnight', 0, 12, '2026-11-02T23:59:59.999Z', '2026-11-02T00:00:00Z'],
    ] as const
  ).map(([name, from, to, out, within]): Case => ({
    rule: 'trading_hours',
    name,
    fires: { guard: { tradingHoursUtc: { from, to } }, at: out },
    passes: { guard: { tradingHoursUtc: { from, to } }, at: within },
  })),
  {
    rule: 'trading_hours',
    name: 'equal hours are all hours',
    fires: { guard: { tradingHoursUtc: { from: 10, to: 9 } }, at: '2026-11-02T09:30:00Z' },
    passes: { guard: { tradingHoursUtc: { from: 9, to: 9 } }, at: '2026-11-02T08:30:00Z' },
  },
  {
    rule: 'trading_hours',
    name: 'a Monday',
    fires: { guard: { tradingDaysUtc: [0, 2, 3, 4, 5, 6] } },
    passes: { guard: { tradingDaysUtc: [1] } },
  },
  {
    rule: 'trading_hours',
    name: 'a Sunday until midnight',
    fires: { guard: { tradingDaysUtc: [1] }, at: '2026-11-01T23:59:59.999Z' },
    passes: { guard: { tradingDaysUtc: [0] }, at: '2026-11-01T23:59:59.999Z' },
  },

  ...(['long', 'short'] as const).map((side): Case => {
    const annualised = (paid: number): Changes => ({
      side,
      snapshot: {
        funding: { rate: 0.0001, intervalHours: 1, annualised: side === 'long' ? paid : -paid, averageRate: 0 },
      },
    })
    return {
      rule: 'funding_cost',
      name: `a ${side} pays 100 % a year`,
      fires: annualised(1.0000001),
      passes: annualised(1),
    }
  }),
  {
    rule: 'funding_cost',
    name: 'what is received is no cost',
    fires: { side: 'short', snapshot: { funding: { rate: -0.001, intervalHours: 1, annualised: -9, averageRate: 0 } } },
    passes: { side: 'long', snapshot: { funding: { rate: -0.001, intervalHours: 1, annualised: -9, averageRate: 0 } } },
  },

  {
    rule: 'live_mode',
    name: 'not earned',
    fires: { mode: 'live', facts: { sizeCap: quantity(25) } },
    passes: { mode: 'live', facts: EARNED },
  },
  {
    rule: 'live_mode',
    name: 'one reason is enough',
    fires: { mode: 'live', facts: { ...EARNED, liveBarriers: ['two days are missing'] } },
    passes: { mode: 'live', facts: EARNED },
  },
  {
    rule: 'live_mode',
    name: 'paper needs no record',
    fires: { mode: 'live', facts: { sizeCap: quantity(25) } },
    passes: { mode: 'paper', facts: { liveBarriers: ['no record'] } },
  },
  {
    rule: 'live_size',
    name: 'a ceiling that is not known',
    fires: { mode: 'live', facts: { ...EARNED, sizeCap: null } },
    passes: { mode: 'live', facts: EARNED },
  },
  {
    rule: 'live_size',
    name: "a venue's minimum above the ceiling",
    fires: { mode: 'live', facts: { ...EARNED, sizeCap: quantity(1) }, instrument: { minQuantity: quantity(2) } },
    passes: { mode: 'live', facts: { ...EARNED, sizeCap: quantity(2) }, instrument: { minQuantity: quantity(2) } },
    also: { minimum_size: 'the entry is sized down to a ceiling below the minimum' },
  },
  {
    rule: 'live_size',
    name: 'none on paper',
    fires: { mode: 'live', facts: { ...EARNED, sizeCap: null } },
    passes: { mode: 'paper', facts: { sizeCap: null } },
  },
]

/** The case as a person would have to write it in files: nothing here is beyond the schemas. */
function parsed(changes: Changes) {
  const { config, decision, snapshot, facts } = contextWith(changes)
  return {
    config: StrategyConfig.parse(config),
    decision: Decision.parse(decision),
    snapshot: Snapshot.parse(snapshot),
    facts: GuardFacts.parse(facts),
  }
}

describe('the rules', () => {
  it('are those the schema names, in its order, each once', () => {
    expect(RULES.map(({ name }) => name)).toEqual([...GUARD_RULES])
    expect(new Set(GUARD_RULES).size).toBe(GUARD_RULES.length)
  })

  it('all have a case here', () => {
    const covered = new Set(CASES.map(({ rule }) => rule))
    expect(RULES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([])
  })

  it.each(CASES)('$rule fires: $name', ({ rule, fires, also = {} }) => {
    const context = parsed(fires)
    const { verdicts, result, halt } = judge(context)
    expect(verdicts.map((verdict) => verdict.rule)).toEqual([...GUARD_RULES])
    expect(new Set(failedRules(context))).toEqual(new Set([rule, ...Object.keys(also)]))
    const failed = verdicts.filter(({ passed }) => !passed)
    expect(result).toMatchObject({
      kind: 'refused',
      reasons: failed.map((verdict) => `${verdict.rule}: ${verdict.reason}`),
    })
    for (const verdict of verdicts) expect(Verdict.parse(verdict).reason).not.toBe('')
    const halting = failed.find((verdict) => verdict.rule === 'daily_loss' || verdict.rule === 'drawdown')
    expect(halt).toEqual(halting === undefined ? null : { rule: halting.rule, reason: halting.reason })
  })

  it.each(CASES)('$rule lets pass: $name', ({ passes }) => {
    const context = parsed(passes)
    expect(failedRules(context)).toEqual([])
    const { result, halt } = judge(context)
    expect(result.kind).toBe('approved')
    expect(halt).toBeNull()
  })
})

describe('a rule', () => {
  it('trusts no one with the size: neither the sizing nor the schema', () => {
    const context = contextWith({ instrument: { maxQuantity: quantity(10) } })
    const { result } = judge(context)
    if (result.kind !== 'approved') throw new Error('the plan is sound')
    const oversized = { ...result.plan, sizedQuantity: result.plan.sizedQuantity.plus(1) }
    expect(result.order.quantity).toBe('10')
    expect(minimumSize.check(context, oversized).passed).toBe(false)
    // The hard cap holds where a target above it has got past the schema.
    const { guard } = contextWith({}).config
    expect(
      failedRules(
        contextWith({
          guard: { ...guard, riskPerTrade: 0.02, maxRiskPerTrade: 0.01 },
          instrument: { minQuantity: quantity(26) },
        }),
      ),
    ).toContain('risk_per_trade')
  })

  it.each([null, 0, -1])('says that it cannot measure in an ATR of %s', (atr14) => {
    const { verdicts } = judge(contextWith({ indicators: { atr14 } }))
    for (const rule of ['stop_distance', 'price_moved']) {
      expect(verdicts.find((verdict) => verdict.rule === rule)).toMatchObject({
        passed: false,
        actual: null,
        reason: expect.stringContaining('ATR is unknown') as string,
      })
    }
  })

  it.each(['long', 'short'] as const)(
    'says something a record can hold of a %s with numbers beyond all reason',
    (side) => {
      for (const stopLossPrice of [5e-324, 1e-9, 2_000, Number.MAX_VALUE]) {
        for (const takeProfitPrice of [5e-324, 2_000, Number.MAX_VALUE]) {
          for (const atr14 of [5e-324, 20, Number.MAX_VALUE]) {
            const { verdicts, result } = judge(
              parsed({ side, decision: { stopLossPrice, takeProfitPrice }, indicators: { atr14 } }),
            )
            expect(result.kind).toBe('refused')
            for (const verdict of verdicts) Verdict.parse(verdict)
          }
        }
      }
    },
  )
})

describe('a decision that is no entry', () => {
  it.each(['hold', 'close'] as const)('%s needs no approval; the account is judged all the same', (action) => {
    const context = contextWith({ accounting: { equity: money('9500') } })
    const { verdicts, halt, result } = judge({ ...context, decision: { action, rationale: 'enough' } })
    expect(result).toEqual({ kind: 'no_entry' })
    expect(halt).toMatchObject({ rule: 'daily_loss', reason: 'daily loss 5.00 %, limit 5 %' })
    expect(verdicts.map(({ rule }) => rule)).toEqual([...GUARD_RULES])
    expect(verdicts.filter(({ passed }) => !passed).map(({ rule }) => rule)).toEqual(['daily_loss'])
    expect(verdicts.find(({ rule }) => rule === 'confidence')).toEqual({
      rule: 'confidence',
      passed: true,
      limit: null,
      actual: null,
      reason: `does not concern a ${action}`,
    })
  })

  it('a kill switch refuses and does not demand a second halt', () => {
    expect(judge(contextWith({ facts: { halt: HALT } })).halt).toBeNull()
  })
})

describe('the order', () => {
  it('carries the plan: size down to the lot, prices on the tick on the safe side', () => {
    const { result } = judge(
      contextWith({
        guard: { maxEntrySlippageBps: 10 },
        decision: { stopLossPrice: 1_960.1, takeProfitPrice: 2_080.9 },
      }),
    )
    // 2002 - 1960.5 = 41.5, and 1.9605 of slippage: 4.34605 a contract, 23 of them lose 99.96.
    expect(result).toMatchObject({
      kind: 'approved',
      order: {
        kind: 'entry',
        side: 'buy',
        quantity: '23',
        priceLimit: '2002',
        bracket: { stopLossPrice: '1960.5', takeProfitPrice: '2080.5' },
        leverage: '3',
      },
    })
  })

  it('is mirrored for a short', () => {
    const { result } = judge(
      contextWith({
        side: 'short',
        guard: { maxEntrySlippageBps: 10 },
        decision: { stopLossPrice: 2_039.9, takeProfitPrice: 1_919.1 },
      }),
    )
    expect(result).toMatchObject({
      kind: 'approved',
      order: {
        side: 'sell',
        quantity: '22',
        priceLimit: '1998',
        bracket: { stopLossPrice: '2039.5', takeProfitPrice: '1919.5' },
      },
    })
  })

  it('counts a short at the price it is sold at, not at the worst it would take', () => {
    const { result } = judge(
      contextWith({
        side: 'short',
        guard: { maxEntrySlippageBps: 100, maxNotional: money('4000'), minStopAtr: 0.1 },
        decision: { stopLossPrice: 2_005, takeProfitPrice: 1_900 },
        instrument: { lotSize: quantity('0.1') },
      }),
    )
    expect(result).toMatchObject({ kind: 'approved', order: { quantity: '20', priceLimit: '1980' } })
  })

  it.each([
    ['1', '1'],
    ['16', '16'],
    ['16.9', '16'],
    ['25', '25'],
    ['32', '25'],
  ])('is sized down to a ceiling of %s: %s contracts', (sizeCap, size) => {
    const { result } = judge(contextWith({ mode: 'live', facts: { liveBarriers: [], sizeCap: quantity(sizeCap) } }))
    expect(result).toMatchObject({ kind: 'approved', order: { quantity: size } })
  })

  it('leaves equity for the entry fee where leverage binds', () => {
    // 150 contracts need all of the equity as margin; with a fee of 0.2 each, 149 fit: 9933.33 + 29.8.
    const { result } = judge(
      contextWith({
        ...NEAR,
        decision: { stopLossPrice: 1_995, takeProfitPrice: 2_100 },
        instrument: { fees: { maker: '0', taker: '0', perContract: '0.2' } },
        guard: { maxEntrySlippageBps: 0, riskPerTrade: 0.02 },
        sizing: { kellyFraction: 1 },
      }),
    )
    expect(result).toMatchObject({ kind: 'approved', order: { quantity: '149' } })
  })

  it.each([
    ['long', '100.01', '100.5'],
    ['short', '99.99', '99.5'],
  ] as const)('a quote between ticks: the limit of a %s lies on the next tick', (side, quote, priceLimit) => {
    const decision =
      side === 'long' ? { stopLossPrice: 80, takeProfitPrice: 140 } : { stopLossPrice: 120, takeProfitPrice: 60 }
    const { result } = judge(
      contextWith({
        side,
        decision,
        facts: { quote: quoteOf(quote) },
        snapshot: { quote: quoteOf(quote) },
        indicators: { atr14: 10 },
      }),
    )
    expect(result).toMatchObject({ kind: 'approved', order: { priceLimit: price(priceLimit) } })
  })

  it('of the same slot has the same id, of another slot another', () => {
    const idOf = (changes: Changes) => {
      const { result } = judge(contextWith(changes))
      return result.kind === 'approved' ? result.order.clientOrderId : null
    }
    expect(idOf({})).toBe(idOf({ side: 'short', decision: { confidence: 0.9 } }))
    expect(idOf({})).not.toBe(idOf({ snapshot: { slot: '2026-11-02T10:00:00Z' } }))
  })
})
