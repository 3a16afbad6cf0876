import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { UsageError } from '../../lib/core/invariant.ts'
import { money, quantity } from '../../lib/core/decimal.ts'
import { fromIso, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { judge } from '../../lib/guard/judge.ts'
import { Decision } from '../../schemas/decision.ts'
import { GuardConfig } from '../../schemas/strategy-config.ts'
import { GUARD_RULES, type GuardRuleName } from '../../schemas/verdict.ts'
import { type Changes, contextWith, failedRules, NOW, PHASES, quoteOf, worth } from '../guard/fixtures.ts'
import { ENDING_ETH } from '../support/dated-future.ts'
import { createLiveWorld, LONG } from './live-world.ts'

const inMinutes = (minutes: number): string => toIso(fromIso(NOW) + minutes * MINUTE_MS)
const closesIn = (minutes: number) => ({ isOpen: true, nextClose: inMinutes(minutes), reason: 'open' })
const lostAgo = (minutes: number) => ({ lastTradeLost: true, lastTradeClosedAt: inMinutes(-minutes) })
const paying = (annualised: number) => ({ funding: { rate: 0, intervalHours: 1, annualised, averageRate: 0 } })
/** Sizing keeps within a limit of money by itself: only a venue's minimum that does not fit can break it. */
const atLeast = (contracts: number) => ({ minQuantity: quantity(contracts) })

type Limit = { given?: Changes; tight: Partial<GuardConfig>; rule: GuardRuleName }

/**
 * For each limit of the configuration a situation that the default lets pass, a tighter value, and the rule that then
 * refuses.
 */
const LIMITS: Readonly<Partial<Record<keyof GuardConfig, Limit>>> = {
  maxDailyLoss: { given: { accounting: { equity: money('9800') } }, tight: { maxDailyLoss: 0.02 }, rule: 'daily_loss' },
  maxDrawdown: {
    given: { accounting: { ...worth('9800'), peakEquity: money('10000') } },
    tight: { maxDrawdown: 0.02 },
    rule: 'drawdown',
  },
  sessionBufferMinutes: { given: { session: closesIn(60) }, tight: { sessionBufferMinutes: 60 }, rule: 'session_open' },
  minStopAtr: { tight: { minStopAtr: 2.1 }, rule: 'stop_distance' },
  maxStopAtr: { tight: { maxStopAtr: 1.9 }, rule: 'stop_distance' },
  liquidationBuffer: { tight: { liquidationBuffer: 0.3 }, rule: 'stop_before_liquidation' },
  minRewardToRisk: { tight: { minRewardToRisk: 2.1 }, rule: 'reward_to_risk' },
  minConfidence: { tight: { minConfidence: 0.61 }, rule: 'confidence' },
  riskPerTrade: { given: { instrument: atLeast(25) }, tight: { riskPerTrade: 0.0099 }, rule: 'risk_per_trade' },
  maxRiskPerTrade: { given: { instrument: atLeast(25) }, tight: { maxRiskPerTrade: 0.0099 }, rule: 'risk_per_trade' },
  maxLeverage: { given: { instrument: atLeast(25) }, tight: { maxLeverage: 0.4 }, rule: 'leverage' },
  maxNotional: { given: { instrument: atLeast(25) }, tight: { maxNotional: money('4999') }, rule: 'notional_cap' },
  maxPriceMoveAtr: {
    given: { facts: { quote: quoteOf(2_005) } },
    tight: { maxPriceMoveAtr: 0.2 },
    rule: 'price_moved',
  },
  cooldownMinutesAfterLoss: {
    given: { accounting: lostAgo(60) },
    tight: { cooldownMinutesAfterLoss: 61 },
    rule: 'cooldown',
  },
  maxEntriesPerDay: {
    given: { accounting: { entriesToday: 2 } },
    tight: { maxEntriesPerDay: 2 },
    rule: 'entries_per_day',
  },
  tradingHoursUtc: { tight: { tradingHoursUtc: { from: 10, to: 12 } }, rule: 'trading_hours' },
  tradingDaysUtc: { tight: { tradingDaysUtc: [0] }, rule: 'trading_hours' },
  maxFundingAnnualised: {
    given: { snapshot: paying(0.5) },
    tight: { maxFundingAnnualised: 0.4 },
    rule: 'funding_cost',
  },
  // Filled at its worst it would open beyond its target.
  maxEntrySlippageBps: {
    given: { guard: { minStopAtr: 0.01 }, decision: { stopLossPrice: 1_999, takeProfitPrice: 2_002 } },
    tight: { maxEntrySlippageBps: 10 },
    rule: 'stop_side',
  },
}

describe('limits that exist only in the prompt', () => {
  it.each(Object.entries(LIMITS))('%s is enforced in code', (_key, { given = {}, tight, rule }) => {
    expect(failedRules(contextWith(given))).toEqual([])
    const context = contextWith({ ...given, guard: { ...given.guard, ...tight } })
    expect(failedRules(context)).toContain(rule)
    expect(judge(context).result.kind).toBe('refused')
  })

  it('there is no limit besides', () => {
    expect(Object.keys(GuardConfig.shape).filter((key) => !Object.hasOwn(LIMITS, key))).toEqual([])
  })

  it('a model that ignores what it was told gets nothing through', async () => {
    const disobedient: [Decision, GuardRuleName][] = [
      [{ ...LONG, stopLossPrice: 1_000, takeProfitPrice: 5_000 }, 'stop_distance'],
      [{ ...LONG, stopLossPrice: 1_999 }, 'stop_distance'],
      [{ ...LONG, takeProfitPrice: 2_010 }, 'reward_to_risk'],
      [{ ...LONG, stopLossPrice: 2_020 }, 'stop_side'],
      [{ ...LONG, confidence: 0 }, 'confidence'],
    ]
    for (const [decision, rule] of disobedient) {
      const world = await createLiveWorld({ decisions: [decision] })
      const { outcome, verdicts } = await world.cycle()
      expect(outcome).toBe('refused')
      expect(verdicts.filter(({ passed }) => !passed).map((verdict) => verdict.rule)).toContain(rule)
      expect(world.placed()).toEqual([])
    }
  })

  it('the worst fill, 10 bps from the ask of 2000.5, is a limit the venue is given, not a wish', async () => {
    const world = await createLiveWorld({ decisions: [LONG], venue: { depth: 1 } })
    await world.cycle()
    const { fills } = world.venue.truth()
    expect(world.placed()).toMatchObject([
      { body: { order_configuration: { sor_limit_ioc: { limit_price: '2002.5' } } } },
    ])
    expect(Math.max(...fills.map(({ price }) => Number(price)))).toBe(2_002.5)
    expect(fills).toHaveLength(5)
  })

  it.each([
    [{ guard: { maxLevrage: 3 } }, 'guard.maxLevrage'],
    [{ maxPosition: 1 }, 'maxPosition'],
    [{ live: { size: 5 } }, 'live.size'],
    [{ exits: { trailing: true } }, 'exits.trailing'],
  ])('an unknown key is fatal: %j', (overrides, path) => {
    expect(() => loadConfig({ overrides })).toThrow(UsageError)
    expect(() => loadConfig({ overrides })).toThrow(path)
  })
})

const ISSUE = { kind: 'gap', at: NOW, count: 2, detail: 'two bars are missing' } as const
const live = (facts: NonNullable<Changes['facts']>): Changes => ({
  mode: 'live',
  facts: { liveBarriers: [], sizeCap: quantity(25), ...facts },
})

/** For each rule a situation in which it fires. */
const FIRES: Readonly<Record<GuardRuleName, Changes>> = {
  kill_switch: { facts: { halt: { at: NOW, by: 'operator', rule: null, reason: 'x' } } },
  daily_loss: { accounting: { equity: money('9500') } },
  drawdown: { accounting: { ...worth('8500'), peakEquity: money('10000') } },
  fresh_data: { snapshot: { issues: [ISSUE] } },
  session_open: { session: closesIn(30) },
  contract_expiry: { facts: { instrument: ENDING_ETH } },
  no_open_position: { facts: { phase: PHASES.openLong } },
  no_reversal: { facts: { phase: PHASES.openShort } },
  no_pending_intent: { facts: { phase: PHASES.opening } },
  no_open_incident: { facts: { openIncidents: 1 } },
  stop_side: { decision: { stopLossPrice: 2_000 } },
  stop_distance: { decision: { stopLossPrice: 1_990.5 } },
  stop_before_liquidation: { guard: { liquidationBuffer: 0.3 } },
  reward_to_risk: { decision: { takeProfitPrice: 2_059.5 } },
  confidence: { decision: { confidence: 0.29 } },
  risk_per_trade: { instrument: atLeast(26) },
  leverage: { instrument: atLeast(25), guard: { maxLeverage: 0.4 } },
  notional_cap: { instrument: atLeast(25), guard: { maxNotional: money('4999') } },
  minimum_size: { instrument: atLeast(26) },
  price_moved: { facts: { quote: quoteOf(1_989) } },
  cooldown: { accounting: lostAgo(59) },
  entries_per_day: { accounting: { entriesToday: 6 } },
  trading_hours: { guard: { tradingDaysUtc: [0] } },
  funding_cost: { snapshot: paying(1.1) },
  live_mode: live({ liveBarriers: ['the paper record is short'] }),
  live_size: live({ sizeCap: null }),
}

describe('guard that cannot fire', () => {
  it('the situations are those of all rules, and without them the entry is approved', () => {
    expect(Object.keys(FIRES).toSorted()).toEqual([...GUARD_RULES].toSorted())
    expect(judge(contextWith({})).result.kind).toBe('approved')
    expect(judge(contextWith(live({}))).result.kind).toBe('approved')
  })

  it.each(GUARD_RULES.map((rule) => [rule]))('%s fires', (rule) => {
    const { verdicts, result } = judge(contextWith(FIRES[rule]))
    expect(verdicts.find((verdict) => verdict.rule === rule)).toMatchObject({
      passed: false,
      reason: expect.stringMatching(/\w/),
    })
    expect(result.kind).toBe('refused')
  })

  it('reward and risk are measured from the price that can be had: a decision cannot bring an entry price of its own', () => {
    const decision = { ...LONG, stopLossPrice: 1_960, takeProfitPrice: 2_080 }
    expect(Decision.safeParse(decision).success).toBe(true)
    expect(Decision.safeParse({ ...decision, entryPrice: 1_961 }).success).toBe(false)
    // The same levels: 80 to 40 at 2000, 70 to 50 at 2010.
    expect(failedRules(contextWith({}))).toEqual([])
    expect(failedRules(contextWith({ facts: { quote: quoteOf(2_010) } }))).toEqual(['reward_to_risk'])
  })
})
