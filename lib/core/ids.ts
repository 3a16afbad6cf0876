import { sha256 } from './canonical-json.ts'
import { type EpochMs, toIso } from './time.ts'

/** What an order is for; a part of its identity. */
export type Leg = 'entry' | 'protect' | 'close'

/** Identity of a decision cycle, safe in a shell and in a URL: `eth-perp-20261102T0930Z`. */
export function cycleIdOf(strategyId: string, slot: EpochMs): string {
  return `${strategyId}-${compactTime(slot)}`
}

/**
 * The client order id of an intent: a UUID (RFC 9562 version 8) made of strategy, slot, leg and attempt.
 * The same intent always has the same id, on any machine, after any crash; a venue can therefore
 * recognise a repetition.
 */
export function clientOrderIdOf(strategyId: string, slot: EpochMs, leg: Leg, attempt: number): string {
  return uuidOf(`hourhand|${strategyId}|${toIso(slot)}|${leg}|${attempt}`)
}

/** Identity of a trade: the cycle that decided it and the fill that opened it. */
export const tradeIdOf = (cycleId: string, firstFillId: string): string => `${cycleId}-${sha256(firstFillId).slice(0, 6)}`

/** `20261102T0930Z`, with seconds only where the instant has them. */
function compactTime(instant: EpochMs): string {
  return toIso(instant).replace(/[-:]/g, '').replace(/00Z$/, 'Z')
}

/** The id of an order that a venue makes by itself as part of another: an attached bracket. */
export function childOrderIdOf(parentClientOrderId: string): string {
  return uuidOf(`hourhand|child|${parentClientOrderId}`)
}

/** RFC 9562 version 8 UUID from the SHA-256 of a text. */
function uuidOf(text: string): string {
  const hex = sha256(text)
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
