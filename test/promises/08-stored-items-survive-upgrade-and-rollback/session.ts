import type { Session } from '../../../lib/cli/session.ts'
import type { ItemStore } from '../../../lib/store/item-store.ts'
import { noEvents, noSchedule, type Telemetry } from '../../../lib/telemetry/telemetry.ts'
import { createWorld } from '../../cycle/world.ts'

/** A session of the command line on items in memory; what it logs goes to `said`. */
export function sessionOn(items: ItemStore, said: string[] = []): Session {
  const { config, ports } = createWorld()
  const telemetry: Telemetry = {
    log: (level, message, fields) => said.push(`${level} ${message} ${JSON.stringify(fields)}`),
    metric() {},
  }
  const world = {
    config,
    items,
    market: ports.market,
    clock: ports.clock,
    sleep: ports.sleep,
    telemetry,
    events: noEvents,
    schedule: noSchedule,
    invocationId: 'reader',
    dryRun: false,
  }
  return {
    config,
    environment: {} as Session['environment'],
    world,
    market: ports.market,
    storeName: 'here',
    table: 'hourhand',
    close: async () => {},
  }
}
