import type { EpochMs } from '../../core/time.ts'

/** The simulated world begins here: 2020-01-01. */
export const SIM_EPOCH: EpochMs = Date.UTC(2020, 0, 1)

/** And ends here: each of its days follows from those before, and a day in the year 9999 would take minutes. */
export const SIM_END: EpochMs = Date.UTC(2070, 0, 1)
