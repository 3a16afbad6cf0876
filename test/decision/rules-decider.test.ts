import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lookOf } from '../../lib/decision/decider.ts'
import { confidenceOf, createRulesDecider, decideByRules, type RulesConfig } from '../../lib/decision/rules-decider.ts'
import { buildPrompt } from '../../lib/decision/prompt.ts'
import { Decision, DecisionOutcome, isEntry } from '../../schemas/decision.ts'
import { DeciderConfig } from '../../schemas/strategy-config.ts'
import { snapshotWith, trendingSnapshot } from './snapshot-fixture.ts'

const parsed = DeciderConfig.parse({ kind: 'rules' })
if (parsed.kind !== 'rules') throw new Error('not the rules configuration')
const config: RulesConfig = parsed

type Market = { price: number; gap: number; atr: number; rsi: number; adx: number | null; halfSpread: number }

/** Evenly spread over the range; `fc.double` crowds around zero. */
const between = (min: number, max: number) =>
  fc.integer({ min: 0, max: 1_000_000 }).map((share) => min + ((max - min) * share) / 1_000_000)

const market = fc.record({
  price: between(10, 100_000),
  /** EMA 12 - EMA 26 and ATR as fractions of the price. */
  gap: between(-0.02, 0.02),
  atr: between(0.0005, 0.05),
  rsi: between(20, 80),
  adx: fc.option(between(0, 100)),
  halfSpread: between(0, 0.001),
})

const round = (value: number): number => Number(value.toFixed(10))

function snapshotOf({ price, gap, atr, rsi, adx, halfSpread }: Market, side: 'long' | 'short' | null = null) {
  return snapshotWith({
    bid: round(price * (1 - halfSpread)),
    ask: round(price * (1 + halfSpread)),
    side,
    indicators: {
      ema12: price * (1 + gap / 2),
      ema26: price * (1 - gap / 2),
      atr14: price * atr,
      rsi14: rsi,
      adx14: adx,
    },
  })
}

const decide = (value: Market, side: 'long' | 'short' | null = null) =>
  decideByRules(lookOf(snapshotOf(value, side)), config).decision

describe('rules decider', () => {
  test('every decision is valid, and a long has stop < price < target, a short the reverse', () => {
    let entries = 0
    fc.assert(
      fc.property(market, (value) => {
        const decision = Decision.parse(decide(value))
        expect(decision.action).not.toBe('close')
        if (!isEntry(decision)) return
        entries++
        const { stopLossPrice: stop, takeProfitPrice: target } = decision
        const isLong = decision.action === 'open_long'
        const price = isLong ? round(value.price * (1 + value.halfSpread)) : round(value.price * (1 - value.halfSpread))
        expect(isLong ? stop < price && price < target : target < price && price < stop).toBe(true)
        expect(Math.abs(price - stop) / (value.price * value.atr)).toBeCloseTo(config.stopAtr, 2)
        expect(Math.abs(target - price) / Math.abs(price - stop)).toBeCloseTo(config.rewardToRisk, 2)
        expect(decision.confidence).toBeGreaterThanOrEqual(0.3)
        expect(decision.confidence).toBeLessThanOrEqual(0.9)
      }),
      { seed: 21, numRuns: 500 },
    )
    expect(entries).toBeGreaterThan(100)
  })

  test('never an entry while a position is open; close exactly when the trend has turned', () => {
    fc.assert(
      fc.property(market, fc.constantFrom('long' as const, 'short' as const), (value, side) => {
        const against =
          side === 'long'
            ? value.price * (1 + value.gap / 2) < value.price * (1 - value.gap / 2)
            : value.price * (1 + value.gap / 2) > value.price * (1 - value.gap / 2)
        expect(decide(value, side).action).toBe(against ? 'close' : 'hold')
      }),
      { seed: 22, numRuns: 300 },
    )
  })

  test('scale: a market k times as dear gives the same decision at k times the levels', () => {
    fc.assert(
      fc.property(market, fc.constantFrom(0.001, 0.5, 2, 3, 1_000), (value, k) => {
        const near = Math.abs(value.rsi - 50) < 1e-6 || Math.abs(value.gap) < 1e-9
        fc.pre(!near)
        const base = decide(value)
        const scaled = decide({ ...value, price: value.price * k })
        expect(scaled.action).toBe(base.action)
        if (!isEntry(base) || !isEntry(scaled)) return
        expect(scaled.stopLossPrice / base.stopLossPrice / k).toBeCloseTo(1, 5)
        expect(scaled.takeProfitPrice / base.takeProfitPrice / k).toBeCloseTo(1, 5)
        expect(scaled.confidence).toBeCloseTo(base.confidence, 3)
      }),
      { seed: 23, numRuns: 500 },
    )
  })

  test('mirror: up and down exchanged gives the opposite entry at mirrored levels', () => {
    fc.assert(
      fc.property(market, (value) => {
        // Exactly at a bound the two sides' rounding may differ.
        fc.pre([30, 50, 70].every((bound) => Math.abs(value.rsi - bound) > 1e-6))
        const base = decide(value)
        const mirrored = decide({ ...value, gap: -value.gap, rsi: 100 - value.rsi })
        const opposite = { open_long: 'open_short', open_short: 'open_long', hold: 'hold', close: 'close' } as const
        expect(mirrored.action).toBe(opposite[base.action])
        if (!isEntry(base) || !isEntry(mirrored)) return
        // Reflected about the mid price: level + mirrored level = 2 x mid.
        expect((base.stopLossPrice + mirrored.stopLossPrice) / (2 * value.price)).toBeCloseTo(1, 6)
        expect((base.takeProfitPrice + mirrored.takeProfitPrice) / (2 * value.price)).toBeCloseTo(1, 6)
        expect(mirrored.confidence).toBeCloseTo(base.confidence, 3)
      }),
      { seed: 24, numRuns: 500 },
    )
  })

  test('confidence rises with the separation of the averages and with ADX', () => {
    const separation = between(0, 3)
    const adx = between(0, 100)
    fc.assert(
      fc.property(separation, separation, adx, adx, (a, b, c, d) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        const [weak, strong] = [Math.min(c, d), Math.max(c, d)]
        expect(confidenceOf(low, weak)).toBeLessThanOrEqual(confidenceOf(high, strong))
        expect(confidenceOf(low, null)).toBeLessThanOrEqual(confidenceOf(high, null))
      }),
      { seed: 25, numRuns: 300 },
    )
    expect([confidenceOf(0, 0), confidenceOf(0.5, null), confidenceOf(0.5, 30), confidenceOf(2, 80)]).toEqual([
      0.3, 0.6, 0.6, 0.9,
    ])
  })

  test.each(['ema12', 'ema26', 'rsi14', 'atr14'] as const)(
    'the rules hold, and have not failed, while %s is warming up',
    (name) => {
      const ruling = decideByRules(lookOf(snapshotWith({ indicators: { [name]: null } })), config)
      expect(ruling).toMatchObject({
        decision: { action: 'hold', rationale: expect.stringMatching(new RegExp(`Warming up: .*${name}`)) },
        failure: null,
      })
    },
  )

  test('an open position needs only the averages', () => {
    const indicators = { rsi14: null, atr14: null, adx14: null }
    expect(decideByRules(lookOf(snapshotWith({ side: 'short', indicators })), config)).toMatchObject({
      decision: { action: 'close' },
      failure: null,
    })
  })

  test.each([
    { name: 'no trend', indicators: { ema12: 2_000, ema26: 2_000 } },
    { name: 'RSI too high for a long', indicators: { rsi14: 75 } },
    { name: 'RSI too low for a long', indicators: { rsi14: 45 } },
    { name: 'RSI too low for a short', indicators: { ema12: 1_980, rsi14: 25 } },
    { name: 'a dead market', indicators: { atr14: 0 } },
    { name: 'an ATR too small to see', indicators: { atr14: 1e-9 } },
    { name: 'a stop that would be below zero', indicators: { atr14: 1_500 } },
    { name: 'a short target that would be below zero', indicators: { ema12: 1_980, rsi14: 40, atr14: 600 } },
  ])('holds on $name, which is no failure', ({ indicators }) => {
    expect(decideByRules(lookOf(snapshotWith({ indicators })), config)).toMatchObject({
      decision: { action: 'hold' },
      failure: null,
    })
  })

  const group = (averageR: number | null) => ({
    trades: averageR === null ? 0 : 5,
    winRate: null,
    averageR,
    pnl: '0' as never,
  })
  test.each([
    ['longs lost, shorts did better', -0.5, 0.2, 'hold'],
    ['longs lost, shorts lost less', -0.5, -0.4, 'hold'],
    ['longs lost, shorts lost more', -0.5, -0.6, 'open_long'],
    ['longs won', 0.1, 0.9, 'open_long'],
    ['no short has been tried', -0.5, null, 'open_long'],
    ['no long has been tried', null, 0.2, 'open_long'],
    ['both the same', -0.5, -0.5, 'open_long'],
  ])('goes by its own record only where told to: %s', (_name, long, short, action) => {
    const look = {
      ...lookOf(trendingSnapshot),
      performance: () => ({ ...trendingSnapshot.performance, bySide: { long: group(long), short: group(short) } }),
    }
    expect(decideByRules(look, { ...config, followsRecord: true }).decision.action).toBe(action)
    expect(decideByRules(look, config).decision.action).toBe('open_long')
  })

  test('an example: the whole outcome', async () => {
    const decider = createRulesDecider(config)
    const outcome = DecisionOutcome.parse(
      await decider.decide({ snapshot: trendingSnapshot, prompt: buildPrompt(trendingSnapshot) }),
    )
    // Ask 2005.5, ATR 20: stop 2 ATR below, target 4 ATR above. Separation 0.5 ATR, ADX 25: mean(0.5, 0.375).
    expect(outcome).toEqual({
      decision: {
        action: 'open_long',
        stopLossPrice: 1_965.5,
        takeProfitPrice: 2_085.5,
        confidence: 0.5625,
        invalidation: 'EMA 12 crosses below EMA 26 on 30m bars.',
        rationale:
          'EMA 12 2000 above EMA 26 1990 on 30m bars; RSI 14 60.0, wanted 50 to 70 for a long; stop 2 ATR and target 4 ATR from 2005.5.',
      },
      decider: 'rules',
      model: null,
      failure: null,
      attempts: [],
      usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    })
    expect(decider.asksModel).toBe(false)
  })
})
