import { changed, ETH, type InstrumentChanges, OPEN_SESSION } from '../support/instruments.ts'
import type { TradingSession } from '../../schemas/instrument.ts'
import type { RuleContext } from '../../lib/guard/rule.ts'
import { judge } from '../../lib/guard/judge.ts'
import { money, price, quantity } from '../../lib/core/decimal.ts'
import { clientOrderIdOf } from '../../lib/core/ids.ts'
import { fromIso } from '../../lib/core/time.ts'
import type { GuardFacts } from '../../schemas/cycle-record.ts'
import type { EntryDecision } from '../../schemas/decision.ts'
import type { Quote } from '../../schemas/market.ts'
import type { Indicators, Snapshot } from '../../schemas/snapshot.ts'
import type { Phase } from '../../schemas/state.ts'
import type { GuardConfig, SizingConfig, SizingEvidence } from '../../schemas/strategy-config.ts'
import type { GuardRuleName } from '../../schemas/verdict.ts'
import { trendingSnapshot } from '../decision/snapshot-fixture.ts'
import { CONFIG, flatState, openPosition } from '../snapshot/fixtures.ts'

/** A Monday. */
export const NOW = '2026-11-02T09:30:00Z'

export const quoteOf = (bid: string | number, ask: string | number = bid, at = NOW): Quote => ({
  at,
  bid: price(bid),
  ask: price(ask),
  last: price(bid),
  mark: price(bid),
})

const QUOTE = quoteOf(2_000)
const LONG: EntryDecision = {
  action: 'open_long',
  stopLossPrice: 1_960,
  takeProfitPrice: 2_080,
  confidence: 0.6,
  invalidation: 'a close below support',
  rationale: 'the trend holds',
}
const SHORT: EntryDecision = { ...LONG, action: 'open_short', stopLossPrice: 2_040, takeProfitPrice: 1_920 }

/** A record of a thousand trades: a win rate of 0.45 at 1.8 times the average loss, unless said otherwise. */
export const recordOf = ({ wins = 450, losses = 550, averageWinR = 1.8, averageLossR = 1 } = {}): SizingEvidence => ({
  source: 'a test',
  settingsHash: '0'.repeat(64),
  wins,
  losses,
  averageWinR,
  averageLossR,
})

/**
 * An entry that every rule lets pass: 10000 of equity, price 2000 without spread, ATR 20, contracts of 0.1, tick 0.5,
 * no fees and no slippage, so that what a case is about can be reckoned by heart.
 */
const BASE: RuleContext = {
  config: {
    ...CONFIG,
    guard: { ...CONFIG.guard, maxEntrySlippageBps: 0 },
    sizing: { ...CONFIG.sizing, evidence: recordOf() },
  },
  decision: LONG,
  snapshot: { ...trendingSnapshot, symbol: ETH.venueSymbol, quote: QUOTE },
  facts: {
    now: NOW,
    quote: QUOTE,
    instrument: changed(ETH, { fees: { maker: '0', taker: '0', perContract: '0' } }),
    session: OPEN_SESSION,
    accounting: flatState(fromIso(NOW)).accounting,
    phase: { kind: 'flat', abandoned: null },
    halt: null,
    trades: [],
    liveBarriers: ['nothing has been proven'],
    sizeCap: null,
    openIncidents: 0,
  },
}

export type Changes = {
  side?: 'long' | 'short'
  mode?: 'paper' | 'live'
  guard?: Partial<GuardConfig>
  sizing?: Partial<SizingConfig>
  decision?: Partial<EntryDecision>
  instrument?: InstrumentChanges
  session?: TradingSession
  accounting?: Partial<GuardFacts['accounting']>
  facts?: Partial<GuardFacts>
  indicators?: Partial<Indicators>
  snapshot?: Partial<Snapshot>
  /** Instant of the judgement and of its quote. */
  at?: string
}

/** {@link BASE} with changes. */
export function contextWith({
  side = 'long',
  mode = 'paper',
  guard,
  sizing,
  decision,
  instrument,
  session,
  accounting,
  facts,
  indicators,
  snapshot,
  at,
}: Changes): RuleContext {
  const { primary } = BASE.snapshot.views
  return {
    config: {
      ...BASE.config,
      mode,
      guard: { ...BASE.config.guard, ...guard },
      sizing: { ...BASE.config.sizing, ...sizing },
    },
    decision: { ...(side === 'long' ? LONG : SHORT), ...decision } as EntryDecision,
    snapshot: {
      ...BASE.snapshot,
      views: { ...BASE.snapshot.views, primary: { ...primary, indicators: { ...primary.indicators, ...indicators } } },
      ...snapshot,
    },
    facts: {
      ...BASE.facts,
      ...(at === undefined ? {} : { now: at, quote: { ...QUOTE, at } }),
      instrument: changed(BASE.facts.instrument, instrument),
      ...(session === undefined ? {} : { session }),
      accounting: { ...BASE.facts.accounting, ...accounting },
      ...facts,
    },
  }
}

/** Equity of this much, as it was this morning and at its peak. */
export const worth = (equity: string) => ({
  cash: money(equity),
  equity: money(equity),
  dayStartEquity: money(equity),
  peakEquity: money(equity),
})

export const failedRules = (context: RuleContext): GuardRuleName[] =>
  judge(context)
    .verdicts.filter(({ passed }) => !passed)
    .map(({ rule }) => rule)

const id = clientOrderIdOf(CONFIG.id, fromIso(NOW), 'close', 0)
const thesis = { cycleId: 'eth-perp-20261102T0900Z', confidence: 0.5, rationale: 'r', invalidation: 'i', regime: null }
const intended = { status: 'unknown', orderId: null, intendedAt: NOW, deadline: NOW } as const
const entryIntent = {
  ...intended,
  cycleId: 'eth-perp-20261102T0900Z',
  order: {
    kind: 'entry',
    clientOrderId: id,
    symbol: ETH.venueSymbol,
    side: 'buy',
    quantity: quantity(1),
    priceLimit: price(2_002),
    bracket: { stopLossPrice: price(1_960), takeProfitPrice: price(2_080) },
    leverage: quantity(3),
  },
  thesis,
} as const

const held = (side: 'long' | 'short') => openPosition(fromIso(NOW), { side })

/** One phase of every kind. */
export const PHASES = {
  flat: { kind: 'flat', abandoned: null },
  abandoned: { kind: 'flat', abandoned: entryIntent },
  opening: { kind: 'opening', intent: entryIntent, filledQuantity: quantity(0), position: null },
  openLong: { kind: 'open', position: held('long') },
  openShort: { kind: 'open', position: held('short') },
  closing: {
    kind: 'closing',
    position: held('long'),
    intent: {
      ...intended,
      order: { kind: 'close', clientOrderId: id, symbol: ETH.venueSymbol, side: 'sell', quantity: quantity(37) },
      reason: 'decision',
      attempt: 0,
    },
  },
} as const satisfies Record<string, Phase>
