import type { Session } from '../../../lib/cli/session.ts'
import type { Context } from '../../../lib/cli/context.ts'
import { CommonOptions } from '../../../lib/cli/options.ts'
import { takeInventory } from '../../../lib/store/inventory.ts'
import type { ItemStore, SearchableItems } from '../../../lib/store/item-store.ts'
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
    wallClock: ports.clock,
    isConfigKnown: true,
    found: null,
    target: {
      strategyId: config.id,
      mode: config.mode,
      venue: 'paper venue',
      symbol: config.market.symbol,
      table: 'hourhand',
      store: 'here',
    },
    flags: `--strategy ${config.id}`,
    isThere: true,
    isEmbedded: true,
    schedule: { rule: null, isSwitched: null },
    storeName: 'here',
    table: 'hourhand',
  }
}

/** What a command finds on items in memory before it chooses. */
export async function contextOn(items: SearchableItems): Promise<Context> {
  const { ports } = createWorld()
  const database = { items, name: 'here', table: 'hourhand', isThere: true, isEmbedded: true, close: async () => {} }
  return {
    options: CommonOptions.parse({}),
    environment: {},
    io: { stdout() {}, stderr() {}, env: {}, clock: ports.clock, newId: () => 'reader', sleep: ports.sleep },
    database,
    place: { name: 'here', flags: '', config: null, isThere: true, remedy: '' },
    inventory: await takeInventory(items, []),
    wanted: { given: null, strategyId: null, mode: null, isAll: false },
  }
}
