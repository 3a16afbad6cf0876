import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS, timeframeMs } from '../../lib/core/time.ts'
import { runReplay } from '../../lib/replay/run-replay.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import { firstDifference, historyOf, rulesOf, settings, START, withJumps, withOutages } from '../replay/support.ts'
import { differences } from './differences.ts'
import { plainReplay } from './plain-replay.mjs'

/** More with HOURHAND_AGREEMENT_RUNS. */
const RUNS = Number(process.env['HOURHAND_AGREEMENT_RUNS'] ?? 2)

/**
 * Every so many bars the price jumps to another level and stays there for a while: exits and limits are met at an open.
 */
const changes: Record<string, (bars: Candle[]) => Candle[]> = {
  none: (bars) => bars,
  'small jumps': withJumps(0.004, 37),
  'large jumps': withJumps(0.12, 211),
  outages: withOutages,
  both: (bars) => withOutages(withJumps(0.01, 53)(bars)),
}

const questions = fc.record({
  seed: fc.integer({ min: 1, max: 10_000 }),
  timeframe: fc.constantFrom('1m' as const, '5m' as const, '30m' as const),
  change: fc.constantFrom(...Object.keys(changes)),
  /** Hours between two funding rates; null: none is known. */
  fundingHours: fc.option(fc.constantFrom(1, 4, 8), { nil: null }),
  /** A payment as large as a move of the price. */
  fundingRate: fc.constantFrom(0.0001, 0.002, -0.002),
  stopAtr: fc.constantFrom(0.3, 0.7, 2),
  rewardToRisk: fc.constantFrom(0.6, 1, 3),
  /** Limits that fall on a slot, on a funding boundary, and between them. */
  maxHoldingMinutes: fc.option(fc.constantFrom(30, 60, 95, 240), { nil: null }),
  maxEntrySlippageBps: fc.constantFrom(0, 2, 10),
  slippageBps: fc.constantFrom(0, 1, 6),
  latencyMs: fc.constantFrom(0, 2_000, 60_000),
  liquidationDistance: fc.constantFrom(0, 0.05, 0.2),
  leverage: fc.constantFrom(1, 3, 10),
  maxDailyLoss: fc.constantFrom(0.01, 1),
})

it('a fast replay, one that leaves nothing out and the rules in words agree to the last digit under any settings', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(questions, async (asked) => {
      const { seed, timeframe, change, fundingHours } = asked
      const days = timeframe === '30m' ? 12 : 2
      const funding: FundingRate[] =
        fundingHours === null
          ? []
          : Array.from({ length: (days * 24) / fundingHours }, (_, index) => ({
              time: START + index * fundingHours * HOUR_MS,
              rate: asked.fundingRate,
            }))
      const market = historyOf({ seed, days, timeframe, funding, change: changes[change] ?? ((bars) => bars) })
      const margin = `${1 / asked.leverage}`
      const config = settings({
        decider: {
          kind: 'rules',
          stopAtr: asked.stopAtr,
          rewardToRisk: asked.rewardToRisk,
          rsiLongMax: 95,
          rsiShortMin: 5,
        },
        guard: {
          cooldownMinutesAfterLoss: 0,
          maxEntriesPerDay: 40,
          maxDrawdown: 1,
          maxDailyLoss: asked.maxDailyLoss,
          minStopAtr: 0.01,
          minRewardToRisk: 0.1,
          liquidationBuffer: 0,
          maxLeverage: asked.leverage,
          maxEntrySlippageBps: asked.maxEntrySlippageBps,
        },
        exits: { maxHoldingMinutes: asked.maxHoldingMinutes, liquidationDistance: asked.liquidationDistance },
        paper: {
          slippageBps: asked.slippageBps,
          latencyMs: asked.latencyMs,
        },
        instrument: {
          margin: { perNotional: { initial: { long: margin.slice(0, 10), short: margin.slice(0, 10) } } },
          fees: { maker: '0.0001', taker: '0.00055', perContract: '0.02' },
        },
      })
      const { baseTimeframe, history } = market
      const [from, to] = [START + DAY_MS, (history.last?.time ?? START) + timeframeMs(baseTimeframe)]
      const request = { config, market, decider: rulesOf(config), from, to }
      const fast = await runReplay(request)
      expect(firstDifference(fast, await runReplay({ ...request, isFast: false }))).toBeNull()
      const plain = plainReplay({ config, candles: history.bars, funding, from, to })
      expect(differences(plain, fast)).toEqual([])
      for (const { exitReason, exitTime, takeProfitPrice, exitPrice } of fast.trades) {
        seen.add(exitReason)
        if (exitReason === 'take_profit') expect(exitPrice).toBe(takeProfitPrice)
        if (Date.parse(exitTime) % MINUTE_MS === 0) seen.add(`${exitReason} at an open`)
      }
    }),
    { seed: 1920, numRuns: RUNS },
  )
  expect(seen.size).toBeGreaterThan(1)
  if (RUNS < 40) return
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'take_profit',
      'stop_loss',
      'take_profit at an open',
      'stop_loss at an open',
      'time_limit at an open',
    ]),
  )
}, 600_000)
