import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Money, Price, Quantity } from '../../lib/core/decimal.ts'
import { rememberLast } from '../../lib/core/memo.ts'
import { equityAt, unrealisedPnl } from '../../lib/ledger/accounting.ts'
import { averageEntryPrice, bookUnrealised, marginUsed, openBook } from '../../lib/venue/paper/book.ts'
import type { Accounting, Position } from '../../schemas/state.ts'
import type { Instrument } from '../../schemas/instrument.ts'

const RUNS = { seed: 20261102, numRuns: 300 }

describe('what is remembered', () => {
  // Keys that are easily taken for one another.
  const keys = fc.constantFrom<unknown>('1', '1.0', '', 1, 0, -0, Number.NaN, null, undefined, false)
  const spell = (key: unknown): string => `${typeof key} ${Object.is(key, -0) ? '-0' : String(key)}`

  it('is what a direct call gives, in any order of subjects and keys', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), keys), { maxLength: 60 }), (calls) => {
        const subjects = Array.from({ length: 4 }, (_, index) => ({ index }))
        const compute = ({ index }: { index: number }, key: unknown) => `${index} ${spell(key)}`
        const remembered = rememberLast(compute)
        for (const [index, key] of calls) {
          const subject = subjects[index] ?? { index: 9 }
          expect(remembered(subject, key)).toBe(compute(subject, key))
        }
      }),
      RUNS,
    )
  })

  it.each([
    ['a value', 1],
    ['null', null],
    ['undefined', undefined],
  ])('is not computed again while subject and key are the same: %s', (_what, value) => {
    const computed: [object, string][] = []
    const remembered = rememberLast((subject: object, key: string) => {
      computed.push([subject, key])
      return value
    })
    const [a, b] = [{}, {}]
    for (const [subject, key] of [
      [a, 'x'],
      [a, 'x'],
      [b, 'x'],
      [a, 'x'],
      [b, 'x'],
      [a, 'y'],
      [a, 'y'],
      [b, 'x'],
      [a, 'x'],
    ] as const)
      expect(remembered(subject, key)).toBe(value)
    expect(computed).toEqual([
      [a, 'x'],
      [b, 'x'],
      [a, 'y'],
      [a, 'x'],
    ])
  })

  it('belongs to the object, not to its contents, and to one function, not to another', () => {
    const twice = rememberLast(({ of }: { of: number }, times: number) => of * times)
    const sum = rememberLast(({ of }: { of: number }, more: number) => of + more)
    const three = { of: 3 }
    expect([twice(three, 5), sum(three, 5), twice({ of: 4 }, 5), sum({ of: 4 }, 5), twice(three, 5)]).toEqual([
      15, 8, 20, 9, 15,
    ])
  })

  it('is no failure: what has thrown is tried again, and what was known before is still right', () => {
    let isDown = true
    const remembered = rememberLast((_: object, key: string) => {
      if (isDown && key === 'bad') throw new Error('down')
      return key
    })
    const subject = {}
    expect(remembered(subject, 'good')).toBe('good')
    expect(() => remembered(subject, 'bad')).toThrow('down')
    expect(remembered(subject, 'good')).toBe('good')
    isDown = false
    expect(remembered(subject, 'bad')).toBe('bad')
  })
})

describe('a position that was asked about before', () => {
  const whole = fc.integer({ min: 1, max: 400 })
  const positions = fc.record({
    side: fc.constantFrom('long' as const, 'short' as const),
    quantity: whole.map(String),
    costBasis: whole.map((base) => `${base * 7}.5`),
    leverage: fc.constantFrom('1', '2', '3'),
    multiplier: fc.constantFrom('0.1', '1'),
  })
  const calls = fc.array(
    fc.record({ index: fc.nat({ max: 2 }), mark: whole.map(String), multiplier: fc.constantFrom('0.1', '1') }),
    { maxLength: 40 },
  )

  it('is worth what a copy is worth that nobody has asked about, in ledger and venue', () => {
    fc.assert(
      fc.property(fc.tuple(positions, positions, positions), calls, (held, asked) => {
        for (const { index, mark, multiplier } of asked) {
          const parts = held[index]
          if (parts === undefined) continue
          const position = parts as unknown as Position
          const accounting = { cash: '100' as Money } as Accounting
          expect(unrealisedPnl(position, mark as Price)).toBe(unrealisedPnl({ ...position }, mark as Price))
          expect(equityAt(accounting, position, mark as Price)).toBe(
            equityAt(accounting, { ...position }, mark as Price),
          )
          const product = { multiplier: multiplier as Quantity } as Instrument
          const inBook = parts as unknown as Parameters<typeof averageEntryPrice>[0]
          const book = { ...openBook('X', '100' as Money, '2026-01-01T00:00:00Z'), position: inBook }
          expect(averageEntryPrice(inBook, product)).toBe(averageEntryPrice({ ...inBook }, product))
          expect(marginUsed(book)).toBe(marginUsed({ ...book, position: { ...inBook } }))
          expect(bookUnrealised(book, product, mark as Price)).toBe(
            bookUnrealised({ ...book, position: { ...inBook } }, product, mark as Price),
          )
        }
      }),
      RUNS,
    )
  })
})
