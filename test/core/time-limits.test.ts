import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.ts'
import { durationText, MAX_INTERVAL_MS, MIN_INTERVAL_MS } from '../../lib/core/interval.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../lib/core/time.ts'
import { limitsOf, timeLimitsOf, VENUE_LAG_MS } from '../../lib/core/time-limits.ts'

const intervalMs = fc
  .integer({ min: MIN_INTERVAL_MS / SECOND_MS, max: MAX_INTERVAL_MS / SECOND_MS })
  .map((seconds) => seconds * SECOND_MS)
/** An interval with a decider's deadline that a configuration lets through, and a venue's lag. */
const inputs = fc
  .record({
    intervalMs,
    share: fc.double({ min: 0, max: 2 / 3, noNaN: true }),
    venueLagMs: fc.integer({ min: 0, max: MINUTE_MS }),
  })
  .map(({ share, ...rest }) => ({
    ...rest,
    deciderTimeoutMs: Math.min(600_000, Math.floor(share * rest.intervalMs)),
  }))

const law = (check: (limits: ReturnType<typeof timeLimitsOf>, given: Parameters<typeof timeLimitsOf>[0]) => void) =>
  fc.assert(fc.property(inputs, (given) => check(timeLimitsOf(given), given)))

describe('time limits at every interval, deadline and lag', () => {
  it('a lease is longer than the hard deadline of an invocation, and an outbox is left alone for longer than a lease', () =>
    law(({ leaseMs, hardDeadlineMs, outboxLifeMs }) => {
      expect(leaseMs).toBeGreaterThan(hardDeadlineMs)
      expect(outboxLifeMs).toBeGreaterThan(leaseMs)
    }))

  it('an invocation has time for its decider and a minute besides, in whole seconds that Lambda takes', () =>
    law(({ hardDeadlineMs }, { deciderTimeoutMs }) => {
      expect(hardDeadlineMs).toBeGreaterThanOrEqual(deciderTimeoutMs + (deciderTimeoutMs === 0 ? 0 : MINUTE_MS))
      expect(hardDeadlineMs % SECOND_MS).toBe(0)
      expect(hardDeadlineMs).toBeGreaterThanOrEqual(MINUTE_MS)
      expect(hardDeadlineMs).toBeLessThanOrEqual(900 * SECOND_MS)
    }))

  it('orders and the wait for cancelled exits end well within the hard deadline', () =>
    law(({ entryLifeMs, exitLifeMs, cancelPatienceMs, hardDeadlineMs }) => {
      expect(entryLifeMs).toBeLessThanOrEqual(exitLifeMs)
      expect(cancelPatienceMs).toBeLessThan(exitLifeMs)
      expect(cancelPatienceMs + exitLifeMs).toBeLessThan(hardDeadlineMs)
    }))

  it('an entry does not live longer than the interval for which it was decided', () =>
    law(({ entryLifeMs }, { intervalMs: interval }) => {
      expect(entryLifeMs).toBeLessThanOrEqual(interval)
    }))

  it('whatever waits for the venue waits at least its lag', () =>
    law(({ suspicionMs, positionLagMs, formingMs, lateArrivalMs, stuckMs, quoteAgeMs }, { venueLagMs }) => {
      for (const limit of [suspicionMs, positionLagMs, formingMs, lateArrivalMs, stuckMs, quoteAgeMs])
        expect(limit).toBeGreaterThanOrEqual(venueLagMs)
      expect(stuckMs).toBeGreaterThanOrEqual(lateArrivalMs)
    }))

  it('the clock tolerance never takes a slot of the future for the present one', () =>
    law(({ clockToleranceMs }, { intervalMs: interval }) => {
      expect(clockToleranceMs).toBeLessThan(interval)
    }))

  it('no limit shrinks when the interval grows', () => {
    fc.assert(
      fc.property(intervalMs, intervalMs, (one, other) => {
        const of = (interval: number) =>
          timeLimitsOf({ intervalMs: interval, deciderTimeoutMs: 0, venueLagMs: VENUE_LAG_MS })
        const [less, more] = [of(Math.min(one, other)), of(Math.max(one, other))]
        for (const key of Object.keys(less) as (keyof typeof less)[])
          expect(more[key], key).toBeGreaterThanOrEqual(less[key])
      }),
    )
  })

  it('half-hourly strategies keep the limits they have always had', () => {
    expect(limitsOf(loadConfig({ overrides: { interval: '30m' } }))).toMatchObject({
      hardDeadlineMs: 180 * SECOND_MS,
      leaseMs: 240 * SECOND_MS,
      outboxLifeMs: 300 * SECOND_MS,
      entryLifeMs: 20 * SECOND_MS,
      exitLifeMs: 20 * SECOND_MS,
      suspicionMs: 30 * SECOND_MS,
      clockToleranceMs: 2 * MINUTE_MS,
      quoteAgeMs: 2 * MINUTE_MS,
    })
  })
})

describe('deadlines in a configuration', () => {
  const load = (overrides: object) => loadConfig({ overrides })

  it('a deadline of the decider that is longer than two thirds of the interval is refused with the longest that fits', () => {
    expect(() => load({ interval: '1m', decider: { kind: 'openai', timeoutMs: 40_001 } })).toThrow(
      /decider\.timeoutMs = 40001: does not fit interval 1m.*set at most 40000/,
    )
    expect(load({ interval: '1m', decider: { kind: 'openai', timeoutMs: 40_000 } }).decider).toMatchObject({
      timeoutMs: 40_000,
    })
  })

  it('a request to the venue that may take longer than the interval is refused', () => {
    expect(() => load({ interval: '10s', live: { timeoutMs: 10_001 } })).toThrow(
      /live\.timeoutMs = 10001: does not fit interval 10s.*set at most 10000/,
    )
  })

  it.each([
    ['10s', 6_666],
    ['1m', 40_000],
    ['90s', 60_000],
    ['30m', 60_000],
    ['1d', 60_000],
  ])('at interval %s a model has %i ms where the configuration names no deadline', (interval, timeoutMs) => {
    expect(load({ interval, decider: { kind: 'anthropic' } }).decider).toMatchObject({ timeoutMs })
  })

  it('every interval that is allowed gives a configuration without further settings, with rules and with a model', () => {
    fc.assert(
      fc.property(intervalMs, fc.constantFrom('rules', 'openai'), (interval, kind) => {
        expect(load({ interval: durationText(interval), decider: { kind } }).interval).toBe(durationText(interval))
      }),
      { numRuns: 40 },
    )
    expect(MAX_INTERVAL_MS).toBe(DAY_MS)
  })
})
