import { type EpochMs, fromIso, toIso } from '../core/time.ts'
import { type DatedFuture, DatedFuture as DatedFutureSchema } from '../../schemas/instrument.ts'
import { contractEndOf } from './expiry.ts'
import { FUTURES, type FutureProduct, MONTH_CODES } from './futures.ts'

/** What a contract's code names: an instrument, or a sentence that says why none. */
export type NamedContract = { kind: 'found'; instrument: DatedFuture } | { kind: 'refused'; why: string }

/** Contracts are listed at most so many years ahead; a year of one digit is looked for among these. */
const YEARS_AHEAD = 5
const DECADE = 10
/** Root and month: `ESH26`, `ESH6`, `ES 03-26`, `ES`. Which roots there are is asked of {@link FUTURES}. */
const CODE = /^(?:CME:)?([A-Z0-9]{2,3}?)(?:([FGHJKMNQUVXZ])(\d{1,2})| (\d{2})-(\d{2}))?$/

const yearOf = (at: EpochMs): number => new Date(at).getUTCFullYear()
const codeOf = ({ root }: FutureProduct, year: number, month: number): string =>
  `${root}${MONTH_CODES.charAt(month - 1)}${String(year % 100).padStart(2, '0')}`
const monthsOf = ({ months }: FutureProduct): number[] => [...months].map((code) => MONTH_CODES.indexOf(code) + 1)

/**
 * The contract that a code names: `ESH26`, `ES 03-26` and `cme:ESH26` without more; `ESH6` and `ES`, the front month,
 * as of an instant. Null where the text is no code of a known product. A year of two digits is one of this century.
 */
export function contractNamed(text: string, at: EpochMs | null): NamedContract | null {
  const [, root, letter, years, number, yearOfNumber] = CODE.exec(text.toUpperCase()) ?? []
  const product = FUTURES.find((one) => one.root === root)
  if (product === undefined) return null
  if (letter === undefined && number === undefined)
    return at === null
      ? refused(`${product.root} names no month; write the contract, such as ${exampleOf(product)}`)
      : { kind: 'found', instrument: frontMonth(product, at) }
  const month = letter === undefined ? Number(number) : MONTH_CODES.indexOf(letter) + 1
  if (!monthsOf(product).includes(month))
    return refused(
      `no contract of ${product.root} for this month is known; its months are ${monthNames(product)}${nowTrades(product, at)}`,
    )
  const digits = years ?? yearOfNumber ?? ''
  if (digits.length === 2) return { kind: 'found', instrument: contractOfMonth(product, 2_000 + Number(digits), month) }
  if (at === null)
    return refused(
      `a year of one digit may be of any decade; write it with two, such as ${codeOf(product, 2_020 + Number(digits), month)}`,
    )
  return ofOneDigit(product, month, Number(digits), at)
}

/** The contract of a one-digit year: the year nearest to the instant of those with that digit. It must still trade. */
function ofOneDigit(product: FutureProduct, month: number, digit: number, at: EpochMs): NamedContract {
  const latest = yearOf(at) + YEARS_AHEAD
  const year = latest - ((latest - digit) % DECADE)
  const instrument = contractOfMonth(product, year, month)
  if (at < fromIso(instrument.lastTrade)) return { kind: 'found', instrument }
  return refused(
    `${instrument.venueSymbol} stopped trading on ${instrument.lastTrade.slice(0, 10)}${nowTrades(product, at)}`,
  )
}

const refused = (why: string): NamedContract => ({ kind: 'refused', why })
const exampleOf = (product: FutureProduct): string => codeOf(product, 2_026, monthsOf(product).at(-1) ?? 12)
const monthNames = (product: FutureProduct): string => [...product.months].join(', ')
const nowTrades = (product: FutureProduct, at: EpochMs | null): string =>
  at === null ? '' : `; ${frontMonth(product, at).venueSymbol} trades now`

/** The front month as of an instant: the first contract that may still be entered. */
export function frontMonth(product: FutureProduct, at: EpochMs): DatedFuture {
  for (let year = yearOf(at); ; year += 1) {
    const month = monthsOf(product).find((one) => contractEndOf(product, year, one).lastEntry > at)
    if (month !== undefined) return contractOfMonth(product, year, month)
  }
}

/** The contract that takes the place of another as of an instant; null where its product is not known here. */
export function successorOf({ root }: DatedFuture, at: EpochMs): DatedFuture | null {
  const product = FUTURES.find((one) => one.root === root)
  return product === undefined ? null : frontMonth(product, at)
}

/**
 * A contract with all of its facts. Its id has a year of two digits, so that those of two decades are two instruments.
 */
export function contractOfMonth(product: FutureProduct, year: number, month: number): DatedFuture {
  const { root, unit, multiplier, tickSize, calendar, margin, fee } = product
  const { lastTrade, firstNotice, lastEntry } = contractEndOf(product, year, month)
  const symbol = codeOf(product, year, month)
  return DatedFutureSchema.parse({
    kind: 'future',
    id: `cme:${symbol}`,
    venue: 'cme',
    venueSymbol: symbol,
    underlying: underlyingOf(root),
    unit,
    quoteCurrency: 'USD',
    multiplier,
    tickSize,
    lotSize: '1',
    minQuantity: '1',
    maxQuantity: '1000',
    margin: { perContract: margin },
    fees: { maker: '0', taker: '0', perContract: fee },
    calendar,
    root,
    month: `${year}-${String(month).padStart(2, '0')}`,
    lastTrade: toIso(lastTrade),
    firstNotice: firstNotice === null ? null : toIso(firstNotice),
    lastEntry: toIso(lastEntry),
  })
}

/** Limits by underlying count a micro together with its large contract: `MES` is `ES`, `MJY` is `6J`. */
const underlyingOf = (root: string): string => (root === 'MJY' ? '6J' : root.replace(/^M(?=..)/, ''))
