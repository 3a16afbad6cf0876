import { z } from 'zod'
import { type EpochMs, fromIso } from '../../../lib/core/time.ts'
import type { FakeVenue } from './fake-venue.ts'
import type { Fault, FaultRule } from './faults.ts'
import { DEFAULT_SWITCHES, type VenueSwitches } from './options.ts'
import { isRecord } from './request.ts'

const FAULT_KINDS: Readonly<Record<Exclude<Fault['kind'], 'tamper'>, true>> = {
  refuse_connection: true,
  drop: true,
  delay: true,
  arrive_late: true,
  stall: true,
  truncate: true,
  cut: true,
  status: true,
  unauthorized: true,
  forbidden: true,
  rate_limited: true,
  reject: true,
  partial_fill: true,
  childless: true,
  other_bracket: true,
  invisible: true,
  late_failure: true,
  wrong_echo: true,
}

const ControlTime = z.union([
  z.strictObject({ at: z.union([z.number(), z.string()]) }),
  z.strictObject({ advanceMs: z.number().nonnegative() }),
])
const ControlRule = z.custom<FaultRule>(
  (value) =>
    isRecord(value) &&
    isRecord(value['fault']) &&
    typeof value['fault']['kind'] === 'string' &&
    value['fault']['kind'] in FAULT_KINDS,
  'not a fault rule',
)
const ControlSwitches = z.custom<Partial<VenueSwitches>>(
  (value) => isRecord(value) && Object.keys(value).every((key) => key in DEFAULT_SWITCHES),
  'unknown switch',
)
const Side = z.enum(['BUY', 'SELL'])
const ControlHand = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('close'), contracts: z.int().positive().optional() }),
  z.strictObject({ action: z.literal('reduce'), contracts: z.int().positive() }),
  z.strictObject({ action: z.literal('openPosition'), side: Side, contracts: z.int().positive() }),
  z.strictObject({
    action: z.literal('placeBracket'),
    side: Side,
    contracts: z.int().positive(),
    limitPrice: z.string(),
    stopPrice: z.string(),
  }),
  z.strictObject({ action: z.literal('placeLimit'), side: Side, contracts: z.int().positive(), price: z.string() }),
  z.strictObject({ action: z.literal('cancelOrder'), orderId: z.string() }),
  z.strictObject({ action: z.literal('cancelAll') }),
  z.strictObject({ action: z.literal('failOrder'), orderId: z.string() }),
  z.strictObject({
    action: z.literal('fillOrder'),
    orderId: z.string(),
    contracts: z.int().positive(),
    price: z.string().optional(),
  }),
  z.strictObject({ action: z.literal('deposit'), amount: z.string() }),
  z.strictObject({ action: z.literal('liquidate') }),
])
export type ControlHand = z.infer<typeof ControlHand>

/** The venue's clock, where the driver may move it. */
export type ControlledClock = { now(): EpochMs; set?: (instant: EpochMs) => void }

/**
 * What a driver in another process asks of the venue, by the last part of `/control/…`: `time` {at | advanceMs},
 * `hand` {action, …}, `truth`, `misbehave` (a fault rule), `behave`, `switches` (some of them), `requests`. Throws on
 * what it does not understand.
 */
export function control(venue: FakeVenue, clock: ControlledClock, command: string, body: unknown): unknown {
  switch (command) {
    case 'time': {
      const wanted = ControlTime.parse(body ?? {})
      if (clock.set === undefined) throw new RangeError('this venue runs on a clock of its own')
      clock.set(
        'advanceMs' in wanted
          ? clock.now() + wanted.advanceMs
          : typeof wanted.at === 'number'
            ? wanted.at
            : fromIso(wanted.at),
      )
      venue.play()
      return { at: clock.now() }
    }
    case 'hand':
      return { orderId: lend(venue, ControlHand.parse(body)) }
    case 'truth':
      return venue.truth()
    case 'misbehave':
      venue.misbehave(ControlRule.parse(body))
      return {}
    case 'behave':
      venue.behave()
      return {}
    case 'switches':
      Object.assign(venue.switches, ControlSwitches.parse(body))
      return venue.switches
    case 'requests':
      return venue.requests
    default:
      throw new RangeError(`no control ${command}`)
  }
}

function lend({ hand }: FakeVenue, wanted: ControlHand): string | null {
  switch (wanted.action) {
    case 'close':
    case 'reduce':
      return hand.close(wanted.contracts)
    case 'openPosition':
      return hand.openPosition(wanted.side, wanted.contracts)
    case 'placeBracket':
      return hand.placeBracket(wanted)
    case 'placeLimit':
      return hand.placeLimit(wanted)
    case 'cancelOrder':
      hand.cancelOrder(wanted.orderId)
      return null
    case 'cancelAll':
      hand.cancelAll()
      return null
    case 'failOrder':
      hand.failOrder(wanted.orderId)
      return null
    case 'fillOrder':
      hand.fillOrder(wanted.orderId, wanted.contracts, wanted.price)
      return null
    case 'deposit':
      hand.deposit(wanted.amount)
      return null
    case 'liquidate':
      hand.liquidate()
      return null
    default:
      return wanted satisfies never
  }
}
