import { canonical, dec, money, type Price, type Quantity, ZERO_MONEY } from '../../core/decimal.ts'
import { fromIso, HOUR_MS, toIso } from '../../core/time.ts'
import { positionOf } from '../../ledger/accounting.ts'
import { closingSide, sideOpenedBy } from '../../ledger/position.ts'
import type { Fill, FillReason, OrderRequest } from '../../../schemas/order.ts'
import type { Draft } from './draft.ts'

/** Fills and funding are read again this far back, and recognised by id: lists lag, by seconds. */
const CURSOR_OVERLAP_MS = HOUR_MS
/** Ids remembered. When an hour brings more, reading goes on from the newest: nothing is taken twice. */
const SEEN_IDS_KEPT = 1_000

/** Fills and funding in the order they happened; of one instant, funding first: it was due on what was held before. */
export function takeExecutions(draft: Draft): void {
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
  if (held !== null && sideOpenedBy(fill) !== held.side) {
    const excess = dec(fill.quantity).minus(held.quantity)
    if (excess.lte(0)) return accept(draft, fill, text)
    // More was closed than we hold: our part of it closes the trade, the rest has opened the other side.
    accept(draft, shareOf(fill, held.quantity), text)
    draft.incident('reversed', `${text} exceeds the position of ${held.quantity}`)
    // What an order of ours has opened, however wrongly, is ours to get rid of.
    if (OURS.has(fill.reason)) accept(draft, { ...shareOf(fill, canonical(excess) as Quantity), fillId: `${fill.fillId}-excess` }, `its excess of ${canonical(excess)} is ours to close`, true)
    return
  }
  const intent = phase.kind === 'opening' ? phase.intent : phase.kind === 'flat' ? phase.abandoned : null
  const isOurEntry = intent !== null && (fill.clientOrderId === intent.order.clientOrderId || (intent.orderId !== null && fill.orderId === intent.orderId))
  // Of this trade, not of one before it that is listed again.
  const isLateEntry = phase.kind === 'open' && held !== null && fill.reason === 'entry' && fromIso(fill.at) >= fromIso(held.openedAt)
  // An exit that goes on filling after it has turned the position around.
  const isMoreOfOrphan = held !== null && held.thesis === null && OURS.has(fill.reason)
  if (isOurEntry || isLateEntry || isMoreOfOrphan) return accept(draft, fill, text)
  if (phase.kind === 'flat' && isTakenOver(draft, fill)) {
    draft.notes.push(`${text} has been taken over before it was listed`)
    return
  }
  draft.incident('foreign_fill', `${text} (${fill.fillId}) belongs to no position of ours`)
  // An exit of ours may have opened it; if the venue holds nothing of the kind, the list is only late.
  if (phase.kind === 'flat' && OURS.has(fill.reason) && draft.facts.position?.side === sideOpenedBy(fill)) accept(draft, fill, `${text} came from an exit of ours: what it opened is ours to close`, true)
}

/** Whether the last trade was closed on the venue's word, and this is the fill that had been missing. */
function isTakenOver({ state }: Draft, fill: Fill): boolean {
  const last = state.memory.trades.at(-1)
  const isStandIn = last !== undefined && (last.exitReason === 'external' || state.incidents.some(({ kind }) => kind === 'fills_missing'))
  return isStandIn && fill.side === closingSide(last.side) && fromIso(fill.at) <= fromIso(last.exitTime)
}

function accept(draft: Draft, fill: Fill, note: string, isOrphan = false): void {
  const { facts } = draft
  draft.add({ type: 'filled', at: fill.at, fill, contractSize: facts.product.contractSize, liquidationPrice: facts.position?.liquidationPrice ?? null, isOrphan }, note)
}

/** The part of a fill that concerns `quantity`, its fee and slippage in proportion. */
function shareOf(fill: Fill, quantity: Quantity): Fill {
  const share = dec(quantity).div(fill.quantity)
  return { ...fill, quantity, fee: money(share.times(fill.fee)), slippage: fill.slippage === null ? null : money(share.times(fill.slippage)) }
}

/** Id of the fill that stands in for those of an order which the venue's list does not show. */
export const standInId = (clientOrderId: string): string => `stand-in-${clientOrderId}`

/**
 * Takes an order's own word, or the position's, for fills that the list does not show: the position has to be held
 * and protected, whatever a list says. The fee is not known; cash brings it in.
 */
export function standInFor(draft: Draft, order: OrderRequest, orderId: string | null, quantity: Quantity, averagePrice: Price): void {
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

/** Remembers what was read, and reads on from shortly before the newest of it, so that late entries are still noticed. */
export function moveCursor(draft: Draft): void {
  const { facts, state } = draft
  const read = [...facts.fills.map(({ fillId, at }) => ({ id: fillId, at })), ...facts.funding.map(({ fundingId, at }) => ({ id: fundingId, at }))]
  const fresh = read.filter(({ id }) => !state.cursor.seenIds.includes(id))
  if (fresh.length === 0) return
  const newest = Math.max(...read.map(({ at }) => fromIso(at)))
  // Ids missing from this reading may come back in the next: the newest are kept, read again or not.
  const known = [...new Set([...state.cursor.seenIds, ...fresh.map(({ id }) => id)])]
  const since = Math.max(fromIso(state.cursor.since), known.length > SEEN_IDS_KEPT ? newest : newest - CURSOR_OVERLAP_MS)
  const seenIds = known.slice(-SEEN_IDS_KEPT)
  draft.add({ type: 'cursor_moved', at: facts.at, cursor: { since: toIso(since), seenIds } })
}
