import type { Placement } from '../../schemas/order.ts'
import type { Broker } from './broker.ts'
import { refused } from './refusal.ts'

/**
 * A broker that `open` makes when it is first asked something. Reads reject with what `open` rejects with, `place` and
 * `cancel` answer `rejected`: nothing was sent. A failure is not kept: the next question opens anew.
 */
export function deferBroker(known: Pick<Broker, 'name' | 'capabilities'>, open: () => Promise<Broker>): Broker {
  let opened: Promise<Broker> | null = null
  const get = (): Promise<Broker> => {
    opened ??= open().catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }
  const send = async (work: (broker: Broker) => Promise<Placement>): Promise<Placement> => {
    let broker: Broker
    try {
      broker = await get()
    } catch (error) {
      return refused(`not_sent: ${error instanceof Error ? error.message : String(error)}`)
    }
    return work(broker)
  }
  return {
    ...known,
    instrument: async (symbol) => (await get()).instrument(symbol),
    account: async () => (await get()).account(),
    position: async (symbol) => (await get()).position(symbol),
    openOrders: async (symbol) => (await get()).openOrders(symbol),
    order: async (symbol, ref) => (await get()).order(symbol, ref),
    fills: async (symbol, since) => (await get()).fills(symbol, since),
    fundingPayments: async (symbol, since) => (await get()).fundingPayments(symbol, since),
    place: (order, deadline) => send((broker) => broker.place(order, deadline)),
    cancel: (symbol, orderId) => send((broker) => broker.cancel(symbol, orderId)),
  }
}
