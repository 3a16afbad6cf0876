import type { CalendarId } from '../../schemas/calendar.ts'

/** How the end of a contract is found from its month; `expiry.ts` has a function for each. */
export type EndRule = 'third-friday' | 'crude' | 'natural-gas' | 'gold' | 'currency'

/** A future of CME Group, without its month. */
export type FutureProduct = {
  readonly root: string
  readonly unit: string
  readonly multiplier: string
  readonly tickSize: string
  /** Codes of the months that are traded here, in the order of the year. */
  readonly months: string
  readonly calendar: CalendarId
  readonly endRule: EndRule
  /** The contract stops trading so many business days before the rule's day. */
  readonly endsEarlier: number
  /**
   * No position is opened from so many business days before the first notice or the end of trading, whichever comes
   * first.
   */
  readonly lastEntryDays: number
  /** Dollars a contract, initial and maintenance. */
  readonly margin: { readonly initial: string; readonly maintenance: string }
  /** Dollars a contract and side. */
  readonly fee: string
}

/** Month codes of futures, January first. */
export const MONTH_CODES = 'FGHJKMNQUVXZ'

const QUARTERS = 'HMUZ'

type Kind = Pick<FutureProduct, 'unit' | 'months' | 'calendar' | 'endRule' | 'lastEntryDays'>

const INDEX: Kind = {
  unit: 'index point',
  months: QUARTERS,
  calendar: 'cme-equity',
  endRule: 'third-friday',
  lastEntryDays: 6,
}
const GOLD: Kind = {
  unit: 'troy ounce',
  months: 'GJMQVZ',
  calendar: 'cme-metals',
  endRule: 'gold',
  lastEntryDays: 3,
}
const CRUDE: Kind = { unit: 'barrel', months: MONTH_CODES, calendar: 'cme-energy', endRule: 'crude', lastEntryDays: 3 }
const GAS: Kind = {
  unit: 'million BTU',
  months: MONTH_CODES,
  calendar: 'cme-energy',
  endRule: 'natural-gas',
  lastEntryDays: 3,
}
const currency = (unit: string): Kind => ({
  unit,
  months: QUARTERS,
  calendar: 'cme-fx',
  endRule: 'currency',
  lastEntryDays: 2,
})

const FULL_FEE = '2.25'
const MICRO_FEE = '0.75'

const product = (
  kind: Kind,
  [root, multiplier, tickSize]: readonly [string, string, string],
  [initial, maintenance]: readonly [string, string],
  fee: string,
  endsEarlier = 0,
): FutureProduct => ({ ...kind, root, multiplier, tickSize, margin: { initial, maintenance }, fee, endsEarlier })

/**
 * Products of CME, COMEX and NYMEX and their micros: multiplier, tick and months from the exchange's contract pages and
 * from QuantConnect Lean's table of symbol properties; what the two say was compared with recorded prices. Margins are
 * the last that Lean stores (April 2021 to February 2022; those of MNG and MJY are a tenth of the large contract's),
 * fees are an assumption. Both are for paper trading and replays: give today's under `instrument`. Live trading asks
 * the venue.
 */
export const FUTURES: readonly FutureProduct[] = [
  product(INDEX, ['ES', '50', '0.25'], ['11880', '10800'], FULL_FEE),
  product(INDEX, ['MES', '5', '0.25'], ['1188', '1080'], MICRO_FEE),
  product(GOLD, ['GC', '100', '0.1'], ['6600', '6000'], FULL_FEE),
  product(GOLD, ['MGC', '10', '0.1'], ['660', '600'], MICRO_FEE),
  product(CRUDE, ['CL', '1000', '0.01'], ['7480', '6800'], FULL_FEE),
  product(CRUDE, ['MCL', '100', '0.01'], ['748', '680'], MICRO_FEE, 1),
  product(GAS, ['NG', '10000', '0.001'], ['8250', '7500'], FULL_FEE),
  product(GAS, ['MNG', '1000', '0.001'], ['825', '750'], MICRO_FEE, 1),
  product(currency('euro'), ['6E', '125000', '0.00005'], ['2420', '2200'], FULL_FEE),
  product(currency('euro'), ['M6E', '12500', '0.0001'], ['242', '220'], MICRO_FEE),
  product(currency('yen'), ['6J', '12500000', '0.0000005'], ['2750', '2500'], FULL_FEE),
  product(currency('yen'), ['MJY', '1250000', '0.000001'], ['275', '250'], MICRO_FEE),
]
