import { canonical, dec, money, type Price, type Quantity, ZERO_MONEY, ZERO_QUANTITY } from '../../core/decimal.ts'
import { fromIso, HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from '../../core/time.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { closingSide, sideOpenedBy } from '../../ledger/position.ts'
import { type Fill, type FillReason, isTerminal, type OrderRequest } from '../../../schemas/order.ts'
import type { Phase, Position } from '../../../schemas/state.ts'
import type { Draft } from './draft.ts'

/** Fills and funding are read again this far back, and recognised by id: lists lag, by seconds. */
const CURSOR_OVERLAP_MS = HOUR_MS
/** Ids remembered of the last hour. When it brings more, reading goes on from the newest: nothing is taken twice. */
const SEEN_IDS_KEPT = 1_000
/** Ids remembered beside those: a list that lags leaves some out and brings them back. */
const OTHER_IDS_KEPT = 40

/** Fills and funding in the order they happened; of one instant, funding first: it was due on what was held before. */
export function takeExecutions(draft: Draft): void {
  const { facts } = draft
  const { seenIds } = draft.state.cursor
  if (isAllKnown(draft)) return
  const held = positionOf(draft.state.phase)
  const taken = new Set<string>()
  // Lists lag, overlap and repeat: what has an id that was taken before, or earlier in this list, is no news.
  const isNews = (id: string): boolean => !seenIds.includes(id) && !taken.has(id) && taken.add(id) !== undefined
  const fills = facts.fills.filter((fill) => !held?.fillIds.includes(fill.fillId) && isNews(fill.fillId))
  const transfers = facts.transfers.filter(({ transferId }) => isNews(transferId))
  const payments = facts.funding.filter((payment) => isNews(payment.fundingId))
  const steps = [
    ...transfers.map((transfer) => ({
      at: fromIso(transfer.at),
      rank: 0,
      id: transfer.transferId,
      take: () =>
        draft.add(
          { type: 'transferred', at: transfer.at, transfer, isExplanation: false },
          `transfer of ${transfer.amount} at ${transfer.at}`,
        ),
    })),
    ...payments.map((payment) => ({
      at: fromIso(payment.at),
      rank: 0,
      id: payment.fundingId,
      take: () =>
        draft.add({ type: 'funding_settled', at: payment.at, payment }, `funding ${payment.amount} at ${payment.at}`),
    })),
    ...fills.map((fill) => ({ at: fromIso(fill.at), rank: 1, id: fill.fillId, take: () => takeFill(draft, fill) })),
  ]
  for (const step of steps.sort((a, b) => a.at - b.at || a.rank - b.rank || compareIds(a.id, b.id))) step.take()
}

/** Whether this reading brings nothing that was not read before: what most readings do. */
const isAllKnown = ({ facts, state: { cursor } }: Draft): boolean =>
  facts.fills.every(({ fillId }) => cursor.seenIds.includes(fillId)) &&
  facts.funding.every(({ fundingId }) => cursor.seenIds.includes(fundingId)) &&
  facts.transfers.every(({ transferId }) => cursor.seenIds.includes(transferId))

/** Ids of one instant in the order they were given: numbers in them count as numbers. */
const compareIds = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

/** A trade that closes and one that opens may be dated in either order when they are of nearly one instant. */
const SAME_TIME_MS = 5 * SECOND_MS

/** Fills that only an order of ours makes. */
const OURS: ReadonlySet<FillReason> = new Set(['stop_loss', 'take_profit', 'close'])

/** Gives a fill to the position it belongs to; one that belongs to none is an incident. */
function takeFill(draft: Draft, fill: Fill): void {
  const { phase } = draft.state
  const held = positionOf(phase)
  const text = `${fill.reason} fill ${fill.side} ${fill.quantity} at ${fill.price}`
  if (held !== null && fill.clientOrderId !== null && held.fillIds.includes(standInId(fill.clientOrderId))) {
    draft.notes.push(`${text} has been taken over before it was listed`)
    return
  }
  const isOfEarlierTrade = held !== null && fromIso(fill.at) < fromIso(held.openedAt) - SAME_TIME_MS
  if (held !== null && sideOpenedBy(fill) !== held.side && !isOfEarlierTrade)
    return takeReduction(draft, held, fill, text)
  // Of this trade, not of one before it that is listed again.
  const isLateEntry =
    phase.kind === 'open' && held !== null && fill.reason === 'entry' && fromIso(fill.at) >= fromIso(held.openedAt)
  // An exit that goes on filling after it has turned the position around.
  const isMoreOfOrphan = held !== null && held.thesis === null && OURS.has(fill.reason)
  if (isEntryOf(phase, fill) || isLateEntry || isMoreOfOrphan) return accept(draft, fill, text)
  if ((phase.kind === 'flat' || isOfEarlierTrade) && isTakenOver(draft, fill)) {
    draft.notes.push(`${text} has been taken over before it was listed`)
    return
  }
  draft.incident('foreign_fill', `${text} (${fill.fillId}) belongs to no position of ours`)
  if (isExitOfOurs(draft, fill)) takeOrphan(draft, fill, text)
}

/**
 * Whether it is a fill of the entry under way, or of the one that was given up. Of another side under our id it is not.
 */
function isEntryOf(phase: Phase, fill: Fill): boolean {
  const intent = phase.kind === 'opening' ? phase.intent : phase.kind === 'flat' ? phase.abandoned : null
  return (
    intent !== null &&
    fill.side === intent.order.side &&
    (fill.clientOrderId === intent.order.clientOrderId || (intent.orderId !== null && fill.orderId === intent.orderId))
  )
}

/**
 * Whether what the fill has opened was opened by an exit of ours: it is one, or it had closed the last trade before our
 * exit did and is told after it. Of two exits of one trade the second opens the other side, whichever is heard of
 * first.
 */
function isExitOfOurs({ state }: Draft, fill: Fill): boolean {
  if (OURS.has(fill.reason)) return true
  const last = state.memory.trades.at(-1)
  if (
    last === undefined ||
    last.exitReason === 'external' ||
    last.exitReason === 'liquidation' ||
    fill.side !== closingSide(last.side)
  )
    return false
  const closed = fromIso(last.exitTime)
  const opened = closed - Math.round(last.holdingMinutes * MINUTE_MS)
  return fromIso(fill.at) >= opened && fromIso(fill.at) < closed
}

/**
 * What an exit of ours has opened is ours to close, if the venue holds it. Waited for: a position that lags behind its
 * fills, and the end of an entry to the same side, which that position may be.
 */
function takeOrphan(draft: Draft, fill: Fill, text: string): void {
  const { facts, state } = draft
  const held = positionOf(state.phase)
  if (held === null && state.phase.kind === 'opening' && state.phase.intent.order.side === fill.side) {
    draft.defer(fill.fillId, `${text}: the entry to that side is waited for`)
    return
  }
  const isThere =
    facts.position?.side === sideOpenedBy(fill) &&
    (held === null || dec(facts.position.quantity).gte(dec(held.quantity).plus(fill.quantity)))
  if (isThere) return accept(draft, fill, `${text} came from an exit of ours: what it opened is ours to close`, true)
  const since = Math.max(fromIso(fill.at), fromIso(state.memory.trades.at(-1)?.exitTime ?? fill.at))
  if (fromIso(facts.at) - since < facts.limits.suspicionMs)
    draft.defer(fill.fillId, `${text}: the position it opened is waited for`)
}

/** A fill that closes what is held, or a part of it. */
function takeReduction(draft: Draft, held: Position, fill: Fill, text: string): void {
  const ours = ourPartOf(draft, held, fill)
  if (dec(ours).lt(fill.quantity)) {
    const left = `${text} has closed ${ours} of ours: the venue still holds ${draft.facts.position?.quantity ?? '0'}`
    if (fromIso(draft.facts.at) - fromIso(fill.at) < draft.facts.limits.positionLagMs)
      return draft.defer(fill.fillId, `${left}; asked again`)
    if (ours === '0') return void draft.notes.push(left)
    return accept(draft, shareOf(fill, ours), left)
  }
  const excess = dec(fill.quantity).minus(held.quantity)
  if (excess.lte(0)) return accept(draft, fill, text)
  // More was closed than we hold: our part of it closes the trade, the rest has opened the other side.
  accept(draft, shareOf(fill, held.quantity), text)
  draft.incident('reversed', `${text} exceeds the position of ${held.quantity}`)
  const rest: Fill = { ...shareOf(fill, canonical(excess) as Quantity), fillId: `${fill.fillId}-excess` }
  // What an order of ours has opened, however wrongly, is ours to get rid of.
  if (OURS.has(fill.reason)) accept(draft, rest, `its excess of ${rest.quantity} is ours to close`, true)
  else if (isEntryOf(draft.state.phase, fill)) accept(draft, rest, `its excess of ${rest.quantity} is the entry's`)
}

/**
 * How much of a reducing fill concerns the position. What somebody's hand has closed may have been its own, added
 * before; and what is missing may have been taken over already, on the venue's word, when its fill is listed at last.
 * In both cases the venue's position tells: no more of ours is gone than it holds less than the ledger.
 */
function ourPartOf({ facts, state: { phase } }: Draft, held: Position, fill: Fill): Quantity {
  const isOurOrders = fill.reason !== 'external' && !held.fillIds.some((id) => id.startsWith(EXTERNAL))
  // Of an entry under way the venue may hold more than its fills have told.
  const isEntryTold =
    phase.kind !== 'opening' ||
    (facts.pendingOrder !== null &&
      isTerminal(facts.pendingOrder.status) &&
      dec(facts.pendingOrder.filledQuantity).lte(phase.filledQuantity))
  if (isOurOrders || !isEntryTold || !facts.isSettled || facts.position?.side !== held.side) return fill.quantity
  const gone = dec(held.quantity).minus(facts.position.quantity)
  return gone.lte(0) ? ZERO_QUANTITY : gone.lt(fill.quantity) ? (canonical(gone) as Quantity) : fill.quantity
}

/** Whether the last trade was closed on the venue's word, and this is the fill that had been missing. */
function isTakenOver({ state }: Draft, fill: Fill): boolean {
  const last = state.memory.trades.at(-1)
  const isStandIn =
    last !== undefined &&
    (last.exitReason === 'external' || state.incidents.some(({ kind }) => kind === 'fills_missing'))
  return isStandIn && fill.side === closingSide(last.side) && fromIso(fill.at) <= fromIso(last.exitTime)
}

function accept(draft: Draft, fill: Fill, note: string, isOrphan = false): void {
  const { facts } = draft
  draft.add(
    {
      type: 'filled',
      at: earlier(fill.at, facts.at),
      fill,
      multiplier: facts.instrument.multiplier,
      liquidationPrice: facts.position?.liquidationPrice ?? null,
      isOrphan,
    },
    note,
  )
}

/** The venue's clock may be ahead of ours; nothing that we know of has happened later than now. */
const earlier = (one: string, now: string): string => (fromIso(one) < fromIso(now) ? one : now)

/** The part of a fill that concerns `quantity`, its fee and slippage in proportion. */
function shareOf(fill: Fill, quantity: Quantity): Fill {
  const share = dec(quantity).div(fill.quantity)
  return {
    ...fill,
    quantity,
    fee: money(share.times(fill.fee)),
    slippage: fill.slippage === null ? null : money(share.times(fill.slippage)),
  }
}

/** Beginning of the id of a fill that stands in for what somebody else has closed. */
export const EXTERNAL = 'external-'

/** Id of the fill that stands in for those of an order which the venue's list does not show. */
export const standInId = (clientOrderId: string): string => `stand-in-${clientOrderId}`

/**
 * Takes an order's own word, or the position's, for fills that the list does not show: the position has to be held
 * and protected, whatever a list says. The fee is not known; cash brings it in.
 */
export function standInFor(
  draft: Draft,
  order: OrderRequest,
  orderId: string | null,
  quantity: Quantity,
  averagePrice: Price,
): void {
  const fill: Fill = {
    fillId: standInId(order.clientOrderId),
    orderId: orderId ?? 'unknown',
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    side: order.side,
    price: averagePrice,
    quantity,
    fee: ZERO_MONEY,
    slippage: null,
    liquidity: 'unknown',
    reason: order.kind === 'entry' ? 'entry' : 'close',
    at: draft.facts.at,
  }
  accept(draft, fill, `${quantity} at ${averagePrice} taken over from the venue's word without its fills`)
}

/**
 * Remembers what was read, and reads on from shortly before the newest of it, so that late entries are still noticed.
 * What is older than that is not asked for again and may be forgotten: a long life needs no more memory than a short
 * one.
 */
export function moveCursor(draft: Draft): void {
  const { facts, state } = draft
  if (isAllKnown(draft)) return
  const { since, seenIds } = state.cursor
  const fills = facts.fills.filter(({ fillId }) => !draft.deferred.has(fillId))
  const read = [
    ...fills.map(({ fillId, at }) => ({ id: fillId, at })),
    ...facts.funding.map(({ fundingId, at }) => ({ id: fundingId, at })),
    ...facts.transfers.map(({ transferId, at }) => ({ id: transferId, at })),
  ]
  if (!read.some(({ id }) => !seenIds.includes(id))) return
  // A date that lies ahead must not hide what happens until then.
  const newest = Math.min(fromIso(facts.at), Math.max(...read.map(({ at }) => fromIso(at))))
  const overlap = newest - CURSOR_OVERLAP_MS
  const recent = new Set(read.filter(({ at }) => fromIso(at) >= overlap).map(({ id }) => id))
  const rest = new Set([...seenIds, ...read.map(({ id }) => id)].filter((id) => !recent.has(id)))
  const next = Math.max(fromIso(since), recent.size > SEEN_IDS_KEPT ? newest : overlap)
  draft.add({
    type: 'cursor_moved',
    at: facts.at,
    cursor: {
      ...state.cursor,
      since: toIso(next),
      seenIds: [...[...rest].slice(-OTHER_IDS_KEPT), ...[...recent].slice(-SEEN_IDS_KEPT)],
    },
  })
}
