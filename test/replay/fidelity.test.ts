import { merge } from '../../lib/config/merge.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, timeframeMs, toIso } from '../../lib/core/time.ts'
import type { Decider, DecisionLook } from '../../lib/decision/decider.ts'
import { lookOf } from '../../lib/decision/decider.ts'
import { type ReplayResult, runReplay } from '../../lib/replay/run-replay.ts'
import type { Candle } from '../../schemas/market.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import { historyOf, marketOf, replay, rulesOf, settings, START } from './support.ts'

/** Nothing costs anything, ticks and lots are fine, limits are far: what is left is the price path. */
const FRICTIONLESS = {
  guard: {
    maxEntrySlippageBps: 50,
    maxDailyLoss: 1,
    maxDrawdown: 1,
    cooldownMinutesAfterLoss: 0,
    maxEntriesPerDay: 100,
    minStopAtr: 0.1,
    maxNotional: '1000000000',
    maxLeverage: 10,
    liquidationBuffer: 0,
  },
  paper: {
    spreadBps: 0,
    slippageBps: 0,
    latencyMs: 0,
    assumedFundingRate: '0',
  },
  instrument: {
    multiplier: '0.0001',
    tickSize: '0.01',
    maxQuantity: '1000000000',
    margin: { perNotional: { initial: { long: '0.01', short: '0.01' }, maintenance: '0.001' } },
    fees: { maker: '0', taker: '0', perContract: '0' },
  },
}

const scripted = (decide: (look: DecisionLook) => DecisionOutcome['decision']): Decider => {
  const foresee = (look: DecisionLook): DecisionOutcome => ({
    decision: decide(look),
    decider: 'scripted',
    model: null,
    failure: null,
    attempts: [],
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
  })
  return { name: 'scripted', asksModel: false, foresee, decide: async ({ snapshot }) => foresee(lookOf(snapshot)) }
}

const HOLD = { action: 'hold', rationale: 'nothing' } as const
const words = { confidence: 0.9, invalidation: 'never', rationale: 'because' } as const

/** Longs and shorts in turn, a fixed way from the price, whenever flat. */
const alternating = (stop: number, target: number): Decider =>
  scripted(({ slot, quote, side }) => {
    if (side !== null) return HOLD
    const price = Number(quote.bid)
    const direction = (Date.parse(slot) / (30 * MINUTE_MS)) % 2 === 0 ? 1 : -1
    return {
      action: direction === 1 ? 'open_long' : 'open_short',
      stopLossPrice: price - direction * stop,
      takeProfitPrice: price + direction * target,
      ...words,
    }
  })

describe('prices that are mirrored', () => {
  it('a long on prices is a short on their mirror image: same times, sizes, gains', async () => {
    // Around 2048, so that every mirrored price is as exact as the price itself.
    const AXIS = 4_096
    const bars = [...historyOf({ seed: 51, level: 2_048 }).history.bars]
    const mirrored = bars.map(({ time, open, high, low, close, volume }): Candle => ({
      time,
      open: cents(AXIS - open),
      high: cents(AXIS - low),
      low: cents(AXIS - high),
      close: cents(AXIS - close),
      volume,
    }))
    const config = settings(FRICTIONLESS)
    const flip: Decider = scripted(({ slot, quote, side }) => {
      if (side !== null) return HOLD
      const price = Number(quote.bid)
      const direction = (Date.parse(slot) / (30 * MINUTE_MS)) % 2 === 0 ? -1 : 1
      return {
        action: direction === 1 ? 'open_long' : 'open_short',
        stopLossPrice: cents(price - direction * 15),
        takeProfitPrice: cents(price + direction * 30),
        ...words,
      }
    })
    const straight = await replay(marketOf(bars, '1m'), config, { decider: alternating(15, 30) })
    const image = await replay(marketOf(mirrored, '1m'), config, { decider: flip })
    expect(straight.trades.length).toBeGreaterThan(10)
    const facts = (trades: typeof straight.trades, invert: boolean) =>
      trades.map(({ side, entryTime, exitTime, exitReason, gross, pnl }) => ({
        side: invert ? (side === 'long' ? 'short' : 'long') : side,
        entryTime,
        exitTime,
        exitReason,
        hasWon: !pnl.startsWith('-'),
        size: Math.sign(Number(gross)),
      }))
    expect(facts(image.trades, true)).toEqual(facts(straight.trades, false))
  })
})

const cents = (value: number): number => Math.round(value * 100) / 100

describe('prices in another unit', () => {
  it.each([10, 0.1, 2.5])(
    'scaled by %d, with a contract as much smaller: the same trades for the same money',
    async (factor) => {
      const market = historyOf({ seed: 52 })
      const scale = (value: number) => Number((value * factor).toPrecision(12))
      const scaled = market.history.bars.map((bar) => ({
        ...bar,
        open: scale(bar.open),
        high: scale(bar.high),
        low: scale(bar.low),
        close: scale(bar.close),
      }))
      const instrument = { multiplier: String(0.1 / factor), tickSize: String(0.5 * factor) }
      const before = await replay(market, settings())
      const after = await replay(marketOf(scaled, '1m'), settings({ instrument }))
      expect(before.trades.length).toBeGreaterThan(3)
      const facts = (trades: typeof before.trades) =>
        trades.map(({ side, quantity, entryTime, exitTime, exitReason, pnl, fees }) => ({
          side,
          quantity,
          entryTime,
          exitTime,
          exitReason,
          pnl,
          fees,
        }))
      expect(facts(after.trades)).toEqual(facts(before.trades))
    },
  )
})

describe('costs', () => {
  const costs: [string, (amount: number) => Record<string, unknown>][] = [
    [
      'the taker fee',
      (amount) => ({ instrument: { fees: { maker: '0', taker: String(amount * 0.0002), perContract: '0' } } }),
    ],
    [
      'the fee per contract',
      (amount) => ({ instrument: { fees: { maker: '0', taker: '0', perContract: String(amount * 0.05) } } }),
    ],
    [
      'the maker fee',
      (amount) => ({ instrument: { fees: { maker: String(amount * 0.0002), taker: '0', perContract: '0' } } }),
    ],
    ['the spread', (amount) => ({ paper: { spreadBps: amount } })],
    ['slippage', (amount) => ({ paper: { slippageBps: amount } })],
    ['latency', (amount) => ({ paper: { latencyMs: amount * 10_000 } })],
  ]
  it.each(costs)('more of %s never helps the same trades', async (_name, costOf) => {
    const market = historyOf({ seed: 53 })
    // One contract, far exits, closed by the clock: costs hardly change which trades there are, only what they bring.
    const decider = alternating(90, 300)
    const results: ReplayResult[] = []
    for (const amount of [0, 1, 4])
      results.push(
        await replay(
          market,
          settings({
            guard: {
              maxDailyLoss: 1,
              maxDrawdown: 1,
              minStopAtr: 0.1,
              maxStopAtr: 50,
              cooldownMinutesAfterLoss: 0,
              maxEntriesPerDay: 40,
              maxEntrySlippageBps: 100,
            },
            exits: { maxHoldingMinutes: 240 },
            ...merge({ paper: { assumedFundingRate: '0' }, instrument: { maxQuantity: '1' } }, costOf(amount)),
          }),
          { decider },
        ),
      )
    const shared =
      results[0]?.trades.filter((trade) =>
        results.every(({ trades }) =>
          trades.some(
            (one) =>
              one.entryTime === trade.entryTime && one.exitTime === trade.exitTime && one.quantity === trade.quantity,
          ),
        ),
      ) ?? []
    expect(shared.length).toBeGreaterThan(2)
    const perTrade = results.map(({ trades }) =>
      shared.map((trade) => Number(trades.find((one) => one.entryTime === trade.entryTime)?.pnl)),
    )
    perTrade
      .slice(1)
      .forEach((more, index) =>
        more.forEach((pnl, trade) => expect(pnl).toBeLessThanOrEqual((perTrade[index]?.[trade] ?? 0) + 1e-9)),
      )
  })
})

describe('what is not known yet', () => {
  it('no data after the slot changes its decision: cut off at every slot', async () => {
    const market = historyOf({ seed: 54, days: 3 })
    const config = settings()
    const whole = await replay(market, config)
    const { bars } = market.history
    const from = START + DAY_MS
    for (let index = 0; index < whole.lines.length; index += 1) {
      const line = whole.lines[index]
      if (line === undefined) continue
      const slot = Date.parse(line.slot)
      // Of the bar that opens at the slot only its open is known.
      const known = bars
        .filter(({ time }) => time <= slot)
        .map((bar) => (bar.time === slot ? { ...bar, high: bar.open, low: bar.open, close: bar.open } : bar))
      const checkpoint = index === 0 ? null : whole.lines[index - 1]
      // Only the last decision is asked for again; what led to it is the same by induction.
      const cut = await runReplay({
        config,
        market: marketOf(known, '1m'),
        decider: rulesOf(config),
        from,
        to: slot + MINUTE_MS,
      })
      const last = cut.lines.at(-1)
      expect(checkpoint === null || cut.lines.length === index + 1).toBe(true)
      expect({
        slot: last?.slot,
        action: last?.action,
        ask: last?.ask,
        confidence: last?.confidence,
        refusedBy: last?.refusedBy,
      }).toEqual({
        slot: line.slot,
        action: line.action,
        ask: line.ask,
        confidence: line.confidence,
        refusedBy: line.refusedBy,
      })
    }
  }, 60_000)

  it('the length of the warm-up changes nothing once it is long enough', async () => {
    // Daily bars look back 300 days; the rules go by half-hours, which look back 600 of them.
    const market = historyOf({ seed: 55, days: 40, timeframe: '5m' })
    const config = settings()
    const from = START + 30 * DAY_MS
    const to = START + 34 * DAY_MS
    const run = (begin: number) =>
      runReplay({
        config,
        market: marketOf(
          market.history.bars.filter(({ time }) => time >= begin),
          '5m',
        ),
        decider: rulesOf(config),
        from,
        to,
      })
    const long = await run(START)
    const enough = await run(START + 15 * DAY_MS)
    expect(long.trades.length).toBeGreaterThan(3)
    expect(enough.trades.map(canonicalJson)).toEqual(long.trades.map(canonicalJson))
    expect(enough.lines.map(canonicalJson)).toEqual(long.lines.map(canonicalJson))
  })
})

describe('an order on its way', () => {
  it('meets a price that has moved against it, never one that has moved its way', async () => {
    const config = (latencyMs: number) =>
      settings({
        paper: { latencyMs, spreadBps: 0, slippageBps: 0 },
        instrument: { tickSize: '0.01' },
        guard: {
          maxDailyLoss: 1,
          maxDrawdown: 1,
          minStopAtr: 0.1,
          maxEntrySlippageBps: 200,
          cooldownMinutesAfterLoss: 0,
          maxEntriesPerDay: 40,
        },
      })
    const market = historyOf({ seed: 56 })
    const [prompt, late] = [await replay(market, config(0)), await replay(market, config(30_000))]
    const first = { prompt: prompt.trades[0], late: late.trades[0] }
    expect(first.late?.entryTime).toBe(first.prompt?.entryTime)
    for (const { side, entryTime, entryPrice } of late.trades) {
      const bar = market.history.barAt(Date.parse(entryTime))
      const halfway = bar === undefined ? Number.NaN : (bar.open + bar.close) / 2
      const expected = side === 'long' ? Math.max(bar?.open ?? 0, halfway) : Math.min(bar?.open ?? 0, halfway)
      expect(Number(entryPrice)).toBeCloseTo(expected, 1)
    }
  })

  it('is not filled beyond its limit', async () => {
    const jump = (bars: Candle[]) =>
      bars.map((bar) =>
        bar.time % (30 * MINUTE_MS) === 0
          ? { ...bar, close: bar.open * 1.05, high: bar.open * 1.06, low: bar.open * 0.99 }
          : bar,
      )
    const { lines } = await replay(
      historyOf({ seed: 57, days: 3, change: jump }),
      settings({ paper: { latencyMs: 30_000 } }),
      { decider: alternating(100, 200) },
    )
    const longs = lines.filter(({ ask }) => ask?.side === 'long')
    expect(longs.length).toBeGreaterThan(3)
    expect(longs.every(({ outcome }) => outcome !== 'entered')).toBe(true)
  })
})

describe('funding', () => {
  it('a trade pays the settlements that fall into it, at the rates of history where there are any and at the assumed one else', async () => {
    const hours = 24 * 6
    const funding = Array.from({ length: hours / 2 }, (_, index) => ({
      time: START + (index + 1) * HOUR_MS,
      rate: 0.0001,
    }))
    const config = settings({ paper: { assumedFundingRate: '0.0002' } })
    const paid = await replay(historyOf({ seed: 58, funding }), config)
    const bars = historyOf({ seed: 58 }).history
    expect(paid.trades.length).toBeGreaterThan(3)
    for (const { side, quantity, entryTime, exitTime, funding: amount } of paid.trades) {
      let expected = 0
      for (
        let boundary = Math.floor(Date.parse(entryTime) / HOUR_MS) * HOUR_MS + HOUR_MS;
        boundary <= Date.parse(exitTime);
        boundary += HOUR_MS
      ) {
        const level = bars.barAt(boundary)?.open ?? 0
        // The last known rate is carried on for two days of silence; all of this lies within the history given.
        expected -= (side === 'long' ? 1 : -1) * 0.0001 * Number(quantity) * 0.1 * level
      }
      expect(Number(amount), `${entryTime} to ${exitTime}`).toBeCloseTo(expected, 6)
    }
  })
})

describe('any history', () => {
  it('adds up: equity is cash and what is held, cash is the deposit and the trades and what is open has cost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000 }), async (seed) => {
        const result = await replay(historyOf({ seed, days: 2 }), settings())
        const closed = result.trades.reduce((total, { pnl }) => total + Number(pnl), 0)
        const position = result.state?.phase.kind === 'open' ? result.state.phase.position : null
        const open = position === null ? 0 : Number(position.funding) - Number(position.fees)
        expect(Number(result.state?.accounting.cash)).toBeCloseTo(10_000 + closed + open, 6)
        for (const trade of result.trades)
          expect(Number(trade.pnl)).toBeCloseTo(Number(trade.gross) - Number(trade.fees) + Number(trade.funding), 8)
        expect(result.lines.map(({ slot }) => slot)).toEqual(
          Array.from({ length: result.lines.length }, (_, index) => toIso(START + DAY_MS + index * timeframeMs('30m'))),
        )
      }),
      { numRuns: 5, seed: 7 },
    )
  })
})
