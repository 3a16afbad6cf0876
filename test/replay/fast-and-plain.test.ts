import { describe, expect, it } from 'vitest'
import { DAY_MS } from '../../lib/core/time.ts'
import { createRandomDecider } from '../../lib/decision/random-decider.ts'
import {
  DAYS,
  eightHourly,
  firstDifference,
  historyOf,
  replay,
  settings,
  START,
  withJumps,
  withOutages,
} from './support.ts'

const jumps = withJumps(0.06)

const CASES: [string, Parameters<typeof historyOf>[0], Record<string, unknown>?][] = [
  ['one-minute bars', { seed: 1 }],
  ['another walk', { seed: 2 }],
  ['funding every eight hours', { seed: 3, funding: eightHourly(DAYS) }],
  ['funding known for a part of the time', { seed: 4, funding: eightHourly(Math.ceil(DAYS / 3)) }],
  ['outages', { seed: 4, change: withOutages }],
  ['jumps', { seed: 5, change: jumps }],
  ['outages and jumps', { seed: 6, change: (bars) => withOutages(jumps(bars)) }],
  ['five-minute bars', { seed: 7, timeframe: '5m', days: 2 * DAYS }],
  ['hourly bars', { seed: 8, timeframe: '1h', days: 8 * DAYS }, { interval: '1h' }],
  [
    'limits that halt',
    { seed: 9, change: jumps },
    { guard: { maxDailyLoss: 0.02, maxDrawdown: 0.05, minStopAtr: 0.1 } },
  ],
  ['cooldown and a short time limit', { seed: 10 }, { exits: { maxHoldingMinutes: 95 } }],
  ['exits that follow the fill', { seed: 11 }, { paper: { attachedBrackets: false } }],
  ['no funding', { seed: 12 }, { instrument: { fundingIntervalMs: null } }],
  [
    'a decider that goes by its record',
    { seed: 14, days: 2 * DAYS },
    { decider: { kind: 'rules', followsRecord: true } },
  ],
  [
    'liquidation near',
    { seed: 13, change: jumps },
    {
      guard: { maxLeverage: 10, liquidationBuffer: 0, minStopAtr: 0.1, maxDailyLoss: 1, maxDrawdown: 1 },
      exits: { liquidationDistance: 0.2 },
    },
  ],
]

describe('a fast walk through history', () => {
  it.each(CASES)('leaves what a plain one leaves, to the last byte: %s', async (_name, history, overrides) => {
    const market = historyOf(history)
    const config = settings(overrides)
    const fast = await replay(market, config)
    const plain = await replay(market, config, { isFast: false })
    expect(plain.trades.length).toBeGreaterThan(2)
    expect(firstDifference(fast, plain)).toBeNull()
  })

  it('also with a decider that enters at random', async () => {
    const market = historyOf({ seed: 21, change: withOutages })
    const config = settings()
    const decider = createRandomDecider({ seed: 3, entryRate: 0.2, stopAtr: 1, rewardToRisk: 2 })
    const fast = await replay(market, config, { decider })
    expect(fast.trades.length).toBeGreaterThan(5)
    expect(firstDifference(fast, await replay(market, config, { decider, isFast: false }))).toBeNull()
  })

  it('is the same walk twice, and on any market made of the same bars', async () => {
    const config = settings()
    const once = await replay(historyOf({ seed: 22 }), config)
    expect(firstDifference(await replay(historyOf({ seed: 22 }), config), once)).toBeNull()
  })
})

describe('a walk that was broken off', () => {
  it('goes on from any slot as if it had not been', async () => {
    const market = historyOf({ seed: 31, days: 3 })
    const config = settings()
    const checkpoints: { at: string; lines: number; trades: number }[] = []
    const saved: unknown[] = []
    let lines = 0
    let trades = 0
    const whole = await replay(market, config, {
      onSlot: (step) => {
        lines += 1
        trades += step.trades.length
        const checkpoint = step.checkpoint()
        // As it would come back from a file.
        saved.push(JSON.parse(JSON.stringify(checkpoint)))
        checkpoints.push({ at: checkpoint.nextSlot, lines, trades })
      },
    })
    for (let index = 3; index < checkpoints.length; index += 17) {
      const { lines: before, trades: told } = checkpoints[index] ?? { lines: 0, trades: 0 }
      const rest = await replay(market, config, { resumeAt: saved[index] as never })
      const joined = {
        ...rest,
        lines: [...whole.lines.slice(0, before), ...rest.lines],
        trades: [...whole.trades.slice(0, told), ...rest.trades],
      }
      expect(firstDifference(joined, whole), `broken off before ${checkpoints[index]?.at}`).toBeNull()
    }
  }, 60_000)
})

describe('what is refused', () => {
  it('bars too coarse for the decisions, and a span without a slot', async () => {
    await expect(replay(historyOf({ timeframe: '4h', days: 60 }), settings())).rejects.toThrow('4h')
    await expect(replay(historyOf({ timeframe: '1h', days: 60 }), settings())).rejects.toThrow(
      'set interval to a multiple of 1h, or bring bars of 30m or finer',
    )
    await expect(replay(historyOf(), settings({ interval: '90s' }))).rejects.toThrow(
      'set interval to a multiple of 1m, or bring bars of 1s or finer',
    )
    await expect(replay(historyOf(), settings({ interval: '15s' }))).rejects.toThrow('set interval to a multiple of 1m')
    await expect(replay(historyOf(), settings(), { from: START, to: START })).rejects.toThrow('--from')
    await expect(replay(historyOf(), settings(), { from: START + DAY_MS, to: START })).rejects.toThrow('--to')
  })
})
