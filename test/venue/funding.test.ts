import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FUNDING_MEMORY_MS, settlementsBetween } from '../../lib/venue/paper/funding.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/core/time.ts'
import type { FundingRate } from '../../schemas/market.ts'

const RUNS = { seed: 20261102, numRuns: 150 }
const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z')
const HOURS = 24 * 8
/** No rate on record is this one. */
const ASSUMED = 0.5

/** What a venue has at one hour: nothing, a settlement told a little late, or told twice. The rate names the record. */
const records = fc.record({
  kind: fc.constantFrom('told', 'told', 'told', 'lost', 'twice'),
  lateMs: fc.integer({ min: 0, max: MINUTE_MS - 1 }),
})
/** Where it settles every so many hours, until when; beyond the last it has no record. */
const regimes = fc.array(
  fc.record({
    everyHours: fc.constantFrom(1, 1, 4, 8, 8, 8, 24),
    hours: fc.integer({ min: 1, max: 70 }),
    isRecorded: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)

const histories = fc.tuple(regimes, fc.array(records, { minLength: HOURS, maxLength: HOURS })).map(([parts, told]) => {
  const rates: FundingRate[] = []
  let hour = 0
  for (const { everyHours, hours, isRecorded } of parts) {
    for (const end = Math.min(HOURS, hour + hours); hour < end; hour++) {
      const record = told[hour]
      if (!isRecorded || hour % everyHours !== 0 || record === undefined || record.kind === 'lost') continue
      const time = MIDNIGHT + hour * HOUR_MS + record.lateMs
      rates.push({ time, rate: rates.length / 1e6 })
      if (record.kind === 'twice')
        rates.push({ time: Math.min(time + 5, MIDNIGHT + hour * HOUR_MS + MINUTE_MS - 1), rate: rates.length / 1e6 })
    }
  }
  return rates
})

const instants = fc
  .tuple(fc.integer({ min: 0, max: HOURS * 60 }), fc.constantFrom(0, 0, 1, 29_000))
  .map(([minute, ms]) => MIDNIGHT + minute * MINUTE_MS + ms)
const onTheHour = fc.integer({ min: 0, max: HOURS }).map((hour) => MIDNIGHT + hour * HOUR_MS)
const spans = fc
  .tuple(fc.oneof(instants, onTheHour), fc.oneof(instants, onTheHour))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const intervals = fc.constantFrom(HOUR_MS, 8 * HOUR_MS, 30 * MINUTE_MS, DAY_MS)

const minuteOf = (time: number): number => Math.floor(time / MINUTE_MS) * MINUTE_MS
/** Records of the two days up to a boundary, that of the boundary's own minute among them. */
const recentTo = (boundary: number, known: readonly FundingRate[]): FundingRate[] =>
  known.filter(({ time }) => minuteOf(time) <= boundary && minuteOf(time) > boundary - 2 * DAY_MS)
const hoursOf = (rates: readonly FundingRate[]): number[] => [...new Set(rates.map(({ time }) => minuteOf(time)))]

describe('funding settlements of a span', () => {
  it('are the same however the span is cut, each piece knowing no more than could be known a minute after it', () => {
    fc.assert(
      fc.property(
        histories,
        spans,
        intervals,
        fc.array(fc.oneof(instants, onTheHour), { maxLength: 12 }),
        (known, [from, to], intervalMs, cuts) => {
          const whole = settlementsBetween(from, to, intervalMs, known, ASSUMED)
          const edges = [from, ...cuts.filter((cut) => cut > from && cut < to).toSorted((a, b) => a - b), to]
          const within = (start: number, end: number) =>
            known.filter(({ time }) => time > start - FUNDING_MEMORY_MS && time < end + MINUTE_MS)
          const pieces = edges
            .slice(1)
            .flatMap((end, index) =>
              settlementsBetween(edges[index] ?? end, end, intervalMs, within(edges[index] ?? end, end), ASSUMED),
            )
          expect(pieces).toEqual(whole)
        },
      ),
      RUNS,
    )
  })

  it('come in order, one a boundary, after its beginning and up to its end', () => {
    fc.assert(
      fc.property(histories, spans, intervals, (known, [from, to], intervalMs) => {
        const times = settlementsBetween(from, to, intervalMs, known, ASSUMED).map(({ time }) => time)
        expect([...new Set(times)].toSorted((a, b) => a - b)).toEqual(times)
        expect(
          times.filter((time) => time <= from || time > to || (time % HOUR_MS !== 0 && time % intervalMs !== 0)),
        ).toEqual([])
      }),
      RUNS,
    )
  })

  it('assume a rate only where fewer than two have settled in the two days up to a boundary, and otherwise take the last told by its minute', () => {
    const seen = { assumed: 0, told: 0, carried: 0 }
    fc.assert(
      fc.property(histories, spans, intervals, (known, [from, to], intervalMs) => {
        for (const { time, rate } of settlementsBetween(from, to, intervalMs, known, ASSUMED)) {
          const recent = recentTo(time, known)
          const isAssumed = hoursOf(recent).length < 2
          if (rate !== (isAssumed ? ASSUMED : recent.at(-1)?.rate))
            expect([time, rate]).toEqual([time, isAssumed ? ASSUMED : recent.at(-1)?.rate])
          if (isAssumed) seen.assumed += 1
          else if (minuteOf(recent.at(-1)?.time ?? 0) === time) seen.told += 1
          else seen.carried += 1
        }
      }),
      RUNS,
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(200)
  })

  it('are at every boundary there is: multiples of the smallest spacing of those two days, or of the interval', () => {
    fc.assert(
      fc.property(histories, spans, intervals, (known, [from, to], intervalMs) => {
        const expected: number[] = []
        for (let minute = minuteOf(from) + MINUTE_MS; minute <= to; minute += MINUTE_MS) {
          if (minute % HOUR_MS !== 0 && minute % intervalMs !== 0) continue
          const told = hoursOf(recentTo(minute, known))
          const spacing = Math.min(...told.slice(1).map((time, index) => time - (told[index] ?? 0)))
          if (minute % (Number.isFinite(spacing) ? spacing : intervalMs) === 0) expected.push(minute)
        }
        expect(settlementsBetween(from, to, intervalMs, known, ASSUMED).map(({ time }) => time)).toEqual(expected)
      }),
      RUNS,
    )
  })

  it('do not depend on what is told later than a boundary’s minute', () => {
    fc.assert(
      fc.property(
        histories,
        spans,
        intervals,
        fc.integer({ min: 1, max: 40 }),
        (known, [from, to], intervalMs, seed) => {
          const later = known.map(({ time, rate }) =>
            time >= to + MINUTE_MS ? { time: time + ((seed * 7_919) % HOUR_MS), rate: rate + seed } : { time, rate },
          )
          expect(settlementsBetween(from, to, intervalMs, later, ASSUMED)).toEqual(
            settlementsBetween(from, to, intervalMs, known, ASSUMED),
          )
        },
      ),
      RUNS,
    )
  })
})

describe('by example', () => {
  const hour = (hours: number) => MIDNIGHT + hours * HOUR_MS
  const told = (from: number, to: number, known: readonly [number, number][], intervalMs = HOUR_MS) =>
    settlementsBetween(
      hour(from),
      hour(to),
      intervalMs,
      known.map(([hours, rate]) => ({ time: hour(hours), rate })),
      ASSUMED,
    ).map(({ time, rate }) => [(time - MIDNIGHT) / HOUR_MS, rate])

  it.each<[string, unknown, [number, number][]]>([
    [
      'a lone rate is no record: assumed, hourly',
      told(7, 10, [[8, 1]]),
      [
        [8, 0.5],
        [9, 0.5],
        [10, 0.5],
      ],
    ],
    [
      'a second one makes a spacing from its own boundary on',
      told(14, 18, [
        [8, 1],
        [16, 2],
      ]),
      [
        [15, 0.5],
        [16, 2],
      ],
    ],
    [
      'two days after the first of two, one is left: assumed again',
      told(54, 58, [
        [8, 1],
        [16, 2],
      ]),
      [
        [56, 0.5],
        [57, 0.5],
        [58, 0.5],
      ],
    ],
    [
      'eight-hourly that becomes hourly: from the second hour on',
      told(15, 19, [
        [0, 1],
        [8, 2],
        [16, 3],
        [17, 4],
        [18, 5],
        [19, 6],
      ]),
      [
        [16, 3],
        [17, 4],
        [18, 5],
        [19, 6],
      ],
    ],
    [
      'hourly that becomes eight-hourly: hourly while the two days remember it',
      told(47, 55, [
        [0, 1],
        [1, 2],
        [2, 3],
        [8, 4],
        [16, 5],
      ]),
      [[48, 5]],
    ],
    [
      'an interval of eight hours, nothing known',
      told(1, 17, [], 8 * HOUR_MS),
      [
        [8, 0.5],
        [16, 0.5],
      ],
    ],
    [
      'an interval of half an hour, nothing known',
      told(0.25, 1.5, [], HOUR_MS / 2),
      [
        [0.5, 0.5],
        [1, 0.5],
        [1.5, 0.5],
      ],
    ],
    [
      'an interval of half an hour, known every hour',
      told(
        0.25,
        2.5,
        [
          [-1, 1],
          [0, 2],
          [1, 3],
          [2, 4],
        ],
        HOUR_MS / 2,
      ),
      [
        [1, 3],
        [2, 4],
      ],
    ],
    [
      'nothing between an instant and itself',
      told(8, 8, [
        [0, 1],
        [8, 2],
      ]),
      [],
    ],
  ])('%s', (_what, actual, expected) => expect(actual).toEqual(expected))

  it('a record belongs to the boundary within whose minute it came, to no earlier one', () => {
    const at = (lateMs: number) =>
      settlementsBetween(
        hour(15),
        hour(16),
        HOUR_MS,
        [
          { time: hour(0), rate: 1 },
          { time: hour(8), rate: 2 },
          { time: hour(16) + lateMs, rate: 3 },
        ],
        ASSUMED,
      ).map(({ rate }) => rate)
    expect([at(0), at(MINUTE_MS - 1), at(MINUTE_MS)]).toEqual([[3], [3], [2]])
  })
})
