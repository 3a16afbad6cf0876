import { type Decimal, dec } from '../../../lib/core/decimal.ts'
import type { EpochMs } from '../../../lib/core/time.ts'
import { type Account, openAccount } from './account.ts'
import {
  type Closure,
  DAILY_SETTLEMENT,
  DEFAULT_FEES,
  DEFAULT_SWITCHES,
  ETP,
  FUNDING_SETTLEMENTS,
  type ProductFacts,
  type VenueOptions,
  type VenueSwitches,
} from './options.ts'
import type { Order, VenueFill } from './orders.ts'
import type { PricePath } from './prices.ts'

/** Something that happens at an instant by itself. */
export type Scheduled = { at: EpochMs; run: () => void }

/** Prices, in ticks, between which nothing can happen. */
export type Quiet = { low: number; high: number }

export type VenueState = {
  readonly facts: ProductFacts
  readonly tick: Decimal
  readonly tickNumber: number
  readonly multiplier: Decimal
  readonly path: PricePath
  readonly reference: PricePath | null
  readonly fees: { taker: string; maker: string; perContract: string }
  readonly fundingRate: (boundary: EpochMs) => string
  readonly fundingSettlesAt: readonly number[]
  readonly dailySettlesAt: number
  readonly maintenanceFraction: string
  readonly halfSpreadBps: number
  readonly slippageTicks: number
  readonly depth: number
  readonly closures: readonly Closure[]
  readonly switches: VenueSwitches
  readonly account: Account
  readonly orders: Order[]
  readonly byId: Map<string, Order>
  readonly byClientId: Map<string, Order>
  readonly working: Set<Order>
  readonly fills: VenueFill[]
  readonly scheduled: Scheduled[]
  /** How far the venue's life has been played. */
  now: EpochMs
  /** null: to be reckoned again. */
  quiet: Quiet | null
  nextId: number
}

export function createState(options: VenueOptions): VenueState {
  const facts = { ...ETP, ...options.product }
  return {
    facts,
    tick: dec(facts.tick),
    tickNumber: Number(facts.tick),
    multiplier: dec(facts.multiplier),
    path: options.price,
    reference: options.reference ?? null,
    fees: options.fees ?? DEFAULT_FEES,
    fundingRate: options.fundingRate ?? (() => '0.00001'),
    fundingSettlesAt: options.fundingSettlesAt ?? FUNDING_SETTLEMENTS,
    dailySettlesAt: options.dailySettlesAt ?? DAILY_SETTLEMENT,
    maintenanceFraction: options.maintenanceFraction ?? '0.9',
    halfSpreadBps: options.halfSpreadBps ?? 1,
    slippageTicks: options.slippageTicks ?? 0,
    depth: options.depth ?? Number.POSITIVE_INFINITY,
    closures: [...(options.closures ?? [])].sort((a, b) => a.from - b.from),
    switches: { ...DEFAULT_SWITCHES, ...options.switches },
    account: openAccount(options.initialCash ?? '10000', options.initialSpotCash ?? '0'),
    orders: [],
    byId: new Map(),
    byClientId: new Map(),
    working: new Set(),
    fills: [],
    scheduled: [],
    now: options.clock(),
    quiet: null,
    nextId: 1,
  }
}

/** The closure an instant lies in, or null: open. */
export function closureAt(state: VenueState, instant: EpochMs): Closure | null {
  for (const closure of state.closures) if (closure.from <= instant && instant < closure.to) return closure
  return null
}

/** Last traded price in ticks. While closed, the one before the closure. */
export function lastTicks(state: VenueState, instant: EpochMs = state.now): number {
  const closure = closureAt(state, instant)
  return ticksOf(state, state.path.at(closure === null ? instant : closure.from - 1))
}

/** A price of the path on the venue's tick. */
export const ticksOf = (state: VenueState, price: number): number => Math.max(1, Math.round(price / state.tickNumber))

export const priceOf = (state: VenueState, ticks: number): Decimal => state.tick.times(ticks)

/** Best prices in ticks around a last trade. */
export function touchOf(state: VenueState, last: number): { bid: number; ask: number } {
  const half = state.halfSpreadBps === 0 ? 0 : Math.max(1, Math.round((last * state.halfSpreadBps) / 10_000))
  return { bid: Math.max(1, last - half), ask: last + half }
}

/** Ids in the form of UUIDs, one counter for all; the first group tells what they name. */
export function makeId(state: VenueState, family: 'order' | 'client' | 'entry' | 'trade'): string {
  const group = { order: '0a0a0a0a', client: '0c0c0c0c', entry: '0e0e0e0e', trade: '0f0f0f0f' }[family]
  const number = state.nextId
  state.nextId += 1
  return `${group}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

/** Lets something happen later; what is due at one instant happens in the order of scheduling. */
export function schedule(state: VenueState, at: EpochMs, run: () => void): void {
  let index = state.scheduled.length
  while (index > 0 && (state.scheduled[index - 1]?.at ?? 0) > at) index -= 1
  state.scheduled.splice(index, 0, { at, run })
}
