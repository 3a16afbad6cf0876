import type { Money, Price, Quantity } from '../../lib/core/decimal.ts'
import { clientOrderIdOf, cycleIdOf } from '../../lib/core/ids.ts'
import { toIso } from '../../lib/core/time.ts'
import type { LedgerEvent } from '../../lib/ledger/events.ts'
import type { Emission } from '../../lib/ledger/transition.ts'
import type { Fill, FillReason } from '../../schemas/order.ts'
import type { CloseIntent, EntryIntent } from '../../schemas/state.ts'
import type { ExitReason } from '../../schemas/trade.ts'

export const SYMBOL = 'ETP-20DEC30-CDE'
export const STRATEGY = 'eth-perp'
export const START = Date.parse('2026-03-10T12:00:00Z')
export const CONTRACT = '0.1'

export const money = (text: string) => text as Money
export const at = (minutes: number): string => toIso(START + minutes * 60_000)

/** Freezes a value and all it holds: a transition that writes into its input throws. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

export function entryIntent(time: number, side: 'buy' | 'sell', quantity: string, level = 2000): EntryIntent {
  const away = side === 'buy' ? -1 : 1
  const clientOrderId = clientOrderIdOf(STRATEGY, time, 'entry', 0)
  const cycleId = cycleIdOf(STRATEGY, time)
  return {
    cycleId,
    order: {
      kind: 'entry',
      clientOrderId,
      symbol: SYMBOL,
      side,
      quantity: quantity as Quantity,
      priceLimit: `${level}` as Price,
      bracket: { stopLossPrice: `${level + away * 20}` as Price, takeProfitPrice: `${level - away * 50}` as Price },
      leverage: '3' as Quantity,
    },
    status: 'intended',
    orderId: null,
    intendedAt: toIso(time),
    deadline: toIso(time + 20_000),
    thesis: { cycleId, confidence: 0.7, rationale: 'r', invalidation: 'i', regime: 'trend' },
  }
}

export function closeIntent(
  time: number,
  side: 'buy' | 'sell',
  quantity: string,
  reason: ExitReason = 'decision',
  attempt = 0,
): CloseIntent {
  const order = {
    kind: 'close' as const,
    clientOrderId: clientOrderIdOf(STRATEGY, time, 'close', attempt),
    symbol: SYMBOL,
    side,
    quantity: quantity as Quantity,
  }
  return {
    order,
    reason,
    attempt,
    status: 'intended',
    orderId: null,
    intendedAt: toIso(time),
    deadline: toIso(time + 20_000),
  }
}

type FillParts = {
  id: string
  side: 'buy' | 'sell'
  price: string
  quantity: string
  fee?: string
  slippage?: string | null
  reason?: FillReason
  time: number
}

export function fillOf({
  id,
  side,
  price,
  quantity,
  fee = '0',
  slippage = '0',
  reason = 'entry',
  time,
}: FillParts): Fill {
  return {
    fillId: id,
    orderId: `order-${id}`,
    clientOrderId: null,
    symbol: SYMBOL,
    side,
    price: price as Price,
    quantity: quantity as Quantity,
    fee: money(fee),
    slippage: slippage === null ? null : money(slippage),
    liquidity: 'taker',
    reason,
    at: toIso(time),
  }
}

export const filled = (fill: Fill, liquidationPrice: string | null = null): LedgerEvent => ({
  type: 'filled',
  at: fill.at,
  fill,
  multiplier: CONTRACT,
  liquidationPrice: liquidationPrice as Price | null,
  isOrphan: false,
})

export const typesOf = (emissions: readonly Emission[]): string[] => emissions.map(({ type }) => type)
