import type { Instrument } from '../../schemas/instrument.ts'
import { canonical, dec, type Money, type Price, type Quantity } from '../../lib/core/decimal.ts'
import { DAY_MS, fromIso, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { RuleContext } from '../../lib/guard/rule.ts'
import type { EntryDecision } from '../../schemas/decision.ts'
import type { Phase, TradeSummary } from '../../schemas/state.ts'
import { randomOf } from '../snapshot/fixtures.ts'
import { contextWith, NOW, PHASES, recordOf } from './fixtures.ts'

const START = fromIso(NOW)

/** A number as an exact amount of that many significant digits. */
function amount(value: number, digits = 3): string {
  const rounded = Number(value.toPrecision(digits))
  const text = String(rounded)
  return text.includes('e') ? canonical(dec(rounded)) : text
}

const TRADES: readonly TradeSummary[] = Array.from({ length: 24 }, (_, index) => ({
  id: `trade-${index}`,
  side: 'long',
  regime: null,
  pnl: (index % 3 === 0 ? '20' : '-10') as Money,
  rMultiple: index % 7 === 0 ? null : index % 3 === 0 ? 1.9 : -1.02,
  exitReason: 'stop_loss',
  exitTime: NOW,
  holdingMinutes: 60,
}))

/**
 * The n-th random entry, even ones long and odd ones short: a market of any scale from 0.0001 to 1000000, a contract, a
 * configuration, books and a decision. Most of it is such as may happen; about every third thing, somewhere, is at the
 * edge or beyond all reason. Everything is something the schemas accept.
 */
export function randomEntry(index: number): RuleContext {
  const random = randomOf(Math.imul(index + 1, 0x9e3779b1))
  const between = (low: number, high: number) => low + (high - low) * random()
  const scale = (low: number, high: number) => 10 ** between(low, high)
  /** Three digits: as a person configures, and quick to multiply. */
  const setting = (low: number, high: number) => Math.round(between(low, high) * 1_000) / 1_000
  const chance = (probability: number) => random() < probability
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T

  const side = index % 2 === 0 ? 'long' : 'short'
  const direction = side === 'long' ? 1 : -1
  const mid = scale(-4, 6)
  const tick = Number(
    `${pick(1, 2, 5)}e${Math.floor(Math.log10(mid) + (chance(0.02) ? between(-1, 1) : between(-6, -3)))}`,
  )
  // On the tick, or between two.
  const quoted = (value: number) =>
    amount(Math.max(chance(0.7) ? Math.round(value / tick) * tick : value, mid * 1e-6), 6) as Price
  const halfSpread = chance(0.2) ? 0 : mid * scale(-6, -3) * (chance(0.02) ? -1 : 1)
  const now = START + Math.floor(between(0, 7)) * DAY_MS + Math.floor(between(0, DAY_MS))
  const quoteAt = toIso(now - Math.floor(chance(0.96) ? between(0, 119_000) : between(-300_000, 300_000)))
  const bid = quoted(mid - halfSpread)
  const ask = halfSpread === 0 ? bid : quoted(mid + halfSpread)
  const quote = { at: quoteAt, bid, ask, last: bid, mark: bid }
  const atr = Number((mid * scale(-3.3, -1.3)).toPrecision(5))
  const seen = chance(0.9) ? mid : mid + between(-1, 1) * atr

  const executable = Number(side === 'long' ? ask : bid)
  const stop = executable - direction * between(0.4, 5.5) * atr
  const target = executable + direction * Math.abs(executable - stop) * between(1.3, 4)
  // The ends of the number range cost hundreds of digits: seldom is often enough.
  const extreme = () => pick(5e-324, scale(-320, 308), Number.MAX_VALUE)
  const absurd = () => (chance(0.04) ? extreme() : pick(scale(-4, 7), executable))
  const level = (value: number) =>
    chance(0.02) || value <= 0 ? Math.max(absurd(), 5e-324) : Number(value.toPrecision(7))
  const decision: Partial<EntryDecision> = {
    stopLossPrice: level(stop),
    takeProfitPrice: level(target),
    confidence: chance(0.05) ? pick(0, 1, 0.3) : between(0.25, 1),
  }

  // Short numbers to divide by keep a hundred thousand divisions quick.
  const dayStart = Number((scale(-1, 8) * (chance(0.02) ? -1 : 1)).toPrecision(1))
  const equity = chance(0.02) ? 0 : dayStart * (chance(0.9) ? between(0.96, 1.1) : between(0.5, 1.5))
  const equityText = amount(equity, 4) as Money
  const multiplier = (Math.max(Math.abs(equity), 1) * scale(-6, -1)) / mid
  const lot = pick(1, 1, 1, 0.001, 0.1, 5)
  const riskPerTrade = pick(0.01, 0.01, 0.002, 0.02, setting(0.001, 0.02))
  const taker = chance(0.1) ? pick(0, 0.099) : scale(-4, -2.5)

  const context = contextWith({
    side,
    mode: chance(0.05) ? 'live' : 'paper',
    decision,
    guard: {
      maxDailyLoss: chance(0.9) ? 0.05 : setting(0, 1),
      maxDrawdown: chance(0.9) ? 0.15 : setting(0, 1),
      minStopAtr: pick(0.5, setting(0.01, 1)),
      maxStopAtr: pick(5, setting(2, 8)),
      liquidationBuffer: pick(0.02, setting(0, 0.2)),
      minRewardToRisk: pick(1.5, setting(0.5, 3)),
      minConfidence: pick(0.3, setting(0, 1)),
      riskPerTrade,
      maxRiskPerTrade: chance(0.8) ? 0.02 : riskPerTrade,
      maxLeverage: chance(0.02) ? pick(0.001, 0.2) : pick(3, 10, setting(0.5, 10)),
      maxNotional: amount(Math.max(Math.abs(equity), 1) * scale(-1.5, 1)) as Money,
      maxPriceMoveAtr: pick(0.5, setting(0.01, 1)),
      cooldownMinutesAfterLoss: pick(60, setting(0, 600), chance(0.05) ? 1e300 : 0),
      maxEntriesPerDay: pick(6, 3),
      tradingHoursUtc: chance(0.9)
        ? { from: 0, to: 24 }
        : { from: Math.floor(between(0, 24)), to: Math.floor(between(0, 25)) },
      tradingDaysUtc: chance(0.9) ? [0, 1, 2, 3, 4, 5, 6] : [1, 3, 5],
      maxEntrySlippageBps: pick(10, 0, chance(0.1) ? 1_000 : setting(0, 100)),
    },
    sizing: {
      kellyFraction: pick(0.5, setting(0, 1)),
      minRisk: riskPerTrade * pick(0.25, 0, 1),
      shrinkageTrades: pick(30, 1),
      evidence: chance(0.1)
        ? null
        : recordOf({
            wins: Math.floor(setting(0, 1000)),
            losses: Math.floor(setting(0, 1000)),
            averageWinR: chance(0.02) ? scale(-320, 300) : setting(0.5, 3),
            averageLossR: chance(0.02) ? scale(-320, 300) : 1,
          }),
    },
    instrument: {
      multiplier: amount(multiplier, 2) as Quantity,
      tickSize: amount(tick) as Price,
      lotSize: amount(lot) as Quantity,
      minQuantity: amount(chance(0.9) ? lot : scale(0, 4)) as Quantity,
      maxQuantity: amount(chance(0.9) ? 1e6 : scale(-1, 3)) as Quantity,
      initialMarginRate: {
        long: amount(chance(0.02) ? pick(1e-9, 1) : between(0.05, 0.5), 2),
        short: amount(chance(0.02) ? pick(1e-9, 1) : between(0.05, 0.5), 2),
      },
      maintenanceMarginRate: amount(chance(0.02) ? pick(1e-9, 1) : between(0.001, 0.15)),
      fees: {
        maker: '0',
        taker: amount(taker, 2),
        perContract: chance(0.5) ? '0' : amount(mid * multiplier * scale(-6, -3)),
      },
    },
    session: {
      isOpen: !chance(0.02),
      nextClose: chance(0.8) ? null : toIso(now + Math.floor(between(-30, 600) * MINUTE_MS)),
      reason: 'hours',
    },
    accounting: {
      cash: equityText,
      equity: equityText,
      dayStartEquity: amount(dayStart) as Money,
      peakEquity: amount(equity * (chance(0.9) ? between(1, 1.15) : between(0.5, 1.5)), 2) as Money,
      entriesToday: Math.floor(between(0, 4)),
      lastTradeLost: chance(0.1),
      lastTradeClosedAt: chance(0.3) ? null : toIso(now - Math.floor(between(0, 300) * MINUTE_MS)),
    },
    facts: {
      now: toIso(now),
      quote,
      phase: chance(0.95)
        ? PHASES.flat
        : pick<Phase>(PHASES.abandoned, PHASES.opening, PHASES.openLong, PHASES.openShort, PHASES.closing),
      halt: chance(0.02) ? { at: NOW, by: 'guard', rule: 'drawdown', reason: 'enough' } : null,
      trades: TRADES.slice(0, Math.floor(between(0, 25))),
      liveBarriers: chance(0.5) ? [] : ['too few days'],
      sizeCap: chance(0.6) ? null : (amount(lot * 2 ** Math.floor(between(0, 12))) as Quantity),
      openIncidents: chance(0.02) ? 1 : 0,
    },
    indicators: { atr14: chance(0.02) ? pick(null, 0, -atr, chance(0.04) ? extreme() : mid) : atr },
    snapshot: {
      quote: { ...quote, bid: amount(seen, 6) as Price, ask: amount(seen, 6) as Price },
      issues: chance(0.02) ? [{ kind: 'stale', at: null, count: 1, detail: 'the last bar is old' }] : [],
      funding: chance(0.5)
        ? null
        : {
            rate: 0,
            intervalHours: 1,
            annualised: pick(between(-1.2, 1.2), chance(0.01) ? -Number.MAX_VALUE : 0),
            averageRate: 0,
          },
    },
  })
  return chance(0.9) ? context : withEnd(context, now + Math.floor(between(-100, 100) * MINUTE_MS))
}

/** The case with its instrument as a contract that has its last entry at an instant. */
function withEnd(context: RuleContext, lastEntry: number): RuleContext {
  const { facts } = context
  if (facts.instrument.kind === 'future') return context
  const { fundingIntervalMs: _, ...common } = facts.instrument
  const instrument: Instrument = {
    ...common,
    kind: 'future',
    root: 'ETH',
    month: '2026-11',
    lastEntry: toIso(lastEntry),
    lastTrade: toIso(lastEntry + 60 * MINUTE_MS),
    firstNotice: null,
  }
  return { ...context, facts: { ...facts, instrument } }
}
