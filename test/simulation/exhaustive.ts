import { MINUTE_MS } from '../../lib/core/time.ts'
import type { Candle } from '../../schemas/market.ts'
import { LEVEL } from './market.ts'
import { type Delivery, FAR_LIMITS, NO_RATES, QUIET_MINUTES, type Scenario, START } from './scenario.ts'

export type Ending = 'decision' | 'stop' | 'target'
export const ENDINGS: readonly Ending[] = ['decision', 'stop', 'target']

const LIFE_MINUTES = 36

/**
 * A position's life, scripted: a cycle enters, enforcement watches, and the next cycle closes it, or the price
 * reaches its stop or target. Nothing goes wrong in it but what the caller asks for.
 */
export function scriptedLife(ending: Ending, attachBracket: boolean): Scenario {
  const at = (minute: number): number => START + minute * MINUTE_MS
  const deliveries: Delivery[] = [
    { of: 'cycle', at: at(0), scheduledFor: at(0) },
    ...[1, 2, 3, 29, 31, 32, 33].map((minute): Delivery => ({
      of: 'enforce',
      at: at(minute),
      scheduledFor: at(minute),
    })),
    // The event bus delivers at least once: each cycle comes a second time, after its lease.
    { of: 'cycle', at: at(5), scheduledFor: at(0) },
    { of: 'cycle', at: at(30), scheduledFor: at(30) },
    { of: 'cycle', at: at(35), scheduledFor: at(30) },
  ]
  return {
    interval: '30m',
    name: `scripted ${ending}${attachBracket ? '' : ', bracket after the fill'}`,
    minutes: LIFE_MINUTES,
    quietMinutes: QUIET_MINUTES,
    bars: bars(ending),
    deliveries,
    hands: [],
    decisions: new Map([
      [at(0), { action: 'open_long', stopPercent: 1, targetPercent: 1 }],
      [at(30), { action: ending === 'decision' ? 'close' : 'hold' }],
    ]),
    rates: NO_RATES,
    limits: FAR_LIMITS,
    slow: null,
    outage: null,
    closures: [],
    switches: {},
    venue: { minSize: 2, depth: Number.POSITIVE_INFINITY, fundingRate: '0.00001', attachBracket, tradesPerSizeStep: 1 },
  }
}

/**
 * The same in short, for pairs of crashes: a cycle enters, comes again after its lease, and the target is reached. One
 * crash is over within four passes; after two, what a dead pass had to tell may stand until it is five minutes old.
 */
export function shortLife(quietMinutes = 4): Scenario {
  const at = (minute: number): number => START + minute * MINUTE_MS
  return {
    ...scriptedLife('target', false),
    interval: '30m',
    name: 'short life, bracket after the fill',
    minutes: 9,
    quietMinutes,
    bars: bars('target', 6),
    deliveries: [
      { of: 'cycle', at: at(0), scheduledFor: at(0) },
      { of: 'enforce', at: at(1), scheduledFor: at(1) },
      { of: 'cycle', at: at(5), scheduledFor: at(0) },
      { of: 'enforce', at: at(7), scheduledFor: at(7) },
    ],
  }
}

function bars(ending: Ending, turnsAt = 10): Candle[] {
  const level = (minute: number): number =>
    ending === 'decision' || minute < turnsAt ? LEVEL : ending === 'stop' ? LEVEL * 0.98 : LEVEL * 1.02
  return Array.from({ length: 30 + LIFE_MINUTES + 20 }, (_, index) => {
    const minute = index - 30
    const price = level(minute)
    return { time: START + minute * MINUTE_MS, open: price, high: price + 1, low: price - 1, close: price, volume: 10 }
  })
}
