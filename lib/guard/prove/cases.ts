import { canonical, dec, money, price, quantity, ZERO_MONEY, ZERO_QUANTITY } from '../../core/decimal.ts'
import { DAY_MS, fromIso, toIso } from '../../core/time.ts'
import type { EntryDecision } from '../../../schemas/decision.ts'
import type { GuardFacts } from '../../../schemas/cycle-record.ts'
import type { Instrument } from '../../../schemas/instrument.ts'
import type { Position } from '../../../schemas/state.ts'
import type { GuardConfig, StrategyConfig } from '../../../schemas/strategy-config.ts'
import type { GuardRuleName } from '../../../schemas/verdict.ts'
import { limitsOf, limitText } from '../limits.ts'
import { type EntryPlan, planEntry } from '../plan-entry.ts'
import type { RuleContext } from '../rule.ts'
import { baselineContext, forbiddenInstant } from './baseline.ts'

/**
 * One case of the proof: what it puts before the guard, in words, and the context. `narrowed` says that the owner's
 * configuration leaves the limit open, and to what it was set for the case.
 */
export type ProofCase = { text: string; context: RuleContext; narrowed: string | null }

type CaseMaker = (config: StrategyConfig) => ProofCase

/** For each rule a case that it has to refuse, made from the owner's configuration. The type asks for every rule. */
export const PROOF_CASES: Record<GuardRuleName, CaseMaker> = {
  kill_switch: withFacts('the strategy is halted', ({ facts: { now } }) => ({
    halt: { at: now, by: 'operator', rule: null, reason: 'a case of the proof' },
  })),
  daily_loss: (config) => {
    const limit = limitsOf(config).maxDailyLoss
    return change(config, `the day has lost ${limitText(limit)} of its starting equity`, ({ facts }) => ({
      accounting: { ...facts.accounting, equity: reducedBy(facts.accounting.dayStartEquity, limit) },
    }))
  },
  drawdown: (config) => {
    const limit = limitsOf(config).maxDrawdown
    return change(config, `equity is ${limitText(limit)} below its peak, lost before today`, ({ facts }) => {
      const equity = reducedBy(facts.accounting.peakEquity, limit)
      return { accounting: { ...facts.accounting, equity, cash: equity, dayStartEquity: equity } }
    })
  },
  fresh_data: (config) => {
    const base = baselineContext({ config })
    const issue = { kind: 'gap', at: base.facts.now, count: 1, detail: 'a bar is missing' } as const
    return made('a bar is missing', { ...base, snapshot: { ...base.snapshot, issues: [issue] } })
  },
  session_open: withFacts('the venue is closed', () => ({
    session: { isOpen: false, nextClose: null, reason: 'a case of the proof' },
  })),
  contract_expiry: (config) => {
    const base = baselineContext({ config })
    const instrument = endingAt(base.facts.instrument, base.facts.now)
    const narrowed = config.instrument.kind === 'future' ? null : 'instrument = a dated future'
    return made('the contract has had its last entry', { ...base, facts: { ...base.facts, instrument } }, narrowed)
  },
  no_open_position: withFacts('a long is held, and a long is asked for', (base) => ({
    phase: { kind: 'open', position: positionIn(base, 'long') },
  })),
  no_reversal: withFacts('a short is held, and a long is asked for', (base) => ({
    phase: { kind: 'open', position: positionIn(base, 'short') },
  })),
  no_pending_intent: withFacts('the answer to an entry is unknown', (base) => ({ phase: openingIn(base) })),
  no_open_incident: withFacts('an incident is unresolved', () => ({ openIncidents: 1 })),
  stop_side: (config) =>
    withDecision(config, 'a long with its stop above the price', ({ stopLossPrice }, level) => ({
      stopLossPrice: level + (level - stopLossPrice),
    })),
  stop_distance: (config) => {
    const far = config.guard.maxStopAtr * 1.05
    return withDecision(config, `a stop ${tidyNumber(far)} ATR away`, ({ stopLossPrice }, level, atr) => ({
      stopLossPrice: level - Math.sign(level - stopLossPrice) * far * atr,
    }))
  },
  stop_before_liquidation: (config) => {
    const base = baselineContext({ config, side: 'short' })
    const { liquidationPrice } = planOf(base)
    return made('a short with its stop at the liquidation price', {
      ...base,
      decision: { ...(base.decision as EntryDecision), stopLossPrice: Number(canonical(liquidationPrice.round(8))) },
    })
  },
  reward_to_risk: (config) => {
    const ratio = config.guard.minRewardToRisk * 0.9
    return withDecision(
      config,
      `a target ${tidyNumber(ratio)} times as far as the stop`,
      ({ stopLossPrice }, level) => ({
        takeProfitPrice: level + (level - stopLossPrice) * ratio,
      }),
    )
  },
  confidence: (config) =>
    narrowing(config, config.guard.minConfidence > 0, { minConfidence: 0.3 }, 'minConfidence = 0.3', (narrow) => {
      const confidence = narrow.guard.minConfidence / 2
      return withDecision(narrow, `confidence ${tidyNumber(confidence)}`, () => ({ confidence }))
    }),
  risk_per_trade: (config) => poor(config, 'the smallest order risks more than a trade may', riskOfSmallest),
  leverage: (config) => poor(config, 'the smallest order is worth more than equity can carry', marginOfSmallest),
  notional_cap: (config) => {
    const { notional } = smallest(baselineContext({ config }))
    const priceFactor = Number(config.guard.maxNotional) / notional + 1
    return made('one smallest order is worth more than guard.maxNotional', baselineContext({ config, priceFactor }))
  },
  minimum_size: (config) => poor(config, 'the limits allow less than the smallest order', riskOfSmallest),
  price_moved: (config) => {
    const moved = config.guard.maxPriceMoveAtr * 1.05
    const base = baselineContext({ config })
    const level = dec(base.facts.quote.ask)
    const then = price(level.minus(level.times('0.01').times(String(moved))))
    const quote = { ...base.snapshot.quote, bid: then, ask: then }
    return made(`the price has moved ${tidyNumber(moved)} ATR since the snapshot`, {
      ...base,
      snapshot: { ...base.snapshot, quote },
    })
  },
  cooldown: (config) =>
    narrowing(
      config,
      config.guard.cooldownMinutesAfterLoss > 0,
      { cooldownMinutesAfterLoss: 60 },
      'cooldownMinutesAfterLoss = 60',
      (narrow) =>
        change(narrow, 'a trade was lost this minute', ({ facts }) => ({
          accounting: { ...facts.accounting, lastTradeLost: true, lastTradeClosedAt: facts.now },
        })),
    ),
  entries_per_day: (config) =>
    change(config, `${config.guard.maxEntriesPerDay} entries were made today`, ({ facts }) => ({
      accounting: { ...facts.accounting, entriesToday: config.guard.maxEntriesPerDay },
    })),
  trading_hours: (config) =>
    narrowing(
      config,
      forbiddenInstant(config) !== null,
      { tradingHoursUtc: { from: 9, to: 17 } },
      'tradingHoursUtc = 9 to 17',
      (narrow) => {
        const at = toIso(forbiddenInstant(narrow) ?? 0)
        return change(narrow, `it is ${at}`, ({ facts }) => ({
          now: at,
          quote: { ...facts.quote, at },
          accounting: { ...facts.accounting, day: at.slice(0, 10) },
        }))
      },
    ),
  funding_cost: (config) => {
    const annualised = config.guard.maxFundingAnnualised * 1.05
    const base = baselineContext({ config })
    const funding = { rate: annualised / 8_760, intervalHours: 1, annualised, averageRate: annualised / 8_760 }
    return made(`a long pays ${limitText(annualised)} a year`, { ...base, snapshot: { ...base.snapshot, funding } })
  },
  live_mode: (config) => live(config, 'live trading is not earned', { liveBarriers: ['a case of the proof'] }),
  live_size: (config) => {
    const half = quantity(dec(config.instrument.minQuantity).div(2))
    return live(config, 'live entries may not have the smallest size yet', { sizeCap: half })
  },
}

/** The instrument as a contract that takes no entries from `now` on. */
function endingAt(instrument: Instrument, now: string): Instrument {
  const ends = { lastEntry: now, lastTrade: toIso(fromIso(now) + DAY_MS), firstNotice: null }
  if (instrument.kind === 'future') return { ...instrument, ...ends }
  const { fundingIntervalMs: _, ...common } = instrument
  return { ...common, kind: 'future', root: instrument.underlying, month: now.slice(0, 7), ...ends }
}

const made = (text: string, context: RuleContext, narrowed: string | null = null): ProofCase => ({
  text,
  context,
  narrowed,
})

function change(config: StrategyConfig, text: string, facts: (base: RuleContext) => Partial<GuardFacts>): ProofCase {
  const base = baselineContext({ config })
  return made(text, { ...base, facts: { ...base.facts, ...facts(base) } })
}

function withFacts(text: string, facts: (base: RuleContext) => Partial<GuardFacts>): CaseMaker {
  return (config) => change(config, text, facts)
}

function withDecision(
  config: StrategyConfig,
  text: string,
  decide: (decision: EntryDecision, level: number, atr: number) => Partial<EntryDecision>,
): ProofCase {
  const base = baselineContext({ config })
  const decision = base.decision as EntryDecision
  const level = Number(base.facts.quote.ask)
  const atr = base.snapshot.views.primary.indicators.atr14 ?? 0
  return made(text, { ...base, decision: { ...decision, ...decide(decision, level, atr) } as EntryDecision })
}

/** The case under the owner's configuration where that sets a limit, else under one that does. */
function narrowing(
  config: StrategyConfig,
  isSet: boolean,
  guard: Partial<GuardConfig>,
  words: string,
  make: CaseMaker,
): ProofCase {
  if (isSet) return make(config)
  return { ...make({ ...config, guard: { ...config.guard, ...guard } }), narrowed: words }
}

function live(config: StrategyConfig, text: string, facts: Partial<GuardFacts>): ProofCase {
  const inLive: StrategyConfig = { ...config, mode: 'live' }
  return { ...change(inLive, text, () => facts), narrowed: config.mode === 'live' ? null : 'mode = live' }
}

/** An account so poor that the smallest order breaks the limit that `needed` reckons equity for. */
function poor(config: StrategyConfig, text: string, needed: (base: RuleContext) => number): ProofCase {
  const base = baselineContext({ config })
  const equity = money(
    dec(String(needed(base)))
      .times('0.5')
      .round(8),
  )
  return change(config, text, ({ facts }) => ({
    accounting: { ...facts.accounting, cash: equity, equity, dayStartEquity: equity, peakEquity: equity },
  }))
}

const planOf = ({ decision, config, facts }: RuleContext): EntryPlan =>
  planEntry(decision as EntryDecision, config, facts)

/** Money at risk and notional of the venue's smallest order. */
function smallest(base: RuleContext): { risk: number; notional: number; leverage: number } {
  const plan = planOf({ ...base, facts: { ...base.facts, sizeCap: quantity(base.facts.instrument.minQuantity) } })
  return {
    risk: Number(canonical(plan.risk.round(8))),
    notional: Number(canonical(plan.notional.round(8))),
    leverage: Number(canonical(plan.leverage)),
  }
}

const riskOfSmallest = (base: RuleContext): number => smallest(base).risk / limitsOf(base.config).risk
const marginOfSmallest = (base: RuleContext): number => smallest(base).notional / smallest(base).leverage

/** What is left of `base` after losing `fraction` of it and a cent. */
const reducedBy = (base: string, fraction: number) =>
  money(
    dec(base)
      .minus(dec(base).times(String(fraction)))
      .minus('0.01'),
  )
const tidyNumber = (value: number): number => Number(value.toFixed(4))

function positionIn({ facts: { now, instrument, quote } }: RuleContext, side: 'long' | 'short'): Position {
  const notional = money(dec(quote.bid).times(instrument.multiplier).times(instrument.minQuantity))
  const base = quantity(dec(instrument.multiplier).times(instrument.minQuantity))
  return {
    tradeId: 'proof-0',
    side,
    quantity: instrument.minQuantity,
    peakQuantity: instrument.minQuantity,
    multiplier: instrument.multiplier,
    costBasis: notional,
    entryNotional: notional,
    entryBase: base,
    exitNotional: ZERO_MONEY,
    exitBase: ZERO_QUANTITY,
    openedAt: now,
    bracket: null,
    liquidationPrice: null,
    riskAtEntry: null,
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
    thesis: null,
  }
}

function openingIn(base: RuleContext): GuardFacts['phase'] {
  const { decision, facts, config } = base
  const entry = decision as EntryDecision
  const plan = planOf(base)
  const thesis = { cycleId: 'proof', confidence: 1, rationale: 'proof', invalidation: 'proof', regime: null }
  return {
    kind: 'opening',
    filledQuantity: ZERO_QUANTITY,
    position: null,
    intent: {
      cycleId: `${config.id}-proof`,
      status: 'unknown',
      orderId: null,
      intendedAt: facts.now,
      deadline: toIso(fromIso(facts.now) + 1_000),
      thesis,
      order: {
        kind: 'entry',
        clientOrderId: '00000000-0000-8000-8000-000000000000',
        symbol: facts.instrument.venueSymbol,
        side: entry.action === 'open_long' ? 'buy' : 'sell',
        quantity: facts.instrument.minQuantity,
        priceLimit: price(plan.worstPrice),
        bracket: { stopLossPrice: price(plan.stopLossPrice), takeProfitPrice: price(plan.takeProfitPrice) },
        leverage: quantity(plan.leverage),
      },
    },
  }
}
