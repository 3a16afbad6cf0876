import { createPaperBroker } from '../../lib/venue/paper/paper-broker.ts'
import { withSpread } from '../../lib/venue/paper/spread.ts'
import type { Broker } from '../../lib/venue/broker.ts'
import { loadConfig } from '../../lib/config/load-config.ts'
import { DAY_MS, MINUTE_MS, toIso } from '../../lib/core/time.ts'
import type { CyclePorts } from '../../lib/cycle/cycle-ports.ts'
import { runCycle } from '../../lib/cycle/run-cycle.ts'
import { runEnforcement } from '../../lib/execution/run-enforcement.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import type { ItemStore } from '../../lib/store/item-store.ts'
import { createMemoryItems } from '../../lib/store/memory-items.ts'
import { createStore } from '../../lib/store/store.ts'
import type { LogFields } from '../../lib/telemetry/telemetry.ts'
import type { Decision, DecisionOutcome } from '../../schemas/decision.ts'
import type { DomainEvent } from '../../schemas/event.ts'
import type { PaperBook } from '../../schemas/paper-book.ts'
import type { StrategyState } from '../../schemas/state.ts'
import { createArrayMarket, minuteBars } from '../support/array-market.ts'
import { RISKING } from '../support/risking.ts'

export const SLOT = Date.parse('2026-03-10T12:00:00Z')
export const LEVEL = 2000
const WARM_UP_MS = 8 * DAY_MS

/** A flat market around {@link LEVEL}, bent from {@link SLOT} on by `shape` (by minute after the slot). */
export const marketAround = (shape: (minute: number) => number = () => 0): MarketData => {
  const from = SLOT - WARM_UP_MS
  const before = WARM_UP_MS / MINUTE_MS
  return createArrayMarket(
    'ETP-20DEC30-CDE',
    minuteBars(from, before + 5 * 1440, LEVEL, (minute) => (minute <= before ? 0 : shape(minute - before))),
  )
}

export const LONG: Decision = {
  action: 'open_long',
  stopLossPrice: LEVEL - 20,
  takeProfitPrice: LEVEL + 50,
  confidence: 0.8,
  invalidation: 'it falls',
  rationale: 'it rises',
}
export const SHORT: Decision = {
  action: 'open_short',
  stopLossPrice: LEVEL + 20,
  takeProfitPrice: LEVEL - 50,
  confidence: 0.8,
  invalidation: 'it rises',
  rationale: 'it falls',
}
export const CLOSE: Decision = { action: 'close', rationale: 'enough' }
export const HOLD: Decision = { action: 'hold', rationale: 'nothing to do' }

export const outcomeOf = (decision: Decision): DecisionOutcome => ({
  decision,
  decider: 'scripted',
  model: null,
  failure: null,
  attempts: [],
  usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
})

export type WorldOptions = {
  decide?: () => Decision | DecisionOutcome | Promise<Decision | DecisionOutcome>
  market?: MarketData
  overrides?: Record<string, unknown>
  items?: ItemStore
  writer?: string
  wrapBroker?: (broker: Broker) => Broker
}

/** A broker that cannot answer everything at once: each answer can then be changed. */
export function oneByOne(broker: Broker): Broker {
  const { readAll: _together, ...rest } = broker
  return rest
}

/** Everything a cycle touches, in memory, with the clock in the test's hand. */
export function createWorld({
  decide = () => LONG,
  market = marketAround(),
  overrides = {},
  items = createMemoryItems(),
  writer = 'world',
  wrapBroker,
}: WorldOptions = {}) {
  const config = loadConfig({
    overrides: {
      market: { referenceSymbol: null },
      guard: { minStopAtr: 0.1, cooldownMinutesAfterLoss: 0 },
      sizing: RISKING,
      ...overrides,
    },
  })
  const time = { now: SLOT }
  const clock = () => time.now
  const asked: string[] = []
  const events: DomainEvent[] = []
  const logs: { level: string; message: string; fields: LogFields | undefined }[] = []
  const schedule = { disabled: [] as string[], enabled: 0 }
  const store = createStore(items, writer)
  const spread = withSpread(market, config.paper.spreadBps)
  const paper = createPaperBroker({ config, market: spread, store, clock })
  const decider: Decider = {
    name: 'scripted',
    asksModel: true,
    async decide({ snapshot }) {
      asked.push(snapshot.cycleId)
      const answer = await decide()
      return 'decision' in answer ? answer : outcomeOf(answer)
    },
  }
  const ports: CyclePorts = {
    config,
    clock,
    sleep: async (ms) => {
      time.now += ms
    },
    store,
    broker: wrapBroker === undefined ? paper : wrapBroker(oneByOne(paper)),
    market: spread,
    telemetry: { log: (level, message, fields) => logs.push({ level, message, fields }), metric() {} },
    events: {
      async publish(published) {
        events.push(...published)
      },
    },
    schedule: {
      async disable(reason) {
        schedule.disabled.push(reason)
      },
      async enable() {
        schedule.enabled += 1
      },
    },
    news: {
      headlines: async () => ({ headlines: [], feeds: [{ source: 'dead', ok: false, items: 0, problem: 'timeout' }] }),
    },
    decider,
    codeVersion: 'test',
    liveBarriers: async () => [],
  }
  const state = async (): Promise<StrategyState> => {
    const found = await store.loadState(config.id)
    if (found === null) throw new Error('no state yet')
    return found
  }
  const book = async (): Promise<PaperBook> => {
    const found = await store.loadBook(config.id)
    if (found === null) throw new Error('no book yet')
    return found
  }
  return {
    config,
    items,
    store,
    ports,
    time,
    asked,
    events,
    logs,
    schedule,
    state,
    book,
    /** A hand at the venue: changes its book behind our back. */
    tamper: async (change: (book: PaperBook) => PaperBook) => {
      await ports.broker.account()
      const changed = await store.saveBook(config.id, change(await book()), false)
      if (changed.outcome !== 'saved') throw new Error('the book moved')
    },
    cycle: (scheduledFor = time.now, dryRun = false) => runCycle(ports, { scheduledFor, dryRun }),
    enforce: () => runEnforcement(ports),
    /** Moves on by minutes, with an enforcement pass at each. */
    pass: async (minutes: number) => {
      const results = []
      for (let minute = 0; minute < minutes; minute++) {
        time.now = (Math.floor(time.now / MINUTE_MS) + 1) * MINUTE_MS
        results.push(await runEnforcement(ports))
      }
      return results
    },
    trades: async () => (await store.listTrades(config.id, { limit: 100 })).items,
    orders: async () => (await store.listOrders(config.id, { limit: 100 })).items,
    at: (offsetMinutes: number) => toIso(SLOT + offsetMinutes * MINUTE_MS),
  }
}

export type World = ReturnType<typeof createWorld>
