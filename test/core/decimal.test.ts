import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonical,
  ceilToStep,
  cost,
  dec,
  floorToStep,
  isAbove,
  isCanonicalDecimal,
  type Money,
  minus,
  money,
  negate,
  price,
  quantity,
  ratioOf,
  sum,
  sumAll,
  toNumber,
} from '../../lib/core/decimal.ts'
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
        expect(canonical(floorToStep(dec(textOf(value)), dec(textOf(step))))).toBe(
          canonical(dec(textOf({ digits: down, places }))),
        )
        expect(canonical(ceilToStep(dec(textOf(value)), dec(textOf(step))))).toBe(
          canonical(dec(textOf({ digits: up, places }))),
        )
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

  it.each(['0', '-1.5', '10', '0.00000001', '-0.5', '123456789012345678901234567890.1'])('%s is canonical', (text) =>
    expect(isCanonicalDecimal(text)).toBe(true),
  )
  it.each([
    '-0',
    '00',
    '01',
    '1.0',
    '1.50',
    '.5',
    '1.',
    '1e3',
    '+1',
    '',
    ' 1',
    '1\n',
    'NaN',
    'Infinity',
    '1,0',
    '--1',
    '0x1',
  ])('%j is not', (text) => expect(isCanonicalDecimal(text)).toBe(false))
  it.each(['', 'x', '1,5', 'NaN', 'Infinity', Number.NaN, Number.POSITIVE_INFINITY])(
    '%j is no decimal: a broken invariant, not a guess',
    (junk) => expect(() => dec(junk)).toThrow(InvariantError),
  )

  it('zero has no sign, whatever it came from', () => {
    expect([
      canonical(dec('-0')),
      canonical(dec(-0)),
      price('-0.000'),
      quantity('-0'),
      money('-0.000000001'),
      negate('0' as Money),
      sum('-0' as Money),
      minus('1' as Money, '1' as Money),
    ]).toEqual(Array(8).fill('0'))
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
        expect(sumAll(amounts)).toBe(total)
        expect(sumAll(new Set(amounts.toReversed()))).toBe(sum(...new Set(amounts)))
        expect(minus(sum(total, one), one)).toBe(total)
        expect(sum(one, negate(one))).toBe('0')
      }),
      RUNS,
    )
  })

  it.each([
    [[], '0'],
    [['-0.5', '0.5'], '0'],
    [['-0.05', '0.04'], '-0.01'],
    [['0.1', '0.2', '0.7'], '1'],
    [['100', '-0.00000001'], '99.99999999'],
    [['-100', '-20'], '-120'],
  ])('all of %j are %s', (amounts, total) => expect(sumAll(amounts as Money[])).toBe(total))
})

describe('whole units, the fast way with money', () => {
  const UNIT = '0.00000001' as Money
  /** The largest number of units that a double holds exactly, and its neighbours. */
  const LAST = 9_007_199_254_740_991n
  const amountOf = (value: Scaled): Money => canonical(dec(textOf(value))) as Money
  const nearTheEnd = fc.bigInt({ min: LAST - 5n, max: LAST + 5n }).map((digits) => ({ digits, places: 8 }))
  const sized = fc.oneof(
    fc.record({ digits: fc.bigInt({ min: 0n, max: 10n ** 12n }), places: fc.nat({ max: 8 }) }),
    fc.record({ digits: fc.bigInt({ min: 0n, max: 10n ** 17n }), places: fc.nat({ max: 10 }) }),
    nearTheEnd,
    scaled,
  )
  /** Signed amounts on both sides of where the fast way ends. */
  const amounts = fc
    .tuple(sized, fc.boolean())
    .map(([{ digits, places }, isNegative]): Scaled => ({ digits: isNegative ? -digits : digits, places }))
  const MANY = { ...RUNS, numRuns: 1_500 }

  it('adds, subtracts, compares and negates as integers on one scale do, and answers in the canonical form', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const [left, right] = [amountOf(a), amountOf(b)]
        const [x, y] = [onScale(a, 24), onScale(b, 24)]
        const exact = (digits: bigint): string => canonical(dec(textOf({ digits, places: 24 })))
        expect(sum(left, right)).toBe(exact(x + y))
        expect(minus(left, right)).toBe(exact(x - y))
        expect(isAbove(left, right)).toBe(x > y)
        expect(isAbove(left, left)).toBe(false)
        expect(negate(left)).toBe(exact(-x))
        expect([sum(left, right), minus(left, right), negate(left)].every(isCanonicalDecimal)).toBe(true)
      }),
      MANY,
    )
  })

  it('sums of many are exact, also where they leave its range on the way and come back', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            amounts,
            nearTheEnd.map(({ digits, places }) => ({ digits: -digits, places })),
            nearTheEnd,
          ),
          { maxLength: 8 },
        ),
        (values) => {
          const exact = values.reduce((all, value) => all + onScale(value, 24), 0n)
          expect(sum(...values.map(amountOf))).toBe(canonical(dec(textOf({ digits: exact, places: 24 }))))
        },
      ),
      MANY,
    )
    expect(sum('90071992.54740991' as Money, '90071992.5474099' as Money, '-90071992.54740991' as Money)).toBe(
      '90071992.5474099',
    )
  })

  it('a ratio is the nearest number there is', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        fc.pre(b.digits !== 0n)
        const ratio = ratioOf(amountOf(a), amountOf(b))
        const [numerator, denominator] = [onScale(a, 24), onScale(b, 24)]
        /** |a/b - candidate| as an integer over one common denominator for all candidates. */
        const miss = (candidate: number): bigint => {
          const distance = numerator * SCALE - denominator * scaledUp(candidate)
          return distance < 0n ? -distance : distance
        }
        const own = miss(ratio)
        for (const other of neighbours(ratio)) expect(own <= miss(other)).toBe(true)
      }),
      MANY,
    )
    expect([
      ratioOf('1' as Money, '3' as Money),
      ratioOf('-1' as Money, '8' as Money),
      ratioOf('0' as Money, '7' as Money),
      ratioOf(UNIT, '100000000000000000000000' as Money),
    ]).toEqual([1 / 3, -0.125, 0, 1e-31])
  })

  /** A power of two, so that every double above 2^-1000 times it is an integer. */
  const SCALE = 1n << 1_100n
  function scaledUp(value: number): bigint {
    let exponent = 0
    let mantissa = value
    while (!Number.isInteger(mantissa)) {
      mantissa *= 2
      exponent += 1
    }
    return (BigInt(mantissa) * SCALE) >> BigInt(exponent)
  }
  /** The doubles next to one, below and above. */
  function neighbours(value: number): number[] {
    const view = new DataView(new ArrayBuffer(8))
    if (value === 0) return [Number.MIN_VALUE, -Number.MIN_VALUE].map((one) => one * 2 ** 60)
    view.setFloat64(0, value)
    const bits = view.getBigUint64(0)
    return [bits - 1n, bits + 1n].map((next) => {
      view.setBigUint64(0, next)
      return view.getFloat64(0)
    })
  }

  it.each([
    ['90071992.54740991', '0.00000001', '90071992.54740992'],
    ['90071992.54740992', '-0.00000001', '90071992.54740991'],
    ['-90071992.54740991', '-0.00000001', '-90071992.54740992'],
    ['90071992.54740992', '0.00000001', '90071992.54740993'],
    ['99999999999999999', '1', '100000000000000000'],
    ['0.000000001', '0.00000001', '0.000000011'],
    ['9007199254740993', '0', '9007199254740993'],
    ['0.1', '0.2', '0.3'],
  ])('%s and %s are %s', (a, b, total) => {
    expect(sum(a as Money, b as Money)).toBe(total)
    expect(minus(a as Money, negate(b as Money))).toBe(total)
    expect([isAbove(total as Money, a as Money), isAbove(a as Money, total as Money)]).toEqual([
      !b.startsWith('-') && b !== '0',
      b.startsWith('-'),
    ])
  })
})
