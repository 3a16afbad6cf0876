import type { EpochMs } from '../core/time.ts'
import type { Approved } from '../guard/approval.ts'
import type { Capabilities } from '../../schemas/venue.ts'
import type { Instrument, TradingSession } from '../../schemas/instrument.ts'
import type {
  CloseOrder,
  EntryOrder,
  Fill,
  FundingPayment,
  Placement,
  ProtectOrder,
  Transfer,
  VenueAccount,
  VenueOrder,
  VenuePosition,
} from '../../schemas/order.ts'

/** What a broker takes: an entry only with the guard's approval; anything else only reduces. */
export type PlaceableOrder = Approved<EntryOrder> | ProtectOrder | CloseOrder

/** Which order is asked for: ours by its client id, with what is known of the venue's own. */
export type OrderRef = {
  clientOrderId: string
  /** The venue's id, once it has been heard of. */
  orderId: string | null
  /** It was not created before this instant. */
  since: EpochMs
}

/**
 * What a venue says at one instant. `fills` and `funding` are those at or after the instant asked for, oldest first.
 */
export type VenueReading = {
  account: VenueAccount
  position: VenuePosition | null
  openOrders: readonly VenueOrder[]
  fills: readonly Fill[]
  funding: readonly FundingPayment[]
  /** Deposits and withdrawals, where the venue lists them. */
  transfers?: readonly Transfer[]
}

/** An instrument as the venue describes it now, and whether it trades. */
export type InstrumentReading = { readonly instrument: Instrument; readonly session: TradingSession }

/**
 * A venue that holds one strategy's money and position in one instrument.
 *
 * Reads reject with {@link BrokerError} when the venue cannot be reached or understood. `place` and `cancel`
 * never reject: not knowing is an answer.
 */
export type Broker = {
  readonly name: string
  /** What the venue can do; where it does not list funding, {@link fundingPayments} is empty. */
  readonly capabilities: Capabilities
  /** The venue describes an instrument as it is now. */
  instrument(symbol: string): Promise<InstrumentReading>
  account(): Promise<VenueAccount>
  /** The position in the instrument, or null when the venue says it is flat. */
  position(symbol: string): Promise<VenuePosition | null>
  /** Every order not yet terminal, ours and others'. */
  openOrders(symbol: string): Promise<readonly VenueOrder[]>
  /** One order of ours; null when the venue has not heard of it, or not yet. */
  order(symbol: string, ref: OrderRef): Promise<VenueOrder | null>
  /** Executions at or after the instant, oldest first. */
  fills(symbol: string, since: EpochMs): Promise<readonly Fill[]>
  /** Funding settlements at or after the instant, oldest first. */
  fundingPayments(symbol: string, since: EpochMs): Promise<readonly FundingPayment[]>
  /** Deposits and withdrawals at or after the instant, oldest first, where the venue lists them. */
  transfers?(since: EpochMs): Promise<readonly Transfer[]>
  /** Books a deposit or withdrawal, where the account is ours to book in: on paper. Doing it twice is doing it once. */
  credit?(transfer: Transfer): Promise<void>
  /** Everything reconciliation asks for in one consistent reading, where a venue can give it. */
  readAll?(symbol: string, since: EpochMs): Promise<VenueReading>
  /** Sends the order, once, and never after `deadline`: what cannot leave by then is `rejected`. */
  place(order: PlaceableOrder, deadline: EpochMs): Promise<Placement>
  /** Asks for an order's end. `accepted` means asked, not ended: read it back. */
  cancel(symbol: string, orderId: string): Promise<Placement>
}

/** The venue could not be reached or understood. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
}
