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
  let total = new Big(0)
  for (const amount of amounts) total = total.plus(amount)
  return canonical(total) as Money
}

/** `a - b`, exact. */
export const minus = (a: Money, b: Money): Money => canonical(dec(a).minus(b)) as Money

/** `-a`. */
export const negate = (a: Money): Money => canonical(dec(a).times(-1)) as Money

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
