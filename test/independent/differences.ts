import type { ReplayResult } from '../../lib/replay/run-replay.ts'
import { compareLists, SLOT_FIELDS, TRADE_FIELDS } from './compare.mjs'
import type { PlainResult } from './plain-replay.mjs'

/** Every field in which the two differ, with the first difference; none when all is equal to the last digit. */
export function differences(plain: PlainResult, replay: ReplayResult): string[] {
  const { state, book } = replay
  const halt = state?.halt ?? null
  const position = state?.phase.kind === 'open' ? state.phase.position : null
  const ours = {
    heldBars: plain.heldBars,
    ambiguousBars: plain.ambiguousBars,
    halt: plain.halt,
    liquidation: plain.openPosition?.liquidationPrice ?? null,
  }
  const theirs = {
    heldBars: book?.heldBars,
    ambiguousBars: book?.ambiguousBars,
    halt: halt === null ? null : { at: halt.at, rule: halt.rule },
    liquidation: position?.liquidationPrice ?? null,
  }
  const lines = [
    ...compareLists('trade', plain.trades, replay.trades, TRADE_FIELDS),
    ...compareLists('slot', plain.slots, replay.lines, SLOT_FIELDS),
    ...compareLists('end', [ours], [theirs], Object.keys(ours)),
  ]
  return lines.filter(({ compared, equal }) => equal !== compared).map(({ field, first }) => `${field} ${first}`)
}
