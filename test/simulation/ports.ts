import { createCoinbaseBroker } from '../../lib/venue/coinbase/coinbase-broker.ts'
import { NoAnswerError, type Transport, type WireRequest } from '../../lib/venue/coinbase/wire.ts'
import type { Broker } from '../../lib/venue/broker.ts'
import type { Decider } from '../../lib/decision/decider.ts'
import type { MarketData } from '../../lib/market/market-data.ts'
import { type Item, type ItemStore, StoreError } from '../../lib/store/item-store.ts'
import { createStore } from '../../lib/store/store.ts'
import type { CyclePorts } from '../../lib/cycle/cycle-ports.ts'
import type { Decision, DecisionOutcome } from '../../schemas/decision.ts'
import type { StrategyConfig } from '../../schemas/strategy-config.ts'
import type { VenueRequest } from '../support/coinbase/request.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { Observer } from './observer.ts'
import type { Rates } from './scenario.ts'
import type { Simulator } from './simulator.ts'

/** What the venue does with a request that reached it. */
export type VenueDoor = (request: VenueRequest) => { status: number; text: string }

export type PortsOptions = {
  life: Life
  sim: Simulator
  config: StrategyConfig
  items: ItemStore
  venue: VenueDoor
  market: MarketData
  decide: (slot: number) => Decision
  /** Whether the model is gone at an instant. */
  isModelGone: (at: number) => boolean
  /** How much longer than usual the venue's answers take at an instant. */
  slownessAt: (at: number) => number
  /** Draws the misfortunes of this life's calls. */
  chance: Chance
  rates: Rates
  observer: Observer
  warm: WarmBroker
}

/**
 * A broker as a deployed function has it: made at the cold start and kept for the invocations that follow in the same
 * process, with all that it remembers of the venue.
 */
export class WarmBroker {
  readonly broker: Broker
  private current: { life: Life; transport: Transport } | null = null

  constructor(config: StrategyConfig, sim: Simulator) {
    const running = () => {
      if (this.current === null) throw new Error('nobody is at work in this process')
      return this.current
    }
    this.broker = createCoinbaseBroker({
      transport: (request, timeoutMs, sendBy) => running().transport(request, timeoutMs, sendBy),
      config,
      clock: () => sim.now,
      sleep: (ms) => running().life.sleep(ms),
    })
  }

  /** From now on it works for this invocation. */
  serve(life: Life, transport: Transport): Broker {
    this.current = { life, transport }
    return this.broker
  }
}

/** The ports of one invocation, each behind a network that loses, delays and repeats, and a process that may die. */
export function createSimPorts(options: PortsOptions): CyclePorts {
  const { life, config, observer } = options
  const broker = options.warm.serve(life, createTransport(options))
  return {
    config,
    clock: () => life.now(),
    sleep: (ms) => life.sleep(ms),
    store: createStore(createItems(options), life.name, config.mode),
    broker: watchPlacing(broker, observer),
    market: createMarket(options),
    decider: createDecider(options),
    news: { headlines: async () => ({ headlines: [], feeds: [] }) },
    telemetry: { log: (level, message, fields) => observer.log(life.name, level, message, fields), metric() {} },
    events: {
      publish: (events) =>
        life.call('bus', { outMs: 5, backMs: 5 }, () => {
          // A bus that fails is logged by its adapter and never rejects.
          if (misfortune(options, 'bus', options.rates.bus)) return
          for (const event of events) observer.told(event)
        }),
    },
    schedule: {
      disable: (reason) =>
        life.call('schedule', { outMs: 5, backMs: 5 }, () =>
          observer.scheduleIs(misfortune(options, 'schedule', options.rates.bus) ? null : 'off', reason),
        ),
      enable: () => life.call('schedule', { outMs: 5, backMs: 5 }, () => observer.scheduleIs('on', '')),
    },
    codeVersion: 'simulation',
    liveBarriers: async () => [],
  }
}

/** Draws one misfortune; the invocation it befalls is excused for what it leaves undone. */
function misfortune({ life, chance, observer }: PortsOptions, kind: string, probability: number): boolean {
  if (!chance.happens(probability)) return false
  life.isDisturbed = true
  observer.fault(kind)
  return true
}

function watchPlacing(broker: Broker, observer: Observer): Broker {
  return {
    ...broker,
    async place(order, deadline) {
      const placement = await broker.place(order, deadline)
      observer.placed(order, placement)
      return placement
    },
  }
}

function createItems(options: PortsOptions): ItemStore {
  const { life, items, chance, rates, observer } = options
  const latency = () => ({ outMs: chance.whole(1, 12), backMs: chance.whole(1, 12) })
  const lost = () => new StoreError('simulated: no answer from the database')
  return {
    get: (pk, sk) =>
      life.call(`get ${sk.split('#')[0]}`, latency(), () => {
        if (misfortune(options, 'store read fails', rates.store)) throw lost()
        return items.get(pk, sk)
      }),
    put: (item, condition) =>
      life.call(`put ${item.sk.split('#')[0]}`, latency(), async () => {
        if (misfortune(options, 'store write lost before its effect', rates.store / 2)) throw lost()
        const outcome = await items.put(item, condition)
        if (outcome === 'ok') observer.stored(item as Item)
        if (misfortune(options, 'store answer lost after the effect', rates.store / 2)) throw lost()
        return outcome
      }),
    query: (query) => life.call('query', latency(), () => items.query(query)),
  }
}

function createTransport(options: PortsOptions): Transport {
  const { life, sim, venue, chance, rates, observer } = options
  return async (request, timeoutMs, sendBy) => {
    let outMs = chance.whole(10, 90)
    let backMs = chance.whole(10, 90)
    const draw = chance.happens(request.method === 'POST' ? rates.venueWrite : rates.venue)
      ? chance.pick(MISFORTUNES)
      : null
    if (draw !== null) {
      life.isDisturbed = true
      observer.fault(`venue: ${draw}`)
    }
    const slowMs = options.slownessAt(sim.now)
    if (slowMs > 0) {
      life.isDisturbed = true
      observer.fault('venue: slow')
      outMs += Math.round(slowMs / 2)
      backMs += Math.round(slowMs / 2)
    }
    if (draw === 'late before its effect') outMs = chance.whole(4_000, 25_000)
    if (draw === 'late after its effect') backMs = chance.whole(4_000, 25_000)
    if (sendBy !== undefined && sim.now > sendBy)
      throw new NoAnswerError('simulated: too late to send', { wasSent: false })
    const reach = () => {
      const given = venue(wireToVenue(request))
      observer.reached(request, given)
      return given
    }
    // The caller waits no longer than its deadline; what it has sent goes its way all the same.
    const isLate = outMs + backMs > timeoutMs
    const onSend = () => {
      observer.sent(request)
      if (isLate) sim.after(outMs, reach)
    }
    const answer = await life.call(
      `${request.method} ${request.endpoint}`,
      isLate ? { outMs: timeoutMs, backMs: 0 } : { outMs, backMs },
      () => {
        switch (draw) {
          case 'lost before its effect':
          case 'refused connection':
            return null
          case '429':
            return { status: 429, text: '{"error":"RATE_LIMIT_EXCEEDED"}' }
          case '503 before its effect':
            return { status: 503, text: 'upstream connect error' }
          default:
            return isLate ? null : reach()
        }
      },
      onSend,
    )
    if (answer === null)
      throw new NoAnswerError('simulated: no complete answer in time', { wasSent: draw !== 'refused connection' })
    switch (draw) {
      case 'answer lost after its effect':
        throw new NoAnswerError('simulated: the answer was lost', { wasSent: true })
      case '500 after its effect':
        return { status: 500, text: '{"error":"internal"}' }
      case 'truncated after its effect':
        return { status: 200, text: answer.text.slice(0, Math.floor(answer.text.length / 2)) }
      default:
        return answer
    }
  }
}

const MISFORTUNES = [
  'lost before its effect',
  'answer lost after its effect',
  'late before its effect',
  'late after its effect',
  'refused connection',
  '429',
  '503 before its effect',
  '500 after its effect',
  'truncated after its effect',
] as const satisfies readonly [string, ...string[]]

const wireToVenue = ({ method, path, query, body }: WireRequest): VenueRequest => ({ method, path, query, body })

function createMarket({ life, market, chance }: PortsOptions): MarketData {
  const latency = () => ({ outMs: chance.whole(5, 40), backMs: chance.whole(5, 40) })
  return {
    ...market,
    candles: (query) => life.call('candles', latency(), () => market.candles(query)),
    quote: (symbol) => life.call('quote', latency(), () => market.quote(symbol, life.now())),
  }
}

/** A model that mostly answers, at times slowly, at times not at all. */
function createDecider(options: PortsOptions): Decider {
  const { life, chance, rates, decide, isModelGone, observer } = options
  return {
    name: 'simulated',
    asksModel: true,
    async decide({ snapshot }): Promise<DecisionOutcome> {
      const isTroubled = misfortune(options, 'model fails or is slow', rates.model)
      const drawn = isTroubled ? chance.pick(['slow', 'failed', 'throws']) : 'answers'
      const isGone = isModelGone(life.now())
      if (isGone) observer.fault('model is gone')
      const how = isGone ? 'failed' : drawn
      const waitMs = how === 'slow' ? chance.whole(20_000, 150_000) : chance.whole(500, 6_000)
      return life.call('model', { outMs: waitMs, backMs: 10 }, () => {
        if (how === 'throws') throw new Error('simulated: the decider has a bug')
        const decision: Decision =
          how === 'failed' ? { action: 'hold', rationale: 'no answer' } : decide(Date.parse(snapshot.slot))
        const failure = how === 'failed' ? ({ kind: 'timeout', message: 'simulated' } as const) : null
        return {
          decision,
          decider: 'simulated',
          model: null,
          failure,
          attempts: [],
          usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
        }
      })
    },
  }
}
