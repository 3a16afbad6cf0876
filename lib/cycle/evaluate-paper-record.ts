import { cycleIdIn } from '../core/ids.ts'
import { type EpochMs, fromIso, toIso, utcDay } from '../core/time.ts'
import { strategyHashOf } from '../guard/strategy-hash.ts'
import { readEach } from '../store/read-all.ts'
import type { Store } from '../store/store.ts'
import type { CycleOutcome, CycleRecord } from '../../schemas/cycle-record.ts'
import type { PaperRecord } from '../../schemas/live-clearance.ts'
import { STORED_VERSION } from '../../schemas/stored.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'

/** Outcomes of a cycle that looked, decided and was judged: only those are a day's work. */
const WORKED: ReadonlySet<CycleOutcome> = new Set(['entered', 'closed', 'held', 'refused'])

/** What a slot adds to its day: 1 for work, -1 for a failure, 0 where there was nothing to do. */
function shareOf({ progress, outcome, decision, snapshot, guardFacts }: CycleRecord): 1 | 0 | -1 {
  if (progress !== 'finished' || outcome === null) return 0
  if (outcome === 'failed') return -1
  if (!WORKED.has(outcome)) return 0
  // Releases before 2026-12 called the slot of a failed decider a hold; a warm-up was one and is one.
  const isUndecided = decision !== null && decision.failure !== null && decision.failure.kind !== 'insufficient_data'
  const isBlind = snapshot?.issues.some(({ kind }) => kind === 'stale' || kind === 'missing') ?? false
  if (isUndecided || isBlind) return -1
  // Where no answer could have had an effect nobody was asked: nothing was shown.
  if (decision === null) return 0
  // Where nothing traded, nothing that was decided could have been filled.
  return guardFacts?.session.isOpen === false ? 0 : 1
}

/** Whether a cycle counts as work of these settings on paper, on live prices. */
export const isPaperWork = (record: CycleRecord, configHash: string): boolean =>
  isOf(record, configHash) && shareOf(record) > 0

/** Whether a record is of this strategy on paper, on live prices, and means what this release takes it to mean. */
const isOf = (record: CycleRecord, configHash: string): boolean =>
  record.minReader <= STORED_VERSION &&
  record.mode === 'paper' &&
  record.config.market.source === 'live' &&
  strategyHashOf(record.config) === configHash

/**
 * What the strategy has shown on paper, from its stored cycles and trades. Only cycles on live prices and with the
 * settings of now count; a cycle that failed, was skipped or found the strategy halted is no work, nor is one whose
 * decider failed, whose market had no current bar, or at which nothing traded at the venue. A day with more failed
 * slots than work counts for nothing. A trade counts when the cycle that opened it is one on live prices, whatever came
 * of that cycle. `store` is that of the paper mode.
 */
export async function evaluatePaperRecord(store: Store, config: StrategyConfig, now: EpochMs): Promise<PaperRecord> {
  const configHash = strategyHashOf(config)
  const opened = new Set<string>()
  const days = new Map<string, number>()
  const slots: string[] = []
  await readEach(
    (page) => store.listCycles(config.id, page),
    (record) => {
      if (!isOf(record, configHash)) return
      opened.add(record.cycleId)
      const share = shareOf(record)
      const day = utcDay(fromIso(record.slot))
      days.set(day, (days.get(day) ?? 0) + share)
      if (share > 0) slots.push(record.slot)
    },
  )
  let trades = 0
  await readEach(
    (page) => store.listTrades(config.id, page),
    ({ id }) => {
      if (opened.has(cycleIdIn(id))) trades += 1
    },
  )
  const state = await store.loadState(config.id)
  return {
    evaluatedAt: toIso(now),
    firstSlot: slots[0] ?? null,
    lastSlot: slots.at(-1) ?? null,
    days: [...days.values()].filter((balance) => balance > 0).length,
    cycles: slots.length,
    trades,
    unresolvedIncidents: state?.incidents.length ?? 0,
    configHash,
  }
}

/**
 * The record to keep after another look: cycles expire, and what they once proved of the same settings stays proven.
 * Counts never fall, therefore; incidents are those of now.
 */
export function keepProven(before: PaperRecord | null, found: PaperRecord): PaperRecord {
  if (before === null || before.configHash !== found.configHash) return found
  return {
    ...found,
    firstSlot: slotsOf(before, found)[0] ?? null,
    lastSlot: slotsOf(before, found).at(-1) ?? null,
    days: Math.max(before.days, found.days),
    cycles: Math.max(before.cycles, found.cycles),
    trades: Math.max(before.trades, found.trades),
  }
}

/** First and last slots of both, in order. */
const slotsOf = (a: PaperRecord, b: PaperRecord): string[] =>
  [a.firstSlot, a.lastSlot, b.firstSlot, b.lastSlot].filter((slot) => slot !== null).sort()
