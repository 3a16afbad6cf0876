import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advanceBook } from '../../lib/venue/paper/book.ts'
import { dec, type Price, price, type Quantity } from '../../lib/core/decimal.ts'
import { type ExitLevel, firstExit } from '../../lib/core/first-exit.ts'
import { bar, bracketOf, emptyBook, entry, freeVenue, MINUTE, place, protect } from '../venue/support.ts'
import { bracketOrder, createBench, marketOrder } from '../fake-coinbase/support.ts'
import { pathOfSteps } from '../support/coinbase/prices.ts'
import { START as OPENED } from '../fake-coinbase/support.ts'

const SIDES = [
  { side: 'long', enter: 'buy', exit: 'sell', of: (level: number) => level },
  { side: 'short', enter: 'sell', exit: 'buy', of: (level: number) => 4_000 - level },
] as const

describe.each(SIDES)('what one bar does to a $side from 2000', ({ side, enter, exit, of }) => {
  const span = (open: number, worst: number, best = 2_001) => ({
    open: of(open),
    high: Math.max(of(worst), of(best), of(open)),
    low: Math.min(of(worst), of(best), of(open)),
  })
  const levels = (stop: number, liquidation: number, target = 2_100): ExitLevel[] => [
    { kind: 'liquidation', price: price(of(liquidation)) },
    { kind: 'stop_loss', price: price(of(stop)) },
    { kind: 'take_profit', price: price(of(target)) },
  ]

  it.each<[string, ExitLevel[], ReturnType<typeof span>, [ExitLevel['kind'], number] | null]>([
    [
      'a wick through a stop 0.4 % away and a liquidation price 30 % away',
      levels(1_992, 1_400),
      span(2_000, 1_000),
      ['stop_loss', 1_992],
    ],
    [
      'the same where the liquidation price is nearer',
      levels(1_400, 1_992),
      span(2_000, 1_000),
      ['liquidation', 1_992],
    ],
    ['both at one price', levels(1_992, 1_992), span(2_000, 1_000), ['liquidation', 1_992]],
    [
      'opens beyond the stop, reaches the liquidation price',
      levels(1_992, 1_400),
      span(1_900, 1_000),
      ['stop_loss', 1_900],
    ],
    ['opens beyond both', levels(1_992, 1_400), span(1_300, 1_000), ['liquidation', 1_300]],
    ['opens at both', levels(1_992, 1_992), span(1_992, 1_000), ['liquidation', 1_992]],
    [
      'opens beyond a nearer liquidation price, not beyond the stop',
      levels(1_400, 1_992),
      span(1_900, 1_000),
      ['liquidation', 1_900],
    ],
    ['stop and target within the bar', levels(1_992, 1_400), span(2_000, 1_990, 2_200), ['stop_loss', 1_992]],
    ['all three within the bar', levels(1_992, 1_400), span(2_000, 1_000, 2_200), ['stop_loss', 1_992]],
    [
      'opens beyond the target, reaches the stop',
      levels(1_992, 1_400),
      span(2_150, 1_990, 2_200),
      ['take_profit', 2_100],
    ],
    [
      'only the liquidation price, with a stop beyond it',
      levels(1_400, 1_992),
      span(2_000, 1_990),
      ['liquidation', 1_992],
    ],
    ['nothing', levels(1_992, 1_400), span(2_000, 1_993, 2_099), null],
  ])('%s', (_what, given, prices, expected) => {
    const hit = firstExit(side, given, prices)
    expect(hit === null ? null : [hit.level.kind, Number(hit.reference)]).toEqual(
      expected === null ? null : [expected[0], of(expected[1])],
    )
  })

  it('loses one time what was at risk, not seventy-four times, when a wick passes the stop on its way', () => {
    const venue = freeVenue()
    const leveraged = entry(enter, { bracket: bracketOf(of(1_992), of(2_016)), leverage: '3' as Quantity })
    const held = place(emptyBook(), leveraged, venue).book
    const wick = bar(0, 2_000, Math.max(2_001, of(200)), Math.min(1_999, of(200)))
    const after = advanceBook(held, [wick], MINUTE, [], venue)
    expect(after.fills.at(-1)).toMatchObject({ reason: 'stop_loss', price: `${of(1_992)}` })
    // Ten contracts of a tenth: eight dollars a unit were at risk.
    expect(dec(after.cash).minus(10_000).toFixed()).toBe('-8')
  })

  it('liquidates what a stop of a part of the position leaves, in the same bar', () => {
    const bare = freeVenue({ attachedBrackets: false })
    const opened = place(emptyBook(), entry(enter), bare).book
    const half = protect(exit, { quantity: '4' as Quantity, bracket: bracketOf(of(1_992), of(2_100)) })
    const { book } = place(opened, half, bare)
    const liquidation = Number(book.position?.liquidationPrice)
    const beyond = side === 'long' ? liquidation - 10 : liquidation + 10
    const wick = bar(0, 2_000, Math.max(2_001, beyond), Math.min(1_999, beyond))
    const after = advanceBook(book, [wick], MINUTE, [], bare)
    expect(after.fills.slice(1).map(({ reason, price: paid, quantity }) => [reason, Number(paid), quantity])).toEqual([
      ['stop_loss', of(1_992), '4'],
      ['liquidation', liquidation, '6'],
    ])
    expect(after.position).toBeNull()
    const gap = advanceBook(book, [bar(0, beyond, beyond, beyond)], MINUTE, [], bare)
    expect(gap.fills.slice(1).map(({ reason, quantity }) => [reason, quantity])).toEqual([['liquidation', '10']])
  })
})

describe('any stop, liquidation price and bar', () => {
  it('is no liquidation where the stop is nearer and touched, unless the bar opens beyond both', () => {
    const seen = { liquidation: 0, spared: 0, both: 0 }
    fc.assert(
      fc.property(
        fc.constantFrom('long' as const, 'short' as const),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        fc.record({
          open: fc.integer({ min: -450, max: 450 }),
          worst: fc.nat({ max: 450 }),
          best: fc.nat({ max: 450 }),
        }),
        (side, stop, liquidation, target, { open, worst, best }) => {
          const up = side === 'long' ? 1 : -1
          const of = (away: number) => 2_000 + up * away
          const given: ExitLevel[] = [
            { kind: 'take_profit', price: `${of(target)}` as Price },
            { kind: 'stop_loss', price: `${of(-stop)}` as Price },
            { kind: 'liquidation', price: `${of(-liquidation)}` as Price },
          ]
          const [a, b] = [of(open - worst), of(open + best)]
          const hit = firstExit(side, given, { open: of(open), high: Math.max(a, b), low: Math.min(a, b) })
          const isStopTouched = open - worst <= -stop
          const opensBeyondBoth = open <= -stop && open <= -liquidation
          if (hit?.level.kind === 'liquidation') {
            seen.liquidation += 1
            if (opensBeyondBoth) seen.both += 1
            if (stop < liquidation && isStopTouched) expect(opensBeyondBoth).toBe(true)
          }
          if (
            stop < liquidation &&
            isStopTouched &&
            open - worst <= -liquidation &&
            !opensBeyondBoth &&
            open < target
          ) {
            seen.spared += 1
            expect(hit?.level.kind).toBe('stop_loss')
          }
          // Whatever is met on the losing side is never better than its level, a target never better nor worse.
          if (hit !== null && hit.level.kind !== 'take_profit')
            expect((Number(hit.reference) - Number(hit.level.price)) * up).toBeLessThanOrEqual(0)
          if (hit?.level.kind === 'take_profit') expect(hit.reference).toBe(hit.level.price)
        },
      ),
      { seed: 20, numRuns: 3_000 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100)
  })
})

describe('the fake of Coinbase', () => {
  it('stops out on the way down and liquidates where the price jumps beyond both', () => {
    const ended = (steps: { from: number; price: number }[]) => {
      const bench = createBench({ price: pathOfSteps([{ from: OPENED, price: 3_000 }, ...steps]) })
      bench.post('orders', marketOrder('BUY', 80))
      bench.post('orders', bracketOrder('SELL', 80, '3100', '2988'))
      bench.clock.advance(5 * 60_000)
      return bench.venue.truth()
    }
    const down = ended([
      { from: OPENED + 60_000, price: 2_985 },
      { from: OPENED + 120_000, price: 300 },
    ])
    expect(Number(down.fills.at(-1)?.price)).toBe(2_985)
    expect(down.position.contracts).toBe(0)
    const jump = ended([{ from: OPENED + 60_000, price: 300 }])
    expect(Number(jump.fills.at(-1)?.price)).toBe(300)
    expect(jump.orders.some(({ kind }) => kind === 'liquidation')).toBe(true)
  })
})
