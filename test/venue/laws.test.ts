import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advanceBook, settleDue } from '../../lib/venue/paper/book.ts'
import { dec, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { floorTime, HOUR_MS } from '../../lib/core/time.ts'
import type { Candle, FundingRate } from '../../schemas/market.ts'
import { PaperBook } from '../../schemas/paper-book.ts'
import { bar, bracketOf, close, emptyBook, entry, freeVenue, MINUTE, place, START, venueWith } from './support.ts'

const moves = fc.array(
  fc.record({
    gap: fc.integer({ min: -12, max: 12 }),
    body: fc.integer({ min: -40, max: 40 }),
    up: fc.nat({ max: 25 }),
    down: fc.nat({ max: 25 }),
  }),
  { minLength: 5, maxLength: 60 },
)

/** A walk from 2000 that stays between 1000 and 3000. */
function walk(steps: { gap: number; body: number; up: number; down: number }[]): Candle[] {
  let level = 2000
  return steps.map(({ gap, body, up, down }, minute) => {
    const open = Math.min(2900, Math.max(1100, level + gap))
    const end = Math.min(2900, Math.max(1100, open + body))
    level = end
    return bar(minute, open, Math.max(open, end) + up, Math.min(open, end) - down, end)
  })
}

const settlementsOver = (bars: readonly Candle[], rate: number): FundingRate[] =>
  bars.filter(({ time }) => time % (5 * MINUTE) === 0).map(({ time }) => ({ time, rate }))
const rates = fc.integer({ min: -50, max: 50 }).map((points) => points / 100_000)
const sides = fc.constantFrom('buy' as const, 'sell' as const)
const around = (side: 'buy' | 'sell', stop: number, target: number) =>
  side === 'buy' ? bracketOf(2000 - stop, 2000 + target) : bracketOf(2000 + stop, 2000 - target)
const distances = fc.record({ stop: fc.integer({ min: 1, max: 300 }), target: fc.integer({ min: 1, max: 300 }) })

describe('advancing the book', () => {
  it('in one go, bar by bar, in any pieces and with anything played again is the same', () => {
    fc.assert(
      fc.property(
        moves,
        sides,
        distances,
        rates,
        fc.infiniteStream(fc.record({ back: fc.nat({ max: 8 }), on: fc.integer({ min: 1, max: 9 }) })),
        (steps, side, { stop, target }, rate, pieces) => {
          const venue = venueWith()
          const bars = walk(steps)
          const due = settlementsOver(bars, rate)
          const start = place(emptyBook(), entry(side, { bracket: around(side, stop, target) }), venue, {
            time: START - 1,
          }).book
          const whole = advanceBook(start, bars, MINUTE, due, venue)
          let single = start
          for (const one of bars) single = advanceBook(single, [one], MINUTE, due, venue)
          let pieced = start
          for (let done = 0; done < bars.length;) {
            const { value } = pieces.next()
            const upTo = Math.min(bars.length, done + (value?.on ?? 1))
            const from = Math.max(0, done - (value?.back ?? 0))
            const until = bars[upTo - 1]?.time ?? 0
            pieced = advanceBook(
              pieced,
              bars.slice(from, upTo),
              MINUTE,
              due.filter(({ time }) => time <= until),
              venue,
            )
            done = upTo
          }
          expect(single).toEqual(whole)
          expect(pieced).toEqual(whole)
          expect(advanceBook(whole, bars, MINUTE, due, venue)).toEqual(whole)
          expect(PaperBook.parse(JSON.parse(JSON.stringify(whole)))).toEqual(whole)
        },
      ),
      { seed: 5, numRuns: 150 },
    )
  })

  it('a settlement made early is not made again by the bar', () => {
    const book = place(emptyBook(), entry('buy'), freeVenue(), { time: START - MINUTE }).book
    const due = [{ time: START, rate: 0.0001 }]
    const early = settleDue(book, due, '2000' as Price, freeVenue())
    expect(early.cash).toBe('9999.8')
    const after = advanceBook(early, [bar(-1, 2000, 2001, 1999), bar(0, 2000, 2001, 1999)], MINUTE, due, freeVenue())
    expect([after.cash, after.funding.length]).toEqual(['9999.8', 1])
  })
})

describe('money', () => {
  it('a long and a short on mirrored prices gain the same where nothing costs anything', () => {
    const mirror = ({ time, open, high, low, close: end, volume }: Candle): Candle => ({
      time,
      open: 4000 - open,
      high: 4000 - low,
      low: 4000 - high,
      close: 4000 - end,
      volume,
    })
    fc.assert(
      fc.property(moves, distances, (steps, { stop, target }) => {
        const venue = freeVenue()
        const run = (side: 'buy' | 'sell', bars: Candle[]) => {
          const opened = place(
            emptyBook(),
            entry(side, { leverage: '1' as Quantity, bracket: around(side, stop, target) }),
            venue,
          ).book
          const played = advanceBook(opened, bars, MINUTE, [], venue)
          const level = bars.at(-1)?.close ?? 2000
          return played.position === null
            ? played
            : place(played, close(side === 'buy' ? 'sell' : 'buy'), venue, {
                level: side === 'buy' ? Math.floor(level) : Math.ceil(level),
              }).book
        }
        const bars = walk(steps)
        const [long, short] = [run('buy', bars), run('sell', bars.map(mirror))]
        expect(short.cash).toBe(long.cash)
        expect(short.ambiguousBars).toBe(long.ambiguousBars)
      }),
      { seed: 6, numRuns: 150 },
    )
  })

  it('dearer fees, spread, slippage and funding never leave more', () => {
    fc.assert(
      fc.property(
        moves,
        sides,
        distances,
        fc.nat({ max: 20 }),
        fc.nat({ max: 20 }),
        (steps, side, { stop, target }, fee, slip) => {
          const bars = walk(steps)
          const run = (factor: number, pays: number) => {
            const fees = {
              maker: price(dec(fee * factor).div(10_000)),
              taker: price(dec(fee * factor).div(5_000)),
              perContract: price(dec(fee * factor).div(100)),
            }
            const venue = venueWith({ spreadBps: slip * factor, slippageBps: slip * factor, instrument: { fees } })
            const opened = place(
              emptyBook('100000'),
              entry(side, { leverage: '1' as Quantity, bracket: around(side, stop, target) }),
              venue,
            ).book
            return advanceBook(
              opened,
              bars,
              MINUTE,
              settlementsOver(bars, side === 'buy' ? pays * factor : -pays * factor),
              venue,
            )
          }
          const [cheap, dear] = [run(1, 0.0001), run(2, 0.0001)]
          expect(dec(dear.cash).lte(cheap.cash)).toBe(true)
          expect(dear.position === null).toBe(cheap.position === null)
        },
      ),
      { seed: 8, numRuns: 150 },
    )
  })

  it('what an exit fills at is never better than its trigger or the open', () => {
    fc.assert(
      fc.property(moves, sides, distances, (steps, side, { stop, target }) => {
        const venue = venueWith({ spreadBps: 7, slippageBps: 3 })
        const bars = walk(steps)
        const direction = side === 'buy' ? 1 : -1
        const bracket = around(side, stop, target)
        const after = advanceBook(place(emptyBook(), entry(side, { bracket }), venue).book, bars, MINUTE, [], venue)
        const exit = after.fills[1]
        if (exit === undefined) return
        const opened = bars.find(({ time }) => floorTime(Date.parse(exit.at), MINUTE) === time)?.open ?? 0
        const trigger = exit.reason === 'stop_loss' ? Number(bracket.stopLossPrice) : Number(bracket.takeProfitPrice)
        const better = (Number(exit.price) - trigger) * direction
        expect(better).toBeLessThanOrEqual(0)
        if (exit.reason === 'stop_loss') expect((Number(exit.price) - opened) * direction).toBeLessThanOrEqual(0)
        expect(dec(exit.slippage ?? '-1').gte(0)).toBe(true)
      }),
      { seed: 9, numRuns: 150 },
    )
  })
})

it('the walk has boundaries of the hour and of five minutes', () => expect(START % HOUR_MS).toBe(0))
