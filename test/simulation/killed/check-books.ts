import { intervalMsOf } from '../../../lib/core/interval.ts'
import { clientOrderIdOf, legOf } from '../../../lib/core/ids.ts'
import { dec } from '../../../lib/core/decimal.ts'
import { type EpochMs, floorTime, toIso } from '../../../lib/core/time.ts'
import { positionOf } from '../../../lib/ledger/accounting.ts'
import { readAll } from '../../../lib/store/read-all.ts'
import type { Store } from '../../../lib/store/store.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import type { VenueTruth } from '../../support/coinbase/fake-venue.ts'

export type Finding = { invariant: number; text: string }

/** More entries than this under one slot's name would go unseen. */
const ATTEMPTS = 4

/** The store, the venue as it is, and the span in which slots may have been. */
export type Books = { store: Store; config: StrategyConfig; truth: VenueTruth; from: EpochMs; to: EpochMs }

/**
 * What has to hold between the stored books and the venue as it really is, when all is quiet, whoever has seen what
 * happened in between: for runs in which nobody has.
 */
export async function checkBooks({ store, config, truth, from, to }: Books): Promise<Finding[]> {
  const found: Finding[] = []
  const find = (invariant: number, text: string): void => void found.push({ invariant, text })
  const [state, orders, fills, trades, cycles] = await Promise.all([
    store.loadState(config.id),
    readAll((page) => store.listOrders(config.id, page)),
    readAll((page) => store.listFills(config.id, page)),
    readAll((page) => store.listTrades(config.id, page)),
    readAll((page) => store.listCycles(config.id, page)),
  ])
  if (state === null) return [{ invariant: 8, text: 'there is no state' }]

  // Entries: one a slot at most, each meant, none larger than approved.
  const slotOf = new Map<string, EpochMs>()
  const slotMs = intervalMsOf(config)
  for (let slot = floorTime(from, slotMs); slot <= to; slot += slotMs) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++)
      slotOf.set(clientOrderIdOf(config.id, slot, 'entry', attempt), slot)
  }
  const approvedBy = new Map(
    cycles.flatMap(({ slot, order }) => (order === null ? [] : [[Date.parse(slot), order] as const])),
  )
  const filledIn = new Set<EpochMs>()
  for (const order of truth.orders) {
    if (legOf(config.id, order.clientOrderId) !== 'entry' || order.filled === 0) continue
    const slot = slotOf.get(order.clientOrderId)
    if (slot === undefined) find(1, `the entry ${order.clientOrderId} has filled and is of no slot`)
    else if (filledIn.has(slot)) find(1, `two entries of ${toIso(slot)} have filled`)
    else {
      filledIn.add(slot)
      const approved = approvedBy.get(slot)
      if (approved === undefined) find(1, `the entry of ${toIso(slot)} has filled and was not approved`)
      else if (dec(order.filled).gt(approved.quantity))
        find(1, `the entry of ${toIso(slot)} has filled ${order.filled} of ${approved.quantity} approved`)
    }
  }
  const ours = new Set(orders.map(({ order }) => order.clientOrderId))
  for (const { kind, clientOrderId, parentId } of truth.orders) {
    // A bracket that the venue made of an entry has no intent of its own.
    if (legOf(config.id, clientOrderId) === null || parentId !== '' || ours.has(clientOrderId)) continue
    find(8, `the venue has ${kind} ${clientOrderId}, the history has not`)
  }

  // The stop: live and of exactly what is held, or nothing at all.
  const live = truth.orders.filter(({ isLive }) => isLive)
  const { contracts } = truth.position
  const working = live.map(({ kind, side, size, filled }) => `${kind} ${side} ${size - filled}`).join(', ')
  const stop = `bracket ${contracts > 0 ? 'SELL' : 'BUY'} ${Math.abs(contracts)}`
  if (contracts !== 0 && working !== stop) find(2, `${contracts} contracts are held, and what works is: ${working}`)
  if (contracts === 0 && live.length > 0) find(3, `flat, and there works: ${working}`)

  // Every fill of the venue once in a trade or in the position, at the venue's own price and fee.
  const held = positionOf(state.phase)
  const owned = [...trades.flatMap(({ fillIds }) => fillIds), ...(held?.fillIds ?? [])]
  const known = new Map(fills.map((fill) => [fill.fillId, fill]))
  if (new Set(owned).size !== owned.length) find(6, 'a fill is in two trades')
  for (const fill of truth.fills) {
    const told = known.get(fill.entryId)
    if (!owned.includes(fill.entryId))
      find(6, `the venue's fill ${fill.entryId} (${fill.side} ${fill.contracts}) is in no trade`)
    if (told === undefined) find(8, `the venue's fill ${fill.entryId} is not in the history`)
    else if (!dec(told.quantity).eq(fill.contracts))
      find(6, `fill ${fill.entryId} is ${told.quantity} in the history, ${fill.contracts} at the venue`)
  }
  if (owned.length !== truth.fills.length)
    find(6, `${owned.length} fills in trades, ${truth.fills.length} at the venue`)

  // cash = deposited + transferred + gross - fees + funding + adjustments
  const { cash, deposited, transferred, gross, fees, funding, adjustments } = state.accounting
  const sum = dec(deposited).plus(transferred).plus(gross).minus(fees).plus(funding).plus(adjustments)
  if (!sum.eq(cash)) find(4, `cash is ${cash}, its parts are ${sum.toFixed()}`)
  if (dec(cash).minus(truth.cash).abs().gte('0.01'))
    find(4, `cash is ${cash} in the ledger, ${truth.cash} at the venue`)
  return found
}
