import type { Price, Money } from '../core/decimal.ts'
import type { Bracket, Fill, FundingPayment, ProtectOrder, Transfer } from '../../schemas/order.ts'
import type { DecisionFailure } from '../../schemas/decision.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { Instrument } from '../../schemas/instrument.ts'
import type {
  CloseIntent,
  DecisionSummary,
  EntryIntent,
  ExpectedTransfer,
  Halt,
  Incident,
  VenueCursor,
} from '../../schemas/state.ts'

/** How an order of ours came to its end. `abandoned`: the venue does not know it and its deadline has passed. */
export type OrderEnd = 'done' | 'rejected' | 'cancelled' | 'expired' | 'abandoned'

/** Everything that can happen to a strategy. `at` is the instant it is known to have happened, ISO 8601. */
export type LedgerEvent =
  /** The configuration names another instrument, and nothing is held in the old one. */
  | { type: 'instrument_changed'; at: string; instrument: Instrument }
  | { type: 'entry_intended'; at: string; intent: EntryIntent }
  | { type: 'entry_acknowledged'; at: string; status: 'accepted' | 'unknown'; orderId: string | null }
  | { type: 'entry_ended'; at: string; end: OrderEnd; reason: string | null }
  /** `isOrphan`: an exit of ours has opened this side by mistake; it has no thesis and no stop. */
  | { type: 'filled'; at: string; fill: Fill; multiplier: string; liquidationPrice: Price | null; isOrphan: boolean }
  | { type: 'protection_intended'; at: string; order: ProtectOrder; attempt: number; deadline: string }
  | { type: 'protection_confirmed'; at: string; orderId: string; quantity: string; bracket: Bracket }
  | { type: 'protection_lost'; at: string; reason: string }
  | { type: 'close_intended'; at: string; intent: CloseIntent }
  | { type: 'close_acknowledged'; at: string; status: 'accepted' | 'unknown'; orderId: string | null }
  | { type: 'close_ended'; at: string; end: OrderEnd; reason: string | null }
  | { type: 'funding_settled'; at: string; payment: FundingPayment }
  | { type: 'cash_adjusted'; at: string; amount: Money; reason: string; isIncident: boolean }
  /** `isExplanation`: the money moved earlier and was taken over as an unexplained difference then. */
  | { type: 'transferred'; at: string; transfer: Transfer; isExplanation: boolean }
  | { type: 'transfer_expected'; at: string; expected: ExpectedTransfer }
  | { type: 'incident_noted'; at: string; kind: string; detail: string }
  | { type: 'suspected'; at: string; suspicions: Incident[] }
  | { type: 'marked'; at: string; markPrice: Price }
  | { type: 'watched'; at: string; until: string }
  | { type: 'cursor_moved'; at: string; cursor: VenueCursor }
  /** `failure`: what the decider failed with, null where it decided, absent where it was not asked. */
  | {
      type: 'slot_finished'
      at: string
      slot: string
      summary: DecisionSummary
      keep: number
      failure?: DecisionFailure | null
    }
  /** The owner is told of something that lasts; `key` names the thing, `detail` is how it is now. */
  | {
      type: 'reminded'
      at: string
      key: string
      detail: string
      emission: Pick<DomainEvent, 'type' | 'subject' | 'detail'>
    }
  | { type: 'halted'; at: string; halt: Halt }
  | { type: 'resumed'; at: string }

export type LedgerEventType = LedgerEvent['type']
