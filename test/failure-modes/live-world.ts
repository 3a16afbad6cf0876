import { createCoinbaseBroker } from '../../lib/venue/coinbase/coinbase-broker.ts'
import type { Transport } from '../../lib/venue/coinbase/wire.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { money } from '../../lib/core/decimal.ts'
import { MINUTE_MS, toIso } from '../../lib/core/time.ts'
import { commit, loadOrCreateState, settleOutbox } from '../../lib/execution/commit.ts'
import type { CyclePorts } from '../../lib/cycle/cycle-ports.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { type EnforcementResult, runEnforcement } from '../../lib/execution/run-enforcement.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import { createState } from '../../lib/ledger/transition.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import type { Candle } from '../../schemas/market.ts'
import type { Decision, EntryDecision } from '../../schemas/decision.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { StrategyState } from '../../schemas/state.ts'
import type { Trade } from '../../schemas/trade.ts'
import { HOLD, LEVEL, outcomeOf, SLOT } from '../cycle/world.ts'
import { createSimMarket, SYMBOL } from '../simulation/market.ts'
import { createFakeVenue, type FakeVenue } from '../support/coinbase/fake-venue.ts'
import type { Fault, FaultRule } from '../support/coinbase/faults.ts'
import { createInProcessTransport } from '../support/coinbase/in-process-transport.ts'
import { createManualClock, type ManualClock } from '../support/coinbase/manual-clock.ts'
import type { VenueOptions } from '../support/coinbase/options.ts'
import { type PricePath, pathOfSteps } from '../support/coinbase/prices.ts'
import type { VenueRequest } from '../support/coinbase/request.ts'
import { RISKING } from '../support/risking.ts'

const words = { confidence: 0.8, invalidation: 'it turns', rationale: 'it goes on' }
/** At {@link LEVEL} with the stop 20 away and the target 50. */
export const LONG: EntryDecision = {
  action: 'open_long',
  stopLossPrice: LEVEL - 20,
  takeProfitPrice: LEVEL + 50,
  ...words,
}
export const SHORT: EntryDecision = {
  action: 'open_short',
  stopLossPrice: LEVEL + 20,
  takeProfitPrice: LEVEL - 50,
  ...words,
}

/** From so many milliseconds after {@link SLOT} on, the price. */
export type Step = { afterMs: number; price: number }

export type LiveWorldOptions = {
  /** What is decided at each slot in turn; after the last one, hold. */
  decisions?: readonly Decision[]
  decider?: Decider
  /** The price is {@link LEVEL} until these say otherwise. */
  steps?: readonly Step[]
  /** The venue's smallest order in contracts, which the first live entries are. */
  minSize?: number
  /** Live trades closed before: with `live.tradesPerSizeStep` of 1, each doubles the size. */
  closedTrades?: number
  venue?: Partial<Omit<VenueOptions, 'clock' | 'price' | 'product'>>
  overrides?: Record<string, unknown>
  wrapMarket?: (market: MarketData) => MarketData
}

/** What replaces the ports of one invocation. */
export type Rewiring = { writer?: string; items?: ItemStore; transport?: Transport; decider?: Decider }

const MINUTES = 300

const barsOf = (path: PricePath): Candle[] =>
  Array.from({ length: MINUTES }, (_, index) => {
    const time = SLOT + (index - 30) * MINUTE_MS
    const { open, high, low, close } = path.bar(time, MINUTE_MS) ?? {
      open: LEVEL,
      high: LEVEL,
      low: LEVEL,
      close: LEVEL,
    }
    return { time, open, high, low, close, volume: 10 }
  })

const scripted = (decisions: readonly Decision[], asked: string[]): Decider => {
  const left = [...decisions]
  return {
    name: 'scripted',
    asksModel: true,
    async decide({ snapshot }) {
      asked.push(snapshot.cycleId)
      return outcomeOf(left.shift() ?? HOLD)
    },
  }
}

/** A strategy in live mode: the real Coinbase broker over a venue in memory, on a clock in the test's hand. */
export async function createLiveWorld(given: LiveWorldOptions = {}) {
  const {
    decisions = [],
    decider,
    steps = [],
    minSize = 10,
    closedTrades = 0,
    venue: options = {},
    overrides = {},
    wrapMarket = (bars) => bars,
  } = given
  const time: ManualClock = createManualClock(SLOT)
  const path = pathOfSteps([
    { from: 0, price: LEVEL },
    ...steps.map(({ afterMs, price }) => ({ from: SLOT + afterMs, price })),
  ])
  const venue = createFakeVenue({ ...options, clock: time.now, price: path, product: { minSize } })
  const config = loadConfig({
    overrides: {
      mode: 'live',
      sizing: RISKING,
      ...overrides,
      market: { source: 'live', symbol: SYMBOL, referenceSymbol: null },
      live: { tradesPerSizeStep: 1 },
    },
  })
  const asked: string[] = []
  const events: DomainEvent[] = []
  const logs: string[] = []
  const schedule = { disabled: [] as string[] }
  const items = createMemoryItems()
  const market = wrapMarket(createSimMarket(barsOf(path), (instant) => path.at(instant)))
  const transport = createInProcessTransport(venue, { advance: time.advance })
  const scriptedDecider = scripted(decisions, asked)

  /** The ports of one process; another writer on the same items is another process. */
  const wire = (rewiring: Rewiring = {}): CyclePorts => ({
    config,
    clock: time.now,
    sleep: async (ms) => time.advance(ms),
    store: createStore(rewiring.items ?? items, rewiring.writer ?? 'world', 'live'),
    broker: createCoinbaseBroker({
      transport: rewiring.transport ?? transport,
      config,
      clock: time.now,
      sleep: async (ms) => time.advance(ms),
    }),
    market,
    telemetry: { log: (level, message) => logs.push(`${level} ${message}`), metric() {} },
    events: {
      async publish(published) {
        events.push(...published)
      },
    },
    schedule: {
      async disable(reason) {
        schedule.disabled.push(reason)
      },
      async enable() {},
    },
    news: { headlines: async () => ({ headlines: [], feeds: [] }) },
    decider: rewiring.decider ?? decider ?? scriptedDecider,
    codeVersion: 'test',
    liveBarriers: async () => [],
  })
  const ports = wire()
  const { store } = ports
  if (closedTrades > 0) {
    const first = createState(config.id, config.instrument, money(venue.truth().cash), toIso(SLOT))
    await store.saveState({ ...first, accounting: { ...first.accounting, tradesClosed: closedTrades } }, true)
  }
  const state = async (): Promise<StrategyState> => {
    const found = await store.loadState(config.id)
    if (found === null) throw new Error('no state yet')
    return found
  }
  return {
    config,
    venue,
    items,
    store,
    ports,
    time,
    asked,
    events,
    logs,
    schedule,
    state,
    wire,
    transport,
    market,
    cycle: (scheduledFor = time.now(), by: CyclePorts = ports) => runCycle(by, { scheduledFor, dryRun: false }),
    enforce: (by: CyclePorts = ports) => runEnforcement(by),
    /** To that many minutes after {@link SLOT}. */
    moveTo: (minute: number) => time.set(SLOT + minute * MINUTE_MS),
    /** Moves on by minutes, with an enforcement pass at each. */
    async pass(minutes: number): Promise<EnforcementResult[]> {
      const results: EnforcementResult[] = []
      for (let minute = 0; minute < minutes; minute++) {
        time.set((Math.floor(time.now() / MINUTE_MS) + 1) * MINUTE_MS)
        results.push(await runEnforcement(ports))
      }
      return results
    },
    /** Somebody presses the stop button. */
    async halt(): Promise<void> {
      const at = toIso(time.now())
      const halted = await commit(ports, await loadOrCreateState(ports), [
        { type: 'halted', at, halt: { at, by: 'operator', rule: null, reason: 'stop' } },
      ])
      await settleOutbox(ports, halted, { own: true })
    },
    trades: async (): Promise<Trade[]> => (await store.listTrades(config.id, { limit: 100 })).items,
    told: () => events.map(({ type }) => type),
    /** Requests that place something, oldest first: entries, brackets and closes. */
    placed: () => placedAt(venue),
    /** What rests at the venue as an exit. */
    exits: () => venue.truth().orders.filter(({ isLive, kind }) => isLive && kind === 'bracket'),
    held: () => venue.truth().position.contracts,
    /** Whether ledger and venue have the same money, to the last digit. */
    sameCash: async () => (await state()).accounting.cash === venue.truth().cash,
  }
}

export type LiveWorld = Awaited<ReturnType<typeof createLiveWorld>>

export type Placing = { kind: 'entry' | 'protect' | 'close'; body: Record<string, unknown>; id: string }

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const PLACING = new Set(['orders', 'orders/close_position'])

function kindOf({ path, body }: VenueRequest): Placing['kind'] {
  if (path === 'orders/close_position') return 'close'
  const configuration = isRecord(body) ? body['order_configuration'] : null
  return isRecord(configuration) && 'trigger_bracket_gtc' in configuration ? 'protect' : 'entry'
}

const placedAt = (venue: FakeVenue): Placing[] =>
  venue.requests
    .filter(({ method, path }) => method === 'POST' && PLACING.has(path))
    .map((request) => {
      const body = isRecord(request.body) ? request.body : {}
      return { kind: kindOf(request), body, id: String(body['client_order_id']) }
    })

/** A fault of the order that opens, protects or closes. */
export const onOrder = (
  kind: Placing['kind'],
  fault: Fault,
  more: Omit<FaultRule, 'on' | 'fault'> = {},
): FaultRule => ({
  on: (request) => request.method === 'POST' && PLACING.has(request.path) && kindOf(request) === kind,
  fault,
  ...more,
})

export { CLOSE, HOLD, LEVEL, outcomeOf, SLOT } from '../cycle/world.ts'
