import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, ceilToStep, cost, dec, floorToStep, isCanonicalDecimal, type Money, minus, money, negate, price, quantity, sum, toNumber } from '../../lib/core/decimal.ts'
import { InvariantError } from '../../lib/core/invariant.ts'

const RUNS = { seed: 20261102, numRuns: 400 }

/** An integer and how many of its digits stand after the point: up to thirty digits, exactly. */
const scaled = fc.record({ digits: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), places: fc.nat({ max: 24 }) })
type Scaled = { digits: bigint; places: number }
const textOf = ({ digits, places }: Scaled): string => {
  const unsigned = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0')
  const whole = unsigned.slice(0, unsigned.length - places)
  return `${digits < 0n ? '-' : ''}${whole}${places === 0 ? '' : `.${unsigned.slice(unsigned.length - places)}`}`
}
/** The oracle: both on one scale, as integers. */
const onScale = (value: Scaled, places: number): bigint => value.digits * 10n ** BigInt(places - value.places)

describe('rounding to a step', () => {
  const steps = fc.record({ digits: fc.bigInt({ min: 1n, max: 10n ** 18n }), places: fc.nat({ max: 24 }) })

  it('is what integer arithmetic says, toward zero and away from it, for any number of digits', () => {
    fc.assert(
      fc.property(scaled, steps, (value, step) => {
        const places = Math.max(value.places, step.places)
        const [whole, unit] = [onScale(value, places), onScale(step, places)]
        const down = (whole / unit) * unit
        const up = whole % unit === 0n ? whole : down + (whole > 0n ? unit : -unit)
        expect(canonical(floorToStep(dec(textOf(value)), dec(textOf(step))))).toBe(canonical(dec(textOf({ digits: down, places }))))
        expect(canonical(ceilToStep(dec(textOf(value)), dec(textOf(step))))).toBe(canonical(dec(textOf({ digits: up, places }))))
      }),
      RUNS,
    )
  })

  it('a multiple is left alone, also a long one', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), steps, (times, step) => {
        const multiple = dec(times.toString()).times(textOf(step))
        expect(floorToStep(multiple, dec(textOf(step))).eq(multiple)).toBe(true)
        expect(ceilToStep(multiple, dec(textOf(step))).eq(multiple)).toBe(true)
      }),
      RUNS,
    )
  })

  it.each([
    ['0.3', '0.1', '0.3', '0.3'],
    ['0.29999999999999999999999999999', '0.1', '0.2', '0.3'],
    ['-0.29999999999999999999999999999', '0.1', '-0.2', '-0.3'],
    ['2.999999999999999999999999999999', '3', '0', '3'],
    ['1e-30', '0.5', '0', '0.5'],
    ['-0', '0.5', '0', '0'],
  ])('%s by %s: down %s, up %s', (value, step, down, up) => {
    expect(canonical(floorToStep(dec(value), dec(step)))).toBe(down)
    expect(canonical(ceilToStep(dec(value), dec(step)))).toBe(up)
  })

  it.each(['0', '-0.5'])('a step of %s is a broken invariant', (step) => {
    expect(() => floorToStep(dec(1), dec(step))).toThrow(InvariantError)
    expect(() => ceilToStep(dec(1), dec(step))).toThrow(InvariantError)
  })
})

describe('canonical text', () => {
  it('every amount has one text, which parses back to it', () => {
    fc.assert(
      fc.property(scaled, (value) => {
        const text = canonical(dec(textOf(value)))
        expect(isCanonicalDecimal(text)).toBe(true)
        expect(canonical(dec(text))).toBe(text)
        expect(dec(text).eq(textOf(value))).toBe(true)
        // The text as generated is canonical exactly when it already is that text.
        expect(isCanonicalDecimal(textOf(value))).toBe(textOf(value) === text)
      }),
      RUNS,
    )
  })

  it('floating-point numbers become the decimal they print as', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(toNumber(canonical(dec(value)))).toBe(value === 0 ? 0 : value)
      }),
      RUNS,
    )
  })

  it.each(['0', '-1.5', '10', '0.00000001', '-0.5', '123456789012345678901234567890.1'])('%s is canonical', (text) => expect(isCanonicalDecimal(text)).toBe(true))
  it.each(['-0', '00', '01', '1.0', '1.50', '.5', '1.', '1e3', '+1', '', ' 1', '1\n', 'NaN', 'Infinity', '1,0', '--1', '0x1'])('%j is not', (text) => expect(isCanonicalDecimal(text)).toBe(false))
  it.each(['', 'x', '1,5', 'NaN', 'Infinity', Number.NaN, Number.POSITIVE_INFINITY])('%j is no decimal: a broken invariant, not a guess', (junk) => expect(() => dec(junk)).toThrow(InvariantError))

  it('zero has no sign, whatever it came from', () => {
    expect([canonical(dec('-0')), canonical(dec(-0)), price('-0.000'), quantity('-0'), money('-0.000000001'), negate('0' as Money), sum('-0' as Money), minus('1' as Money, '1' as Money)]).toEqual(Array(8).fill('0'))
  })
})

describe('money', () => {
  it.each([
    ['0.000000005', '0.00000001'],
    ['-0.000000005', '-0.00000001'],
    ['0.0000000049999', '0'],
    ['1.123456784999', '1.12345678'],
    ['1.123456785', '1.12345679'],
  ])('%s is rounded half away from zero to %s', (value, rounded) => expect(money(value)).toBe(rounded))

  it('a cost is never understated, and overstated by less than the last place', () => {
    fc.assert(
      fc.property(scaled, (value) => {
        const exact = dec(textOf(value)).abs()
        const charged = dec(cost(exact))
        expect(charged.gte(exact)).toBe(true)
        expect(charged.minus(exact).lt('0.00000001')).toBe(true)
      }),
      RUNS,
    )
  })

  it('sums are exact in any order, and subtraction undoes them', () => {
    fc.assert(
      fc.property(fc.array(scaled, { maxLength: 12 }), scaled, (values, last) => {
        const amounts = values.map((value) => canonical(dec(textOf(value))) as Money)
        const one = canonical(dec(textOf(last))) as Money
        const total = sum(...amounts)
        const exact = values.reduce((all, value) => all + onScale(value, 24), 0n)
        expect(total).toBe(canonical(dec(textOf({ digits: exact, places: 24 }))))
        expect(sum(...amounts.toReversed())).toBe(total)
        expect(minus(sum(total, one), one)).toBe(total)
        expect(sum(one, negate(one))).toBe('0')
      }),
      RUNS,
    )
  })
})
