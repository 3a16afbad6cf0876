import { type EpochMs, floorTime, HOUR_MS } from '../core/time.ts'
import { levelsOf, restingOrders } from '../venue/paper/book.ts'
import type { Sync, SyncWithVenue } from '../execution/ports.ts'
import { syncWithVenue } from '../execution/sync-with-venue.ts'
import { firstAtOrAfter } from '../market/candle-history.ts'
import type { Candle } from '../../schemas/market.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { StrategyState } from '../../schemas/state.ts'

export type QuietSyncOptions = {
  bars: readonly Candle[]
  barMs: number
  /** Funding settles at multiples of this; null: never. */
  fundingIntervalMs: number | null
  /** The venue's book as it is stored. */
  loadBook: () => Promise<PaperBook | null>
}

/**
 * Reconciliation that asks the paper venue only when it can have news. Since the last time it was asked it has none
 * when its book was not written to, and, with a position, no bar nor the price of now has reached one of its levels and
 * no funding was due; and the ledger wants none when it is flat, or open and protected, with nothing unresolved.
 */
export function createQuietSync({ bars, barMs, fundingIntervalMs, loadBook }: QuietSyncOptions): SyncWithVenue {
  let last: { playedTo: EpochMs; sequence: number; sync: Sync } | null = null

  const isUneventful = (book: PaperBook, since: EpochMs, now: EpochMs): boolean => {
    const levels = levelsOf(book)
    if (levels === null) return restingOrders(book).length === 0
    // What is due at an instant is booked with the first bar that opens then or later, once it has closed.
    if (
      fundingIntervalMs !== null &&
      Math.max(floorTime(now - 1, HOUR_MS), floorTime(now - 1, fundingIntervalMs)) >= since
    )
      return false
    // In a hole there is no price, and the venue cannot say what the position is worth: that is for it to tell.
    const present = bars[firstAtOrAfter(bars, now - barMs + 1)]
    if (present === undefined || present.time > now) return false
    for (let index = firstAtOrAfter(bars, since); index < bars.length; index++) {
      const bar = bars[index]
      if (bar === undefined || bar.time > now) return true
      // Of the bar that has not closed the venue knows where it opened.
      const [low, high] = bar.time + barMs > now ? [bar.open, bar.open] : [bar.low, bar.high]
      if (low <= levels.lower || high >= levels.upper) return false
    }
    return true
  }

  return async (ports, state, options) => {
    const now = ports.clock()
    const book = await loadBook()
    if (
      last !== null &&
      book !== null &&
      book.sequence === last.sequence &&
      isSettled(state) &&
      isUneventful(book, last.playedTo, now)
    )
      return { ...last.sync, state, notes: [] }
    const sync = await syncWithVenue(ports, state, options)
    // In a hole of the history the bars stop before the clock does.
    const newest = bars[firstAtOrAfter(bars, now - barMs + 1) - 1]
    last = {
      playedTo: newest === undefined ? 0 : newest.time + barMs,
      sequence: (await loadBook())?.sequence ?? -1,
      sync,
    }
    return sync
  }
}

/** Whether the ledger waits for nothing: no order under way, no doubt, a live stop under what is held. */
export function isSettled({ phase, suspicions }: StrategyState): boolean {
  if (suspicions.length > 0) return false
  return phase.kind === 'flat'
    ? phase.abandoned === null
    : phase.kind === 'open' && phase.position.protection.status === 'live'
}
