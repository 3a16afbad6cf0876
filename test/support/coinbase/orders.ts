import type { Decimal } from '../../../lib/core/decimal.ts'
import type { EpochMs } from '../../../lib/core/time.ts'

export type Side = 'BUY' | 'SELL'
export type OrderStatus = 'PENDING' | 'OPEN' | 'FILLED' | 'CANCELLED' | 'EXPIRED' | 'FAILED'

/** How an order works. Prices in whole ticks. */
export type OrderWork =
  | { kind: 'market'; isFillOrKill: boolean }
  | { kind: 'limit_ioc'; limit: number; isFillOrKill: boolean }
  | { kind: 'limit'; limit: number; endMs: EpochMs | null; isPostOnly: boolean }
  | { kind: 'stop_limit'; stop: number; limit: number; firesUp: boolean; endMs: EpochMs | null }
  | { kind: 'bracket'; target: number; stop: number; endMs: EpochMs | null }
  | { kind: 'liquidation' }

export type AttachedBracket = { target: number; stop: number }

/** An order of the venue's book. Sizes in contracts. */
export type Order = {
  readonly orderId: string
  readonly clientOrderId: string
  readonly productId: string
  readonly side: Side
  readonly work: OrderWork
  /** As echoed. */
  configuration: Readonly<Record<string, unknown>>
  readonly attachedConfiguration: Readonly<Record<string, unknown>> | null
  readonly attached: AttachedBracket | null
  readonly createdAt: EpochMs
  readonly source: 'RETAIL_ADVANCED' | 'RETAIL_SIMPLE'
  readonly isLiquidation: boolean
  readonly parentId: string
  childId: string
  /** A child's grows with its parent's fills. */
  size: number
  filled: number
  fillCount: number
  /** Sum of fill prices x sizes x contract size. */
  value: Decimal
  fees: Decimal
  status: OrderStatus
  /** Set once a stop has fired: the limit it works with from then on, in ticks. */
  triggeredLimit: number | null
  pendingCancel: boolean
  lastFillAt: EpochMs | null
  rejectReason: string
  rejectMessage: string
  cancelMessage: string
  /** Most contracts that may fill when it is placed; a fault's. */
  fillCap: number | null
  /** Until when lists, and the order by its id, do not show it; a fault's. */
  hiddenInListsUntil: EpochMs
  hiddenUntil: EpochMs
  /** Earlier states as rendered, for lagging lists; oldest first. */
  versions: { at: EpochMs; view: Readonly<Record<string, unknown>> }[]
}

/** One execution. */
export type VenueFill = {
  readonly entryId: string
  readonly tradeId: string
  readonly tradeType: 'FILL' | 'REVERSAL' | 'CORRECTION' | 'SYNTHETIC'
  readonly orderId: string
  readonly clientOrderId: string
  readonly productId: string
  readonly side: Side
  readonly contracts: number
  readonly price: string
  readonly commission: string
  readonly isMaker: boolean
  readonly at: EpochMs
}

export const isDone = (order: Order): boolean => order.status !== 'PENDING' && order.status !== 'OPEN'
export const signOf = (side: Side): 1 | -1 => (side === 'BUY' ? 1 : -1)
export const oppositeOf = (side: Side): Side => (side === 'BUY' ? 'SELL' : 'BUY')
export const remainingOf = (order: Order): number => order.size - order.filled
