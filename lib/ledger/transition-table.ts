import type { Phase } from '../../schemas/state.ts'
import type { LedgerEventType } from './events.ts'

export type PhaseKind = Phase['kind']

const EVERY_PHASE_STAYS = { flat: ['flat'], opening: ['opening'], open: ['open'], closing: ['closing'] } as const

/**
 * The whole state machine: for each event, the phases it may meet and the phases it may lead to from there.
 * What is not in this table is an error, not a surprise.
 *
 *   flat ── entry_intended ─► opening ── entry_ended ─► open ── close_intended ─► closing ── filled ─► flat
 *             ▲                   └── entry_ended (nothing filled) ─► flat            └ close_ended ─► open
 *             └── filled: stop, target, liquidation or a hand closed it ── open
 */
export const TRANSITIONS: Record<LedgerEventType, Partial<Record<PhaseKind, readonly PhaseKind[]>>> = {
  instrument_changed: { flat: ['flat'] },
  entry_intended: { flat: ['opening'] },
  entry_acknowledged: { opening: ['opening'] },
  entry_ended: { opening: ['open', 'flat'] },
  // In flat: the late fill of an abandoned entry, whose stop is still known, or the mistaken one of an exit of ours.
  filled: { flat: ['open'], opening: ['opening'], open: ['open', 'flat'], closing: ['closing', 'flat'] },
  protection_intended: { opening: ['opening'], open: ['open'] },
  protection_confirmed: { opening: ['opening'], open: ['open'], closing: ['closing'] },
  protection_lost: { opening: ['opening'], open: ['open'], closing: ['closing'] },
  close_intended: { open: ['closing'] },
  close_acknowledged: { closing: ['closing'] },
  close_ended: { closing: ['open'] },
  funding_settled: EVERY_PHASE_STAYS,
  cash_adjusted: EVERY_PHASE_STAYS,
  transferred: EVERY_PHASE_STAYS,
  transfer_expected: EVERY_PHASE_STAYS,
  incident_noted: EVERY_PHASE_STAYS,
  suspected: EVERY_PHASE_STAYS,
  marked: EVERY_PHASE_STAYS,
  watched: EVERY_PHASE_STAYS,
  cursor_moved: EVERY_PHASE_STAYS,
  slot_finished: EVERY_PHASE_STAYS,
  reminded: EVERY_PHASE_STAYS,
  halted: EVERY_PHASE_STAYS,
  resumed: EVERY_PHASE_STAYS,
}
