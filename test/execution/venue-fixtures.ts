import { loadConfig } from '../../lib/config/load-config.ts'
import { limitsOf } from '../../lib/core/time-limits.ts'
import { money, price, quantity, sum } from '../../lib/core/decimal.ts'
import { clientOrderIdOf } from '../../lib/core/ids.ts'
import { toIso } from '../../lib/core/time.ts'
import { reconcile } from '../../lib/execution/reconcile/reconcile.ts'
import type { VenueFacts } from '../../lib/execution/venue-facts.ts'
import type { LedgerEvent } from '../../lib/ledger/events.ts'
import { createState, transitionAll } from '../../lib/ledger/transition.ts'
import type { Fill, FundingPayment, ProtectOrder, VenueOrder, VenuePosition } from '../../schemas/order.ts'
import type { Position, StrategyState } from '../../schemas/state.ts'
import { closeIntent, entryIntent, fillOf, filled, START, STRATEGY, SYMBOL } from '../ledger/support.ts'
import { ETH, OPEN_SESSION } from '../support/instruments.ts'

/** Instant of so many seconds after the entry was meant; its deadline, and that of a close, is 20 s. */
export const at = (seconds: number): string => toIso(START + seconds * 1_000)

export const ENTRY = entryIntent(START, 'buy', '10')
export const CLOSE = closeIntent(START, 'sell', '10')
export const BRACKET = ENTRY.order.bracket

const enter: LedgerEvent = { type: 'entry_intended', at: at(0), intent: ENTRY }
const ended = (end: 'done' | 'abandoned'): LedgerEvent => ({ type: 'entry_ended', at: at(2), end, reason: null })
export const bought = (id: string, contracts: string, level = '2000', seconds = 1): Fill =>
  fillOf({ id, side: 'buy', price: level, quantity: contracts, time: START + seconds * 1_000 })
export const sold = (id: string, contracts: string, level = '2000', seconds = 600): Fill =>
  fillOf({ id, side: 'sell', price: level, quantity: contracts, reason: 'stop_loss', time: START + seconds * 1_000 })

const fresh = createState(STRATEGY, ETH, money('10000'), at(0))
const after = (...events: LedgerEvent[]): StrategyState => transitionAll(fresh, events).state
const live: LedgerEvent = {
  type: 'protection_confirmed',
  at: at(3),
  orderId: 'stop-1',
  quantity: '10',
  bracket: BRACKET,
}
const read: LedgerEvent = { type: 'cursor_moved', at: at(3), cursor: { since: at(0), seenIds: ['e1'] } }

/** Long ten contracts of 0.1 from 2000 without fees: cash is still 10000, one point is one unit of money. */
export const OPEN = after(enter, filled(bought('e1', '10')), ended('done'), live, read)
export const FLAT = fresh
export const ABANDONED = after(enter, ended('abandoned'))
export const OPENING = after(enter)
/** Six of the ten have filled. */
export const PARTLY = after(enter, filled(bought('e1', '6')), { ...read, at: at(3) })
export const CLOSING = transitionAll(OPEN, [{ type: 'close_intended', at: at(4), intent: CLOSE }]).state

export const heldIn = (state: StrategyState): Position => {
  if (state.phase.kind === 'flat' || state.phase.position === null) throw new Error('nothing is held')
  return state.phase.position
}

/** The same state with another position in it. */
export function withHeld(state: StrategyState, change: Partial<Position>): StrategyState {
  if (state.phase.kind !== 'open') throw new Error('not open')
  return { ...state, phase: { kind: 'open', position: { ...state.phase.position, ...change } } }
}

export const stopOrder = (change: Partial<VenueOrder> = {}): VenueOrder => ({
  orderId: 'stop-1',
  clientOrderId: null,
  symbol: SYMBOL,
  kind: 'protect',
  side: 'sell',
  status: 'open',
  quantity: quantity(10),
  filledQuantity: quantity(0),
  averagePrice: null,
  bracket: BRACKET,
  isTriggered: false,
  createdAt: at(0),
  reason: null,
  ...change,
})

export const protectOrder: ProtectOrder = {
  kind: 'protect',
  clientOrderId: clientOrderIdOf(STRATEGY, START, 'protect', 0),
  symbol: SYMBOL,
  side: 'sell',
  quantity: quantity(10),
  bracket: BRACKET,
}

/** What the venue says of the entry or the close. */
export const orderOf = ({ order }: typeof ENTRY | typeof CLOSE, change: Partial<VenueOrder> = {}): VenueOrder =>
  stopOrder({
    orderId: 'o-1',
    clientOrderId: order.clientOrderId,
    kind: order.kind,
    side: order.side,
    quantity: order.quantity,
    status: 'filled',
    filledQuantity: order.quantity,
    averagePrice: price(2000),
    bracket: null,
    ...change,
  })

export const venueHolds = (contracts: string | number, change: Partial<VenuePosition> = {}): VenuePosition => ({
  symbol: SYMBOL,
  side: 'long',
  quantity: quantity(contracts),
  averageEntryPrice: price(2000),
  markPrice: price(2000),
  unrealisedPnl: money('0'),
  liquidationPrice: null,
  ...change,
})

export const payment = (fundingId: string, seconds: number, amount = '-1'): FundingPayment => ({
  fundingId,
  at: at(seconds),
  rate: '0',
  amount: money(amount),
})

/** A venue that agrees with {@link OPEN}, a minute later. */
const AGREED: VenueFacts = {
  at: at(60),
  limits: limitsOf(loadConfig()),
  instrument: ETH,
  session: OPEN_SESSION,
  account: { at: at(60), cash: money('10000'), equity: money('10000'), availableMargin: money('10000') },
  position: venueHolds(10),
  openOrders: [stopOrder()],
  fills: [],
  funding: [],
  transfers: [],
  pendingOrder: null,
  listsFunding: true,
  isSettled: true,
}

export type Change = Partial<Omit<VenueFacts, 'at' | 'account'>> & { seconds?: number; cash?: string }

/** {@link AGREED} with changes. */
export function facts({ seconds = 60, cash = '10000', ...change }: Change = {}): VenueFacts {
  const position = change.position === undefined ? AGREED.position : change.position
  const equity = sum(money(cash), position?.unrealisedPnl ?? money(0))
  return {
    ...AGREED,
    at: at(seconds),
    account: { ...AGREED.account, at: at(seconds), cash: money(cash), equity },
    ...change,
  }
}

/** A venue that has nothing of ours. */
export const empty = (change: Change = {}): VenueFacts => facts({ position: null, openOrders: [], ...change })

/** Reconciles, and says what state the events lead to. */
export function learn(state: StrategyState, venue: VenueFacts) {
  const found = reconcile(state, venue)
  const folded = transitionAll(state, found.events)
  return {
    ...found,
    state: folded.state,
    trades: folded.history.flatMap((entry) => (entry.kind === 'TRADE' ? [entry.body] : [])),
    kinds: found.events.map(({ type }) => type),
  }
}
