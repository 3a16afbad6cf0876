import { intervalMsOf } from '../../lib/core/interval.ts'
import { type EpochMs, MINUTE_MS } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import type { VenueSwitches } from '../support/coinbase/options.ts'
import { Chance } from './chance.ts'
import { LEVEL } from './market.ts'

export const START = Date.parse('2026-03-10T12:00:00Z')

/** Chances of misfortune, each for one call of the port concerned. */
export type Rates = {
  crash: number
  /** The venue's answer or the request is lost, late, broken, or an error. */
  venue: number
  /** The same for what changes something there, or asks how it would. */
  venueWrite: number
  /** An order is refused for a reason of the venue's. */
  refusal: number
  /** A read or write of the database fails; a failed write may have taken effect. */
  store: number
  /** The model fails, or takes its time. */
  model: number
  /** The event bus or the schedule switch fails. */
  bus: number
}

export const NO_RATES: Rates = { crash: 0, venue: 0, venueWrite: 0, refusal: 0, store: 0, model: 0, bus: 0 }

export type Delivery = { at: EpochMs; of: 'cycle' | 'enforce' | 'halt' | 'resume'; scheduledFor: EpochMs }

/** What somebody does at the venue behind our back. */
export type Hand = {
  at: EpochMs
  does: 'close' | 'reduce' | 'cancel_exits' | 'deposit' | 'withdraw' | 'place_bracket' | 'liquidate' | 'open' | 'add'
}

export type SimDecision =
  | { action: 'open_long' | 'open_short'; stopPercent: number; targetPercent: number }
  | { action: 'close' }
  | { action: 'hold' }

/** One strategy's life, decided beforehand but for the faults, which are drawn as calls are made. */
export type Scenario = {
  name: string
  /** Time between decisions, as a configuration has it. */
  interval: string
  minutes: number
  /** At its end nothing goes wrong any more, for so long. */
  quietMinutes: number
  bars: Candle[]
  deliveries: Delivery[]
  hands: Hand[]
  /** By slot; a slot that is not here holds. */
  decisions: ReadonlyMap<EpochMs, SimDecision>
  rates: Rates
  /** Account limits, mostly out of reach, and how long a loss keeps entries out. */
  limits: { maxDailyLoss: number; maxDrawdown: number; cooldownMinutesAfterLoss: number }
  /** While each of the venue's answers takes so long that deadlines pass on the way to an order. */
  slow: { from: EpochMs; to: EpochMs; ms: number } | null
  /** Slots from `from` on, before `to`, at which the model gives no answer, whoever asks. */
  outage: { from: EpochMs; to: EpochMs } | null
  closures: { from: EpochMs; to: EpochMs }[]
  switches: Partial<VenueSwitches>
  venue: { minSize: number; depth: number; fundingRate: string; attachBracket: boolean; tradesPerSizeStep: number }
}

/** Passes within which whatever happened has to be in order again. */
export const QUIET_MINUTES = 8

/** The scenario of a seed: a life of a few slots at long intervals, and of an hour or so at short ones. */
export function scenarioOf(seed: number, interval = '30m'): Scenario {
  const chance = new Chance('scenario', seed)
  const slotMs = intervalMsOf({ interval })
  const lengths = slotMs < 5 * MINUTE_MS ? ([15, 20, 30] as const) : ([35, 65, 95] as const)
  const minutes = chance.pick<number>(lengths) * Math.max(1, slotMs / (30 * MINUTE_MS))
  const storm = chance.pick([0, 0.3, 1, 1, 3])
  return {
    name: `seed ${seed}`,
    interval,
    minutes,
    quietMinutes: QUIET_MINUTES,
    bars: walk(new Chance('prices', seed), minutes),
    deliveries: deliveriesOf(new Chance('deliveries', seed), minutes, slotMs),
    hands: handsOf(new Chance('hands', seed), minutes, slotMs),
    decisions: decisionsOf(new Chance('decisions', seed), minutes, slotMs),
    rates: {
      crash: 0.002 * storm,
      venue: 0.02 * storm,
      venueWrite: 0.12 * storm,
      refusal: 0.12 * storm,
      store: 0.01 * storm,
      model: 0.1,
      bus: 0.05 * storm,
    },
    limits: limitsOf(new Chance('limits', seed)),
    slow: slowOf(new Chance('slow', seed), minutes, slotMs),
    outage: outageOf(new Chance('outage', seed), minutes),
    closures: chance.happens(0.15)
      ? [closureFrom(START + chance.whole(3, minutes - 10) * MINUTE_MS, chance.whole(2, 12))]
      : [],
    switches: {
      settlesRealisedAtOnce: chance.happens(0.3),
      duplicateIds: chance.pick(['first', 'refuse']),
      refusesAttachedBrackets: chance.happens(0.3),
      refusesSorIoc: chance.happens(0.15),
      refusesStackedBrackets: chance.happens(0.5),
      failureReasons: chance.pick(['full', 'full', 'preview', 'none']),
      amountsAsObjects: chance.happens(0.2),
      listLagMs: chance.happens(0.25) ? chance.whole(200, 8_000) : 0,
      pendingMs: chance.happens(0.3) ? chance.whole(50, 3_000) : 0,
      cancelMs: chance.happens(0.3) ? chance.whole(50, 3_000) : 0,
      liquidationCancelsOrders: chance.happens(0.5),
      sweepsExcess: chance.happens(0.3),
    },
    venue: {
      minSize: chance.pick([1, 3, 8]),
      depth: chance.pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 2]),
      fundingRate: chance.pick(['0.00001', '-0.00004', '0.0002']),
      attachBracket: chance.happens(0.7),
      tradesPerSizeStep: 1,
    },
  }
}

export const FAR_LIMITS: Scenario['limits'] = { maxDailyLoss: 0.05, maxDrawdown: 0.15, cooldownMinutesAfterLoss: 0 }

/** In two of three lives one of the account limits is so near that a trade of the smallest size may reach it. */
function limitsOf(chance: Chance): Scenario['limits'] {
  const near = chance.pick([0.0001, 0.0003, 0.0008])
  return {
    ...FAR_LIMITS,
    ...chance.pick<Partial<Scenario['limits']>>([{}, { maxDailyLoss: near }, { maxDrawdown: near }]),
    cooldownMinutesAfterLoss: chance.pick([0, 0, 25, 45]),
  }
}

/** In one life of four the venue is slow around a slot: too slow, at times, to send what the slot decides. */
function slowOf(chance: Chance, minutes: number, slotMs: number): Scenario['slow'] {
  if (!chance.happens(0.25)) return null
  const from = START + chance.whole(0, Math.floor((minutes * MINUTE_MS) / slotMs)) * slotMs - 10_000
  return { from, to: from + chance.whole(2, 8) * MINUTE_MS, ms: chance.whole(2_500, 7_000) }
}

/** In one life of four the model is gone for a while: for some slots, or in the middle of one. */
function outageOf(chance: Chance, minutes: number): Scenario['outage'] {
  if (!chance.happens(0.25)) return null
  const from = START + chance.whole(0, minutes) * MINUTE_MS
  return { from, to: from + chance.whole(2, minutes) * MINUTE_MS }
}

const closureFrom = (from: EpochMs, minutes: number) => ({ from, to: from + minutes * MINUTE_MS })

/** Minutes after the last delivery in which the price stands still. */
const STILL_MINUTES = 20

/**
 * One-minute bars from half an hour before the start: a random walk with a jump now and then, and stillness at the end.
 */
function walk(chance: Chance, minutes: number): Candle[] {
  const volatility = chance.pick([0.0004, 0.001, 0.002])
  let last = LEVEL
  return Array.from({ length: 30 + minutes + STILL_MINUTES }, (_, index) => {
    if (index >= 30 + minutes)
      return { time: START + (index - 30) * MINUTE_MS, open: last, high: last, low: last, close: last, volume: 10 }
    const open = chance.happens(0.02) ? last * (1 + chance.normal() * 0.02) : last
    const close = open * (1 + chance.normal() * volatility)
    const high = Math.max(open, close) * (1 + Math.abs(chance.normal()) * volatility * 0.5)
    const low = Math.min(open, close) * (1 - Math.abs(chance.normal()) * volatility * 0.5)
    last = close
    return { time: START + (index - 30) * MINUTE_MS, open, high, low, close, volume: 10 }
  })
}

/** The schedules of both functions, with late, missed, repeated and overlapping deliveries, and a person's halts. */
function deliveriesOf(chance: Chance, minutes: number, slotMs: number): Delivery[] {
  const deliveries: Delivery[] = []
  const every = chance.pick([1, 1, 2])
  // At times enforcement stands still for long, and only cycles look.
  const gapFrom = chance.whole(5, minutes)
  const gap = chance.happens(0.25) ? { from: gapFrom, to: gapFrom + chance.whole(20, 60) } : { from: 0, to: 0 }
  for (let minute = 1; minute < minutes; minute += every) {
    if (chance.happens(0.04) || (minute >= gap.from && minute < gap.to)) continue
    const scheduledFor = START + minute * MINUTE_MS
    deliveries.push({ of: 'enforce', scheduledFor, at: scheduledFor + chance.whole(0, 1_500) })
    if (chance.happens(0.04))
      deliveries.push({ of: 'enforce', scheduledFor, at: scheduledFor + chance.whole(0, 30_000) })
  }
  for (let scheduledFor = START; scheduledFor < START + minutes * MINUTE_MS; scheduledFor += slotMs) {
    if (chance.happens(0.05)) continue
    const lateMs = chance.happens(0.1) ? chance.whole(0, Math.min(40 * MINUTE_MS, 4 * slotMs)) : chance.whole(0, 2_000)
    deliveries.push({ of: 'cycle', scheduledFor, at: scheduledFor + lateMs })
    for (let copies = 0; copies < 3; copies++)
      if (chance.happens(0.25))
        deliveries.push({
          of: 'cycle',
          scheduledFor,
          at: scheduledFor + lateMs + chance.whole(0, Math.min(10 * MINUTE_MS, 4 * slotMs)),
        })
  }
  if (chance.happens(0.15)) {
    const at = START + chance.whole(1, minutes - 5) * MINUTE_MS + chance.whole(0, 59_000)
    deliveries.push({ of: 'halt', scheduledFor: at, at })
    if (chance.happens(0.5))
      deliveries.push({ of: 'resume', scheduledFor: at, at: at + chance.whole(1, 20) * MINUTE_MS })
  }
  return deliveries.filter(({ at }) => at < START + minutes * MINUTE_MS)
}

function handsOf(chance: Chance, minutes: number, slotMs: number): Hand[] {
  if (!chance.happens(0.5)) return []
  return Array.from({ length: chance.whole(1, 4) }, () => ({
    at: chance.happens(0.5)
      ? START + chance.whole(1, minutes - 6) * MINUTE_MS + chance.whole(0, 59_999)
      : nearSlot(chance, minutes, slotMs),
    does: chance.pick([
      'close',
      'reduce',
      'cancel_exits',
      'deposit',
      'withdraw',
      'place_bracket',
      'liquidate',
      'open',
      'add',
    ]),
  }))
}

/** Shortly before or after a slot begins, when a cycle is about to look. */
const nearSlot = (chance: Chance, minutes: number, slotMs: number): EpochMs =>
  START + chance.whole(1, Math.floor((minutes * MINUTE_MS) / slotMs)) * slotMs + chance.whole(-20_000, 4_000)

function decisionsOf(chance: Chance, minutes: number, slotMs: number): Map<EpochMs, SimDecision> {
  const decisions = new Map<EpochMs, SimDecision>()
  for (let slot = START; slot < START + minutes * MINUTE_MS; slot += slotMs) {
    const kind = chance.pick(['long', 'long', 'short', 'short', 'close', 'hold'])
    const stopPercent = chance.between(0.2, 2)
    const targetPercent = chance.between(0.2, 2)
    const decision: SimDecision =
      kind === 'close' || kind === 'hold'
        ? { action: kind }
        : { action: kind === 'long' ? 'open_long' : 'open_short', stopPercent, targetPercent }
    decisions.set(slot, decision)
  }
  return decisions
}
