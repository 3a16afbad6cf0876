import type { Broker } from './broker.ts'
import { refused } from './refusal.ts'

/** A read-only broker: questions go to the venue, orders and cancels are `rejected` and not sent. For dry runs. */
export const readOnlyBroker = (broker: Broker): Broker => ({
  ...broker,
  place: async () => refused('dry_run'),
  cancel: async () => refused('dry_run'),
})
