import { describe, expect, it } from 'vitest'
import { sum, toNumber } from '../../lib/core/decimal.ts'
import { attributeResult } from '../../lib/evidence/attribute-result.ts'
import { entryRateOf } from '../../lib/evidence/baselines.ts'
import { holdThrough } from '../../lib/evidence/hold-baseline.ts'
import { assumedFundingShare } from '../../lib/evidence/summarise-run.ts'
import { createRandomDecider } from '../../lib/decision/random-decider.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import { historyOf, marketOf, replay, rulesOf, settings, START } from '../replay/support.ts'

const endOf = (market: ReturnType<typeof historyOf>): number => (market.history.last?.time ?? 0) + MINUTE_MS

describe('where a result comes from', () => {
  it('the four parts add up to the pnl, to the last digit', async () => {
    for (const seed of [71, 72, 73]) {
      const market = historyOf({ seed })
      const config = settings({
        guard: { cooldownMinutesAfterLoss: 240, maxEntriesPerDay: 3, maxDrawdown: 1, maxDailyLoss: 1, minStopAtr: 0.1 },
      })
      const { lines, trades } = await replay(market, config)
      const found = await attributeResult({ config, market, lines, trades, to: endOf(market) })
      expect(found?.refused).toBeGreaterThan(0)
      expect(
        sum(
          found?.decider ?? ('0' as never),
          found?.guard ?? ('0' as never),
          found?.exits ?? ('0' as never),
          found?.sizing ?? ('0' as never),
        ),
      ).toBe(found?.pnl)
      expect(found?.decisions).toBe((found?.approved ?? 0) + (found?.refused ?? 0))
    }
  })

  it('a guard that refuses nothing has no part; exits left to the venue add next to nothing', async () => {
    const market = historyOf({ seed: 74 })
    const config = settings()
    const decider = createRandomDecider({ seed: 1, entryRate: 0.3, stopAtr: 1, rewardToRisk: 2 })
    const { lines, trades } = await replay(market, config, { decider })
    expect(lines.some(({ outcome }) => outcome === 'refused')).toBe(false)
    const found = await attributeResult({ config, market, lines, trades, to: endOf(market) })
    expect(found?.guard).toBe('0')
    expect(trades.every(({ exitReason }) => exitReason === 'stop_loss' || exitReason === 'take_profit')).toBe(true)
    // The same exits at the same prices; one lot instead of several differs by the rounding of fees alone.
    expect(Math.abs(toNumber(found?.exits ?? '0'))).toBeLessThan(
      0.02 * Math.abs(toNumber(found?.riskUnit ?? '0')) * trades.length,
    )
  })

  it('is not told where nothing was traded', async () => {
    const market = historyOf({ seed: 75 })
    const { lines } = await replay(market, settings())
    expect(await attributeResult({ config: settings(), market, lines, trades: [], to: endOf(market) })).toBeNull()
  })
})

describe('baselines', () => {
  it('holding gains what the price gains, less its costs', async () => {
    const market = historyOf({ seed: 76 })
    const slots = Array.from({ length: 96 }, (_, index) => START + DAY_MS + index * 30 * MINUTE_MS)
    const free = settings({
      paper: {
        spreadBps: 0,
        slippageBps: 0,
        latencyMs: 0,
        assumedFundingRate: '0',
      },
      instrument: {
        tickSize: '0.01',
        multiplier: '0.0001',
        maxQuantity: '100000000',
        fees: { maker: '0', taker: '0', perContract: '0' },
      },
    })
    const held = await holdThrough(free, market, slots, endOf(market))
    const [first, last] = [
      market.history.barAt(slots[0] ?? 0)?.open ?? 0,
      market.history.barAt(slots.at(-1) ?? 0)?.open ?? 0,
    ]
    // All but the share kept back for costs is invested.
    expect(toNumber(held?.endEquity ?? '0') / 10_000 - 1).toBeCloseTo(0.99 * (last / first - 1), 4)
    const costly = await holdThrough(settings(), market, slots, endOf(market))
    expect(toNumber(costly?.fees ?? '0')).toBeGreaterThan(5)
    expect(toNumber(costly?.funding ?? '0')).toBeLessThan(0)
    expect(costly?.equity).toHaveLength(slots.length)
    expect(await holdThrough(settings({ paper: { initialCash: '50' } }), market, slots, endOf(market))).toBeNull()
  })

  it('random entries come as often as they are asked for, in both directions, and depend on seed and slot alone', async () => {
    const market = historyOf({ seed: 77, days: 6 })
    const config = settings()
    const run = (seed: number) =>
      replay(market, config, { decider: createRandomDecider({ seed, entryRate: 0.25, stopAtr: 1, rewardToRisk: 2 }) })
    const [one, again, other] = [await run(1), await run(1), await run(2)]
    expect(again.lines).toEqual(one.lines)
    expect(other.lines).not.toEqual(one.lines)
    expect(entryRateOf(one.lines)).toBeGreaterThan(0.1)
    expect(entryRateOf(one.lines)).toBeLessThan(0.45)
    expect(new Set(one.trades.map(({ side }) => side)).size).toBe(2)
  })

  it('the rate of asking counts slots without a position only', () => {
    const line = (outcome: 'held' | 'entered' | 'refused', inPosition: boolean) =>
      ({ outcome, inPosition, ask: outcome === 'held' ? null : {} }) as never
    expect(entryRateOf([])).toBe(0)
    expect(entryRateOf([line('held', false), line('entered', true), line('held', true), line('held', true)])).toBe(0.5)
    expect(entryRateOf([line('refused', false), line('refused', false)])).toBe(1)
  })
})

describe('assumed funding', () => {
  it('is the share of settlements in trades that no recorded rate covers', async () => {
    const config = settings()
    const bare = historyOf({ seed: 78 })
    const { trades } = await replay(bare, config)
    expect(await assumedFundingShare(config, bare, trades)).toBe(1)
    const covered = historyOf({
      seed: 78,
      funding: Array.from({ length: 96 }, (_, hour) => ({ time: START + hour * HOUR_MS, rate: 0.0001 })),
    })
    expect(await assumedFundingShare(config, covered, trades)).toBe(0)
    expect(await assumedFundingShare(config, bare, [])).toBeNull()
    expect(await assumedFundingShare(settings({ instrument: { fundingIntervalMs: null } }), bare, trades)).toBeNull()
  })
})

describe('a market shared between threads', () => {
  it('is the market it was made of', async () => {
    const { openSharedMarket, shareMarket } = await import('../../lib/evidence/shared-market.ts')
    const holed = (bars: Candle[]) => bars.filter((_, index) => index % 997 > 20)
    const market = historyOf({ seed: 79, change: holed, funding: [{ time: START + HOUR_MS, rate: 0.0001 }] })
    const again = openSharedMarket(structuredClone(shareMarket(market)))
    const config = settings()
    expect(again.history.bars).toEqual(market.history.bars)
    const decider = rulesOf(config)
    expect((await replay(again, config, { decider })).lines).toEqual((await replay(market, config, { decider })).lines)
  })
})

describe('data by content', () => {
  it('has the same hash whatever it was read from, and another for any other bar', async () => {
    const { hashCandles } = await import('../../lib/evidence/describe-data.ts')
    const { bars } = historyOf({ seed: 80 }).history
    const hash = hashCandles(marketOf(bars, '1m').history)
    expect(hashCandles(marketOf(structuredClone(bars) as Candle[], '1m').history)).toBe(hash)
    expect(hashCandles(marketOf(bars.slice(1), '1m').history)).not.toBe(hash)
    expect(
      hashCandles(
        marketOf(
          bars.map((bar, index) => (index === 4_000 ? { ...bar, volume: (bar.volume ?? 0) + 0.01 } : bar)),
          '1m',
        ).history,
      ),
    ).not.toBe(hash)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
  })
})
