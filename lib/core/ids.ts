import { sha256 } from './canonical-json.ts'
import { type EpochMs, toIso } from './time.ts'

/** What an order is for; a part of its identity. */
export type Leg = 'entry' | 'protect' | 'close'

/** Identity of a decision cycle, safe in a shell and in a URL: `eth-perp-20261102T0930Z`. */
export function cycleIdOf(strategyId: string, slot: EpochMs): string {
  return `${strategyId}-${compactTime(slot)}`
}

/** One digit in every client order id says what the order is for. */
const LEG_DIGITS = { entry: '1', protect: '2', close: '3' } as const

/**
 * The client order id of an intent: a UUID (RFC 9562 version 8) made of strategy, slot, leg and attempt.
 * The same intent always has the same id, on any machine, after any crash; a venue can therefore
 * recognise a repetition, and {@link legOf} an order of ours among a venue's.
 */
export function clientOrderIdOf(strategyId: string, slot: EpochMs, leg: Leg, attempt: number): string {
  return uuidOf(`hourhand|${strategyId}|${toIso(slot)}|${leg}|${attempt}`, LEG_DIGITS[leg], tagOf(strategyId))
}

/** What an order of this strategy is for, read from its client id; null for anybody else's order. */
export function legOf(strategyId: string, clientOrderId: string): Leg | null {
  const digits = clientOrderId.replaceAll('-', '')
  if (!/^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(digits) || !digits.endsWith(tagOf(strategyId))) return null
  return (Object.keys(LEG_DIGITS) as Leg[]).find((leg) => LEG_DIGITS[leg] === digits[13]) ?? null
}

/** Identity of a trade: the cycle that decided it and the fill that opened it. */
export const tradeIdOf = (cycleId: string, firstFillId: string): string =>
  `${cycleId}-${sha256(firstFillId).slice(0, 6)}`

/** The cycle that decided a trade, from the trade's id. */
export const cycleIdIn = (tradeId: string): string => tradeId.replace(/-[0-9a-f]+$/, '')

/** `20261102T0930Z`, with seconds only where the instant has them. */
function compactTime(instant: EpochMs): string {
  return toIso(instant).replace(/[-:]/g, '').replace(/00Z$/, 'Z')
}

/** The id of an order that a venue makes by itself as part of another: an attached bracket. */
export function childOrderIdOf(parentClientOrderId: string): string {
  return uuidOf(`hourhand|child|${parentClientOrderId}`, LEG_DIGITS.protect, parentClientOrderId.slice(-8))
}

/** Eight digits that all orders of a strategy end in. */
const tagOf = (strategyId: string): string => sha256(`hourhand|${strategyId}`).slice(0, 8)

/**
 * RFC 9562 version 8 UUID: 48 + 8 + 2 + 28 bits of the SHA-256 of a text, the leg behind the version, the
 * strategy's tag at the end.
 */
function uuidOf(text: string, leg: string, tag: string): string {
  const hex = sha256(text)
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${leg}${hex.slice(14, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 24)}${tag}`
}
