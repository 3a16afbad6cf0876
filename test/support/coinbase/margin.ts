import { type Decimal, dec } from '../../../lib/core/decimal.ts'
import { cashOf, unrealisedPnl, valueOf, ZERO } from './account.ts'
import { oppositeOf, remainingOf, type Side } from './orders.ts'
import { lastTicks, priceOf, type VenueState } from './state.ts'

export type MarginWindow = 'overnight' | 'intraday'

/** Initial margin as a fraction of notional. */
export const initialRate = (
  state: Pick<VenueState, 'facts'>,
  side: Side,
  window: MarginWindow = 'overnight',
): string => {
  const rates = window === 'overnight' ? state.facts.overnightMargin : state.facts.intradayMargin
  return side === 'BUY' ? rates.long : rates.short
}

/** Money held for resting limit orders that would add to the position. Brackets hold nothing. */
export function holdsOf(state: VenueState): Decimal {
  const reducing: Side | null =
    state.account.contracts === 0 ? null : oppositeOf(state.account.contracts > 0 ? 'BUY' : 'SELL')
  let holds = ZERO
  for (const order of state.working) {
    if ((order.work.kind !== 'limit' && order.work.kind !== 'stop_limit') || order.side === reducing) continue
    holds = holds.plus(
      valueOf(remainingOf(order), priceOf(state, order.work.limit), state.multiplier).times(
        initialRate(state, order.side),
      ),
    )
  }
  return holds
}

export type Margin = {
  mark: Decimal
  unrealised: Decimal
  cash: Decimal
  holds: Decimal
  /** Cash and profit less holds; the position's margin is not taken off. */
  available: Decimal
  initial: Decimal
  threshold: Decimal
  /** At zero or below, the position is liquidated. */
  buffer: Decimal
  buyingPower: Decimal
}

/** The account at a mark price in ticks, on overnight margin. */
export function marginAt(state: VenueState, markTicks: number = lastTicks(state)): Margin {
  const mark = priceOf(state, markTicks)
  const unrealised = unrealisedPnl(state.account, mark, state.multiplier)
  const cash = cashOf(state.account)
  const holds = holdsOf(state)
  const common = { mark, unrealised, cash, holds, available: cash.plus(unrealised).minus(holds) }
  return { ...common, ...requirementOf(state, common, 'overnight') }
}

/** The same account under another margin window. */
export const atWindow = (state: VenueState, margin: Margin, window: MarginWindow): Margin => ({
  ...margin,
  ...requirementOf(state, margin, window),
})

function requirementOf(
  state: VenueState,
  { mark, available }: Pick<Margin, 'mark' | 'available'>,
  window: MarginWindow,
): Pick<Margin, 'initial' | 'threshold' | 'buffer' | 'buyingPower'> {
  const { account, multiplier } = state
  if (account.contracts === 0)
    return { initial: ZERO, threshold: ZERO, buffer: available, buyingPower: available.gt(0) ? available : ZERO }
  const rate = initialRate(state, account.contracts > 0 ? 'BUY' : 'SELL', window)
  const initial = valueOf(Math.abs(account.contracts), mark, multiplier).times(rate)
  const threshold = initial.times(state.maintenanceFraction)
  const free = available.minus(initial)
  return { initial, threshold, buffer: available.minus(threshold), buyingPower: free.gt(0) ? free : ZERO }
}

/**
 * Price at which the buffer is used up, as a float in ticks; null when flat or when no price does it.
 *
 *   cash - holds + n s P - basis = |n| s m P  =>  P = (basis + holds - cash) / (s (n - m |n|))
 *
 * with n contracts (signed) of size s and m the threshold's fraction of notional.
 */
export function liquidationTicks(
  state: VenueState,
  contracts = state.account.contracts,
  basis = state.account.basis,
  cash = cashOf(state.account),
): number | null {
  if (contracts === 0) return null
  const fraction = dec(initialRate(state, contracts > 0 ? 'BUY' : 'SELL')).times(state.maintenanceFraction)
  const slope = state.multiplier.times(dec(contracts).minus(fraction.times(Math.abs(contracts))))
  const price = Number(basis.plus(holdsOf(state)).minus(cash)) / Number(slope)
  return price > 0 ? price / state.tickNumber : null
}
