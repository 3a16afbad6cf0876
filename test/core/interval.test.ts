import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cycleIdOf } from '../../lib/core/ids.ts'
import {
  decisionTimeframeOf,
  durationText,
  durationWords,
  intervalMsOf,
  intervalProblem,
  MAX_INTERVAL_MS,
  MIN_INTERVAL_MS,
  parseDuration,
} from '../../lib/core/interval.ts'
import { DAY_MS, floorTime, HOUR_MS, MINUTE_MS, SECOND_MS, timeframeMs, TIMEFRAMES } from '../../lib/core/time.ts'
import { IntervalText } from '../../schemas/primitives.ts'

/** Every interval of whole seconds that a configuration may have, in milliseconds. */
const intervals = fc
  .integer({ min: MIN_INTERVAL_MS / SECOND_MS, max: MAX_INTERVAL_MS / SECOND_MS })
  .map((s) => s * SECOND_MS)

describe('durations as text', () => {
  it.each([
    ['15s', 15 * SECOND_MS],
    ['30m', 30 * MINUTE_MS],
    ['1h', HOUR_MS],
    ['1d', DAY_MS],
    ['90m', 90 * MINUTE_MS],
  ])('the duration %s is read and written', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
    expect(durationText(durationMs)).toBe(text)
  })

  it.each(['', '0s', '05m', '1.5h', '-1h', '1 h', '1H', 'h', '30', '1w', '1h30m'])(
    'the text "%s" is no duration',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  it('every duration of whole seconds is read again as it was written', () => {
    fc.assert(fc.property(intervals, (durationMs) => parseDuration(durationText(durationMs)) === durationMs))
  })

  it('a sentence has the unit as an abbreviation with a space before it', () => {
    expect([15 * SECOND_MS, 30 * MINUTE_MS, HOUR_MS, DAY_MS].map(durationWords)).toEqual([
      '15 s',
      '30 min',
      '1 h',
      '1 d',
    ])
  })
})

describe('intervals', () => {
  it.each(['9s', '25h', '2d', '86401s', 'soon'])('the interval %s is refused with the bounds', (text) => {
    expect(intervalProblem(text)).toContain('from 10s to 1d')
    expect(IntervalText.safeParse(text).success).toBe(false)
  })

  it('one interval has one spelling: 60m and 3600s are kept as 1h', () => {
    expect(['60m', '3600s', '1h', '24h', '120s'].map((text) => IntervalText.parse(text))).toEqual([
      '1h',
      '1h',
      '1h',
      '1d',
      '2m',
    ])
  })

  it('the decision timeframe is the longest one that is not longer than the interval, and never below a minute', () => {
    const of = (interval: string) => decisionTimeframeOf({ interval, decisionTimeframe: null })
    expect(['10s', '1m', '7m', '30m', '45m', '1h', '3h', '4h', '12h', '1d'].map(of)).toEqual([
      '1m',
      '1m',
      '5m',
      '30m',
      '30m',
      '1h',
      '1h',
      '4h',
      '4h',
      '1d',
    ])
    fc.assert(
      fc.property(intervals, (intervalMs) => {
        const chosen = timeframeMs(of(durationText(intervalMs)))
        const fitting = TIMEFRAMES.map(timeframeMs).filter((barMs) => barMs <= intervalMs)
        expect(chosen).toBe(fitting.length === 0 ? MINUTE_MS : Math.max(...fitting))
      }),
    )
  })

  it('a configured decision timeframe is taken whatever the interval', () => {
    expect(decisionTimeframeOf({ interval: '30m', decisionTimeframe: '5m' })).toBe('5m')
    expect(intervalMsOf({ interval: '30m' })).toBe(30 * MINUTE_MS)
  })

  it('the cycle ids of two slots differ at every interval, to the second, and keep their short form on whole minutes', () => {
    const start = Date.UTC(2026, 10, 2, 9, 30)
    expect(cycleIdOf('eth-perp', start)).toBe('eth-perp-20261102T0930Z')
    expect(cycleIdOf('eth-perp', start + 15 * SECOND_MS)).toBe('eth-perp-20261102T093015Z')
    fc.assert(
      fc.property(intervals, fc.integer({ min: 1, max: 10_000 }), (intervalMs, apart) => {
        const slot = floorTime(start, intervalMs)
        expect(cycleIdOf('eth-perp', slot)).not.toBe(cycleIdOf('eth-perp', slot + apart * intervalMs))
      }),
    )
  })
})
