import type { Store } from '../store/store.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { HistoryEntry, StrategyState } from '../../schemas/state.ts'
import type { Trade } from '../../schemas/trade.ts'

/** What a replay leaves behind, in order. */
export type ReplayTrace = { readonly trades: Trade[]; readonly equity: EquityPoint[] }

/** What a strategy's store holds besides its history. */
export type Holdings = { state: StrategyState | null; book: PaperBook | null }

const none = async () => ({ items: [], cursor: null, skipped: [] })

/**
 * The store of a replay: one strategy, in this process, values kept as they are. Everything is immutable, so
 * nothing needs the way through text that the stored form takes; versions and conditions hold as they do there.
 */
export function createObjectStore(held: Holdings = { state: null, book: null }): {
  store: Store
  trace: ReplayTrace
  holdings: () => Holdings
} {
  const trace: ReplayTrace = { trades: [], equity: [] }
  let { state, book } = held
  // A trade told twice (its outbox is delivered again) is the same trade.
  let lastTradeId: string | null = null
  const cycles = new Map<string, CycleRecord>()
  const keep = (entry: HistoryEntry): void => {
    if (entry.kind !== 'TRADE' || entry.body.id === lastTradeId) return
    trace.trades.push(entry.body)
    lastTradeId = entry.body.id
  }
  const store: Store = {
    loadState: async () => state,
    async saveState(next, isNew) {
      if (isNew ? state !== null : state?.version !== next.version) return { outcome: 'conflict', state: next }
      state = isNew ? next : { ...next, version: next.version + 1 }
      return { outcome: 'saved', state }
    },
    loadBook: async () => book,
    async saveBook(_strategyId, next, isNew) {
      if (isNew ? book !== null : book?.version !== next.version) return { outcome: 'conflict', book: next }
      book = isNew ? next : { ...next, version: next.version + 1 }
      return { outcome: 'saved', book }
    },
    loadClearance: async () => null,
    saveClearance: async () => 'conflict',
    loadDeployment: async () => null,
    saveDeployment: async () => 'conflict',
    async createCycle(record) {
      if (cycles.has(record.slot)) return 'conflict'
      cycles.set(record.slot, record)
      return 'saved'
    },
    loadCycle: async (_strategyId, slot) => cycles.get(slot) ?? null,
    async saveCycle(record, attempt) {
      if (cycles.get(record.slot)?.attempt !== attempt) return 'conflict'
      // A walk through history does not come back to a slot that is done.
      if (record.progress === 'finished') cycles.delete(record.slot)
      else cycles.set(record.slot, record)
      return 'saved'
    },
    async appendHistory(_strategyId, entries) {
      for (const entry of entries) keep(entry)
    },
    async appendEquity(_strategyId, point) {
      trace.equity.push(point)
    },
    listCycles: none,
    listTrades: none,
    listOrders: none,
    listFills: none,
    listFunding: none,
    listEquity: none,
  }
  return { store, trace, holdings: () => ({ state, book }) }
}
