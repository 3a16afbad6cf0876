import { loadConfig } from '../../lib/config/load-config.ts'
import { describe, expect, it } from 'vitest'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { fromIso, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { judge } from '../../lib/guard/judge.ts'
import { RULES } from '../../lib/guard/rules.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { InstrumentChanges } from '../support/instruments.ts'
import type { GuardRuleName } from '../../schemas/verdict.ts'
import { type Changes, contextWith, NOW, PHASES, quoteOf, worth } from './fixtures.ts'

const ESH26 = loadConfig({ overrides: { instrument: 'ESH26' } }).instrument

const after = (milliseconds: number) => toIso(fromIso(NOW) + milliseconds)
const session = (minutesLeft: number) => ({ isOpen: true, nextClose: after(minutesLeft * MINUTE_MS), reason: 'open' })
const lostAt = (minutesAgo: number) => ({ lastTradeLost: true, lastTradeClosedAt: after(-minutesAgo * MINUTE_MS) })
const tenfold = {
  guard: { maxLeverage: 10 },
  instrument: { initialMarginRate: { long: '0.1', short: '0.1' } },
} satisfies Changes
const feesOf = (perContract: string) => ({ fees: { maker: '0', taker: '0', perContract } })
const HALT = { at: NOW, by: 'operator', rule: null, reason: 'holiday' } as const
const ISSUE = { kind: 'gap', at: NOW, count: 2, detail: 'two bars are missing' } as const
const funding = (annualised: number) => ({ funding: { rate: 0, intervalHours: 1, annualised, averageRate: 0 } })

const live = (facts: Partial<GuardFacts>, instrument: InstrumentChanges = {}): Changes => ({
  mode: 'live',
  facts: { liveBarriers: [], sizeCap: quantity(1_000), ...facts },
  ...(Object.keys(instrument).length > 0 ? { instrument } : {}),
})

type Row = [
  rule: GuardRuleName,
  changes: Changes,
  mark: 'passes' | 'fails',
  limit: string | number | null,
  actual: string | number | null,
  reason: string,
]

/**
 * What the owner reads: limit and finding as numbers in the unit of the sentence, six digits, fractions as percents in
 * the sentence alone.
 */
const ROWS: readonly Row[] = [
  ['kill_switch', {}, 'passes', 'not halted', 'not halted', 'the strategy is not halted'],
  [
    'kill_switch',
    { facts: { halt: HALT } },
    'fails',
    'not halted',
    'halted',
    'halted by operator since 2026-11-02T09:30:00Z: holiday',
  ],

  ['daily_loss', { accounting: { equity: money('10250') } }, 'passes', 0.05, -0.025, 'the day stands at 2.5 %'],
  ['daily_loss', { accounting: { equity: money('9900') } }, 'passes', 0.05, 0.01, 'the day stands at -1 %'],
  ['daily_loss', { accounting: { equity: money('9400') } }, 'fails', 0.05, 0.06, 'daily loss 6.00 %, limit 5 %'],
  ['drawdown', { accounting: { equity: money('9900') } }, 'passes', 0.15, 0.01, 'equity is 1 % below its peak'],
  ['drawdown', { accounting: { equity: money('8000') } }, 'fails', 0.15, 0.2, 'drawdown 20.00 %, limit 15 %'],
  // A third has no end.
  [
    'drawdown',
    { accounting: { equity: money('20000'), peakEquity: money('30000') } },
    'fails',
    0.15,
    0.333333,
    'drawdown 33.33 %, limit 15 %',
  ],

  ['fresh_data', {}, 'passes', 0, 0, 'bars are complete and the quote is fresh'],
  [
    'fresh_data',
    { snapshot: { issues: [ISSUE] }, facts: { quote: quoteOf('2000.5', 2_000, after(-150_400)) } },
    'fails',
    0,
    3,
    'gap: two bars are missing; quote is 150 s old; bid 2000.5 is above ask 2000',
  ],
  [
    'fresh_data',
    { facts: { quote: quoteOf(2_000, 2_000, after(180_600)) } },
    'fails',
    0,
    1,
    'quote is 181 s in the future',
  ],

  ['session_open', { session: session(45) }, 'passes', 30, 45, 'the session is open'],
  ['session_open', { session: session(20.5) }, 'fails', 30, 20.5, 'the session closes in 20.5 min'],
  [
    'session_open',
    { session: { isOpen: false, nextClose: null, reason: 'maintenance' } },
    'fails',
    30,
    null,
    'nothing trades at the venue now: maintenance',
  ],

  ['contract_expiry', {}, 'passes', null, null, 'the contract has no end'],
  [
    'contract_expiry',
    { facts: { instrument: ESH26 }, at: '2026-03-11T21:59:59Z' },
    'passes',
    '2026-03-11T22:00:00Z',
    '2026-03-11T21:59:59Z',
    'ESH26 takes entries until 2026-03-11T22:00:00Z',
  ],
  [
    'contract_expiry',
    { facts: { instrument: ESH26 }, at: '2026-03-11T22:00:00Z' },
    'fails',
    '2026-03-11T22:00:00Z',
    '2026-03-11T22:00:00Z',
    'ESH26 takes no entries since 2026-03-11T22:00:00Z: it stops trading at 2026-03-20T13:30:00Z; name the month that trades: "instrument": "cme:ESM26"',
  ],

  ['no_open_position', {}, 'passes', 'flat', 'flat', 'no position is open'],
  [
    'no_open_position',
    { facts: { phase: PHASES.openLong } },
    'fails',
    'flat',
    'long 37',
    'a long of 37 is already open',
  ],
  ['no_reversal', {}, 'passes', 'same side or flat', 'flat', 'it reverses nothing'],
  ['no_reversal', { facts: { phase: PHASES.openLong } }, 'passes', 'same side or flat', 'long', 'it reverses nothing'],
  [
    'no_reversal',
    { side: 'short', facts: { phase: PHASES.openLong } },
    'fails',
    'same side or flat',
    'long',
    'it would turn a long into a short in one step',
  ],
  ['no_pending_intent', {}, 'passes', 'none', 'none', 'no order is unresolved'],
  [
    'no_pending_intent',
    { facts: { phase: PHASES.opening } },
    'fails',
    'none',
    'opening',
    'an order is unresolved: the strategy is opening',
  ],
  [
    'no_pending_intent',
    { facts: { phase: PHASES.closing } },
    'fails',
    'none',
    'closing',
    'an order is unresolved: the strategy is closing',
  ],

  ['no_open_incident', {}, 'passes', 0, 0, 'no incident is unresolved'],
  [
    'no_open_incident',
    { facts: { openIncidents: 1 } },
    'fails',
    0,
    1,
    '1 unresolved incident: look at hourhand status, then hourhand resume',
  ],
  [
    'no_open_incident',
    { facts: { openIncidents: 2 } },
    'fails',
    0,
    2,
    '2 unresolved incidents: look at hourhand status, then hourhand resume',
  ],

  [
    'stop_side',
    {},
    'passes',
    'stop and target on their sides',
    'stop 1960, price 2000 to 2000, target 2080',
    'stop and target are on the right sides',
  ],
  [
    'stop_side',
    { guard: { maxEntrySlippageBps: 10 }, decision: { stopLossPrice: 2_010 } },
    'fails',
    'stop and target on their sides',
    'stop 2010, price 2000 to 2002, target 2080',
    'stop 2010, price 2000 to 2002, target 2080 do not fit a long',
  ],
  ['stop_distance', {}, 'passes', '0.5-5', 2, 'the stop is 2 ATR away'],
  ['stop_distance', { decision: { stopLossPrice: 1_997 } }, 'fails', '0.5-5', 0.15, 'the stop is 0.15 ATR away'],
  [
    'stop_distance',
    { side: 'short', decision: { stopLossPrice: 2_003 } },
    'fails',
    '0.5-5',
    0.15,
    'the stop is 0.15 ATR away',
  ],
  [
    'stop_distance',
    { indicators: { atr14: null } },
    'fails',
    '0.5-5',
    null,
    'ATR is unknown, so the stop cannot be judged',
  ],
  // 2000 x 2/3 / 0.95 = 1403.50877: 556.49123 below 1960.
  ['stop_before_liquidation', {}, 'passes', 0.02, 0.278246, 'liquidation lies 27.8246 % beyond the stop'],
  // 2000 x 0.9 / 0.95: 5.263158 below 1900.
  [
    'stop_before_liquidation',
    { ...tenfold, decision: { stopLossPrice: 1_900 } },
    'fails',
    0.02,
    0.00263158,
    'liquidation at 1894.73684211 leaves 0.263158 % beyond the stop',
  ],
  ['reward_to_risk', {}, 'passes', 1.5, 2, 'reward is 2 times the risk'],
  [
    'reward_to_risk',
    { decision: { takeProfitPrice: 2_010 } },
    'fails',
    1.5,
    0.25,
    'reward is only 0.25 times the risk',
  ],
  [
    'reward_to_risk',
    { decision: { stopLossPrice: 2_010 } },
    'fails',
    1.5,
    null,
    'without a risk there is no ratio: the stop is on the wrong side',
  ],
  ['reward_to_risk', { instrument: feesOf('5') }, 'fails', 1.5, 2, 'the fees of both ways eat the whole reward'],

  ['confidence', {}, 'passes', 0.3, 0.6, 'confidence is 0.6'],
  ['confidence', { decision: { confidence: 0.25 } }, 'fails', 0.3, 0.25, 'confidence is only 0.25'],
  ['risk_per_trade', {}, 'passes', 0.01, 0.01, '1 % of equity is at risk'],
  [
    'risk_per_trade',
    { instrument: { minQuantity: quantity(50) } },
    'fails',
    0.01,
    0.02,
    '2 % of equity would be at risk with 50 contracts',
  ],
  ['risk_per_trade', { accounting: worth('-5') }, 'fails', 0.01, null, 'equity is -5'],
  ['risk_per_trade', { accounting: worth('0') }, 'fails', 0.01, null, 'equity is 0'],
  ['leverage', {}, 'passes', 3, 0.5, 'notional is 0.5 times equity'],
  ['leverage', { instrument: { minQuantity: quantity(200) } }, 'fails', 3, 4, 'notional would be 4 times equity'],
  ['leverage', { accounting: worth('0') }, 'fails', 3, null, 'equity is 0'],
  ['notional_cap', {}, 'passes', '50000', '5000', 'notional is 5000'],
  [
    'notional_cap',
    { instrument: { minQuantity: quantity(600) } },
    'fails',
    '50000',
    '120000',
    'notional would be 120000',
  ],
  // 24 contracts of 0.1 at 2000.123: 4800.2952, in cents.
  [
    'notional_cap',
    { instrument: { tickSize: price('0.001') }, facts: { quote: quoteOf('2000.123') } },
    'passes',
    '50000',
    '4800.3',
    'notional is 4800.3',
  ],
  ['minimum_size', {}, 'passes', '1', '25', '25 contracts'],
  [
    'minimum_size',
    { instrument: { minQuantity: quantity(50) } },
    'fails',
    '50',
    '25',
    "the limits allow 25 contracts, the venue's minimum is 50",
  ],

  [
    'price_moved',
    { facts: { quote: quoteOf(2_005) } },
    'passes',
    0.5,
    0.25,
    'the price has moved 0.25 ATR since the snapshot',
  ],
  [
    'price_moved',
    { facts: { quote: quoteOf(1_985) } },
    'fails',
    0.5,
    0.75,
    'the price has moved 0.75 ATR since the snapshot',
  ],
  ['price_moved', { indicators: { atr14: 0 } }, 'fails', 0.5, null, 'ATR is unknown, so the move cannot be judged'],
  ['cooldown', {}, 'passes', 60, null, 'the last trade was no loss'],
  ['cooldown', { accounting: lostAt(90) }, 'passes', 60, 90, '90 min have passed since the last loss'],
  [
    'cooldown',
    { accounting: lostAt(12.5) },
    'fails',
    60,
    12.5,
    'only 12.5 of 60 min have passed since the last loss at 2026-11-02T09:17:30Z',
  ],
  ['entries_per_day', { accounting: { entriesToday: 5 } }, 'passes', 6, 5, '5 entries so far today'],
  ['entries_per_day', { accounting: { entriesToday: 6 } }, 'fails', 6, 6, '6 entries today already'],
  ['trading_hours', {}, 'passes', '0-24 h', 9.5, 'within trading hours'],
  [
    'trading_hours',
    { guard: { tradingHoursUtc: { from: 22, to: 6 } } },
    'fails',
    '22-6 h',
    9.5,
    'hour 9.5 UTC is outside 22-6',
  ],
  ['trading_hours', { guard: { tradingDaysUtc: [2, 3] } }, 'fails', '0-24 h', 9.5, 'weekday 1 is not a trading day'],
  ['funding_cost', { snapshot: { funding: null } }, 'passes', 1, null, 'no funding is known for this market'],
  ['funding_cost', { snapshot: funding(0.125) }, 'passes', 1, 0.125, 'a long pays 12.5 % a year'],
  ['funding_cost', { side: 'short', snapshot: funding(-1.25) }, 'fails', 1, 1.25, 'a short would pay 125 % a year'],

  ['live_mode', { facts: { liveBarriers: ['no key'] } }, 'passes', 0, null, 'paper mode'],
  ['live_mode', live({}), 'passes', 0, 0, 'live mode is earned'],
  [
    'live_mode',
    live({ liveBarriers: ['no key: set one', 'no record'] }),
    'fails',
    0,
    2,
    'live mode is not earned: no key: set one; no record',
  ],
  [
    'live_size',
    { facts: { sizeCap: quantity(1) }, instrument: { minQuantity: quantity(2) } },
    'passes',
    null,
    '2',
    'paper mode',
  ],
  ['live_size', live({ sizeCap: quantity(25) }), 'passes', '25', '25', '25 of at most 25 contracts'],
  ['live_size', live({ sizeCap: quantity(24) }), 'passes', '24', '24', '24 of at most 24 contracts'],
  [
    'live_size',
    live({ sizeCap: quantity('24.5') }, { minQuantity: quantity(25) }),
    'fails',
    '24.5',
    '25',
    '25 contracts would be more than the 24.5 that live entries may have now',
  ],
  ['live_size', live({ sizeCap: null }), 'fails', null, '25', 'the ceiling of live entries is unknown'],
]

/** The limit of the default configuration, as `guard --explain` shows it. */
const LIMITS: readonly [GuardRuleName, string][] = [
  ['kill_switch', 'not halted'],
  ['daily_loss', 'loss below 5 % of day-start equity'],
  ['drawdown', 'drawdown below 15 % of peak equity'],
  ['fresh_data', 'no issue in the bars, bid not above ask, quote at most 120 s old'],
  ['session_open', 'open, and not within 30 min of a close'],
  ['contract_expiry', 'none for a contract without end'],
  ['no_open_position', 'flat'],
  ['no_reversal', 'no position on the other side'],
  ['no_pending_intent', 'no entry or close under way'],
  ['no_open_incident', 'every incident resolved by a person'],
  ['stop_side', 'long: stop < price < target; short: target < price < stop'],
  ['stop_distance', '0.5 to 5 ATR'],
  ['stop_before_liquidation', 'stop reached 2 % of price before liquidation'],
  ['reward_to_risk', 'at least 1.5, and more than the fees of both ways'],
  ['confidence', 'at least 0.3'],
  ['risk_per_trade', 'at most 1 % of equity'],
  ['leverage', 'at most 3, or what the venue allows'],
  ['notional_cap', 'at most 50000'],
  ['minimum_size', "the venue's minimum and maximum, after rounding down to the lot"],
  ['price_moved', 'moved at most 0.5 ATR since the snapshot'],
  ['cooldown', '60 min after a loss'],
  ['entries_per_day', '6 entries a UTC day'],
  ['trading_hours', '0-24 h UTC on weekdays 0,1,2,3,4,5,6'],
  ['funding_cost', 'at most 100 % a year'],
  [
    'live_mode',
    'paper, or live with credentials verified, 14 days and 50 trades on paper, no incident, a record that passes its gates',
  ],
  ['live_size', 'none on paper'],
]

describe('a verdict', () => {
  const rows = ROWS.map(([rule, changes, mark, limit, actual, reason]) => ({
    rule,
    changes,
    mark,
    limit,
    actual,
    reason,
  }))

  it.each(rows)('of $rule that $mark: $reason', ({ rule, changes, mark, limit, actual, reason }) => {
    const { verdicts } = judge(contextWith(changes))
    expect(verdicts.find((verdict) => verdict.rule === rule)).toEqual({
      rule,
      passed: mark === 'passes',
      limit,
      actual,
      reason,
    })
  })

  it('has its words in this table both where it passes and where it fails', () => {
    const marks = new Map<string, Set<string>>()
    for (const [rule, , mark] of ROWS) marks.set(rule, (marks.get(rule) ?? new Set()).add(mark))
    expect([...marks].filter(([, seen]) => seen.size < 2)).toEqual([])
  })
})

describe('a limit', () => {
  const limitOf = (rule: GuardRuleName, changes: Changes = {}) =>
    RULES.find(({ name }) => name === rule)?.limit(contextWith(changes).config)

  it.each(LIMITS)('%s is shown as: %s', (rule, text) => expect(limitOf(rule)).toBe(text))

  it('of live size is one of live mode alone', () => {
    expect(limitOf('live_size', { mode: 'live' })).toMatch(
      /^the venue's minimum, doubled after every \d+ closed live trades$/,
    )
  })
})

it('every rule says what it protects from, in words of its own', () => {
  const purposes = RULES.map(({ purpose }) => purpose)
  for (const purpose of purposes) expect(purpose.split(' ').length).toBeGreaterThan(3)
  expect(new Set(purposes).size).toBe(RULES.length)
})
