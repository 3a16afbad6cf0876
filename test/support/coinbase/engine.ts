import { dec, money } from '../../../lib/core/decimal.ts'
import { type EpochMs, floorTime, HOUR_MS, MINUTE_MS } from '../../../lib/core/time.ts'
import { accrueFunding, bookExecution, settleFunding, settleRealised, valueOf, ZERO } from './account.ts'
import { liquidationTicks, marginAt } from './margin.ts'
import { FUNDING_INTERVAL_MS, nextDaily } from './options.ts'
import { isDone, type Order, oppositeOf, remainingOf, type Side, signOf } from './orders.ts'
import { GRID_MS } from './prices.ts'
import {
  closureAt,
  lastTicks,
  makeId,
  priceOf,
  type Quiet,
  schedule,
  ticksOf,
  touchOf,
  type VenueState,
} from './state.ts'
import { renderOrder } from './wire-orders.ts'

/** How far beyond its trigger a fired bracket still sells or buys. */
const TRIGGERED_SLACK = 0.05

/**
 * Plays the venue's life up to an instant: at each one, funding and settlement first, then what was scheduled, then
 * liquidation, stops, targets and resting limits against the price there. Nothing trades while the session is closed.
 */
export function advance(state: VenueState, target: EpochMs): void {
  runDue(state)
  while (state.now < target) {
    const isBusy = state.working.size > 0 || state.account.contracts !== 0
    const next = Math.min(target, state.scheduled[0]?.at ?? target, ...boundaries(state, isBusy))
    const isOpen = closureAt(state, state.now) === null
    if (isBusy && isOpen) scan(state, state.now, next)
    state.now = next
    if (next % FUNDING_INTERVAL_MS === 0)
      accrueFunding(state.account, next, state.fundingRate(next), priceOf(state, lastTicks(state)), state.multiplier)
    settle(state)
    state.quiet = null
    runDue(state)
    matchNow(state)
  }
}

/** Instants ahead at which something is reckoned; an idle venue without unsettled money has none. */
function boundaries(state: VenueState, isBusy: boolean): EpochMs[] {
  const { account, now } = state
  const isSettled = account.unsettledFunding.eq(0) && account.unsettledRealised.eq(0) && account.dailyRealised.eq(0)
  if (!isBusy && isSettled) return []
  const settlements = [...state.fundingSettlesAt, state.dailySettlesAt].map((offset) => nextDaily(now, offset))
  if (!isBusy) return settlements
  const edges = state.closures.flatMap(({ from, to }) => [from, to]).filter((edge) => edge > now)
  return [...settlements, ...edges, floorTime(now, FUNDING_INTERVAL_MS) + FUNDING_INTERVAL_MS]
}

function settle(state: VenueState): void {
  const { account, now } = state
  if (state.fundingSettlesAt.some((offset) => nextDaily(now - 1, offset) === now)) settleFunding(account)
  if (nextDaily(now - 1, state.dailySettlesAt) !== now) return
  settleRealised(account)
  if (!state.switches.sweepsExcess) return
  const excess = account.futures.minus(marginAt(state).initial)
  if (excess.lte(0)) return
  account.futures = account.futures.minus(excess)
  account.spot = account.spot.plus(excess)
}

function runDue(state: VenueState): void {
  for (let due = state.scheduled[0]; due !== undefined && due.at <= state.now; due = state.scheduled[0]) {
    state.scheduled.shift()
    due.run()
  }
}

/** Looks at every grid instant strictly between the two, but skips hours and minutes whose bar touches nothing. */
function scan(state: VenueState, from: EpochMs, to: EpochMs): void {
  let instant = from
  while (instant < to) {
    if (instant % HOUR_MS === 0 && instant + HOUR_MS <= to && isUntouched(state, instant, HOUR_MS)) {
      instant += HOUR_MS
      continue
    }
    const minute = floorTime(instant, MINUTE_MS)
    const end = Math.min(minute + MINUTE_MS, to)
    if (!isUntouched(state, minute, MINUTE_MS)) {
      const first = instant > from && instant % GRID_MS === 0 ? instant : floorTime(instant, GRID_MS) + GRID_MS
      for (let grid = first; grid < end; grid += GRID_MS) {
        state.now = grid
        match(state, ticksOf(state, state.path.at(grid)))
      }
    }
    instant = end
  }
}

function isUntouched(state: VenueState, from: EpochMs, lengthMs: number): boolean {
  const bar = state.path.bar(from, lengthMs)
  if (bar === null) return true
  const quiet = (state.quiet ??= quietOf(state))
  return ticksOf(state, bar.low) > quiet.low && ticksOf(state, bar.high) < quiet.high
}

/** The nearest prices at which an order or a liquidation would act, from below and from above. */
function quietOf(state: VenueState): Quiet {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  const watch = (ticks: number, isAbove: boolean): void => {
    if (isAbove) high = Math.min(high, ticks)
    else low = Math.max(low, ticks)
  }
  for (const order of state.working) {
    const isSell = order.side === 'SELL'
    const { work } = order
    if (order.triggeredLimit !== null) watch(order.triggeredLimit, isSell)
    else if (work.kind === 'limit') watch(work.limit, isSell)
    else if (work.kind === 'stop_limit') watch(work.stop, work.firesUp)
    else if (work.kind === 'bracket') {
      watch(work.stop, !isSell)
      watch(work.target, isSell)
    }
  }
  const liquidation = liquidationTicks(state)
  // A tick of room: the price is a float here; whether it is reached is decided exactly.
  if (liquidation !== null)
    watch(
      state.account.contracts > 0 ? Math.ceil(liquidation) + 1 : Math.floor(liquidation) - 1,
      state.account.contracts < 0,
    )
  return { low, high }
}

/** Matches against the present price, if anything trades now. */
export function matchNow(state: VenueState): void {
  if (state.working.size === 0 && state.account.contracts === 0) return
  if (closureAt(state, state.now) === null) match(state, lastTicks(state))
}

function match(state: VenueState, last: number): void {
  const quiet = (state.quiet ??= quietOf(state))
  if (last > quiet.low && last < quiet.high) return
  if (state.account.contracts !== 0 && marginAt(state, last).buffer.lte(0)) liquidate(state)
  // Twice: a fill can give birth to a bracket that is beyond its stop already.
  for (let round = 0; round < 2; round += 1) {
    for (const order of state.working)
      if (order.status === 'OPEN' && order.triggeredLimit === null) fireStop(state, order, last)
    for (const order of state.working) if (order.status === 'OPEN') fillResting(state, order, last)
  }
}

function fireStop(state: VenueState, order: Order, last: number): void {
  const { work } = order
  if (work.kind !== 'bracket' && work.kind !== 'stop_limit') return
  const firesUp = work.kind === 'stop_limit' ? work.firesUp : order.side === 'BUY'
  if (firesUp ? last < work.stop : last > work.stop) return
  const limit =
    work.kind === 'stop_limit' ? work.limit : Math.round(work.stop * (1 + signOf(order.side) * TRIGGERED_SLACK))
  order.triggeredLimit = limit
  touched(state, order)
  take(state, order, limit)
}

function fillResting(state: VenueState, order: Order, last: number): void {
  const { work } = order
  const limit =
    order.triggeredLimit ?? (work.kind === 'limit' ? work.limit : work.kind === 'bracket' ? work.target : null)
  if (limit === null || !isPassed(order.side, limit, last)) return
  execute(state, order, remainingOf(order), limit, true)
}

/** Whether a price is as good as a limit or better. */
const isPassed = (side: Side, limit: number, last: number): boolean => (side === 'SELL' ? last >= limit : last <= limit)

/** Takes what the book offers up to a limit in ticks (null: any price): a level a tick, `depth` contracts each. */
export function take(state: VenueState, order: Order, limit: number | null, most = Number.POSITIVE_INFINITY): void {
  const sign = signOf(order.side)
  const touch = touchOf(state, lastTicks(state))
  const best = sign > 0 ? touch.ask : touch.bid
  const isBeyond = (ticks: number): boolean => limit !== null && (ticks - limit) * sign > 0
  if (isBeyond(best)) return
  let level = best + sign * state.slippageTicks
  // The first level may slip to the limit, not beyond it.
  if (isBeyond(level) && limit !== null) level = limit
  let left = Math.min(remainingOf(order), most)
  while (left > 0 && level > 0 && !isBeyond(level)) {
    const contracts = Math.min(left, state.depth)
    execute(state, order, contracts, level, false)
    left -= contracts
    level += sign
  }
}

/** What a taking order of this size would cost now: contracts that fill, and the sum of price in ticks x contracts. */
export function probe(
  state: VenueState,
  side: Side,
  contracts: number,
  limit: number | null,
): { contracts: number; ticks: number } {
  const sign = signOf(side)
  const touch = touchOf(state, lastTicks(state))
  const best = sign > 0 ? touch.ask : touch.bid
  const isBeyond = (ticks: number): boolean => limit !== null && (ticks - limit) * sign > 0
  const found = { contracts: 0, ticks: 0 }
  if (isBeyond(best)) return found
  let level = best + sign * state.slippageTicks
  if (isBeyond(level) && limit !== null) level = limit
  while (found.contracts < contracts && level > 0 && !isBeyond(level)) {
    const here = Math.min(contracts - found.contracts, state.depth)
    found.contracts += here
    found.ticks += here * level
    level += sign
  }
  return found
}

/** Fee of one execution in dollars. */
export const feeOf = (state: VenueState, contracts: number, ticks: number, isMaker: boolean): string =>
  money(
    valueOf(contracts, priceOf(state, ticks), state.multiplier)
      .times(isMaker ? state.fees.maker : state.fees.taker)
      .plus(dec(state.fees.perContract).times(contracts)),
  )

/** Books one execution of an order. */
export function execute(state: VenueState, order: Order, contracts: number, ticks: number, isMaker: boolean): void {
  const price = priceOf(state, ticks)
  const fee = feeOf(state, contracts, ticks, isMaker)
  const at = state.now
  bookExecution(state.account, {
    contracts: signOf(order.side) * contracts,
    price,
    multiplier: state.multiplier,
    fee: dec(fee),
    settlesAtOnce: state.switches.settlesRealisedAtOnce,
  })
  order.filled += contracts
  order.fillCount += 1
  order.value = order.value.plus(valueOf(contracts, price, state.multiplier))
  order.fees = order.fees.plus(fee)
  order.lastFillAt = at
  state.fills.push({
    entryId: makeId(state, 'entry'),
    tradeId: makeId(state, 'trade'),
    tradeType: 'FILL',
    orderId: order.orderId,
    clientOrderId: order.clientOrderId,
    productId: order.productId,
    side: order.side,
    contracts,
    price: money(price),
    commission: fee,
    isMaker,
    at,
  })
  if (remainingOf(order) === 0) finish(state, order, 'FILLED')
  else touched(state, order)
  if (order.attached !== null) growChild(state, order)
}

/** An attached bracket is born on its parent's first fill and grows with the others. */
function growChild(state: VenueState, parent: Order): void {
  const { attached } = parent
  if (attached === null) return
  const child = state.byId.get(parent.childId)
  const size = String(parent.filled)
  if (child === undefined) {
    const prices = {
      limit_price: money(priceOf(state, attached.target)),
      stop_trigger_price: money(priceOf(state, attached.stop)),
    }
    const born = addOrder(state, {
      clientOrderId: makeId(state, 'client'),
      side: oppositeOf(parent.side),
      work: { kind: 'bracket', target: attached.target, stop: attached.stop, endMs: null },
      configuration: { trigger_bracket_gtc: { base_size: size, ...prices } },
      size: parent.filled,
      source: parent.source,
      parentId: parent.orderId,
    })
    born.hiddenUntil = parent.hiddenUntil
    born.hiddenInListsUntil = parent.hiddenInListsUntil
    parent.childId = born.orderId
    touched(state, parent)
    open(state, born)
    return
  }
  if (isDone(child) || child.triggeredLimit !== null) return
  const variant = child.configuration['trigger_bracket_gtc']
  child.configuration = { trigger_bracket_gtc: { ...(typeof variant === 'object' ? variant : {}), base_size: size } }
  child.size = parent.filled
  touched(state, child)
}

export type NewOrder = Pick<Order, 'clientOrderId' | 'side' | 'work' | 'configuration' | 'size'> & Partial<Order>

/** Enters an order in the books, PENDING. */
export function addOrder(state: VenueState, given: NewOrder): Order {
  const order: Order = {
    orderId: makeId(state, 'order'),
    productId: state.facts.productId,
    attachedConfiguration: null,
    attached: null,
    createdAt: state.now,
    source: 'RETAIL_ADVANCED',
    isLiquidation: false,
    parentId: '',
    childId: '',
    filled: 0,
    fillCount: 0,
    value: ZERO,
    fees: ZERO,
    status: 'PENDING',
    triggeredLimit: null,
    pendingCancel: false,
    lastFillAt: null,
    rejectReason: 'REJECT_REASON_UNSPECIFIED',
    rejectMessage: '',
    cancelMessage: '',
    fillCap: null,
    hiddenInListsUntil: 0,
    hiddenUntil: 0,
    versions: [],
    ...given,
  }
  state.orders.push(order)
  state.byId.set(order.orderId, order)
  state.byClientId.set(order.clientOrderId, order)
  touched(state, order)
  return order
}

/** Lets a PENDING order work: takes what it may, then rests or ends. */
export function open(state: VenueState, order: Order): void {
  if (order.status !== 'PENDING') return
  const { work } = order
  order.status = 'OPEN'
  state.working.add(order)
  touched(state, order)
  const most = order.fillCap ?? Number.POSITIVE_INFINITY
  switch (work.kind) {
    case 'market':
    case 'limit_ioc': {
      const limit = work.kind === 'limit_ioc' ? work.limit : null
      const isFillable =
        !work.isFillOrKill ||
        (most >= order.size && probe(state, order.side, order.size, limit).contracts === order.size)
      if (isFillable && closureAt(state, state.now) === null) take(state, order, limit, most)
      if (remainingOf(order) > 0) cancel(state, order, 'the rest of an immediate order')
      return
    }
    case 'limit':
      if (closureAt(state, state.now) === null) take(state, order, work.limit, most)
      expireAt(state, order, work.endMs)
      return
    case 'bracket':
      // A target that the price has passed already cannot rest: it takes what the market gives.
      if (closureAt(state, state.now) === null && isPassed(order.side, work.target, lastTicks(state)))
        take(state, order, work.target)
      expireAt(state, order, work.endMs)
      return
    case 'stop_limit':
      expireAt(state, order, work.endMs)
      return
    case 'liquidation':
      return
    default:
      work satisfies never
  }
}

function expireAt(state: VenueState, order: Order, endMs: EpochMs | null): void {
  if (endMs === null) return
  schedule(state, endMs, () => {
    if (!isDone(order)) finish(state, order, 'EXPIRED')
  })
}

export function cancel(state: VenueState, order: Order, message: string): void {
  if (isDone(order)) return
  order.cancelMessage = message
  finish(state, order, 'CANCELLED')
}

/** An accepted order that comes to nothing. */
export function fail(state: VenueState, order: Order, reason: string): void {
  if (isDone(order)) return
  order.rejectReason = reason
  order.rejectMessage = reason
  finish(state, order, 'FAILED')
}

function finish(state: VenueState, order: Order, status: 'FILLED' | 'CANCELLED' | 'EXPIRED' | 'FAILED'): void {
  order.status = status
  order.pendingCancel = false
  state.working.delete(order)
  touched(state, order)
}

/** Closes the whole position at the mark price. Orders that rest become orphans unless the venue cancels them. */
export function liquidate(state: VenueState): void {
  const { contracts } = state.account
  if (contracts === 0) return
  if (state.switches.liquidationCancelsOrders) for (const order of state.working) cancel(state, order, 'liquidation')
  const size = Math.abs(contracts)
  const order = addOrder(state, {
    clientOrderId: makeId(state, 'client'),
    side: contracts > 0 ? 'SELL' : 'BUY',
    work: { kind: 'liquidation' },
    configuration: { market_market_ioc: { base_size: String(size) } },
    size,
    isLiquidation: true,
  })
  open(state, order)
  execute(state, order, size, lastTicks(state), false)
}

/** An order changed: what was reckoned from it is stale, and a lagging list has one state more to tell. */
export function touched(state: VenueState, order: Order): void {
  state.quiet = null
  if (state.switches.listLagMs > 0) order.versions.push({ at: state.now, view: renderOrder(state, order) })
}
