import { canonical, dec, minus, money, type Quantity, ZERO_MONEY } from '../core/decimal.ts'
import { fromIso, HOUR_MS, SECOND_MS, toIso } from '../core/time.ts'
import { positionOf } from '../ledger/accounting.ts'
import type { LedgerEvent, OrderEnd } from '../ledger/events.ts'
import { closingSide, sideOpenedBy } from '../ledger/position.ts'
import { transition } from '../ledger/transition.ts'
import { type Fill, isTerminal, type OrderStatus, type VenueOrder } from '../../schemas/order.ts'
import type { Phase, Position, StrategyState } from '../../schemas/state.ts'
import type { ExitReason } from '../../schemas/trade.ts'
import type { VenueFacts } from './venue-facts.ts'

/** What has to be done at the venue so that it is as the ledger wants it. */
export type Action = { kind: 'cancel'; orderId: string; why: string } | { kind: 'protect' } | { kind: 'flatten'; reason: ExitReason }

export type Reconciliation = {
  /** What the ledger learns, in order. */
  events: LedgerEvent[]
  actions: Action[]
  /** For people and for the record. */
  notes: string[]
}

/** After its deadline an entry may still be on its way through the venue for this long. */
const LATE_ARRIVAL_MS = 30 * SECOND_MS
/** How long after its deadline the fills of a finished order may be missing from the venue's list. */
const FILLS_PATIENCE_MS = 60 * SECOND_MS
/** A difference in position must be seen twice, this far apart, before the venue's word is taken over the fills. */
const MISMATCH_PATIENCE_MS = 30 * SECOND_MS
/** Fills and funding are read again this far back, and recognised by id: lists lag. */
const CURSOR_OVERLAP_MS = 6 * HOUR_MS
/** Ids remembered; far more than six hours of fills and funding make. */
const SEEN_IDS_KEPT = 200
/** Placements of a protecting order that may fail in a row before the position is flattened. */
const MAX_PROTECT_FAILURES = 2
/** Cash may differ by less than a cent: venues round. */
const CASH_TOLERANCE = '0.01'

/**
 * Compares the ledger with the venue and says what the ledger has to learn and what the venue has to be told.
 * Pure. In order: fills, funding, the unresolved order, the position, cash, protection, stray orders. The venue's
 * fills and position are the truth; a difference nobody can explain is an incident and stops new entries.
 */
export function reconcile(state: StrategyState, facts: VenueFacts): Reconciliation {
  const draft = new Draft(state, facts)
  takeExecutions(draft)
  moveCursor(draft)
  const isLagging = resolvePending(draft)
  if (!isLagging && facts.isSettled) {
    comparePosition(draft)
    compareCash(draft)
  }
  checkProtection(draft)
  sweepStrayOrders(draft)
  return { events: draft.events, actions: draft.actions, notes: draft.notes }
}

/** Collects events while keeping the state that follows from them. */
class Draft {
  state: StrategyState
  readonly facts: VenueFacts
  readonly events: LedgerEvent[] = []
  readonly actions: Action[] = []
  readonly notes: string[] = []

  constructor(state: StrategyState, facts: VenueFacts) {
    this.state = state
    this.facts = facts
  }

  add(event: LedgerEvent, note?: string): void {
    this.state = transition(this.state, event).state
    this.events.push(event)
    if (note !== undefined) this.notes.push(note)
  }

  /** Notes an incident once, and stops new entries. */
  incident(kind: string, detail: string): void {
    if (this.state.incidents.some((known) => known.kind === kind && known.detail === detail)) return
    const { at } = this.facts
    this.add({ type: 'incident_noted', at, kind, detail }, `${kind}: ${detail}`)
    this.add({ type: 'halted', at, halt: { at, by: 'incident', rule: null, reason: `${kind}: ${detail}` } })
  }
}

/** Fills and funding in the order they happened; of one instant, funding first: it was due on what was held before. */
function takeExecutions(draft: Draft): void {
  const { facts } = draft
  const seen = new Set(draft.state.cursor.seenIds)
  const held = positionOf(draft.state.phase)
  // Lists lag, overlap and repeat: what has an id that was taken before, or earlier in this list, is no news.
  const isNews = (id: string): boolean => !seen.has(id) && seen.add(id) !== undefined
  const fills = facts.fills.filter((fill) => !held?.fillIds.includes(fill.fillId) && isNews(fill.fillId))
  const payments = facts.funding.filter((payment) => isNews(payment.fundingId))
  const steps = [
    ...payments.map((payment) => ({ at: fromIso(payment.at), rank: 0, id: payment.fundingId, take: () => draft.add({ type: 'funding_settled', at: payment.at, payment }, `funding ${payment.amount} at ${payment.at}`) })),
    ...fills.map((fill) => ({ at: fromIso(fill.at), rank: 1, id: fill.fillId, take: () => takeFill(draft, fill) })),
  ]
  for (const step of steps.sort((a, b) => a.at - b.at || a.rank - b.rank || compareIds(a.id, b.id))) step.take()
}

/** Ids of one instant in the order they were given: numbers in them count as numbers. */
const compareIds = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

function takeFill(draft: Draft, fill: Fill): void {
  const { state, facts } = draft
  const { phase } = state
  const held = positionOf(phase)
  const liquidationPrice = facts.position?.liquidationPrice ?? null
  const accept = (accepted: Fill, note: string) => draft.add({ type: 'filled', at: accepted.at, fill: accepted, contractSize: facts.product.contractSize, liquidationPrice }, note)
  const text = `${fill.reason} fill ${fill.side} ${fill.quantity} at ${fill.price}`

  if (held !== null && sideOpenedBy(fill) !== held.side) {
    if (dec(fill.quantity).lte(held.quantity)) return accept(fill, text)
    // More was closed than we hold: our part of it closes the trade, the rest is somebody else's position.
    accept(shareOf(fill, held.quantity), text)
    return draft.incident('reversed', `${text} exceeds the position of ${held.quantity}`)
  }
  const intent = phase.kind === 'opening' ? phase.intent : phase.kind === 'flat' ? phase.abandoned : null
  const isOurEntry = intent !== null && (fill.clientOrderId === intent.order.clientOrderId || (intent.orderId !== null && fill.orderId === intent.orderId))
  const isLateEntry = phase.kind === 'open' && held !== null && fill.reason === 'entry'
  if (isOurEntry || isLateEntry) return accept(fill, text)
  return draft.incident('foreign_fill', `${text} (${fill.fillId}) belongs to no order of ours`)
}

/** The part of a fill that concerns `quantity`, its fee and slippage in proportion. */
function shareOf(fill: Fill, quantity: Quantity): Fill {
  const share = dec(quantity).div(fill.quantity)
  return { ...fill, quantity, fee: money(share.times(fill.fee)), slippage: fill.slippage === null ? null : money(share.times(fill.slippage)) }
}

/** Remembers what was read, and reads on from shortly before the newest of it, so that late entries are still noticed. */
function moveCursor(draft: Draft): void {
  const { facts, state } = draft
  const read = [...facts.fills.map(({ fillId, at }) => ({ id: fillId, at })), ...facts.funding.map(({ fundingId, at }) => ({ id: fundingId, at }))]
  const fresh = read.filter(({ id }) => !state.cursor.seenIds.includes(id))
  if (fresh.length === 0) return
  const newest = Math.max(...read.map(({ at }) => fromIso(at)))
  const since = Math.max(fromIso(state.cursor.since), newest - CURSOR_OVERLAP_MS)
  // Ids missing from this reading may come back in the next: the newest are kept, read again or not.
  const seenIds = [...new Set([...state.cursor.seenIds, ...fresh.map(({ id }) => id)])].slice(-SEEN_IDS_KEPT)
  draft.add({ type: 'cursor_moved', at: facts.at, cursor: { since: toIso(since), seenIds } })
}

const END_OF_STATUS: Partial<Record<OrderStatus, OrderEnd>> = { filled: 'done', cancelled: 'cancelled', expired: 'expired', rejected: 'rejected' }

/** Brings an entry or close of ours to its end. True while its fills are still missing: then nothing else is certain. */
function resolvePending(draft: Draft): boolean {
  const { facts } = draft
  const { phase } = draft.state
  if (phase.kind !== 'opening' && phase.kind !== 'closing') return false
  const { intent } = phase
  const end = (how: OrderEnd, reason: string | null) =>
    draft.add({ type: phase.kind === 'opening' ? 'entry_ended' : 'close_ended', at: facts.at, end: how, reason }, `the ${intent.order.kind} order ended: ${how}${reason === null ? '' : ` (${reason})`}`)
  const order = facts.pendingOrder
  const isPast = fromIso(facts.at) > fromIso(intent.deadline)
  if (order === null) {
    // An entry that turns up late adds risk, so it is waited for; a close that does only takes it away, and meanwhile
    // the position may be without its exits.
    const isLost = fromIso(facts.at) > fromIso(intent.deadline) + (phase.kind === 'opening' ? LATE_ARRIVAL_MS : 0)
    if (isLost) end('abandoned', 'the venue does not know it and its deadline has passed')
    return !isLost
  }
  if (!isTerminal(order.status)) {
    // Market orders do not rest: one that does is taken back.
    if (isPast) draft.actions.push({ kind: 'cancel', orderId: order.orderId, why: `${intent.order.kind} still ${order.status} after its deadline` })
    return true
  }
  if (dec(order.filledQuantity).gt(filledSoFar(phase))) {
    const text = `the ${intent.order.kind} order is ${order.status} with ${order.filledQuantity} filled`
    if (fromIso(facts.at) <= fromIso(intent.deadline) + FILLS_PATIENCE_MS) {
      draft.notes.push(`${text}, its fills are still to come`)
      return true
    }
    // They should have come: from here on the venue's position and cash speak, and a person has to look.
    draft.incident('fills_missing', `${text}, but its fills never came (${order.orderId})`)
  }
  end(END_OF_STATUS[order.status] ?? 'cancelled', order.reason)
  return false
}

/** How much of the pending order the ledger has seen filled. */
function filledSoFar(phase: Extract<Phase, { kind: 'opening' | 'closing' }>): Quantity {
  if (phase.kind === 'opening') return phase.filledQuantity
  // A close that has been filled whole leaves the closing phase; what is still held was not closed.
  return canonical(dec(phase.intent.order.quantity).minus(phase.position.quantity)) as Quantity
}

function comparePosition(draft: Draft): void {
  const { facts, state } = draft
  const held = positionOf(state.phase)
  const venue = facts.position
  if (held === null) {
    if (venue !== null && state.phase.kind === 'flat') draft.incident('foreign_position', `the venue holds a ${venue.side} of ${venue.quantity} that the ledger knows nothing of`)
    return
  }
  if (venue !== null && (venue.side !== held.side || dec(venue.quantity).gt(held.quantity))) {
    draft.incident('foreign_position', `the venue holds a ${venue.side} of ${venue.quantity}, the ledger a ${held.side} of ${held.quantity}`)
    return
  }
  const missing = dec(held.quantity).minus(venue?.quantity ?? '0')
  if (missing.eq(0)) return
  const detail = `the venue holds ${venue?.quantity ?? '0'}, the ledger ${held.quantity}, and no fill explains it (trade ${held.tradeId})`
  const first = state.incidents.find((known) => known.kind === 'position_missing' && known.detail === detail)
  if (first === undefined) {
    draft.add({ type: 'incident_noted', at: facts.at, kind: 'position_missing', detail }, detail)
    return
  }
  if (fromIso(facts.at) - fromIso(first.at) < MISMATCH_PATIENCE_MS) return
  const markPrice = venue?.markPrice ?? state.accounting.markPrice
  if (markPrice === null) return
  const fill: Fill = {
    fillId: `external-${held.tradeId}-${held.fillIds.length}`,
    orderId: 'external',
    clientOrderId: null,
    symbol: facts.product.symbol,
    side: closingSide(held.side),
    price: markPrice,
    quantity: canonical(missing) as Quantity,
    fee: ZERO_MONEY,
    slippage: null,
    liquidity: 'unknown',
    reason: 'external',
    // Dated by the first sighting: whoever takes it over, and however often, it is the same fill.
    at: first.at,
  }
  draft.add({ type: 'filled', at: facts.at, fill, contractSize: held.contractSize, liquidationPrice: null }, `${canonical(missing)} closed by somebody else, taken over at the mark price ${markPrice}`)
}

/** Takes the venue's cash over once nothing else is open to question. */
function compareCash(draft: Draft): void {
  const { facts, state } = draft
  const held = positionOf(state.phase)
  // What of this position is missing has moved the cash too; the fill that explains both is still to come.
  if (held !== null && dec(held.quantity).gt(facts.position?.quantity ?? '0')) return
  const difference = minus(facts.account.cash, state.accounting.cash)
  if (dec(difference).abs().lt(CASH_TOLERANCE)) return
  const reason = `the venue's cash is ${facts.account.cash}, the ledger's ${state.accounting.cash}`
  draft.add({ type: 'cash_adjusted', at: facts.at, amount: difference, reason }, reason)
}

/** Live exits of the position at the venue, and whether they cover it. */
function liveStops(openOrders: readonly VenueOrder[], position: Position): VenueOrder[] {
  const side = closingSide(position.side)
  return openOrders.filter((order) => order.kind === 'protect' && order.side === side && order.status === 'open' && !order.isTriggered && order.bracket !== null)
}

function checkProtection(draft: Draft): void {
  const { facts } = draft
  const { phase } = draft.state
  if (phase.kind !== 'open') return
  const { position } = phase
  const stops = liveStops(facts.openOrders, position)
  const covering = stops.find((order) => dec(order.quantity).gte(position.quantity))
  const { protection } = position
  if (covering?.bracket) {
    const isKnown = protection.status === 'live' && protection.orderId === covering.orderId && protection.quantity === covering.quantity
    if (!isKnown) draft.add({ type: 'protection_confirmed', at: facts.at, orderId: covering.orderId, quantity: covering.quantity, bracket: covering.bracket }, `a stop at ${covering.bracket.stopLossPrice} for ${covering.quantity} is live`)
    // Exits stack up and can open a reverse position: one covers, the others go.
    for (const extra of stops) if (extra !== covering) draft.actions.push({ kind: 'cancel', orderId: extra.orderId, why: 'a second stop on the same position' })
    return
  }
  const isUnderWay = protection.status === 'intended' && fromIso(facts.at) <= fromIso(protection.deadline)
  if (isUnderWay) return
  if (protection.status !== 'none') {
    const reason = protection.status === 'live' ? 'the stop is gone from the venue' : 'the venue does not know the stop that was sent'
    draft.add({ type: 'protection_lost', at: facts.at, reason }, reason)
  }
  // A stop too small for the position leaves the rest naked: it goes, one for the whole takes its place.
  for (const partial of stops) draft.actions.push({ kind: 'cancel', orderId: partial.orderId, why: 'it covers only a part of the position' })
  const failures = positionOf(draft.state.phase)?.protectFailures ?? 0
  const canProtect = position.bracket !== null && failures < MAX_PROTECT_FAILURES
  draft.actions.push(canProtect ? { kind: 'protect' } : { kind: 'flatten', reason: 'unprotected' })
}

/** Flat means no working exits. */
function sweepStrayOrders(draft: Draft): void {
  const { facts, state } = draft
  if (state.phase.kind !== 'flat' || facts.position !== null) return
  for (const order of facts.openOrders) {
    if (order.kind === 'protect' || order.kind === 'close') draft.actions.push({ kind: 'cancel', orderId: order.orderId, why: 'an exit without a position' })
  }
}
