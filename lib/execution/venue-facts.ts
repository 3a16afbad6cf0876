import type { TimeLimits } from '../core/time-limits.ts'
import type { Instrument, TradingSession } from '../../schemas/instrument.ts'
import type { Fill, FundingPayment, Transfer, VenueAccount, VenueOrder, VenuePosition } from '../../schemas/order.ts'

/** What the venue says, gathered for one reconciliation. */
export type VenueFacts = {
  at: string
  /** How long what the venue does not show yet is waited for. */
  limits: TimeLimits
  instrument: Instrument
  session: TradingSession
  account: VenueAccount
  position: VenuePosition | null
  openOrders: readonly VenueOrder[]
  fills: readonly Fill[]
  funding: readonly FundingPayment[]
  /** Deposits and withdrawals that the venue lists; empty where it lists none. */
  transfers: readonly Transfer[]
  /** The unresolved order of ours, by its client id; null when the venue does not know it or none is unresolved. */
  pendingOrder: VenueOrder | null
  /** Whether `funding` is complete, or has to be inferred from cash. */
  listsFunding: boolean
  /** False when the position changed while the rest was being read: too early to call a difference a difference. */
  isSettled: boolean
}
