import { dec, money, price, quantity } from '../../core/decimal.ts'
import { type EpochMs, MINUTE_MS, toIso } from '../../core/time.ts'
import { Fill, type FillReason } from '../../../schemas/order.ts'
import { BrokerError } from '../broker.ts'
import { askFills, type FillRow, type WireFill } from './endpoints/fills.ts'
import type { WireOrder } from './endpoints/order.ts'
import type { Orders } from './orders.ts'
import type { Reader } from './read.ts'
import { ours } from './ours.ts'
import type { Warn } from './warn.ts'
import { bracketOf, hasFired } from './venue-order.ts'

/** The filter is on the venue's recording, which comes after the trade; the instant asked for is the trade's. */
const OVERLAP_MS = 5 * MINUTE_MS
/** Far more than six hours of one strategy's fills. */
const MAX_PAGES = 50

/**
 * For so long the order of a fill may not be there yet, and neither is the fill for us. Later it is nobody's we know.
 */
const ORDER_LAG_MS = 2 * MINUTE_MS

type Sources = { reader: Reader; orders: Orders; warn: Warn; now: EpochMs }

/**
 * Executions with a trade time at or after the instant, oldest first, each once. A fresh one whose order is not there
 * yet is left for the next question rather than guessed about. What cannot be read is warned about and left out: it
 * shows where position and cash are compared.
 */
export async function readFills(
  symbol: string,
  since: EpochMs,
  { reader, orders, warn, now }: Sources,
): Promise<Fill[]> {
  const rows = (await readRows(symbol, since - OVERLAP_MS, reader)).filter(
    ({ raw }) => (raw.product_id === symbol || raw.product_id === '') && (raw.trade_time ?? since) >= since,
  )
  const executions = rows
    .flatMap((row) => executionOf(row, warn) ?? [])
    .sort((a, b) => a.trade_time - b.trade_time || (a.entry_id < b.entry_id ? -1 : 1))
  const causes = new Map<string, Awaited<ReturnType<Orders['explain']>>>()
  const ids = [...new Set(executions.map((entry) => entry.order_id))]
  await Promise.all(ids.map(async (orderId) => causes.set(orderId, await orders.explain(orderId))))
  return executions.flatMap((entry) => {
    const cause = causes.get(entry.order_id) ?? null
    if (cause === null && now - entry.trade_time < ORDER_LAG_MS) {
      warn('the order of a fill is not there yet: the fill is left for later', {
        entryId: entry.entry_id,
        orderId: entry.order_id,
      })
      return []
    }
    try {
      return toFill(entry, cause)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      warn('a fill cannot be read and was left out', {
        entryId: entry.entry_id,
        orderId: entry.order_id,
        issue: error.message,
      })
      return []
    }
  })
}

/** Pages end with an empty cursor, an empty page, or one in which everything is known already. */
async function readRows(symbol: string, since: EpochMs, { read }: Reader): Promise<FillRow[]> {
  const found = new Map<string, FillRow>()
  let cursor = ''
  for (let page = 1; page <= MAX_PAGES; page++) {
    const answer = await read(askFills(symbol, since, cursor))
    const fresh = answer.fills.filter(({ key }) => !found.has(key))
    for (const row of fresh) found.set(row.key, row)
    if (fresh.length === 0 || answer.cursor === '' || answer.cursor === cursor) return [...found.values()]
    cursor = answer.cursor
  }
  throw new BrokerError(`GET orders/historical/fills: more than ${MAX_PAGES} pages`)
}

/** What corrects a fill has no stated sign: it is told to a person, and the money shows in the venue's cash. */
function executionOf({ raw, fill, issue }: FillRow, warn: Warn): WireFill | null {
  const { entry_id: entryId, order_id: orderId, trade_type: type } = raw
  if (type !== 'FILL' || fill?.size_in_quote === true) {
    const { price, size, size_in_quote: sizeInQuote } = fill ?? {}
    warn('an entry among the fills is no fill and was left out', { entryId, orderId, type, price, size, sizeInQuote })
    return null
  }
  if (fill === null) warn('a fill cannot be read and was left out', { entryId, orderId, issue })
  return fill
}

const LIQUIDITY: Readonly<Record<string, Fill['liquidity']>> = { MAKER: 'maker', TAKER: 'taker' }

function toFill(entry: WireFill, cause: Awaited<ReturnType<Orders['explain']>>): Fill {
  const clientOrderId = cause?.order.client_order_id ?? ''
  return ours(
    Fill,
    {
      fillId: entry.entry_id,
      orderId: entry.order_id,
      clientOrderId: clientOrderId === '' ? null : clientOrderId,
      symbol: entry.product_id,
      side: entry.side === 'BUY' ? 'buy' : 'sell',
      price: price(entry.price),
      quantity: quantity(entry.size),
      fee: money(entry.commission),
      slippage: null,
      liquidity: LIQUIDITY[entry.liquidity_indicator] ?? 'unknown',
      reason: cause === null ? 'external' : reasonOf(entry, cause),
      at: toIso(entry.trade_time),
    },
    `fill ${entry.entry_id}`,
  )
}

function reasonOf(
  entry: WireFill,
  { order, kind }: { order: WireOrder; kind: 'entry' | 'protect' | 'close' | 'foreign' },
): FillReason {
  if (order.is_liquidation || order.order_type === 'LIQUIDATION') return 'liquidation'
  switch (kind) {
    case 'entry':
    case 'close':
      return kind
    case 'protect':
      return hasFired(order) && !isAtTarget(entry, order) ? 'stop_loss' : 'take_profit'
    case 'foreign':
      return 'external'
    default:
      return kind satisfies never
  }
}

/** A part that the target took before the stop fired. */
function isAtTarget(entry: WireFill, order: WireOrder): boolean {
  const target = bracketOf(order)?.takeProfitPrice
  return target !== undefined && (entry.side === 'SELL' ? dec(entry.price).gte(target) : dec(entry.price).lte(target))
}
