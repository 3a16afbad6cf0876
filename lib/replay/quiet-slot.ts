import { decisionTimeframeOf } from '../core/interval.ts'
import { type EpochMs, toIso } from '../core/time.ts'
import { cycleIdOf } from '../core/ids.ts'
import { commit } from '../execution/commit.ts'
import type { CyclePorts } from '../cycle/cycle-ports.ts'
import { describeHalt } from '../cycle/run-cycle.ts'
import type { SyncWithVenue } from '../execution/ports.ts'
import { lookback } from '../indicators/lookback.ts'
import type { createIncrementalViews } from '../indicators/incremental-views.ts'
import { breachOf } from '../guard/limits.ts'
import { positionOf, revalue, rollDay } from '../ledger/accounting.ts'
import type { HistoryMarket } from '../market/history-source.ts'
import { windowOf } from '../snapshot/bar-window.ts'
import { BARS_SHOWN, performanceOf } from '../snapshot/build-snapshot.ts'
import type { DecisionOutcome } from '../../schemas/decision.ts'
import type { Quote } from '../../schemas/market.ts'
import type { DecisionSummary, StrategyState } from '../../schemas/state.ts'
import { isSettled } from './quiet-sync.ts'

export type QuietSlotOptions = {
  ports: CyclePorts
  market: HistoryMarket
  sync: SyncWithVenue
  views: ReturnType<typeof createIncrementalViews>
}

/** What a slot came to without a cycle: the decision that was foreseen, or null where a halted strategy makes none. */
export type QuietSlot = { outcome: 'held' | 'halted'; decision: DecisionOutcome | null }

/**
 * A cycle's effect where it is known beforehand: nothing is unresolved, no limit is broken, and the decider, looking at
 * the decision timeframe alone, holds; or the strategy is flat and halted. Then books, memory and curve move on exactly
 * as `runCycle` would move them. Anything else is left to the cycle itself: the answer is null, and at most a
 * reconciliation has been made that the cycle would have made.
 */
export function createQuietSlots({
  ports,
  market,
  sync,
  views,
}: QuietSlotOptions): (slot: EpochMs) => Promise<QuietSlot | null> {
  const { config, store, decider } = ports
  const { symbol } = config.market
  const timeframe = decisionTimeframeOf(config)

  /** Closes the books of a slot. */
  const finish = async (
    state: StrategyState,
    slot: EpochMs,
    quote: Quote,
    { action, outcome, note }: Pick<DecisionSummary, 'action' | 'outcome' | 'note'>,
  ): Promise<void> => {
    const at = toIso(slot)
    const summary = {
      cycleId: cycleIdOf(config.id, slot),
      at,
      action,
      outcome,
      confidence: null,
      note: note.slice(0, 160),
    }
    const after = await commit(ports, state, [
      { type: 'marked', at, markPrice: quote.mark },
      {
        type: 'slot_finished',
        at,
        slot: at,
        summary,
        keep: config.memory.decisions,
        ...(outcome === 'held' ? { failure: null } : {}),
      },
    ])
    const { equity, cash, markPrice } = after.accounting
    await store.appendEquity(config.id, { at, equity, cash, markPrice, phase: after.phase.kind })
  }

  return async (slot) => {
    if (decider.foresee === undefined) return null
    const before = await store.loadState(config.id)
    if (before === null || market.history.barAt(slot) === undefined || !isSettled(before) || before.outbox !== null)
      return null
    if (before.halt !== null) {
      if (before.phase.kind !== 'flat') return null
      const { state } = await sync(ports, before, { act: true })
      if (!isSettled(state) || state.phase.kind !== 'flat' || state.halt === null) return null
      await finish(state, slot, await market.quote(symbol, slot), {
        action: 'none',
        outcome: 'halted',
        note: describeHalt(state.halt),
      })
      return { outcome: 'halted', decision: null }
    }
    if (before.incidents.length > 0) return null
    const at = toIso(slot)
    const [series, quote] = await Promise.all([
      market.candles({ symbol, timeframe, asOf: slot, limit: lookback(timeframe, slot).limit }),
      market.quote(symbol, slot),
    ])
    const indicators = views.indicators(
      timeframe,
      windowOf(series, timeframe, slot).candles,
      BARS_SHOWN.primary,
      symbol,
    )
    const held = positionOf(before.phase)
    const foreseen = decider.foresee({
      slot: at,
      view: { timeframe, indicators },
      quote,
      side: held?.side ?? null,
      performance: () => performanceOf(before.memory.trades, config.memory.trades),
    })
    if (foreseen.decision.action !== 'hold' || foreseen.failure !== null) return null
    const { state } = await sync(ports, before, { act: true })
    const position = positionOf(state.phase)
    if (!isSettled(state) || state.halt !== null || position?.tradeId !== held?.tradeId) return null
    const books = revalue(rollDay(state.accounting, at, state.instrument.calendar), position, quote.mark, at)
    if (breachOf(books, config) !== null) return null
    await finish(state, slot, quote, { action: 'hold', outcome: 'held', note: foreseen.decision.rationale })
    return { outcome: 'held', decision: foreseen }
  }
}
