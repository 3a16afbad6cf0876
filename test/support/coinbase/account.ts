import { type Decimal, dec, money, ROUND_HALF_UP, MONEY_PLACES } from '../../../lib/core/decimal.ts'
import type { EpochMs } from '../../../lib/core/time.ts'

/** Funding of one boundary; `amount` is received when positive. */
export type FundingAccrual = { at: EpochMs; rate: string; contracts: number; mark: string; amount: string }

/** Money and position, exact. Everything in US dollars but `contracts`. */
export type Account = {
  spot: Decimal
  futures: Decimal
  /** Realised since the last settlement and not in cash yet. */
  unsettledRealised: Decimal
  /** Realised since the last settlement, as told. */
  dailyRealised: Decimal
  /** Accrued funding that is not in cash yet. */
  unsettledFunding: Decimal
  /** Positive is long. */
  contracts: number
  /** Signed cost of the open position: contracts x entry price x contract size. */
  basis: Decimal
  accruals: FundingAccrual[]
  /** Sum of deposits less withdrawals since the start. */
  deposited: Decimal
}

export const ZERO = dec(0)

export const openAccount = (futures: string, spot: string): Account => ({
  spot: dec(spot),
  futures: dec(futures),
  unsettledRealised: ZERO,
  dailyRealised: ZERO,
  unsettledFunding: ZERO,
  contracts: 0,
  basis: ZERO,
  accruals: [],
  deposited: ZERO,
})

/** Value of `contracts` at `price`, signed as they are. */
export const valueOf = (contracts: number, price: Decimal, multiplier: Decimal): Decimal =>
  price.times(contracts).times(multiplier)

/** Profit of the open position at a mark price. */
export const unrealisedPnl = (account: Account, mark: Decimal, multiplier: Decimal): Decimal =>
  account.contracts === 0 ? ZERO : valueOf(account.contracts, mark, multiplier).minus(account.basis)

/** All that is owned but the open position's profit. */
export const cashOf = (account: Account): Decimal =>
  account.spot.plus(account.futures).plus(account.unsettledRealised).plus(account.unsettledFunding)

/** Average entry price, rounded for showing; null when flat. */
export const averageEntry = (account: Account, multiplier: Decimal): string | null =>
  account.contracts === 0 ? null : money(account.basis.div(multiplier.times(account.contracts)))

/**
 * Books one execution: `contracts` signed, positive bought. What closes is realised at the average cost; what is left
 * of it opens the other way. The fee leaves the cash at once.
 */
export function bookExecution(
  account: Account,
  execution: { contracts: number; price: Decimal; multiplier: Decimal; fee: Decimal; settlesAtOnce: boolean },
): void {
  const { contracts, price, multiplier, fee, settlesAtOnce } = execution
  account.futures = account.futures.minus(fee)
  const held = Math.abs(account.contracts)
  const isSameWay = account.contracts === 0 || Math.sign(account.contracts) === Math.sign(contracts)
  if (isSameWay) {
    account.basis = account.basis.plus(valueOf(contracts, price, multiplier))
    account.contracts += contracts
    return
  }
  const closing = Math.min(held, Math.abs(contracts))
  const closingSigned = Math.sign(contracts) * closing
  const basisPart =
    closing === held ? account.basis : account.basis.times(closing).div(held).round(MONEY_PLACES, ROUND_HALF_UP)
  const realised = ZERO.minus(valueOf(closingSigned, price, multiplier)).minus(basisPart)
  account.dailyRealised = account.dailyRealised.plus(realised)
  if (settlesAtOnce) account.futures = account.futures.plus(realised)
  else account.unsettledRealised = account.unsettledRealised.plus(realised)
  const opening = contracts - closingSigned
  account.contracts += contracts
  account.basis = account.basis.minus(basisPart).plus(valueOf(opening, price, multiplier))
}

/** Accrues funding at a boundary on the position held then: a long pays a positive rate. */
export function accrueFunding(account: Account, at: EpochMs, rate: string, mark: Decimal, multiplier: Decimal): void {
  if (account.contracts === 0) return
  const amount = dec(money(ZERO.minus(valueOf(account.contracts, mark, multiplier).times(rate))))
  account.unsettledFunding = account.unsettledFunding.plus(amount)
  account.accruals.push({ at, rate, contracts: account.contracts, mark: money(mark), amount: money(amount) })
}

/** Moves accrued funding into cash. What is owned stays the same. */
export function settleFunding(account: Account): void {
  account.futures = account.futures.plus(account.unsettledFunding)
  account.unsettledFunding = ZERO
}

/** Moves the day's realised PnL into cash. What is owned stays the same. */
export function settleRealised(account: Account): void {
  account.futures = account.futures.plus(account.unsettledRealised)
  account.unsettledRealised = ZERO
  account.dailyRealised = ZERO
}
