import type { Broker } from './broker.ts'

/** A broker that is asked and never told: orders and cancels are `rejected`, nothing is sent. For dry runs. */
export const readOnlyBroker = (broker: Broker): Broker => ({
  ...broker,
  place: async () => ({ outcome: 'rejected', reason: 'dry_run' }),
  cancel: async () => ({ outcome: 'rejected', reason: 'dry_run' }),
})
