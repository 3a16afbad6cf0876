/**
 * How long a decision cycle takes without network and model, beside the one part of it that computes: building the
 * snapshot. Same process, same market, medians of many runs; the ratios say more than the milliseconds.
 *
 *   npm run bench
 */
import { composeCycle } from '../../lib/compose/compose-ports.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { MINUTE_MS } from '../../lib/core/time.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { runEnforcement } from '../../lib/execution/run-enforcement.ts'
import { createSimMarket } from '../../lib/market/sim/sim-source.ts'
import { buildSnapshot } from '../../lib/snapshot/build-snapshot.ts'
import { gatherMarketFacts } from '../../lib/snapshot/gather.ts'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { noEvents, noSchedule, silentTelemetry } from '../../lib/telemetry/telemetry.ts'

const SLOTS = 100
const START = Date.parse('2026-11-02T10:00:00Z')
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const config = loadConfig()
const market = createSimMarket({ seed: config.market.seed })

async function measure(items: ItemStore): Promise<{ cycle: number; pass: number; snapshot: number }> {
  let now = START
  const ports = await composeCycle(
    {
      config,
      items,
      clock: () => now,
      sleep: async () => {},
      telemetry: silentTelemetry,
      events: noEvents,
      schedule: noSchedule,
      dryRun: false,
      invocationId: 'bench',
      market,
    },
    { codeVersion: 'bench', apiKey: undefined },
  )
  const cycles: number[] = []
  const passes: number[] = []
  const snapshots: number[] = []
  for (let slot = 0; slot < SLOTS; slot++) {
    now = START + slot * 30 * MINUTE_MS
    let began = performance.now()
    await runCycle(ports, { scheduledFor: now, dryRun: false })
    cycles.push(performance.now() - began)
    const state = await ports.store.loadState(config.id)
    if (state === null) throw new Error('no state')
    began = performance.now()
    const facts = await gatherMarketFacts({ market: ports.market, news: ports.news, config, asOf: now })
    buildSnapshot({
      config,
      cycleId: 'bench',
      slot: now,
      asOf: now,
      facts,
      instrument: config.instrument,
      state,
    })
    snapshots.push(performance.now() - began)
    now += MINUTE_MS
    began = performance.now()
    await runEnforcement(ports)
    passes.push(performance.now() - began)
  }
  return { cycle: median(cycles), pass: median(passes), snapshot: median(snapshots) }
}

const dynamo = await startEmbeddedDynamo()
const client = createDynamoClient(dynamo.endpoint)
await ensureTable(client, 'hourhand')
await measure(createMemoryItems())
const memory = await measure(createMemoryItems())
const embedded = await measure(createDynamoItems({ client, tableName: 'hourhand' }))
client.destroy()
await dynamo.close()

const line = (what: string, ms: number): void =>
  console.log(
    `${what.padEnd(44)} ${ms.toFixed(2).padStart(8)} ms  ${(ms / memory.snapshot).toFixed(2).padStart(6)} x snapshot`,
  )
console.log(`medians of ${SLOTS} half-hours on the simulated market`)
line('snapshot (reference)', memory.snapshot)
line('cycle, memory store', memory.cycle)
line('cycle, embedded DynamoDB', embedded.cycle)
line('enforcement pass, memory store', memory.pass)
line('enforcement pass, embedded DynamoDB', embedded.pass)
