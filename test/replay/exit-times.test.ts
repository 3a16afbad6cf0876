import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, toIso } from '../../lib/core/time.ts'
import type { Decider, DecisionLook } from '../../lib/decision/decider.ts'
import { lookOf } from '../../lib/decision/decider.ts'
import type { Candle } from '../../schemas/market.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import { historyOf, replay, settings, START } from './support.ts'

const outcomeOf = (decision: DecisionOutcome['decision']): DecisionOutcome => ({
  decision,
  decider: 'scripted',
  model: null,
  failure: null,
  attempts: [],
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
})

/** Wants to be in at every slot, a stop 12 and a target 24 away. */
const eager = (side: 'long' | 'short'): Decider => {
  const direction = side === 'long' ? 1 : -1
  const foresee = ({ quote, side: held }: DecisionLook): DecisionOutcome => {
    const level = Number(quote.bid)
    if (held !== null) return outcomeOf({ action: 'hold', rationale: 'held' })
    return outcomeOf({
      action: side === 'long' ? 'open_long' : 'open_short',
      stopLossPrice: level - direction * 12,
      takeProfitPrice: level + direction * 24,
      confidence: 0.9,
      invalidation: 'never',
      rationale: 'eager',
    })
  }
  return { name: 'eager', asksModel: false, foresee, decide: async ({ snapshot }) => foresee(lookOf(snapshot)) }
}

/** Nights that jump: some stops are gapped through at the open. */
const withJumps = (bars: Candle[]): Candle[] =>
  bars.map((bar, index) => {
    const shift = Math.round(60 * Math.sin(Math.floor(index / 9) * 2.3))
    return { ...bar, open: bar.open + shift, high: bar.high + shift, low: bar.low + shift, close: bar.close + shift }
  })

describe.each(['long', 'short'] as const)(
  'on hourly bars, with an hour of cooldown, a %s that was stopped out',
  (side) => {
    it('within a bar keeps the next slot out and not the one after; at a bar’s open, an hour is over at the next', async () => {
      const market = historyOf({ seed: 71, timeframe: '1h', days: 29, change: withJumps })
      const config = settings({
        interval: '1h',
        guard: {
          cooldownMinutesAfterLoss: 60,
          maxEntriesPerDay: 40,
          maxDrawdown: 1,
          maxDailyLoss: 1,
          minStopAtr: 0.01,
          maxStopAtr: 50,
        },
      })
      const { trades, lines } = await replay(market, config, {
        decider: eager(side),
        from: START + 20 * DAY_MS,
        to: START + 28 * DAY_MS,
      })
      const isKeptOut = (slot: number) =>
        lines.find((line) => line.slot === toIso(slot))?.refusedBy.includes('cooldown') ?? null
      const seen = { within: 0, atOpen: 0 }
      for (const { exitReason, exitTime, stopLossPrice } of trades) {
        if (exitReason !== 'stop_loss') continue
        const exit = Date.parse(exitTime)
        const opened = Math.floor(exit / HOUR_MS) * HOUR_MS
        const bar = market.history.barAt(opened)
        const isGapped =
          side === 'long' ? (bar?.open ?? 0) < Number(stopLossPrice) : (bar?.open ?? 0) > Number(stopLossPrice)
        expect(exit).toBe(isGapped ? opened : opened + HOUR_MS - 1)
        seen[isGapped ? 'atOpen' : 'within'] += 1
        // The slot at which the bar has closed, and the one after that: nothing was entered in between.
        if (!lines.some(({ slot }) => slot === toIso(opened + 2 * HOUR_MS))) continue
        expect([exitTime, isKeptOut(opened + HOUR_MS)]).toEqual([exitTime, !isGapped])
        if (!isGapped) expect([exitTime, isKeptOut(opened + 2 * HOUR_MS)]).toEqual([exitTime, false])
      }
      expect(seen.within).toBeGreaterThan(8)
      expect(seen.atOpen).toBeGreaterThan(0)
    })
  },
)
