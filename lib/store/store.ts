import type { z } from 'zod'
import { canonicalJson } from '../core/canonical-json.ts'
import { DAY_MS, fromIso, SECOND_MS } from '../core/time.ts'
import { CycleRecord } from '../../schemas/cycle-record.ts'
import { EquityPoint } from '../../schemas/equity.ts'
import { LiveClearance } from '../../schemas/live-clearance.ts'
import { Fill, FundingPayment, OrderRecord } from '../../schemas/order.ts'
import { PaperBook } from '../../schemas/paper-book.ts'
import type { Mode } from '../../schemas/primitives.ts'
import { type HistoryEntry, StrategyState } from '../../schemas/state.ts'
import { Trade } from '../../schemas/trade.ts'
import { type Item, type ItemStore, StoreError, type WriteCondition } from './item-store.ts'

export type Saved = 'saved' | 'conflict'
export type Page<T> = { items: T[]; cursor: string | null }
export type PageRequest = {
  limit: number
  newestFirst?: boolean | undefined
  from?: string | undefined
  to?: string | undefined
  cursor?: string | undefined
}

/**
 * Everything Hourhand remembers of a strategy.
 *
 *   pk STRATEGY#<id>   sk STATE                      the state on paper, one item, optimistic version
 *                      sk CYCLE#<slot>               one cycle's record, fenced by its attempt
 *                      sk ORDER|FILL|TRADE|FUNDING#<time>#<id>, EQUITY#<slot>   append-only history
 *                      sk CLEARANCE                  what speaks for live trading; the one item both modes read
 *   pk LIVE#<id>       sk the same, CLEARANCE apart: a strategy's live life shares nothing with its paper life
 *   pk PAPER#<id>      sk BOOK                       the paper venue's own book
 *
 * Every read is parsed; what does not parse is a {@link StoreError}, never a guess.
 */
export type Store = {
  loadState(strategyId: string): Promise<StrategyState | null>
  /** Writes the state over the version it was read at (`state.version`), or as the first if `isNew`; answers with the new version in it. */
  saveState(state: StrategyState, isNew: boolean): Promise<{ outcome: Saved; state: StrategyState }>
  loadBook(strategyId: string): Promise<PaperBook | null>
  saveBook(strategyId: string, book: PaperBook, isNew: boolean): Promise<{ outcome: Saved; book: PaperBook }>
  /** The clearance with the version it is stored at. */
  loadClearance(strategyId: string): Promise<{ clearance: LiveClearance; version: number } | null>
  /** Writes the clearance over the version it was read at; null: as the first. */
  saveClearance(clearance: LiveClearance, readAt: number | null): Promise<Saved>
  /** Takes the slot: `conflict` if its record exists. */
  createCycle(record: CycleRecord): Promise<Saved>
  loadCycle(strategyId: string, slot: string): Promise<CycleRecord | null>
  /** Writes the record if the stored one is still of `attempt`; `conflict` means another invocation has taken over. */
  saveCycle(record: CycleRecord, attempt: number): Promise<Saved>
  /** Writes history that follows from the state's `version`; doing so twice changes nothing, and what a later version said is left alone. */
  appendHistory(strategyId: string, entries: readonly HistoryEntry[], version: number): Promise<void>
  appendEquity(strategyId: string, point: EquityPoint): Promise<void>
  listCycles(strategyId: string, page: PageRequest): Promise<Page<CycleRecord>>
  listTrades(strategyId: string, page: PageRequest): Promise<Page<Trade>>
  listOrders(strategyId: string, page: PageRequest): Promise<Page<OrderRecord>>
  listFills(strategyId: string, page: PageRequest): Promise<Page<Fill>>
  listFunding(strategyId: string, page: PageRequest): Promise<Page<FundingPayment>>
  listEquity(strategyId: string, page: PageRequest): Promise<Page<EquityPoint>>
}

const STATE = 'STATE'
const BOOK = 'BOOK'
const CLEARANCE = 'CLEARANCE'
const PARTITIONS = { paper: 'STRATEGY', live: 'LIVE' } as const satisfies Record<Mode, string>
const paperKey = (id: string): string => `PAPER#${id}`

/** Partition of a strategy's state, cycles and history. */
export const partitionOf = (mode: Mode, strategyId: string): string => `${PARTITIONS[mode]}#${strategyId}`
/** Sort key of a slot's cycle record. */
export const cycleKey = (slot: string): string => `CYCLE#${slot}`

/**
 * The store over any {@link ItemStore}; `writer` names the invocation, unlike any other's. What a strategy does with
 * real money and what it does on paper lie in different partitions.
 */
export function createStore(items: ItemStore, writer: string, mode: Mode = 'paper'): Store {
  const strategyKey = (id: string): string => partitionOf(mode, id)
  const load = async <T>(schema: z.ZodType<T>, pk: string, sk: string): Promise<T | null> => {
    const item = await items.get(pk, sk)
    return item === null ? null : parseBody(schema, item)
  }

  /** A lost answer makes the client write again and meet its own write: a conflict with equal bytes of this writer is no conflict. */
  const put = async (item: Item, condition: WriteCondition): Promise<Saved> => {
    if ((await items.put(item, condition)) === 'ok') return 'saved'
    const stored = await items.get(item.pk, item.sk)
    return stored !== null && stored.body === item.body && stored.version === item.version && stored.writer === writer
      ? 'saved'
      : 'conflict'
  }

  const list = async <T>(
    schema: z.ZodType<T>,
    strategyId: string,
    prefix: string,
    page: PageRequest,
  ): Promise<Page<T>> => {
    const { from, to, ...rest } = page
    const bounds = {
      from: from === undefined ? undefined : `${prefix}${from}`,
      to: to === undefined ? undefined : `${prefix}${to}\u007e`,
    }
    const found = await items.query({ pk: strategyKey(strategyId), prefix, ...bounds, ...rest })
    return { items: found.items.map((item) => parseBody(schema, item)), cursor: found.cursor }
  }

  const historyItem = (strategyId: string, { kind, at, id, body }: HistoryEntry, version: number): Item => ({
    pk: strategyKey(strategyId),
    sk: `${kind}#${at}#${id}`,
    version,
    body: canonicalJson(body),
    writer,
    expiresAt: null,
  })

  const putCycle = (record: CycleRecord, condition: WriteCondition): Promise<Saved> => {
    const expiresAt = Math.floor((fromIso(record.slot) + record.config.retentionDays * DAY_MS) / SECOND_MS)
    return put(
      {
        pk: strategyKey(record.strategyId),
        sk: cycleKey(record.slot),
        version: record.attempt,
        body: canonicalJson(record),
        writer,
        expiresAt,
      },
      condition,
    )
  }

  return {
    loadState: (strategyId) => load(StrategyState, strategyKey(strategyId), STATE),
    async saveState(state, isNew) {
      const next = { ...state, version: isNew ? state.version : state.version + 1 }
      const item = {
        pk: strategyKey(state.strategyId),
        sk: STATE,
        version: next.version,
        body: canonicalJson(next),
        writer,
        expiresAt: null,
      }
      return { outcome: await put(item, isNew ? 'absent' : { version: state.version }), state: next }
    },
    loadBook: (strategyId) => load(PaperBook, paperKey(strategyId), BOOK),
    async saveBook(strategyId, book, isNew) {
      const next = { ...book, version: isNew ? book.version : book.version + 1 }
      const item = {
        pk: paperKey(strategyId),
        sk: BOOK,
        version: next.version,
        body: canonicalJson(next),
        writer,
        expiresAt: null,
      }
      return { outcome: await put(item, isNew ? 'absent' : { version: book.version }), book: next }
    },
    async loadClearance(strategyId) {
      const item = await items.get(partitionOf('paper', strategyId), CLEARANCE)
      if (item === null) return null
      if (item.version === null) throw new StoreError(`the item ${item.pk} ${item.sk} has no version`)
      return { clearance: parseBody(LiveClearance, item), version: item.version }
    },
    saveClearance(clearance, readAt) {
      const item = {
        pk: partitionOf('paper', clearance.strategyId),
        sk: CLEARANCE,
        version: readAt === null ? 0 : readAt + 1,
        body: canonicalJson(clearance),
        writer,
        expiresAt: null,
      }
      return put(item, readAt === null ? 'absent' : { version: readAt })
    },
    createCycle: (record) => putCycle(record, 'absent'),
    loadCycle: (strategyId, slot) => load(CycleRecord, strategyKey(strategyId), cycleKey(slot)),
    saveCycle: (record, attempt) => putCycle(record, { version: attempt }),
    async appendHistory(strategyId, entries, version) {
      for (const entry of entries) await items.put(historyItem(strategyId, entry, version), { below: version + 1 })
    },
    async appendEquity(strategyId, point) {
      await items.put(
        {
          pk: strategyKey(strategyId),
          sk: `EQUITY#${point.at}`,
          version: null,
          body: canonicalJson(point),
          writer,
          expiresAt: null,
        },
        'none',
      )
    },
    listCycles: (strategyId, page) => list(CycleRecord, strategyId, 'CYCLE#', page),
    listTrades: (strategyId, page) => list(Trade, strategyId, 'TRADE#', page),
    listOrders: (strategyId, page) => list(OrderRecord, strategyId, 'ORDER#', page),
    listFills: (strategyId, page) => list(Fill, strategyId, 'FILL#', page),
    listFunding: (strategyId, page) => list(FundingPayment, strategyId, 'FUNDING#', page),
    listEquity: (strategyId, page) => list(EquityPoint, strategyId, 'EQUITY#', page),
  }
}

function parseBody<T>(schema: z.ZodType<T>, item: Item): T {
  let value: unknown
  try {
    value = JSON.parse(item.body)
  } catch (cause) {
    throw new StoreError(`the item ${item.pk} ${item.sk} is not JSON`, { cause })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new StoreError(`the item ${item.pk} ${item.sk} was not written by this version: ${parsed.error.message}`)
  return parsed.data
}
