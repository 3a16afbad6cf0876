import type { Price, Quantity } from '../../lib/core/decimal.ts'
import { type Leg, clientOrderIdOf } from '../../lib/core/ids.ts'
import { fromIso, HOUR_MS } from '../../lib/core/time.ts'
import type { Approved } from '../../lib/guard/approval.ts'
import type { CloseOrder, EntryOrder, ProtectOrder } from '../../schemas/order.ts'

export const START = fromIso('2026-11-21T12:00:00Z')
export const SYMBOL = 'ETP-20DEC30-CDE'
export const STRATEGY = 'conformance'

export const idOf = (leg: Leg, attempt = 0): string => clientOrderIdOf(STRATEGY, START - HOUR_MS, leg, attempt)

export const BRACKET = { stopLossPrice: '2850' as Price, takeProfitPrice: '3300' as Price }

/** Two contracts long at 3,000, with a stop and a target. */
export const entry = (more: Partial<Omit<EntryOrder, 'kind'>> = {}): Approved<EntryOrder> =>
  ({
    kind: 'entry',
    clientOrderId: idOf('entry'),
    symbol: SYMBOL,
    side: 'buy',
    quantity: '2' as Quantity,
    priceLimit: '3010' as Price,
    bracket: BRACKET,
    leverage: '2' as Quantity,
    ...more,
  }) as Approved<EntryOrder>

export const protect = (more: Partial<Omit<ProtectOrder, 'kind'>> = {}): ProtectOrder => ({
  kind: 'protect',
  clientOrderId: idOf('protect'),
  symbol: SYMBOL,
  side: 'sell',
  quantity: '2' as Quantity,
  bracket: BRACKET,
  ...more,
})

export const close = (more: Partial<Omit<CloseOrder, 'kind'>> = {}): CloseOrder => ({
  kind: 'close',
  clientOrderId: idOf('close'),
  symbol: SYMBOL,
  side: 'sell',
  quantity: '2' as Quantity,
  ...more,
})
