import { configOf } from '../support/instruments.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dec } from '../../lib/core/decimal.ts'
import { planEntry } from '../../lib/guard/plan-entry.ts'
import { estimateEdge, kelly, largestQuantity, riskFraction } from '../../lib/guard/size-entry.ts'
import { isEntry } from '../../schemas/decision.ts'
import type { TradeSummary } from '../../schemas/state.ts'
import { type Changes, contextWith, NOW, recordOf } from './fixtures.ts'

const SEED = { seed: 20_261_102 }
const { guard, sizing } = configOf({ id: 'eth-perp' })

const tradesOf = (...multiples: (number | null)[]): TradeSummary[] =>
  multiples.map((rMultiple, index) => ({
    id: `t${index}`,
    side: 'long',
    regime: null,
    pnl: dec(0).toFixed() as TradeSummary['pnl'],
    rMultiple,
    exitReason: 'stop_loss',
    exitTime: NOW,
    holdingMinutes: 1,
  }))
const repeated = (count: number, ...multiples: number[]) =>
  tradesOf(...Array.from({ length: count }, () => multiples).flat())

function planOf(changes: Changes) {
  const { decision, config, facts } = contextWith(changes)
  if (!isEntry(decision)) throw new Error('not an entry')
  return planEntry(decision, config, facts)
}

describe("Kelly's fraction", () => {
  it.each([
    // p - (1 - p) / b: a fair coin at even odds, two for one, the classic 60 % coin, a trend follower, a sure thing, a
    // sure loss.
    [0.5, 1, 0],
    [0.5, 2, 0.25],
    [0.6, 1, 0.2],
    [0.45, 1.8, 0.45 - 0.55 / 1.8],
    [1, 0.1, 1],
    [0, 5, -0.2],
    [0.25, 3, 0],
    [0.9, 0, -1],
    [0.7, Number.POSITIVE_INFINITY, 0.7],
  ])('wins %d, pays %d: %d', (winRate, payoff, fraction) => {
    expect(kelly({ winRate, payoff, weight: 1 })).toBeCloseTo(fraction, 12)
  })

  it('is what makes capital grow fastest', () => {
    const share = fc.double({ min: 0.3, max: 0.8, noNaN: true })
    fc.assert(
      fc.property(share, fc.double({ min: 0.8, max: 3, noNaN: true }), (winRate, payoff) => {
        const best = kelly({ winRate, payoff, weight: 1 })
        fc.pre(best > 0.02 && best < 0.95)
        const growth = (fraction: number) =>
          winRate * Math.log(1 + fraction * payoff) + (1 - winRate) * Math.log(1 - fraction)
        expect(growth(best)).toBeGreaterThan(growth(best + 0.01))
        expect(growth(best)).toBeGreaterThan(growth(best - 0.01))
      }),
      SEED,
    )
  })
})

describe('the edge', () => {
  const alone = { evidence: null, shrinkageTrades: 30 }

  it('is nothing without a record, or with trades that neither won nor lost or had no stop', () => {
    for (const trades of [[], tradesOf(null, null), tradesOf(0)]) {
      const edge = estimateEdge(trades, alone)
      expect(edge).toMatchObject({ wins: 0, losses: 0, weight: 0 })
      expect(Math.max(0, kelly(edge))).toBe(0)
    }
  })

  it('is the record, weighed by its length', () => {
    expect(estimateEdge(tradesOf(3, 3, -1, -1, -1, -1, -1, -1, -1, -1), alone)).toEqual({
      wins: 2,
      losses: 8,
      winRate: 0.2,
      payoff: 3,
      weight: 0.25,
    })
    expect(estimateEdge(tradesOf(-2, -2, 1), alone)).toMatchObject({ winRate: 1 / 3, payoff: 0.5 })
  })

  it('adds the trades of this run to the record it began with, as if they were one', () => {
    const multiple = fc.double({ min: -4, max: 4, noNaN: true })
    fc.assert(
      fc.property(fc.array(multiple, { maxLength: 40 }), fc.array(multiple, { maxLength: 40 }), (before, since) => {
        const wins = before.filter((r) => r > 0)
        const losses = before.filter((r) => r < 0)
        const mean = (values: number[]) =>
          values.length === 0 ? 0 : Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length)
        const evidence = recordOf({
          wins: wins.length,
          losses: losses.length,
          averageWinR: mean(wins),
          averageLossR: mean(losses),
        })
        const whole = estimateEdge(tradesOf(...before, ...since), alone)
        const parts = estimateEdge(tradesOf(...since), { ...alone, evidence })
        expect(parts).toMatchObject({
          wins: whole.wins,
          losses: whole.losses,
          winRate: whole.winRate,
          weight: whole.weight,
        })
        if (Number.isFinite(whole.payoff)) expect(parts.payoff).toBeCloseTo(whole.payoff, 6)
      }),
      SEED,
    )
  })

  it('never makes more of a record than it shows, and ever less of a shorter one', () => {
    const multiple = fc.double({ min: 0.2, max: 4, noNaN: true })
    fc.assert(
      fc.property(
        multiple,
        multiple,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (win, loss, wins, losses) => {
          const once = [...Array<number>(wins).fill(win), ...Array<number>(losses).fill(-loss)]
          const bets = [1, 5, 25, 400].map((count) => kelly(estimateEdge(repeated(count, ...once), alone)))
          const full = wins / (wins + losses) - losses / (wins + losses) / (win / loss)
          for (const [index, bet] of bets.entries()) {
            expect(Math.abs(bet)).toBeLessThanOrEqual(Math.abs(full) + 1e-9)
            expect(Math.abs(bet)).toBeGreaterThanOrEqual(Math.abs(bets[index - 1] ?? 0) - 1e-9)
          }
          expect(Math.abs(bets[3] ?? 0)).toBeGreaterThanOrEqual(Math.abs(full) * 0.96)
        },
      ),
      SEED,
    )
  })

  it('of certainties stays a number', () => {
    for (const trades of [
      [],
      tradesOf(1),
      tradesOf(-1),
      tradesOf(1e308, 1e308, -1e308, -1e308),
      tradesOf(5e-324, -1e308),
    ]) {
      for (const evidence of [null, recordOf({ wins: 5, losses: 0 }), recordOf({ wins: 0, losses: 5 })]) {
        const fraction = riskFraction(
          estimateEdge(trades, { evidence, shrinkageTrades: 1 }),
          1,
          sizing,
          guard.riskPerTrade,
        )
        expect(fraction).toBeGreaterThanOrEqual(sizing.minRisk)
        expect(fraction).toBeLessThanOrEqual(guard.riskPerTrade)
      }
    }
  })
})

describe('the fraction at risk', () => {
  const edge = { wins: 1, losses: 1, winRate: 0.5, payoff: 1.1, weight: 1 }

  it('is half of Kelly, scaled by confidence', () => {
    // 0.5 - 0.5 / 1.04 = 0.01923...: half of it 0.0096, of which confidence leaves a half.
    const fraction = riskFraction({ ...edge, payoff: 1.04 }, 0.5, sizing, guard.riskPerTrade)
    expect(fraction).toBeCloseTo((0.5 - 0.5 / 1.04) / 4, 12)
  })

  it('is at least the floor, even without an edge', () => {
    expect(riskFraction({ ...edge, payoff: 0.5 }, 1, sizing, guard.riskPerTrade)).toBe(0.0025)
    expect(riskFraction(edge, 0, sizing, guard.riskPerTrade)).toBe(0.0025)
  })

  it('of nothing stops trading where the floor is nothing', () => {
    expect(riskFraction({ ...edge, payoff: 0.5 }, 1, { ...sizing, minRisk: 0 }, guard.riskPerTrade)).toBe(0)
  })

  it('never exceeds either cap', () => {
    const better = { ...edge, winRate: 0.9, payoff: 5 }
    expect(riskFraction(better, 1, sizing, guard.riskPerTrade)).toBe(0.01)
    expect(riskFraction(better, 1, sizing, 0.015)).toBe(0.015)
    expect(riskFraction(better, 1, { ...sizing, minRisk: 0.5 }, guard.riskPerTrade)).toBe(0.01)
  })

  it('is never negative, and never falls with confidence', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        share,
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        share,
        share,
        share,
        fc.double({ min: 0, max: 0.01, noNaN: true }),
        (winRate, payoff, a, b, kellyFraction, minRisk) => {
          const at = (confidence: number) =>
            riskFraction(
              { ...edge, winRate, payoff },
              confidence,
              { ...sizing, kellyFraction, minRisk },
              guard.riskPerTrade,
            )
          expect(at(Math.min(a, b))).toBeGreaterThanOrEqual(0)
          expect(at(Math.max(a, b))).toBeGreaterThanOrEqual(at(Math.min(a, b)))
          expect(at(1)).toBeLessThanOrEqual(guard.riskPerTrade)
        },
      ),
      SEED,
    )
  })
})

describe('the largest quantity', () => {
  const budget = (money: number, perContract: number) => ({ money: dec(money), perContract: dec(perContract) })
  const venue = { maxQuantity: dec(1_000), lotSize: dec('0.1') }

  it.each([
    ['the tightest budget', [budget(100, 4), budget(100, 8), budget(100, 5)], '12.5'],
    ['whichever is first', [budget(100, 8), budget(100, 4)], '12.5'],
    ['the maximum', [budget(1e9, 1)], '1000'],
    ['down to the lot', [budget(1, 3)], '0.3'],
    ['less than a lot', [budget(1, 11)], '0'],
    ['an empty budget', [budget(100, 4), budget(0, 4)], '0'],
    ['a budget overdrawn', [budget(-100, 4)], '0'],
    ['a contract that costs nothing', [budget(100, 0)], '0'],
    ['a contract that pays', [budget(100, -1), budget(100, 4)], '0'],
  ] as const)('%s', (_, [first, ...rest], quantity) => {
    expect(largestQuantity([first, ...rest], venue).toFixed()).toBe(quantity)
  })
})

describe('size', () => {
  const cents = fc.integer({ min: 1, max: 10_000_000 }).map((value) => value / 100)
  const size = (changes: Changes) => planOf(changes).sizedQuantity
  const side = fc.constantFrom('long' as const, 'short' as const)
  // A record that lets confidence tell, fees, slippage and a cap that binds now and then.
  const common: Changes = {
    guard: { maxEntrySlippageBps: 10 },
    sizing: { evidence: recordOf({ averageWinR: 1.25 }) },
    instrument: { lotSize: dec('0.1').toFixed() as never, fees: { maker: '0', taker: '0.0005', perContract: '0.15' } },
  }
  const worthOf = (equity: number) => ({ equity: dec(equity).toFixed() as never })
  const stopAt = (distance: number, of: 'long' | 'short') => ({
    stopLossPrice: of === 'long' ? 2_000 - distance : 2_000 + distance,
  })

  it('is a multiple of the lot, for any equity, confidence and stop', () => {
    fc.assert(
      fc.property(
        side,
        cents,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 1_900 }),
        (of, equity, confidence, distance) => {
          const sized = size({
            ...common,
            side: of,
            accounting: worthOf(equity),
            decision: { ...stopAt(distance, of), confidence },
          })
          expect(sized.times(10).mod(1).eq(0)).toBe(true)
          expect(sized.gte(0)).toBe(true)
        },
      ),
      SEED,
    )
  })

  it('never falls with confidence', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    let grew = 0
    fc.assert(
      fc.property(side, share, share, (of, a, b) => {
        const at = (confidence: number) => size({ ...common, side: of, decision: { confidence } })
        const [less, more] = [at(Math.min(a, b)), at(Math.max(a, b))]
        expect(more.gte(less)).toBe(true)
        if (more.gt(less)) grew += 1
      }),
      SEED,
    )
    expect(grew).toBeGreaterThan(10)
  })

  it('never falls with equity', () => {
    fc.assert(
      fc.property(side, cents, cents, fc.integer({ min: 1, max: 200 }), (of, a, b, distance) => {
        const at = (equity: number) =>
          size({ ...common, side: of, accounting: worthOf(equity), decision: stopAt(distance, of) })
        expect(at(Math.max(a, b)).gte(at(Math.min(a, b)))).toBe(true)
      }),
      SEED,
    )
  })

  it('never grows with the distance of the stop', () => {
    const distance = fc.integer({ min: 1, max: 3_800 }).map((ticks) => ticks / 2)
    fc.assert(
      fc.property(side, cents, distance, distance, (of, equity, a, b) => {
        const at = (wide: number) =>
          size({ ...common, side: of, accounting: worthOf(equity), decision: stopAt(wide, of) })
        expect(at(Math.max(a, b)).lte(at(Math.min(a, b)))).toBe(true)
      }),
      SEED,
    )
  })

  it('is nothing where nothing can be lost', () => {
    for (const equity of [0, -1, -1e9]) expect(size({ ...common, accounting: worthOf(equity) }).toFixed()).toBe('0')
    // At 2002, the worst fill, nothing but fees would be lost: no stop, however large a position the fees would allow.
    for (const stopLossPrice of [2_002, 2_100])
      expect(size({ ...common, decision: { stopLossPrice } }).toFixed()).toBe('0')
  })
})
