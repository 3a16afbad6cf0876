import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chicagoOffset, fromChicago } from '../../lib/calendar/chicago.ts'
import {
  isOpenAt,
  nextCloseAfter,
  nextOpenAfter,
  openMsBetween,
  sessionAt,
  sessionsBetween,
  tradingDayAt,
} from '../../lib/calendar/calendar.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { CalendarId } from '../../schemas/calendar.ts'

const RUNS = { seed: 20261127, numRuns: 2_000 }
const [FROM, TO] = [Date.UTC(2010, 0, 4), Date.UTC(2030, 0, 1)]
const instants = fc.integer({ min: FROM, max: TO })
const calendars = fc.constantFrom(...CalendarId.options)
const chicago = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Chicago',
  hourCycle: 'h23',
  dateStyle: 'short',
  timeStyle: 'medium',
})
const utc = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  hourCycle: 'h23',
  dateStyle: 'short',
  timeStyle: 'medium',
})

describe('clocks in Chicago', () => {
  it('show what the platform says they show, at any instant of twenty years', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(utc.format(instant + chicagoOffset(instant))).toBe(chicago.format(instant))
      }),
      RUNS,
    )
  })

  it('change at the very second at which the platform changes them', () => {
    for (let year = 1990; year <= 2030; year += 1)
      for (let hour = Date.UTC(year, 1, 25); hour < Date.UTC(year, 11, 1); hour += HOUR_MS)
        if (chicagoOffset(hour) !== chicagoOffset(hour - HOUR_MS))
          for (const instant of [hour, hour - 1_000])
            expect(utc.format(instant + chicagoOffset(instant))).toBe(chicago.format(instant))
  })

  it('a time of day leads to the instant that shows it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: FROM / DAY_MS, max: TO / DAY_MS }),
        fc.integer({ min: 3 * 60, max: 24 * 60 - 1 }),
        (day, minute) => {
          const instant = fromChicago(day, minute * MINUTE_MS)
          expect(instant + chicagoOffset(instant)).toBe(day * DAY_MS + minute * MINUTE_MS)
        },
      ),
      RUNS,
    )
  })
})

describe('sessions and trading days', () => {
  it('an open instant lies in exactly one session, a closed one in none', () => {
    fc.assert(
      fc.property(calendars, instants, (calendar, instant) => {
        const around = [...sessionsBetween(calendar, instant - 8 * DAY_MS, instant + 8 * DAY_MS)]
        const holding = around.filter(({ opens, closes }) => opens <= instant && instant < closes)
        expect(holding.length).toBe(isOpenAt(calendar, instant) ? 1 : 0)
        expect(sessionAt(calendar, instant)).toEqual(holding[0] ?? null)
        around
          .slice(1)
          .forEach((session, index) => expect(session.opens).toBeGreaterThanOrEqual(around[index]?.closes ?? 0))
      }),
      RUNS,
    )
  })

  it('trading days follow one another without a gap, and each begins with its session', () => {
    fc.assert(
      fc.property(calendars, instants, (calendar, instant) => {
        const { day, begins, ends } = tradingDayAt(calendar, instant)
        expect(begins <= instant && instant < ends).toBe(true)
        expect(sessionAt(calendar, begins)).toMatchObject({ day, opens: begins })
        expect(tradingDayAt(calendar, ends).begins).toBe(ends)
        expect(tradingDayAt(calendar, begins - 1).ends).toBe(begins)
        expect(nextOpenAfter(calendar, instant)).toBe(ends)
      }),
      RUNS,
    )
  })

  it('what was remembered of another instant changes no answer', () => {
    fc.assert(
      fc.property(calendars, instants, fc.array(instants, { maxLength: 6 }), (calendar, instant, others) => {
        const alone = tradingDayAt(calendar, instant)
        for (const other of others) tradingDayAt(calendar, other)
        expect(tradingDayAt(calendar, instant)).toEqual(alone)
      }),
      { ...RUNS, numRuns: 500 },
    )
  })

  it('the open time of a span is the sum over its parts, and never longer than the span', () => {
    fc.assert(
      fc.property(
        calendars,
        instants,
        fc.nat({ max: 20 * DAY_MS }),
        fc.nat({ max: 20 * DAY_MS }),
        (calendar, from, one, two) => {
          const [middle, to] = [from + one, from + one + two]
          const whole = openMsBetween(calendar, from, to)
          expect(openMsBetween(calendar, from, middle) + openMsBetween(calendar, middle, to)).toBe(whole)
          expect(whole).toBeLessThanOrEqual(to - from)
        },
      ),
      { ...RUNS, numRuns: 500 },
    )
  })

  it('the next close is the end of the session under way, or of the next one', () => {
    fc.assert(
      fc.property(calendars, instants, (calendar, instant) => {
        const close = nextCloseAfter(calendar, instant)
        if (calendar === 'always-open') {
          expect(close).toBeNull()
          return
        }
        expect(close).not.toBeNull()
        expect(isOpenAt(calendar, (close ?? 0) - 1)).toBe(true)
        expect(isOpenAt(calendar, close ?? 0)).toBe(false)
        expect(openMsBetween(calendar, instant, close ?? 0)).toBeGreaterThan(0)
      }),
      { ...RUNS, numRuns: 500 },
    )
  })

  it.each([
    // A winter week and a summer week, and both Sundays on which clocks change.
    ['2026-01-06T22:59:00Z', '2026-01-06', false],
    ['2026-01-06T23:00:00Z', '2026-01-07', true],
    ['2026-07-07T21:59:00Z', '2026-07-07', false],
    ['2026-07-07T22:00:00Z', '2026-07-08', true],
    ['2026-03-08T21:59:00Z', '2026-03-06', false],
    ['2026-03-08T22:00:00Z', '2026-03-09', true],
    ['2026-11-01T22:59:00Z', '2026-10-30', false],
    ['2026-11-01T23:00:00Z', '2026-11-02', true],
    // The weekend belongs to Friday, Christmas to the day before it.
    ['2026-01-10T12:00:00Z', '2026-01-09', false],
    ['2025-12-25T12:00:00Z', '2025-12-24', false],
    ['2025-12-25T23:00:00Z', '2025-12-26', true],
  ] as const)('at %s the trading day of ES is %s, and the market is open: %s', (instant, day, isOpen) => {
    const at = Date.parse(instant)
    expect([tradingDayAt('cme-equity', at).day, isOpenAt('cme-equity', at)]).toEqual([day, isOpen])
  })

  it.each([
    ['cme-equity', '2025-01-09', '2025-01-09T14:30:00Z'],
    ['cme-equity', '2025-07-03', '2025-07-03T17:15:00Z'],
    ['cme-equity', '2025-11-28', '2025-11-28T18:15:00Z'],
    ['cme-energy', '2025-07-04', '2025-07-04T17:00:00Z'],
    ['cme-energy', '2024-12-24', '2024-12-24T18:45:00Z'],
    ['cme-fx', '2026-04-03', '2026-04-03T15:15:00Z'],
    ['cme-metals', '2026-01-19', '2026-01-19T19:30:00Z'],
  ] as const)('%s closes early on %s, at %s', (calendar, day, closes) => {
    const session = [...sessionsBetween(calendar, Date.parse(day), Date.parse(day) + DAY_MS)].find(
      (one) => one.day === day,
    )
    expect(toIso(session?.closes ?? 0)).toBe(closes)
  })
})
