import { canonical, money } from '../../../lib/core/decimal.ts'
import { type EpochMs } from '../../../lib/core/time.ts'
import { averageEntry, cashOf, type FundingAccrual } from './account.ts'
import { advance } from './engine.ts'
import { createFaultQueue, type Fault, type FaultRule, quirkOf, replyOf } from './faults.ts'
import { createHand, type Hand } from './hand.ts'
import { marginAt } from './margin.ts'
import type { VenueOptions, VenueSwitches } from './options.ts'
import { type OrderStatus, type Side, type VenueFill } from './orders.ts'
import type { PlacementQuirk } from './place.ts'
import { problem, type VenueAnswer, type VenueReply, type VenueRequest } from './request.ts'
import { route } from './routes.ts'
import { closureAt, createState, lastTicks, priceOf } from './state.ts'

/** An order as it really is, whatever the venue tells. */
export type TrueOrder = {
  orderId: string
  clientOrderId: string
  side: Side
  kind: string
  size: number
  filled: number
  status: OrderStatus
  isTriggered: boolean
  /** Not terminal. */
  isLive: boolean
  /** Prices of a bracket, else null. */
  bracket: { targetPrice: string; stopPrice: string } | null
  parentId: string
  childId: string
  source: string
  createdAt: EpochMs
}

/** Everything as it really is, at the venue's instant. */
export type VenueTruth = {
  at: EpochMs
  isOpen: boolean
  lastPrice: string
  /** `contracts` is signed, positive long. */
  position: { contracts: number; averageEntryPrice: string | null }
  /** All money but the open position's profit: spot and futures cash, unsettled realised PnL and funding. */
  cash: string
  equity: string
  unrealisedPnl: string
  availableMargin: string
  /** Deposits less withdrawals since the start. */
  deposited: string
  /** Oldest first: every order that ever took effect, each under its client id once. */
  orders: readonly TrueOrder[]
  fills: readonly VenueFill[]
  fundingAccruals: readonly FundingAccrual[]
}

export type FakeVenue = {
  readonly options: VenueOptions
  /** May be changed at any time. */
  readonly switches: VenueSwitches
  /** Every request that reached the venue, oldest first. Emptied by {@link forgetRequests}. */
  readonly requests: readonly VenueRequest[]
  forgetRequests(): void
  /** Plays life up to the clock, then takes the request; what the client gets to see comes back. */
  handle(request: VenueRequest): VenueReply
  /** The same without faults: the venue's own answer. */
  ask(request: VenueRequest): VenueAnswer
  /** Plays life up to the clock. */
  play(): void
  misbehave(...rules: FaultRule[]): void
  behave(): void
  /** What people and the venue itself do beside the API; nothing of it is checked. */
  readonly hand: Hand
  truth(): VenueTruth
}

/**
 * A venue for US perp-style futures behind Coinbase's Advanced Trade wire, alive in memory: one account, one traded
 * product, deterministic, on the clock it is given.
 */
export function createFakeVenue(options: VenueOptions): FakeVenue {
  const state = createState(options)
  const queue = createFaultQueue()
  const requests: VenueRequest[] = []
  let ordinal = 0

  const play = (): void => advance(state, options.clock())
  const act = (request: VenueRequest, quirk: PlacementQuirk | null): VenueAnswer => route(state, request, quirk)

  const suffer = (fault: Fault | null, request: VenueRequest): VenueReply => {
    if (fault === null) {
      const { status, text } = act(request, null)
      return replyOf(status, text)
    }
    const effect = (takesEffect: boolean): VenueAnswer =>
      takesEffect ? act(request, null) : { status: 200, text: '{"success":true,"orders":[],"results":[' }
    switch (fault.kind) {
      case 'refuse_connection':
        return { kind: 'refused' }
      case 'drop':
        effect(fault.takesEffect)
        return { kind: 'dropped' }
      case 'delay': {
        const { status, text } = act(request, null)
        return replyOf(status, text, fault.ms)
      }
      case 'arrive_late':
        scheduleArrival(fault.ms, request)
        return { kind: 'stalled', status: 200, text: '' }
      case 'stall': {
        const { status, text } = effect(fault.takesEffect)
        return { kind: 'stalled', status, text: fault.beforeHeaders === true ? '' : half(text) }
      }
      case 'cut': {
        const { status, text } = effect(fault.takesEffect)
        return { kind: 'cut', status, text: half(text) }
      }
      case 'truncate': {
        const { status, text } = effect(fault.takesEffect)
        return replyOf(status, half(text))
      }
      case 'status':
        effect(fault.takesEffect)
        return replyOf(fault.status, fault.text ?? problem(fault.status, 'unknown', 'something went wrong').text)
      case 'unauthorized':
        return replyOf(401, 'Unauthorized')
      case 'forbidden':
        return replyOf(403, problem(403, 'PERMISSION_DENIED', 'Missing required scopes').text)
      case 'rate_limited':
        return replyOf(429, problem(429, 'RESOURCE_EXHAUSTED', 'Too many requests').text)
      case 'reject':
      case 'partial_fill':
      case 'childless':
      case 'other_bracket':
      case 'invisible':
      case 'late_failure': {
        const { status, text } = act(request, quirkOf(fault))
        return replyOf(status, text)
      }
      case 'wrong_echo': {
        const { status, text } = act(request, null)
        return replyOf(status, echoWrongly(text, fault))
      }
      case 'tamper': {
        const { status, text } = act(request, null)
        return replyOf(status, JSON.stringify(fault.change(JSON.parse(text))))
      }
      default:
        return fault satisfies never
    }
  }

  const scheduleArrival = (ms: number, request: VenueRequest): void => {
    hand.later(ms, () => void act(request, null))
  }

  const hand = createHand(state, play)

  return {
    options,
    switches: state.switches,
    requests,
    forgetRequests: () => {
      requests.length = 0
    },
    handle(request) {
      play()
      const fault = queue.next(request) ?? options.faults?.(request, ordinal) ?? null
      ordinal += 1
      if (fault?.kind !== 'refuse_connection') requests.push(request)
      return suffer(fault, request)
    },
    ask(request) {
      play()
      return act(request, null)
    },
    play,
    misbehave: queue.add,
    behave: queue.clear,
    hand,
    truth() {
      play()
      const margin = marginAt(state)
      return {
        at: state.now,
        isOpen: closureAt(state, state.now) === null,
        lastPrice: canonical(priceOf(state, lastTicks(state))),
        position: {
          contracts: state.account.contracts,
          averageEntryPrice: averageEntry(state.account, state.multiplier),
        },
        cash: money(cashOf(state.account)),
        equity: money(margin.cash.plus(margin.unrealised)),
        unrealisedPnl: money(margin.unrealised),
        availableMargin: money(margin.available),
        deposited: money(state.account.deposited),
        orders: state.orders.map((order) => ({
          orderId: order.orderId,
          clientOrderId: order.clientOrderId,
          side: order.side,
          kind: order.work.kind,
          size: order.size,
          filled: order.filled,
          status: order.status,
          isTriggered: order.triggeredLimit !== null,
          isLive: order.status === 'PENDING' || order.status === 'OPEN',
          bracket:
            order.work.kind === 'bracket'
              ? {
                  targetPrice: canonical(priceOf(state, order.work.target)),
                  stopPrice: canonical(priceOf(state, order.work.stop)),
                }
              : null,
          parentId: order.parentId,
          childId: order.childId,
          source: order.source,
          createdAt: order.createdAt,
        })),
        fills: [...state.fills],
        fundingAccruals: [...state.account.accruals],
      }
    },
  }
}

const half = (text: string): string => text.slice(0, Math.floor(text.length / 2))

function echoWrongly(text: string, fault: Extract<Fault, { kind: 'wrong_echo' }>): string {
  const body: unknown = JSON.parse(text)
  if (
    typeof body !== 'object' ||
    body === null ||
    !('success_response' in body) ||
    typeof body.success_response !== 'object'
  )
    return text
  const echo = {
    ...body.success_response,
    ...(fault.side === undefined ? {} : { side: fault.side }),
    ...(fault.productId === undefined ? {} : { product_id: fault.productId }),
    ...(fault.clientOrderId === undefined ? {} : { client_order_id: fault.clientOrderId }),
    ...(fault.orderId === undefined ? {} : { order_id: fault.orderId }),
  }
  return JSON.stringify({ ...body, success_response: echo })
}
