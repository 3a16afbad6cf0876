import { loadConfig } from '../../lib/config/load-config.ts'
import { limitsOf } from '../../lib/core/time-limits.ts'
import { canonicalJson } from '../../lib/core/canonical-json.ts'
import { ETH, OPEN_SESSION } from '../support/instruments.ts'
import { readdirSync, readFileSync } from 'node:fs'
import { dec } from '../../lib/core/decimal.ts'
import { fromIso } from '../../lib/core/time.ts'
import { reconcile } from '../../lib/execution/reconcile/reconcile.ts'
import type { VenueFacts } from '../../lib/execution/venue-facts.ts'
import { positionOf } from '../../lib/ledger/accounting.ts'
import type { Item, ItemStore } from '../../lib/store/item-store.ts'
import { createStore, type Store } from '../../lib/store/store.ts'
import { UnreadableItem } from '../../lib/store/unreadable-item.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { STORED_VERSION } from '../../schemas/stored.ts'
import { quantity, money } from '../../lib/core/decimal.ts'

type Json = Record<string, unknown>
type Random = () => number

const DIRECTORY = new URL('../fixtures/version-1/', import.meta.url)
const ITEMS = readdirSync(DIRECTORY).flatMap(
  (file) => JSON.parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as Item[],
)
/** States and paper accounts matter most, and are few among the items. */
const DECISIVE = ITEMS.filter(({ sk }) => sk === 'STATE' || sk === 'BOOK')

const pick = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T

const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  3,
  99,
  '',
  'x',
  '0',
  '-1',
  '1e9',
  'NaN',
  '+056985-01-01T00:00:00Z',
  '0000-00-00T00:00:00Z',
  '2026-02-30T00:00:00Z',
  [],
  {},
  [[]],
  { kind: 'rolling' },
  'rolling',
  '\ud800',
  'long',
  'short',
]
const NAMES = ['addedLater', 'kind', 'status', 'minReader', 'schemaVersion', 'constructor', 'toString', '']

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every object and list within a value, itself among them. */
function containersIn(value: unknown): (Json | unknown[])[] {
  if (Array.isArray(value)) return [value, ...[...value].flatMap(containersIn)]
  return isObject(value) ? [value, ...Object.values(value).flatMap(containersIn)] : []
}

function mutate(random: Random, body: Json): void {
  const all = containersIn(body)
  // The few at the top and below the phase are changed as often as the many below.
  const phase = containersIn(body['phase'])
  const target = pick(random, random() < 0.3 ? [body] : random() < 0.5 && phase.length > 0 ? phase : all)
  const keys = Object.keys(target)
  const key = pick(random, keys.length === 0 ? ['0'] : keys)
  const into = target as Json
  switch (Math.floor(random() * 6)) {
    case 0:
      delete into[key]
      break
    case 1:
      into[key] = structuredClone(pick(random, STRANGE))
      break
    case 2:
      Object.defineProperty(into, pick(random, NAMES), {
        value: structuredClone(pick(random, STRANGE)),
        enumerable: true,
        writable: true,
        configurable: true,
      })
      break
    case 3:
      into[key] = into[pick(random, keys.length === 0 ? ['0'] : keys)]
      break
    case 4:
      body['minReader'] = Math.floor(random() * 5)
      break
    default:
      body['schemaVersion'] = Math.floor(random() * 5)
  }
}

/** One item of the previous release, changed in a few places, its text cut or spoiled at times. */
function make(random: Random): Item {
  const item = pick(random, random() < 0.6 ? DECISIVE : ITEMS)
  const body = JSON.parse(item.body) as Json
  const changes = Math.floor(random() * 4)
  for (let change = 0; change < changes; change++) mutate(random, body)
  const text = JSON.stringify(body)
  const spoil = random()
  if (spoil < 0.03) return { ...item, body: text.slice(0, Math.floor(random() * text.length)) }
  if (spoil < 0.05) return { ...item, body: pick(random, ['', 'null', '[]', '"text"', '1', '{}', text + text]) }
  return { ...item, body: text }
}

const none = async () => ({ items: [], cursor: null })

/** A table with one item in it. */
function tableOf(item: Item): { items: ItemStore; written: Item[] } {
  const written: Item[] = []
  const get: ItemStore['get'] = async (pk, sk) => (pk === item.pk && sk === item.sk ? item : null)
  const put: ItemStore['put'] = async (after) => (written.push(after), 'ok')
  const query: ItemStore['query'] = async ({ pk, prefix }) =>
    pk === item.pk && item.sk.startsWith(prefix) ? { items: [item], cursor: null } : none()
  return { items: { get, put, query }, written }
}

const law: (holds: boolean, text: string) => asserts holds = (holds, text) => {
  if (!holds) throw new Error(`law violated: ${text}`)
}

/** Anything but {@link UnreadableItem} is a bug. */
async function read<T>(work: () => Promise<T>): Promise<T | 'refused'> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UnreadableItem) return 'refused'
    throw error
  }
}

/** What enforcement would do with the state at a venue that holds what the ledger says, exits included. */
function decide(state: StrategyState): string {
  const position = positionOf(state.phase)
  const at = state.updatedAt
  const exit = position?.protection.status === 'live' ? position.protection : null
  const facts: VenueFacts = {
    at,
    limits: limitsOf(loadConfig()),
    instrument: ETH,
    session: OPEN_SESSION,
    account: { at, cash: state.accounting.cash, equity: state.accounting.cash, availableMargin: money('0') },
    position:
      position === null
        ? null
        : {
            symbol: ETH.venueSymbol,
            side: position.side,
            quantity: position.quantity,
            averageEntryPrice: '1' as never,
            markPrice: '1' as never,
            unrealisedPnl: money('0'),
            liquidationPrice: null,
          },
    openOrders:
      position === null || exit === null
        ? []
        : [
            {
              orderId: exit.orderId,
              clientOrderId: null,
              symbol: ETH.venueSymbol,
              kind: 'protect',
              side: position.side === 'long' ? 'sell' : 'buy',
              status: 'open',
              quantity: exit.quantity,
              filledQuantity: quantity('0'),
              averagePrice: null,
              bracket: exit.bracket,
              isTriggered: false,
              createdAt: at,
              reason: null,
            },
          ],
    fills: [],
    funding: [],
    transfers: [],
    pendingOrder: null,
    listsFunding: true,
    isSettled: true,
  }
  const { actions } = reconcile(state, facts)
  // A stop at other prices than the committed ones is replaced, and rightly.
  const isApproved =
    exit !== null &&
    exit.quantity === position?.quantity &&
    (position.bracket === null || canonicalJson(position.bracket) === canonicalJson(exit.bracket))
  for (const action of actions)
    law(
      action.kind !== 'cancel' || state.phase.kind !== 'open' || action.orderId !== exit?.orderId || !isApproved,
      'the one stop of an open position is cancelled',
    )
  return actions.map(({ kind }) => kind).join('+') || 'quiet'
}

/** Whether the body says that this release must not act on it. */
function isForbidden(body: string): boolean {
  const value = JSON.parse(body) as Json
  const { minReader = 1, phase } = value
  const knowsPhase = isObject(phase) && ['flat', 'opening', 'open', 'closing'].includes(String(phase['kind']))
  const strange = containersIn(phase).some((inner) => !Array.isArray(inner) && 'addedLater' in inner)
  return !(Number(minReader) <= STORED_VERSION) || !knowsPhase || strange
}

async function readState(store: Store, item: Item, written: Item[]): Promise<string> {
  const state = await read(() => store.loadState('eth-perp'))
  if (state === 'refused' || state === null) return 'state refused'
  law(!isForbidden(item.body), 'a state is acted on that this release does not understand')
  const saved = await store.saveState(state, false)
  law(saved.outcome === 'saved' && written.length === 1, 'what was read can be written')
  const again = createStore(tableOf(written[0] as Item).items, 'again', item.pk.startsWith('LIVE') ? 'live' : 'paper')
  law((await again.loadState('eth-perp')) !== null, 'what was written can be read')
  const before = JSON.parse(item.body) as Json
  const after = JSON.parse(written[0]?.body ?? '{}') as Json
  for (const key of Object.keys(before)) law(key in after, `the field ${JSON.stringify(key)} is kept`)
  // A ledger that contradicts itself is found by its own invariants, before anything is done.
  if (!isConsistent(state)) return 'state inconsistent'
  return `state ${decide(state)}`
}

/** Values that each parse and do not belong together, as in a position of another size than its fills. */
function isConsistent(state: StrategyState): boolean {
  const position = positionOf(state.phase)
  return position === null || (dec(position.quantity).gt(0) && fromIso(position.openedAt) <= fromIso(state.updatedAt))
}

async function run(input: unknown): Promise<string> {
  const item = input as Item
  const { items, written } = tableOf(item)
  const mode = item.pk.startsWith('LIVE') ? 'live' : 'paper'
  const store = createStore(items, 'fuzz', mode)
  const [kind = ''] = item.sk.split('#')
  switch (kind) {
    case 'STATE':
      return readState(store, item, written)
    case 'BOOK':
      return `book ${(await read(() => store.loadBook('eth-perp'))) === 'refused' ? 'refused' : 'read'}`
    case 'CLEARANCE':
      return `clearance ${(await read(() => store.loadClearance('eth-perp'))) === 'refused' ? 'refused' : 'read'}`
    default: {
      const lists = {
        CYCLE: store.listCycles,
        TRADE: store.listTrades,
        ORDER: store.listOrders,
        FILL: store.listFills,
        FUNDING: store.listFunding,
        EQUITY: store.listEquity,
      }
      const page = await lists[kind as keyof typeof lists]('eth-perp', { limit: 9 })
      law(page.items.length + page.skipped.length === 1, 'an item is listed or named')
      law(
        page.skipped.every(({ pk, sk }) => pk === item.pk && sk === item.sk),
        'a skipped item is named',
      )
      if (kind === 'CYCLE') await read(() => store.loadCycle('eth-perp', item.sk.slice(6), 'act'))
      return `${kind.toLowerCase()} ${page.items.length === 1 ? 'listed' : 'skipped'}`
    }
  }
}

export const storedItems = { name: 'stored items', make, run }
