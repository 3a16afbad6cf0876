import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tradingDayAt } from '../../lib/calendar/calendar.ts'
import { money, price } from '../../lib/core/decimal.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { dailyLoss, openBooks, revalue, rollDay } from '../../lib/ledger/accounting.ts'
import { createState, transitionAll } from '../../lib/ledger/transition.ts'
import { CalendarId } from '../../schemas/calendar.ts'
import { changed, ETH } from '../support/instruments.ts'

const at = (text: string): string => `2026-03-${text}:00Z`
const lossAfter = (calendar: CalendarId, instants: [string, string][]) =>
  instants.reduce(
    (books, [instant, equity]) => {
      const rolled = rollDay(books, at(instant), calendar)
      return revalue({ ...rolled, cash: money(equity) }, null, price(1), at(instant))
    },
    openBooks(money('10000'), at('10T15:00'), calendar),
  )

describe('the day that a daily loss counts by', () => {
  // Tuesday, 17:00 in Chicago is 22:00 UTC in March after the change of clocks.
  const lost: [string, string][] = [
    ['10T21:59', '9600'],
    ['10T22:00', '9500'],
  ]

  it('begins at 17:00 in Chicago for a future, and at midnight UTC for a perp', () => {
    expect(lossAfter('cme-equity', lost)).toMatchObject({ day: '2026-03-11', dayStartEquity: '9600' })
    expect(lossAfter('always-open', lost)).toMatchObject({ day: '2026-03-10', dayStartEquity: '10000' })
    expect(dailyLoss(lossAfter('cme-equity', lost))).toBeCloseTo(100 / 9_600)
    expect(dailyLoss(lossAfter('always-open', lost))).toBeCloseTo(0.05)
  })

  it('goes on over midnight and over the weekend for a future', () => {
    const weekend: [string, string][] = [
      ['13T20:59', '9900'],
      ['14T12:00', '9900'],
      ['15T21:59', '9800'],
    ]
    expect(lossAfter('cme-equity', weekend)).toMatchObject({ day: '2026-03-13', dayStartEquity: '10000' })
    expect(lossAfter('cme-equity', [...weekend, ['15T22:00', '9700']])).toMatchObject({
      day: '2026-03-16',
      dayStartEquity: '9800',
    })
  })

  it('rolls exactly once for each trading day that is met, whatever the calendar and the instants', () => {
    const start = Date.UTC(2026, 0, 5, 12)
    fc.assert(
      fc.property(
        fc.constantFrom(...CalendarId.options),
        fc.array(fc.nat({ max: 60 * 24 * 60 }), { minLength: 1, maxLength: 40 }),
        (calendar, minutes) => {
          const instants = minutes.map((minute) => start + minute * MINUTE_MS).toSorted((a, b) => a - b)
          let books = { ...openBooks(money('10000'), toIso(start), calendar), entriesToday: 3 }
          for (const instant of instants) {
            const before = books.day
            books = { ...rollDay(books, toIso(instant), calendar), entriesToday: 3 }
            expect(books.day).toBe(tradingDayAt(calendar, instant).day)
            expect(rollDay(books, toIso(instant), calendar).entriesToday).toBe(3)
            if (before !== books.day) expect(before < books.day).toBe(true)
          }
        },
      ),
      { seed: 31, numRuns: 200 },
    )
  })

  it('is that of the instrument in the state', () => {
    const begun = toIso(Date.UTC(2026, 2, 10, 15))
    const marked = (offset: number) =>
      ({ type: 'marked', at: toIso(Date.UTC(2026, 2, 10, 15) + offset), markPrice: price(2_000) }) as const
    const dayOf = (calendar: CalendarId, offset: number): string =>
      transitionAll(createState('s', changed(ETH, { calendar }), money('10000'), begun), [marked(offset)]).state
        .accounting.day
    expect(dayOf('cme-fx', 7 * HOUR_MS)).toBe('2026-03-11')
    expect(dayOf('always-open', 7 * HOUR_MS)).toBe('2026-03-10')
    expect(dayOf('always-open', DAY_MS)).toBe('2026-03-11')
  })
})
