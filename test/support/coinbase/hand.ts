import { dec } from '../../../lib/core/decimal.ts'
import { addOrder, cancel, execute, fail, liquidate, matchNow, open } from './engine.ts'
import { type Order, type OrderWork, remainingOf, type Side, type VenueFill } from './orders.ts'
import { lastTicks, makeId, schedule, type VenueState } from './state.ts'

/**
 * What happens at the venue beside the API: its app in somebody's hand, and its own doing. Orders of the app are
 * RETAIL_SIMPLE.
 */
export type Hand = {
  /**
   * Closes so many contracts of the position at market, all of them when left out, whatever rests. Returns the order's
   * id.
   */
  close(contracts?: number): string
  /** The same, named for a part. */
  reduce(contracts: number): string
  /** Buys or sells at market without asking for margin. */
  openPosition(side: Side, contracts: number): string
  /** A bracket of any size, also without a position. Decimal strings on the tick. */
  placeBracket(bracket: {
    side: Side
    contracts: number
    limitPrice: string
    stopPrice: string
    source?: Order['source']
  }): string
  placeLimit(limit: { side: Side; contracts: number; price: string }): string
  /** Cancels at once. */
  cancelOrder(orderId: string): void
  cancelAll(): void
  /** The venue gives up an order it had accepted. */
  failOrder(orderId: string, reason?: string): void
  /** Fills so many contracts of an order at a price, the last one when left out. */
  fillOrder(orderId: string, contracts: number, price?: string): void
  /** Dollars into the spot account; negative takes out. */
  deposit(amount: string): void
  liquidate(): void
  /** A record among the fills that moves nothing: a reversal, correction or synthetic one of an order's. */
  addRecord(record: Pick<VenueFill, 'tradeType' | 'orderId' | 'side' | 'contracts' | 'price' | 'commission'>): void
  /** Runs something when the venue's life has come so far. */
  later(ms: number, run: () => void): void
}

export function createHand(state: VenueState, play: () => void): Hand {
  const ticksOf = (price: string): number => {
    const ticks = dec(price).div(state.tick)
    if (!ticks.mod(1).eq(0)) throw new RangeError(`${price} is not on the tick ${state.facts.tick}`)
    return Number(ticks)
  }
  const find = (orderId: string): Order => {
    const order = state.byId.get(orderId)
    if (order === undefined) throw new RangeError(`no order ${orderId}`)
    return order
  }
  const enter = (
    side: Side,
    size: number,
    work: OrderWork,
    configuration: Record<string, unknown>,
    source: Order['source'] = 'RETAIL_SIMPLE',
  ): string => {
    play()
    const order = addOrder(state, { clientOrderId: makeId(state, 'client'), side, size, work, configuration, source })
    open(state, order)
    matchNow(state)
    return order.orderId
  }
  const market = (side: Side, contracts: number): string =>
    enter(
      side,
      contracts,
      { kind: 'market', isFillOrKill: false },
      { market_market_ioc: { base_size: String(contracts) } },
    )
  const close = (contracts?: number): string => {
    play()
    const held = state.account.contracts
    if (held === 0) throw new RangeError('nothing to close')
    return market(held > 0 ? 'SELL' : 'BUY', contracts ?? Math.abs(held))
  }
  return {
    close,
    reduce: close,
    openPosition: market,
    placeBracket: ({ side, contracts, limitPrice, stopPrice, source }) =>
      enter(
        side,
        contracts,
        { kind: 'bracket', target: ticksOf(limitPrice), stop: ticksOf(stopPrice), endMs: null },
        {
          trigger_bracket_gtc: { base_size: String(contracts), limit_price: limitPrice, stop_trigger_price: stopPrice },
        },
        source,
      ),
    placeLimit: ({ side, contracts, price }) =>
      enter(
        side,
        contracts,
        { kind: 'limit', limit: ticksOf(price), endMs: null, isPostOnly: false },
        { limit_limit_gtc: { base_size: String(contracts), limit_price: price, post_only: false } },
      ),
    cancelOrder(orderId) {
      play()
      cancel(state, find(orderId), 'User requested cancel')
    },
    cancelAll() {
      play()
      for (const order of state.working) cancel(state, order, 'User requested cancel')
    },
    failOrder(orderId, reason = 'HOLD_FAILURE') {
      play()
      fail(state, find(orderId), reason)
    },
    fillOrder(orderId, contracts, price) {
      play()
      const order = find(orderId)
      if (!state.working.has(order) || contracts < 1 || contracts > remainingOf(order))
        throw new RangeError(`${contracts} of ${orderId} cannot fill`)
      execute(state, order, contracts, price === undefined ? lastTicks(state) : ticksOf(price), false)
      matchNow(state)
    },
    deposit(amount) {
      play()
      state.account.spot = state.account.spot.plus(amount)
      state.account.deposited = state.account.deposited.plus(amount)
      state.quiet = null
    },
    liquidate() {
      play()
      liquidate(state)
    },
    addRecord(record) {
      play()
      const order = find(record.orderId)
      state.fills.push({
        ...record,
        entryId: makeId(state, 'entry'),
        tradeId: state.fills.find((fill) => fill.orderId === record.orderId)?.tradeId ?? makeId(state, 'trade'),
        clientOrderId: order.clientOrderId,
        productId: order.productId,
        isMaker: false,
        at: state.now,
      })
    },
    later(ms, run) {
      play()
      schedule(state, state.now + ms, run)
    },
  }
}
