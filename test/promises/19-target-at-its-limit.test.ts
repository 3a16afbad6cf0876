import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advanceBook, playPrice } from '../../lib/venue/paper/book.ts'
import { dec, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { type ExitQuestion, findHardExit } from '../../lib/execution/find-exit.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import { attributeResult } from '../../lib/evidence/attribute-result.ts'
import type { Candle } from '../../schemas/market.ts'
import { bar, bracketOf, emptyBook, entry, MINUTE, place, protect, START, venueWith } from '../venue/support.ts'
import {
  CLOSE,
  createWorld,
  HOLD,
  LEVEL,
  LONG,
  marketAround,
  outcomeOf,
  SHORT,
  SLOT,
  type World,
} from '../cycle/world.ts'
import { marketOf, replay, settings, START as BEGIN } from '../replay/support.ts'
import { pathOfSteps } from '../support/coinbase/prices.ts'
import { attached, createBench, limitOrder, orderIdOf, START as OPENED } from '../fake-coinbase/support.ts'

const ENTERED = BEGIN + DAY_MS
const mirrored = (value: number): number => 10_000 - value

/**
 * A quiet day about 5,000, an entry, and from its third minute on the prices given; all of it upside down for a short.
 */
function historyWith(side: 'long' | 'short', after: readonly Omit<Candle, 'time' | 'volume'>[]) {
  const quiet = (minute: number) => {
    const open = 5_000 + (minute % 2)
    return { open, high: 5_004, low: 4_996, close: 5_001 - (minute % 2) }
  }
  const minutes = (ENTERED - BEGIN) / MINUTE_MS
  const last = after.at(-1)?.close ?? 5_000
  const bars = Array.from({ length: minutes + 61 }, (_, minute): Candle => {
    const since = minute - minutes - 3
    const still = { open: last, high: last, low: last, close: last }
    const seen = since < 0 ? quiet(minute) : (after[since] ?? still)
    const shown =
      side === 'long'
        ? seen
        : {
            open: mirrored(seen.open),
            high: mirrored(seen.low),
            low: mirrored(seen.high),
            close: mirrored(seen.close),
          }
    return { time: BEGIN + minute * MINUTE_MS, volume: 1, ...shown }
  })
  return marketOf(bars, '1m')
}

/** Enters once, stop 100 and target 50 away from 5,000, and says `then` at every later slot. */
function once(side: 'long' | 'short', then: typeof HOLD = HOLD): Decider {
  const away = side === 'long' ? 1 : -1
  let hasEntered = false
  return {
    name: 'once',
    asksModel: false,
    async decide({ snapshot }) {
      if (snapshot.position !== null) return outcomeOf(then)
      if (hasEntered) return outcomeOf(HOLD)
      hasEntered = true
      return outcomeOf({
        ...(side === 'long' ? LONG : SHORT),
        stopLossPrice: 5_000 - away * 100,
        takeProfitPrice: 5_000 + away * 50,
      } as typeof LONG)
    },
  }
}

const config = settings({
  guard: {
    minRewardToRisk: 0.1,
    minStopAtr: 0.01,
    maxStopAtr: 500,
    cooldownMinutesAfterLoss: 0,
    maxDailyLoss: 1,
    maxDrawdown: 1,
  },
  instrument: { fees: { maker: '0.0001', taker: '0.0003', perContract: '0.15' } },
})

const run = (side: 'long' | 'short', after: readonly Omit<Candle, 'time' | 'volume'>[], isFast = true, then = HOLD) => {
  const market = historyWith(side, after)
  return replay(market, config, { decider: once(side, then), from: ENTERED, to: ENTERED + 60 * MINUTE_MS, isFast })
}
const at = (open: number, high = open, low = open, close = open) => ({ open, high, low, close })

describe.each(['long', 'short'] as const)('in a replay, a %s with its target 50 away', (side) => {
  const target = side === 'long' ? '5050' : '4950'
  it.each([
    ['at the target', [at(5_050)]],
    ['one tick beyond it', [at(5_050.5)]],
    ['100 beyond it, the issue’s example', [at(5_150)]],
    ['far beyond it', [at(7_000)]],
    ['beyond it, falling to the stop within the same minute', [at(5_150, 5_160, 4_890, 4_900)]],
    ['below it, reaching it within the minute', [at(5_010, 5_050)]],
    ['below it, going far beyond it within the minute', [at(5_010, 5_900, 5_000, 5_800)]],
  ])('fills at its limit at the maker’s fee where the next bar opens %s', async (_where, after) => {
    const fills = []
    for (const isFast of [true, false]) {
      const { trades, book } = await run(side, after, isFast)
      expect(trades).toMatchObject([{ exitReason: 'take_profit', exitPrice: target, side }])
      const exit = book?.fills.at(-1)
      expect(exit).toMatchObject({ reason: 'take_profit', price: target, liquidity: 'maker', slippage: '0' })
      const notional = dec(target)
        .times(exit?.quantity ?? '0')
        .times('0.1')
      expect(exit?.fee).toBe(
        notional
          .times('0.0001')
          .plus(dec(exit?.quantity ?? '0').times('0.15'))
          .toFixed(),
      )
      fills.push({ trades, exit })
    }
    expect(fills[0]).toEqual(fills[1])
    // However far beyond it the price went: closed at market 100 beyond, it was 1.38.
    if (side === 'long') expect(fills[0]?.trades[0]?.rMultiple).toBe(0.428518)
  })

  it('fills at its limit, too, where the slot’s decision is to close and the price lies beyond it', async () => {
    const rise = Array.from({ length: 27 }, () => at(5_000, 5_001, 4_999, 5_000))
    const { trades, lines } = await run(side, [...rise, at(5_150)], true, CLOSE as typeof HOLD)
    expect(trades).toMatchObject([{ exitReason: 'take_profit', exitPrice: target }])
    expect(lines.at(-1)).toMatchObject({ outcome: 'held' })
  })

  it('is worth to the attribution what it was worth to the trade: nothing is left for early exits', async () => {
    const { trades, lines } = await run(side, [at(5_150)])
    const market = historyWith(side, [at(5_150)])
    const found = await attributeResult({ config, market, lines, trades, to: ENTERED + 60 * MINUTE_MS })
    expect(Math.abs(Number(found?.exits))).toBeLessThan(0.01 * Number(found?.riskUnit))
  })
})

const steps = fc.array(
  fc.record({
    gap: fc.integer({ min: -60, max: 60 }),
    body: fc.integer({ min: -60, max: 60 }),
    up: fc.nat({ max: 40 }),
    down: fc.nat({ max: 40 }),
  }),
  { minLength: 3, maxLength: 40 },
)
const barsOf = (moves: { gap: number; body: number; up: number; down: number }[]): Candle[] => {
  let level = 2_000
  return moves.map(({ gap, body, up, down }, minute) => {
    const open = level + gap / 2
    const close = open + body / 2
    level = close
    return bar(minute + 1, open, Math.max(open, close) + up / 2, Math.min(open, close) - down / 2, close)
  })
}

describe('any position, levels and bars', () => {
  it('a resting target fills at exactly its limit and the maker’s fee, and who looks in between changes nothing', () => {
    const seen = { take_profit: 0, stop_loss: 0, gapped: 0 }
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom('buy' as const, 'sell' as const),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat({ max: 9 }),
        (moves, side, stopAway, targetAway, quantity, costs) => {
          const venue = venueWith({
            spreadBps: costs,
            slippageBps: costs,
            instrument: { fees: { maker: '0.0002', taker: '0.0009', perContract: '0.1' } },
          })
          const up = side === 'buy' ? 1 : -1
          const bracket = bracketOf(2_000 - (up * stopAway) / 2, 2_000 + (up * targetAway) / 2)
          const bars = barsOf(moves)
          const order = entry(side, { bracket, quantity: `${quantity}` as Quantity, leverage: '1' as Quantity })
          const start = place(emptyBook('1000000'), order, venue).book
          const whole = advanceBook(start, bars, MINUTE, [], venue)
          let watched = start
          for (const one of bars) {
            watched = playPrice(watched, price(one.open), one.time, [], venue)
            watched = advanceBook(watched, [one], MINUTE, [], venue)
          }
          expect(watched.fills).toEqual(whole.fills)
          expect(watched.cash).toBe(whole.cash)
          const exit = whole.fills[1]
          if (exit?.reason === 'take_profit') {
            const notional = dec(bracket.takeProfitPrice).times(quantity).times('0.1')
            expect(exit).toMatchObject({
              price: bracket.takeProfitPrice,
              liquidity: 'maker',
              slippage: '0',
              fee: notional.times('0.0002').plus(dec('0.1').times(quantity)).toFixed(),
            })
            seen.take_profit += 1
            const opened = bars.find(({ time }) => toIso(time) === exit.at)?.open
            if (opened !== undefined && (opened - Number(bracket.takeProfitPrice)) * up > 0) seen.gapped += 1
          }
          if (exit?.reason === 'stop_loss') seen.stop_loss += 1
        },
      ),
      { seed: 19, numRuns: 300 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20)
  })
})

describe('a target that the price had passed before its order rested', () => {
  const venue = venueWith({
    spreadBps: 0,
    slippageBps: 5,
    instrument: { fees: { maker: '0', taker: '0.001', perContract: '0' } },
  })

  it.each([
    ['buy', bracketOf(1_900, 1_980), 2_000, '1999'],
    ['sell', bracketOf(2_100, 2_020), 2_000, '2001'],
  ] as const)('takes the market’s price at the taker’s fee: attached to a %s', (side, bracket, level, paid) => {
    const { book, placement } = place(emptyBook(), entry(side, { bracket }), venue)
    expect(placement.outcome).toBe('accepted')
    const looked = playPrice(book, price(level), START, [], venue)
    const expected = { reason: 'take_profit', liquidity: 'taker', price: paid, fee: dec(paid).times('0.001').toFixed() }
    expect(looked.fills.at(-1)).toMatchObject(expected)
    const played = advanceBook(book, [bar(0, level, level, level)], MINUTE, [], venue)
    expect(played.fills.at(-1)).toMatchObject(expected)
  })

  it('is refused by the paper venue where it is sent by itself, as Coinbase refuses it', () => {
    const bare = venueWith({ attachedBrackets: false })
    const { book } = place(emptyBook(), entry('buy'), bare)
    expect(place(book, protect('sell', { bracket: bracketOf(1_900, 1_990) }), bare).placement).toEqual({
      outcome: 'rejected',
      reason: 'invalid_bracket_limit_price',
      refusal: 'price_out_of_bounds',
    })
  })

  it.each([
    ['long', LONG, 1],
    ['short', SHORT, -1],
  ] as const)(
    'ends a %s at market, as a target, when its exit could not be placed in time',
    async (_side, asked, up) => {
      let hasRun = false
      const world = createWorld({
        decide: () => asked,
        market: marketAround((minute) => (minute >= 2 ? up * 90 : 0)),
        overrides: { paper: { attachedBrackets: false } },
        wrapBroker: (broker) => ({
          ...broker,
          // The price runs away while the first exit is on its way.
          place: async (order, deadline) => {
            if (order.kind !== 'protect' || hasRun) return broker.place(order, deadline)
            hasRun = true
            world.time.now = SLOT + 3 * MINUTE_MS
            return broker.place(order, deadline + 5 * MINUTE_MS)
          },
        }),
      })
      await world.cycle()
      expect(hasRun).toBe(true)
      const [trade] = await world.trades()
      expect(trade).toMatchObject({ exitReason: 'take_profit' })
      expect((await world.book()).fills.at(-1)).toMatchObject({ reason: 'close', liquidity: 'taker' })
      expect((Number(trade?.exitPrice) - (LEVEL + up * 50)) * up).toBeGreaterThan(0)
    },
  )

  it('takes at the fake of Coinbase, too, and one that rested fills at its limit', () => {
    const bench = createBench({
      price: pathOfSteps([
        { from: OPENED, price: 3_000 },
        { from: OPENED + 60_000, price: 3_150 },
      ]),
    })
    const early = orderIdOf(bench.post('orders', limitOrder('BUY', 2, '3000')))
    expect(early).not.toBe('')
    const rested = createBench({
      price: pathOfSteps([
        { from: OPENED, price: 3_000 },
        { from: OPENED + 60_000, price: 3_150 },
      ]),
    })
    rested.post('orders', limitOrder('BUY', 2, '3000', attached('3100', '2900')))
    rested.clock.advance(2 * MINUTE_MS)
    expect(rested.venue.truth().fills.at(-1)).toMatchObject({ price: '3100', isMaker: true })
    // The hand fills an entry that waits below the market: its exit is born when the price has passed the target.
    const late = createBench()
    const parent = orderIdOf(late.post('orders', limitOrder('BUY', 2, '2800', attached('2950', '2700'))))
    late.venue.hand.fillOrder(parent, 2, '2800')
    late.clock.advance(MINUTE_MS)
    expect(late.venue.truth().fills.at(-1)).toMatchObject({ price: '3000', isMaker: false })
  })
})

describe('enforcement leaves a resting target to the venue', () => {
  const RESTS = SLOT
  const live = (target: string, confirmedAt = RESTS): ExitQuestion['position']['protection'] => ({
    status: 'live',
    orderId: 'x',
    quantity: '1' as Quantity,
    bracket: { stopLossPrice: '90' as Price, takeProfitPrice: target as Price },
    confirmedAt: toIso(confirmedAt),
  })
  const base = {
    side: 'long' as const,
    bracket: { stopLossPrice: '90' as Price, takeProfitPrice: '120' as Price },
    liquidationPrice: null,
    openedAt: toIso(SLOT),
  }
  const candle = (minute: number, high: number): Candle => ({
    time: SLOT + minute * MINUTE_MS,
    open: 100,
    high,
    low: 95,
    close: 100,
    volume: 1,
  })
  const now = SLOT + 10 * MINUTE_MS
  it.each<[string, ExitQuestion['position']['protection'], Candle[], number, string | null]>([
    ['the price has just gone beyond it', live('120'), [], 150, null],
    ['a bar has only touched it', live('120'), [candle(2, 120)], 150, null],
    ['a bar went through it and closed less than a minute ago', live('120'), [candle(9, 150)], 150, null],
    ['a bar went through it and closed a minute ago', live('120'), [candle(8, 120.5)], 150, 'take_profit'],
    ['the bar that went through came before it rested', live('120', SLOT + 9 * MINUTE_MS), [candle(2, 150)], 150, null],
    ['a bar went through it, and the price has come back', live('120'), [candle(2, 150)], 110, null],
    ['another target rests', live('200'), [], 150, 'take_profit'],
    ['nothing rests', { status: 'none' }, [], 150, 'take_profit'],
    ['nothing rests, and the price has come back', { status: 'none' }, [candle(2, 150)], 110, null],
  ])('%s: %#', (_what, protection, bars, mark, expected) => {
    const exits = { maxHoldingMinutes: null, liquidationDistance: 0 }
    expect(
      findHardExit({ position: { ...base, protection }, bars, barMs: MINUTE_MS, mark, now, exits, expiryDue: null }),
    ).toBe(expected)
  })

  it('a venue that goes on to fill it late is not sent a close; the fill is the limit', async () => {
    const world: World = createWorld({ market: marketAround((minute) => (minute >= 3 ? 90 : 0)) })
    await world.cycle()
    const passes = await world.pass(6)
    expect(await world.trades()).toMatchObject([{ exitReason: 'take_profit', exitPrice: '2050' }])
    expect((await world.orders()).filter(({ order }) => order.kind === 'close')).toEqual([])
    expect(passes.flatMap(({ notes }) => notes).filter((note) => note.includes('at market'))).toEqual([])
  })
})
