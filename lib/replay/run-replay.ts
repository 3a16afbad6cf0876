import { createPaperBroker } from '../broker/paper/paper-broker.ts'
import { withSpread } from '../broker/paper/spread.ts'
import { UsageError } from '../core/invariant.ts'
import { type EpochMs, MINUTE_MS, timeframeMs, toIso } from '../core/time.ts'
import { VERSION } from '../core/version.ts'
import { runCycle } from '../cycle/run-cycle.ts'
import { runEnforcement } from '../cycle/run-enforcement.ts'
import type { CyclePorts } from '../cycle/ports.ts'
import type { Decider } from '../decision/decider.ts'
import type { MarketData } from '../market/market-data.ts'
import { noEvents, noSchedule, silentTelemetry } from '../telemetry/telemetry.ts'
import type { CycleOutcome } from '../../schemas/cycle-record.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import type { GuardRuleName } from '../../schemas/verdict.ts'
import { createObjectStore } from './object-store.ts'

export type ReplayRequest = {
  config: StrategyConfig
  market: MarketData
  decider: Decider
  from: EpochMs
  to: EpochMs
  /** Called after every slot, for a progress line. */
  onSlot?: (slot: EpochMs) => void
}

export type ReplayResult = {
  slots: number
  outcomes: Partial<Record<CycleOutcome, number>>
  refusals: Partial<Record<GuardRuleName, number>>
  trades: Trade[]
  equity: EquityPoint[]
  /** Reasons of failed cycles, and how often each. */
  failures: Record<string, number>
  /** Where it stands at the end: halted or not, a position still open or not. */
  state: StrategyState | null
  book: PaperBook | null
}

/**
 * Drives the code that trades through history: a decision cycle at every slot in [from, to), an enforcement pass
 * at the close of every base bar while anything is open or under way (flat passes do nothing by definition). The
 * clock stands where the simulation says, the store is this process, the rest is what runs in production.
 *
 * A guard halt ends trading as it would live; the account limits stay in force and the result says so.
 */
export async function runReplay({ config, market, decider, from, to, onSlot }: ReplayRequest): Promise<ReplayResult> {
  const slotMs = config.intervalMinutes * MINUTE_MS
  const barMs = timeframeMs(market.baseTimeframe)
  if (barMs > slotMs) throw new UsageError(`the candles are ${market.baseTimeframe} bars, decisions are every ${config.intervalMinutes} minutes: ${barMs <= 60 * MINUTE_MS ? 'set intervalMinutes to 60' : 'bring candles of an hour or finer'}`)
  const first = Math.ceil(from / slotMs) * slotMs
  if (first >= to) throw new UsageError(`nothing to replay between ${toIso(from)} and ${toIso(to)}: give --from and --to within the candles`)
  let now = first
  const clock = () => now
  const { store, trace } = createObjectStore()
  const spread = withSpread(market, config.paper.spreadBps)
  const ports: CyclePorts = {
    config,
    clock,
    sleep: async () => {},
    store,
    broker: createPaperBroker({ config, market: spread, store, clock }),
    market: spread,
    telemetry: silentTelemetry,
    events: noEvents,
    schedule: noSchedule,
    news: { headlines: async () => ({ headlines: [], feeds: [] }) },
    decider,
    codeVersion: VERSION,
    liveBarriers: async () => [],
  }
  const result: ReplayResult = { slots: 0, outcomes: {}, refusals: {}, failures: {}, trades: trace.trades, equity: trace.equity, state: null, book: null }
  for (let slot = first; slot < to; slot += slotMs) {
    now = slot
    const record = await runCycle(ports, { scheduledFor: slot, dryRun: false })
    result.slots += 1
    const outcome = record.outcome ?? 'failed'
    result.outcomes[outcome] = (result.outcomes[outcome] ?? 0) + 1
    if (outcome === 'failed') result.failures[record.reason ?? ''] = (result.failures[record.reason ?? ''] ?? 0) + 1
    if (outcome === 'refused') for (const { rule, passed } of record.verdicts) if (!passed) result.refusals[rule] = (result.refusals[rule] ?? 0) + 1
    trace.cycles.length = 0
    for (now = slot + barMs; now < slot + slotMs && now < to; now += barMs) {
      const state = await store.loadState(config.id)
      if (state === null || state.phase.kind === 'flat') break
      await runEnforcement(ports).catch((error: unknown) => {
        // A hole in the history: live, the alarm rings and the next pass goes on.
        if (!(error instanceof Error) || error.name !== 'MarketDataError') throw error
      })
    }
    onSlot?.(slot)
  }
  result.state = await store.loadState(config.id)
  result.book = await store.loadBook(config.id)
  return result
}
