import { canonical, type Decimal, MONEY_PLACES, ROUND_HALF_UP } from '../../../lib/core/decimal.ts'

const rounded = (value: Decimal | string): string =>
  typeof value === 'string' ? value : canonical(value.round(MONEY_PLACES, ROUND_HALF_UP))

/** A decimal with at least two places, as the venue writes dollars: "100.00". */
export function dollars(value: Decimal | string): string {
  const text = rounded(value)
  const point = text.indexOf('.')
  if (point === -1) return `${text}.00`
  return point === text.length - 2 ? `${text}0` : text
}

/** The venue's money object. */
export const amount = (value: Decimal | string): { value: string; currency: string } => ({
  value: dollars(value),
  currency: 'USD',
})

/** A plain decimal, or the money object where the venue's switch says so. */
export const plain = (value: Decimal | string, asObject: boolean): string | { value: string; currency: string } =>
  asObject ? amount(value) : rounded(value)
