import type { DeciderStreak } from '../../schemas/state.ts'

/** A streak of failed decisions in a line for its owner. */
export const describeStreak = ({ since, lastSlot, slots, kind, message }: DeciderStreak): string =>
  `DECIDER FAILING since ${since}: nothing decided at ${slots} ${slots === 1 ? 'slot' : 'slots in a row'}, last at ${lastSlot}: ${kind}: ${message}`
