import { Big } from 'big.js'
import { InvariantError } from './invariant.ts'

/**
 * Exact decimal arithmetic for orders, fills and balances.
 *
 * Amounts travel and rest as canonical decimal strings ("0", "-1.5", never "1.50" or "1e3"), so two equal
 * amounts are two equal strings and a record has one byte form. `big.js` adds, subtracts and multiplies
 * without rounding; every division names its own rounding.
 */
export type Decimal = Big

/** Decimal places kept for money that comes out of a product or a division. */
export const MONEY_PLACES = 8

export const ROUND_DOWN = 0 as const
export const ROUND_HALF_UP = 1 as const
export const ROUND_UP = 3 as const

/** Branded decimal strings: the unit is the type. */
declare const unit: unique symbol
/** Quote currency per one unit of the base asset. */
export type Price = string & { readonly [unit]: 'price' }
/** Unsigned number of contracts; the side says the direction. */
export type Quantity = string & { readonly [unit]: 'quantity' }
/** Signed amount of the quote currency. */
export type Money = string & { readonly [unit]: 'money' }

const CANONICAL = /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/

/** Whether `text` is a canonical decimal: plain notation, no leading or trailing zeros, no "-0". */
export function isCanonicalDecimal(text: string): boolean {
  return text !== '-0' && CANONICAL.test(text)
}

/** Parses a decimal string, number or Decimal exactly. Throws {@link InvariantError} on NaN, infinity or junk. */
export function dec(value: string | number | Decimal): Decimal {
  if (typeof value !== 'string') return parse(value)
  const before = parsed.get(value)
  if (before !== undefined) return before
  const decimal = parse(value)
  if (parsed.size >= PARSED_KEPT) parsed.clear()
  parsed.set(value, decimal)
  return decimal
}

/** Texts parsed lately: the same few amounts are asked for again and again. A decimal never changes. */
const parsed = new Map<string, Decimal>()
const PARSED_KEPT = 2_048

function parse(value: string | number | Decimal): Decimal {
  try {
    return new Big(value)
  } catch (cause) {
    throw new InvariantError(`not a decimal: ${JSON.stringify(value)}`, { cause })
  }
}

/** The canonical string of a decimal. */
export function canonical(value: Decimal): string {
  if (value.eq(0)) return '0'
  return value.toFixed()
}

export const price = (value: string | number | Decimal): Price => canonical(dec(value)) as Price
export const quantity = (value: string | number | Decimal): Quantity => canonical(dec(value)) as Quantity

/** Money, rounded half-up to {@link MONEY_PLACES} places when the exact value has more. */
export function money(value: string | number | Decimal): Money {
  return canonical(dec(value).round(MONEY_PLACES, ROUND_HALF_UP)) as Money
}

/** Money owed by us, rounded away from zero: a cost is never understated. */
export function cost(value: Decimal): Money {
  return canonical(value.round(MONEY_PLACES, ROUND_UP)) as Money
}

export const ZERO_MONEY = '0' as Money
export const ZERO_QUANTITY = '0' as Quantity

/** Sum of money amounts, exact. */
export function sum(...amounts: Money[]): Money {
  let units = 0
  for (const amount of amounts) {
    units += toUnits(amount)
    // Once it was inexact, coming back does not mend it.
    if (Math.abs(units) > Number.MAX_SAFE_INTEGER) units = Number.NaN
  }
  if (!Number.isNaN(units)) return fromUnits(units)
  let total = new Big(0)
  for (const amount of amounts) total = total.plus(amount)
  return canonical(total) as Money
}

/**
 * {@link sum} of a list of any length, exact: whole numbers on a common scale, some thirty times faster, for the
 * thousands of trades of a report.
 */
export function sumAll(amounts: Iterable<Money>): Money {
  let total = 0n
  let places = 0
  for (const amount of amounts) {
    const point = amount.indexOf('.')
    const own = point === -1 ? 0 : amount.length - point - 1
    let digits = BigInt(point === -1 ? amount : amount.slice(0, point) + amount.slice(point + 1))
    if (own > places) {
      total *= 10n ** BigInt(own - places)
      places = own
    } else if (own < places) digits *= 10n ** BigInt(places - own)
    total += digits
  }
  const text = (total < 0n ? -total : total).toString().padStart(places + 1, '0')
  const fraction = text.slice(text.length - places).replace(/(?<!0)0+$/, '')
  return `${total < 0n ? '-' : ''}${text.slice(0, text.length - places)}${places === 0 || fraction === '' ? '' : `.${fraction}`}` as Money
}

/** `a - b`, exact. */
export function minus(a: Money, b: Money): Money {
  const units = toUnits(a) - toUnits(b)
  return Math.abs(units) <= Number.MAX_SAFE_INTEGER ? fromUnits(units) : (canonical(dec(a).minus(b)) as Money)
}

/** Whether a > b. */
export function isAbove(a: Money, b: Money): boolean {
  const [left, right] = [toUnits(a), toUnits(b)]
  return Number.isNaN(left) || Number.isNaN(right) ? dec(a).gt(b) : left > right
}

/** a / b as the nearest number. `b` is not zero. */
export function ratioOf(a: Money, b: Money): number {
  const ratio = toUnits(a) / toUnits(b)
  // Of two exact integers the quotient is the nearest there is.
  return Number.isNaN(ratio) ? Number(new LongBig(a).div(b)) : ratio
}

/** Divides to a hundred places: of a small amount and a very large one, twenty would leave few digits or none. */
const LongBig = Big()
LongBig.DP = 100

const UNITS_PER_ONE = 10 ** MONEY_PLACES

/**
 * A money amount as a whole number of its smallest units, or NaN when it has more places or is too large to be exact:
 * whole numbers are added, compared and divided much faster than decimals, and as exactly.
 */
function toUnits(text: string): number {
  const isNegative = text.charCodeAt(0) === MINUS
  let units = 0
  let places = -1
  for (let index = isNegative ? 1 : 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === POINT) places = 0
    else {
      units = units * 10 + (code - ZERO)
      if (places >= 0) places += 1
    }
  }
  const missing = MONEY_PLACES - Math.max(places, 0)
  if (missing < 0 || text.length > MONEY_PLACES + 9) return Number.NaN
  units *= POWERS[missing] ?? Number.NaN
  if (units > Number.MAX_SAFE_INTEGER) return Number.NaN
  return isNegative ? -units : units
}

/** The canonical text of a whole number of units. */
function fromUnits(units: number): Money {
  const size = Math.abs(units)
  const whole = Math.floor(size / UNITS_PER_ONE)
  let rest = size - whole * UNITS_PER_ONE
  const sign = units < 0 ? '-' : ''
  if (rest === 0) return `${sign}${whole}` as Money
  let places = MONEY_PLACES
  while (rest % 10 === 0) {
    rest /= 10
    places -= 1
  }
  return `${sign}${whole}.${String(rest).padStart(places, '0')}` as Money
}

const [MINUS, POINT, ZERO] = [45, 46, 48]
const POWERS = Array.from({ length: MONEY_PLACES + 1 }, (_, power) => 10 ** power)

/** `-a`. */
export const negate = (a: Money): Money => (a === '0' ? a : a.startsWith('-') ? a.slice(1) : `-${a}`) as Money

/** The one place where an exact amount becomes a floating-point number, for indicators and statistics. */
export const toNumber = (value: string | Decimal): number => Number(value)

/** Rounds down (toward zero) to a multiple of `step`. Throws on a step that is not positive. */
export function floorToStep(value: Decimal, step: Decimal): Decimal {
  if (step.lte(0)) throw new InvariantError(`step must be positive, got ${canonical(step)}`)
  return divideWhole(value, step).times(step)
}

/** Rounds up (away from zero) to a multiple of `step`. Throws on a step that is not positive. */
export function ceilToStep(value: Decimal, step: Decimal): Decimal {
  const down = floorToStep(value, step)
  if (down.eq(value)) return down
  return value.gt(0) ? down.plus(step) : down.minus(step)
}

/** Whole number of times `step` fits into `value`, toward zero, whatever the number of digits. */
function divideWhole(value: Decimal, step: Decimal): Decimal {
  // Scale both to integers first: Big's own division keeps only DP (20) places.
  const places = Math.max(placesOf(value), placesOf(step))
  const scale = new Big(10).pow(places)
  const whole = value.times(scale)
  const unit = step.times(scale)
  const quotient = whole.div(unit).round(0, ROUND_DOWN)
  // Division may have rounded up across an integer at the last kept place; the product tells.
  const overshoot = quotient.abs().times(unit).gt(whole.abs())
  return overshoot ? quotient.minus(whole.gt(0) ? 1 : -1) : quotient
}

const placesOf = (value: Decimal): number => Math.max(0, value.c.length - 1 - value.e)
