import type { Store } from '../store/store.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { HistoryEntry, StrategyState } from '../../schemas/state.ts'
import type { Trade } from '../../schemas/trade.ts'

/** What a replay leaves behind. */
export type ReplayTrace = { trades: Trade[]; equity: EquityPoint[]; cycles: CycleRecord[] }

const none = async () => ({ items: [], cursor: null })

/**
 * The store of a replay: one strategy, in this process, values kept as they are. Everything is immutable, so
 * nothing needs the way through text that the stored form takes; versions and conditions hold as they do there.
 */
export function createObjectStore(): { store: Store; trace: ReplayTrace } {
  const trace: ReplayTrace = { trades: [], equity: [], cycles: [] }
  let state: StrategyState | null = null
  let book: PaperBook | null = null
  const cycles = new Map<string, CycleRecord>()
  const keep = (entry: HistoryEntry): void => {
    if (entry.kind === 'TRADE' && !trace.trades.some((trade) => trade.id === entry.body.id)) trace.trades.push(entry.body)
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
    async createCycle(record) {
      if (cycles.has(record.slot)) return 'conflict'
      cycles.set(record.slot, record)
      return 'saved'
    },
    loadCycle: async (_strategyId, slot) => cycles.get(slot) ?? null,
    async saveCycle(record, attempt) {
      if (cycles.get(record.slot)?.attempt !== attempt) return 'conflict'
      if (record.progress === 'finished') {
        // A finished slot is only ever asked whether it is done.
        trace.cycles.push(record)
        cycles.delete(record.slot)
      } else cycles.set(record.slot, record)
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
  return { store, trace }
}
