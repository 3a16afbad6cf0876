import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/core/invariant.ts'
import { DAY_MS, fromIso, HOUR_MS, MINUTE_MS, SECOND_MS, toIso, utcDay } from '../../lib/core/time.ts'

const RUNS = { seed: 20261102, numRuns: 400 }
/** The last instant that four digits can say. */
const END_OF_9999 = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
/** Furthest from the epoch that a date can be. */
const FURTHEST = 8.64e15

/** The oracle: the platform's own text, its milliseconds dropped when they are zero. */
const spelled = (instant: number): string => new Date(instant).toISOString().replace('.000Z', 'Z')

const steps = fc.constantFrom(1, SECOND_MS, MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, DAY_MS)
const instantsIn = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), steps).map(([instant, step]) => Math.max(min, Math.floor(instant / step) * step))
const instants = instantsIn(0, END_OF_9999)
/** So far from both ends that an offset leads beyond neither. */
const inner = instantsIn(DAY_MS, END_OF_9999 - DAY_MS)
/**
 * Many on few days, as in a walk through history, and some anywhere: what is remembered of a day is used and is
 * displaced.
 */
const visits = fc
  .tuple(
    instants,
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.tuple(fc.constant(null), fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS })) },
        fc.tuple(instants, fc.constant(0)),
      ),
      { maxLength: 40 },
    ),
  )
  .map(([home, moves]) =>
    moves.map(([elsewhere, offset]) => Math.min(END_OF_9999, Math.max(0, (elsewhere ?? home) + offset))),
  )

const check = (instant: number): void => {
  const text = toIso(instant)
  if (text !== spelled(instant) || fromIso(text) !== instant || utcDay(instant) !== text.slice(0, 10))
    expect([text, fromIso(text), utcDay(instant)]).toEqual([spelled(instant), instant, spelled(instant).slice(0, 10)])
}

describe('ISO text', () => {
  it('is what the platform says, there and back, in whatever order days are visited', () => {
    fc.assert(
      fc.property(visits, (all) => all.forEach(check)),
      RUNS,
    )
  })

  it('at the ends of every February and every year from 1970 to 9999, to the millisecond', () => {
    for (let year = 1970; year <= 9999; year++) {
      for (const [month, day] of [
        [1, 28],
        [1, 29],
        [2, 1],
        [11, 31],
        [0, 1],
      ] as const) {
        const midnight = Date.UTC(year, month, day)
        for (const ofDay of [0, DAY_MS - SECOND_MS, DAY_MS - 1]) check(midnight + ofDay)
      }
    }
  })

  it('of years before 1970 and after 9999 is neither written nor read', () => {
    fc.assert(
      fc.property(fc.oneof(instantsIn(-FURTHEST, -1), instantsIn(END_OF_9999 + 1, FURTHEST)), instants, (far, near) => {
        expect(() => toIso(far)).toThrow(InvariantError)
        expect(() => utcDay(far)).toThrow(InvariantError)
        expect(() => fromIso(spelled(far))).toThrow(InvariantError)
        check(near)
      }),
      RUNS,
    )
    for (const far of [-1, END_OF_9999 + 1, FURTHEST, -FURTHEST]) expect(() => toIso(far)).toThrow(InvariantError)
    for (const text of ['1969-12-31T23:59:59.999Z', '+010000-01-01T00:00:00Z', '9999-12-31T23:59:59-00:01'])
      expect(() => fromIso(text)).toThrow(InvariantError)
  })

  it('of others is read as the platform reads it: offsets, fractions, minutes alone, dates alone', () => {
    const forms = fc.constantFrom<(instant: number) => string>(
      (instant) => new Date(instant).toISOString(),
      (instant) => new Date(instant).toISOString().replace('Z', '+00:00'),
      (instant) => new Date(instant).toISOString().replace('Z', '-05:30'),
      (instant) => new Date(instant).toISOString().replace('Z', '999Z'),
      (instant) => new Date(instant).toISOString().replace(/:\d\d\.\d+Z/, 'Z'),
      (instant) => new Date(instant).toISOString().replace(/:\d\d\.\d+Z/, '+09:15'),
      (instant) => new Date(instant).toISOString().slice(0, 10),
    )
    fc.assert(
      fc.property(inner, forms, (instant, form) => {
        check(instant)
        expect(fromIso(form(instant))).toBe(Date.parse(form(instant)))
      }),
      RUNS,
    )
    expect(fromIso('2026-01-01T24:00:00Z')).toBe(Date.UTC(2026, 0, 2))
  })
})

describe('what is no ISO 8601 instant', () => {
  const DAY = '2026-02-28'

  it.each([
    '',
    'soon',
    '1',
    '2026',
    'March 7',
    '2026-1-1',
    '28 Feb 2026 10:00:00 GMT',
    `${DAY} 10:00:00Z`,
    `${DAY}T10:00:00`,
    `${DAY}T10:00`,
    `${DAY}T1:00:000Z`,
    `${DAY}T10-00-00Z`,
    `${DAY}T10:00:00z`,
    `${DAY}T10:00:0ZZ`,
    `${DAY}T10:00:00ZZ`,
    ` ${DAY}T10:00:00Z`,
    `${DAY}T24:00:01Z`,
    `${DAY}T25:00:00Z`,
    `${DAY}T23:60:00Z`,
    `${DAY}T23:59:60Z`,
    `${DAY}T-1:00:00Z`,
    `${DAY}T1e:00:00Z`,
    `${DAY}T10:00:00+24:00`,
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31',
    '+010000-01-01T00:00Z0',
    '-000000-01-01T00:00:00Z',
  ])('%j is a broken invariant, also when its day is known', (text) => {
    check(Date.UTC(2026, 1, 28, 10))
    check(Date.UTC(2026, 2, 1))
    expect(() => fromIso(text)).toThrow(InvariantError)
    check(END_OF_9999 + 1 - DAY_MS)
    expect(() => fromIso(text)).toThrow(InvariantError)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('nor is %d', (instant) => {
    expect(() => toIso(instant)).toThrow(InvariantError)
    expect(() => utcDay(instant)).toThrow(InvariantError)
  })

  it('a text with one character changed is another instant or none, never the same one and never a guess', () => {
    fc.assert(
      fc.property(
        instants.map((instant) => Math.floor(instant / SECOND_MS) * SECOND_MS),
        fc.nat({ max: 19 }),
        fc.constantFrom(...'0123456789-+:TZ. xe/;'),
        (instant, at, character) => {
          const text = toIso(instant)
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          const parsed = Date.parse(changed)
          const expected = parsed >= 0 && parsed <= END_OF_9999 ? parsed : Number.NaN
          let actual: number
          try {
            actual = fromIso(changed)
          } catch (error) {
            expect(error).toBeInstanceOf(InvariantError)
            actual = Number.NaN
          }
          // The platform understands more than ISO 8601, and takes a day that its month does not have for one of the
          // next.
          if (!Number.isNaN(actual)) expect(actual).toBe(expected)
          if (!Number.isNaN(expected) && spelled(expected) === changed) expect(actual).toBe(expected)
          expect(actual === instant).toBe(changed === text)
        },
      ),
      { ...RUNS, numRuns: 2_000 },
    )
  })
})
