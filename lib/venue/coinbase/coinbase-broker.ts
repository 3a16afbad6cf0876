import { type Clock, type EpochMs, MINUTE_MS, SECOND_MS } from '../../core/time.ts'
import type { Placement } from '../../../schemas/order.ts'
import { PositiveQuantityText } from '../../../schemas/primitives.ts'
import type { StrategyConfig } from '../../../schemas/strategy-config.ts'
import type { Broker, PlaceableOrder } from '../broker.ts'
import { toAccount, toPosition } from './account.ts'
import { messageOf } from './answer.ts'
import { coinbaseCapabilities } from './capabilities.ts'
import { askBalanceSummary, type BalanceSummary } from './endpoints/balance-summary.ts'
import { closePosition } from './endpoints/close-position.ts'
import { createBracket, createEntry } from './endpoints/create-order.ts'
import { askPosition } from './endpoints/position.ts'
import { askProduct, type Listing } from './endpoints/product.ts'
import { askFuturesFees, type TransactionSummary } from './endpoints/transaction-summary.ts'
import { planEntry } from './enter.ts'
import { refusedAs } from './failure-reason.ts'
import { readFills } from './fills.ts'
import { createOrders } from './orders.ts'
import { ours } from './ours.ts'
import { type InstrumentFacts, toInstrument } from './instrument.ts'
import { createReader } from './read.ts'
import type { Warn } from './warn.ts'
import type { Transport, WireRequest } from './wire.ts'
import { sendCancel, sendOrder } from './write.ts'

type Dependencies = {
  transport: Transport
  config: Pick<StrategyConfig, 'id' | 'live'>
  clock: Clock
  sleep: (ms: number) => Promise<void>
  telemetry?: { log(level: 'warn', message: string, fields?: Readonly<Record<string, unknown>>): void }
}

/** One pass asks for the product many times. */
const PRODUCT_LIFE_MS = 2 * SECOND_MS
/** A fee tier moves with the volume of 30 days. */
const FEES_LIFE_MS = 10 * MINUTE_MS
/** A pass that has to close must not wait for fees again and again. */
const FEES_RETRY_MS = 30 * SECOND_MS

/**
 * US perp-style futures at Coinbase, through Advanced Trade. Reads are tried again, writes never: what became of
 * one is found by asking. Amounts are US dollars, quantities contracts. Funding is not listed: it moves the cash.
 */
export function createCoinbaseBroker({ transport, config, clock, sleep, telemetry }: Dependencies): Broker {
  const { live } = config
  const { timeoutMs } = live
  const reader = createReader({ transport, timeoutMs, clock, sleep })
  const warn: Warn = (message, fields) => telemetry?.log('warn', message, fields)
  const orders = createOrders(reader, config.id, warn)

  const fees = keepFor<TransactionSummary>(FEES_LIFE_MS, clock)
  let feesFailedUntil: EpochMs | null = null
  /** The fee tier, or null where it cannot be read: it is then asked for again after a while. */
  const readFees = async (): Promise<TransactionSummary | null> => {
    if (feesFailedUntil !== null && clock() < feesFailedUntil) return null
    try {
      return await fees('', () => reader.read(askFuturesFees()))
    } catch (error) {
      feesFailedUntil = clock() + FEES_RETRY_MS
      warn('the fee tier cannot be read: entries are refused', { issue: messageOf(error) })
      return null
    }
  }
  const listings = keepFor<Listing>(PRODUCT_LIFE_MS, clock)
  const products = keepFor<InstrumentFacts>(PRODUCT_LIFE_MS, clock)
  const listing = (symbol: string): Promise<Listing> => listings(symbol, () => reader.read(askProduct(symbol)))
  const factsOf = (symbol: string): Promise<InstrumentFacts> =>
    products(symbol, async () => {
      const [found, tier] = await Promise.all([listing(symbol), readFees()])
      const facts = toInstrument({ listing: found, fees: tier, feePerContract: live.feePerContract, now: clock() })
      if (facts.assumed.includes('margin'))
        warn('the product has no usable overnight margin rate: entries are refused', { symbol })
      return facts
    })

  let balance: Promise<BalanceSummary> | null = null
  /** Position and account are asked for in one breath and then answered by one request; never by an earlier one. */
  const readBalance = (): Promise<BalanceSummary> => {
    if (balance === null) {
      balance = reader.read(askBalanceSummary())
      queueMicrotask(() => {
        balance = null
      })
    }
    return balance
  }

  /** Puts an entry into the best shape the venue takes, or says why it is not sent. */
  const prepare = async (order: PlaceableOrder, deadline: EpochMs): Promise<WireRequest | { refusal: string }> => {
    if (clock() > deadline) return { refusal: 'deadline_passed' }
    switch (order.kind) {
      case 'entry': {
        const plan = await planEntry(order, { reader, live, clock, deadline, facts: await factsOf(order.symbol) })
        return 'refusal' in plan ? plan : createEntry(order, plan.shape)
      }
      case 'protect':
        return createBracket(order)
      case 'close':
        return closePosition(order)
      default:
        return order satisfies never
    }
  }

  return {
    name: 'coinbase',
    capabilities: { ...coinbaseCapabilities, attachedExits: live.attachBracket },
    async instrument(symbol) {
      const { instrument, session } = await factsOf(symbol)
      return { instrument, session }
    },
    account: async () => toAccount(await readBalance(), clock()),
    async position(symbol) {
      const [answer, summary, { price: lastPrice, future_product_details: details }] = await Promise.all([
        reader.find(askPosition(symbol)),
        readBalance(),
        listing(symbol),
      ])
      const multiplier = ours(PositiveQuantityText, details?.contract_size, `the contract size of ${symbol}`)
      return toPosition(symbol, answer, { balance: summary, multiplier, lastPrice })
    },
    openOrders: (symbol) => orders.open(symbol),
    order: (symbol, ref) => orders.find(symbol, ref),
    fills: (symbol, since) => readFills(symbol, since, { reader, orders, warn, now: clock() }),
    fundingPayments: async () => [],
    async place(order, deadline): Promise<Placement> {
      let prepared: Awaited<ReturnType<typeof prepare>>
      try {
        prepared = await prepare(order, deadline)
      } catch (error) {
        // Questions only, so far: nothing was placed.
        return refusedAs(`not_sent: ${messageOf(error)}`)
      }
      if ('refusal' in prepared) return refusedAs(prepared.refusal)
      if (clock() > deadline) return refusedAs('deadline_passed')
      return sendOrder(transport, prepared, order.clientOrderId, { timeoutMs, sendBy: deadline })
    },
    cancel: (_symbol, orderId) => sendCancel(transport, orderId, timeoutMs),
  }
}

/** Keeps an answer by key for a while; a failure is not kept. */
function keepFor<T>(lifeMs: number, clock: Clock): (key: string, ask: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, { until: EpochMs; value: Promise<T> }>()
  return (key, ask) => {
    const known = kept.get(key)
    if (known !== undefined && clock() < known.until) return known.value
    const value = ask()
    const entry = { until: clock() + lifeMs, value }
    kept.set(key, entry)
    value.catch(() => {
      if (kept.get(key) === entry) kept.delete(key)
    })
    return value
  }
}
