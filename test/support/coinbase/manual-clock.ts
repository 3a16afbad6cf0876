import type { EpochMs } from '../../../lib/core/time.ts'

/** A clock that stands where it is put. */
export type ManualClock = { now(): EpochMs; set(instant: EpochMs): void; advance(ms: number): void }

export function createManualClock(start: EpochMs): ManualClock {
  let instant = start
  return {
    now: () => instant,
    set: (to) => {
      instant = to
    },
    advance: (ms) => {
      instant += ms
    },
  }
}
