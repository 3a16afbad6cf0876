/**
 * Drives the code that trades through real one-minute candles, against the embedded DynamoDB: a decision cycle at
 * every half hour, an enforcement pass at every minute while anything is open or under way.
 *
 *   npm run real-days [-- --days 31] [--set eth-2023|eth-2025] [--csv]
 *
 * Reads the candles from ../shared/data, which are not part of this repository; says so and ends when they are not
 * there.
 */
import { intervalMsOf } from '../../lib/core/interval.ts'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { tradesCsv } from '../../lib/report/csv.ts'
import { amount, signedPercent, table } from '../../lib/cli/format.ts'
import { composeCycle } from '../../lib/compose/compose-ports.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { runEnforcement } from '../../lib/execution/run-enforcement.ts'
import { openMarket } from '../../lib/compose/open-market.ts'
import { createDynamoClient, ensureTable } from '../../lib/store/dynamo-client.ts'
import { createDynamoItems } from '../../lib/store/dynamo-items.ts'
import { startEmbeddedDynamo } from '../../lib/store/embedded-dynamo.ts'
import { noEvents, noSchedule, silentTelemetry } from '../../lib/telemetry/telemetry.ts'
import { readAll } from '../../lib/store/read-all.ts'

const SETS = {
  'eth-2023': {
    candles: 'candles/ETH-perp-1m-20230703-20230817.csv.gz',
    funding: 'funding/ETH-perp-funding-8h.csv.gz',
  },
  'eth-2025': {
    candles: 'candles/ETH-perp-1m-20241219-20250118.csv.gz',
    funding: 'funding/ETH-perp-funding-8h.csv.gz',
  },
} as const

/** Bars before the first slot, so that the averages of the decision timeframe are warm. */
const WARM_UP_MS = 36 * HOUR_MS

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '31' },
    set: { type: 'string', default: 'eth-2023' },
    csv: { type: 'boolean', default: false },
  },
})
const data = path.resolve(import.meta.dirname, '../../../shared/data')
const chosen = SETS[values.set as keyof typeof SETS]
const file = path.join(data, chosen.candles)
if (!existsSync(file)) {
  console.log(
    `skipped: ${path.relative(process.cwd(), file)} is not there; the real candles are not part of this repository`,
  )
  process.exit(0)
}

const config = loadConfig({ overrides: { market: { source: file, fundingFile: path.join(data, chosen.funding) } } })
const market = await openMarket({ config: config.market, clock: () => 0, wallClock: () => Date.now() })
const start = Math.ceil(((market.span?.from ?? 0) + WARM_UP_MS) / DAY_MS) * DAY_MS
const end = Math.min(start + Number(values.days) * DAY_MS, market.span?.to ?? 0)
const dynamo = await startEmbeddedDynamo()
const client = createDynamoClient(dynamo.endpoint)
await ensureTable(client, 'hourhand')

let now = start
const ports = await composeCycle(
  {
    config,
    items: createDynamoItems({ client, tableName: 'hourhand' }),
    clock: () => now,
    sleep: async () => {},
    telemetry: silentTelemetry,
    events: noEvents,
    schedule: noSchedule,
    dryRun: false,
    invocationId: 'real-days',
    market,
  },
  { codeVersion: 'real-days', apiKey: undefined },
)
const outcomes: Record<string, number> = {}
const refusals: Record<string, number> = {}
const spent = { cycles: 0, cycleMs: 0, passes: 0, passMs: 0 }
const began = performance.now()
for (let slot = start; slot < end; slot += intervalMsOf(config)) {
  now = slot
  const before = performance.now()
  const record = await runCycle(ports, { scheduledFor: slot, dryRun: false })
  spent.cycleMs += performance.now() - before
  spent.cycles += 1
  const outcome = record.outcome ?? 'none'
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  if (outcome === 'failed') console.log(record.slot, record.reason)
  if (outcome === 'refused')
    for (const { rule, passed } of record.verdicts) if (!passed) refusals[rule] = (refusals[rule] ?? 0) + 1
  for (now = slot + MINUTE_MS; now < slot + intervalMsOf(config); now += MINUTE_MS) {
    const state = await ports.store.loadState(config.id)
    if (state === null || state.phase.kind === 'flat') break
    const started = performance.now()
    await runEnforcement(ports)
    spent.passMs += performance.now() - started
    spent.passes += 1
  }
}
const state = await ports.store.loadState(config.id)
const trades = await readAll((page) => ports.store.listTrades(config.id, page))
const equity = await readAll((page) => ports.store.listEquity(config.id, page))
const book = await ports.store.loadBook(config.id)
client.destroy()
await dynamo.close()

console.log(`${chosen.candles}, ${toIso(start)} to ${toIso(end)}, decider rules`)
if (values.csv) console.log(tradesCsv(trades))
else {
  for (const line of table(
    trades.map((trade) => [
      trade.entryTime.slice(0, 16),
      trade.side,
      trade.quantity,
      `${trade.entryPrice} -> ${trade.exitPrice}`,
      trade.exitTime.slice(0, 16),
      trade.exitReason,
      `stop ${trade.stopLossPrice}`,
      `target ${trade.takeProfitPrice}`,
      `fees ${amount(trade.fees)}`,
      `funding ${amount(trade.funding, 4)}`,
      `pnl ${amount(trade.pnl)}`,
      `${trade.rMultiple?.toFixed(2)} R`,
    ]),
  ))
    console.log(line)
}
console.log('equity by day')
for (const line of table(
  equity
    .filter(({ at }) => at.endsWith('T00:00:00Z'))
    .map((point) => [point.at.slice(0, 10), amount(point.equity), point.phase]),
))
  console.log(`  ${line}`)
const books = state?.accounting
console.log(`outcomes ${JSON.stringify(outcomes)}`)
console.log(`refusals ${JSON.stringify(refusals)}`)
console.log(
  `books    equity ${books?.equity} (${signedPercent(Number(books?.equity) / Number(books?.deposited) - 1)}), gross ${books?.gross}, fees ${books?.fees}, funding ${books?.funding}, adjustments ${books?.adjustments}; venue cash ${book?.cash}, ledger cash ${books?.cash}`,
)
console.log(
  `incidents ${state?.incidents.length}, halt ${state?.halt === null ? 'none' : JSON.stringify(state?.halt)}, ambiguous bars ${book?.ambiguousBars} of ${book?.heldBars}`,
)
console.log(
  `time     ${((performance.now() - began) / 1_000).toFixed(1)} s: ${spent.cycles} cycles of ${(spent.cycleMs / spent.cycles).toFixed(1)} ms, ${spent.passes} passes of ${(spent.passMs / Math.max(1, spent.passes)).toFixed(1)} ms`,
)
