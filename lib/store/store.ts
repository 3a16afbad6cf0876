import { DAY_MS, fromIso, SECOND_MS } from '../core/time.ts'
import type { CycleRecord } from '../../schemas/cycle-record.ts'
import type { DeploymentItem } from '../../schemas/deployment-item.ts'
import type { EquityPoint } from '../../schemas/equity.ts'
import type { LiveClearance } from '../../schemas/live-clearance.ts'
import type { Fill, FundingPayment, OrderRecord } from '../../schemas/order.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { Mode } from '../../schemas/primitives.ts'
import type { HistoryEntry, StrategyState } from '../../schemas/state.ts'
import type { Trade } from '../../schemas/trade.ts'
import type { Redact } from '../telemetry/redact.ts'
import { redactWords } from '../telemetry/redact-fields.ts'
import { type Item, type ItemStore, StoreError, type WriteCondition } from './item-store.ts'
import { type Purpose, readBody, writeBody } from './stored-body.ts'
import { type Kind, KINDS } from './stored-kinds.ts'
import { UnreadableItem } from './unreadable-item.ts'

export type Saved = 'saved' | 'conflict'
/** `skipped` are the items of the page that this release cannot read. */
export type Page<T> = { items: T[]; cursor: string | null; skipped: UnreadableItem[] }
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
 *                      sk ORDER|FILL|TRADE|FUNDING|TRANSFER#<time>#<id>, EQUITY#<slot>   append-only history
 *                      sk CLEARANCE                  what speaks for live trading; the one item both modes read
 *   pk LIVE#<id>       sk the same, CLEARANCE apart: a strategy's live life shares nothing with its paper life
 *   pk PAPER#<id>      sk BOOK                       the paper venue's own book
 *   pk DEPLOYMENT      sk <mode>#<id>                what runs on this table, as it wrote down itself
 *
 * Every read is parsed, older versions brought forward; what cannot be used is an {@link UnreadableItem}, never a
 * guess, and lists go on without it. Whatever is written has been read back before.
 */
export type Store = {
  loadState(strategyId: string): Promise<StrategyState | null>
  /**
   * Writes the state over the version it was read at (`state.version`), or as the first if `isNew`; answers with the
   * new version in it.
   */
  saveState(state: StrategyState, isNew: boolean): Promise<{ outcome: Saved; state: StrategyState }>
  loadBook(strategyId: string): Promise<PaperBook | null>
  saveBook(strategyId: string, book: PaperBook, isNew: boolean): Promise<{ outcome: Saved; book: PaperBook }>
  /** The clearance with the version it is stored at. */
  loadClearance(strategyId: string): Promise<{ clearance: LiveClearance; version: number } | null>
  /** Writes the clearance over the version it was read at; null: as the first. */
  saveClearance(clearance: LiveClearance, readAt: number | null): Promise<Saved>
  /** What runs under this id in this store's mode, with the version it is stored at. */
  loadDeployment(strategyId: string): Promise<{ item: DeploymentItem; version: number } | null>
  /** Writes it over the version it was read at; null: as the first. */
  saveDeployment(item: DeploymentItem, readAt: number | null): Promise<Saved>
  /** Takes the slot: `conflict` if its record exists. */
  createCycle(record: CycleRecord): Promise<Saved>
  /** To go on with a cycle (`act`), all that it decided has to be understood; to show it, less. */
  loadCycle(strategyId: string, slot: string, purpose?: Purpose): Promise<CycleRecord | null>
  /** Writes the record if the stored one is still of `attempt`; `conflict` means another invocation has taken over. */
  saveCycle(record: CycleRecord, attempt: number): Promise<Saved>
  /**
   * Writes history that follows from the state's `version`; doing so twice changes nothing, and what a later version
   * said is left alone.
   */
  appendHistory(strategyId: string, entries: readonly HistoryEntry[], version: number): Promise<void>
  appendEquity(strategyId: string, point: EquityPoint): Promise<void>
  listCycles(strategyId: string, page: PageRequest): Promise<Page<CycleRecord>>
  listTrades(strategyId: string, page: PageRequest): Promise<Page<Trade>>
  listOrders(strategyId: string, page: PageRequest): Promise<Page<OrderRecord>>
  listFills(strategyId: string, page: PageRequest): Promise<Page<Fill>>
  listFunding(strategyId: string, page: PageRequest): Promise<Page<FundingPayment>>
  listEquity(strategyId: string, page: PageRequest): Promise<Page<EquityPoint>>
}

export type StoreOptions = {
  /** Hears of items that a list leaves out. */
  onSkipped?: (skipped: readonly UnreadableItem[]) => void
  /** Takes secrets out of the words that are stored. */
  redact?: Redact
}

const STATE = 'STATE'
const BOOK = 'BOOK'
const CLEARANCE = 'CLEARANCE'
const PARTITIONS = { paper: 'STRATEGY', live: 'LIVE' } as const satisfies Record<Mode, string>
const paperKey = (id: string): string => `PAPER#${id}`

/** Partition of a strategy's state, cycles and history. */
export const partitionOf = (mode: Mode, strategyId: string): string => `${PARTITIONS[mode]}#${strategyId}`
/** The one partition of all deployment items. */
export const DEPLOYMENTS = 'DEPLOYMENT'
/** Sort key of a deployment item. */
export const deploymentKey = (mode: Mode, strategyId: string): string => `${mode}#${strategyId}`
/** Sort key of a slot's cycle record. */
export const cycleKey = (slot: string): string => `CYCLE#${slot}`

/**
 * The store over any {@link ItemStore}; `writer` names the invocation, unlike any other's. What a strategy does with
 * real money and what it does on paper lie in different partitions. */
export function createStore(
  items: ItemStore,
  writer: string,
  mode: Mode = 'paper',
  { onSkipped = () => {}, redact = (text) => text }: StoreOptions = {},
): Store {
  const strategyKey = (id: string): string => partitionOf(mode, id)
  const load = async <T>(kind: Kind<T>, pk: string, sk: string, purpose: Purpose = 'act'): Promise<T | null> => {
    const item = await items.get(pk, sk)
    return item === null ? null : readBody(kind, item, purpose)
  }

  /**
   * A lost answer makes the client write again and meet its own write: a conflict with equal bytes of this writer is no
   * conflict.
   */
  const put = async (item: Item, condition: WriteCondition): Promise<Saved> => {
    if ((await items.put(item, condition)) === 'ok') return 'saved'
    const stored = await items.get(item.pk, item.sk)
    return stored !== null && stored.body === item.body && stored.version === item.version && stored.writer === writer
      ? 'saved'
      : 'conflict'
  }

  const list = async <T>(kind: Kind<T>, strategyId: string, prefix: string, page: PageRequest): Promise<Page<T>> => {
    const { from, to, ...rest } = page
    const bounds = {
      from: from === undefined ? undefined : `${prefix}${from}`,
      to: to === undefined ? undefined : `${prefix}${to}\u007e`,
    }
    const found = await items.query({ pk: strategyKey(strategyId), prefix, ...bounds, ...rest })
    const read = readEvery(kind, found.items)
    if (read.skipped.length > 0) onSkipped(read.skipped)
    return { ...read, cursor: found.cursor }
  }

  /** An item for the table, its body as {@link writeBody} makes it. */
  const itemOf = <T>(
    kind: Kind<T>,
    value: T,
    { pk, sk, version, expiresAt = null }: Pick<Item, 'pk' | 'sk' | 'version'> & Partial<Pick<Item, 'expiresAt'>>,
  ): Item => ({ pk, sk, version, body: writeBody(kind, { pk, sk }, redactWords(value, redact)), writer, expiresAt })

  const historyItem = (strategyId: string, entry: HistoryEntry, version: number): Item => {
    const place = { pk: strategyKey(strategyId), sk: `${entry.kind}#${entry.at}#${entry.id}`, version }
    switch (entry.kind) {
      case 'ORDER':
        return itemOf(KINDS.order, entry.body, place)
      case 'FILL':
        return itemOf(KINDS.fill, entry.body, place)
      case 'TRADE':
        return itemOf(KINDS.trade, entry.body, place)
      case 'FUNDING':
        return itemOf(KINDS.funding, entry.body, place)
      case 'TRANSFER':
        return itemOf(KINDS.transfer, entry.body, place)
      default:
        return entry satisfies never
    }
  }

  const putCycle = async (record: CycleRecord, condition: WriteCondition): Promise<Saved> => {
    const expiresAt = Math.floor((fromIso(record.slot) + record.config.retentionDays * DAY_MS) / SECOND_MS)
    const place = { pk: strategyKey(record.strategyId), sk: cycleKey(record.slot), version: record.attempt, expiresAt }
    return put(itemOf(KINDS.cycle, record, place), condition)
  }

  return {
    loadState: (strategyId) => load(KINDS.state, strategyKey(strategyId), STATE),
    async saveState(state, isNew) {
      const next = { ...state, version: isNew ? state.version : state.version + 1 }
      const place = { pk: strategyKey(state.strategyId), sk: STATE, version: next.version }
      const item = itemOf(KINDS.state, next, place)
      return { outcome: await put(item, isNew ? 'absent' : { version: state.version }), state: next }
    },
    loadBook: (strategyId) => load(KINDS.paper_book, paperKey(strategyId), BOOK),
    async saveBook(strategyId, book, isNew) {
      const next = { ...book, version: isNew ? book.version : book.version + 1 }
      const item = itemOf(KINDS.paper_book, next, { pk: paperKey(strategyId), sk: BOOK, version: next.version })
      return { outcome: await put(item, isNew ? 'absent' : { version: book.version }), book: next }
    },
    async loadClearance(strategyId) {
      const item = await items.get(partitionOf('paper', strategyId), CLEARANCE)
      if (item === null) return null
      if (item.version === null) throw new StoreError(`the item ${item.pk} ${item.sk} has no version`)
      return { clearance: readBody(KINDS.clearance, item, 'act'), version: item.version }
    },
    async saveClearance(clearance, readAt) {
      const pk = partitionOf('paper', clearance.strategyId)
      const item = itemOf(KINDS.clearance, clearance, { pk, sk: CLEARANCE, version: readAt === null ? 0 : readAt + 1 })
      return put(item, readAt === null ? 'absent' : { version: readAt })
    },
    async loadDeployment(strategyId) {
      const stored = await items.get(DEPLOYMENTS, deploymentKey(mode, strategyId))
      if (stored === null) return null
      if (stored.version === null) throw new StoreError(`the item ${stored.pk} ${stored.sk} has no version`)
      return { item: readBody(KINDS.deployment, stored, 'act'), version: stored.version }
    },
    async saveDeployment(deployment, readAt) {
      const place = { pk: DEPLOYMENTS, sk: deploymentKey(mode, deployment.strategyId) }
      const item = itemOf(KINDS.deployment, deployment, { ...place, version: readAt === null ? 0 : readAt + 1 })
      return put(item, readAt === null ? 'absent' : { version: readAt })
    },
    createCycle: (record) => putCycle(record, 'absent'),
    loadCycle: (strategyId, slot, purpose = 'show') =>
      load(KINDS.cycle, strategyKey(strategyId), cycleKey(slot), purpose),
    saveCycle: (record, attempt) => putCycle(record, { version: attempt }),
    async appendHistory(strategyId, entries, version) {
      for (const entry of entries) await items.put(historyItem(strategyId, entry, version), { below: version + 1 })
    },
    async appendEquity(strategyId, point) {
      const place = { pk: strategyKey(strategyId), sk: `EQUITY#${point.at}`, version: null }
      await items.put(itemOf(KINDS.equity, point, place), 'none')
    },
    listCycles: (strategyId, page) => list(KINDS.cycle, strategyId, 'CYCLE#', page),
    listTrades: (strategyId, page) => list(KINDS.trade, strategyId, 'TRADE#', page),
    listOrders: (strategyId, page) => list(KINDS.order, strategyId, 'ORDER#', page),
    listFills: (strategyId, page) => list(KINDS.fill, strategyId, 'FILL#', page),
    listFunding: (strategyId, page) => list(KINDS.funding, strategyId, 'FUNDING#', page),
    listEquity: (strategyId, page) => list(KINDS.equity, strategyId, 'EQUITY#', page),
  }
}

/** Reads what can be read, to show it; the rest is named. */
function readEvery<T>(kind: Kind<T>, stored: readonly Item[]): Pick<Page<T>, 'items' | 'skipped'> {
  const read: Pick<Page<T>, 'items' | 'skipped'> = { items: [], skipped: [] }
  for (const item of stored) {
    try {
      read.items.push(readBody(kind, item, 'show'))
    } catch (error) {
      if (!(error instanceof UnreadableItem)) throw error
      read.skipped.push(error)
    }
  }
  return read
}
