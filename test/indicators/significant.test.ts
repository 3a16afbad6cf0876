import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { SIGNIFICANT_DIGITS, toSignificant } from '../../lib/indicators/significant.ts'

const value = fc.oneof(
  fc.double({ noNaN: true, min: -1e300, max: 1e300 }),
  fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100),
  fc.maxSafeInteger().map((whole) => (whole % 1e12) / 1e4),
  fc.integer(),
)

it('keeps ten significant digits: what toPrecision says, shortcut or not; idempotent; the same after JSON', () => {
  fc.assert(
    fc.property(value, (number) => {
      const rounded = toSignificant(number)
      expect(rounded).toBe(Number(number.toPrecision(SIGNIFICANT_DIGITS)) + 0)
      expect(toSignificant(rounded)).toBe(rounded)
      expect(JSON.parse(JSON.stringify(rounded))).toBe(rounded)
    }),
    { seed: 1, numRuns: 2_000 },
  )
})

it('keeps order, so that a rounded bar still encloses its open and close', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(toSignificant(Math.min(a, b))).toBeLessThanOrEqual(toSignificant(Math.max(a, b)))
    }),
    { seed: 2, numRuns: 1_000 },
  )
})
