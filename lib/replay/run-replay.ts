import { durationText, intervalMsOf } from '../core/interval.ts'
import { fundingIntervalOf } from '../../schemas/instrument.ts'
import { createPaperBroker } from '../venue/paper/paper-broker.ts'
import { withSpread } from '../venue/paper/spread.ts'
import { UsageError } from '../core/invariant.ts'
import {
  type EpochMs,
  floorTime,
  fromIso,
  SECOND_MS,
  type Timeframe,
  timeframeMs,
  TIMEFRAMES,
  toIso,
} from '../core/time.ts'
import { VERSION } from '../core/version.ts'
import type { CyclePorts } from '../cycle/cycle-ports.ts'
import { runCycle } from '../cycle/run-cycle.ts'
import { runEnforcement } from '../execution/run-enforcement.ts'
import { syncWithVenue } from '../execution/sync-with-venue.ts'
import { watchAnswers } from '../decision/answer-watch.ts'
import type { Decider } from '../decision/decider.ts'
import { createIncrementalViews } from '../indicators/incremental-views.ts'
import type { Hole } from '../market/candle-history.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { type NewsSource, noNews } from '../news/news-source.ts'
import { noEvents, noSchedule, silentTelemetry } from '../telemetry/telemetry.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { ReplayCheckpoint, SlotLine } from '../../schemas/replay.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { Trade } from '../../schemas/trade.ts'
import { lineOf, quietLine } from './slot-line.ts'
import { createObjectStore } from './object-store.ts'
import { createQuietSlots } from './quiet-slot.ts'
import { createQuietSync } from './quiet-sync.ts'
import { firstPassToMake } from './quiet-time.ts'

export type ReplayRequest = {
  config: StrategyConfig
  market: HistoryMarket
  decider: Decider
  /** Headlines of the time; none by default. */
  news?: NewsSource
  from: EpochMs
  to: EpochMs
  /** Goes on from here instead of beginning at `from`. */
  resumeAt?: ReplayCheckpoint | null
  /** Leaves out what is known to find nothing. The result is the same. */
  isFast?: boolean
  /** Called after every slot, before the next one begins. */
  onSlot?: (step: ReplayStep) => void | Promise<void>
}

/**
 * What one slot brought: its line, its full record unless nothing could happen in it, and the trades that ended since
 * the last.
 */
export type ReplayStep = {
  slot: EpochMs
  line: SlotLine
  record: CycleRecord | null
  trades: readonly Trade[]
  checkpoint: () => ReplayCheckpoint
}

/** What a replay came to; with `resumeAt`, of the part after it. */
export type ReplayResult = {
  lines: SlotLine[]
  trades: Trade[]
  equity: EquityPoint[]
  /** Where it stands at the end: halted or not, a position still open or not. */
  state: StrategyState | null
  book: PaperBook | null
}

/** Throws {@link UsageError} where a slot would lie within a base bar: its price at that moment is not known. */
function requireWholeBars(config: StrategyConfig, baseTimeframe: Timeframe): void {
  const intervalMs = intervalMsOf(config)
  const barMs = timeframeMs(baseTimeframe)
  if (intervalMs % barMs === 0) return
  const what = `the candles are ${baseTimeframe} bars and interval is ${config.interval}, so that slots lie within bars`
  throw new UsageError(
    `${what}: set interval to a multiple of ${baseTimeframe}, or bring bars of ${durationText(greatestTimeframe(intervalMs))} or finer`,
  )
}

/** The longest bars that an interval is a multiple of, in milliseconds; a second where no timeframe fits. */
const greatestTimeframe = (intervalMs: number): number =>
  TIMEFRAMES.map(timeframeMs).findLast((barMs) => intervalMs % barMs === 0) ?? SECOND_MS

/** A model's recorded answers lack one that was asked for: the replay cannot go on. */
export class MissingRecording extends Error {
  override readonly name = 'MissingRecording'
}

/**
 * Drives the code that trades through history: a decision cycle at every slot in [from, to), an enforcement pass at the
 * close of every base bar while anything is open or under way (flat passes do nothing by definition). The clock stands
 * where the simulation says, the store is this process, the rest is what runs in production.
 *
 * A hole in the bars is met by one slot, which fails for want of a price; the next is the first behind the hole.
 *
 * A guard halt ends trading as it would live; the account limits stay in force and the result says so.
 * Rejects with {@link UsageError} for bars that are too coarse and an empty span, with {@link MissingRecording}, with
 * `AnswersStopped`, and with what stopped the decider; `onSlot` has then been told of every slot before.
 */
export async function runReplay({
  config,
  market,
  decider,
  news = noNews,
  from,
  to,
  resumeAt = null,
  isFast = true,
  onSlot,
}: ReplayRequest): Promise<ReplayResult> {
  const slotMs = intervalMsOf(config)
  const barMs = timeframeMs(market.baseTimeframe)
  requireWholeBars(config, market.baseTimeframe)
  const first = resumeAt === null ? Math.ceil(from / slotMs) * slotMs : fromIso(resumeAt.nextSlot)
  if (first >= to && resumeAt === null)
    throw new UsageError(
      `nothing to replay between ${toIso(from)} and ${toIso(to)}: give --from and --to within the candles`,
    )
  let now = first
  const clock = () => now
  const { store, trace, holdings } = createObjectStore(resumeAt ?? undefined)
  const spread = withSpread(market, config.paper.spreadBps)
  const views = createIncrementalViews()
  const sync = isFast
    ? createQuietSync({
        bars: market.history.bars,
        barMs,
        fundingIntervalMs: fundingIntervalOf(config.instrument),
        loadBook: () => store.loadBook(config.id),
      })
    : syncWithVenue
  const broker = createPaperBroker({ config, market: spread, store, clock })
  const ports: CyclePorts = {
    config,
    clock,
    sleep: async () => {},
    store,
    broker,
    market: spread,
    telemetry: silentTelemetry,
    events: noEvents,
    schedule: noSchedule,
    news,
    decider,
    codeVersion: VERSION,
    liveBarriers: async () => [],
    buildView: views.build,
    isLean: true,
    sync,
  }
  const passQuietly = createQuietSlots({ ports, market: spread, sync, views })

  /** Enforcement passes at the closes of the bars in [begin, end), while there is anything to enforce. */
  const enforceUntil = async (begin: EpochMs, end: EpochMs): Promise<void> => {
    for (let pass = begin; pass < end; pass += barMs) {
      const state = await store.loadState(config.id)
      if (state === null || state.phase.kind === 'flat') return
      if (isFast) {
        const next = firstPassToMake({ state, config, bars: market.history.bars, barMs, from: pass, until: end })
        if (next === null) return
        pass = next
      }
      now = pass
      await runEnforcement(ports).catch((error: unknown) => {
        // A hole in the history: live, the alarm rings and the next pass goes on.
        if (!(error instanceof Error) || error.name !== 'MarketDataError') throw error
      })
    }
  }

  const watch = watchAnswers()
  const lines: SlotLine[] = []
  let tradesTold = 0
  let slot = first
  while (slot < to) {
    now = slot
    const quiet = isFast ? await passQuietly(slot) : null
    const record = quiet === null ? await runCycle(ports, { scheduledFor: slot, dryRun: false }) : null
    if (decider.stopped) throw decider.stopped
    const failure = record?.decision?.failure
    if (failure?.kind === 'missing_recording') throw new MissingRecording(`slot ${toIso(slot)}: ${failure.message}`)
    const stop = watch(toIso(slot), record?.decision ?? quiet?.decision ?? null)
    if (stop !== null) throw stop
    const point = trace.equity.at(-1)
    const line = record === null ? quietLine(point, quiet) : lineOf(record, point, config.paper.initialCash)
    lines.push(line)
    const next = slotAfter(slot, slotMs, market.history.holes)
    // The pass at the next slot comes before its cycle, as both are due then. In a hole no pass would find a price.
    await enforceUntil(slot + barMs, Math.min(slot + slotMs, to))
    await enforceUntil(next, Math.min(next + 1, to))
    await onSlot?.({
      slot,
      line,
      record,
      trades: trace.trades.slice(tradesTold),
      checkpoint: () => ({ nextSlot: toIso(next), ...holdings() }),
    })
    tradesTold = trace.trades.length
    slot = next
  }
  // Bars since the last pass that had to be made are played too: they count as held.
  now = Math.max(now, floorTime(to - 1, barMs))
  return { lines, trades: trace.trades, equity: trace.equity, state: holdings().state, book: await broker.bookNow() }
}

/**
 * The slot after this one: from within a hole the first one behind it, since in ten years of nothing nothing is
 * decided.
 */
function slotAfter(slot: EpochMs, slotMs: number, holes: readonly Hole[]): EpochMs {
  const hole = holes.find(({ from, to }) => slot >= from && slot < to)
  return hole === undefined ? slot + slotMs : Math.max(slot + slotMs, Math.ceil(hole.to / slotMs) * slotMs)
}
